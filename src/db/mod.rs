//! Connections, migrations and the unit of work.

pub mod embedded;
mod filter;
mod page;
mod tx;

use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgPool};

pub use filter::{Condition, Filter};
pub use page::{Extent, ExtentRequest, Page, PageRequest};
pub(crate) use page::{by_ordinal, extent, push_id_page};
pub use tx::Tx;

/// All migrations, embedded in the binary.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// Longest that one statement of a request may take; below the request's deadline of 5 s.
const STATEMENT_TIMEOUT: &str = "4s";
/// Longest that a request waits for a lock that another one holds.
const LOCK_TIMEOUT: &str = "3s";
/// Longest that a request waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection that was idle for longer is asked whether it still is one. PostgreSQL is never back so soon, so a request
/// meets no connection from before its restart; and where there is load, no connection is idle for so long.
const IDLE_UNCHECKED: Duration = Duration::from_millis(100);

/// Connections for what runs beside the requests.
const WORKER_CONNECTIONS: u32 = 4;
/// Longest that a worker waits for one of them.
const WORKER_ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);

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
        // It would be a ping per request.
        .test_before_acquire(false)
        .before_acquire(|conn, idle| {
            Box::pin(async move { Ok(idle.idle_for < IDLE_UNCHECKED || conn.ping().await.is_ok()) })
        })
        .connect_with(options)
        .await
}

/// A few connections of their own for what runs beside the requests: work in bulk may take longer than a request, and does
/// not take connections from requests.
pub fn for_workers(requests: &PgPool) -> PgPool {
    let options = requests.connect_options().as_ref().clone().application_name("latchkey workers").options([
        ("statement_timeout", "60s"),
        ("lock_timeout", "10s"),
        ("idle_in_transaction_session_timeout", "60s"),
    ]);
    PgPoolOptions::new()
        .max_connections(WORKER_CONNECTIONS)
        .acquire_timeout(WORKER_ACQUIRE_TIMEOUT)
        .connect_lazy_with(options)
}

/// Brings the database to the schema of this binary. Safe to run from several processes at once.
pub async fn migrate(pool: &PgPool) -> Result<(), sqlx::migrate::MigrateError> {
    MIGRATOR.run(pool).await
}
