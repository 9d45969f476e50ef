//! The delivery log: what was and will be sent to an endpoint, what came of it, and sending it again.

mod store;

use sqlx::PgConnection;
use uuid::Uuid;

use super::model::{Attempt, Delivery, DeliveryId, DeliveryStatus, EndpointStatus};
use super::store as endpoints;
use crate::audit::{Action, Entry, ObjectType};
use crate::db::{ListBounds, ListBoundsRequest, Page, PageRequest};
use crate::error::{Error, Result};
use crate::hotels::HotelId;
use crate::unit::Tx;

/// Whose deliveries, and which of them.
#[derive(Clone, Copy, Debug)]
pub struct DeliveryList {
    /// The hotel.
    pub hotel: HotelId,
    /// The integration that asks. Of an endpoint of another one there are no deliveries.
    pub integration: Uuid,
    /// The endpoint.
    pub endpoint: Uuid,
    /// Only those that have got this far.
    pub status: Option<DeliveryStatus>,
}

/// A page of deliveries to an endpoint, the newest event first.
pub async fn deliveries(
    conn: &mut PgConnection,
    list: &DeliveryList,
    request: &PageRequest<i64>,
) -> Result<Page<Delivery>> {
    store::deliveries(conn, list, request).await
}

/// The bounds of the list of deliveries to an endpoint.
pub async fn deliveries_bounds(
    conn: &mut PgConnection,
    list: &DeliveryList,
    request: &ListBoundsRequest<i64>,
) -> Result<ListBounds> {
    store::deliveries_bounds(conn, list, request).await
}

/// The latest attempts of each of these deliveries to one endpoint, at most 20 each, first one first.
pub async fn attempts(
    conn: &mut PgConnection,
    hotel: HotelId,
    endpoint: Uuid,
    positions: &[i64],
) -> Result<Vec<(i64, Attempt)>> {
    store::attempts(conn, hotel, endpoint, positions).await
}

/// Sends a delivery again, now and with a whole schedule before it; for a disabled endpoint, when that is enabled.
///
/// # Errors
/// `NOT_FOUND`
pub async fn resend_in(tx: &mut Tx, id: DeliveryId) -> Result<Delivery> {
    let not_found = || Error::not_found("Webhook delivery").at("deliveryId");
    let (hotel, integration, now) = (tx.actor.hotel.id, tx.actor.integration()?, tx.now);
    let endpoint = endpoints::lock(tx.conn().await?, hotel, integration, id.endpoint).await?.ok_or_else(not_found)?;
    let held = endpoint.status == EndpointStatus::Disabled;
    if !store::resend(tx.conn().await?, hotel, id, held, now).await? {
        return Err(not_found());
    }
    tx.deliveries_added(1);
    tx.audit(Entry::new(Action::Resent, ObjectType::WebhookEndpoint, id.endpoint));
    store::find_delivery(tx.conn().await?, hotel, id).await?.ok_or_else(not_found)
}
