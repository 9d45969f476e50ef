//! Disconnecting an integration: what its vendor made for the hotel goes with it.
//!
//! Disconnecting revokes its API keys, deletes its endpoints, leaves its encoders without an integration, takes its room access keys
//! off all stays and deletes them, and deletes its access grants and user identities, in one transaction and with the same events as
//! if it had done so itself. A transaction takes at most [`MOST_AT_ONCE`] of each; where there were more, disconnecting again goes on.
//!
//! Not promised: a request that was admitted before the disconnection runs to its end, and may make a room access key after
//! it. Such a key goes with the next disconnection, or by itself two days later like every key.

mod store;

use uuid::Uuid;

use crate::audit::{Action, Entry, ObjectType};
use crate::error::{Error, Message, Result};
use crate::integrations::{self, Integration};
use crate::unit::Tx;
use crate::{access_grants, auth, room_access_keys, room_stays};

/// Most room access keys, stays, access grants and user identities, of each, that one transaction deletes or changes. It is written out
/// in the statements.
pub const MOST_AT_ONCE: usize = 2000;
const MOST: i64 = 2000;

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
    /// Access grants that were deleted.
    pub access_grants_deleted: usize,
    /// Access grants that were too many for one time.
    pub access_grants_left: i64,
    /// User identities that were deleted.
    pub user_identities_deleted: usize,
    /// User identities that were too many for one time.
    pub user_identities_left: i64,
}

/// Disconnects one of the hotel's integrations. Again, when it is already: then it takes what was left.
///
/// # Errors
/// `NOT_FOUND`; `INVALID_ARGUMENT` for the integration that the request comes from.
pub async fn disconnect_in(tx: &mut Tx, id: Uuid) -> Result<Disconnected> {
    if tx.actor.principal.integration_id() == Some(id) {
        return Err(Error::new(Message::IntegrationCannotDisconnectItself).at("id"));
    }
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    integrations::lock(tx.conn().await?, hotel, id).await?.ok_or_else(|| integrations::not_found().at("id"))?;
    let api_keys = auth::revoke_of_integration(tx.conn().await?, hotel, id, now).await?;
    let endpoints = store::delete_endpoints(tx.conn().await?, hotel, id).await?;
    let encoders = store::release_encoders(tx.conn().await?, hotel, id, now).await?;
    // Stays before keys, by id, as everywhere.
    let candidates = store::room_access_keys(tx.conn().await?, hotel, id).await?;
    let stays = store::lock_stays(tx.conn().await?, hotel, &candidates).await?;
    let keys = store::lock_keys(tx.conn().await?, hotel, &candidates).await?;
    let stay_ids: Vec<Uuid> = stays.iter().map(|stay| stay.id).collect();
    room_stays::revoke_keys(tx.conn().await?, hotel, &stay_ids, now).await?;
    // Those that are on a stay that was not held are left for the next time.
    let deleted = store::delete_unassigned(tx.conn().await?, hotel, &keys).await?;
    let integration = integrations::mark_disconnected(tx.conn().await?, hotel, id, now).await?;
    let room_access_keys_left = store::count_room_access_keys(tx.conn().await?, hotel, id).await?;
    let access_grants_deleted = access_grants::clear_of_integration_in(tx, id, MOST).await?;
    let user_identities_deleted = access_grants::delete_of_integration_in(tx, id, MOST).await?;
    let (access_grants_left, user_identities_left) =
        access_grants::counts_of_integration(tx.conn().await?, hotel, id).await?;

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
    for encoder in &encoders {
        tx.audit(Entry::updated(ObjectType::Encoder, *encoder, ["integration"]));
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
        access_grants_deleted,
        access_grants_left,
        user_identities_deleted,
        user_identities_left,
    })
}

/// Like [`disconnect_in`], for an integration that is known by its name.
///
/// # Errors
/// `NOT_FOUND`
pub async fn disconnect_by_name_in(tx: &mut Tx, name: &str) -> Result<Disconnected> {
    let hotel = tx.actor.hotel.id;
    let integration =
        integrations::find_by_name(tx.conn().await?, hotel, name).await?.ok_or_else(integrations::not_found)?;
    disconnect_in(tx, integration.id).await
}
