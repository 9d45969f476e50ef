//! The SQL of categories and rooms.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, QueryBuilder, Row, query, query_scalar};
use uuid::Uuid;

use super::model::{Category, CleaningStatus, RoomSetup};
use crate::error::{Error, Result};
use crate::hotels::HotelId;
use crate::text;

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

/// The category that goes by a name.
pub(super) async fn find_category_called(conn: &mut PgConnection, hotel: HotelId, name: &str) -> Result<Option<Uuid>> {
    let rows = query!(
        "SELECT id, name FROM categories WHERE hotel_id = $1 AND (name_folded = $2 OR name_folded IS NULL) ORDER BY id",
        hotel,
        text::fold(name),
    )
    .fetch_all(conn)
    .await?;
    Ok(text::called(rows, name, |row| &row.name).map(|row| row.id))
}

/// The room that goes by a name, and its category.
pub(crate) async fn find_room_setup_called(
    conn: &mut PgConnection,
    hotel: HotelId,
    name: &str,
) -> Result<Option<(Uuid, Uuid)>> {
    let rows = query!(
        "SELECT id, name, category_id FROM room_setups
         WHERE hotel_id = $1 AND (name_folded = $2 OR name_folded IS NULL) ORDER BY id",
        hotel,
        text::fold(name),
    )
    .fetch_all(conn)
    .await?;
    Ok(text::called(rows, name, |row| &row.name).map(|row| (row.id, row.category_id)))
}

pub(super) async fn insert_category(
    conn: &mut PgConnection,
    hotel: HotelId,
    category: &Category,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    query!(
        "INSERT INTO categories (hotel_id, id, name, name_folded, description, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6)",
        hotel,
        category.id,
        category.name,
        text::fold(&category.name),
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
        "UPDATE categories SET name = $3, name_folded = CASE WHEN name = $3 THEN name_folded ELSE $4 END, description = $5,
                               updated_at = $6
         WHERE hotel_id = $1 AND id = $2",
        hotel,
        category.id,
        category.name,
        text::fold(&category.name),
        category.description,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Rooms with their categories, as [`room_setup_from_row`] reads them, up to the id of the hotel.
const SELECT_ROOM_SETUPS: &str = "SELECT rs.id AS rs_id, rs.name AS rs_name, rs.area_name AS rs_area_name,
            rs.cleaning_status AS rs_cleaning_status, rc.id AS rc_id, rc.name AS rc_name,
            rc.description AS rc_description
     FROM room_setups rs JOIN categories rc ON rc.hotel_id = rs.hotel_id AND rc.id = rs.category_id
     WHERE rs.hotel_id = ";

pub(super) async fn room_setups(conn: &mut PgConnection, hotel: HotelId) -> Result<Vec<RoomSetup>> {
    let mut sql = QueryBuilder::new(SELECT_ROOM_SETUPS);
    sql.push_bind(hotel).push(" ORDER BY rs.name, rs.id");
    let rows = sql.build().fetch_all(conn).await?;
    rows.iter().filter_map(|row| room_setup_from_row(row).transpose()).collect()
}

pub(super) async fn room_setups_by_ids(
    conn: &mut PgConnection,
    hotel: HotelId,
    ids: &[Uuid],
) -> Result<Vec<RoomSetup>> {
    let mut sql = QueryBuilder::new(SELECT_ROOM_SETUPS);
    sql.push_bind(hotel).push(" AND rs.id = ANY(").push_bind(ids.to_vec()).push(")");
    let rows = sql.build().fetch_all(conn).await?;
    rows.iter().filter_map(|row| room_setup_from_row(row).transpose()).collect()
}

pub(super) async fn find_room_setup(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> Result<Option<RoomSetup>> {
    let mut sql = QueryBuilder::new(SELECT_ROOM_SETUPS);
    sql.push_bind(hotel).push(" AND rs.id = ").push_bind(id).push(" FOR UPDATE OF rs");
    let row = sql.build().fetch_optional(conn).await?;
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
        "INSERT INTO room_setups (hotel_id, id, name, name_folded, area_name, category_id, cleaning_status, created_at,
                                  updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
        hotel,
        room.id,
        room.name,
        text::fold(&room.name),
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
        "UPDATE room_setups SET name = $3, name_folded = CASE WHEN name = $3 THEN name_folded ELSE $4 END, area_name = $5,
                                category_id = $6, cleaning_status = $7, updated_at = $8
         WHERE hotel_id = $1 AND id = $2",
        hotel,
        room.id,
        room.name,
        text::fold(&room.name),
        room.area_name,
        room.category.id,
        room.cleaning_status.as_str(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
