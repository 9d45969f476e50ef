//! Locks: the doors of a hotel, the spaces that hold them, the providers whose locks they have, and the encoders of cards.

mod model;
mod provider;
mod store;

use std::collections::BTreeSet;

use uuid::Uuid;

pub use model::{Encoder, Entrance, Mode, Space};
pub use provider::{Provider, ProviderTraits};
pub(crate) use store::next_sequences;

use crate::error::{Error, Record, Result};
use crate::unit::Tx;

/// The doors that are named, by themselves or as those of a space, each once and in the order of their ids. They are held until the
/// transaction ends, so that who may open them is decided by one at a time.
///
/// # Errors
/// `NOT_FOUND` for one that the hotel does not have, at its place in `entranceIds` or `spaceIds`.
pub async fn lock_entrances_in(tx: &mut Tx, entrances: &[Uuid], spaces: &[Uuid]) -> Result<Vec<Entrance>> {
    let hotel = tx.actor.hotel.id;
    let known: BTreeSet<Uuid> = store::known_spaces(tx.conn().await?, hotel, spaces).await?.into_iter().collect();
    if let Some(index) = spaces.iter().position(|space| !known.contains(space)) {
        return Err(Error::not_found(Record::Space).at(index).at("spaceIds"));
    }
    let locked = store::lock_entrances(tx.conn().await?, hotel, entrances, spaces).await?;
    if let Some(index) = entrances.iter().position(|id| !locked.iter().any(|entrance| entrance.id == *id)) {
        return Err(Error::not_found(Record::Entrance).at(index).at("entranceIds"));
    }
    Ok(locked)
}
