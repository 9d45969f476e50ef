//! The SQL of hotels.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, query, query_scalar};

use super::{Hotel, HotelId};
use crate::error::{Error, Result};

/// Adds a hotel.
pub async fn insert(conn: &mut PgConnection, hotel: &Hotel, now: DateTime<Utc>) -> sqlx::Result<()> {
    query!(
        "INSERT INTO hotels (id, slug, name, time_zone, check_in_time, check_out_time, room_access_keys_enabled, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        hotel.id,
        hotel.slug,
        hotel.name,
        hotel.time_zone.name(),
        hotel.check_in_time,
        hotel.check_out_time,
        hotel.room_access_keys_enabled,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The hotel with that slug.
pub async fn find_by_slug(conn: &mut PgConnection, slug: &str) -> Result<Option<Hotel>> {
    let row = query!(
        "SELECT id, slug, name, time_zone, check_in_time, check_out_time, room_access_keys_enabled
         FROM hotels WHERE slug = $1",
        slug,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(Hotel {
            id: row.id,
            slug: row.slug,
            name: row.name,
            time_zone: row.time_zone.parse().map_err(Error::internal)?,
            check_in_time: row.check_in_time,
            check_out_time: row.check_out_time,
            room_access_keys_enabled: row.room_access_keys_enabled,
        })
    })
    .transpose()
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
