//! Connections, migrations and the unit of work.

pub mod embedded;
mod filter;
mod page;
mod pool;
pub mod roles;
mod tx;

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, query_scalar};

pub use filter::{Condition, Filter};
pub use page::{Extent, ExtentRequest, Page, PageRequest};
pub(crate) use page::{by_ordinal, extent, extent_from_row, push_extent, push_id_page};
pub use pool::{RequestPool, for_workers};
pub use tx::Tx;

/// All migrations, embedded in the binary. What a newer binary has migrated is no hindrance: while a service is upgraded,
/// both run.
pub static MIGRATOR: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = sqlx::migrate!();
    migrator.set_ignore_missing(true);
    migrator
});

/// Brings the database to the schema of this binary. Safe to run from several processes at once.
pub async fn migrate(conn: &mut PgConnection) -> Result<(), MigrateError> {
    MIGRATOR.run(conn).await
}

/// Has PostgreSQL end a statement of this transaction that takes longer.
pub async fn limit_statements(conn: &mut PgConnection, time: Duration) -> sqlx::Result<()> {
    let milliseconds = format!("{}ms", time.as_millis());
    query_scalar!("SELECT set_config('statement_timeout', $1, true)", milliseconds).fetch_one(conn).await?;
    Ok(())
}

/// Whether the user of a connection may change the schema.
pub async fn may_migrate(conn: &mut PgConnection) -> sqlx::Result<bool> {
    query_scalar!(r#"SELECT has_schema_privilege('public', 'CREATE') AS "may!""#).fetch_one(conn).await
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
