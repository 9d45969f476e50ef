//! Rooms: what a hotel sells (categories) and where guests sleep (room setups).
//!
//! Names are unique in the hotel, whatever their capitals and spaces ([`text`](crate::text)). A room has one category; a stay may be booked in one category and sleep in a room of
//! another (an upgrade).

mod model;
mod store;

use sqlx::PgConnection;
use uuid::Uuid;

pub(crate) use model::checked_name;
pub use model::{Category, CleaningStatus, RoomSetup};
pub(crate) use store::{category_from_row, find_room_setup_called, room_setup_from_row};

use crate::audit::{Action, Entry, ObjectType};
use crate::error::{Error, ErrorAt, ErrorCode, Record, Result, violated_constraint};
use crate::events::{Audience, ChangeKind};
use crate::hotels::HotelId;
use crate::unit::Tx;

const CATEGORY_NAME_MAX: usize = 200;
/// Longest name of a room, in characters.
pub const ROOM_NAME_MAX: usize = 50;

/// A room was made. Only followers hear of it, such as the space that it is.
pub static CREATED: ChangeKind = ChangeKind {
    event_type: "room_setup.created",
    action: Action::Created,
    object: ObjectType::RoomSetup,
    audience: Audience::Nobody,
    names_fields: false,
    meaning: "a room was made",
    seam: &[],
};
/// A room was changed. Only followers hear of it.
pub static UPDATED: ChangeKind = ChangeKind {
    event_type: "room_setup.updated",
    action: Action::Updated,
    object: ObjectType::RoomSetup,
    audience: Audience::Nobody,
    names_fields: true,
    meaning: "a room was changed",
    seam: &[],
};

/// What to change of a category; an outer `None` leaves it as it is.
#[derive(Default)]
pub struct CategoryChange {
    /// New name, 1 to 200 characters.
    pub name: Option<String>,
    /// New description.
    pub description: Option<Option<String>>,
}

/// What to change of a room; an outer `None` leaves it as it is.
#[derive(Default)]
pub struct RoomSetupChange {
    /// New name, 1 to 50 characters.
    pub name: Option<String>,
    /// New part of the house.
    pub area_name: Option<Option<String>>,
    /// New category.
    pub category_id: Option<Uuid>,
    /// New cleaning status.
    pub cleaning_status: Option<CleaningStatus>,
}

/// All categories of the hotel, by name.
pub async fn categories(conn: &mut PgConnection, hotel: HotelId) -> Result<Vec<Category>> {
    store::categories(conn, hotel).await
}

/// All rooms of the hotel, by name.
pub async fn room_setups(conn: &mut PgConnection, hotel: HotelId) -> Result<Vec<RoomSetup>> {
    store::room_setups(conn, hotel).await
}

/// Those of these rooms that the hotel has, by id.
pub async fn room_setups_by_ids(conn: &mut PgConnection, hotel: HotelId, ids: &[Uuid]) -> Result<Vec<RoomSetup>> {
    store::room_setups_by_ids(conn, hotel, ids).await
}

/// Adds a category.
///
/// # Errors
/// `INVALID_ARGUMENT`, `NAME_TAKEN`
pub async fn create_category_in(tx: &mut Tx, name: String, description: Option<String>) -> Result<Category> {
    let name = model::checked_name(&name, CATEGORY_NAME_MAX)?;
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    refuse_taken(store::find_category_called(tx.conn().await?, hotel, &name).await?, None)?;
    let category = Category { id: tx.context.ids.uuid(now), name, description };
    store::insert_category(tx.conn().await?, hotel, &category, now).await.map_err(name_taken)?;
    tx.audit(Entry::created(ObjectType::Category, category.id));
    Ok(category)
}

/// Changes a category.
///
/// # Errors
/// `NOT_FOUND`, `INVALID_ARGUMENT`, `NAME_TAKEN`
pub async fn update_category_in(tx: &mut Tx, id: Uuid, change: CategoryChange) -> Result<Category> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let before = store::find_category(tx.conn().await?, hotel, id)
        .await?
        .ok_or_else(|| Error::not_found(Record::Category).at("id"))?;
    let mut category = before.clone();
    if let Some(name) = change.name {
        category.name = model::checked_name(&name, CATEGORY_NAME_MAX)?;
        if category.name != before.name {
            refuse_taken(store::find_category_called(tx.conn().await?, hotel, &category.name).await?, Some(id))?;
        }
    }
    if let Some(description) = change.description {
        category.description = description;
    }
    let changed = model::changed_fields_of_category(&before, &category);
    if !changed.is_empty() {
        store::update_category(tx.conn().await?, hotel, &category, now).await.map_err(name_taken)?;
        tx.audit(Entry::updated(ObjectType::Category, id, changed));
    }
    Ok(category)
}

/// Adds a room.
///
/// # Errors
/// `NOT_FOUND` for the category, `INVALID_ARGUMENT`, `NAME_TAKEN`
pub async fn create_room_setup_in(
    tx: &mut Tx,
    name: String,
    area_name: Option<String>,
    category_id: Uuid,
) -> Result<RoomSetup> {
    let name = model::checked_name(&name, ROOM_NAME_MAX)?;
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    refuse_taken(store::find_room_setup_called(tx.conn().await?, hotel, &name).await?.map(|(id, _)| id), None)?;
    let category = category_in(tx, category_id).await?;
    let room =
        RoomSetup { id: tx.context.ids.uuid(now), name, area_name, category, cleaning_status: CleaningStatus::Clean };
    store::insert_room_setup(tx.conn().await?, hotel, &room, now).await.map_err(name_taken)?;
    tx.emit(CREATED.of(room.id));
    Ok(room)
}

/// Changes a room.
///
/// # Errors
/// `NOT_FOUND`, `INVALID_ARGUMENT`, `NAME_TAKEN`
pub async fn update_room_setup_in(tx: &mut Tx, id: Uuid, change: RoomSetupChange) -> Result<RoomSetup> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let before = store::find_room_setup(tx.conn().await?, hotel, id)
        .await?
        .ok_or_else(|| Error::not_found(Record::Room).at("id"))?;
    let mut room = before.clone();
    if let Some(name) = change.name {
        room.name = model::checked_name(&name, ROOM_NAME_MAX)?;
        if room.name != before.name {
            let called = store::find_room_setup_called(tx.conn().await?, hotel, &room.name).await?;
            refuse_taken(called.map(|(id, _)| id), Some(id))?;
        }
    }
    if let Some(area_name) = change.area_name {
        room.area_name = area_name;
    }
    if let Some(category_id) = change.category_id {
        room.category = category_in(tx, category_id).await?;
    }
    if let Some(cleaning_status) = change.cleaning_status {
        room.cleaning_status = cleaning_status;
    }
    let changed = model::changed_fields_of_room(&before, &room);
    if !changed.is_empty() {
        store::update_room_setup(tx.conn().await?, hotel, &room, now).await.map_err(name_taken)?;
        tx.emit(UPDATED.of(id).with_fields(changed));
    }
    Ok(room)
}

/// Refuses a room that the hotel does not have.
pub(crate) async fn require_room_setup_in(tx: &mut Tx, id: Uuid) -> Result<()> {
    let hotel = tx.actor.hotel.id;
    let exists = store::room_setup_exists(tx.conn().await?, hotel, id).await?;
    if exists { Ok(()) } else { Err(Error::not_found(Record::Room)).at("roomSetupId") }
}

/// Refuses a category that the hotel does not have.
pub(crate) async fn require_category_in(tx: &mut Tx, id: Uuid) -> Result<()> {
    let hotel = tx.actor.hotel.id;
    let exists = store::category_exists(tx.conn().await?, hotel, id).await?;
    if exists { Ok(()) } else { Err(Error::not_found(Record::Category)).at("categoryId") }
}

async fn category_in(tx: &mut Tx, id: Uuid) -> Result<Category> {
    let hotel = tx.actor.hotel.id;
    store::find_category(tx.conn().await?, hotel, id)
        .await?
        .ok_or_else(|| Error::not_found(Record::Category).at("categoryId"))
}

/// Refuses a name that another record than `own` goes by.
fn refuse_taken(called: Option<Uuid>, own: Option<Uuid>) -> Result<()> {
    if called.is_some() && called != own { Err(Error::of(ErrorCode::NameTaken).at("name")) } else { Ok(()) }
}

/// Somebody else took the name since it was looked for.
fn name_taken(error: sqlx::Error) -> Error {
    match violated_constraint(&error) {
        Some(
            "categories_hotel_id_name_key"
            | "categories_hotel_id_name_folded_key"
            | "room_setups_hotel_id_name_key"
            | "room_setups_hotel_id_name_folded_key",
        ) => Error::of(ErrorCode::NameTaken).at("name"),
        _ => error.into(),
    }
}
