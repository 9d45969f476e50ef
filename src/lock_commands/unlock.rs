//! Doors that are opened from afar. Nobody waits for such a command: it is known at once what comes of it.

use uuid::Uuid;

use super::{CommandOf, CommandStatus, Failure, NewUnlock, emit_finished, store};
use crate::audit::{Entry, ObjectType};
use crate::error::Result;
use crate::hotels::Hotel;
use crate::unit::Tx;

/// Opens a door, in the name of the integration that acts. Answers with the command's id.
///
/// # Errors
/// `FORBIDDEN` for who is no integration.
pub async fn unlock_in(tx: &mut Tx, new: NewUnlock) -> Result<Uuid> {
    let (hotel, integration, now) = (tx.actor.hotel.id, tx.actor.integration()?, tx.now);
    let id = tx.context.ids.uuid(now);
    let failure = failure_in(&tx.actor.hotel);
    let status = if failure.is_none() { CommandStatus::Succeeded } else { CommandStatus::Failed };
    store::insert_unlock(tx.conn().await?, hotel, integration, id, &new, (status, failure), now).await?;
    tx.audit(Entry::created(ObjectType::LockCommand, id).with(ObjectType::Entrance, new.entrance_id));
    emit_finished(tx, CommandOf { id, subject_id: new.subject_id }, failure);
    Ok(id)
}

/// Why a door of the hotel does not open; `None`: it does. The doors of a sandbox are simulated, and to those of other hotels nothing
/// is connected.
const fn failure_in(hotel: &Hotel) -> Option<Failure> {
    if hotel.is_sandbox { None } else { Some(Failure::DeviceNotConnected) }
}
