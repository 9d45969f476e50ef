//! Locks: the doors of a hotel, the spaces that hold them, the providers whose locks they have, and the encoders of cards.

mod encoders;
mod entrances;
mod model;
mod provider;
mod reference;
mod room_spaces;
mod spaces;
mod store;

use uuid::Uuid;

pub use encoders::{EncoderChange, NewEncoder, create_encoder_in, delete_encoder_in, update_encoder_in};
pub use entrances::{EntranceChange, NewEntrance, create_entrance_in, delete_entrance_in, update_entrance_in};
pub use model::{Encoder, Entrance, Mode, Space};
pub use provider::{Provider, ProviderTraits};
pub use reference::{KEY_MAX, Reference, checked_key, split};
pub use room_spaces::RoomSpaces;
pub(crate) use room_spaces::follow_rooms;
pub use spaces::{
    NewSpace, SpaceChange, add_space_entrances_in, create_space_in, delete_space_in, remove_space_entrances_in,
    update_space_in,
};
pub use store::encoders::{EncoderField, bounds as encoder_bounds, page as encoder_page};
pub use store::entrances::{
    EntranceField, EntranceList, bounds as entrance_bounds, by_ids as entrances_by_ids,
    of_spaces as entrances_of_spaces, page as entrance_page,
};
pub(crate) use store::held::raise_sequences;
pub use store::providers::providers;
pub use store::spaces::{
    SpaceField, bounds as space_bounds, by_ids as spaces_by_ids, of_entrances as spaces_of_entrances,
    page as space_page,
};

use crate::error::{Error, Record, Result};
use crate::rooms;
use crate::unit::Tx;
use store::held;

/// Longest name of a door, a space or an encoder, in characters.
pub const NAME_MAX: usize = 200;

/// The doors that are named, by themselves or as those of a space, each once and in the order of their ids, and the ids of the spaces. They
/// are held until the transaction ends, so that who may open them is decided by one at a time.
///
/// # Errors
/// `NOT_FOUND` for one that the hotel does not have, at its place in `entranceIds` or `spaceIds`.
pub async fn lock_entrances_in(
    tx: &mut Tx,
    entrances: &[Reference],
    spaces: &[Reference],
) -> Result<(Vec<Entrance>, Vec<Uuid>)> {
    let hotel = tx.actor.hotel.id;
    let held =
        if spaces.is_empty() { Vec::new() } else { held::lock_spaces(tx.conn().await?, hotel, split(spaces)).await? };
    let is_held = |reference: &Reference| held.iter().any(|space| reference.names(space.id, space.key.as_deref()));
    if let Some(index) = spaces.iter().position(|space| !is_held(space)) {
        return Err(Error::not_found(Record::Space).at(index).at("spaceIds"));
    }
    let (mut ids, keys) = split(entrances);
    ids.extend(held.iter().flat_map(|space| &space.entrance_ids));
    let locked = held::lock_entrances(tx.conn().await?, hotel, (ids, keys)).await?;
    require_all(entrances, &locked)?;
    Ok((locked, held.into_iter().map(|space| space.id).collect()))
}

/// Doors by their ids, held until the transaction ends, in the order of their ids.
pub async fn lock_entrances_by_id_in(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Entrance>> {
    let hotel = tx.actor.hotel.id;
    held::lock_entrances(tx.conn().await?, hotel, (ids.to_vec(), Vec::new())).await
}

/// The doors of a room.
pub async fn entrances_of_room_in(tx: &mut Tx, room: Uuid) -> Result<Vec<Entrance>> {
    let hotel = tx.actor.hotel.id;
    Ok(entrances_of_spaces(tx.conn().await?, hotel, &[room]).await?.pop().unwrap_or_default())
}

/// The doors of rooms, held until the transaction ends, in the order of their ids, each with its room.
pub async fn lock_entrances_of_rooms_in(tx: &mut Tx, rooms: &[Uuid]) -> Result<Vec<(Uuid, Entrance)>> {
    let hotel = tx.actor.hotel.id;
    let doors = held::entrances_of_spaces(tx.conn().await?, hotel, rooms).await?;
    let ids = doors.iter().map(|(_, entrance)| *entrance).collect();
    let locked = held::lock_entrances(tx.conn().await?, hotel, (ids, Vec::new())).await?;
    let entrance = |id: Uuid| locked.iter().find(|entrance| entrance.id == id).cloned();
    Ok(doors.into_iter().filter_map(|(room, id)| Some((room, entrance(id)?))).collect())
}

/// Refuses doors that are named and not among those that were found.
fn require_all(named: &[Reference], found: &[Entrance]) -> Result<()> {
    let is_found =
        |reference: &Reference| found.iter().any(|entrance| reference.names(entrance.id, entrance.key.as_deref()));
    match named.iter().position(|reference| !is_found(reference)) {
        Some(index) => Err(Error::not_found(Record::Entrance).at(index).at("entranceIds")),
        None => Ok(()),
    }
}

/// The name of a door, a space or an encoder, as it is kept.
fn checked_name(name: &str) -> Result<String> {
    rooms::checked_name(name, NAME_MAX)
}
