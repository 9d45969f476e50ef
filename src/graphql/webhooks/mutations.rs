//! Mutations of webhooks.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};

use super::{WebhookDeliveryNode, WebhookEndpointNode, attempts};
use crate::error::{Error, Record};
use crate::graphql::changes::irremovable;
use crate::graphql::context::{RequestContext, Session};
use crate::graphql::enums::{WebhookEndpointStatus, WebhookFormat};
use crate::graphql::error::{InInput, Resolved};
use crate::graphql::scalars::uuid;
use crate::graphql::selection::Selection;
use crate::webhooks::{self, DeliveryId, Endpoint, EndpointUpdate, NewEndpoint};

/// A new webhook endpoint.
#[derive(InputObject)]
pub struct CreateWebhookEndpointInput {
    /// Begins with `https://`; at most 2048 bytes. Its host has public addresses and a valid certificate.
    url: String,
    /// Best `DISABLED` at first: store the secret, then enable it. At most 5 endpoints of an integration are enabled.
    status: WebhookEndpointStatus,
    /// In whose names and form it is told what happens. Decided for good.
    #[graphql(default)]
    format: WebhookFormat,
    /// Types of events, such as `room_stay.created`, in the names of the format; at least one. In Seam's format `*` is all of them.
    events: Vec<String>,
}

/// What to change of a webhook endpoint. What is absent stays as it is.
#[derive(InputObject)]
pub struct UpdateWebhookEndpointInput {
    /// The endpoint.
    id: ID,
    /// Begins with `https://`; at most 2048 bytes. Its host has public addresses and a valid certificate.
    url: MaybeUndefined<String>,
    /// `ENABLED` sends what Latchkey has kept for it. At most 5 endpoints of an integration are enabled.
    status: MaybeUndefined<WebhookEndpointStatus>,
    /// Types of events, such as `room_stay.created`, in the names of its format; at least one. In Seam's format `*` is all of them.
    events: MaybeUndefined<Vec<String>>,
}

/// A webhook endpoint to delete.
#[derive(InputObject)]
pub struct DeleteWebhookEndpointInput {
    /// The endpoint.
    id: ID,
}

/// A webhook endpoint to give a new secret.
#[derive(InputObject)]
pub struct RotateWebhookSecretInput {
    /// The endpoint.
    id: ID,
}

/// A webhook endpoint to try out.
#[derive(InputObject)]
pub struct SendTestWebhookInput {
    /// The endpoint.
    id: ID,
}

/// Which delivery to send again.
#[derive(InputObject)]
pub struct ResendWebhookInput {
    /// The delivery.
    delivery_id: ID,
}

/// Answer of mutations that show a secret.
#[derive(SimpleObject)]
pub struct WebhookSecretPayload {
    /// The endpoint.
    webhook_endpoint: WebhookEndpointNode,
    /// What its webhooks are signed with. Never shown again.
    secret: String,
}

/// Answer of mutations of a webhook endpoint.
#[derive(SimpleObject)]
pub struct WebhookEndpointPayload {
    /// The endpoint.
    webhook_endpoint: WebhookEndpointNode,
}

/// Answer of `deleteWebhookEndpoint`.
#[derive(SimpleObject)]
pub struct DeleteWebhookEndpointPayload {
    /// Always true; an endpoint that cannot be deleted is an error.
    deleted: bool,
}

/// Answer of `resendWebhook`.
#[derive(SimpleObject)]
pub struct ResendWebhookPayload {
    /// The delivery.
    webhook_delivery: WebhookDeliveryNode,
}

/// Mutations of webhooks.
#[derive(Default)]
pub struct WebhookMutation;

#[Object]
impl WebhookMutation {
    /// Adds a webhook endpoint and shows its secret, which is never shown again.
    ///
    /// Errors: `INVALID_ARGUMENT`.
    async fn create_webhook_endpoint(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The endpoint.")] input: CreateWebhookEndpointInput,
    ) -> Resolved<Option<WebhookSecretPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        let new = NewEndpoint {
            url: input.url,
            status: input.status.into(),
            format: input.format.into(),
            events: input.events,
        };
        let (networks, kinds) = (&session.context.app.webhooks.allowed_networks, session.context.app.kinds);
        let (endpoint, secret) = webhooks::create_in(session.tx(), networks, kinds, new).await.in_input()?;
        let payload =
            WebhookSecretPayload { webhook_endpoint: node(&session, endpoint), secret: secret.expose().to_owned() };
        Ok(Some(session.done(payload)))
    }

    /// Changes a webhook endpoint. Enabling one that Latchkey has disabled sends everything that it missed.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`.
    async fn update_webhook_endpoint(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateWebhookEndpointInput,
    ) -> Resolved<Option<WebhookEndpointPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        let update = EndpointUpdate {
            url: irremovable(input.url, "url").in_input()?,
            status: irremovable(input.status, "status").in_input()?.map(Into::into),
            events: irremovable(input.events, "events").in_input()?,
        };
        let (networks, kinds) = (&session.context.app.webhooks.allowed_networks, session.context.app.kinds);
        let endpoint = webhooks::update_in(session.tx(), networks, kinds, uuid(&input.id), update).await.in_input()?;
        let webhook_endpoint = node(&session, endpoint);
        Ok(Some(session.done(WebhookEndpointPayload { webhook_endpoint })))
    }

    /// Deletes a webhook endpoint. What was still to be sent to it is dropped.
    ///
    /// Errors: `NOT_FOUND`.
    async fn delete_webhook_endpoint(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which endpoint.")] input: DeleteWebhookEndpointInput,
    ) -> Resolved<Option<DeleteWebhookEndpointPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        webhooks::delete_in(session.tx(), uuid(&input.id)).await.in_input()?;
        Ok(Some(session.done(DeleteWebhookEndpointPayload { deleted: true })))
    }

    /// Gives a webhook endpoint a new secret and shows it. For 24 hours webhooks are signed with the previous one, too.
    ///
    /// Errors: `NOT_FOUND`.
    async fn rotate_webhook_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which endpoint.")] input: RotateWebhookSecretInput,
    ) -> Resolved<Option<WebhookSecretPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        let (endpoint, secret) = webhooks::rotate_secret_in(session.tx(), uuid(&input.id)).await.in_input()?;
        let payload =
            WebhookSecretPayload { webhook_endpoint: node(&session, endpoint), secret: secret.expose().to_owned() };
        Ok(Some(session.done(payload)))
    }

    /// Sends an enabled webhook endpoint, and no other one, an event of the type `webhook.test`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`.
    async fn send_test_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which endpoint.")] input: SendTestWebhookInput,
    ) -> Resolved<Option<WebhookEndpointPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        let endpoint = webhooks::send_test_in(session.tx(), uuid(&input.id)).await.in_input()?;
        let webhook_endpoint = node(&session, endpoint);
        Ok(Some(session.done(WebhookEndpointPayload { webhook_endpoint })))
    }

    /// Sends a webhook again, whatever became of it, with all its attempts before it. Its body is the same as ever.
    ///
    /// Errors: `NOT_FOUND`.
    async fn resend_webhook(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which delivery.")] input: ResendWebhookInput,
    ) -> Resolved<Option<ResendWebhookPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        let id = DeliveryId::parse(&input.delivery_id);
        let id = id.ok_or_else(|| Error::not_found(Record::WebhookDelivery).at("deliveryId")).in_input()?;
        let delivery = webhooks::resend_in(session.tx(), id).await.in_input()?;
        let selection = Selection::of(ctx).field("webhookDelivery");
        let mut made = attempts(&mut session, std::slice::from_ref(&delivery), &selection).await?;
        let zone = session.context.actor.hotel.time_zone;
        let made = made.remove(&id.position).unwrap_or_default();
        let webhook_delivery = WebhookDeliveryNode::new(delivery, made, zone);
        Ok(Some(session.done(ResendWebhookPayload { webhook_delivery })))
    }
}

fn node(session: &Session<'_>, endpoint: Endpoint) -> WebhookEndpointNode {
    WebhookEndpointNode::new(endpoint, session.context.actor.hotel.time_zone)
}
