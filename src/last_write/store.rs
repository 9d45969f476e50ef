//! The SQL that finds the newest write.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, query_scalar};

use crate::error::Result;

/// When something was last written to any hotel; `None` without a hotel. Hotels, stays, events, the audit trail and the use of
/// API keys bear witness: each by the end of an index.
pub(super) async fn newest(conn: &mut PgConnection) -> Result<Option<DateTime<Utc>>> {
    let newest = query_scalar!(
        "SELECT max(w.at) FROM (
             SELECT h.created_at AS at FROM hotels h
             UNION ALL
             SELECT u.last_used_at FROM api_key_usage u
             UNION ALL
             SELECT s.updated_at FROM hotels h CROSS JOIN LATERAL (
                 SELECT s.updated_at FROM room_stays s WHERE s.hotel_id = h.id ORDER BY s.updated_at DESC LIMIT 1) s
             UNION ALL
             SELECT e.created_at FROM hotels h CROSS JOIN LATERAL (
                 SELECT e.created_at FROM events e WHERE e.hotel_id = h.id ORDER BY e.position DESC LIMIT 1) e
             UNION ALL
             SELECT a.created_at FROM hotels h CROSS JOIN LATERAL (
                 SELECT a.created_at FROM audit_entries a WHERE a.hotel_id = h.id ORDER BY a.id DESC LIMIT 1) a
         ) w"
    )
    .fetch_one(conn)
    .await?;
    Ok(newest)
}
