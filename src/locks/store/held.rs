//! The SQL of doors that are held, so that who may open them is decided by one at a time.

use std::collections::BTreeMap;

use sqlx::{PgConnection, query, query_as};
use uuid::Uuid;

use super::entrances::EntranceRow;
use crate::error::Result;
use crate::hotels::HotelId;
use crate::locks::Entrance;

/// A space that is held.
pub(in crate::locks) struct HeldSpace {
    /// Id.
    pub id: Uuid,
    /// Name by which clients find it.
    pub key: Option<String>,
    /// The ids of its doors.
    pub entrance_ids: Vec<Uuid>,
}

/// Holds the spaces that the hotel has among these, by id or key, against their deletion.
pub(in crate::locks) async fn lock_spaces(
    conn: &mut PgConnection,
    hotel: HotelId,
    (ids, keys): (Vec<Uuid>, Vec<String>),
) -> Result<Vec<HeldSpace>> {
    let spaces = query_as!(
        HeldSpace,
        r#"SELECT s.id, s.space_key AS key,
                  ARRAY(SELECT e.entrance_id FROM space_entrances e WHERE e.hotel_id = $1 AND e.space_id = s.id)
                      AS "entrance_ids!"
           FROM spaces s WHERE s.hotel_id = $1 AND (s.id = ANY ($2) OR s.space_key = ANY ($3)) ORDER BY s.id
           FOR KEY SHARE OF s"#,
        hotel,
        &ids,
        &keys,
    );
    Ok(spaces.fetch_all(conn).await?)
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

/// Holds the doors with these ids or keys, by id.
pub(in crate::locks) async fn lock_entrances(
    conn: &mut PgConnection,
    hotel: HotelId,
    (ids, keys): (Vec<Uuid>, Vec<String>),
) -> Result<Vec<Entrance>> {
    let rows = query_as!(
        EntranceRow,
        "SELECT id, entrance_key, name, provider, can_belong_to_reservation, modes, created_at, updated_at FROM entrances
         WHERE hotel_id = $1 AND (id = ANY ($2) OR entrance_key = ANY ($3)) ORDER BY id FOR NO KEY UPDATE",
        hotel,
        &ids,
        &keys,
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
