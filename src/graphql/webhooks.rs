//! Webhook endpoints and their deliveries in the schema.

mod mutations;

use std::collections::HashMap;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono_tz::Tz;

pub use mutations::WebhookMutation;

use super::connection::{Connection, ListNode};
use super::context::{RequestContext, Session};
use super::enums::{WebhookDeliveryStatus, WebhookEndpointStatus, WebhookFailure, WebhookFormat};
use super::error::Resolved;
use super::filters::IdFilter;
use super::paging::{CursorScope, PageArguments};
use super::scalars::{Datetime, uuid};
use super::selection::Selection;
use crate::db::ListBounds;
use crate::error::{ErrorAt, Result};
use crate::webhooks::{self, Attempt, Delivery, DeliveryList, Endpoint};

/// Where this integration is told what happens.
#[derive(SimpleObject)]
#[graphql(name = "WebhookEndpoint")]
pub struct WebhookEndpointNode {
    /// Opaque, at most 64 letters, digits and hyphens.
    id: ID,
    /// As it was given.
    url: String,
    /// Whether it is sent anything.
    status: WebhookEndpointStatus,
    /// In whose names and form it is told what happens.
    format: WebhookFormat,
    /// Types of events that it is sent, in the names of its format. At an endpoint of Seam's format `*` is all of them.
    events: Vec<String>,
    /// Why Latchkey disabled it by itself; `null` when it did not. What it has missed is sent when it is enabled.
    disabled_reason: Option<String>,
    /// When Latchkey disabled it by itself.
    disabled_at: Option<Datetime>,
    /// When it last accepted a webhook.
    last_success_at: Option<Datetime>,
    /// When it was made.
    created_at: Datetime,
    /// When it was last changed.
    updated_at: Datetime,
}

impl ListNode for WebhookEndpointNode {
    const CONNECTION: &'static str = "WebhookEndpointConnection";
    const EDGE: &'static str = "WebhookEndpointEdge";
}

impl WebhookEndpointNode {
    fn new(endpoint: Endpoint, zone: Tz) -> Self {
        let local = |instant| Datetime::local(instant, zone);
        Self {
            id: ID(endpoint.id.to_string()),
            url: endpoint.url,
            status: endpoint.status.into(),
            format: endpoint.format.into(),
            events: endpoint.events,
            disabled_reason: endpoint.disabled_reason,
            disabled_at: endpoint.disabled_at.map(local),
            last_success_at: endpoint.last_success_at.map(local),
            created_at: local(endpoint.created_at),
            updated_at: local(endpoint.updated_at),
        }
    }
}

/// An event on its way to an endpoint.
#[derive(SimpleObject)]
#[graphql(name = "WebhookDelivery")]
pub struct WebhookDeliveryNode {
    /// Opaque, at most 64 letters, digits and hyphens.
    id: ID,
    /// Id of the event: `id` of the webhook's body, `event_id` in Seam's format.
    event_id: String,
    /// Type of the event, in the names of the endpoint's format.
    event_type: String,
    /// Id of what it happened to.
    object_id: ID,
    /// When it happened.
    created_at: Datetime,
    /// How far it has got.
    status: WebhookDeliveryStatus,
    /// When it is sent next, at the earliest. `null` unless it is `PENDING`.
    next_attempt_at: Option<Datetime>,
    /// When it was delivered or given up.
    finished_at: Option<Datetime>,
    /// The attempts so far, first one first; the latest 20 when there were more.
    attempts: Vec<WebhookAttemptNode>,
}

impl ListNode for WebhookDeliveryNode {
    const CONNECTION: &'static str = "WebhookDeliveryConnection";
    const EDGE: &'static str = "WebhookDeliveryEdge";
}

impl WebhookDeliveryNode {
    fn new(delivery: Delivery, attempts: Vec<Attempt>, zone: Tz) -> Self {
        let local = |instant| Datetime::local(instant, zone);
        Self {
            id: ID(delivery.id.to_string()),
            event_id: delivery.event_id,
            event_type: delivery.event_type,
            object_id: ID(delivery.object_id.to_string()),
            created_at: local(delivery.created_at),
            status: delivery.status.into(),
            next_attempt_at: delivery.next_attempt_at.map(local),
            finished_at: delivery.finished_at.map(local),
            attempts: attempts.into_iter().map(|attempt| WebhookAttemptNode::new(attempt, zone)).collect(),
        }
    }
}

/// One attempt to deliver a webhook.
#[derive(SimpleObject)]
#[graphql(name = "WebhookAttempt")]
pub struct WebhookAttemptNode {
    /// From 1.
    number: i32,
    /// When it began.
    created_at: Datetime,
    /// How long it took, in milliseconds.
    duration_ms: i32,
    /// HTTP status of the answer; `null` when there was none.
    status_code: Option<i32>,
    /// What went wrong; `null` when nothing did.
    failure: Option<WebhookFailure>,
    /// The start of the answer's body, at most 1024 bytes of it.
    answer: Option<String>,
}

impl WebhookAttemptNode {
    fn new(attempt: Attempt, zone: Tz) -> Self {
        Self {
            number: attempt.number,
            created_at: Datetime::local(attempt.created_at, zone),
            duration_ms: attempt.duration_ms,
            status_code: attempt.status_code.map(i32::from),
            failure: attempt.failure.map(Into::into),
            answer: attempt.answer,
        }
    }
}

/// Which webhook endpoints. All fields that are given have to match.
#[derive(InputObject, Default)]
pub struct WebhookEndpointFilter {
    /// By id.
    id: Option<IdFilter>,
}

/// Queries for webhooks.
#[derive(Default)]
pub struct WebhookQuery;

#[Object]
impl WebhookQuery {
    /// The webhook endpoints of this integration, in the order in which they were made.
    async fn webhook_endpoints(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which endpoints.")] filter: Option<WebhookEndpointFilter>,
        #[graphql(desc = "The first so many, at most 100; 20 when neither first nor last is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only endpoints behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only endpoints before this cursor.")] before: Option<String>,
    ) -> Resolved<Option<Connection<WebhookEndpointNode>>> {
        let arguments = PageArguments { first, after, last, before };
        Ok(Some(endpoints(RequestContext::of(ctx), filter, &arguments, &Selection::of(ctx)).await?))
    }

    /// What was sent to a webhook endpoint of this integration, or will be: the newest event first. Kept for 30 days.
    #[expect(clippy::too_many_arguments, reason = "a field of the schema")]
    async fn webhook_deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The endpoint.")] endpoint_id: ID,
        #[graphql(desc = "Only deliveries that have got this far.")] status: Option<WebhookDeliveryStatus>,
        #[graphql(desc = "The first so many, at most 100; 20 when neither first nor last is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only deliveries behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only deliveries before this cursor.")] before: Option<String>,
    ) -> Resolved<Option<Connection<WebhookDeliveryNode>>> {
        let context = RequestContext::of(ctx);
        let arguments = PageArguments { first, after, last, before };
        let list = DeliveryList {
            hotel: context.actor.hotel.id,
            integration: context.actor.integration()?,
            endpoint: uuid(&endpoint_id),
            status: status.map(Into::into),
        };
        Ok(Some(deliveries(context, &list, &arguments, &Selection::of(ctx)).await?))
    }
}

async fn endpoints(
    context: &RequestContext,
    filter: Option<WebhookEndpointFilter>,
    arguments: &PageArguments,
    selection: &Selection<'_>,
) -> Result<Connection<WebhookEndpointNode>> {
    let (hotel, integration) = (context.actor.hotel.id, context.actor.integration()?);
    let ids = filter.and_then(|filter| filter.id).map_or_else(|| Ok(Vec::new()), IdFilter::conditions);
    let ids = ids.at("id").at("filter")?;
    let filter = (integration, &ids);
    let scope = CursorScope::new(hotel, "webhookEndpoints", &filter);
    let request = arguments.request(scope)?;
    let mut session = context.read().await?;
    let page = webhooks::page(session.conn().await?, hotel, integration, &ids, &request).await?;
    let wanted = selection.bounds_request(&request);
    let bounds = if wanted.is_empty() {
        ListBounds::default()
    } else {
        webhooks::bounds(session.conn().await?, hotel, integration, &ids, &wanted).await?
    };
    let zone = context.actor.hotel.time_zone;
    let keyed = page.map(|endpoint| (endpoint.id, WebhookEndpointNode::new(endpoint, zone)));
    Ok(Connection::new(keyed, bounds, &request, scope))
}

async fn deliveries(
    context: &RequestContext,
    list: &DeliveryList,
    arguments: &PageArguments,
    selection: &Selection<'_>,
) -> Result<Connection<WebhookDeliveryNode>> {
    let filter = (list.endpoint, list.status);
    let scope = CursorScope::new(list.hotel, "webhookDeliveries", &filter);
    let request = arguments.request(scope)?;
    let mut session = context.read().await?;
    let page = webhooks::deliveries(session.conn().await?, list, &request).await?;
    let wanted = selection.bounds_request(&request);
    let bounds = if wanted.is_empty() {
        ListBounds::default()
    } else {
        webhooks::deliveries_bounds(session.conn().await?, list, &wanted).await?
    };
    let node = selection.field("edges").field("node");
    let mut attempts = attempts(&mut session, &page.items, &node).await?;
    let zone = context.actor.hotel.time_zone;
    let keyed = page.map(|delivery| {
        let position = delivery.id.position;
        let made = attempts.remove(&position).unwrap_or_default();
        (position, WebhookDeliveryNode::new(delivery, made, zone))
    });
    Ok(Connection::new(keyed, bounds, &request, scope))
}

/// Attempts of deliveries to one endpoint, where they are selected.
async fn attempts(
    session: &mut Session<'_>,
    deliveries: &[Delivery],
    node: &Selection<'_>,
) -> Result<HashMap<i64, Vec<Attempt>>> {
    let mut all: HashMap<i64, Vec<Attempt>> = HashMap::new();
    let Some(first) = deliveries.first().filter(|_| node.has("attempts")) else { return Ok(all) };
    let positions: Vec<i64> = deliveries.iter().map(|delivery| delivery.id.position).collect();
    let hotel = session.context.actor.hotel.id;
    for (position, attempt) in webhooks::attempts(session.conn().await?, hotel, first.id.endpoint, &positions).await? {
        all.entry(position).or_default().push(attempt);
    }
    Ok(all)
}
