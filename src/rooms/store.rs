//! The SQL of categories and rooms.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row, query, query_scalar};
use uuid::Uuid;

use super::model::{Category, CleaningStatus, RoomSetup};
use crate::error::{Error, Result};
use crate::hotels::HotelId;

/// The category whose columns stand in `row` under `prefix` (`id`, `name`, `description`); `None` where an outer join
/// found none.
pub(crate) fn category_from_row(row: &PgRow, prefix: &str) -> Result<Option<Category>> {
    let Some(id) = row.try_get(format!("{prefix}_id").as_str())? else { return Ok(None) };
    Ok(Some(Category {
        id,
        name: row.try_get(format!("{prefix}_name").as_str())?,
        description: row.try_get(format!("{prefix}_description").as_str())?,
    }))
}

/// The room whose columns stand in `row` as `rs_*`, and its category as `rc_*`.
pub(crate) fn room_setup_from_row(row: &PgRow) -> Result<Option<RoomSetup>> {
    let Some(id) = row.try_get("rs_id")? else { return Ok(None) };
    Ok(Some(RoomSetup {
        id,
        name: row.try_get("rs_name")?,
        area_name: row.try_get("rs_area_name")?,
        category: category_from_row(row, "rc")?.ok_or_else(|| Error::internal("a room without a category"))?,
        cleaning_status: CleaningStatus::parse(row.try_get("rs_cleaning_status")?)?,
    }))
}

pub(super) async fn categories(conn: &mut PgConnection, hotel: HotelId) -> Result<Vec<Category>> {
    let rows = query!("SELECT id, name, description FROM categories WHERE hotel_id = $1 ORDER BY name, id", hotel)
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|row| Category { id: row.id, name: row.name, description: row.description }).collect())
}

pub(super) async fn find_category(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> Result<Option<Category>> {
    let row =
        query!("SELECT id, name, description FROM categories WHERE hotel_id = $1 AND id = $2 FOR UPDATE", hotel, id)
            .fetch_optional(conn)
            .await?;
    Ok(row.map(|row| Category { id: row.id, name: row.name, description: row.description }))
}

pub(super) async fn insert_category(
    conn: &mut PgConnection,
    hotel: HotelId,
    category: &Category,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    query!(
        "INSERT INTO categories (hotel_id, id, name, description, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)",
        hotel,
        category.id,
        category.name,
        category.description,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn update_category(
    conn: &mut PgConnection,
    hotel: HotelId,
    category: &Category,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    query!(
        "UPDATE categories SET name = $3, description = $4, updated_at = $5 WHERE hotel_id = $1 AND id = $2",
        hotel,
        category.id,
        category.name,
        category.description,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn room_setups(conn: &mut PgConnection, hotel: HotelId) -> Result<Vec<RoomSetup>> {
    let rows = sqlx::query(
        "SELECT rs.id AS rs_id, rs.name AS rs_name, rs.area_name AS rs_area_name,
                rs.cleaning_status AS rs_cleaning_status, rc.id AS rc_id, rc.name AS rc_name,
                rc.description AS rc_description
         FROM room_setups rs JOIN categories rc ON rc.hotel_id = rs.hotel_id AND rc.id = rs.category_id
         WHERE rs.hotel_id = $1 ORDER BY rs.name, rs.id",
    )
    .bind(hotel)
    .fetch_all(conn)
    .await?;
    rows.iter().filter_map(|row| room_setup_from_row(row).transpose()).collect()
}

pub(super) async fn find_room_setup(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> Result<Option<RoomSetup>> {
    let row = sqlx::query(
        "SELECT rs.id AS rs_id, rs.name AS rs_name, rs.area_name AS rs_area_name,
                rs.cleaning_status AS rs_cleaning_status, rc.id AS rc_id, rc.name AS rc_name,
                rc.description AS rc_description
         FROM room_setups rs JOIN categories rc ON rc.hotel_id = rs.hotel_id AND rc.id = rs.category_id
         WHERE rs.hotel_id = $1 AND rs.id = $2 FOR UPDATE OF rs",
    )
    .bind(hotel)
    .bind(id)
    .fetch_optional(conn)
    .await?;
    row.as_ref().map_or(Ok(None), room_setup_from_row)
}

pub(super) async fn room_setup_exists(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> Result<bool> {
    let found = query_scalar!("SELECT id FROM room_setups WHERE hotel_id = $1 AND id = $2", hotel, id)
        .fetch_optional(conn)
        .await?;
    Ok(found.is_some())
}

pub(super) async fn category_exists(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> Result<bool> {
    let found = query_scalar!("SELECT id FROM categories WHERE hotel_id = $1 AND id = $2", hotel, id)
        .fetch_optional(conn)
        .await?;
    Ok(found.is_some())
}

pub(super) async fn insert_room_setup(
    conn: &mut PgConnection,
    hotel: HotelId,
    room: &RoomSetup,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    query!(
        "INSERT INTO room_setups (hotel_id, id, name, area_name, category_id, cleaning_status, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
        hotel,
        room.id,
        room.name,
        room.area_name,
        room.category.id,
        room.cleaning_status.as_str(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn update_room_setup(
    conn: &mut PgConnection,
    hotel: HotelId,
    room: &RoomSetup,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    query!(
        "UPDATE room_setups SET name = $3, area_name = $4, category_id = $5, cleaning_status = $6, updated_at = $7
         WHERE hotel_id = $1 AND id = $2",
        hotel,
        room.id,
        room.name,
        room.area_name,
        room.category.id,
        room.cleaning_status.as_str(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
