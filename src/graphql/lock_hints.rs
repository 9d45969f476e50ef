//! Lock hints: which stays a request will lock, as far as its variables tell before it runs.
//!
//! A batch that puts fifty keys on fifty stays then locks them all in one statement, and in one order. What a hint misses is
//! locked when its mutation runs, and what it has too much is locked for nothing.

use async_graphql::parser::types::Selection;
use async_graphql::{ID, Name, Value as ConstValue, Variables};
use async_graphql_value::Value;
use uuid::Uuid;

use super::prepare::Prepared;
use super::scalars::uuid;

/// Mutations that lock the stay which `input.roomStayId` names.
const MUTATIONS: [&str; 2] = ["addRoomAccessKey", "removeRoomAccessKey"];

/// The stays that mutations of keys name. None for a single one, which is locked anyway.
pub fn stays<'a>(operations: impl Iterator<Item = &'a Prepared>) -> Vec<Uuid> {
    let mut stays = Vec::new();
    for prepared in operations.filter(|prepared| prepared.mutates) {
        for selection in &prepared.document.operation().selection_set.node.items {
            if let Selection::Field(field) = &selection.node
                && MUTATIONS.contains(&field.node.name.node.as_str())
                && let Some(input) = field.node.get_argument("input")
            {
                stays.extend(stay(&input.node, &prepared.variables));
            }
        }
    }
    stays
}

/// `roomStayId` of an input, which is a variable or has one, as a rule.
fn stay(input: &Value, variables: &Variables) -> Option<Uuid> {
    let given = |name: &Name| variables.get(name);
    let id = match input {
        Value::Object(fields) => match fields.get("roomStayId")? {
            Value::Variable(name) => given(name)?,
            Value::String(id) => return Some(uuid(&ID(id.clone()))),
            _ => return None,
        },
        Value::Variable(name) => match given(name)? {
            ConstValue::Object(fields) => fields.get("roomStayId")?,
            _ => return None,
        },
        _ => return None,
    };
    match id {
        ConstValue::String(id) => Some(uuid(&ID(id.clone()))),
        _ => None,
    }
}
