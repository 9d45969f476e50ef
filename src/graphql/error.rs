//! Errors: from a refusal to an entry of `errors`.

use std::sync::Arc;

use async_graphql::{Name, PathSegment as ResponseSegment, Pos, ServerError};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::json;

use crate::error::{Error, ErrorCode};

/// What a resolver answers. The derive macros of the library expand the names `Result` and `FieldResult` in another way, into code
/// that lints refuse.
pub type Resolved<T> = Result<T, Refusal>;

/// What a resolver answers instead of its value.
///
/// It has no `Display`, so nothing becomes one but [`Error`], whose message is safe to show.
#[derive(Clone)]
pub struct Refusal(Arc<Error>);

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(Arc::new(error))
    }
}

impl From<Refusal> for async_graphql::Error {
    fn from(Refusal(error): Refusal) -> Self {
        // The executor finds the error again behind the source, and encodes it.
        Self { message: error.message.english(), source: Some(error), extensions: None }
    }
}

/// Places an error of an act in its argument `input`.
pub trait InInput<T> {
    /// Puts the argument path, if there is one, below `input`.
    fn in_input(self) -> Resolved<T>;
}

impl<T> InInput<T> for crate::error::Result<T> {
    fn in_input(self) -> Resolved<T> {
        self.map_err(|error| {
            let of_an_argument = error.code == ErrorCode::InvalidArgument || !error.argument_path.is_empty();
            Refusal::from(if of_an_argument { error.at("input") } else { error })
        })
    }
}

/// A value that the plan of the request has read ahead.
///
/// # Errors
/// `INTERNAL` when it has not: a fault of the plan, never to be mistaken for a missing value.
pub fn read_ahead<T>(value: Option<T>) -> Resolved<T> {
    value.ok_or_else(|| Refusal::from(Error::internal("a selected field was not read ahead")))
}

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

impl GraphQlError {
    pub(super) fn of(error: &Error) -> Self {
        Self {
            message: error.message.english(),
            code: error.code,
            locations: Vec::new(),
            path: Vec::new(),
            argument_path: error.argument_path.clone(),
        }
    }

    /// An error of the executor: one of ours that a resolver answered, or one of its own, from validating the document or
    /// from reading the arguments of a field that it `ran`.
    pub(super) fn of_server(error: ServerError, ran: bool) -> Self {
        let known = match error.source::<Error>() {
            Some(known) => Self::of(known),
            None => Self {
                message: error.message,
                code: if ran { ErrorCode::InvalidArgument } else { ErrorCode::ValidationFailed },
                locations: Vec::new(),
                path: Vec::new(),
                argument_path: Vec::new(),
            },
        };
        Self { locations: error.locations, path: error.path, ..known }
    }

    /// Whether it is the reason why a root field has no value.
    pub(super) fn concerns(&self, key: &Name) -> bool {
        matches!(self.path.first(), Some(ResponseSegment::Field(name)) if name == key.as_str())
    }
}

impl From<Error> for GraphQlError {
    fn from(error: Error) -> Self {
        Self::of(&error)
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
        if let Some(title) = self.code.title() {
            extensions["title"] = json!(title);
        }
        if !self.argument_path.is_empty() {
            extensions["argumentPath"] = json!(self.argument_path);
        }
        map.serialize_entry("extensions", &extensions)?;
        map.end()
    }
}
