//! The SQL of kept answers. `api_key_id` is the id of the principal, of whatever kind.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, query, query_scalar};

use crate::actor::PrincipalKey;
use crate::hotels::HotelId;

/// Takes an advisory lock until the transaction ends. False when another transaction has it.
pub(super) async fn try_lock(conn: &mut PgConnection, lock: i64) -> sqlx::Result<bool> {
    query_scalar!(r#"SELECT pg_try_advisory_xact_lock($1) AS "held!""#, lock).fetch_one(conn).await
}

/// Waits for an advisory lock and takes it until the transaction ends.
pub(super) async fn wait_for(conn: &mut PgConnection, lock: i64) -> sqlx::Result<()> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(lock).execute(conn).await?;
    Ok(())
}

/// The answer that was kept after `since`.
pub(super) async fn find(
    conn: &mut PgConnection,
    hotel: HotelId,
    owner: PrincipalKey,
    key: &str,
    since: DateTime<Utc>,
) -> sqlx::Result<Option<Vec<u8>>> {
    query_scalar!(
        "SELECT sealed FROM idempotent_answers
         WHERE hotel_id = $1 AND api_key_id = $2 AND idempotency_key = $3 AND created_at > $4 AND principal_kind = $5",
        hotel,
        owner.id,
        key,
        since,
        owner.kind,
    )
    .fetch_optional(conn)
    .await
}

/// Keeps an answer, in place of one that is past its time.
pub(super) async fn write(
    conn: &mut PgConnection,
    hotel: HotelId,
    owner: PrincipalKey,
    key: &str,
    sealed: &[u8],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    query!(
        "INSERT INTO idempotent_answers (hotel_id, api_key_id, idempotency_key, sealed, created_at, principal_kind)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT ON CONSTRAINT idempotent_answers_pkey
         DO UPDATE SET sealed = excluded.sealed, created_at = excluded.created_at",
        hotel,
        owner.id,
        key,
        sealed,
        now,
        owner.kind,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes some of the answers that were kept until an instant.
pub(super) async fn delete_expired(conn: &mut PgConnection, until: DateTime<Utc>, limit: i64) -> sqlx::Result<u64> {
    let done = query!(
        "DELETE FROM idempotent_answers WHERE (hotel_id, api_key_id, idempotency_key) IN (
             SELECT hotel_id, api_key_id, idempotency_key FROM idempotent_answers WHERE created_at <= $1
             ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
        until,
        limit,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
