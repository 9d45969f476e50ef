//! Parameters of a request, as Seam's SDKs write them: in the query of a GET or DELETE, else in a body.

use std::borrow::Cow;

use serde::de::{DeserializeOwned, Deserializer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use serde_path_to_error::Segment;
use url::form_urlencoded;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::Filter;
use crate::error::{Error, Message, PathSegment, Result};
use crate::locks::{Reference, split};

/// Says that a query is written strictly, as every one is read.
const STRICT: &str = "_strict";

/// The parameters of a request.
pub enum Parameters {
    /// Those of a query, without those that say nothing.
    Query(String),
    /// Those of a body.
    Body(Map<String, Value>),
}

impl Parameters {
    /// Those of a query. A list repeats its name; an empty value is null, or a list without values, and so is left out.
    pub fn of_query(query: &str) -> Self {
        let pairs = form_urlencoded::parse(query.as_bytes());
        let said = pairs.filter(|(name, value)| name != STRICT && !value.is_empty());
        Self::Query(form_urlencoded::Serializer::new(String::new()).extend_pairs(said).finish())
    }

    /// Those of a body. One without a byte has none.
    ///
    /// # Errors
    /// `BAD_REQUEST` for what is no object in JSON.
    pub fn of_body(body: &[u8]) -> Result<Self> {
        if body.is_empty() {
            return Ok(Self::Body(Map::new()));
        }
        match serde_json::from_slice(body).map_err(|_| Error::new(Message::BodyNotJson))? {
            Value::Object(object) => Ok(Self::Body(object)),
            _ => Err(Error::new(Message::BodyNotAnObject)),
        }
    }

    /// The value of a parameter, or of one of its list, as it was sent.
    pub fn value(&self, name: &str, index: usize) -> Option<Cow<'_, str>> {
        match self {
            Self::Query(query) => {
                let mut pairs = form_urlencoded::parse(query.as_bytes()).filter(|(found, _)| found == name);
                pairs.nth(index).map(|(_, value)| value)
            }
            Self::Body(object) => match object.get(name)? {
                Value::String(text) => Some(Cow::Borrowed(text)),
                Value::Array(list) => list.get(index)?.as_str().map(Cow::Borrowed),
                _ => None,
            },
        }
    }

    /// Reads them.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` at the parameter at fault.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T> {
        match self {
            Self::Query(query) => {
                let deserializer = serde_html_form::Deserializer::from_bytes(query.as_bytes());
                serde_path_to_error::deserialize(deserializer).map_err(invalid)
            }
            Self::Body(object) => serde_path_to_error::deserialize(object.clone()).map_err(invalid),
        }
    }
}

fn invalid(error: serde_path_to_error::Error<impl std::error::Error>) -> Error {
    let mut path: Vec<PathSegment> = error
        .path()
        .iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(PathSegment::Index(*index)),
            Segment::Map { key } => Some(PathSegment::Name(key.clone().into())),
            Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect();
    let reason = error.into_inner().to_string();
    // A parameter that is missing has no place of its own.
    if let Some(name) = reason.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        path.push(PathSegment::Name(name.to_owned().into()));
    }
    Error { argument_path: path, ..Error::new(Message::ParameterInvalid { reason }) }
}

/// The name of a record: its id, or its key.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize, ToSchema)]
#[serde(from = "String", into = "String")]
#[schema(value_type = String)]
pub(super) struct Named(pub(super) Reference);

impl From<String> for Named {
    fn from(text: String) -> Self {
        Self(Reference::parse(&text))
    }
}

impl From<Named> for String {
    fn from(Named(reference): Named) -> Self {
        match reference {
            Reference::Id(id) => id.to_string(),
            Reference::Key(key) => key,
        }
    }
}

/// The references of a list.
pub(super) fn references(names: &[Named]) -> Vec<Reference> {
    names.iter().map(|Named(reference)| reference.clone()).collect()
}

/// The filter of the records that are named.
pub(super) fn one_of<F>(
    names: &[Named],
    of_ids: impl Fn(Vec<Uuid>) -> F,
    of_keys: impl Fn(Vec<String>) -> F,
) -> Filter<F> {
    let (ids, keys) = split(&references(names));
    Filter::Any(vec![Filter::Field(of_ids(ids)), Filter::Field(of_keys(keys))])
}

/// Tells a parameter that is null from one that is not there.
pub(super) fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// What names a record by its id or, in another parameter, by its key. `names`: both of them.
///
/// # Errors
/// `INVALID_ARGUMENT` at the id unless exactly one of them is there.
pub(super) fn either(id: Option<&Named>, key: Option<&Named>, names: &'static str) -> Result<Reference> {
    match (id, key) {
        (Some(Named(one)), None) | (None, Some(Named(one))) => Ok(one.clone()),
        _ => Err(Error::new(Message::OneNeeded { names }).at("id")),
    }
}
