//! The SQL of hotels.

use chrono::{DateTime, NaiveTime, Utc};
use sqlx::{PgConnection, query, query_as, query_scalar};

use super::{Hotel, HotelId};
use crate::error::{Error, Record, Result};

/// Adds a hotel.
pub async fn insert(conn: &mut PgConnection, hotel: &Hotel, now: DateTime<Utc>) -> sqlx::Result<()> {
    query!(
        "INSERT INTO hotels (id, slug, name, time_zone, check_in_time, check_out_time, room_access_keys_enabled, is_sandbox,
                             created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        hotel.id,
        hotel.slug,
        hotel.name,
        hotel.time_zone.name(),
        hotel.check_in_time,
        hotel.check_out_time,
        hotel.room_access_keys_enabled,
        hotel.is_sandbox,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A row of `hotels`, without what only statements need.
pub(crate) struct Row {
    pub id: HotelId,
    pub slug: String,
    pub name: String,
    pub time_zone: String,
    pub check_in_time: NaiveTime,
    pub check_out_time: NaiveTime,
    pub room_access_keys_enabled: bool,
    pub is_sandbox: bool,
}

impl TryFrom<Row> for Hotel {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: row.id,
            slug: row.slug,
            name: row.name,
            time_zone: row.time_zone.parse().map_err(Error::internal)?,
            check_in_time: row.check_in_time,
            check_out_time: row.check_out_time,
            room_access_keys_enabled: row.room_access_keys_enabled,
            is_sandbox: row.is_sandbox,
        })
    }
}

/// The hotel with that slug.
pub async fn find_by_slug(conn: &mut PgConnection, slug: &str) -> Result<Option<Hotel>> {
    let row = query_as!(
        Row,
        "SELECT id, slug, name, time_zone, check_in_time, check_out_time, room_access_keys_enabled, is_sandbox
         FROM hotels WHERE slug = $1",
        slug,
    )
    .fetch_optional(conn)
    .await?;
    row.map(Hotel::try_from).transpose()
}

/// Reads a hotel and holds its settings until the transaction ends. Stays are locked before it.
pub async fn lock(conn: &mut PgConnection, id: HotelId) -> Result<Hotel> {
    let row = query_as!(
        Row,
        "SELECT id, slug, name, time_zone, check_in_time, check_out_time, room_access_keys_enabled, is_sandbox
         FROM hotels WHERE id = $1 FOR NO KEY UPDATE",
        id,
    )
    .fetch_optional(conn)
    .await?;
    row.ok_or_else(not_found)?.try_into()
}

/// The hotel with that id.
pub async fn find(conn: &mut PgConnection, id: HotelId) -> Result<Option<Hotel>> {
    let row = query_as!(
        Row,
        "SELECT id, slug, name, time_zone, check_in_time, check_out_time, room_access_keys_enabled, is_sandbox
         FROM hotels WHERE id = $1",
        id,
    )
    .fetch_optional(conn)
    .await?;
    row.map(Hotel::try_from).transpose()
}

fn not_found() -> Error {
    Error::not_found(Record::Hotel)
}

/// All hotels, by slug.
pub async fn find_all(conn: &mut PgConnection) -> Result<Vec<Hotel>> {
    let rows = query_as!(
        Row,
        "SELECT id, slug, name, time_zone, check_in_time, check_out_time, room_access_keys_enabled, is_sandbox
         FROM hotels ORDER BY slug",
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Hotel::try_from).collect()
}

/// Raises the bound of the overlap scan to a stay of `nights`, where it is lower.
pub async fn raise_longest_stay(conn: &mut PgConnection, hotel: HotelId, nights: i32) -> sqlx::Result<()> {
    query!("UPDATE hotels SET longest_stay_nights = $2 WHERE id = $1 AND longest_stay_nights < $2", hotel, nights)
        .execute(conn)
        .await?;
    Ok(())
}

/// Nights of the hotel's longest stay so far.
pub async fn longest_stay(conn: &mut PgConnection, hotel: HotelId) -> sqlx::Result<i32> {
    query_scalar!("SELECT longest_stay_nights FROM hotels WHERE id = $1", hotel).fetch_one(conn).await
}
