//! Integrations: a vendor's connections to hotels. One owns what its vendor made for the hotel: room access keys and
//! webhook endpoints. Its API keys only open the door to it.
//!
//! An integration is *connected* or *disconnected*. Disconnecting revokes its API keys, deletes its endpoints, takes its
//! room access keys off all stays and deletes them, in one transaction and with the same events as if it had done so
//! itself. A transaction takes at most [`MOST_AT_ONCE`] keys and stays; where there were more, disconnecting again goes on.
//! The row stays, because events and revoked API keys name it. Connecting the same name again revives it, empty.
//!
//! Not promised: a request that was let in before the disconnection runs to its end, and may make a room access key after
//! it. Such a key goes with the next disconnection, or by itself two days later like every key.

pub mod store;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

pub use store::{Holdings, Integration};

use crate::actor::Principal;
use crate::app::App;
use crate::audit::{self, Action, Entry, Journal, ObjectType};
use crate::auth;
use crate::db::{Extent, ExtentRequest, Page, PageRequest, Tx};
use crate::error::{Error, ErrorAt, ErrorCode, Result, violated_constraint};
use crate::events::{self, Change};
use crate::hotels::HotelId;
use crate::id::IdSource;
use crate::room_stays;

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
    let (ids, hotel, now) = (tx.app.ids.clone(), tx.actor.hotel.id, tx.now);
    let integration = connect_on(tx.conn(), &ids, hotel, name, now).await?;
    tx.audit(connected(integration.id));
    Ok(integration)
}

/// The same for whoever runs the service.
///
/// # Errors
/// Those of [`connect_in`].
pub async fn connect(app: &App, hotel: HotelId, name: &str) -> Result<Integration> {
    let now = app.clock.now();
    let mut tx = app.worker_pool.begin().await?;
    let integration = connect_on(&mut tx, &app.ids, hotel, name, now).await?;
    audit::write_in(&mut tx, &app.ids, hotel, now, [connected(integration.id)]).await?;
    tx.commit().await?;
    Ok(integration)
}

fn connected(id: Uuid) -> Entry {
    Entry::new(Action::Connected, ObjectType::Integration, id)
}

async fn connect_on(
    conn: &mut PgConnection,
    ids: &IdSource,
    hotel: HotelId,
    name: &str,
    now: DateTime<Utc>,
) -> Result<Integration> {
    let connected = store::connect(conn, hotel, ids.uuid(now), name, now).await.map_err(refused)?;
    let taken = || Error::new(ErrorCode::NameTaken, "An integration of this name is connected").at("name");
    connected.ok_or_else(taken)
}

/// The connected integration of that name, which is connected if it is not: then there is an entry, too. Holds it until
/// the transaction ends.
pub(crate) async fn ensure(
    conn: &mut PgConnection,
    ids: &IdSource,
    hotel: HotelId,
    name: &str,
    now: DateTime<Utc>,
) -> Result<(Uuid, Option<Entry>)> {
    // Also where it changes nothing, the statement holds the row.
    let connected = store::connect(conn, hotel, ids.uuid(now), name, now).await.map_err(refused)?;
    if let Some(Integration { id, .. }) = connected {
        return Ok((id, Some(self::connected(id))));
    }
    let present = store::find_by_name(conn, hotel, name).await?.ok_or_else(not_found)?;
    Ok((present.id, None))
}

/// Refuses what is for connected integrations alone, and keeps this one connected until the transaction ends.
///
/// # Errors
/// `NOT_FOUND`, `INVALID_ARGUMENT`
pub(crate) async fn require_connected_in(tx: &mut Tx, id: Uuid) -> Result<()> {
    let hotel = tx.actor.hotel.id;
    let integration = store::lock_shared(tx.conn(), hotel, id).await?.ok_or_else(not_found)?;
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
    let (disconnected, changes, entries) = disconnect_on(tx.conn(), hotel, id, now).await.at("id")?;
    for change in changes {
        tx.emit(change);
    }
    for entry in entries {
        tx.audit(entry);
    }
    Ok(disconnected)
}

/// The same for whoever runs the service, by name.
///
/// # Errors
/// `NOT_FOUND`
pub async fn disconnect(app: &App, hotel: HotelId, name: &str) -> Result<Disconnected> {
    let now = app.clock.now();
    let mut tx = app.worker_pool.begin().await?;
    let id = store::find_by_name(&mut tx, hotel, name).await?.ok_or_else(not_found)?.id;
    let (disconnected, changes, entries) = disconnect_on(&mut tx, hotel, id, now).await?;
    let (principal, journal) = (Principal::Operator, Journal::of(entries));
    let deliveries = events::write_with_in(&mut tx, &app.ids, hotel, principal, now, &changes, &journal).await?;
    tx.commit().await?;
    if deliveries > 0 {
        app.deliveries_wake.notify_one();
    }
    Ok(disconnected)
}

/// What was taken away, the changes that are events, and all that the audit trail says.
async fn disconnect_on(
    conn: &mut PgConnection,
    hotel: HotelId,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<(Disconnected, Vec<Change>, Vec<Entry>)> {
    store::lock(conn, hotel, id).await?.ok_or_else(not_found)?;
    let api_keys = auth::store::revoke_of_integration(conn, hotel, id, now).await?;
    let endpoints = store::delete_endpoints(conn, hotel, id).await?;
    // Stays before keys, by id, as everywhere.
    let candidates = store::room_access_keys(conn, hotel, id).await?;
    let stays = store::lock_stays(conn, hotel, &candidates).await?;
    let keys = store::lock_keys(conn, hotel, &candidates).await?;
    let stay_ids: Vec<Uuid> = stays.iter().map(|stay| stay.id).collect();
    room_stays::store::revoke_keys(conn, hotel, &stay_ids, now).await?;
    // Those that are on a stay that was not held are left for the next time.
    let deleted = store::delete_unassigned(conn, hotel, &keys).await?;
    let integration = store::disconnect(conn, hotel, id, now).await?;
    let room_access_keys_left = store::count_room_access_keys(conn, hotel, id).await?;

    let revocations = stay_ids.iter().map(|stay| Change::room_stay_updated(*stay, ["roomAccessKey"]));
    let deletions = deleted.iter().map(|key| Change::RoomAccessKeyDeleted { id: *key, owner: id });
    let changes = revocations.chain(deletions).collect();
    let of_stays = stays.iter().map(|stay| room_stays::key_entry(stay.id, stay.key));
    let of_keys = deleted.iter().map(|key| Entry::deleted(ObjectType::RoomAccessKey, *key));
    let of_api_keys = api_keys.iter().map(|key| Entry::new(Action::Revoked, ObjectType::ApiKey, *key));
    let of_endpoints = endpoints.iter().map(|endpoint| Entry::deleted(ObjectType::WebhookEndpoint, *endpoint));
    let mut entries: Vec<Entry> = of_stays.chain(of_keys).chain(of_api_keys).chain(of_endpoints).collect();
    if integration.disconnected_at == Some(now) {
        entries.push(Entry::new(Action::Disconnected, ObjectType::Integration, id));
    }
    let disconnected = Disconnected {
        integration,
        api_keys_revoked: api_keys.len(),
        webhook_endpoints_deleted: endpoints.len(),
        room_stays_changed: stays.len(),
        room_access_keys_deleted: deleted.len(),
        room_access_keys_left,
    };
    Ok((disconnected, changes, entries))
}

/// A page of the hotel's integrations, in the order in which they were first connected.
pub async fn page(conn: &mut PgConnection, hotel: HotelId, request: &PageRequest<Uuid>) -> Result<Page<Integration>> {
    store::page(conn, hotel, request).await
}

/// The extent of the list of the hotel's integrations.
pub async fn extent(conn: &mut PgConnection, hotel: HotelId, request: &ExtentRequest<Uuid>) -> Result<Extent> {
    store::extent(conn, hotel, request).await
}

/// What each of these integrations of the hotel holds.
pub async fn holdings(conn: &mut PgConnection, hotel: HotelId, ids: &[Uuid]) -> Result<Vec<(Uuid, Holdings)>> {
    store::holdings(conn, hotel, ids).await
}

/// All integrations of a hotel with what they hold, in the order in which they were first connected.
pub async fn list(app: &App, hotel: HotelId) -> Result<Vec<(Integration, Holdings)>> {
    let mut conn = app.worker_pool.acquire().await?;
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
