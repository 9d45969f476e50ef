//! Writing new keys together with the stays that they are on.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, query};
use uuid::Uuid;

use super::super::model::RoomStay;
use super::super::unwritten::NewKey;
use super::writes::key_due;
use crate::error::Result;
use crate::hotels::Hotel;

/// Adds keys of an integration, and writes which key held stays have: one statement for all of them. The keys of stays are
/// checked against those that it adds, too, as foreign keys are checked when a statement ends.
pub(in crate::room_stays) async fn write_assignments(
    conn: &mut PgConnection,
    hotel: &Hotel,
    integration: Uuid,
    keys: &[NewKey],
    stays: &[RoomStay],
    now: DateTime<Utc>,
) -> Result<()> {
    let key_ids: Vec<Uuid> = keys.iter().map(|new| new.key.id).collect();
    let kinds: Vec<&str> = keys.iter().map(|new| new.key.kind.as_str()).collect();
    let secrets: Vec<&[u8]> = keys.iter().map(|new| new.key.secret.as_slice()).collect();
    let compartments: Vec<Option<&str>> = keys.iter().map(|new| new.key.compartment.as_deref()).collect();
    let unassigned: Vec<Option<DateTime<Utc>>> = keys.iter().map(|new| new.unassigned_since).collect();
    let stay_ids: Vec<Uuid> = stays.iter().map(|stay| stay.id).collect();
    let keys_of_stays: Vec<Option<Uuid>> = stays.iter().map(|stay| stay.room_access_key.map(|key| key.id)).collect();
    let kinds_of_stays: Vec<Option<&str>> =
        stays.iter().map(|stay| stay.room_access_key.map(|key| key.kind.as_str())).collect();
    let due: Vec<Option<DateTime<Utc>>> = stays.iter().map(|stay| key_due(hotel, stay)).collect();
    query!(
        "WITH made AS (
             INSERT INTO room_access_keys (hotel_id, id, integration_id, kind, secret, compartment, created_at,
                                           unassigned_since)
             SELECT $1, k.id, $2, k.kind, k.secret, k.compartment, $3, k.unassigned_since
             FROM unnest($4::uuid[], $5::text[], $6::bytea[], $7::text[], $8::timestamptz[])
                  k (id, kind, secret, compartment, unassigned_since)
         )
         UPDATE room_stays s SET room_access_key_id = a.key_id, room_access_key_kind = a.kind,
                                 room_access_key_due_at = a.due_at, updated_at = $3
         FROM unnest($9::uuid[], $10::uuid[], $11::text[], $12::timestamptz[]) a (id, key_id, kind, due_at)
         WHERE s.hotel_id = $1 AND s.id = a.id",
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
    )
    .execute(conn)
    .await?;
    Ok(())
}
