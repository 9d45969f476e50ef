//! The answer to one operation, in the form that the GraphQL specification gives it.

use async_graphql::indexmap::IndexMap;
use async_graphql::{Response, Value};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::Map;
use serde_json::value::RawValue;

use super::error::GraphQlError;
use super::prepare::Prepared;
use super::presence;

/// What an operation answered.
#[derive(Clone, Debug)]
pub enum Data {
    /// By the executor.
    Value(Value),
    /// By the fast path.
    Json(Box<RawValue>),
}

/// `data`, `errors` and `extensions` of one operation.
#[derive(Clone, Debug, Default)]
pub struct GraphQlResponse {
    /// `None` when the operation was refused before it ran: the answer then has no `data` entry.
    pub data: Option<Data>,
    /// Empty when all went well.
    pub errors: Vec<GraphQlError>,
    /// Only what is worth saying.
    pub extensions: Map<String, serde_json::Value>,
}

impl GraphQlResponse {
    /// The answer to an operation that was refused before it ran.
    pub fn refused(error: impl Into<GraphQlError>) -> Self {
        Self::refused_for(vec![error.into()])
    }

    /// The answer to an operation that was refused for several reasons before it ran.
    pub(super) fn refused_for(errors: Vec<GraphQlError>) -> Self {
        Self { errors, ..Self::default() }
    }

    /// The answer to an operation that ran, or could have, to nothing but an error.
    pub fn failed(error: impl Into<GraphQlError>) -> Self {
        Self { data: Some(Data::Value(Value::Null)), ..Self::refused(error) }
    }

    /// An answer without errors whose data is JSON already.
    pub(super) fn of_json(data: Box<RawValue>) -> Self {
        Self { data: Some(Data::Json(data)), ..Self::default() }
    }

    /// The answer of the executor.
    ///
    /// It leaves the keys of the root in the order in which they were ready, and leaves out those that failed; the
    /// specification wants the order of the selection, and `null`.
    pub(super) fn of(response: Response, prepared: &Prepared) -> Self {
        let ran = !response.errors.iter().any(|error| error.path.is_empty());
        let mut errors: Vec<GraphQlError> =
            response.errors.into_iter().map(|error| GraphQlError::of_server(error, ran)).collect();
        if !ran {
            return Self { errors, ..Self::default() };
        }
        let mut values = match response.data {
            Value::Object(values) => values,
            _ => IndexMap::new(),
        };
        let mut data = IndexMap::new();
        let keys = &prepared.document.response_keys;
        for key in keys {
            if let Some(mut value) = values.swap_remove(key) {
                if prepared.document.marked {
                    presence::unmark(&mut value);
                }
                data.insert(key.clone(), value);
            } else if errors.iter().any(|error| error.concerns(key)) {
                data.insert(key.clone(), Value::Null);
            }
        }
        let position = |error: &GraphQlError| keys.iter().position(|key| error.concerns(key));
        errors.sort_by_cached_key(position);
        Self { data: Some(Data::Value(Value::Object(data))), errors, extensions: Map::new() }
    }

    /// Whether there is anything in the answer but errors: a root field that has a value, of an operation that was not undone.
    pub fn is_of_use(&self) -> bool {
        let has_values = match &self.data {
            None | Some(Data::Value(Value::Null)) => false,
            Some(Data::Value(Value::Object(roots))) => {
                self.errors.is_empty() || roots.values().any(|root| *root != Value::Null)
            }
            Some(Data::Value(_) | Data::Json(_)) => true,
        };
        has_values && !self.extensions.contains_key("rolledBack")
    }

    /// Whether the operation was refused before it ran.
    pub fn is_request_error(&self) -> bool {
        self.data.is_none()
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Json(json) => json.serialize(serializer),
        }
    }
}

impl Serialize for GraphQlResponse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.errors.is_empty() {
            map.serialize_entry("errors", &self.errors)?;
        }
        if let Some(data) = &self.data {
            map.serialize_entry("data", data)?;
        }
        if !self.extensions.is_empty() {
            map.serialize_entry("extensions", &self.extensions)?;
        }
        map.end()
    }
}
