//! Documents of the GraphQL language: read by `apollo-compiler`, and handed to the executor in the executor's own types.

use std::collections::HashMap;

use apollo_compiler::parser::Parser;
use apollo_compiler::{Node, ast};
use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{
    BaseType, Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition, FragmentSpread,
    InlineFragment, OperationDefinition, OperationType, Selection, SelectionSet, Type, TypeCondition,
    VariableDefinition,
};
use async_graphql::{Name, Number, Pos, Positioned};
use async_graphql_value::Value;

use super::grammar;
use crate::error::{Error, Message, Result};

/// Reads a document.
///
/// # Errors
/// `GRAPHQL_PARSE_FAILED`
pub fn parse(text: &str) -> Result<ast::Document> {
    let readable = grammar::normalize(text).map_err(|offset| {
        let Pos { line, column } = Convert::new(text).pos_at(offset);
        not_graphql(line, column)
    })?;
    Parser::new().parse_ast(readable, "document").map_err(|failed| {
        let place = failed.errors.iter().find_map(|error| error.line_column_range()).map(|range| range.start);
        let (line, column) = place.map_or((1, 1), |place| (place.line, place.column));
        not_graphql(line, column)
    })
}

/// Not the parser's own message, which repeats what it found.
fn not_graphql(line: usize, column: usize) -> Error {
    Error::new(Message::NotGraphQl { line, column })
}

/// The document in the executor's types.
///
/// # Errors
/// `GRAPHQL_VALIDATION_FAILED` for what these types cannot hold: definitions that cannot be executed, and two of one name.
pub fn executable(document: &ast::Document, text: &str) -> Result<ExecutableDocument> {
    let mut convert = Convert::new(text);
    let mut anonymous = None;
    let mut operations = HashMap::new();
    let mut fragments = HashMap::new();
    for definition in &document.definitions {
        match definition {
            ast::Definition::OperationDefinition(operation) => {
                let converted = convert.operation(operation);
                match &operation.name {
                    None if anonymous.is_some() => return Err(not_alone()),
                    None => anonymous = Some(converted),
                    Some(name) => {
                        if operations.insert(Name::new(name), converted).is_some() {
                            let name = name.to_string();
                            return Err(Error::new(Message::OperationNameTaken { name }));
                        }
                    }
                }
            }
            ast::Definition::FragmentDefinition(fragment) => {
                let converted = convert.fragment(fragment);
                if fragments.insert(Name::new(&fragment.name), converted).is_some() {
                    let name = fragment.name.to_string();
                    return Err(Error::new(Message::FragmentNameTaken { name }));
                }
            }
            _ => return Err(Error::new(Message::NotExecutable)),
        }
    }
    let operations = match anonymous {
        Some(_) if !operations.is_empty() => return Err(not_alone()),
        Some(operation) => DocumentOperations::Single(operation),
        None => DocumentOperations::Multiple(operations),
    };
    Ok(ExecutableDocument { operations, fragments })
}

fn not_alone() -> Error {
    Error::new(Message::OperationUnnamed)
}

/// A value as it is written, variables included.
pub fn value(value: &ast::Value) -> Value {
    match value {
        ast::Value::Null => Value::Null,
        ast::Value::Enum(name) => Value::Enum(Name::new(name)),
        ast::Value::Variable(name) => Value::Variable(Name::new(name)),
        ast::Value::String(text) => Value::String(text.clone()),
        ast::Value::Boolean(value) => Value::Boolean(*value),
        ast::Value::Int(number) => match number.as_str().parse::<i64>() {
            Ok(number) => Value::Number(number.into()),
            // Only an ID takes it, and that is its text.
            Err(_) => Value::String(number.as_str().to_owned()),
        },
        ast::Value::Float(number) => self::number(number.as_str()),
        ast::Value::List(items) => Value::List(items.iter().map(|item| self::value(item)).collect()),
        ast::Value::Object(entries) => {
            let entries = entries.iter().map(|(name, value)| (Name::new(name), self::value(value)));
            Value::Object(entries.collect::<IndexMap<_, _>>())
        }
    }
}

/// A number that no JSON can hold is one that no input type takes: validation refuses it, whatever stands for it here.
fn number(text: &str) -> Value {
    text.parse().ok().and_then(Number::from_f64).map_or(Value::Null, Value::Number)
}

/// The conversion, and where in the text it is. Nodes are visited in the order of the text, so that finding their lines
/// takes one pass.
struct Convert<'a> {
    text: &'a str,
    offset: usize,
    pos: Pos,
}

impl<'a> Convert<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, offset: 0, pos: Pos { line: 1, column: 1 } }
    }

    fn operation(&mut self, operation: &Node<ast::OperationDefinition>) -> Positioned<OperationDefinition> {
        let pos = self.pos_of(operation);
        let variable_definitions = operation.variables.iter().map(|variable| self.variable(variable)).collect();
        let definition = OperationDefinition {
            ty: match operation.operation_type {
                ast::OperationType::Query => OperationType::Query,
                ast::OperationType::Mutation => OperationType::Mutation,
                ast::OperationType::Subscription => OperationType::Subscription,
            },
            variable_definitions,
            directives: self.directives(&operation.directives),
            selection_set: self.selection_set(&operation.selection_set, pos),
        };
        Positioned::new(definition, pos)
    }

    fn variable(&mut self, variable: &Node<ast::VariableDefinition>) -> Positioned<VariableDefinition> {
        let pos = self.pos_of(variable);
        let default = variable.default_value.as_ref().and_then(|default| {
            // A variable cannot stand there.
            let value = value(default).into_const()?;
            Some(Positioned::new(value, self.pos_of(default)))
        });
        let definition = VariableDefinition {
            name: Positioned::new(Name::new(&variable.name), pos),
            var_type: Positioned::new(type_of(&variable.ty), pos),
            default_value: default,
            directives: self.directives(&variable.directives),
        };
        Positioned::new(definition, pos)
    }

    fn fragment(&mut self, fragment: &Node<ast::FragmentDefinition>) -> Positioned<FragmentDefinition> {
        let pos = self.pos_of(fragment);
        let definition = FragmentDefinition {
            type_condition: condition(&fragment.type_condition, pos),
            directives: self.directives(&fragment.directives),
            selection_set: self.selection_set(&fragment.selection_set, pos),
        };
        Positioned::new(definition, pos)
    }

    fn selection_set(&mut self, selections: &[ast::Selection], pos: Pos) -> Positioned<SelectionSet> {
        let items = selections.iter().map(|selection| match selection {
            ast::Selection::Field(field) => {
                let field = self.field(field);
                let pos = field.pos;
                Positioned::new(Selection::Field(field), pos)
            }
            ast::Selection::FragmentSpread(spread) => {
                let pos = self.pos_of(spread);
                let spread = FragmentSpread {
                    fragment_name: Positioned::new(Name::new(&spread.fragment_name), pos),
                    directives: self.directives(&spread.directives),
                };
                Positioned::new(Selection::FragmentSpread(Positioned::new(spread, pos)), pos)
            }
            ast::Selection::InlineFragment(fragment) => {
                let pos = self.pos_of(fragment);
                let fragment = InlineFragment {
                    type_condition: fragment.type_condition.as_ref().map(|on| condition(on, pos)),
                    directives: self.directives(&fragment.directives),
                    selection_set: self.selection_set(&fragment.selection_set, pos),
                };
                Positioned::new(Selection::InlineFragment(Positioned::new(fragment, pos)), pos)
            }
        });
        Positioned::new(SelectionSet { items: items.collect() }, pos)
    }

    fn field(&mut self, field: &Node<ast::Field>) -> Positioned<Field> {
        let pos = self.pos_of(field);
        let converted = Field {
            alias: field.alias.as_ref().map(|alias| Positioned::new(Name::new(alias), pos)),
            name: Positioned::new(Name::new(&field.name), pos),
            arguments: self.arguments(&field.arguments),
            directives: self.directives(&field.directives),
            selection_set: self.selection_set(&field.selection_set, pos),
        };
        Positioned::new(converted, pos)
    }

    fn directives(&mut self, directives: &ast::DirectiveList) -> Vec<Positioned<Directive>> {
        let directives = directives.iter().map(|directive| {
            let pos = self.pos_of(directive);
            let arguments = self.arguments(&directive.arguments);
            Positioned::new(Directive { name: Positioned::new(Name::new(&directive.name), pos), arguments }, pos)
        });
        directives.collect()
    }

    fn arguments(&mut self, arguments: &[Node<ast::Argument>]) -> Vec<(Positioned<Name>, Positioned<Value>)> {
        let arguments = arguments.iter().map(|argument| {
            let name = Positioned::new(Name::new(&argument.name), self.pos_of(argument));
            (name, Positioned::new(value(&argument.value), self.pos_of(&argument.value)))
        });
        arguments.collect()
    }

    fn pos_of<T>(&mut self, node: &Node<T>) -> Pos {
        let offset = node.location().map(|span| span.offset());
        offset.map_or(self.pos, |offset| self.pos_at(offset))
    }

    fn pos_at(&mut self, offset: usize) -> Pos {
        if offset < self.offset {
            (self.offset, self.pos) = (0, Pos { line: 1, column: 1 });
        }
        let passed = self.text.get(self.offset..offset).unwrap_or_default();
        let mut rest = passed.chars().peekable();
        while let Some(char) = rest.next() {
            match char {
                '\r' if rest.peek() == Some(&'\n') => {}
                '\r' | '\n' => self.pos = Pos { line: self.pos.line + 1, column: 1 },
                _ => self.pos.column += 1,
            }
        }
        self.offset = offset;
        self.pos
    }
}

fn condition(on: &ast::NamedType, pos: Pos) -> Positioned<TypeCondition> {
    Positioned::new(TypeCondition { on: Positioned::new(Name::new(on), pos) }, pos)
}

fn type_of(of: &ast::Type) -> Type {
    let (base, nullable) = match of {
        ast::Type::Named(name) => (BaseType::Named(Name::new(name)), true),
        ast::Type::NonNullNamed(name) => (BaseType::Named(Name::new(name)), false),
        ast::Type::List(inner) => (BaseType::List(Box::new(type_of(inner))), true),
        ast::Type::NonNullList(inner) => (BaseType::List(Box::new(type_of(inner))), false),
    };
    Type { base, nullable }
}
