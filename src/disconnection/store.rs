//! The SQL of disconnecting.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, query_as, query_scalar};
use uuid::Uuid;

use crate::error::Result;
use crate::hotels::HotelId;

/// Deletes the endpoints of an integration. The workers drop what was still to be sent to them.
pub(super) async fn delete_endpoints(conn: &mut PgConnection, hotel: HotelId, integration: Uuid) -> Result<Vec<Uuid>> {
    let deleted = query_scalar!(
        "DELETE FROM webhook_endpoints WHERE hotel_id = $1 AND integration_id = $2 RETURNING id",
        hotel,
        integration,
    )
    .fetch_all(conn)
    .await?;
    Ok(deleted)
}

/// Leaves the encoders of an integration without one: nobody takes their commands until they are given another.
pub(super) async fn release_encoders(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    let released = query_scalar!(
        "UPDATE encoders SET integration_id = NULL, failures = 0, backoff_until = NULL, updated_at = $3
         WHERE hotel_id = $1 AND integration_id = $2 RETURNING id",
        hotel,
        integration,
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(released)
}

/// The oldest room access keys of an integration, as many as one transaction takes.
pub(super) async fn room_access_keys(conn: &mut PgConnection, hotel: HotelId, integration: Uuid) -> Result<Vec<Uuid>> {
    let keys = query_scalar!(
        "SELECT id FROM room_access_keys WHERE hotel_id = $1 AND integration_id = $2 ORDER BY id LIMIT 2000",
        hotel,
        integration,
    )
    .fetch_all(conn)
    .await?;
    Ok(keys)
}

/// A stay that is held, and its key.
pub(super) struct LockedStay {
    pub id: Uuid,
    pub key: Uuid,
}

/// Holds stays that have one of these keys until the transaction ends, as many as one transaction takes.
pub(super) async fn lock_stays(conn: &mut PgConnection, hotel: HotelId, keys: &[Uuid]) -> Result<Vec<LockedStay>> {
    let stays = query_as!(
        LockedStay,
        r#"SELECT id, room_access_key_id AS "key!" FROM room_stays WHERE hotel_id = $1 AND room_access_key_id = ANY ($2)
         ORDER BY id LIMIT 2000 FOR NO KEY UPDATE"#,
        hotel,
        keys,
    )
    .fetch_all(conn)
    .await?;
    Ok(stays)
}

/// Holds keys until the transaction ends; some may be gone meanwhile.
pub(super) async fn lock_keys(conn: &mut PgConnection, hotel: HotelId, keys: &[Uuid]) -> Result<Vec<Uuid>> {
    let held = query_scalar!(
        "SELECT id FROM room_access_keys WHERE hotel_id = $1 AND id = ANY ($2) ORDER BY id FOR UPDATE",
        hotel,
        keys,
    )
    .fetch_all(conn)
    .await?;
    Ok(held)
}

/// Deletes those of the held keys that are on no stay any more.
pub(super) async fn delete_unassigned(conn: &mut PgConnection, hotel: HotelId, keys: &[Uuid]) -> Result<Vec<Uuid>> {
    let deleted = query_scalar!(
        "DELETE FROM room_access_keys k WHERE k.hotel_id = $1 AND k.id = ANY ($2)
         AND NOT EXISTS (SELECT FROM room_stays s WHERE s.hotel_id = $1 AND s.room_access_key_id = k.id)
         RETURNING k.id",
        hotel,
        keys,
    )
    .fetch_all(conn)
    .await?;
    Ok(deleted)
}

pub(super) async fn count_room_access_keys(conn: &mut PgConnection, hotel: HotelId, integration: Uuid) -> Result<i64> {
    let count = query_scalar!(
        r#"SELECT count(*) AS "count!" FROM room_access_keys WHERE hotel_id = $1 AND integration_id = $2"#,
        hotel,
        integration,
    )
    .fetch_one(conn)
    .await?;
    Ok(count)
}
