//! Making, changing and deleting spaces, and which doors they hold.
//!
//! A grant has the doors that its spaces held when it was made: what changes here is for grants that are still to be made.

use uuid::Uuid;

use super::model::changed_fields_of_space;
use super::store::{held, spaces as store};
use super::{Entrance, Reference, Space, checked_key, checked_name, require_all, split};
use crate::audit::{Entry, ObjectType};
use crate::error::{Error, ErrorAt, Message, Record, Result, violated_constraint};
use crate::unit::Tx;

/// A space to be made.
pub struct NewSpace {
    /// Name by which clients find it, unique in the hotel.
    pub key: Option<String>,
    /// Name that people read, 1 to 200 characters.
    pub name: String,
    /// The doors that it holds.
    pub entrances: Vec<Reference>,
}

/// What to change of a space; an outer `None` leaves it as it is.
#[derive(Default)]
pub struct SpaceChange {
    /// New key.
    pub key: Option<Option<String>>,
    /// New name, 1 to 200 characters; not of a room.
    pub name: Option<String>,
    /// Doors in the place of those that it holds.
    pub entrances: Option<Vec<Reference>>,
}

/// Adds a space that is no room.
///
/// # Errors
/// `NOT_FOUND` for a door, `INVALID_ARGUMENT`, `NAME_TAKEN` for its key
pub async fn create_space_in(tx: &mut Tx, new: NewSpace) -> Result<Space> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let space = Space {
        id: tx.context.ids.uuid(now),
        key: new.key.map(checked_key).transpose().at("spaceKey")?,
        name: checked_name(&new.name)?,
        room_setup_id: None,
        created_at: now,
        updated_at: now,
    };
    let entrances = lock_entrances_in(tx, &new.entrances).await?;
    store::insert(tx.conn().await?, hotel, &space).await.map_err(refused)?;
    if !entrances.is_empty() {
        store::add_entrances(tx.conn().await?, hotel, space.id, &entrances).await?;
    }
    tx.audit(Entry::created(ObjectType::Space, space.id));
    Ok(space)
}

/// Changes the key, the name or the doors of a space.
///
/// # Errors
/// `NOT_FOUND`, for a door, too; `INVALID_ARGUMENT` also for another name of a room, `NAME_TAKEN` for its key
pub async fn update_space_in(tx: &mut Tx, reference: &Reference, change: SpaceChange) -> Result<Space> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let before = lock_in(tx, reference).await.at("id")?;
    let mut after = before.clone();
    if let Some(key) = change.key {
        after.key = key.map(checked_key).transpose().at("spaceKey")?;
    }
    if let Some(name) = change.name {
        after.name = checked_name(&name)?;
        if after.name != before.name && before.room_setup_id.is_some() {
            return Err(Error::new(Message::RoomNamesSpace).at("name"));
        }
    }
    let mut changed = changed_fields_of_space(&before, &after);
    if let Some(entrances) = &change.entrances {
        let entrances = lock_entrances_in(tx, entrances).await?;
        if store::replace_entrances(tx.conn().await?, hotel, after.id, &entrances).await? {
            changed.push("entrances");
        }
    }
    if !changed.is_empty() {
        after.updated_at = now;
        store::update(tx.conn().await?, hotel, &after).await.map_err(refused)?;
        tx.audit(Entry::updated(ObjectType::Space, after.id, changed));
    }
    Ok(after)
}

/// Deletes a space that is no room. Its doors stay.
///
/// # Errors
/// `NOT_FOUND`, `INVALID_ARGUMENT`
pub async fn delete_space_in(tx: &mut Tx, reference: &Reference) -> Result<Uuid> {
    let hotel = tx.actor.hotel.id;
    let space = lock_in(tx, reference).await.at("id")?;
    if space.room_setup_id.is_some() {
        return Err(Error::new(Message::RoomStaysSpace).at("id"));
    }
    store::delete(tx.conn().await?, hotel, space.id).await?;
    tx.audit(Entry::deleted(ObjectType::Space, space.id));
    Ok(space.id)
}

/// Puts doors into a space; those that are in it stay there.
///
/// # Errors
/// `NOT_FOUND`
pub async fn add_space_entrances_in(tx: &mut Tx, reference: &Reference, entrances: &[Reference]) -> Result<Space> {
    let hotel = tx.actor.hotel.id;
    let space = lock_in(tx, reference).await.at("spaceId")?;
    let entrances = lock_entrances_in(tx, entrances).await?;
    let added = store::add_entrances(tx.conn().await?, hotel, space.id, &entrances).await?;
    changed_entrances_in(tx, space, added).await
}

/// Takes doors out of a space; those that are not in it stay out.
///
/// # Errors
/// `NOT_FOUND`
pub async fn remove_space_entrances_in(tx: &mut Tx, reference: &Reference, entrances: &[Reference]) -> Result<Space> {
    let hotel = tx.actor.hotel.id;
    let space = lock_in(tx, reference).await.at("spaceId")?;
    let entrances = lock_entrances_in(tx, entrances).await?;
    let removed = store::remove_entrances(tx.conn().await?, hotel, space.id, &entrances).await?;
    changed_entrances_in(tx, space, removed).await
}

async fn changed_entrances_in(tx: &mut Tx, mut space: Space, count: u64) -> Result<Space> {
    if count > 0 {
        let hotel = tx.actor.hotel.id;
        space.updated_at = tx.now;
        store::update(tx.conn().await?, hotel, &space).await?;
        tx.audit(Entry::updated(ObjectType::Space, space.id, ["entrances"]));
    }
    Ok(space)
}

/// Spaces are held before their doors, everywhere.
async fn lock_in(tx: &mut Tx, reference: &Reference) -> Result<Space> {
    let hotel = tx.actor.hotel.id;
    store::lock(tx.conn().await?, hotel, reference).await?.ok_or_else(|| Error::not_found(Record::Space))
}

async fn lock_entrances_in(tx: &mut Tx, entrances: &[Reference]) -> Result<Vec<Uuid>> {
    if entrances.is_empty() {
        return Ok(Vec::new());
    }
    let hotel = tx.actor.hotel.id;
    let locked = held::lock_entrances(tx.conn().await?, hotel, split(entrances)).await?;
    require_all(entrances, &locked)?;
    Ok(locked.into_iter().map(|Entrance { id, .. }| id).collect())
}

/// What a violated constraint means.
fn refused(error: sqlx::Error) -> Error {
    match violated_constraint(&error) {
        Some("spaces_key_key") => Error::new(Message::SpaceKeyTaken).at("spaceKey"),
        _ => error.into(),
    }
}
