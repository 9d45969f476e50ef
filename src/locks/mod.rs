//! Locks: the doors of a hotel, the spaces that hold them, the providers whose locks they have, and the encoders of cards.

mod model;
mod provider;
mod reference;
mod store;

use sqlx::PgConnection;
use uuid::Uuid;

pub use model::{Encoder, Entrance, Mode, Space};
pub use provider::{Provider, ProviderTraits};
pub use reference::{KEY_MAX, Reference, checked_key, split};
pub(crate) use store::raise_sequences;

use crate::error::{Error, ErrorAt as _, Record, Result};
use crate::hotels::HotelId;
use crate::unit::Tx;

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
    let known = store::known_spaces(tx.conn().await?, hotel, split(spaces)).await?;
    let is_known = |reference: &Reference| known.iter().any(|(id, key)| reference.names(*id, key.as_deref()));
    if let Some(index) = spaces.iter().position(|space| !is_known(space)) {
        return Err(Error::not_found(Record::Space).at(index).at("spaceIds"));
    }
    let spaces: Vec<Uuid> = known.into_iter().map(|(id, _)| id).collect();
    let locked = store::lock_entrances(tx.conn().await?, hotel, split(entrances), &spaces).await?;
    let is_locked =
        |reference: &Reference| locked.iter().any(|entrance| reference.names(entrance.id, entrance.key.as_deref()));
    if let Some(index) = entrances.iter().position(|entrance| !is_locked(entrance)) {
        return Err(Error::not_found(Record::Entrance).at(index).at("entranceIds"));
    }
    Ok((locked, spaces))
}

/// Doors by their ids, held until the transaction ends, in the order of their ids.
pub async fn lock_entrances_by_id_in(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<Entrance>> {
    let hotel = tx.actor.hotel.id;
    store::lock_entrances(tx.conn().await?, hotel, (ids.to_vec(), Vec::new()), &[]).await
}

/// Doors by their ids.
pub async fn entrances_by_id(conn: &mut PgConnection, hotel: HotelId, ids: &[Uuid]) -> Result<Vec<Entrance>> {
    store::entrances_by_id(conn, hotel, ids).await
}

/// The doors of a room.
pub async fn entrances_of_room_in(tx: &mut Tx, room: Uuid) -> Result<Vec<Entrance>> {
    let hotel = tx.actor.hotel.id;
    store::entrances_of_space(tx.conn().await?, hotel, room).await
}

/// The doors of rooms, held until the transaction ends, in the order of their ids, each with its room.
pub async fn lock_entrances_of_rooms_in(tx: &mut Tx, rooms: &[Uuid]) -> Result<Vec<(Uuid, Entrance)>> {
    let hotel = tx.actor.hotel.id;
    let doors = store::entrances_of_spaces(tx.conn().await?, hotel, rooms).await?;
    let ids = doors.iter().map(|(_, entrance)| *entrance).collect();
    let locked = store::lock_entrances(tx.conn().await?, hotel, (ids, Vec::new()), &[]).await?;
    let entrance = |id: Uuid| locked.iter().find(|entrance| entrance.id == id).cloned();
    Ok(doors.into_iter().filter_map(|(room, id)| Some((room, entrance(id)?))).collect())
}
