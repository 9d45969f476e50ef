//! Judgement of a request by the specification, without running it: for comparison with other implementations.

use apollo_compiler::ast::Value as Literal;
use apollo_compiler::executable::{Directive, Field, Operation, Selection, SelectionSet};
use apollo_compiler::{ExecutableDocument, Node};
use async_graphql::{Value, Variables};
use serde::Serialize;
use serde_json::Map;

use super::request::GraphQlRequest;
use super::{Schema, language, validate, values};
use crate::error::{Error, ErrorAt, ErrorCode, Message, PathSegment, Result};

/// A field that a request selects.
#[derive(Debug, Serialize)]
pub struct Selected {
    /// The keys of the answer that lead to it, joined by `/`.
    pub path: String,
    /// The type that its selection set is on.
    pub on: String,
    /// Its name.
    pub field: String,
    /// Its arguments, coerced; those without a value are absent.
    pub arguments: Map<String, serde_json::Value>,
}

impl Schema {
    /// The fields that a request selects and that are not skipped, in the order of the document, each as often as it is
    /// selected. Nothing bounds what the document may be.
    ///
    /// # Errors
    /// `GRAPHQL_PARSE_FAILED`, `GRAPHQL_VALIDATION_FAILED`, `OPERATION_NOT_FOUND`, `INVALID_VARIABLE`
    pub fn judge(&self, request: GraphQlRequest) -> Result<Vec<Selected>> {
        let parsed = language::parse(&request.query)?;
        let validated = validate::validate(&self.definition, &parsed).map_err(|errors| {
            let messages: Vec<_> = errors.into_iter().map(|error| error.message).collect();
            Error::new(Message::DocumentInvalid { said: messages.join("; ") })
        })?;
        let document = &validated.document;
        let operation = document.operations.get(request.operation_name.as_deref());
        let operation = operation.map_err(|_| Error::of(ErrorCode::OperationNotFound))?;
        let variables = values::variables(&self.definition, &operation.variables, request.variables, &[])?;
        select(&self.definition, document, operation, &variables)
    }
}

/// The fields that a valid operation selects with these variables.
///
/// # Errors
/// `INVALID_VARIABLE` for null where a value must not be null.
pub fn select(
    schema: &apollo_compiler::Schema,
    document: &ExecutableDocument,
    operation: &Operation,
    variables: &Variables,
) -> Result<Vec<Selected>> {
    let mut walk = Walk { schema, document, variables, selected: Vec::new() };
    walk.selections(&operation.selection_set, "")?;
    Ok(walk.selected)
}

/// The walk over the selections of an operation.
struct Walk<'a> {
    schema: &'a apollo_compiler::Schema,
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    selected: Vec<Selected>,
}

impl<'a> Walk<'a> {
    fn selections(&mut self, set: &'a SelectionSet, path: &str) -> Result<()> {
        for selection in &set.selections {
            if self.is_skipped(selection.directives())? {
                continue;
            }
            match selection {
                Selection::Field(field) => {
                    let key = field.response_key();
                    let path = if path.is_empty() { key.to_string() } else { format!("{path}/{key}") };
                    self.selected.push(Selected {
                        path: path.clone(),
                        on: set.ty.to_string(),
                        field: field.name.to_string(),
                        arguments: self.arguments(field)?,
                    });
                    self.selections(&field.selection_set, &path)?;
                }
                Selection::InlineFragment(fragment) => self.selections(&fragment.selection_set, path)?,
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.document.fragments.get(&spread.fragment_name) {
                        self.selections(&fragment.selection_set, path)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn is_skipped(&self, directives: &[Node<Directive>]) -> Result<bool> {
        for directive in directives {
            let is_on = match directive.name.as_str() {
                "skip" => true,
                "include" => false,
                _ => continue,
            };
            let given = match directive.specified_argument_by_name("if").map(|value| &**value) {
                Some(Literal::Boolean(value)) => *value,
                Some(Literal::Variable(name)) => match self.variables.get(name.as_str()) {
                    Some(Value::Boolean(value)) => *value,
                    _ => return Err(values::null_where_it_must_not_be(name)),
                },
                _ => continue,
            };
            if given == is_on {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn arguments(&self, field: &Field) -> Result<Map<String, serde_json::Value>> {
        let mut arguments = Map::new();
        for definition in &field.definition.arguments {
            let name = definition.name.as_str();
            let given = field.specified_argument_by_name(name).map(|value| language::value(value));
            let given = given.and_then(|value| values::argument(&value, self.variables));
            let default = || definition.default_value.as_deref().and_then(values::literal);
            if let Some(value) = given.or_else(default) {
                let segment = PathSegment::Name(name.to_owned().into());
                let value = values::coerce(self.schema, value, &definition.ty).at(segment)?;
                arguments.insert(name.to_owned(), value.into_json().map_err(Error::internal)?);
            }
        }
        Ok(arguments)
    }
}
