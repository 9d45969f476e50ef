//! Silence: what PostgreSQL is asked is asked for a limited time.

use std::io;
use std::time::Duration;

use tokio::time::timeout;

/// Longest that a server takes for what costs it nothing: to accept a connection, to say that it is there, to undo.
pub(super) const SIGN_OF_LIFE: Duration = Duration::from_secs(2);

/// The error of whatever was not answered in time.
pub(super) fn silent() -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "PostgreSQL does not answer"))
}

/// Gives up what PostgreSQL does not answer within `patience`.
pub async fn answered_within<T, E: From<sqlx::Error>>(
    patience: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    timeout(patience, work).await.unwrap_or_else(|_| Err(silent().into()))
}
