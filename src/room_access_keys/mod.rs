//! Room access keys: what gives a guest access to a room.
//!
//! A key belongs to the integration that made it, which alone adds it to stays, removes and deletes it, and which alone
//! sees it while it is on no stay. A stay has at most one key; a key may be on many stays. Writing a key operates no lock:
//! it tells the hotel and its other integrations how the room is opened.
//!
//! Row locks are taken stay before key, so that add, remove, delete and clean-up cannot wait for each other in a circle.

mod model;
mod store;

use sqlx::PgConnection;
use uuid::Uuid;

pub use model::{KeyKind, NewKey, UNASSIGNED_HOURS};
pub use store::StoredKey;

use crate::audit::{Action, ObjectType};
use crate::db::{ListBounds, ListBoundsRequest, Page, PageRequest};
use crate::error::{Error, ErrorCode, Result};
use crate::events::{Audience, ChangeKind};
use crate::hotels::HotelId;
use crate::room_stays::{AssignedKey, PendingKeys};
use crate::secrets::{Secret, SecretKeys, seal_context};
use crate::unit::Tx;

/// A key was created. It is no event, as it concerns nobody before it is on a stay; but one that is made and deleted in one
/// request never was.
pub static CREATED: ChangeKind = ChangeKind {
    event_type: "room_access_key.created",
    action: Action::Created,
    object: ObjectType::RoomAccessKey,
    audience: Audience::Nobody,
    names_fields: false,
    meaning: "a key was made",
};
/// A key was deleted.
pub static DELETED: ChangeKind = ChangeKind {
    event_type: "room_access_key.deleted",
    action: Action::Deleted,
    object: ObjectType::RoomAccessKey,
    audience: Audience::Owner,
    names_fields: false,
    meaning: "a key was deleted, by its integration or by Latchkey after the stay",
};

/// Opens the PIN or the QR data of a key.
pub fn open_secret(keys: &SecretKeys, hotel: HotelId, key: Uuid, sealed: &[u8]) -> Result<Secret> {
    keys.open(&seal_context(hotel, key), sealed)
}

/// A page of the keys of the integration, with the times at which they are deleted where that is asked for.
pub async fn page(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    request: &PageRequest<Uuid>,
    with_deletes_at: bool,
) -> Result<Page<StoredKey>> {
    store::page(conn, hotel, integration, request, with_deletes_at).await
}

/// The bounds of the list of keys of the integration.
pub async fn bounds(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    request: &ListBoundsRequest<Uuid>,
) -> Result<ListBounds> {
    store::bounds(conn, hotel, integration, request).await
}

/// Makes a key that is on no stay yet (checklist A40, A47). It is written later ([`PendingKeys`]).
///
/// # Errors
/// `ROOM_ACCESS_KEYS_DISABLED`, `FORBIDDEN` unless an integration makes it: it becomes the owner.
pub fn create_in(tx: &mut Tx, new: &NewKey) -> Result<StoredKey> {
    require_enabled(tx)?;
    tx.actor.integration()?;
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let id = tx.context.ids.uuid(now);
    let secret = tx.context.secret_keys.seal(&tx.context.ids, &seal_context(hotel, id), new.secret());
    let key = StoredKey {
        id,
        kind: new.kind(),
        secret,
        compartment: new.compartment().map(str::to_owned),
        deletes_at: model::deletes_at(Some(now), None),
    };
    tx.pending::<PendingKeys>().create(key.clone());
    tx.emit(CREATED.of(id));
    Ok(key)
}

/// Deletes a key that is on no stay (checklist A30, A31, A64).
///
/// # Errors
/// `NOT_FOUND` unless it is the integration's own, `KEY_STILL_ASSIGNED`, `ROOM_ACCESS_KEYS_DISABLED`
pub async fn delete_in(tx: &mut Tx, id: Uuid) -> Result<()> {
    require_enabled(tx)?;
    let (hotel, integration) = (tx.actor.hotel.id, tx.actor.integration()?);
    lock_own_in(tx, id).await?;
    if store::is_assigned(tx.conn().await?, hotel, id).await? {
        return Err(Error::new(
            ErrorCode::KeyStillAssigned,
            "This room access key is assigned to a room stay. Remove it from all room stays first",
        )
        .at("roomAccessKeyId"));
    }
    store::delete(tx.conn().await?, hotel, id).await?;
    tx.emit(DELETED.of(id).owned_by(integration));
    Ok(())
}

/// Refuses writes while the hotel has not enabled the Room Access Key API.
///
/// # Errors
/// `ROOM_ACCESS_KEYS_DISABLED`
pub(crate) fn require_enabled(tx: &Tx) -> Result<()> {
    if tx.actor.hotel.room_access_keys_enabled { Ok(()) } else { Err(Error::of(ErrorCode::RoomAccessKeysDisabled)) }
}

/// Reads one of the integration's own keys and holds it until the transaction ends. Take the stay's lock first.
///
/// # Errors
/// `NOT_FOUND` for a foreign key as for one that does not exist.
pub(crate) async fn lock_own_in(tx: &mut Tx, id: Uuid) -> Result<AssignedKey> {
    if let Some(kind) = tx.pending::<PendingKeys>().created(id) {
        return Ok(AssignedKey { id, kind });
    }
    let (hotel, integration) = (tx.actor.hotel.id, tx.actor.integration()?);
    assigned_key(id, store::lock_own(tx.conn_beside_pending(), hotel, integration, id).await?)
}

/// Like [`lock_own_in`], for a key that is put on a stay: stops its clock.
///
/// # Errors
/// `NOT_FOUND` for a foreign key as for one that does not exist.
pub(crate) async fn assign_own_in(tx: &mut Tx, id: Uuid) -> Result<AssignedKey> {
    if let Some(kind) = tx.pending::<PendingKeys>().created(id) {
        return Ok(AssignedKey { id, kind });
    }
    let (hotel, integration) = (tx.actor.hotel.id, tx.actor.integration()?);
    assigned_key(id, store::mark_assigned(tx.conn_beside_pending(), hotel, integration, id).await?)
}

fn assigned_key(id: Uuid, kind: Option<KeyKind>) -> Result<AssignedKey> {
    let kind = kind.ok_or_else(|| Error::not_found("Room access key").at("roomAccessKeyId"))?;
    Ok(AssignedKey { id, kind })
}

/// Starts the clock of a key that was taken off a stay, if that was its last one.
pub(crate) async fn unassigned_in(tx: &mut Tx, id: Uuid) -> Result<()> {
    let hotel = tx.actor.hotel.id;
    // Locked in a statement of its own: the next one must see what a concurrent removal from another stay committed.
    store::lock(tx.conn().await?, hotel, id).await?;
    mark_unassigned_in(tx, &[id]).await
}

/// Starts the clock of those keys that were taken off their last stay. They are locked.
pub(crate) async fn mark_unassigned_in(tx: &mut Tx, ids: &[Uuid]) -> Result<()> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    store::mark_unassigned(tx.conn().await?, hotel, ids, now).await
}
