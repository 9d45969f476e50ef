//! Putting a room access key on a stay, and taking it off.

use uuid::Uuid;

use super::pending::{self, PendingKeys};
use super::store::LockedStay;
use super::{RoomStay, UPDATED, not_found, require_not_cancelled, require_not_departed};
use crate::audit::{Entry, ObjectType};
use crate::error::{Error, Message, Result};
use crate::room_access_keys;
use crate::unit::Tx;

/// Name of the changed field in `room_stay.updated`.
const CHANGED: &str = "roomAccessKey";

/// Puts one of the integration's own keys on a stay (checklist A26 to A28, A48).
///
/// The key that is already there is put there again without an event, so that a retry is safe. Answers the stay.
///
/// # Errors
/// `NOT_FOUND`, `RESERVATION_CANCELLED`, `ROOM_STAY_DEPARTED`, `KEY_ALREADY_ASSIGNED`, `ROOM_ACCESS_KEYS_DISABLED`
pub async fn add_key_in(tx: &mut Tx, stay: Uuid, key: Uuid) -> Result<RoomStay> {
    room_access_keys::require_enabled(tx)?;
    let locked = lock_in(tx, stay).await?;
    let key = room_access_keys::assign_own_in(tx, key).await?;
    require_not_cancelled(&locked)?;
    require_not_departed(tx, &locked.stay)?;
    match locked.stay.room_access_key {
        Some(present) if present.id == key.id => return Ok(locked.stay),
        Some(_) => return Err(Error::new(Message::StayHasKey).at("roomStayId")),
        None => {}
    }
    let stay = RoomStay { room_access_key: Some(key), ..locked.stay };
    change(tx, stay.clone(), key.id);
    Ok(stay)
}

/// Takes one of the integration's own keys off a stay (checklist A29, A62). Answers the stay.
///
/// # Errors
/// `NOT_FOUND`, `KEY_NOT_ASSIGNED`, `ROOM_ACCESS_KEYS_DISABLED`
pub async fn remove_key_in(tx: &mut Tx, stay: Uuid, key: Uuid) -> Result<RoomStay> {
    room_access_keys::require_enabled(tx)?;
    let locked = lock_in(tx, stay).await?;
    let key = room_access_keys::lock_own_in(tx, key).await?;
    if locked.stay.room_access_key != Some(key) {
        return Err(Error::new(Message::KeyNotOnStay).at("roomAccessKeyId"));
    }
    let stay = RoomStay { room_access_key: None, ..locked.stay };
    change(tx, stay.clone(), key.id);
    Ok(stay)
}

/// What the audit trail says when a key was put on a stay or taken off.
pub(crate) fn key_entry(stay: Uuid, key: Uuid) -> Entry {
    Entry::updated(ObjectType::RoomStay, stay, [CHANGED]).with(ObjectType::RoomAccessKey, key)
}

async fn lock_in(tx: &mut Tx, stay: Uuid) -> Result<LockedStay> {
    pending::lock_in(tx, stay).await?.ok_or_else(|| not_found().at("roomStayId"))
}

/// Changes a stay that `key` was put on or taken off.
fn change(tx: &mut Tx, stay: RoomStay, key: Uuid) {
    tx.emit(UPDATED.of(stay.id).with_fields([CHANGED]));
    tx.audit(key_entry(stay.id, key));
    tx.pending::<PendingKeys>().change(stay);
}
