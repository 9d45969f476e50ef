//! Webhooks: an integration names a URL, and Latchkey tells it what happens.
//!
//! The commit that writes an event writes a delivery for each endpoint that subscribed to its type ([`crate::events`]); the
//! workers ([`run`]) send it, at least once and in no order.
//!
//! **Endpoint**: `ENABLED` or `DISABLED`. Latchkey disables one that answers 410 Gone, and one that used up the whole
//! schedule of a delivery while nothing else was delivered; then `disabled_reason` and `disabled_at` tell why and when, and
//! its events are kept. An endpoint that was disabled by hand has neither: its events are not kept. At most
//! [`MOST_ENABLED`] of an integration are enabled.
//!
//! **Delivery**: `PENDING`, and from there `DELIVERED`, `FAILED` (schedule used up) or `HELD` (endpoint disabled). A worker
//! ([`reconcile`]) makes what waits for a disabled endpoint `HELD`, and `PENDING` again once that is enabled. So a commit need not
//! know which way an endpoint is just being switched: it writes `PENDING`, and nothing is lost.
//!
//! **Secrets** are sealed under the ids of hotel and endpoint, and shown once. After a rotation the previous one signs, too,
//! for a day. Not promised: order, and that nothing arrives twice.
//!
//! **Format**: an endpoint is told in Latchkey's names and form, or in those of Seam's API ([`Format`]). That is decided when it is
//! made; everything else is the same for both.
//!
//! Endpoints belong to the integration. Changing them needs a key with the permission `WRITE`, as every mutation does; an
//! integration that reads only has its endpoints managed with another key of the same integration.

pub mod address;
mod body;
pub mod client;
mod deliver;
mod log;
pub mod model;
mod reconcile;
pub mod schedule;
mod sign;
mod store;
mod target;
mod workers;

use chrono::TimeDelta;
use sqlx::PgConnection;
use uuid::Uuid;

pub use client::Sender;
pub use deliver::due;
pub use log::{DeliveryList, attempts, deliveries, deliveries_bounds, resend_in};
pub use model::{
    Attempt, Delivery, DeliveryId, DeliveryStatus, Endpoint, EndpointStatus, Failure, Format, WebhookSettings,
};
pub use workers::{deliver_due, run};

use crate::audit::{Action, Entry, ObjectType};
use crate::context::Context;
use crate::db::{Condition, ListBounds, ListBoundsRequest, Page, PageRequest};
use crate::error::{Error, ErrorAt, Message, Record, Result};
use crate::events::{self, Audience, Catalogue, ChangeKind};
use crate::hotels::HotelId;
use crate::secrets::{Secret, seal_context};
use crate::unit::Tx;
use address::AllowedNetworks;
use target::Target;

/// A webhook endpoint was tried out.
pub static TESTED: ChangeKind = ChangeKind {
    event_type: "webhook.test",
    action: Action::Tested,
    object: ObjectType::WebhookEndpoint,
    audience: Audience::Endpoint,
    names_fields: false,
    meaning: "`sendTestWebhook` was called",
    seam: &[],
};

/// What stands for all types of events, those included that come later, at endpoints that are told in Seam's names.
pub const ALL_EVENTS: &str = "*";
/// Most endpoints of one integration that are enabled.
pub const MOST_ENABLED: i64 = 5;
/// Most endpoints of one integration, enabled or not.
pub const MOST_ENDPOINTS: i64 = 50;
/// How long the previous secret goes on signing after a rotation.
const ROTATION: TimeDelta = TimeDelta::hours(24);

/// What a new endpoint is made of.
#[derive(Clone, Debug)]
pub struct NewEndpoint {
    /// Where it is.
    pub url: String,
    /// Whether it is sent anything yet.
    pub status: EndpointStatus,
    /// In whose names and form.
    pub format: Format,
    /// Types of events, in the names of the format. Of Seam's, [`ALL_EVENTS`] stands for all.
    pub events: Vec<String>,
}

/// What to change of an endpoint. What is absent stays as it is.
#[derive(Clone, Debug, Default)]
pub struct EndpointUpdate {
    /// Where it is.
    pub url: Option<String>,
    /// Whether it is sent anything.
    pub status: Option<EndpointStatus>,
    /// Types of events, in the names of the endpoint's format.
    pub events: Option<Vec<String>>,
}

/// Adds an endpoint. Answers with its secret, which is never shown again. `networks`: those that are reached although they are
/// not public.
///
/// # Errors
/// `INVALID_ARGUMENT` for a URL that webhooks are not sent to, unknown types of events, and one endpoint too many.
pub async fn create_in(
    tx: &mut Tx,
    networks: &AllowedNetworks,
    kinds: Catalogue,
    new: NewEndpoint,
) -> Result<(Endpoint, Secret)> {
    check_url(networks, &new.url)?;
    let event_types = check_events(kinds, new.format, &new.events)?;
    let (hotel, integration, now) = (tx.actor.hotel.id, tx.actor.integration()?, tx.now);
    store::lock_integration(tx.conn().await?, hotel, integration).await?;
    let counts = store::count(tx.conn().await?, hotel, integration).await?;
    if counts.all >= MOST_ENDPOINTS {
        return Err(Error::new(Message::TooManyEndpoints { most: MOST_ENDPOINTS }));
    }
    if new.status == EndpointStatus::Enabled {
        require_place(counts.enabled)?;
    }
    let endpoint = Endpoint {
        id: tx.context.ids.uuid(now),
        url: new.url,
        status: new.status,
        format: new.format,
        events: event_types,
        disabled_reason: None,
        disabled_at: None,
        last_success_at: None,
        created_at: now,
        updated_at: now,
    };
    let (secret, sealed) = new_secret(tx, endpoint.id);
    store::insert(tx.conn().await?, hotel, integration, &endpoint, &sealed).await?;
    tx.audit(Entry::created(ObjectType::WebhookEndpoint, endpoint.id));
    wait_for_events(tx).await?;
    Ok((endpoint, secret))
}

/// Changes an endpoint. Once it is enabled, what was kept for it is sent; another URL or enabling it forgets earlier failures.
///
/// # Errors
/// `NOT_FOUND`, and those of [`create_in`].
pub async fn update_in(
    tx: &mut Tx,
    networks: &AllowedNetworks,
    kinds: Catalogue,
    id: Uuid,
    update: EndpointUpdate,
) -> Result<Endpoint> {
    if let Some(url) = &update.url {
        check_url(networks, url)?;
    }
    let (hotel, integration, now) = (tx.actor.hotel.id, tx.actor.integration()?, tx.now);
    store::lock_integration(tx.conn().await?, hotel, integration).await?;
    let before = lock_in(tx, id).await?;
    let event_types = update.events.map(|types| check_events(kinds, before.format, &types)).transpose()?;
    let mut endpoint = before.clone();
    let enabled = update.status == Some(EndpointStatus::Enabled) && endpoint.status == EndpointStatus::Disabled;
    if enabled {
        let counts = store::count(tx.conn().await?, hotel, integration).await?;
        require_place(counts.enabled)?;
        (endpoint.disabled_reason, endpoint.disabled_at) = (None, None);
    }
    let forgets = enabled || update.url.as_ref().is_some_and(|url| *url != endpoint.url);
    endpoint.status = update.status.unwrap_or(endpoint.status);
    endpoint.url = update.url.unwrap_or(endpoint.url);
    endpoint.events = event_types.unwrap_or(endpoint.events);
    endpoint.updated_at = now;
    store::update(tx.conn().await?, hotel, &endpoint, forgets).await?;
    let changed = model::changed_fields(&before, &endpoint);
    if !changed.is_empty() {
        tx.audit(Entry::updated(ObjectType::WebhookEndpoint, id, changed));
    }
    wait_for_events(tx).await?;
    Ok(endpoint)
}

/// Holds an endpoint of that format.
///
/// # Errors
/// `NOT_FOUND`, for one of another format, too.
pub async fn require_format_in(tx: &mut Tx, id: Uuid, format: Format) -> Result<()> {
    let endpoint = lock_in(tx, id).await?;
    if endpoint.format == format { Ok(()) } else { Err(Error::not_found(Record::WebhookEndpoint).at("id")) }
}

/// Deletes an endpoint with everything that waits for it. Its delivery log goes with it.
///
/// # Errors
/// `NOT_FOUND`
pub async fn delete_in(tx: &mut Tx, id: Uuid) -> Result<()> {
    lock_in(tx, id).await?;
    let hotel = tx.actor.hotel.id;
    store::delete(tx.conn().await?, hotel, id).await?;
    tx.audit(Entry::deleted(ObjectType::WebhookEndpoint, id));
    Ok(())
}

/// Gives an endpoint a new secret. Both sign for a day; one that was already on its way out does no longer.
///
/// # Errors
/// `NOT_FOUND`
pub async fn rotate_secret_in(tx: &mut Tx, id: Uuid) -> Result<(Endpoint, Secret)> {
    let mut endpoint = lock_in(tx, id).await?;
    let (hotel, now) = (tx.actor.hotel.id, tx.now);
    let (secret, sealed) = new_secret(tx, id);
    store::rotate_secret(tx.conn().await?, hotel, id, &sealed, now + ROTATION, now).await?;
    endpoint.updated_at = now;
    tx.audit(Entry::updated(ObjectType::WebhookEndpoint, id, ["secret"]));
    Ok((endpoint, secret))
}

/// Sends an endpoint, and no other one, an event of the type `webhook.test`.
///
/// # Errors
/// `NOT_FOUND`, `INVALID_ARGUMENT` when it is disabled.
pub async fn send_test_in(tx: &mut Tx, id: Uuid) -> Result<Endpoint> {
    let endpoint = lock_in(tx, id).await?;
    if endpoint.status == EndpointStatus::Disabled {
        return Err(Error::new(Message::WebhookEndpointDisabled).at("id"));
    }
    tx.emit(TESTED.of(id).owned_by(tx.actor.integration()?));
    Ok(endpoint)
}

/// A page of the endpoints of the integration, in the order in which they were made.
pub async fn page(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    ids: &[Condition<Uuid>],
    request: &PageRequest<Uuid>,
) -> Result<Page<Endpoint>> {
    store::page(conn, hotel, integration, ids, request).await
}

/// The bounds of the list of endpoints of the integration.
pub async fn bounds(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    ids: &[Condition<Uuid>],
    request: &ListBoundsRequest<Uuid>,
) -> Result<ListBounds> {
    store::bounds(conn, hotel, integration, ids, request).await
}

/// All endpoints of a hotel, each with the name of its integration. For operators.
pub async fn of_hotel(context: &Context, hotel: HotelId) -> Result<Vec<(String, Endpoint)>> {
    let mut conn = context.worker_pool.acquire().await?;
    store::of_hotel(&mut conn, hotel).await
}

async fn lock_in(tx: &mut Tx, id: Uuid) -> Result<Endpoint> {
    let (hotel, integration) = (tx.actor.hotel.id, tx.actor.integration()?);
    let endpoint = store::lock(tx.conn().await?, hotel, integration, id).await?;
    endpoint.ok_or_else(|| Error::not_found(Record::WebhookEndpoint).at("id"))
}

/// Lets everything commit first that was written without a delivery for the endpoint: who subscribes and then polls the stays
/// learns of every change in one of the two ways. Last, because from here on commits of the hotel wait for this one.
async fn wait_for_events(tx: &mut Tx) -> Result<()> {
    let hotel = tx.actor.hotel.id;
    events::lock_counter(tx.conn().await?, hotel).await
}

fn check_url(networks: &AllowedNetworks, url: &str) -> Result<()> {
    Target::parse(url, networks).map(drop).map_err(Error::new).at("url")
}

fn check_events(kinds: Catalogue, format: Format, types: &[String]) -> Result<Vec<String>> {
    if types.is_empty() {
        return Err(Error::new(Message::EventTypesMissing).at("events"));
    }
    let types = match format {
        Format::Latchkey => kinds.types_named(types),
        Format::Seam if types.iter().any(|name| name == ALL_EVENTS) => Ok(vec![ALL_EVENTS]),
        Format::Seam => kinds.seam_types_named(types),
    };
    Ok(types.at("events")?.into_iter().map(str::to_owned).collect())
}

fn require_place(enabled: i64) -> Result<()> {
    if enabled < MOST_ENABLED {
        return Ok(());
    }
    Err(Error::new(Message::TooManyEnabledEndpoints { most: MOST_ENABLED }).at("status"))
}

fn new_secret(tx: &Tx, endpoint: Uuid) -> (Secret, Vec<u8>) {
    let secret = sign::generate(&tx.context.ids);
    let context = seal_context(tx.actor.hotel.id, endpoint);
    let sealed = tx.context.secret_keys.seal(&tx.context.ids, &context, secret.expose());
    (secret, sealed)
}
