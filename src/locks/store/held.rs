//! The SQL of doors that are held, so that who may open them is decided by one at a time.

use std::collections::BTreeMap;

use sqlx::{PgConnection, query, query_as};
use uuid::Uuid;

use super::entrances::EntranceRow;
use crate::error::Result;
use crate::hotels::HotelId;
use crate::locks::Entrance;

/// Holds the spaces that the hotel has among these, by id or key, against their deletion.
pub(in crate::locks) async fn known_spaces(
    conn: &mut PgConnection,
    hotel: HotelId,
    (ids, keys): (Vec<Uuid>, Vec<String>),
) -> Result<Vec<(Uuid, Option<String>)>> {
    let rows = query!(
        "SELECT id, space_key FROM spaces WHERE hotel_id = $1 AND (id = ANY ($2) OR space_key = ANY ($3)) ORDER BY id
         FOR KEY SHARE",
        hotel,
        &ids,
        &keys,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.space_key)).collect())
}

/// The doors of spaces, each with its space.
pub(in crate::locks) async fn entrances_of_spaces(
    conn: &mut PgConnection,
    hotel: HotelId,
    spaces: &[Uuid],
) -> Result<Vec<(Uuid, Uuid)>> {
    let rows = query!(
        "SELECT space_id, entrance_id FROM space_entrances WHERE hotel_id = $1 AND space_id = ANY ($2)
         ORDER BY space_id, entrance_id",
        hotel,
        spaces,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.space_id, row.entrance_id)).collect())
}

/// Holds the doors with these ids or keys, and those of these spaces, by id.
pub(in crate::locks) async fn lock_entrances(
    conn: &mut PgConnection,
    hotel: HotelId,
    (ids, keys): (Vec<Uuid>, Vec<String>),
    spaces: &[Uuid],
) -> Result<Vec<Entrance>> {
    let rows = query_as!(
        EntranceRow,
        "SELECT id, entrance_key, name, provider, can_belong_to_reservation, modes, created_at, updated_at FROM entrances
         WHERE hotel_id = $1 AND (id = ANY ($2) OR entrance_key = ANY ($3) OR id IN (
             SELECT entrance_id FROM space_entrances WHERE hotel_id = $1 AND space_id = ANY ($4)
         )) ORDER BY id FOR NO KEY UPDATE",
        hotel,
        &ids,
        &keys,
        spaces,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Entrance::try_from).collect()
}

/// Raises the numbers of the last reservations of held doors, each by so many, and answers the last ones.
pub(crate) async fn raise_sequences(
    conn: &mut PgConnection,
    hotel: HotelId,
    counts: &[(Uuid, i64)],
) -> Result<BTreeMap<Uuid, i64>> {
    let (entrances, counts): (Vec<Uuid>, Vec<i64>) = counts.iter().copied().unzip();
    let rows = query!(
        "UPDATE entrances e SET last_sequence = e.last_sequence + raised.by
         FROM unnest($2::uuid[], $3::bigint[]) AS raised (id, by) WHERE e.hotel_id = $1 AND e.id = raised.id
         RETURNING e.id, e.last_sequence",
        hotel,
        &entrances,
        &counts,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.last_sequence)).collect())
}
