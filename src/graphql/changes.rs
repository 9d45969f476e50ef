//! Changes by inputs: a member that is absent leaves its value as it is, `null` takes it away.

use async_graphql::{InputType, MaybeUndefined};

use crate::error::{Error, Message, Result};

/// A new value for what cannot be taken away.
///
/// # Errors
/// `INVALID_ARGUMENT` for `null`
pub fn irremovable<T: InputType>(value: MaybeUndefined<T>, name: &'static str) -> Result<Option<T>> {
    match value {
        MaybeUndefined::Undefined => Ok(None),
        MaybeUndefined::Null => Err(Error::new(Message::CannotBeTakenAway { name }).at(name)),
        MaybeUndefined::Value(value) => Ok(Some(value)),
    }
}
