//! Integrations: a vendor's connections to hotels. One owns what its vendor made for the hotel: room access keys and
//! webhook endpoints. Its API keys only open the door to it.
//!
//! An integration is *connected* or *disconnected*; [`crate::disconnection`] disconnects it. The row stays, because events and revoked API
//! keys name it. Connecting the same name again revives it, empty.

mod store;

use sqlx::PgConnection;
use uuid::Uuid;

pub use store::{Holdings, Integration, insert};
pub(crate) use store::{find_by_name, lock, mark_disconnected};

use crate::audit::{Action, Entry, ObjectType};
use crate::context::Context;
use crate::db::{ListBounds, ListBoundsRequest, Page, PageRequest};
use crate::error::{Error, Message, Record, Result, violated_constraint};
use crate::hotels::HotelId;
use crate::unit::Tx;

/// Connects a new integration, or again one that was disconnected.
///
/// # Errors
/// `NAME_TAKEN` for a connected one, `INVALID_ARGUMENT` for a name that is empty or longer than 200 characters.
pub async fn connect_in(tx: &mut Tx, name: &str) -> Result<Integration> {
    let taken = || Error::new(Message::IntegrationConnected).at("name");
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
        return Err(Error::new(Message::IntegrationDisconnected));
    }
    Ok(())
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
        Some("integrations_name_check") => Error::new(Message::IntegrationNameInvalid).at("name"),
        _ => error.into(),
    }
}

pub(crate) fn not_found() -> Error {
    Error::not_found(Record::Integration)
}
