//! Changes by inputs: a member that is absent leaves its value as it is, `null` takes it away.

use async_graphql::{InputType, MaybeUndefined};

use crate::error::{Error, Result};

/// A new value for what cannot be taken away.
///
/// # Errors
/// `INVALID_ARGUMENT` for `null`
pub fn irremovable<T: InputType>(value: MaybeUndefined<T>, name: &'static str) -> Result<Option<T>> {
    match value {
        MaybeUndefined::Undefined => Ok(None),
        MaybeUndefined::Null => {
            Err(Error::invalid(format!("{name} cannot be taken away: leave it out to keep it")).at(name))
        }
        MaybeUndefined::Value(value) => Ok(Some(value)),
    }
}
