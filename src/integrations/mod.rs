//! Integrations: a vendor's connections to hotels. One owns what its vendor made for the hotel: room access keys and
//! webhook endpoints. Its API keys only open the door to it.
//!
//! An integration is *connected* or *disconnected*. Disconnecting revokes its API keys, deletes its endpoints, takes its
//! room access keys off all stays and deletes them, in one transaction and with the same events as if it had done so
//! itself. A transaction takes at most [`MOST_AT_ONCE`] keys and stays; where there were more, disconnecting again goes on.
//! The row stays, because events and revoked API keys name it. Connecting the same name again revives it, empty.
//!
//! Not promised: a request that was admitted before the disconnection runs to its end, and may make a room access key after
//! it. Such a key goes with the next disconnection, or by itself two days later like every key.

pub mod store;

use sqlx::PgConnection;
use uuid::Uuid;

pub use store::{Holdings, Integration};

use crate::audit::{Action, Entry, ObjectType};
use crate::auth;
use crate::context::Context;
use crate::db::{ListBounds, ListBoundsRequest, Page, PageRequest};
use crate::error::{Error, ErrorCode, Result, violated_constraint};
use crate::hotels::HotelId;
use crate::unit::Tx;
use crate::{room_access_keys, room_stays};

/// Most room access keys, and most stays, that one transaction deletes or changes. It is written out in the statements.
pub const MOST_AT_ONCE: usize = 2000;

/// What a disconnection took away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disconnected {
    /// The integration.
    pub integration: Integration,
    /// Pairs of API keys that were revoked.
    pub api_keys_revoked: usize,
    /// Webhook endpoints that were deleted.
    pub webhook_endpoints_deleted: usize,
    /// Stays that lost their room access key.
    pub room_stays_changed: usize,
    /// Room access keys that were deleted.
    pub room_access_keys_deleted: usize,
    /// Room access keys that were too many for one time.
    pub room_access_keys_left: i64,
}

/// Connects a new integration, or again one that was disconnected.
///
/// # Errors
/// `NAME_TAKEN` for a connected one, `INVALID_ARGUMENT` for a name that is empty or longer than 200 characters.
pub async fn connect_in(tx: &mut Tx, name: &str) -> Result<Integration> {
    let taken = || Error::new(ErrorCode::NameTaken, "An integration of this name is connected").at("name");
    try_connect_in(tx, name).await?.ok_or_else(taken)
}

/// The connected integration of that name, which is connected if it is not. Locks it until the transaction ends.
///
/// # Errors
/// `INVALID_ARGUMENT` for a name that breaks its rule.
pub async fn ensure_in(tx: &mut Tx, name: &str) -> Result<Uuid> {
    if let Some(connected) = try_connect_in(tx, name).await? {
        return Ok(connected.id);
    }
    let hotel = tx.actor.hotel.id;
    Ok(store::find_by_name(tx.conn().await?, hotel, name).await?.ok_or_else(not_found)?.id)
}

/// Connects an integration that is not connected. Also where it changes nothing, it locks the row.
async fn try_connect_in(tx: &mut Tx, name: &str) -> Result<Option<Integration>> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let id = tx.context.ids.uuid(now);
    let connected = store::connect(tx.conn().await?, hotel, id, name, now).await.map_err(refused)?;
    if let Some(integration) = &connected {
        tx.audit(Entry::new(Action::Connected, ObjectType::Integration, integration.id));
    }
    Ok(connected)
}

/// Refuses what is for connected integrations alone, and keeps this one connected until the transaction ends.
///
/// # Errors
/// `NOT_FOUND`, `INVALID_ARGUMENT`
pub(crate) async fn require_connected_in(tx: &mut Tx, id: Uuid) -> Result<()> {
    let hotel = tx.actor.hotel.id;
    let integration = store::lock_shared(tx.conn().await?, hotel, id).await?.ok_or_else(not_found)?;
    if integration.disconnected_at.is_some() {
        return Err(Error::invalid("The integration is disconnected"));
    }
    Ok(())
}

/// Disconnects one of the hotel's integrations. Again, when it is already: then it takes what was left.
///
/// # Errors
/// `NOT_FOUND`; `INVALID_ARGUMENT` for the integration that the request comes from.
pub async fn disconnect_in(tx: &mut Tx, id: Uuid) -> Result<Disconnected> {
    if tx.actor.principal.integration_id() == Some(id) {
        return Err(Error::invalid("An integration cannot disconnect itself").at("id"));
    }
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    store::lock(tx.conn().await?, hotel, id).await?.ok_or_else(|| not_found().at("id"))?;
    let api_keys = auth::store::revoke_of_integration(tx.conn().await?, hotel, id, now).await?;
    let endpoints = store::delete_endpoints(tx.conn().await?, hotel, id).await?;
    // Stays before keys, by id, as everywhere.
    let candidates = store::room_access_keys(tx.conn().await?, hotel, id).await?;
    let stays = store::lock_stays(tx.conn().await?, hotel, &candidates).await?;
    let keys = store::lock_keys(tx.conn().await?, hotel, &candidates).await?;
    let stay_ids: Vec<Uuid> = stays.iter().map(|stay| stay.id).collect();
    room_stays::store::revoke_keys(tx.conn().await?, hotel, &stay_ids, now).await?;
    // Those that are on a stay that was not held are left for the next time.
    let deleted = store::delete_unassigned(tx.conn().await?, hotel, &keys).await?;
    let integration = store::disconnect(tx.conn().await?, hotel, id, now).await?;
    let room_access_keys_left = store::count_room_access_keys(tx.conn().await?, hotel, id).await?;

    for stay in &stays {
        tx.emit(room_stays::UPDATED.of(stay.id).with_fields(["roomAccessKey"]));
        tx.audit(room_stays::key_entry(stay.id, stay.key));
    }
    for key in &deleted {
        tx.emit(room_access_keys::DELETED.of(*key).owned_by(id));
    }
    for key in &api_keys {
        tx.audit(Entry::new(Action::Revoked, ObjectType::ApiKey, *key));
    }
    for endpoint in &endpoints {
        tx.audit(Entry::deleted(ObjectType::WebhookEndpoint, *endpoint));
    }
    if integration.disconnected_at == Some(now) {
        tx.audit(Entry::new(Action::Disconnected, ObjectType::Integration, id));
    }
    Ok(Disconnected {
        integration,
        api_keys_revoked: api_keys.len(),
        webhook_endpoints_deleted: endpoints.len(),
        room_stays_changed: stays.len(),
        room_access_keys_deleted: deleted.len(),
        room_access_keys_left,
    })
}

/// Like [`disconnect_in`], for an integration that is known by its name.
///
/// # Errors
/// `NOT_FOUND`
pub async fn disconnect_by_name_in(tx: &mut Tx, name: &str) -> Result<Disconnected> {
    let hotel = tx.actor.hotel.id;
    let integration = store::find_by_name(tx.conn().await?, hotel, name).await?.ok_or_else(not_found)?;
    disconnect_in(tx, integration.id).await
}

/// A page of the hotel's integrations, in the order in which they were first connected.
pub async fn page(conn: &mut PgConnection, hotel: HotelId, request: &PageRequest<Uuid>) -> Result<Page<Integration>> {
    store::page(conn, hotel, request).await
}

/// The bounds of the list of the hotel's integrations.
pub async fn bounds(conn: &mut PgConnection, hotel: HotelId, request: &ListBoundsRequest<Uuid>) -> Result<ListBounds> {
    store::bounds(conn, hotel, request).await
}

/// What each of these integrations of the hotel holds.
pub async fn holdings(conn: &mut PgConnection, hotel: HotelId, ids: &[Uuid]) -> Result<Vec<(Uuid, Holdings)>> {
    store::holdings(conn, hotel, ids).await
}

/// All integrations of a hotel with what they hold, in the order in which they were first connected.
pub async fn list(context: &Context, hotel: HotelId) -> Result<Vec<(Integration, Holdings)>> {
    let mut conn = context.worker_pool.acquire().await?;
    let all = store::list(&mut conn, hotel).await?;
    let ids: Vec<Uuid> = all.iter().map(|integration| integration.id).collect();
    let holdings = store::holdings(&mut conn, hotel, &ids).await?;
    Ok(all.into_iter().zip(holdings.into_iter().map(|(_, holdings)| holdings)).collect())
}

fn refused(error: sqlx::Error) -> Error {
    match violated_constraint(&error) {
        Some("integrations_name_check") => Error::invalid("An integration's name has 1 to 200 characters").at("name"),
        _ => error.into(),
    }
}

fn not_found() -> Error {
    Error::not_found("Integration")
}
