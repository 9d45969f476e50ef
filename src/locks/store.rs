//! The SQL of doors, spaces and encoders.

use std::collections::BTreeMap;

use sqlx::{PgConnection, query, query_as};
use uuid::Uuid;

use super::{Entrance, Mode, Provider};
use crate::error::{Error, Result};
use crate::hotels::HotelId;

/// The spaces that the hotel has among these, by id or key.
pub(super) async fn known_spaces(
    conn: &mut PgConnection,
    hotel: HotelId,
    (ids, keys): (Vec<Uuid>, Vec<String>),
) -> Result<Vec<(Uuid, Option<String>)>> {
    let rows = query!(
        "SELECT id, space_key FROM spaces WHERE hotel_id = $1 AND (id = ANY ($2) OR space_key = ANY ($3)) ORDER BY id",
        hotel,
        &ids,
        &keys,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.space_key)).collect())
}

/// The doors of spaces, each with its space.
pub(super) async fn entrances_of_spaces(
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
pub(super) async fn lock_entrances(
    conn: &mut PgConnection,
    hotel: HotelId,
    (ids, keys): (Vec<Uuid>, Vec<String>),
    spaces: &[Uuid],
) -> Result<Vec<Entrance>> {
    let rows = query_as!(
        EntranceRow,
        "SELECT id, entrance_key, name, provider, can_belong_to_reservation, modes FROM entrances
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
    rows.into_iter().map(EntranceRow::try_into).collect()
}

/// Doors by their ids.
pub(super) async fn entrances_by_id(conn: &mut PgConnection, hotel: HotelId, ids: &[Uuid]) -> Result<Vec<Entrance>> {
    let rows = query_as!(
        EntranceRow,
        "SELECT id, entrance_key, name, provider, can_belong_to_reservation, modes FROM entrances
         WHERE hotel_id = $1 AND id = ANY ($2) ORDER BY id",
        hotel,
        ids,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(EntranceRow::try_into).collect()
}

/// The doors of a space.
pub(super) async fn entrances_of_space(conn: &mut PgConnection, hotel: HotelId, space: Uuid) -> Result<Vec<Entrance>> {
    let rows = query_as!(
        EntranceRow,
        "SELECT id, entrance_key, name, provider, can_belong_to_reservation, modes FROM entrances
         WHERE hotel_id = $1 AND id IN (SELECT entrance_id FROM space_entrances WHERE hotel_id = $1 AND space_id = $2)
         ORDER BY id",
        hotel,
        space,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(EntranceRow::try_into).collect()
}

/// A door as it is in the database.
struct EntranceRow {
    id: Uuid,
    entrance_key: Option<String>,
    name: String,
    provider: String,
    can_belong_to_reservation: bool,
    modes: Vec<String>,
}

impl TryFrom<EntranceRow> for Entrance {
    type Error = Error;

    fn try_from(row: EntranceRow) -> Result<Self> {
        Ok(Self {
            id: row.id,
            key: row.entrance_key,
            name: row.name,
            provider: Provider::parse(&row.provider)?,
            can_belong_to_reservation: row.can_belong_to_reservation,
            modes: row.modes.iter().map(|mode| Mode::parse(mode)).collect::<Result<_>>()?,
        })
    }
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
