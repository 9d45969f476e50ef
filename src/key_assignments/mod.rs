//! Key assignments: which room access key is on which stay, and the making of keys to be assigned.
//!
//! What an integration does to its keys is checked at once and written together, at the end of the request ([`PendingKeys`]).

mod pending;
mod store;

use uuid::Uuid;

pub use pending::PendingKeys;

use crate::error::{Error, Message, Record, Result};
use crate::room_access_keys::{self, AssignedKey, KeyKind, NewKey, StoredKey};
use crate::room_stays::{self, KEY_FIELD, LockedStay, RoomStay};
use crate::secrets::seal_context;
use crate::unit::Tx;

/// Makes a key that is on no stay yet (checklist A40, A47). It is written later ([`PendingKeys`]).
///
/// # Errors
/// `ROOM_ACCESS_KEYS_DISABLED`, `FORBIDDEN` unless an integration makes it: it becomes the owner.
pub fn create_in(tx: &mut Tx, new: &NewKey) -> Result<StoredKey> {
    room_access_keys::require_enabled(tx)?;
    tx.actor.integration()?;
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let id = tx.context.ids.uuid(now);
    let secret = tx.context.secret_keys.seal(&tx.context.ids, &seal_context(hotel, id), new.secret());
    let key = StoredKey {
        id,
        kind: new.kind(),
        secret,
        compartment: new.compartment().map(str::to_owned),
        deletes_at: room_access_keys::deletes_at(Some(now), None),
    };
    tx.pending::<PendingKeys>().create(key.clone());
    tx.emit(room_access_keys::CREATED.of(id));
    Ok(key)
}

/// Deletes a key that is on no stay (checklist A30, A31, A64).
///
/// # Errors
/// `NOT_FOUND` unless it is the integration's own, `KEY_STILL_ASSIGNED`, `ROOM_ACCESS_KEYS_DISABLED`
pub async fn delete_in(tx: &mut Tx, id: Uuid) -> Result<()> {
    room_access_keys::require_enabled(tx)?;
    let (hotel, integration) = (tx.actor.hotel.id, tx.actor.integration()?);
    lock_own_in(tx, id).await?;
    if room_access_keys::is_assigned(tx.conn().await?, hotel, id).await? {
        return Err(Error::new(Message::KeyOnStay).at("roomAccessKeyId"));
    }
    room_access_keys::delete(tx.conn().await?, hotel, id).await?;
    tx.emit(room_access_keys::DELETED.of(id).owned_by(integration));
    Ok(())
}

/// Puts one of the integration's own keys on a stay (checklist A26 to A28, A48).
///
/// The key that is already there is put there again without an event, so that a retry is safe. Answers the stay.
///
/// # Errors
/// `NOT_FOUND`, `RESERVATION_CANCELLED`, `ROOM_STAY_DEPARTED`, `KEY_ALREADY_ASSIGNED`, `ROOM_ACCESS_KEYS_DISABLED`
pub async fn add_key_in(tx: &mut Tx, stay: Uuid, key: Uuid) -> Result<RoomStay> {
    room_access_keys::require_enabled(tx)?;
    let locked = lock_in(tx, stay).await?;
    let key = assign_own_in(tx, key).await?;
    room_stays::require_not_cancelled(&locked)?;
    room_stays::require_not_departed(tx, &locked.stay)?;
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
    let key = lock_own_in(tx, key).await?;
    if locked.stay.room_access_key != Some(key) {
        return Err(Error::new(Message::KeyNotOnStay).at("roomAccessKeyId"));
    }
    let stay = RoomStay { room_access_key: None, ..locked.stay };
    change(tx, stay.clone(), key.id);
    Ok(stay)
}

async fn lock_in(tx: &mut Tx, stay: Uuid) -> Result<LockedStay> {
    pending::lock_in(tx, stay).await?.ok_or_else(|| room_stays::not_found().at("roomStayId"))
}

/// Changes a stay that `key` was put on or taken off.
fn change(tx: &mut Tx, stay: RoomStay, key: Uuid) {
    tx.emit(room_stays::UPDATED.of(stay.id).with_fields([KEY_FIELD]));
    tx.audit(room_stays::key_entry(stay.id, key));
    tx.pending::<PendingKeys>().change(stay);
}

/// Reads one of the integration's own keys and holds it until the transaction ends. Take the stay's lock first.
///
/// # Errors
/// `NOT_FOUND` for a foreign key as for one that does not exist.
async fn lock_own_in(tx: &mut Tx, id: Uuid) -> Result<AssignedKey> {
    if let Some(kind) = tx.pending::<PendingKeys>().created(id) {
        return Ok(AssignedKey { id, kind });
    }
    let (hotel, integration) = (tx.actor.hotel.id, tx.actor.integration()?);
    assigned_key(id, room_access_keys::lock_own(tx.conn_beside_pending(), hotel, integration, id).await?)
}

/// Reads one of the integration's own keys that is put on a stay, stops its clock, and holds it until the transaction ends.
///
/// # Errors
/// `NOT_FOUND` for a foreign key as for one that does not exist.
async fn assign_own_in(tx: &mut Tx, id: Uuid) -> Result<AssignedKey> {
    if let Some(kind) = tx.pending::<PendingKeys>().created(id) {
        return Ok(AssignedKey { id, kind });
    }
    let (hotel, integration) = (tx.actor.hotel.id, tx.actor.integration()?);
    assigned_key(id, room_access_keys::mark_assigned(tx.conn_beside_pending(), hotel, integration, id).await?)
}

fn assigned_key(id: Uuid, kind: Option<KeyKind>) -> Result<AssignedKey> {
    let kind = kind.ok_or_else(|| Error::not_found(Record::RoomAccessKey).at("roomAccessKeyId"))?;
    Ok(AssignedKey { id, kind })
}
