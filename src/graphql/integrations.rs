//! Integrations and the hotel's switches in the schema. Everything here needs the permission `ADMIN`.

use std::collections::HashMap;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono_tz::Tz;

use super::connection::{Connection, ListNode};
use super::context::{RequestContext, Session, with_reason};
use super::error::{InInput, Resolved, read_ahead};
use super::paging::{CursorScope, PageArguments};
use super::scalars::{Datetime, uuid};
use super::selection::Selection;
use crate::actor::Permission;
use crate::db::ListBounds;
use crate::disconnection::{self, Disconnected};
use crate::error::Result;
use crate::hotel_settings::{self, HotelChange};
use crate::integrations::{self, Holdings, Integration};

/// The integration of something.
#[derive(SimpleObject)]
pub struct IntegrationRef {
    /// Opaque, at most 64 letters, digits and hyphens.
    id: ID,
    /// Name, unique in the hotel.
    name: String,
    /// Since when it is disconnected; `null` while it is connected.
    disconnected_at: Option<Datetime>,
}

impl IntegrationRef {
    /// As the hotel's clocks show it.
    pub fn new(integration: Integration, zone: Tz) -> Self {
        Self {
            id: ID(integration.id.to_string()),
            name: integration.name,
            disconnected_at: integration.disconnected_at.map(|instant| Datetime::local(instant, zone)),
        }
    }
}

/// A vendor's connection to the hotel. It owns its room access keys, user identities, access grants and webhook endpoints; its
/// API keys own nothing.
pub struct IntegrationNode {
    integration: Integration,
    /// `None` when it was not selected.
    holdings: Option<Holdings>,
    zone: Tz,
}

impl ListNode for IntegrationNode {
    const CONNECTION: &'static str = "IntegrationConnection";
    const EDGE: &'static str = "IntegrationEdge";
}

/// What an integration holds: what its disconnection would take away.
#[derive(SimpleObject)]
pub struct IntegrationHoldings {
    /// Room access keys, on stays or not.
    room_access_keys: i64,
    /// Stays that one of them is on.
    room_stays: i64,
    /// Access grants that were not deleted.
    access_grants: i64,
    /// User identities.
    user_identities: i64,
    /// Webhook endpoints, enabled or not.
    webhook_endpoints: i64,
    /// Pairs of API keys that are not revoked.
    api_keys: i64,
}

/// A vendor's connection to the hotel. It owns its room access keys, user identities, access grants and webhook endpoints; its
/// API keys own nothing.
#[Object(name = "Integration")]
impl IntegrationNode {
    /// Opaque, at most 64 letters, digits and hyphens.
    async fn id(&self) -> ID {
        ID(self.integration.id.to_string())
    }

    /// Name, unique in the hotel.
    async fn name(&self) -> &str {
        &self.integration.name
    }

    /// When it was first connected.
    async fn created_at(&self) -> Datetime {
        Datetime::local(self.integration.created_at, self.zone)
    }

    /// Since when it is disconnected; `null` while it is connected.
    async fn disconnected_at(&self) -> Option<Datetime> {
        self.integration.disconnected_at.map(|instant| Datetime::local(instant, self.zone))
    }

    /// What it holds: what its disconnection would take away.
    async fn holdings(&self) -> Resolved<IntegrationHoldings> {
        let holdings = read_ahead(self.holdings.clone())?;
        Ok(IntegrationHoldings {
            room_access_keys: holdings.room_access_keys,
            room_stays: holdings.room_stays,
            access_grants: holdings.access_grants,
            user_identities: holdings.user_identities,
            webhook_endpoints: holdings.webhook_endpoints,
            api_keys: holdings.api_keys,
        })
    }
}

/// Queries for integrations.
#[derive(Default)]
pub struct IntegrationQuery;

#[Object]
impl IntegrationQuery {
    /// The hotel's integrations, disconnected ones too, in the order in which they were first connected. Needs the
    /// permission `ADMIN`.
    async fn integrations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, at most 100; 20 when neither first nor last is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only integrations behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only integrations before this cursor.")] before: Option<String>,
    ) -> Resolved<Option<Connection<IntegrationNode>>> {
        let arguments = PageArguments { first, after, last, before };
        Ok(Some(page(RequestContext::of(ctx), &arguments, &Selection::of(ctx)).await?))
    }
}

async fn page(
    context: &RequestContext,
    arguments: &PageArguments,
    selection: &Selection<'_>,
) -> Result<Connection<IntegrationNode>> {
    context.actor.require(Permission::Admin)?;
    let hotel = context.actor.hotel.id;
    let scope = CursorScope::new(hotel, "integrations", &());
    let request = arguments.request(scope)?;
    let mut session = context.read().await?;
    let page = integrations::page(session.conn().await?, hotel, &request).await?;
    let wanted = selection.bounds_request(&request);
    let bounds = if wanted.is_empty() {
        ListBounds::default()
    } else {
        integrations::bounds(session.conn().await?, hotel, &wanted).await?
    };
    let mut holdings = holdings(&mut session, &page.items, &selection.field("edges").field("node")).await?;
    let zone = context.actor.hotel.time_zone;
    let keyed = page.map(|integration| {
        let id = integration.id;
        (id, IntegrationNode { holdings: holdings.remove(&id), integration, zone })
    });
    Ok(Connection::new(keyed, bounds, &request, scope))
}

async fn holdings(
    session: &mut Session<'_>,
    integrations: &[Integration],
    node: &Selection<'_>,
) -> Result<HashMap<uuid::Uuid, Holdings>> {
    if !node.has("holdings") || integrations.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<_> = integrations.iter().map(|integration| integration.id).collect();
    let hotel = session.context.actor.hotel.id;
    Ok(integrations::holdings(session.conn().await?, hotel, &ids).await?.into_iter().collect())
}

/// An integration to connect.
#[derive(InputObject)]
pub struct ConnectIntegrationInput {
    /// Name of the vendor or its product, 1 to 200 characters, unique in the hotel.
    name: String,
}

/// Which integration to disconnect.
#[derive(InputObject)]
pub struct DisconnectIntegrationInput {
    /// The integration; not the one that the request comes from.
    id: ID,
    /// Why, for the audit trail: 1 to 500 characters.
    reason: Option<String>,
}

/// Whether lock vendors may write room access keys.
#[derive(InputObject)]
pub struct SetRoomAccessKeysEnabledInput {
    /// `false` refuses all mutations of room access keys with `ROOM_ACCESS_KEYS_DISABLED`. Keys that are on stays stay.
    enabled: bool,
    /// Why, for the audit trail: 1 to 500 characters.
    reason: Option<String>,
}

/// Answer of `connectIntegration`.
#[derive(SimpleObject)]
pub struct ConnectIntegrationPayload {
    /// The integration. It has no API key yet: see `createApiKey`.
    integration: IntegrationNode,
}

/// Answer of `disconnectIntegration`: what was taken away.
#[derive(SimpleObject)]
pub struct DisconnectIntegrationPayload {
    /// The integration.
    integration: IntegrationNode,
    /// Pairs of API keys that were revoked.
    api_keys_revoked: usize,
    /// Webhook endpoints that were deleted.
    webhook_endpoints_deleted: usize,
    /// Stays that lost their room access key.
    room_stays_changed: usize,
    /// Room access keys that were deleted.
    room_access_keys_deleted: usize,
    /// Room access keys that were too many for one time, which is 2000. Disconnect it again until it is 0.
    room_access_keys_left: i64,
    /// Access grants that were deleted.
    access_grants_deleted: usize,
    /// Access grants that were too many for one time, which is 2000. Disconnect it again until it is 0.
    access_grants_left: i64,
    /// User identities that were deleted.
    user_identities_deleted: usize,
    /// User identities that were too many for one time, which is 2000. Disconnect it again until it is 0.
    user_identities_left: i64,
}

/// Answer of `setRoomAccessKeysEnabled`.
#[derive(SimpleObject)]
pub struct SetRoomAccessKeysEnabledPayload {
    /// Whether lock vendors may write room access keys.
    room_access_keys_enabled: bool,
}

/// Mutations of integrations and of the hotel's switches.
#[derive(Default)]
pub struct IntegrationMutation;

#[Object]
impl IntegrationMutation {
    /// Connects an integration, or one that was disconnected again: it begins empty, its former API keys stay revoked.
    /// Needs the permission `ADMIN`.
    ///
    /// Errors: `INVALID_ARGUMENT`, `NAME_TAKEN`.
    async fn connect_integration(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The integration.")] input: ConnectIntegrationInput,
    ) -> Resolved<Option<ConnectIntegrationPayload>> {
        let mut session = begin(ctx).await?;
        let connected = integrations::connect_in(session.tx(), &input.name).await.in_input()?;
        let integration = node(&mut session, connected, ctx).await?;
        Ok(Some(session.done(ConnectIntegrationPayload { integration })))
    }

    /// Disconnects an integration: its API keys are revoked, its webhook endpoints deleted, its encoders left without an
    /// integration, its room access keys taken off all stays and deleted, its access grants and user identities deleted, with the
    /// same events as if it had done so. `Integration.holdings` tells before what that is, and so does a test key. Needs the
    /// permission `ADMIN`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`.
    async fn disconnect_integration(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which integration.")] input: DisconnectIntegrationInput,
    ) -> Resolved<Option<DisconnectIntegrationPayload>> {
        let mut session = begin(ctx).await?;
        with_reason(&mut session, input.reason.as_deref())?;
        let done: Disconnected = disconnection::disconnect_in(session.tx(), uuid(&input.id)).await.in_input()?;
        let integration = node(&mut session, done.integration, ctx).await?;
        Ok(Some(session.done(DisconnectIntegrationPayload {
            integration,
            api_keys_revoked: done.api_keys_revoked,
            webhook_endpoints_deleted: done.webhook_endpoints_deleted,
            room_stays_changed: done.room_stays_changed,
            room_access_keys_deleted: done.room_access_keys_deleted,
            room_access_keys_left: done.room_access_keys_left,
            access_grants_deleted: done.access_grants_deleted,
            access_grants_left: done.access_grants_left,
            user_identities_deleted: done.user_identities_deleted,
            user_identities_left: done.user_identities_left,
        })))
    }

    /// Switches the Room Access Key API of the hotel on or off, from the next mutation on. Needs the permission `ADMIN`.
    ///
    /// Errors: `INVALID_ARGUMENT`.
    async fn set_room_access_keys_enabled(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "On or off.")] input: SetRoomAccessKeysEnabledInput,
    ) -> Resolved<Option<SetRoomAccessKeysEnabledPayload>> {
        let mut session = begin(ctx).await?;
        with_reason(&mut session, input.reason.as_deref())?;
        let change = HotelChange { room_access_keys_enabled: Some(input.enabled), ..HotelChange::default() };
        hotel_settings::update_in(session.tx(), &change).await.in_input()?;
        Ok(Some(session.done(SetRoomAccessKeysEnabledPayload { room_access_keys_enabled: input.enabled })))
    }
}

async fn begin<'a>(ctx: &'a Context<'_>) -> Resolved<Session<'a>> {
    let session = RequestContext::of(ctx).write().await?;
    session.context.actor.require(Permission::Admin)?;
    Ok(session)
}

async fn node(session: &mut Session<'_>, integration: Integration, ctx: &Context<'_>) -> Result<IntegrationNode> {
    let selected = Selection::of(ctx).field("integration");
    let holdings = holdings(session, std::slice::from_ref(&integration), &selected).await?.remove(&integration.id);
    Ok(IntegrationNode { integration, holdings, zone: session.context.actor.hotel.time_zone })
}
