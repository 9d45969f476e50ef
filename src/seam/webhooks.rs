//! Webhooks: the integration's endpoints that are told in the names and in the form of Seam's API.

use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::{Done, List, One, Resource};
use super::operation::{Act, Query, Reader, Spec};
use crate::actor::Actor;
use crate::app::App;
use crate::db::{Condition, PageRequest};
use crate::error::{Error, ErrorAt as _, PathSegment, Record, Result};
use crate::secrets::Secret;
use crate::unit::Tx;
use crate::webhooks::{self, ALL_EVENTS, Endpoint, EndpointStatus, EndpointUpdate, Format, NewEndpoint};

/// More than an integration can have.
const ALL: u16 = 100;

/// Where the integration is told what happens.
#[derive(Serialize, ToSchema)]
pub struct Webhook {
    webhook_id: Uuid,
    url: String,
    /// Types of events; `*` is all of them.
    event_types: Vec<String>,
    /// What webhooks are signed with; shown this once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl Resource for Webhook {
    const ONE: &'static str = "webhook";
    const MANY: &'static str = "webhooks";
}

impl Webhook {
    fn new(endpoint: Endpoint, secret: Option<&Secret>) -> Self {
        Self {
            webhook_id: endpoint.id,
            url: endpoint.url,
            event_types: endpoint.events,
            secret: secret.map(|secret| secret.expose().to_owned()),
        }
    }
}

/// Those of the endpoints that match.
async fn endpoints(conn: &mut PgConnection, actor: &Actor, ids: &[Condition<Uuid>]) -> Result<Vec<Webhook>> {
    let (hotel, integration) = (actor.hotel.id, actor.integration()?);
    let page = webhooks::page(conn, hotel, integration, ids, &PageRequest::first(ALL)).await?;
    let seams = page.items.into_iter().filter(|endpoint| endpoint.format == Format::Seam);
    Ok(seams.map(|endpoint| Webhook::new(endpoint, None)).collect())
}

/// An endpoint to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct CreateWebhook {
    /// Begins with `https://`. Its host has public addresses and a valid certificate.
    url: String,
    /// All of them unless it is said.
    event_types: Option<Vec<String>>,
}

impl Act for CreateWebhook {
    const SPEC: Spec = Spec {
        path: "/webhooks/create",
        id: "webhook_id",
        about: "Has the integration told what happens, and shows the secret that webhooks are signed with.",
    };
    type Answer = One<Webhook>;

    async fn perform_in(&self, tx: &mut Tx, app: &App) -> Result<One<Webhook>> {
        let new = NewEndpoint {
            url: self.url.clone(),
            status: EndpointStatus::Enabled,
            format: Format::Seam,
            events: self.event_types.clone().unwrap_or_else(|| vec![ALL_EVENTS.to_owned()]),
        };
        let created = webhooks::create_in(tx, &app.webhooks.allowed_networks, app.kinds, new).await;
        // No parameter is at fault when there are too many.
        let (endpoint, secret) = created.map_err(|error| match error.argument_path.first() {
            Some(PathSegment::Name(name)) if name == "status" => Error { argument_path: Vec::new(), ..error },
            _ => error,
        })?;
        Ok(One(Webhook::new(endpoint, Some(&secret))))
    }
}

/// Which one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetWebhook {
    webhook_id: Uuid,
}

impl Query for GetWebhook {
    const SPEC: Spec =
        Spec { path: "/webhooks/get", id: "webhook_id", about: "Answers one webhook, without its secret." };
    type Answer = One<Webhook>;

    async fn read(&self, reader: Reader<'_>) -> Result<One<Webhook>> {
        let found = endpoints(reader.conn, &reader.actor, &[Condition::Eq(Some(self.webhook_id))]).await?;
        let found = found.into_iter().next().ok_or_else(|| Error::not_found(Record::WebhookEndpoint)).at("id")?;
        Ok(One(found))
    }
}

/// Takes nothing.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListWebhooks {}

impl Query for ListWebhooks {
    const SPEC: Spec = Spec {
        path: "/webhooks/list",
        id: "webhook_id",
        about: "Answers the webhooks of the integration, without their secrets.",
    };
    type Answer = List<Webhook>;

    async fn read(&self, reader: Reader<'_>) -> Result<List<Webhook>> {
        Ok(List::all(endpoints(reader.conn, &reader.actor, &[]).await?))
    }
}

/// What to change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateWebhook {
    webhook_id: Uuid,
    /// `*` is all of them.
    event_types: Vec<String>,
}

impl Act for UpdateWebhook {
    const SPEC: Spec =
        Spec { path: "/webhooks/update", id: "webhook_id", about: "Changes which events a webhook is sent." };
    type Answer = Done;

    async fn perform_in(&self, tx: &mut Tx, app: &App) -> Result<Done> {
        webhooks::require_format_in(tx, self.webhook_id, Format::Seam).await?;
        let update = EndpointUpdate { events: Some(self.event_types.clone()), ..EndpointUpdate::default() };
        webhooks::update_in(tx, &app.webhooks.allowed_networks, app.kinds, self.webhook_id, update).await?;
        Ok(Done)
    }
}

/// Which one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteWebhook {
    webhook_id: Uuid,
}

impl Act for DeleteWebhook {
    const SPEC: Spec = Spec {
        path: "/webhooks/delete",
        id: "webhook_id",
        about: "Deletes a webhook. What was still to be sent to it is dropped.",
    };
    type Answer = Done;

    async fn perform_in(&self, tx: &mut Tx, _: &App) -> Result<Done> {
        webhooks::require_format_in(tx, self.webhook_id, Format::Seam).await?;
        webhooks::delete_in(tx, self.webhook_id).await?;
        Ok(Done)
    }
}
