//! The SQL of access grants. The number of statements does not depend on how many doors or methods there are.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, query, query_scalar};
use uuid::Uuid;

use super::grants::ReservationOf;
use super::{Grant, Identity, IdentityKind, TimeFrame};
use crate::error::Result;
use crate::hotels::HotelId;
use crate::locks::Mode;

/// Holds an identity of the integration so that it is not deleted meanwhile.
pub(super) async fn lock_identity(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    id: Uuid,
) -> Result<Option<Identity>> {
    let kind = query_scalar!(
        "SELECT kind FROM user_identities WHERE hotel_id = $1 AND integration_id = $2 AND id = $3 FOR KEY SHARE",
        hotel,
        integration,
        id,
    )
    .fetch_optional(conn)
    .await?;
    kind.map(|kind| Ok(Identity { id, kind: IdentityKind::parse(&kind)? })).transpose()
}

/// Makes a reservation with that id, unless there is one of its kind that has not ended, and holds whichever it is.
pub(super) async fn lock_reservation(
    conn: &mut PgConnection,
    hotel: HotelId,
    id: Uuid,
    of: &ReservationOf,
    integration: Uuid,
    now: DateTime<Utc>,
) -> Result<Uuid> {
    let locked = match of {
        ReservationOf::Key(key) => {
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
                "INSERT INTO access_reservations AS r (hotel_id, id, room_stay_id, created_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (hotel_id, room_stay_id) WHERE ended_at IS NULL
                 DO UPDATE SET created_at = r.created_at RETURNING id",
                hotel,
                id,
                stay,
                now,
            )
            .fetch_one(conn)
            .await?
        }
    };
    Ok(locked)
}

/// Holds the reservation of a grant.
pub(super) async fn lock_reservation_of(conn: &mut PgConnection, hotel: HotelId, grant: Uuid) -> Result<()> {
    query!(
        "SELECT FROM access_reservations WHERE hotel_id = $1
         AND id = (SELECT reservation_id FROM access_grants WHERE hotel_id = $1 AND id = $2) FOR UPDATE",
        hotel,
        grant,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The times of the live grants of a reservation, but for one.
pub(super) async fn live_frames(
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
pub(super) async fn doors(conn: &mut PgConnection, hotel: HotelId, reservation: Uuid) -> Result<BTreeSet<Uuid>> {
    let doors = query_scalar!(
        "SELECT entrance_id FROM access_reservation_doors WHERE hotel_id = $1 AND reservation_id = $2",
        hotel,
        reservation,
    )
    .fetch_all(conn)
    .await?;
    Ok(doors.into_iter().collect())
}

/// Fixes the doors of a reservation.
pub(super) async fn insert_doors(
    conn: &mut PgConnection,
    hotel: HotelId,
    reservation: Uuid,
    sequences: &BTreeMap<Uuid, i64>,
    starts_at: DateTime<Utc>,
) -> Result<()> {
    let (entrances, sequences): (Vec<Uuid>, Vec<i64>) = sequences.iter().unzip();
    query!(
        "INSERT INTO access_reservation_doors (hotel_id, reservation_id, entrance_id, starts_at, sequence)
         SELECT $1, $2, entrance, $3, sequence FROM unnest($4::uuid[], $5::bigint[]) AS door (entrance, sequence)",
        hotel,
        reservation,
        starts_at,
        &entrances,
        &sequences,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Orders a reservation on its doors by when its first live grant on each of them begins.
pub(super) async fn renew_starts(conn: &mut PgConnection, hotel: HotelId, reservation: Uuid) -> Result<()> {
    query!(
        "UPDATE access_reservation_doors d SET starts_at = first.starts_at FROM (
             SELECT e.entrance_id, min(g.starts_at) AS starts_at FROM access_grants g
             JOIN access_grant_entrances e ON e.hotel_id = $1 AND e.grant_id = g.id
             WHERE g.hotel_id = $1 AND g.reservation_id = $2 AND g.deleted_at IS NULL GROUP BY e.entrance_id
         ) AS first
         WHERE d.hotel_id = $1 AND d.reservation_id = $2 AND d.entrance_id = first.entrance_id",
        hotel,
        reservation,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends a reservation.
pub(super) async fn end_reservation(
    conn: &mut PgConnection,
    hotel: HotelId,
    reservation: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    query!(
        "UPDATE access_reservations SET ended_at = $3 WHERE hotel_id = $1 AND id = $2",
        hotel,
        reservation,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends a reservation whose last grant was deleted.
pub(super) async fn end_reservation_without_grants(
    conn: &mut PgConnection,
    hotel: HotelId,
    reservation: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    query!(
        "UPDATE access_reservations r SET ended_at = $3 WHERE r.hotel_id = $1 AND r.id = $2 AND NOT EXISTS (
             SELECT FROM access_grants g WHERE g.hotel_id = $1 AND g.reservation_id = $2 AND g.deleted_at IS NULL
             AND (g.ends_at IS NULL OR g.ends_at > $3)
         )",
        hotel,
        reservation,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Adds a grant. `false` when its integration has another one with that key.
pub(super) async fn insert_grant(
    conn: &mut PgConnection,
    hotel: HotelId,
    grant: &Grant,
    identity: Uuid,
    key: Option<&str>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let inserted = query!(
        "INSERT INTO access_grants (hotel_id, id, integration_id, user_identity_id, access_grant_key, reservation_id,
             room_stay_id, starts_at, ends_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
         ON CONFLICT (hotel_id, integration_id, access_grant_key) WHERE deleted_at IS NULL DO NOTHING",
        hotel,
        grant.id,
        grant.integration_id,
        identity,
        key,
        grant.reservation_id,
        grant.room_stay_id,
        grant.frame.starts_at,
        grant.frame.ends_at,
        now,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Says which doors a grant opens.
pub(super) async fn insert_entrances(
    conn: &mut PgConnection,
    hotel: HotelId,
    grant: Uuid,
    entrances: &[Uuid],
) -> Result<()> {
    query!(
        "INSERT INTO access_grant_entrances (hotel_id, grant_id, entrance_id) SELECT $1, $2, unnest($3::uuid[])",
        hotel,
        grant,
        entrances,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Adds the methods of a grant. What is not written on a card is issued at once.
pub(super) async fn insert_methods(
    conn: &mut PgConnection,
    hotel: HotelId,
    grant: Uuid,
    methods: &[(Uuid, Mode)],
    now: DateTime<Utc>,
) -> Result<()> {
    let ids: Vec<Uuid> = methods.iter().map(|(id, _)| *id).collect();
    let modes: Vec<String> = methods.iter().map(|(_, mode)| mode.name().to_owned()).collect();
    query!(
        "INSERT INTO access_methods (hotel_id, id, grant_id, mode, created_at, issued_at, encoding_required)
         SELECT $1, method.id, $2, method.mode, $3, CASE WHEN method.mode <> 'CARD' THEN $3 END, method.mode = 'CARD'
         FROM unnest($4::uuid[], $5::text[]) AS method (id, mode)",
        hotel,
        grant,
        now,
        &ids,
        &modes,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads a grant of the integration that was not deleted, and holds it until the transaction ends.
pub(super) async fn lock_own(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    id: Uuid,
) -> Result<Option<Grant>> {
    let row = query!(
        "SELECT reservation_id, room_stay_id, starts_at, ends_at FROM access_grants
         WHERE hotel_id = $1 AND integration_id = $2 AND id = $3 AND deleted_at IS NULL FOR UPDATE",
        hotel,
        integration,
        id,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Grant {
        id,
        integration_id: integration,
        reservation_id: row.reservation_id,
        room_stay_id: row.room_stay_id,
        frame: TimeFrame { starts_at: row.starts_at, ends_at: row.ends_at },
    }))
}

/// Gives a held grant another time.
pub(super) async fn update_frame(
    conn: &mut PgConnection,
    hotel: HotelId,
    id: Uuid,
    frame: TimeFrame,
    now: DateTime<Utc>,
) -> Result<()> {
    query!(
        "UPDATE access_grants SET starts_at = $3, ends_at = $4, updated_at = $5 WHERE hotel_id = $1 AND id = $2",
        hotel,
        id,
        frame.starts_at,
        frame.ends_at,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Says of the written cards of a grant that they have to be written again. Answers those of which it was not said yet.
pub(super) async fn require_encoding(conn: &mut PgConnection, hotel: HotelId, grant: Uuid) -> Result<Vec<Uuid>> {
    let methods = query_scalar!(
        "UPDATE access_methods SET encoding_required = true
         WHERE hotel_id = $1 AND grant_id = $2 AND mode = 'CARD' AND revoked_at IS NULL AND NOT encoding_required
         RETURNING id",
        hotel,
        grant,
    );
    Ok(methods.fetch_all(conn).await?)
}

/// Marks a held grant as deleted.
pub(super) async fn mark_deleted(conn: &mut PgConnection, hotel: HotelId, id: Uuid, now: DateTime<Utc>) -> Result<()> {
    query!(
        "UPDATE access_grants SET deleted_at = $3, updated_at = $3 WHERE hotel_id = $1 AND id = $2",
        hotel,
        id,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Revokes the methods of a grant. Answers them.
pub(super) async fn revoke_methods(
    conn: &mut PgConnection,
    hotel: HotelId,
    grant: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    let methods = query_scalar!(
        "UPDATE access_methods SET revoked_at = $3 WHERE hotel_id = $1 AND grant_id = $2 AND revoked_at IS NULL RETURNING id",
        hotel,
        grant,
        now,
    );
    Ok(methods.fetch_all(conn).await?)
}
