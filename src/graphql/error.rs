//! GraphQL errors: from a refusal to an entry of `errors`.

use std::sync::Arc;

use crate::error::{Error, ErrorCode};

/// Result of a resolver.
pub type Outcome<T> = Result<T, Refusal>;

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
        Self { message: error.message.to_string(), source: Some(error), extensions: None }
    }
}

/// Places an error of an act in its argument `input`.
pub trait InInput<T> {
    /// Puts the argument path, if there is one, below `input`.
    fn in_input(self) -> Outcome<T>;
}

impl<T> InInput<T> for crate::error::Result<T> {
    fn in_input(self) -> Outcome<T> {
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
pub fn read_ahead<T>(value: Option<T>) -> Outcome<T> {
    value.ok_or_else(|| Refusal::from(Error::internal("a selected field was not read ahead")))
}
