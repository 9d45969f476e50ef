//! Errors of the database, and what they mean to the caller: the one table of SQLSTATEs.

use super::{Error, ErrorCode, Message};

/// What became of a statement that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// Rolled back for the sake of another transaction; a fresh attempt can succeed at once.
    Conflict,
    /// The database is busy, full, read-only or on its way down; the same request can succeed later.
    Passing,
    /// The database cannot be reached at all: its connections are gone, and new ones are refused.
    Away,
    /// A text holds what PostgreSQL cannot store.
    Text,
    /// Nothing that a statement of ours should meet.
    Fault,
}

/// SQLSTATEs, or classes of them by their first two characters. The first entry that a state begins with counts; a state
/// without an entry is a fault.
const STATES: [(&str, Meaning); 12] = [
    ("40001", Meaning::Conflict), // serialization_failure
    ("40P01", Meaning::Conflict), // deadlock_detected
    ("22021", Meaning::Text),     // character_not_in_repertoire: U+0000
    ("08", Meaning::Away),        // connection exceptions
    ("25006", Meaning::Passing),  // read_only_sql_transaction: a standby, or a server that was made read-only
    ("25P03", Meaning::Passing),  // idle_in_transaction_session_timeout
    ("53", Meaning::Passing),     // insufficient resources: disk_full, out_of_memory, too_many_connections
    ("55P03", Meaning::Passing),  // lock_not_available
    ("57014", Meaning::Passing),  // query_canceled: the time of a statement is over
    ("57P05", Meaning::Passing),  // idle_session_timeout
    ("57", Meaning::Away),        // operator intervention: shutdown, crash, start
    ("58030", Meaning::Passing),  // io_error: the disk of the database does not answer
];

/// How the driver begins to say that a connection ended before PostgreSQL had answered whether it speaks TLS: it takes the end for
/// a byte.
const ENDED_AT_ONCE: &str = "unexpected response from SSLRequest: 0x00";

fn meaning(error: &sqlx::Error) -> Meaning {
    match error {
        sqlx::Error::Database(error) => {
            let state = error.code().unwrap_or_default();
            let entry = STATES.iter().find(|(prefix, _)| state.starts_with(prefix));
            entry.map_or(Meaning::Fault, |(_, meaning)| *meaning)
        }
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) => Meaning::Away,
        sqlx::Error::Protocol(said) if said.starts_with(ENDED_AT_ONCE) => Meaning::Away,
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => Meaning::Passing,
        _ => Meaning::Fault,
    }
}

/// Whether an error says that the database cannot be reached: nothing that was asked, but the way to it, is at fault.
pub fn is_away(error: &sqlx::Error) -> bool {
    meaning(error) == Meaning::Away
}

/// Whether an error in connecting means that the database is away. The server was PostgreSQL before: what answers in its place
/// with another protocol is not it.
pub fn is_away_in_connecting(error: &sqlx::Error) -> bool {
    is_away(error) || matches!(error, sqlx::Error::Protocol(_))
}

/// Whether the same can succeed later without being changed.
pub fn is_passing(error: &sqlx::Error) -> bool {
    matches!(meaning(error), Meaning::Conflict | Meaning::Passing | Meaning::Away)
}

impl Error {
    /// Whether it comes from a database that cannot be reached.
    pub fn is_of_outage(&self) -> bool {
        let cause = self.source.as_deref().and_then(|source| source.downcast_ref());
        cause.is_some_and(is_away)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let meaning = meaning(&error);
        let base = match meaning {
            Meaning::Text => return Self::new(Message::TextHasNull),
            Meaning::Conflict | Meaning::Passing | Meaning::Away => Self::of(ErrorCode::Unavailable),
            Meaning::Fault => Self::new(Message::Internal),
        };
        Self { source: Some(Box::new(error)), retry: meaning == Meaning::Conflict, ..base }
    }
}

/// Name of the constraint that a statement ran into, if it ran into one.
pub fn violated_constraint(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error().and_then(sqlx::error::DatabaseError::constraint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_says_nothing_is_away_and_whoever_speaks_otherwise_is_no_postgresql() {
        let said = |byte| {
            let text = format!("unexpected response from SSLRequest: {byte} (sqlx_postgres::connection::tls:95)");
            sqlx::Error::Protocol(text)
        };
        let (nothing, http) = (said("0x00"), said("0x48"));
        assert!(is_away(&nothing) && is_passing(&nothing) && Error::from(nothing).is_of_outage());
        // A start does not wait for what no waiting mends; a server that runs does.
        assert!(!is_passing(&http) && is_away_in_connecting(&http));
        assert_eq!(Error::from(http).code, ErrorCode::Internal);
    }
}
