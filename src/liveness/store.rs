//! The locks by which processes show that they live. The first half of a lock's name is ours, the second the process's.

use sqlx::{PgConnection, query, query_scalar};

use crate::error::Result;

/// Takes the lock of a process until the connection ends. Shared: a connection that PostgreSQL does not yet know to be dead may have
/// it, too.
pub(super) async fn lock(conn: &mut PgConnection, own: i32) -> Result<()> {
    query!("SELECT pg_advisory_lock_shared(hashtext('latchkey liveness'), $1)", own).fetch_one(conn).await?;
    Ok(())
}

/// Numbers of the processes whose locks are taken.
pub(super) async fn locked(conn: &mut PgConnection) -> Result<Vec<i32>> {
    // The catalogue shows both halves without their sign.
    let held = query_scalar!(
        r#"SELECT DISTINCT l.objid::bigint::bit(32)::integer AS "number!" FROM pg_locks l
           WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted
                 AND l.classid::bigint::bit(32)::integer = hashtext('latchkey liveness')
                 AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())"#
    )
    .fetch_all(conn)
    .await?;
    Ok(held)
}
