//! Sizes of arguments: what their values come to.

use async_graphql::Value as ConstValue;

/// What a value costs beside its text.
const BYTES_PER_VALUE: u64 = 16;

/// What an argument's value comes to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Input {
    pub(super) bytes: u64,
    /// Lists and objects inside each other.
    pub(super) depth: u64,
}

impl Input {
    pub(super) fn leaf(text: &str) -> Self {
        Self { bytes: BYTES_PER_VALUE.saturating_add(text.len() as u64), depth: 0 }
    }

    pub(super) fn container(parts: impl Iterator<Item = Self>) -> Self {
        parts.fold(Self { bytes: BYTES_PER_VALUE, depth: 1 }, |sum, part| Self {
            bytes: sum.bytes.saturating_add(part.bytes),
            depth: sum.depth.max(part.depth.saturating_add(1)),
        })
    }

    /// The entry of an object under `key`.
    pub(super) fn under(self, key: &str) -> Self {
        Self { bytes: self.bytes.saturating_add(key.len() as u64), ..self }
    }

    pub(super) fn of_const(value: &ConstValue) -> Self {
        match value {
            ConstValue::String(text) => Self::leaf(text),
            ConstValue::Enum(name) => Self::leaf(name),
            ConstValue::List(items) => Self::container(items.iter().map(Self::of_const)),
            ConstValue::Object(entries) => {
                Self::container(entries.iter().map(|(key, value)| Self::of_const(value).under(key)))
            }
            ConstValue::Binary(bytes) => Self { bytes: BYTES_PER_VALUE.saturating_add(bytes.len() as u64), depth: 0 },
            ConstValue::Null | ConstValue::Number(_) | ConstValue::Boolean(_) => Self::leaf(""),
        }
    }
}
