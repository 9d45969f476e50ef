//! Coercion of values: variables and arguments, as the specification has it.
//!
//! This is the one place that decides it. Variables are coerced once, before anything runs ([`variables`]): from there on each
//! is there with a value of its type, defaults included, or not there at all. An argument then is what is written in the
//! document with these variables put in ([`argument`]): in an object, a variable that is not there is no entry; in a list,
//! it is `null`. The executor, which decides otherwise, is not given a variable without a value to see ([`fill`]).

use std::fmt::Write as _;

use apollo_compiler::ast::{Type, VariableDefinition};
use apollo_compiler::schema::{ExtendedType, InputObjectType};
use apollo_compiler::{Node, Schema, ast};
use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Name, Number, Value as ConstValue, Variables};
use async_graphql_value::Value;

use super::language;
use super::scalars::{self, Form};
use crate::error::{Error, ErrorAt, Message, PathSegment, Result};

/// Longest name that a message repeats.
const LONGEST_NAME: usize = 64;
/// Integers that JSON numbers with a fraction hold exactly lie below it.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The variables of an operation, coerced to their types. Those called `later` are left out: their values are not known yet.
///
/// # Errors
/// `INVALID_VARIABLE`
pub fn variables(
    schema: &Schema,
    definitions: &[Node<VariableDefinition>],
    mut given: Variables,
    later: &[String],
) -> Result<Variables> {
    let mut coerced = Variables::default();
    for definition in definitions {
        let name = definition.name.as_str();
        if later.iter().any(|later| later == name) {
            continue;
        }
        if let Some(value) = variable(schema, definition, given.remove(name))? {
            coerced.insert(Name::new(name), value);
        }
    }
    Ok(coerced)
}

/// One variable, coerced: what was given, else its default. `None` when it has no value, and needs none.
///
/// # Errors
/// `INVALID_VARIABLE`
pub fn variable(
    schema: &Schema,
    definition: &VariableDefinition,
    given: Option<ConstValue>,
) -> Result<Option<ConstValue>> {
    let (name, ty) = (&definition.name, &definition.ty);
    let is_null = matches!(given, Some(ConstValue::Null));
    if !is_null && (given.is_some() || definition.default_value.is_some()) {
        let value = given.or_else(|| definition.default_value.as_deref().and_then(literal));
        let coerced = value.map(|value| coerce(schema, value, ty)).transpose();
        return coerced.map_err(|error| {
            let (name, place, problem) = (name.to_string(), place(&error), error.message);
            Error::new(if place.is_empty() {
                Message::VariableInvalid { name, problem }
            } else {
                Message::VariableInvalidAt { name, place, problem }
            })
        });
    }
    if !ty.is_non_null() {
        return Ok(given);
    }
    let (name, of) = (name.to_string(), ty.to_string());
    Err(Error::new(if is_null {
        Message::RequiredVariableNull { name, of }
    } else {
        Message::RequiredVariableAbsent { name, of }
    }))
}

/// Refuses null for a variable that may be null by its type, but not where it is used.
pub fn null_where_it_must_not_be(name: &str) -> Error {
    Error::new(Message::VariableNull { name: name.to_owned() })
}

/// A value that is written in a document without variables.
pub fn literal(value: &ast::Value) -> Option<ConstValue> {
    language::value(value).into_const()
}

/// Coerces a value to a type.
///
/// # Errors
/// `INVALID_VARIABLE` whose message continues a sentence that begins with the name of what has the value, and whose argument
/// path leads from there to the part at fault.
pub fn coerce(schema: &Schema, value: ConstValue, ty: &Type) -> Result<ConstValue> {
    let (value, name) = match (value, ty) {
        (ConstValue::Null, ty) if ty.is_non_null() => return Err(Error::new(Message::ValueNull)),
        (ConstValue::Null, _) => return Ok(ConstValue::Null),
        (ConstValue::List(items), Type::List(of) | Type::NonNullList(of)) => {
            let items = items.into_iter().enumerate().map(|(index, item)| coerce(schema, item, of).at(index));
            return items.collect::<Result<_>>().map(ConstValue::List);
        }
        // A single value is a list of one.
        (value, Type::List(of) | Type::NonNullList(of)) => {
            return Ok(ConstValue::List(vec![coerce(schema, value, of)?]));
        }
        (value, Type::Named(name) | Type::NonNullNamed(name)) => (value, name),
    };
    match schema.types.get(name) {
        Some(ExtendedType::InputObject(object)) => object_of(schema, value, object),
        Some(ExtendedType::Enum(of)) => match &value {
            ConstValue::String(text) if of.values.contains_key(text.as_str()) => Ok(value),
            ConstValue::Enum(text) if of.values.contains_key(text.as_str()) => Ok(value),
            _ => Err(Error::new(Message::ValueNotOfEnum { of: name.to_string() })),
        },
        Some(ExtendedType::Scalar(_)) => scalar(value, name),
        _ => Err(Error::internal(format!("{name} is no input type"))),
    }
}

fn object_of(schema: &Schema, value: ConstValue, object: &InputObjectType) -> Result<ConstValue> {
    let ConstValue::Object(mut given) = value else {
        return Err(Error::new(Message::ValueNotAnObject { of: object.name.to_string() }));
    };
    if let Some(unknown) = given.keys().find(|name| !object.fields.contains_key(name.as_str())) {
        let (field, of) = (unknown.chars().take(LONGEST_NAME).collect(), object.name.to_string());
        return Err(Error::new(Message::ValueHasUnknownField { field, of }));
    }
    let mut coerced = IndexMap::with_capacity(given.len());
    for (name, field) in &object.fields {
        let at = || PathSegment::Name(name.to_string().into());
        let value = match given.swap_remove(name.as_str()) {
            Some(value) => Some(value),
            None => field.default_value.as_deref().and_then(literal),
        };
        match value {
            Some(value) => {
                coerced.insert(Name::new(name), coerce(schema, value, &field.ty).at(at())?);
            }
            None if field.ty.is_non_null() => return Err(Error::new(Message::ValueMissing).at(at())),
            None => {}
        }
    }
    Ok(ConstValue::Object(coerced))
}

fn scalar(value: ConstValue, name: &str) -> Result<ConstValue> {
    let not_of_type = || Error::new(Message::ValueNotOfType { of: name.to_owned() });
    match (name, value) {
        ("Int", value) => match &value {
            ConstValue::Number(number) => whole(number).and_then(|number| i32::try_from(number).ok()).map(Into::into),
            _ => None,
        }
        .ok_or_else(|| Error::new(Message::ValueNotAnInt)),
        ("Float", value @ ConstValue::Number(_))
        | ("String" | "ID", value @ ConstValue::String(_))
        | ("Boolean", value @ ConstValue::Boolean(_)) => Ok(value),
        ("ID", ConstValue::Number(number)) => match whole(&number) {
            Some(number) => Ok(ConstValue::String(number.to_string())),
            None => Err(not_of_type()),
        },
        // The value of a field that was chained.
        ("String", ConstValue::Enum(name)) => Ok(ConstValue::String(name.to_string())),
        (_, value) => match scalars::form(name) {
            Some(form) if (form.takes)(&value) => Ok(value),
            Some(Form { written: form, .. }) => {
                Err(Error::new(Message::ValueNotOfScalar { of: name.to_owned(), form }))
            }
            None => Err(not_of_type()),
        },
    }
}

/// A number without a fraction, however it is written: some clients have no other numbers than `2.0`.
fn whole(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let number = number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < EXACT)?;
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and small enough")]
        Some(number as i64)
    })
}

/// Where in a value the error lies; empty for the value as a whole.
fn place(error: &Error) -> String {
    let mut place = String::new();
    for segment in &error.argument_path {
        let written = match segment {
            PathSegment::Name(name) if place.is_empty() => write!(place, "{name}"),
            PathSegment::Name(name) => write!(place, ".{name}"),
            PathSegment::Index(index) => write!(place, "[{index}]"),
        };
        written.expect("a text can be written to");
    }
    place
}

/// The value of an argument with the variables put in; `None` when it is a variable that is not there.
pub fn argument(value: &Value, variables: &Variables) -> Option<ConstValue> {
    Some(match value {
        Value::Variable(name) => variables.get(name)?.clone(),
        Value::Null => ConstValue::Null,
        Value::Number(number) => ConstValue::Number(number.clone()),
        Value::String(text) => ConstValue::String(text.clone()),
        Value::Boolean(value) => ConstValue::Boolean(*value),
        Value::Binary(bytes) => ConstValue::Binary(bytes.clone()),
        Value::Enum(name) => ConstValue::Enum(name.clone()),
        Value::List(items) => {
            ConstValue::List(items.iter().map(|item| argument(item, variables).unwrap_or_default()).collect())
        }
        Value::Object(entries) => {
            let present = entries.iter().filter_map(|(name, value)| Some((name.clone(), argument(value, variables)?)));
            ConstValue::Object(present.collect())
        }
    })
}

/// Puts the variables into the arguments of a document that is about to be run once, where one of them is not there.
pub fn fill(document: &mut ExecutableDocument, variables: &Variables) {
    match &mut document.operations {
        DocumentOperations::Single(operation) => fill_set(&mut operation.node.selection_set.node, variables),
        DocumentOperations::Multiple(operations) => {
            for operation in operations.values_mut() {
                fill_set(&mut operation.node.selection_set.node, variables);
            }
        }
    }
    for fragment in document.fragments.values_mut() {
        fill_set(&mut fragment.node.selection_set.node, variables);
    }
}

fn fill_set(set: &mut SelectionSet, variables: &Variables) {
    for selection in &mut set.items {
        match &mut selection.node {
            Selection::Field(field) => {
                field.node.arguments.retain_mut(|(_, value)| match argument(&value.node, variables) {
                    Some(filled) => {
                        value.node = filled.into_value();
                        true
                    }
                    None => false,
                });
                fill_set(&mut field.node.selection_set.node, variables);
            }
            Selection::InlineFragment(fragment) => fill_set(&mut fragment.node.selection_set.node, variables),
            Selection::FragmentSpread(_) => {}
        }
    }
}
