//! The life of a credential: made as a pair, disabled and enabled, revoked, regenerated.
//!
//! A pair is *active*, *disabled* or, for good, *revoked*. Both of its keys share their fate. What changes is in force
//! with the commit: the next request on any replica is judged by it, and a request that was let in before runs to its
//! end. A pair belongs to an integration and owns nothing itself, so no rotation orphans a room access key or an endpoint.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{ApiKeyPair, store};
use crate::actor::Permission;
use crate::app::App;
use crate::audit::{self, Action, Entry, ObjectType};
use crate::db::{Extent, ExtentRequest, Page, PageRequest, Tx};
use crate::error::{Error, ErrorAt, Result, violated_constraint};
use crate::hotels::HotelId;
use crate::id::IdSource;
use crate::integrations::{self, Integration};

/// A new credential. Its texts are shown now and never again.
pub struct NewApiKey {
    /// Id of the pair.
    pub id: Uuid,
    /// Its hotel.
    pub hotel_id: HotelId,
    /// The integration that it belongs to.
    pub integration_id: Uuid,
    /// What people call it, 1 to 200 characters.
    pub name: String,
    /// What it permits.
    pub permission: Permission,
    /// The pair itself.
    pub pair: ApiKeyPair,
}

/// What can be told of a credential.
#[derive(Clone, Debug)]
pub struct ApiKeyInfo {
    /// Id of the pair.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// The integration that it belongs to.
    pub integration: Integration,
    /// What it permits.
    pub permission: Permission,
    /// Masked text of the live key.
    pub live_preview: String,
    /// Masked text of the test key.
    pub test_preview: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When one of its keys was last let in; a few seconds late.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Requests that were let in with one of its keys; a few seconds late.
    pub request_count: i64,
    /// Since when it is refused, until it is enabled again.
    pub disabled_at: Option<DateTime<Utc>>,
    /// Since when it is refused for good.
    pub revoked_at: Option<DateTime<Utc>>,
}

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

/// Makes a pair for the hotel's integration of that name, which is connected where it is not.
///
/// # Errors
/// `INVALID_ARGUMENT` for a name that is empty or longer than 200 characters.
pub async fn create_api_key(
    app: &App,
    hotel: HotelId,
    integration: &str,
    name: &str,
    permission: Permission,
) -> Result<NewApiKey> {
    let now = app.clock.now();
    let mut tx = app.worker_pool.begin().await?;
    let (integration, connected) = integrations::ensure(&mut tx, &app.ids, hotel, integration, now).await?;
    let new = generate(&app.ids, hotel, integration, name.to_owned(), permission, now);
    insert(&mut tx, &new, now).await?;
    let entries = connected.into_iter().chain([Entry::created(ObjectType::ApiKey, new.id)]);
    audit::write_in(&mut tx, &app.ids, hotel, now, entries).await?;
    tx.commit().await?;
    Ok(new)
}

/// Makes a pair for one of the hotel's connected integrations.
///
/// # Errors
/// `NOT_FOUND`, `INVALID_ARGUMENT` for a disconnected integration, or a name that breaks its rule.
pub async fn create_in(tx: &mut Tx, integration: Uuid, name: String, permission: Permission) -> Result<NewApiKey> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    integrations::require_connected_in(tx, integration).await.at("integrationId")?;
    let new = generate(&tx.app.ids, hotel, integration, name, permission, now);
    insert(tx.conn(), &new, now).await?;
    tx.audit(Entry::created(ObjectType::ApiKey, new.id));
    Ok(new)
}

/// Revokes a pair and makes a new one of the same name, permission and integration.
///
/// # Errors
/// `NOT_FOUND`, `INVALID_ARGUMENT` for a revoked pair.
pub async fn regenerate_api_key(app: &App, id: Uuid) -> Result<NewApiKey> {
    let now = app.clock.now();
    let mut tx = app.worker_pool.begin().await?;
    let new = regenerate(&mut tx, &app.ids, None, id, now).await?;
    audit::write_in(&mut tx, &app.ids, new.hotel_id, now, regenerated(id, new.id)).await?;
    tx.commit().await?;
    Ok(new)
}

/// The same for a pair of the request's hotel.
///
/// # Errors
/// Those of [`regenerate_api_key`].
pub async fn regenerate_in(tx: &mut Tx, id: Uuid) -> Result<NewApiKey> {
    let (ids, hotel, now) = (tx.app.ids.clone(), tx.actor.hotel.id, tx.now);
    let new = regenerate(tx.conn(), &ids, Some(hotel), id, now).await?;
    for entry in regenerated(id, new.id) {
        tx.audit(entry);
    }
    Ok(new)
}

/// One pair was replaced by another.
fn regenerated(old: Uuid, new: Uuid) -> [Entry; 2] {
    let revoked = Entry::new(Action::Revoked, ObjectType::ApiKey, old);
    [revoked.with(ObjectType::ApiKey, new), Entry::created(ObjectType::ApiKey, new).with(ObjectType::ApiKey, old)]
}

/// Changes a pair from the next request on. Doing it twice changes nothing.
///
/// # Errors
/// `NOT_FOUND`; `INVALID_ARGUMENT` when a revoked one is to be enabled or disabled.
pub async fn change_api_key(app: &App, id: Uuid, to: ApiKeyChange) -> Result<()> {
    let now = app.clock.now();
    let mut tx = app.worker_pool.begin().await?;
    let (hotel, action) = change(&mut tx, None, id, to, now).await?;
    let entry = action.map(|action| Entry::new(action, ObjectType::ApiKey, id));
    audit::write_in(&mut tx, &app.ids, hotel, now, entry).await?;
    tx.commit().await?;
    Ok(())
}

/// The same for a pair of the request's hotel. Answers with what it has become.
///
/// # Errors
/// Those of [`change_api_key`].
pub async fn change_in(tx: &mut Tx, id: Uuid, to: ApiKeyChange) -> Result<ApiKeyInfo> {
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let (_, action) = change(tx.conn(), Some(hotel), id, to, now).await?;
    if let Some(action) = action {
        tx.audit(Entry::new(action, ObjectType::ApiKey, id));
    }
    get(tx.conn(), hotel, id).await
}

/// One of the hotel's pairs.
///
/// # Errors
/// `NOT_FOUND`
pub async fn get(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> Result<ApiKeyInfo> {
    store::find(conn, hotel, id).await?.ok_or_else(not_found)
}

/// All pairs of a hotel, oldest first.
pub async fn list_api_keys(app: &App, hotel: HotelId) -> Result<Vec<ApiKeyInfo>> {
    let mut conn = app.worker_pool.acquire().await?;
    store::list(&mut conn, hotel).await
}

/// A page of the hotel's pairs, oldest first.
pub async fn page(conn: &mut PgConnection, hotel: HotelId, request: &PageRequest<Uuid>) -> Result<Page<ApiKeyInfo>> {
    store::page(conn, hotel, request).await
}

/// The extent of the list of the hotel's pairs.
pub async fn extent(conn: &mut PgConnection, hotel: HotelId, request: &ExtentRequest<Uuid>) -> Result<Extent> {
    store::extent(conn, hotel, request).await
}

fn generate(
    ids: &IdSource,
    hotel_id: HotelId,
    integration_id: Uuid,
    name: String,
    permission: Permission,
    now: DateTime<Utc>,
) -> NewApiKey {
    NewApiKey { id: ids.uuid(now), hotel_id, integration_id, name, permission, pair: ApiKeyPair::generate(ids) }
}

async fn insert(conn: &mut PgConnection, new: &NewApiKey, now: DateTime<Utc>) -> Result<()> {
    store::insert_api_key(conn, new, now).await.map_err(|error| match violated_constraint(&error) {
        Some("api_keys_name_check") => Error::invalid("An API key's name has 1 to 200 characters").at("name"),
        _ => error.into(),
    })
}

async fn regenerate(
    conn: &mut PgConnection,
    ids: &IdSource,
    hotel: Option<HotelId>,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<NewApiKey> {
    let old = store::lock(conn, hotel, id).await?.ok_or_else(not_found)?;
    if old.revoked_at.is_some() {
        return Err(Error::invalid("A revoked API key stays revoked. Create a new one").at("id"));
    }
    store::revoke(conn, id, now).await?;
    let permission = old.permission.parse().map_err(|reason: String| Error::internal(reason))?;
    let new = generate(ids, old.hotel_id, old.integration_id, old.name, permission, now);
    insert(conn, &new, now).await?;
    Ok(new)
}

/// Changes a pair, and tells whose it is and what was done to it, if anything was.
async fn change(
    conn: &mut PgConnection,
    hotel: Option<HotelId>,
    id: Uuid,
    to: ApiKeyChange,
    now: DateTime<Utc>,
) -> Result<(HotelId, Option<Action>)> {
    let pair = store::lock(conn, hotel, id).await?.ok_or_else(not_found)?;
    let (at, action) = match to {
        ApiKeyChange::Revoke => {
            store::revoke(conn, id, now).await?;
            return Ok((pair.hotel_id, pair.revoked_at.is_none().then_some(Action::Revoked)));
        }
        ApiKeyChange::Disable => (Some(now), Action::Disabled),
        ApiKeyChange::Enable => (None, Action::Enabled),
    };
    if pair.revoked_at.is_some() {
        return Err(Error::invalid("A revoked API key stays revoked").at("id"));
    }
    store::set_disabled(conn, id, at).await?;
    Ok((pair.hotel_id, (pair.disabled_at.is_some() != at.is_some()).then_some(action)))
}

fn not_found() -> Error {
    Error::not_found("API key").at("id")
}
