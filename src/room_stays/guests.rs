//! Guest lists of stays.

use uuid::Uuid;

use super::{LockedStay, UPDATED, lock_in, require_not_cancelled, store};
use crate::audit::{Entry, ObjectType};
use crate::clients;
use crate::error::{Error, Record, Result};
use crate::unit::Tx;

/// Name of the changed field in `room_stay.updated`.
const CHANGED: &str = "guests";

/// Puts a client at the end of a stay's guest list. One that is on it already stays in its place, without an event, so
/// that a retry is safe.
///
/// # Errors
/// `NOT_FOUND`, `RESERVATION_CANCELLED`
pub async fn add_guest_in(tx: &mut Tx, stay: Uuid, client: Uuid) -> Result<()> {
    let locked = lock_in(tx, stay, "roomStayId").await?;
    require_not_cancelled(&locked)?;
    let hotel = tx.actor.hotel.id;
    if !clients::exists(tx.conn().await?, hotel, client).await? {
        return Err(Error::not_found(Record::Client).at("clientId"));
    }
    let added = store::append_guest(tx.conn().await?, hotel, stay, client).await?;
    if added { written(tx, &locked, client).await } else { Ok(()) }
}

/// Takes a client off a stay's guest list.
///
/// # Errors
/// `NOT_FOUND`, also for a client that is not on the list; `RESERVATION_CANCELLED`
pub async fn remove_guest_in(tx: &mut Tx, stay: Uuid, client: Uuid) -> Result<()> {
    let locked = lock_in(tx, stay, "roomStayId").await?;
    require_not_cancelled(&locked)?;
    let hotel = tx.actor.hotel.id;
    if !store::remove_guest(tx.conn().await?, hotel, stay, client).await? {
        return Err(Error::not_found(Record::Guest).at("clientId"));
    }
    written(tx, &locked, client).await
}

async fn written(tx: &mut Tx, LockedStay { stay, .. }: &LockedStay, client: Uuid) -> Result<()> {
    let (hotel, now) = (tx.actor.hotel.clone(), tx.now);
    store::update(tx.conn().await?, &hotel, stay, now).await?;
    tx.emit(UPDATED.of(stay.id).with_fields([CHANGED]));
    tx.audit(Entry::updated(ObjectType::RoomStay, stay.id, [CHANGED]).with(ObjectType::Client, client));
    Ok(())
}
