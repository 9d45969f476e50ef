//! References: how clients name a record, by its id or by the key that they gave it.

use uuid::Uuid;

use crate::error::{Error, Message, Result};

/// Longest key, in characters.
pub const KEY_MAX: usize = 200;

/// The name of a record: its id, or its key. No key has the form of an id, so a text is one or the other.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// Its id.
    Id(Uuid),
    /// Its key.
    Key(String),
}

impl Reference {
    /// Reads a text of a client. Whatever is no id is a key, if only of nothing: PostgreSQL has no U+0000 in texts, so one with
    /// it becomes another text that is no key.
    pub fn parse(text: &str) -> Self {
        Uuid::try_parse(text).map_or_else(|_| Self::Key(text.replace('\0', "\u{1}")), Self::Id)
    }

    /// The id or the key, for statements that look for either.
    pub(crate) fn parts(&self) -> (Option<Uuid>, Option<&str>) {
        match self {
            Self::Id(id) => (Some(*id), None),
            Self::Key(key) => (None, Some(key)),
        }
    }

    /// Whether it names the record with this id and this key.
    pub fn names(&self, id: Uuid, key: Option<&str>) -> bool {
        match self {
            Self::Id(named) => *named == id,
            Self::Key(named) => Some(named.as_str()) == key,
        }
    }
}

/// The ids and the keys among references, for statements that look for either.
pub fn split(references: &[Reference]) -> (Vec<Uuid>, Vec<String>) {
    let (mut ids, mut keys) = (Vec::new(), Vec::new());
    for reference in references {
        match reference {
            Reference::Id(id) => ids.push(*id),
            Reference::Key(key) => keys.push(key.clone()),
        }
    }
    (ids, keys)
}

/// Checks a key that a client gives to a record.
///
/// # Errors
/// `INVALID_ARGUMENT` unless it has 1 to [`KEY_MAX`] characters, no control character among them, and is not written like an id.
pub fn checked_key(key: String) -> Result<String> {
    let length = key.chars().count();
    if !(1..=KEY_MAX).contains(&length) || key.chars().any(char::is_control) || Uuid::try_parse(&key).is_ok() {
        return Err(Error::new(Message::KeyOfRecordInvalid { most: KEY_MAX }));
    }
    Ok(key)
}
