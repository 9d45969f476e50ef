//! The life of a credential: made as a pair, disabled and enabled, revoked, regenerated.
//!
//! A pair is *active*, *disabled* or, for good, *revoked*. Both of its keys share their fate. What changes is in force
//! with the commit: the next request on any replica is judged by it, and a request that was admitted before runs to its
//! end. A pair belongs to an integration and owns nothing itself, so no rotation orphans a room access key or an endpoint.

use sqlx::PgConnection;
use uuid::Uuid;

use super::model::{ApiKeyInfo, NewApiKey};
use super::{ApiKeyPair, store};
use crate::actor::Permission;
use crate::audit::{Action, Entry, ObjectType};
use crate::context::Context;
use crate::db::{ListBounds, ListBoundsRequest, Page, PageRequest};
use crate::error::{Error, ErrorAt, Message, Record, Result, violated_constraint};
use crate::hotels::{self, Hotel, HotelId};
use crate::integrations;
use crate::unit::Tx;

/// What can happen to a credential after it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKeyChange {
    /// Refuse it until it is enabled again.
    Disable,
    /// Accept it again.
    Enable,
    /// Refuse it for good.
    Revoke,
}

/// Makes a pair for one of the hotel's connected integrations.
///
/// # Errors
/// `NOT_FOUND`, `INVALID_ARGUMENT` for a disconnected integration, or a name that is empty or longer than 200 characters.
pub async fn create_in(tx: &mut Tx, integration: Uuid, name: String, permission: Permission) -> Result<NewApiKey> {
    integrations::require_connected_in(tx, integration).await.at("integrationId")?;
    let new = insert_in(tx, integration, name, permission).await?;
    tx.audit(Entry::created(ObjectType::ApiKey, new.id));
    Ok(new)
}

/// Revokes a pair and makes a new one of the same name, permission and integration.
///
/// # Errors
/// `NOT_FOUND`, `INVALID_ARGUMENT` for a revoked pair.
pub async fn regenerate_in(tx: &mut Tx, id: Uuid) -> Result<NewApiKey> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let old = store::lock(tx.conn().await?, hotel, id).await?.ok_or_else(not_found)?;
    if old.revoked_at.is_some() {
        return Err(Error::new(Message::ApiKeyStaysRevokedCreateNew).at("id"));
    }
    store::revoke(tx.conn().await?, id, now).await?;
    let permission = old.permission.parse().map_err(|reason: String| Error::internal(reason))?;
    let new = insert_in(tx, old.integration_id, old.name, permission).await?;
    tx.audit(Entry::new(Action::Revoked, ObjectType::ApiKey, id).with(ObjectType::ApiKey, new.id));
    tx.audit(Entry::created(ObjectType::ApiKey, new.id).with(ObjectType::ApiKey, id));
    Ok(new)
}

/// Changes a pair from the next request on. Doing it twice changes nothing. Answers with what it has become.
///
/// # Errors
/// `NOT_FOUND`; `INVALID_ARGUMENT` when a revoked one is to be enabled or disabled.
pub async fn change_in(tx: &mut Tx, id: Uuid, to: ApiKeyChange) -> Result<ApiKeyInfo> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let pair = store::lock(tx.conn().await?, hotel, id).await?.ok_or_else(not_found)?;
    let done = match to {
        ApiKeyChange::Revoke => {
            store::revoke(tx.conn().await?, id, now).await?;
            pair.revoked_at.is_none().then_some(Action::Revoked)
        }
        ApiKeyChange::Disable | ApiKeyChange::Enable => {
            if pair.revoked_at.is_some() {
                return Err(Error::new(Message::ApiKeyStaysRevoked).at("id"));
            }
            let disables = to == ApiKeyChange::Disable;
            store::set_disabled(tx.conn().await?, id, disables.then_some(now)).await?;
            let action = if disables { Action::Disabled } else { Action::Enabled };
            (pair.disabled_at.is_some() != disables).then_some(action)
        }
    };
    if let Some(action) = done {
        tx.audit(Entry::new(action, ObjectType::ApiKey, id));
    }
    get(tx.conn().await?, hotel, id).await
}

/// The hotel of a pair, for an operator who knows no more than its id.
///
/// # Errors
/// `NOT_FOUND`
pub async fn hotel_of(context: &Context, id: Uuid) -> Result<Hotel> {
    let mut conn = context.worker_pool.acquire().await?;
    let hotel = store::hotel_of(&mut conn, id).await?.ok_or_else(not_found)?;
    hotels::find(&mut conn, hotel).await?.ok_or_else(not_found)
}

/// One of the hotel's pairs.
///
/// # Errors
/// `NOT_FOUND`
pub async fn get(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> Result<ApiKeyInfo> {
    store::find(conn, hotel, id).await?.ok_or_else(not_found)
}

/// All pairs of a hotel, oldest first.
pub async fn list_api_keys(context: &Context, hotel: HotelId) -> Result<Vec<ApiKeyInfo>> {
    let mut conn = context.worker_pool.acquire().await?;
    store::list(&mut conn, hotel).await
}

/// A page of the hotel's pairs, oldest first.
pub async fn page(conn: &mut PgConnection, hotel: HotelId, request: &PageRequest<Uuid>) -> Result<Page<ApiKeyInfo>> {
    store::page(conn, hotel, request).await
}

/// The bounds of the list of the hotel's pairs.
pub async fn bounds(conn: &mut PgConnection, hotel: HotelId, request: &ListBoundsRequest<Uuid>) -> Result<ListBounds> {
    store::bounds(conn, hotel, request).await
}

async fn insert_in(tx: &mut Tx, integration: Uuid, name: String, permission: Permission) -> Result<NewApiKey> {
    let (hotel_id, now) = (tx.actor.hotel.id, tx.now);
    let (id, pair) = (tx.context.ids.uuid(now), ApiKeyPair::generate(&tx.context.ids));
    let new = NewApiKey { id, hotel_id, integration_id: integration, name, permission, pair };
    let inserted = store::insert_api_key(tx.conn().await?, &new, now).await;
    inserted.map_err(|error| match violated_constraint(&error) {
        Some("api_keys_name_check") => Error::new(Message::ApiKeyNameInvalid).at("name"),
        _ => error.into(),
    })?;
    Ok(new)
}

fn not_found() -> Error {
    Error::not_found(Record::ApiKey).at("id")
}
