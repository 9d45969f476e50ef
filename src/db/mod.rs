//! Connections and migrations, and filters and pages as SQL.

mod connections;
mod cursor;
pub mod embedded;
mod filter;
mod outage;
mod page;
mod pool;
pub mod roles;
mod silence;

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, query, query_scalar};

pub use connections::{IDLE_UNCHECKED, Pool, PooledConnection, Transaction};
pub use cursor::{CursorKey, CursorScope};
pub use filter::{Condition, Filter};
pub use outage::Outage;
pub use page::{ListBounds, ListBoundsRequest, Page, PageRequest};
pub(crate) use page::{bounds, bounds_from_row, by_ordinal, push_bounds, push_id_page};
pub use pool::{PATIENCE, RequestPool, WORKER_PATIENCE, for_workers};
pub use silence::answered_within;

/// All migrations, embedded in the binary. What a newer binary has migrated is no hindrance: while a service is upgraded,
/// both run.
pub static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = sqlx::migrate!();
    migrator.set_ignore_missing(true);
    migrator
});

/// Brings the database to the schema of this binary. Safe to run from several processes at once. An empty database gets all
/// migrations or, when one fails, none.
pub async fn migrate(conn: &mut PgConnection) -> Result<(), MigrateError> {
    let mut first = conn.begin().await?;
    // The second to come finds the table of the first.
    query!("SELECT pg_advisory_xact_lock(hashtextextended('latchkey first migration', 0))")
        .fetch_one(&mut *first)
        .await?;
    if is_empty(&mut first).await? {
        MIGRATOR.run(&mut *first).await?;
        return Ok(first.commit().await?);
    }
    first.rollback().await?;
    MIGRATOR.run(conn).await
}

/// Has PostgreSQL end a statement of this transaction that takes longer.
pub async fn limit_statements(conn: &mut PgConnection, time: Duration) -> sqlx::Result<()> {
    let milliseconds = format!("{}ms", time.as_millis());
    query_scalar!("SELECT set_config('statement_timeout', $1, true)", milliseconds).fetch_one(conn).await?;
    Ok(())
}

/// The oldest PostgreSQL that the statements run on.
const OLDEST_VERSION: i32 = 15;

/// Whether the database of a connection is one that Latchkey can use; else why not, and what to do.
pub async fn check_server(conn: &mut PgConnection) -> sqlx::Result<Result<(), String>> {
    let server = query!(
        r#"SELECT current_setting('server_version_num')::int / 10000 AS "version!", current_database() AS "database!",
                  current_setting('server_encoding') AS "encoding!""#
    )
    .fetch_one(conn)
    .await?;
    if server.version < OLDEST_VERSION {
        let version = server.version;
        return Ok(Err(format!("it is PostgreSQL {version}; use a server of version {OLDEST_VERSION} or newer")));
    }
    if server.encoding != "UTF8" {
        return Ok(Err(format!(
            "{:?} has the encoding {}, in which not every name can be written: use one that was made by CREATE DATABASE ... \
             ENCODING 'UTF8' TEMPLATE template0",
            server.database, server.encoding
        )));
    }
    Ok(Ok(()))
}

/// Whether the user of a connection may change the schema.
pub async fn may_migrate(conn: &mut PgConnection) -> sqlx::Result<bool> {
    query_scalar!(r#"SELECT has_schema_privilege('public', 'CREATE') AS "may!""#).fetch_one(conn).await
}

/// Whether nothing was ever migrated in the database.
pub async fn is_empty(conn: &mut PgConnection) -> sqlx::Result<bool> {
    query_scalar!(r#"SELECT to_regclass('_sqlx_migrations') IS NULL AS "empty!""#).fetch_one(conn).await
}

/// Whether the database has at least the schema of this binary. For the roles of [`roles`].
pub async fn is_migrated(conn: &mut PgConnection) -> sqlx::Result<bool> {
    let applied = match applied_migrations(conn).await {
        // No such table, no such role, or no right to it: nobody has made them yet.
        Err(sqlx::Error::Database(error)) if matches!(error.code().as_deref(), Some("42P01" | "22023" | "42501")) => {
            return Ok(false);
        }
        applied => applied?,
    };
    Ok(MIGRATOR.iter().all(|migration| applied.contains(&migration.version)))
}

async fn applied_migrations(conn: &mut PgConnection) -> sqlx::Result<BTreeSet<i64>> {
    let mut tx = conn.begin().await?;
    sqlx::query(AssertSqlSafe(format!("SET LOCAL ROLE {}", roles::WORKER))).execute(&mut *tx).await?;
    let applied = sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success").fetch_all(&mut *tx).await?;
    Ok(applied.into_iter().collect())
}
