//! Parameters of a request, as Seam's SDKs write them: in the query of a GET or DELETE, else in a body.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer as _, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use serde_path_to_error::Segment;
use url::form_urlencoded;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::Filter;
use crate::error::{Error, Message, PathSegment, Result, ScalarForm};
use crate::locks::{Reference, split};

/// Says that a query is written strictly, as every one is read.
const STRICT: &str = "_strict";

/// The parameters of a request.
pub enum Parameters {
    /// Those of a query.
    Query(String),
    /// Those of a body.
    Body(Map<String, Value>),
}

impl Parameters {
    /// Those of a query. A list repeats its name; an empty value is that of null, of an empty text and of an empty list.
    pub fn of_query(query: &str) -> Self {
        let pairs = form_urlencoded::parse(query.as_bytes());
        let said = pairs.filter(|(name, _)| name != STRICT && !name.is_empty());
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
        if let Some(name) = self.with_null() {
            return Err(Error::new(Message::TextHasNull).at(PathSegment::Name(name.into())));
        }
        match self {
            Self::Query(query) => {
                let deserializer = serde_html_form::Deserializer::from_bytes(query.as_bytes());
                serde_path_to_error::deserialize(deserializer).map_err(invalid)
            }
            Self::Body(object) => {
                if let Some((name, _)) = object.iter().find(|(_, value)| **value == json!([""])) {
                    return Err(Error::new(Message::EmptyName).at(0).at(PathSegment::Name(name.clone().into())));
                }
                serde_path_to_error::deserialize(object.clone()).map_err(invalid)
            }
        }
    }

    /// The first parameter with a text that has U+0000, which the database does not keep.
    fn with_null(&self) -> Option<String> {
        fn has_null(value: &Value) -> bool {
            match value {
                Value::String(text) => text.contains('\0'),
                Value::Array(list) => list.iter().any(has_null),
                Value::Object(object) => object.values().any(has_null),
                _ => false,
            }
        }
        match self {
            Self::Query(query) => {
                let mut pairs = form_urlencoded::parse(query.as_bytes());
                pairs.find(|(_, value)| value.contains('\0')).map(|(name, _)| name.into_owned())
            }
            Self::Body(object) => object.iter().find(|(_, value)| has_null(value)).map(|(name, _)| name.clone()),
        }
    }
}

/// Words of the library that reads parameters, and ours.
const WORDS: [(&str, &str); 10] = [
    ("unknown variant", "unknown value"),
    ("unknown field", "unknown parameter"),
    ("missing field", "missing parameter"),
    ("invalid type: map", "invalid type: object"),
    ("invalid type: sequence", "invalid type: list"),
    ("expected a sequence", "expected a list"),
    ("expected a map", "expected an object"),
    ("expected u32", "expected a whole number"),
    ("unsupported value", "it is there more than once"),
    ("UUID parsing failed: ", "not an id: "),
];

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
    let reason = WORDS.iter().fold(reason, |reason, (word, ours)| reason.replacen(word, ours, 1));
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

/// Reads a list. In a query one without values has one that is empty, which a body has not.
pub(super) fn list<'de, T: DeserializeOwned, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let texts: Vec<String> = Vec::deserialize(deserializer)?;
    if texts == [""] {
        return Ok(Vec::new());
    }
    let read = |text: String| {
        T::deserialize(text.into_deserializer()).map_err(|error: serde::de::value::Error| D::Error::custom(error))
    };
    texts.into_iter().map(read).collect()
}

/// Like [`list()`], for one that may be null or not there.
pub(super) fn some_list<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    struct Values<T>(PhantomData<T>);

    impl<'de, T: DeserializeOwned> Visitor<'de> for Values<T> {
        type Value = Option<Vec<T>>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a list")
        }

        fn visit_none<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
            list(deserializer).map(Some)
        }
    }

    deserializer.deserialize_option(Values(PhantomData))
}

/// Reads `limit`.
pub(super) fn limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(u16),
        Text(String),
        Nothing,
    }
    let written = Written::deserialize(deserializer).map_err(|_| D::Error::custom(NOT_A_LIMIT))?;
    match written {
        Written::Number(number) => Ok(Some(number)),
        Written::Text(text) if text.is_empty() => Ok(None),
        Written::Text(text) => text.parse().map(Some).map_err(|_| D::Error::custom(NOT_A_LIMIT)),
        Written::Nothing => Ok(None),
    }
}

const NOT_A_LIMIT: &str = "a whole number from 1 to 1000 is expected";

/// Reads an instant.
pub(super) fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let instant = DateTime::parse_from_rfc3339(&text).map_err(|_| D::Error::custom(ScalarForm::Datetime.english()))?;
    Ok(instant.to_utc())
}

/// Like [`instant()`], for one that may be null or not there.
pub(super) fn some_instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    #[derive(Deserialize)]
    struct Read(#[serde(deserialize_with = "instant")] DateTime<Utc>);
    Ok(Option::<Read>::deserialize(deserializer)?.map(|Read(instant)| instant))
}

/// Like [`instant()`], for one of which null means something.
pub(super) fn nullable_instant<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<DateTime<Utc>>>, D::Error> {
    some_instant(deserializer).map(Some)
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
