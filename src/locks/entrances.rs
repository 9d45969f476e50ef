//! Making, changing and deleting doors.

use uuid::Uuid;

use super::model::{changed_fields_of_entrance, checked_modes};
use super::store::entrances as store;
use super::{Entrance, Mode, Provider, Reference, checked_key, checked_name};
use crate::audit::{Entry, ObjectType};
use crate::error::{Error, ErrorAt, Message, Record, Result, violated_constraint};
use crate::unit::Tx;

/// A door to be made.
pub struct NewEntrance {
    /// Name by which clients find it, unique in the hotel.
    pub key: Option<String>,
    /// Name that people read, 1 to 200 characters.
    pub name: String,
    /// Whose lock it has.
    pub provider: Provider,
    /// Whether it can belong to a reservation.
    pub can_belong_to_reservation: bool,
    /// What opens it, at least one.
    pub modes: Vec<Mode>,
}

/// What to change of a door; an outer `None` leaves it as it is.
#[derive(Default)]
pub struct EntranceChange {
    /// New key.
    pub key: Option<Option<String>>,
    /// New name, 1 to 200 characters.
    pub name: Option<String>,
    /// New maker of its lock.
    pub provider: Option<Provider>,
    /// Whether it can belong to a reservation.
    pub can_belong_to_reservation: Option<bool>,
    /// What opens it, at least one.
    pub modes: Option<Vec<Mode>>,
}

/// Adds a door.
///
/// # Errors
/// `INVALID_ARGUMENT`, `NAME_TAKEN` for its key
pub async fn create_entrance_in(tx: &mut Tx, new: NewEntrance) -> Result<Entrance> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let entrance = Entrance {
        id: tx.context.ids.uuid(now),
        key: new.key.map(checked_key).transpose().at("entranceKey")?,
        name: checked_name(&new.name)?,
        provider: new.provider,
        can_belong_to_reservation: new.can_belong_to_reservation,
        modes: checked_modes(&new.modes).at("modes")?,
        created_at: now,
        updated_at: now,
    };
    store::insert(tx.conn().await?, hotel, &entrance).await.map_err(refused)?;
    tx.audit(Entry::created(ObjectType::Entrance, entrance.id));
    Ok(entrance)
}

/// Changes a door. What decides how reservations share it stays as it is while one has it.
///
/// # Errors
/// `NOT_FOUND`, `INVALID_ARGUMENT`, `NAME_TAKEN` for its key
pub async fn update_entrance_in(tx: &mut Tx, reference: &Reference, change: EntranceChange) -> Result<Entrance> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let before = lock_in(tx, reference).await?;
    let mut after = before.clone();
    if let Some(key) = change.key {
        after.key = key.map(checked_key).transpose().at("entranceKey")?;
    }
    if let Some(name) = change.name {
        after.name = checked_name(&name)?;
    }
    after.provider = change.provider.unwrap_or(before.provider);
    after.can_belong_to_reservation = change.can_belong_to_reservation.unwrap_or(before.can_belong_to_reservation);
    if let Some(modes) = change.modes {
        after.modes = checked_modes(&modes).at("modes")?;
    }
    let changed = changed_fields_of_entrance(&before, &after);
    if let Some(name) = changed.iter().copied().find(|name| ["provider", "canBelongToReservation"].contains(name))
        && store::is_of_reservation(tx.conn().await?, hotel, before.id).await?
    {
        return Err(Error::new(Message::EntranceOfReservation { name }).at(name));
    }
    if !changed.is_empty() {
        after.updated_at = now;
        store::update(tx.conn().await?, hotel, &after).await.map_err(refused)?;
        tx.audit(Entry::updated(ObjectType::Entrance, after.id, changed));
    }
    Ok(after)
}

/// Deletes a door that no grant has, or has had, with its commands, and takes it out of its spaces.
///
/// # Errors
/// `NOT_FOUND`, `INVALID_ARGUMENT`
pub async fn delete_entrance_in(tx: &mut Tx, reference: &Reference) -> Result<Uuid> {
    let hotel = tx.actor.hotel.id;
    let Entrance { id, .. } = lock_in(tx, reference).await?;
    store::delete(tx.conn().await?, hotel, id).await.map_err(refused)?;
    tx.audit(Entry::deleted(ObjectType::Entrance, id));
    Ok(id)
}

async fn lock_in(tx: &mut Tx, reference: &Reference) -> Result<Entrance> {
    let hotel = tx.actor.hotel.id;
    let entrance = store::lock(tx.conn().await?, hotel, reference).await?;
    entrance.ok_or_else(|| Error::not_found(Record::Entrance).at("id"))
}

/// What a violated constraint means.
fn refused(error: sqlx::Error) -> Error {
    match violated_constraint(&error) {
        Some("entrances_key_key") => Error::new(Message::EntranceKeyTaken).at("entranceKey"),
        Some("access_grant_entrances_entrance_fkey" | "access_reservation_doors_entrance_fkey") => {
            Error::new(Message::EntranceOfGrants).at("id")
        }
        _ => error.into(),
    }
}
