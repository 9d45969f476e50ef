//! The SQL that moves deliveries after the status of their endpoints. Skips rows that are locked.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, query};

use crate::error::Result;
use crate::webhooks::model::EndpointKey;

/// An endpoint whose deliveries have to be moved.
#[derive(Clone, Copy, Debug)]
pub struct Misplaced {
    /// The endpoint.
    pub endpoint: EndpointKey,
    /// What has to be done.
    pub kind: Kind,
}

/// How deliveries of an endpoint are misplaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The endpoint is enabled and has `HELD` deliveries.
    Resume,
    /// The endpoint is disabled and has `PENDING` deliveries.
    Hold,
    /// The endpoint was deleted.
    Orphan,
}

/// Endpoints whose deliveries have to be moved, at most so many.
///
/// Hops through the indexes from endpoint to endpoint, so that its cost does not depend on how much waits for each.
pub async fn misplaced(conn: &mut PgConnection, most: i64) -> Result<Vec<Misplaced>> {
    let rows = query!(
        r#"WITH RECURSIVE pending AS (
               (SELECT hotel_id, endpoint_id FROM webhook_deliveries WHERE status = 'PENDING'
                ORDER BY hotel_id, endpoint_id LIMIT 1)
               UNION ALL
               SELECT n.hotel_id, n.endpoint_id FROM pending p CROSS JOIN LATERAL (
                   SELECT d.hotel_id, d.endpoint_id FROM webhook_deliveries d
                   WHERE d.status = 'PENDING' AND (d.hotel_id, d.endpoint_id) > (p.hotel_id, p.endpoint_id)
                   ORDER BY d.hotel_id, d.endpoint_id LIMIT 1
               ) n
           ), held AS (
               (SELECT hotel_id, endpoint_id FROM webhook_deliveries WHERE status = 'HELD'
                ORDER BY hotel_id, endpoint_id LIMIT 1)
               UNION ALL
               SELECT n.hotel_id, n.endpoint_id FROM held p CROSS JOIN LATERAL (
                   SELECT d.hotel_id, d.endpoint_id FROM webhook_deliveries d
                   WHERE d.status = 'HELD' AND (d.hotel_id, d.endpoint_id) > (p.hotel_id, p.endpoint_id)
                   ORDER BY d.hotel_id, d.endpoint_id LIMIT 1
               ) n
           ), waiting AS (
               SELECT p.hotel_id, p.endpoint_id, 'ENABLED' AS wanted FROM pending p
               UNION ALL
               SELECT h.hotel_id, h.endpoint_id, 'DISABLED' FROM held h
           )
           SELECT DISTINCT a.hotel_id AS "hotel_id!", a.endpoint_id AS "endpoint_id!", w.status AS "status?"
           FROM waiting a LEFT JOIN webhook_endpoints w ON w.hotel_id = a.hotel_id AND w.id = a.endpoint_id
           WHERE w.status IS DISTINCT FROM a.wanted LIMIT $1"#,
        most,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let kind = match row.status.as_deref() {
                None => Kind::Orphan,
                Some("DISABLED") => Kind::Hold,
                Some(_) => Kind::Resume,
            };
            Misplaced { endpoint: EndpointKey { hotel: row.hotel_id, id: row.endpoint_id }, kind }
        })
        .collect())
}

/// Makes `HELD` deliveries `PENDING`, due now and with a whole schedule before them. Answers how many.
pub async fn resume(
    conn: &mut PgConnection,
    endpoints: &[EndpointKey],
    per_endpoint: i64,
    now: DateTime<Utc>,
) -> Result<u64> {
    let (hotels, ids) = EndpointKey::columns(endpoints);
    let done = query!(
        "WITH picked AS (
             SELECT d.* FROM unnest($1::uuid[], $2::uuid[]) AS e (hotel_id, endpoint_id) CROSS JOIN LATERAL (
                 SELECT p.hotel_id, p.endpoint_id, p.event_position, p.created_at FROM webhook_deliveries p
                 WHERE p.hotel_id = e.hotel_id AND p.endpoint_id = e.endpoint_id AND p.status = 'HELD'
                 ORDER BY p.event_position LIMIT $3 FOR UPDATE SKIP LOCKED
             ) d
         )
         UPDATE webhook_deliveries d
         SET status = 'PENDING', next_attempt_at = $4, failed_attempts = 0, run_began_at = NULL
         FROM picked p
         WHERE d.hotel_id = p.hotel_id AND d.endpoint_id = p.endpoint_id AND d.event_position = p.event_position
               AND d.created_at = p.created_at",
        &hotels[..],
        &ids[..],
        per_endpoint,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Makes `PENDING` deliveries `HELD`, unless one of the `living` has them. Answers how many.
pub async fn hold(
    conn: &mut PgConnection,
    endpoints: &[EndpointKey],
    per_endpoint: i64,
    now: DateTime<Utc>,
    living: Option<&[i32]>,
) -> Result<u64> {
    let (hotels, ids) = EndpointKey::columns(endpoints);
    let done = query!(
        "WITH picked AS (
             SELECT d.* FROM unnest($1::uuid[], $2::uuid[]) AS e (hotel_id, endpoint_id) CROSS JOIN LATERAL (
                 SELECT p.hotel_id, p.endpoint_id, p.event_position, p.created_at FROM webhook_deliveries p
                 WHERE p.hotel_id = e.hotel_id AND p.endpoint_id = e.endpoint_id AND p.status = 'PENDING'
                       AND (p.leased_until IS NULL OR p.leased_until <= $4 OR p.leased_by <> ALL ($5))
                 ORDER BY p.next_attempt_at LIMIT $3 FOR UPDATE SKIP LOCKED
             ) d
         )
         UPDATE webhook_deliveries d SET status = 'HELD', next_attempt_at = NULL, leased_until = NULL, leased_by = NULL
         FROM picked p
         WHERE d.hotel_id = p.hotel_id AND d.endpoint_id = p.endpoint_id AND d.event_position = p.event_position
               AND d.created_at = p.created_at",
        &hotels[..],
        &ids[..],
        per_endpoint,
        now,
        living as Option<&[i32]>,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Deletes the deliveries of endpoints that are no more, whatever became of them. Answers how many.
pub async fn drop_orphans(conn: &mut PgConnection, endpoints: &[EndpointKey], per_endpoint: i64) -> Result<u64> {
    let (hotels, ids) = EndpointKey::columns(endpoints);
    let done = query!(
        "WITH picked AS (
             SELECT d.* FROM unnest($1::uuid[], $2::uuid[]) AS e (hotel_id, endpoint_id) CROSS JOIN LATERAL (
                 SELECT p.hotel_id, p.endpoint_id, p.event_position, p.created_at FROM webhook_deliveries p
                 WHERE p.hotel_id = e.hotel_id AND p.endpoint_id = e.endpoint_id
                 LIMIT $3 FOR UPDATE SKIP LOCKED
             ) d
         )
         DELETE FROM webhook_deliveries d USING picked p
         WHERE d.hotel_id = p.hotel_id AND d.endpoint_id = p.endpoint_id AND d.event_position = p.event_position
               AND d.created_at = p.created_at",
        &hotels[..],
        &ids[..],
        per_endpoint,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
