//! Validation: documents that fit the schema, by the rules of the specification.
//!
//! `apollo-compiler` checks most of them. What it leaves out is checked here, over documents that it finds nothing wrong with:
//! variables and names inside input objects, the texts of custom scalars, and lists of different length in arguments of fields
//! that are merged.

use std::collections::HashSet;

use apollo_compiler::ast::{Type, Value};
use apollo_compiler::collections::{IndexMap, IndexSet};
use apollo_compiler::executable::{Directive, Field, Operation, Selection, SelectionSet};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::{DiagnosticList, Valid};
use apollo_compiler::{ExecutableDocument, Name, Node, Schema, ast};
use async_graphql::Pos;

use super::error::GraphQlError;
use super::{language, scalars};
use crate::error::{Error, Message};

/// Most errors of one document that are answered.
const MOST_ERRORS: usize = 20;

/// Reads the schema that documents have to fit.
///
/// # Panics
/// When `sdl` is not the SDL of a schema: it comes from the program itself, so that is a fault of the program.
pub fn schema(sdl: &str) -> Valid<Schema> {
    // Introspection answers it, and the compiler's own introspection types do not have it.
    let sdl = format!("{sdl}\nextend type __Type {{ isOneOf: Boolean }}");
    Schema::parse_and_validate(sdl, "schema").expect("the schema prints itself as SDL")
}

/// A document that fits the schema.
#[derive(Debug)]
pub struct Validated {
    /// The document, with the definitions of its fields.
    pub document: Valid<ExecutableDocument>,
    /// Variables that may be null by their type and stand where null must not, because there is a default.
    pub never_null: Vec<String>,
}

/// Checks a document.
///
/// # Errors
/// What is wrong with it, all `GRAPHQL_VALIDATION_FAILED`.
pub fn validate(schema: &Valid<Schema>, document: &ast::Document) -> Result<Validated, Vec<GraphQlError>> {
    // In two steps: a field that the schema does not have is left out by the first, and must not be missed by the second.
    let document = document.to_executable(schema).map_err(|failed| reported(&failed.errors))?;
    let document = document.validate(schema).map_err(|failed| reported(&failed.errors))?;
    let mut never_null = Vec::new();
    let mut errors = Vec::new();
    for operation in document.operations.iter() {
        let mut check = Check {
            schema,
            document: &document,
            operation,
            fragments: HashSet::new(),
            never_null: Vec::new(),
            errors: Vec::new(),
        };
        check.directives(&operation.directives);
        for variable in &operation.variables {
            if let Some(default) = &variable.default_value {
                check.value(default, &variable.ty, false);
            }
        }
        check.selections(&operation.selection_set);
        check.merged(&[&operation.selection_set]);
        errors.append(&mut check.errors);
        never_null.append(&mut check.never_null);
    }
    errors.truncate(MOST_ERRORS);
    if errors.is_empty() { Ok(Validated { document, never_null }) } else { Err(errors) }
}

/// What the compiler found.
fn reported(errors: &DiagnosticList) -> Vec<GraphQlError> {
    let errors = errors.iter().take(MOST_ERRORS).map(|diagnostic| {
        let start = diagnostic.line_column_range().map(|range| range.start);
        let pos = start.map(|start| Pos { line: start.line, column: start.column });
        error(Message::DocumentInvalid { said: sentence(&diagnostic.error.to_string()) }, pos)
    });
    errors.collect()
}

fn error(message: Message, pos: Option<Pos>) -> GraphQlError {
    GraphQlError { locations: pos.into_iter().collect(), ..GraphQlError::of(&Error::new(message)) }
}

/// The compiler's messages, in the form of all others.
fn sentence(message: &str) -> String {
    let message = message.replace('`', "\"");
    let mut letters = message.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The check of one operation.
struct Check<'a> {
    schema: &'a Valid<Schema>,
    document: &'a ExecutableDocument,
    operation: &'a Operation,
    fragments: HashSet<&'a Name>,
    never_null: Vec<String>,
    errors: Vec<GraphQlError>,
}

impl<'a> Check<'a> {
    fn refuse(&mut self, message: Message, span: Option<SourceSpan>) {
        let start = span.and_then(|span| span.line_column(&self.document.sources));
        self.errors.push(error(message, start.map(|start| Pos { line: start.line, column: start.column })));
    }

    fn selections(&mut self, set: &'a SelectionSet) {
        for selection in &set.selections {
            self.directives(selection.directives());
            match selection {
                Selection::Field(field) => {
                    for argument in &field.arguments {
                        if let Some(definition) = field.definition.argument_by_name(&argument.name) {
                            self.value(&argument.value, &definition.ty, definition.default_value.is_some());
                        }
                    }
                    self.selections(&field.selection_set);
                }
                Selection::InlineFragment(fragment) => self.selections(&fragment.selection_set),
                Selection::FragmentSpread(spread) => {
                    if self.fragments.insert(&spread.fragment_name)
                        && let Some(fragment) = self.document.fragments.get(&spread.fragment_name)
                    {
                        self.directives(&fragment.directives);
                        self.selections(&fragment.selection_set);
                    }
                }
            }
        }
    }

    fn directives(&mut self, directives: &'a [Node<Directive>]) {
        for directive in directives {
            let Some(definition) = self.schema.directive_definitions.get(&directive.name) else { continue };
            for argument in &directive.arguments {
                if let Some(definition) = definition.argument_by_name(&argument.name) {
                    self.value(&argument.value, &definition.ty, definition.default_value.is_some());
                }
            }
        }
    }

    /// Checks a value where one of type `ty` is wanted.
    fn value(&mut self, value: &Node<Value>, ty: &Type, has_default: bool) {
        match (&**value, ty) {
            (Value::Variable(name), _) => self.variable(name, ty, has_default, value.location()),
            (Value::List(items), Type::List(of) | Type::NonNullList(of)) => {
                for item in items {
                    self.value(item, of, false);
                }
            }
            (_, Type::List(of) | Type::NonNullList(of)) if !value.is_null() => self.value(value, of, false),
            _ => match (&**value, self.schema.types.get(ty.inner_named_type())) {
                (Value::Object(entries), Some(ExtendedType::InputObject(object))) => {
                    let mut seen = HashSet::new();
                    for (name, value) in entries {
                        if !seen.insert(name) {
                            self.refuse(Message::InputFieldTwice { name: name.to_string() }, name.location());
                        }
                        if let Some(field) = object.fields.get(name) {
                            self.value(value, &field.ty, field.default_value.is_some());
                        }
                    }
                }
                (_, Some(ExtendedType::Scalar(scalar))) if !value.is_null() => {
                    if let Some(form) = scalars::form(&scalar.name)
                        && !language::value(value).into_const().is_some_and(|value| (form.takes)(&value))
                    {
                        let (scalar, form) = (scalar.name.to_string(), form.written);
                        self.refuse(Message::ScalarExpected { scalar, form }, value.location());
                    }
                }
                _ => {}
            },
        }
    }

    /// Checks a variable where a value of type `ty` is wanted.
    fn variable(&mut self, name: &Name, ty: &Type, has_default: bool, span: Option<SourceSpan>) {
        let Some(variable) = self.operation.variables.iter().find(|variable| variable.name == *name) else { return };
        let is_allowed = if ty.is_non_null() && !variable.ty.is_non_null() {
            self.never_null.push(name.to_string());
            (has_default || variable.default_value.as_ref().is_some_and(|default| !default.is_null()))
                && variable.ty.is_assignable_to(&ty.clone().nullable())
        } else {
            variable.ty.is_assignable_to(ty)
        };
        if !is_allowed {
            let (name, of, wanted) = (name.to_string(), variable.ty.to_string(), ty.to_string());
            self.refuse(Message::VariableTypeDiffers { name, of, wanted }, span);
        }
    }

    /// Checks that fields which are merged have the same arguments.
    fn merged(&mut self, sets: &[&'a SelectionSet]) {
        let mut fields: IndexMap<&Name, Vec<(&Name, &'a Node<Field>)>> = IndexMap::default();
        let mut fragments = HashSet::new();
        let mut rest: Vec<&'a SelectionSet> = sets.to_vec();
        while let Some(set) = rest.pop() {
            for selection in &set.selections {
                match selection {
                    Selection::Field(field) => {
                        fields.entry(field.response_key()).or_default().push((&set.ty, field));
                    }
                    Selection::InlineFragment(fragment) => rest.push(&fragment.selection_set),
                    Selection::FragmentSpread(spread) => {
                        if fragments.insert(&spread.fragment_name)
                            && let Some(fragment) = self.document.fragments.get(&spread.fragment_name)
                        {
                            rest.push(&fragment.selection_set);
                        }
                    }
                }
            }
        }
        for (key, fields) in fields {
            for group in self.of_one_object(&fields) {
                let differs = |field: &&&'a Node<Field>| !same_arguments(group[0], field);
                if let Some(field) = group.iter().find(differs) {
                    self.refuse(Message::FieldArgumentsDiffer { key: key.to_string() }, field.location());
                }
                let inside: Vec<_> = group.iter().map(|field| &field.selection_set).collect();
                if inside.iter().any(|set| !set.selections.is_empty()) {
                    self.merged(&inside);
                }
            }
        }
    }

    /// Fields of the same key with the types that they are selected on, in groups of those that one object can have.
    fn of_one_object(&self, fields: &[(&Name, &'a Node<Field>)]) -> Vec<Vec<&'a Node<Field>>> {
        let is_object = |name| matches!(self.schema.types.get(name), Some(ExtendedType::Object(_)));
        let objects: IndexSet<&Name> =
            fields.iter().map(|(owner, _)| *owner).filter(|owner| is_object(*owner)).collect();
        if objects.is_empty() {
            return vec![fields.iter().map(|(_, field)| *field).collect()];
        }
        let of = |object: &Name| {
            let alike = fields.iter().filter(|(owner, _)| *owner == object || !is_object(*owner));
            alike.map(|(_, field)| *field).collect()
        };
        objects.into_iter().map(of).collect()
    }
}

fn same_arguments(left: &Field, right: &Field) -> bool {
    left.arguments.len() == right.arguments.len()
        && left.arguments.iter().all(|argument| {
            let mut others = right.arguments.iter();
            others.any(|other| other.name == argument.name && same_value(&other.value, &argument.value))
        })
}

/// Whether both are the same, in whichever order objects have their entries.
fn same_value(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same_value(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(name, left)| right.iter().any(|(other, right)| name == other && same_value(left, right)))
        }
        (left, right) => left == right,
    }
}
