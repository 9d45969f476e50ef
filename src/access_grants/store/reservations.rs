//! Reservations on doors.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, query, query_scalar};
use uuid::Uuid;

use super::super::{CheckedGrant, ReservationOf, TimeFrame};
use crate::error::Result;
use crate::hotels::HotelId;

/// Makes a reservation with that id, unless there is one of its kind that has not ended, and holds whichever it is.
pub(in crate::access_grants) async fn lock_reservation(
    conn: &mut PgConnection,
    hotel: HotelId,
    id: Uuid,
    of: &ReservationOf,
    now: DateTime<Utc>,
) -> Result<Uuid> {
    let locked = match of {
        ReservationOf::Key { integration, key } => {
            query_scalar!(
                "INSERT INTO access_reservations AS r (hotel_id, id, integration_id, reservation_key, created_at)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (hotel_id, integration_id, reservation_key) WHERE ended_at IS NULL
                 DO UPDATE SET created_at = r.created_at RETURNING id",
                hotel,
                id,
                integration,
                key,
                now,
            )
            .fetch_one(conn)
            .await?
        }
        ReservationOf::RoomStay(stay) => {
            query_scalar!(
                "INSERT INTO access_reservations AS r (hotel_id, id, reservation_key, room_stay_id, created_at)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (hotel_id, room_stay_id) WHERE ended_at IS NULL
                 DO UPDATE SET created_at = r.created_at RETURNING id",
                hotel,
                id,
                of.key(),
                stay,
                now,
            )
            .fetch_one(conn)
            .await?
        }
    };
    Ok(locked)
}

/// Holds the reservations of these grants, in the order of their ids. Answers whether one of them has ended.
pub(in crate::access_grants) async fn lock_reservations_of(
    conn: &mut PgConnection,
    hotel: HotelId,
    grants: &[Uuid],
) -> Result<bool> {
    let ends = query_scalar!(
        "SELECT ended_at FROM access_reservations WHERE hotel_id = $1
         AND id IN (SELECT reservation_id FROM access_grants WHERE hotel_id = $1 AND id = ANY ($2))
         ORDER BY id FOR UPDATE",
        hotel,
        grants,
    )
    .fetch_all(conn)
    .await?;
    Ok(ends.iter().any(Option::is_some))
}

/// The times of the live grants of a reservation, but for one.
pub(in crate::access_grants) async fn live_frames(
    conn: &mut PgConnection,
    hotel: HotelId,
    reservation: Uuid,
    but_for: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<Vec<TimeFrame>> {
    let rows = query!(
        "SELECT starts_at, ends_at FROM access_grants WHERE hotel_id = $1 AND reservation_id = $2 AND deleted_at IS NULL
         AND id IS DISTINCT FROM $3 AND (ends_at IS NULL OR ends_at > $4)",
        hotel,
        reservation,
        but_for,
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| TimeFrame { starts_at: row.starts_at, ends_at: row.ends_at }).collect())
}

/// The doors of a reservation.
pub(in crate::access_grants) async fn doors(
    conn: &mut PgConnection,
    hotel: HotelId,
    reservation: Uuid,
) -> Result<BTreeSet<Uuid>> {
    let doors = query_scalar!(
        "SELECT entrance_id FROM access_reservation_doors WHERE hotel_id = $1 AND reservation_id = $2",
        hotel,
        reservation,
    )
    .fetch_all(conn)
    .await?;
    Ok(doors.into_iter().collect())
}

/// Fixes doors of reservations, each with its number on the door: (reservation, door, time, number).
///
/// The start is that of the latest reservation that it meets on the door and that has left a card behind, if there is one: that card is
/// then dead by the number from the first use of a new one on.
pub(in crate::access_grants) async fn insert_doors(
    conn: &mut PgConnection,
    hotel: HotelId,
    doors: &[(Uuid, Uuid, TimeFrame, i64)],
) -> Result<()> {
    let reservations: Vec<Uuid> = doors.iter().map(|door| door.0).collect();
    let entrances: Vec<Uuid> = doors.iter().map(|door| door.1).collect();
    let starts: Vec<DateTime<Utc>> = doors.iter().map(|door| door.2.starts_at).collect();
    let ends: Vec<Option<DateTime<Utc>>> = doors.iter().map(|door| door.2.ends_at).collect();
    let sequences: Vec<i64> = doors.iter().map(|door| door.3).collect();
    query!(
        "INSERT INTO access_reservation_doors (hotel_id, reservation_id, entrance_id, starts_at, sequence)
         SELECT $1, door.reservation, door.entrance,
                access_order_start($1, door.entrance, door.starts_at, door.ends_at), door.sequence
         FROM unnest($2::uuid[], $3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::bigint[])
             AS door (reservation, entrance, starts_at, ends_at, sequence)",
        hotel,
        &reservations,
        &entrances,
        &starts,
        &ends as &[Option<DateTime<Utc>>],
        &sequences,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Has the order of reservations on doors follow new times of these grants, where one of them is the oldest live grant of its
/// reservation on a door: (grant, its start before). Answers the reservations of which that changed anything.
///
/// A new end alone moves the start of the order only past cards that were left behind. The start of a reservation that has begun never
/// falls: a lock may have seen it, and would refuse what bears an earlier one.
pub(in crate::access_grants) async fn renew_starts(
    conn: &mut PgConnection,
    hotel: HotelId,
    grants: &[(Uuid, DateTime<Utc>)],
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    let (ids, before): (Vec<Uuid>, Vec<DateTime<Utc>>) = grants.iter().copied().unzip();
    let changed = query_scalar!(
        "UPDATE access_reservation_doors d SET starts_at = of_door.starts_at
         FROM unnest($2::uuid[], $3::timestamptz[]) AS renewed (id, before)
         JOIN access_grants g ON g.hotel_id = $1 AND g.id = renewed.id AND g.deleted_at IS NULL
         JOIN access_grant_entrances e ON e.hotel_id = $1 AND e.grant_id = g.id
         JOIN access_reservation_doors own
             ON own.hotel_id = $1 AND own.reservation_id = g.reservation_id AND own.entrance_id = e.entrance_id
         CROSS JOIN LATERAL (
             SELECT access_order_start($1, e.entrance_id,
                 CASE WHEN renewed.before = g.starts_at THEN own.starts_at ELSE g.starts_at END, g.ends_at) AS starts_at
         ) AS of_door
         WHERE d.hotel_id = $1 AND d.reservation_id = g.reservation_id AND d.entrance_id = e.entrance_id
         AND d.starts_at <> of_door.starts_at AND NOT EXISTS (
             SELECT FROM access_grants older
             JOIN access_grant_entrances of_older ON of_older.hotel_id = $1 AND of_older.grant_id = older.id
                 AND of_older.entrance_id = e.entrance_id
             WHERE older.hotel_id = $1 AND older.reservation_id = g.reservation_id AND older.deleted_at IS NULL
             AND older.id < g.id
         ) AND (of_door.starts_at > d.starts_at OR (d.starts_at > $4 AND renewed.before > $4 AND NOT EXISTS (
             SELECT FROM access_grants begun WHERE begun.hotel_id = $1 AND begun.reservation_id = g.reservation_id
             AND begun.id <> ALL ($2) AND begun.starts_at <= $4
         )))
         RETURNING d.reservation_id",
        hotel,
        &ids,
        &before,
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(changed)
}

/// Ends a reservation.
pub(in crate::access_grants) async fn end_reservation(
    conn: &mut PgConnection,
    hotel: HotelId,
    reservation: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    query!("UPDATE access_reservations SET ended_at = $3 WHERE hotel_id = $1 AND id = $2", hotel, reservation, now,)
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends those of these reservations of which all grants were deleted. One whose grants have run out ends when its key is used
/// again: until then they can be extended.
pub(in crate::access_grants) async fn end_without_grants(
    conn: &mut PgConnection,
    hotel: HotelId,
    reservations: &[Uuid],
    now: DateTime<Utc>,
) -> Result<()> {
    query!(
        "UPDATE access_reservations r SET ended_at = $3
         WHERE r.hotel_id = $1 AND r.id = ANY ($2) AND r.ended_at IS NULL AND NOT EXISTS (
             SELECT FROM access_grants g WHERE g.hotel_id = $1 AND g.reservation_id = r.id AND g.deleted_at IS NULL
         )",
        hotel,
        reservations,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Makes the reservations of stays that these grants belong to.
pub(in crate::access_grants) async fn insert_of_stays(
    conn: &mut PgConnection,
    hotel: HotelId,
    grants: &[CheckedGrant],
    now: DateTime<Utc>,
) -> Result<()> {
    let of_grants: BTreeSet<(Uuid, &str, Uuid)> = grants
        .iter()
        .filter_map(|grant| {
            let (id, key) = grant.reservation.as_ref()?;
            Some((*id, key.as_str(), grant.room_stay_id?))
        })
        .collect();
    let ids: Vec<Uuid> = of_grants.iter().map(|(id, _, _)| *id).collect();
    let keys: Vec<String> = of_grants.iter().map(|(_, key, _)| (*key).to_owned()).collect();
    let stays: Vec<Uuid> = of_grants.iter().map(|(_, _, stay)| *stay).collect();
    query!(
        "INSERT INTO access_reservations (hotel_id, id, reservation_key, room_stay_id, created_at)
         SELECT $1, new.id, new.key, new.stay, $2 FROM unnest($3::uuid[], $4::text[], $5::uuid[]) AS new (id, key, stay)",
        hotel,
        now,
        &ids,
        &keys,
        &stays,
    )
    .execute(conn)
    .await?;
    Ok(())
}
