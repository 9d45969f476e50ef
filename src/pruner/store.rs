//! The SQL of the pruner.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, query_as, query_scalar};
use uuid::Uuid;

use crate::error::Result;
use crate::hotels::HotelId;

/// Most stays, and most unused keys, that are looked up at a time. It is written out in the statements, where the planner has
/// to know it.
const LIST: usize = 50_000;

/// An assignment or an unused key that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Slug of the hotel.
    pub hotel: String,
    /// The key.
    pub key: Uuid,
    /// The stay that it is taken off; `None` for a key on no stay.
    pub stay: Option<Uuid>,
    /// Since when.
    pub due_at: DateTime<Utc>,
}

/// An assignment that is due, of a stay that is held.
pub(super) struct Claimed {
    pub stay: Uuid,
    pub key: Uuid,
}

/// A key that was deleted.
pub(super) struct Deleted {
    pub id: Uuid,
    pub owner: Uuid,
}

/// Hotels that have something to prune.
pub(super) async fn hotels_with_due(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    unassigned_before: DateTime<Utc>,
) -> Result<Vec<HotelId>> {
    let hotels = query_scalar!(
        "SELECT h.id FROM hotels h CROSS JOIN LATERAL (
             SELECT FROM room_stays s WHERE s.hotel_id = h.id AND s.room_access_key_due_at <= $1
             UNION ALL
             SELECT FROM room_access_keys k WHERE k.hotel_id = h.id AND k.unassigned_since <= $2
             LIMIT 1
         ) due",
        now,
        unassigned_before,
    )
    .fetch_all(conn)
    .await?;
    Ok(hotels)
}

/// Since when the stay or the unused key has been due that has been so for longest.
pub(super) async fn oldest_due(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    unassigned_before: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>> {
    let oldest = query_scalar!(
        "SELECT min(due.since) FROM hotels h CROSS JOIN LATERAL (
             (SELECT s.room_access_key_due_at AS since FROM room_stays s
              WHERE s.hotel_id = h.id AND s.room_access_key_due_at <= $1
              ORDER BY s.room_access_key_due_at LIMIT 1)
             UNION ALL
             (SELECT k.unassigned_since + ($1 - $2) FROM room_access_keys k
              WHERE k.hotel_id = h.id AND k.unassigned_since <= $2
              ORDER BY k.unassigned_since LIMIT 1)
         ) due",
        now,
        unassigned_before,
    )
    .fetch_one(conn)
    .await?;
    Ok(oldest)
}

/// What is due in one hotel, by id, the longest overdue first. Nothing of it is held.
pub(super) struct DueOfHotel {
    /// Stays whose key is due.
    pub stays: Vec<Uuid>,
    /// Keys that have been on no stay for too long.
    pub unused: Vec<Uuid>,
}

impl DueOfHotel {
    /// Whether there may be more than what is listed.
    pub fn is_cut_off(&self) -> bool {
        self.stays.len() == LIST || self.unused.len() == LIST
    }
}

/// Lists what is due in a hotel: once for many batches, since each look passes what earlier batches have left behind.
pub(super) async fn due_of_hotel(
    conn: &mut PgConnection,
    hotel: HotelId,
    now: DateTime<Utc>,
    unassigned_before: DateTime<Utc>,
) -> Result<DueOfHotel> {
    let stays = query_scalar!(
        "SELECT id FROM room_stays WHERE hotel_id = $1 AND room_access_key_due_at <= $2
         ORDER BY room_access_key_due_at LIMIT 50000",
        hotel,
        now,
    )
    .fetch_all(&mut *conn)
    .await?;
    let unused = query_scalar!(
        "SELECT id FROM room_access_keys WHERE hotel_id = $1 AND unassigned_since <= $2
         ORDER BY unassigned_since LIMIT 50000",
        hotel,
        unassigned_before,
    )
    .fetch_all(conn)
    .await?;
    Ok(DueOfHotel { stays, unused })
}

/// Holds those of the stays whose key is still due until the transaction ends. Skips those that others hold.
pub(super) async fn claim_due(
    conn: &mut PgConnection,
    hotel: HotelId,
    stays: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<Claimed>> {
    let claimed = query_as!(
        Claimed,
        r#"SELECT s.id AS stay, s.room_access_key_id AS "key!" FROM room_stays s
           WHERE s.hotel_id = $1 AND s.id = ANY ($2) AND s.room_access_key_due_at <= $3
           FOR NO KEY UPDATE SKIP LOCKED"#,
        hotel,
        stays,
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(claimed)
}

/// Holds keys until the transaction ends, and answers with those that were not held by others.
pub(super) async fn claim_keys(conn: &mut PgConnection, hotel: HotelId, keys: &[Uuid]) -> Result<Vec<Uuid>> {
    let claimed = query_scalar!(
        "SELECT id FROM room_access_keys WHERE hotel_id = $1 AND id = ANY ($2) FOR UPDATE SKIP LOCKED",
        hotel,
        keys,
    )
    .fetch_all(conn)
    .await?;
    Ok(claimed)
}

/// Deletes those of the held keys that are on no stay any more.
pub(super) async fn delete_if_unassigned(
    conn: &mut PgConnection,
    hotel: HotelId,
    keys: &[Uuid],
) -> Result<Vec<Deleted>> {
    let deleted = query_as!(
        Deleted,
        "DELETE FROM room_access_keys k WHERE k.hotel_id = $1 AND k.id = ANY ($2)
         AND NOT EXISTS (SELECT FROM room_stays s WHERE s.hotel_id = $1 AND s.room_access_key_id = k.id)
         RETURNING k.id, k.integration_id AS owner",
        hotel,
        keys,
    )
    .fetch_all(conn)
    .await?;
    Ok(deleted)
}

/// Deletes those of the keys that have still been on no stay since an instant. Skips keys that others hold.
pub(super) async fn delete_unassigned(
    conn: &mut PgConnection,
    hotel: HotelId,
    keys: &[Uuid],
    since: DateTime<Utc>,
) -> Result<Vec<Deleted>> {
    let deleted = query_as!(
        Deleted,
        // By the place of the row that is held: no second look into an index.
        "DELETE FROM room_access_keys WHERE hotel_id = $1 AND ctid = ANY (ARRAY(
             SELECT k.ctid FROM room_access_keys k
             WHERE k.hotel_id = $1 AND k.id = ANY ($2) AND k.unassigned_since <= $3
             FOR UPDATE SKIP LOCKED
         ))
         RETURNING id, integration_id AS owner",
        hotel,
        keys,
        since,
    )
    .fetch_all(conn)
    .await?;
    Ok(deleted)
}

/// Everything that is due, in all hotels.
pub(super) async fn list_due(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    unassigned_before: DateTime<Utc>,
) -> Result<Vec<Due>> {
    let due = query_as!(
        Due,
        r#"SELECT h.slug AS "hotel!", d.key AS "key!", d.stay, d.due_at AS "due_at!"
           FROM hotels h CROSS JOIN LATERAL (
               SELECT s.room_access_key_id AS key, s.id AS stay, s.room_access_key_due_at AS due_at
               FROM room_stays s WHERE s.hotel_id = h.id AND s.room_access_key_due_at <= $1
               UNION ALL
               SELECT k.id, NULL, k.unassigned_since + ($1 - $2)
               FROM room_access_keys k WHERE k.hotel_id = h.id AND k.unassigned_since <= $2
           ) d
           ORDER BY d.due_at, h.slug, d.key, d.stay"#,
        now,
        unassigned_before,
    )
    .fetch_all(conn)
    .await?;
    Ok(due)
}
