//! The answer to one operation, in the form that the GraphQL specification gives it.

use async_graphql::{PathSegment as ResponseSegment, Pos, Value};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, json};

use crate::error::{Error, ErrorCode};

/// One entry of `errors`.
#[derive(Clone, Debug)]
pub struct GraphQlError {
    /// What went wrong, for people.
    pub message: String,
    /// Row of the table of error codes.
    pub code: ErrorCode,
    /// Where in the document.
    pub locations: Vec<Pos>,
    /// Which field of the answer.
    pub path: Vec<ResponseSegment>,
    /// Which argument (3RPMS `argumentPath`).
    pub argument_path: Vec<crate::error::PathSegment>,
}

/// `data`, `errors` and `extensions` of one operation.
#[derive(Clone, Debug, Default)]
pub struct GraphQlResponse {
    /// `None` when the operation was refused before it ran: the answer then has no `data` entry.
    pub data: Option<Value>,
    /// Empty when all went well.
    pub errors: Vec<GraphQlError>,
    /// Only what is worth saying.
    pub extensions: Map<String, serde_json::Value>,
}

impl GraphQlResponse {
    /// The answer to an operation that was refused before it ran.
    pub fn refused(error: impl Into<GraphQlError>) -> Self {
        Self { errors: vec![error.into()], ..Self::default() }
    }

    /// Whether the operation was refused before it ran.
    pub fn is_request_error(&self) -> bool {
        self.data.is_none()
    }
}

impl From<Error> for GraphQlError {
    fn from(error: Error) -> Self {
        Self {
            message: error.message.into_owned(),
            code: error.code,
            locations: Vec::new(),
            path: Vec::new(),
            argument_path: error.argument_path,
        }
    }
}

impl Serialize for GraphQlError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("message", &self.message)?;
        if !self.locations.is_empty() {
            map.serialize_entry("locations", &self.locations)?;
        }
        if !self.path.is_empty() {
            map.serialize_entry("path", &self.path)?;
        }
        let spec = self.code.spec();
        let mut extensions = json!({ "code": spec.wire });
        if let Some(category) = spec.category {
            extensions["category"] = json!(category);
        }
        if !self.argument_path.is_empty() {
            extensions["argumentPath"] = json!(self.argument_path);
        }
        map.serialize_entry("extensions", &extensions)?;
        map.end()
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
