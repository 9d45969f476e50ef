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

pub(crate) use model::deletes_at;
pub use model::{AssignedKey, KeyKind, NewKey, UNASSIGNED_HOURS};
pub use store::StoredKey;
pub(crate) use store::{delete, is_assigned, lock_own, mark_assigned};

use crate::audit::{Action, ObjectType};
use crate::db::{ListBounds, ListBoundsRequest, Page, PageRequest};
use crate::error::{Error, ErrorCode, Result};
use crate::events::{Audience, ChangeKind};
use crate::hotels::HotelId;
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
    seam: &[],
};
/// A key was deleted.
pub static DELETED: ChangeKind = ChangeKind {
    event_type: "room_access_key.deleted",
    action: Action::Deleted,
    object: ObjectType::RoomAccessKey,
    audience: Audience::Owner,
    names_fields: false,
    meaning: "a key was deleted, by its integration or by Latchkey after the stay",
    seam: &[],
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

/// Refuses writes while the hotel has not enabled the Room Access Key API.
///
/// # Errors
/// `ROOM_ACCESS_KEYS_DISABLED`
pub(crate) fn require_enabled(tx: &Tx) -> Result<()> {
    if tx.actor.hotel.room_access_keys_enabled { Ok(()) } else { Err(Error::of(ErrorCode::RoomAccessKeysDisabled)) }
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
