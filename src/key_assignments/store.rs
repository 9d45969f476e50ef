//! The SQL of key assignments: new keys are written together with the stays that they are on.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, query};
use uuid::Uuid;

use crate::error::{Error, ErrorCode, Result};
use crate::hotels::Hotel;
use crate::room_access_keys::StoredKey;
use crate::room_stays::{RoomStay, key_due};

/// A key to be written.
pub(super) struct NewKey {
    pub key: StoredKey,
    /// `None` for a key that is on a stay.
    pub unassigned_since: Option<DateTime<Utc>>,
}

/// A locked stay whose key is to be written.
pub(super) struct ChangedStay {
    pub stay: RoomStay,
    /// Whether a key was put on it, if only for a while: its reservation must not be cancelled.
    pub was_added: bool,
}

/// Adds keys of an integration, and writes which key locked stays have: one statement for all of them. The keys of stays are
/// checked against those that it adds, too, as foreign keys are checked when a statement ends.
///
/// # Errors
/// One that has the request run again, when a stay was given a key whose reservation was cancelled before
/// [`crate::room_stays::lock_unconfirmed`] had it.
pub(super) async fn write_assignments(
    conn: &mut PgConnection,
    hotel: &Hotel,
    integration: Option<Uuid>,
    keys: &[NewKey],
    changed: &[ChangedStay],
    now: DateTime<Utc>,
) -> Result<()> {
    let stays = || changed.iter().map(|changed| &changed.stay);
    let key_ids: Vec<Uuid> = keys.iter().map(|new| new.key.id).collect();
    let kinds: Vec<&str> = keys.iter().map(|new| new.key.kind.as_str()).collect();
    let secrets: Vec<&[u8]> = keys.iter().map(|new| new.key.secret.as_slice()).collect();
    let compartments: Vec<Option<&str>> = keys.iter().map(|new| new.key.compartment.as_deref()).collect();
    let unassigned: Vec<Option<DateTime<Utc>>> = keys.iter().map(|new| new.unassigned_since).collect();
    let stay_ids: Vec<Uuid> = stays().map(|stay| stay.id).collect();
    let keys_of_stays: Vec<Option<Uuid>> = stays().map(|stay| stay.room_access_key.map(|key| key.id)).collect();
    let kinds_of_stays: Vec<Option<&str>> =
        stays().map(|stay| stay.room_access_key.map(|key| key.kind.as_str())).collect();
    let due: Vec<Option<DateTime<Utc>>> = stays().map(|stay| key_due(hotel, stay)).collect();
    let was_added: Vec<bool> = changed.iter().map(|changed| changed.was_added).collect();
    let written = query!(
        "WITH made AS (
             INSERT INTO room_access_keys (hotel_id, id, integration_id, kind, secret, compartment, created_at,
                                           unassigned_since)
             SELECT $1, k.id, $2, k.kind, k.secret, k.compartment, $3, k.unassigned_since
             FROM unnest($4::uuid[], $5::text[], $6::bytea[], $7::text[], $8::timestamptz[])
                  k (id, kind, secret, compartment, unassigned_since)
         )
         UPDATE room_stays s SET room_access_key_id = a.key_id, room_access_key_kind = a.kind,
                                 room_access_key_due_at = a.due_at, updated_at = $3
         FROM unnest($9::uuid[], $10::uuid[], $11::text[], $12::timestamptz[], $13::bool[])
              a (id, key_id, kind, due_at, was_added)
         WHERE s.hotel_id = $1 AND s.id = a.id AND (NOT a.was_added OR (
             SELECT r.status FROM reservations r WHERE r.hotel_id = $1 AND r.id = s.reservation_id
         ) <> 'CANCELLED')",
        hotel.id,
        integration,
        now,
        &key_ids[..],
        &kinds[..] as &[&str],
        &secrets[..] as &[&[u8]],
        &compartments[..] as &[Option<&str>],
        &unassigned[..] as &[Option<DateTime<Utc>>],
        &stay_ids[..],
        &keys_of_stays[..] as &[Option<Uuid>],
        &kinds_of_stays[..] as &[Option<&str>],
        &due[..] as &[Option<DateTime<Utc>>],
        &was_added[..],
    )
    .execute(conn)
    .await?;
    if written.rows_affected() == changed.len() as u64 {
        return Ok(());
    }
    // Run again, the add finds the reservation cancelled.
    Err(Error { retry: true, ..Error::of(ErrorCode::Unavailable) })
}
