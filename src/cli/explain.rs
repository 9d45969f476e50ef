//! Explanations of faults: what is wrong, where, and what to do about it.

use std::error::Error as StdError;
use std::fmt::Display;

use sqlx::migrate::MigrateError;
use sqlx::postgres::PgConnectOptions;

use super::Failure;
use crate::app::App;
use crate::error::{Error, ErrorCode, is_passing};
use crate::hotel_settings;
use crate::hotels::Hotel;

/// Advice where nobody answers.
const NOBODY: &str = "is PostgreSQL running there, and are host and port right?";

/// The hotel with that slug, as a command names it.
pub(super) async fn hotel(app: &App, slug: &str) -> Result<Hotel, Failure> {
    hotel_settings::get_by_slug(app, slug).await.map_err(|error| no_such(error, || no_hotel(slug)))
}

/// What a command says of a slug that no hotel has.
pub(super) fn no_hotel(slug: &str) -> String {
    format!("there is no hotel {slug:?}: `latchkey hotel list` shows them, `latchkey hotel create` makes one")
}

/// Another sentence for a record that is not there.
pub(super) fn no_such(error: Error, sentence: impl FnOnce() -> String) -> Failure {
    match error.code {
        ErrorCode::NotFound => Failure::Other(sentence()),
        _ => error.into(),
    }
}

/// Why a server could not be reached with the URL in `setting`. Never says the password.
pub(super) fn unreachable(error: &sqlx::Error, options: &PgConnectOptions, setting: impl Display) -> Failure {
    let place = match options.get_socket() {
        Some(socket) => format!("the socket {}", socket.display()),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    let user = options.get_username();
    let database = options.get_database().unwrap_or(user);
    let state = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    let advice = match (error, state.as_deref()) {
        (sqlx::Error::Io(_), _) => NOBODY.to_owned(),
        (sqlx::Error::Protocol(_), _) if is_passing(error) => NOBODY.to_owned(),
        (sqlx::Error::Tls(_), _) => "does the server speak TLS, and is the sslmode of the URL right?".to_owned(),
        (_, Some("28P01" | "28000")) => {
            format!("are user {user:?} and password right, and does pg_hba.conf let them in?")
        }
        (_, Some("3D000")) => {
            format!("make it, as its owner: CREATE DATABASE {database:?} ENCODING 'UTF8' TEMPLATE template0")
        }
        (_, Some("42501")) => format!("give the user the right: GRANT CONNECT ON DATABASE {database:?} TO {user:?}"),
        (_, Some("53300")) => {
            "all connections that the server has are taken: end some, or raise its max_connections".to_owned()
        }
        _ => "is it the URL of a PostgreSQL server?".to_owned(),
    };
    Failure::Other(format!("the database cannot be used: {place}: {}; {advice} (set by {setting})", chain(error)))
}

/// Why the database could not be brought to this version's schema by `user`.
pub(super) fn not_migrated(error: &MigrateError, user: &str) -> Failure {
    let state = match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.as_database_error(),
        _ => None,
    };
    let advice = match state.and_then(sqlx::error::DatabaseError::code).as_deref() {
        Some("42501") => {
            format!("; the user has to own the database and be allowed to make roles: ALTER ROLE {user:?} CREATEROLE")
        }
        _ => String::new(),
    };
    Failure::Other(format!("the database cannot be migrated: {}{advice}", chain(error)))
}

/// An error and what caused it, each cause once although some errors repeat theirs.
pub(super) fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = String::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        let (sentence, last) = sentence(error);
        if !text.contains(&sentence) {
            text = if text.is_empty() { sentence } else { format!("{text}: {sentence}") };
        }
        cause = error.source().filter(|_| !last);
    }
    text
}

/// What an error says of itself, and whether that is all there is to say.
fn sentence(error: &(dyn StdError + 'static)) -> (String, bool) {
    // The library adds the place in PostgreSQL's own source, which reads like a place in ours.
    if let Some(sqlx::Error::Database(error)) = error.downcast_ref() {
        return (error.message().to_owned(), true);
    }
    if let Some(error @ sqlx::Error::Protocol(_)) = error.downcast_ref()
        && is_passing(error)
    {
        return ("the connection was closed at once".to_owned(), true);
    }
    if let Some(sqlx::Error::Io(error)) = error.downcast_ref() {
        return (error.to_string(), true);
    }
    match error.downcast_ref() {
        Some(MigrateError::ExecuteMigration(_, number)) => (format!("migration {number}"), false),
        Some(MigrateError::Execute(cause)) => (chain(cause), true),
        _ => (error.to_string(), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_not_there_is_told_with_its_place_and_without_the_password() {
        let options: PgConnectOptions = "postgres://hotel:geheim@db.example:5433/stays".parse().expect("a URL");
        let refused = sqlx::Error::Io(std::io::ErrorKind::ConnectionRefused.into());
        assert_eq!(
            unreachable(&refused, &options, "DATABASE_URL (--database-url)").to_string(),
            "the database cannot be used: db.example:5433: connection refused; is PostgreSQL running there, and are host and \
             port right? (set by DATABASE_URL (--database-url))"
        );
    }

    #[test]
    fn causes_are_told_once() {
        let cause = sqlx::Error::Configuration("no such host".into());
        assert_eq!(chain(&cause), "error with configuration: no such host");
        let io = sqlx::Error::Io(std::io::ErrorKind::BrokenPipe.into());
        assert_eq!(chain(&MigrateError::ExecuteMigration(io, 7)), "migration 7: broken pipe");
    }
}
