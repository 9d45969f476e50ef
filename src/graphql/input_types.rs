//! What values the schema's input types take.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{BaseType, InputValueDefinition, Type, TypeKind, TypeSystemDefinition};
use async_graphql::{Number, Positioned, ScalarType, Value};

use super::scalars::{Date, Datetime, LocalTime};

/// The input types of the schema.
#[derive(Debug)]
pub struct InputTypes(HashMap<String, InputType>);

/// Whether a value is one of a scalar.
type IsValid = fn(&Value) -> bool;

#[derive(Debug)]
enum InputType {
    Scalar(IsValid),
    Enum(HashSet<String>),
    Object(HashMap<String, InputField>),
}

#[derive(Debug)]
struct InputField {
    kind: Type,
    required: bool,
}

impl InputTypes {
    /// Reads the schema's own description of itself.
    ///
    /// # Panics
    /// When `sdl` is not the SDL of a schema: it comes from the program itself, so that is a fault of the program.
    pub fn from_sdl(sdl: &str) -> Self {
        let document = parse_schema(sdl).expect("the schema prints itself as SDL");
        let types = document.definitions.into_iter().filter_map(|definition| match definition {
            TypeSystemDefinition::Type(definition) => Some(definition.node),
            TypeSystemDefinition::Schema(_) | TypeSystemDefinition::Directive(_) => None,
        });
        let declared = types.filter_map(|definition| {
            let input = match definition.kind {
                TypeKind::Enum(values) => {
                    InputType::Enum(values.values.into_iter().map(|value| value.node.value.node.to_string()).collect())
                }
                // One that takes exactly one of its fields is left to the validator.
                TypeKind::InputObject(object) if definition.directives.is_empty() => {
                    InputType::Object(object.fields.into_iter().map(field).collect())
                }
                _ => return None,
            };
            Some((definition.name.node.to_string(), input))
        });
        let scalars: [(&str, IsValid); 7] = [
            ("Int", is_int),
            ("String", is_string),
            ("ID", is_string),
            ("Boolean", |value| matches!(value, Value::Boolean(_))),
            ("Date", Date::is_valid),
            ("Datetime", Datetime::is_valid),
            ("LocalTime", LocalTime::is_valid),
        ];
        let scalars = scalars.map(|(name, takes)| (name.to_owned(), InputType::Scalar(takes)));
        Self(declared.chain(scalars).collect())
    }

    /// Whether a value is one of the type for certain. `false` also where that would take a coercion or more knowledge than
    /// there is here: then the validator has to judge.
    pub fn takes(&self, kind: &Type, value: &Value) -> bool {
        match (value, &kind.base) {
            (Value::Null, _) => kind.nullable,
            (Value::List(items), BaseType::List(inner)) => items.iter().all(|item| self.takes(inner, item)),
            (_, BaseType::List(_)) => false,
            (_, BaseType::Named(name)) => self.0.get(name.as_str()).is_some_and(|input| self.is(input, value)),
        }
    }

    fn is(&self, input: &InputType, value: &Value) -> bool {
        match (input, value) {
            (InputType::Scalar(takes), _) => takes(value),
            (InputType::Enum(values), Value::String(name)) => values.contains(name),
            (InputType::Enum(values), Value::Enum(name)) => values.contains(name.as_str()),
            (InputType::Object(fields), Value::Object(entries)) => {
                let known = |(name, value): (&_, _)| {
                    let name: &async_graphql::Name = name;
                    fields.get(name.as_str()).is_some_and(|field| self.takes(&field.kind, value))
                };
                entries.iter().all(known)
                    && fields.iter().all(|(name, field)| !field.required || entries.contains_key(name.as_str()))
            }
            _ => false,
        }
    }
}

fn field(definition: Positioned<InputValueDefinition>) -> (String, InputField) {
    let InputValueDefinition { name, ty, default_value, .. } = definition.node;
    let required = !ty.node.nullable && default_value.is_none();
    (name.node.to_string(), InputField { kind: ty.node, required })
}

fn is_int(value: &Value) -> bool {
    let fits = |number: &Number| number.as_i64().is_some_and(|number| (0..=i64::from(i32::MAX)).contains(&number));
    matches!(value, Value::Number(number) if fits(number))
}

fn is_string(value: &Value) -> bool {
    matches!(value, Value::String(_))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn takes(kind: &str, value: serde_json::Value) -> bool {
        let types = InputTypes::from_sdl(&crate::graphql::Schema::new().sdl());
        let value = Value::from_json(value).expect("a value");
        types.takes(&Type::new(kind).expect("a type"), &value)
    }

    #[test]
    fn it_takes_what_is_of_the_type_for_certain() {
        for (kind, value) in [
            ("Date!", json!("2026-11-24")),
            ("Date", json!(null)),
            ("Int", json!(20)),
            ("[ID!]!", json!(["a", "b"])),
            ("ReservationStatus", json!("CANCELLED")),
            ("RoomStayFilter", json!({"reservation_from": {"le": "2026-11-24"}, "or": [{"id": {"eq": null}}]})),
            ("CreateRoomAccessKeyInput!", json!({"roomAccessPin": {"pin": "1234"}})),
        ] {
            assert!(takes(kind, value.clone()), "{kind} {value}");
        }
    }

    #[test]
    fn it_takes_nothing_else() {
        for (kind, value) in [
            ("Date!", json!(null)),
            ("Date", json!("24.11.2026")),
            ("Int", json!(-1)),
            ("Int", json!(4_000_000_000_u32)),
            ("Int", json!(1.5)),
            ("String", json!(1)),
            ("[ID!]!", json!("a")),
            ("[ID!]", json!([null])),
            ("ReservationStatus", json!("GONE")),
            ("RoomStayFilter", json!({"reservation_form": {}})),
            ("RoomStayFilter", json!({"reservation_from": {"le": 5}})),
            ("CreateRoomAccessKeyInput", json!({"roomAccessPin": {}})),
            ("RoomStay", json!({})),
            ("Unknown", json!("")),
        ] {
            assert!(!takes(kind, value.clone()), "{kind} {value}");
        }
    }
}
