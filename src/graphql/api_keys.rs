//! API keys in the schema. Everything here needs the permission `ADMIN`.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono_tz::Tz;

use super::connection::{Connection, ListNode};
use super::context::{RequestContext, Session, with_reason};
use super::error::{InInput, Resolved};
use super::integrations::IntegrationRef;
use super::paging::{CursorScope, PageArguments};
use super::scalars::{Datetime, uuid};
use super::selection::Selection;
use crate::actor::Permission;
use crate::auth::{self, ApiKeyChange, ApiKeyInfo, NewApiKey};
use crate::db::ListBounds;
use crate::error::Result;

/// What an API key permits. Each includes the ones before it.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Permission")]
pub enum ApiKeyPermission {
    /// Queries.
    ReadOnly,
    /// Also room access keys, physical check-in and check-out, cleaning status.
    Write,
    /// Also what a hotel does at its front desk: rooms, reservations and stays.
    FrontDesk,
    /// Also what its administrator does: API keys, integrations, the hotel's switches.
    Admin,
}

/// A pair of API keys: a live one and a test one, which are made, disabled and revoked together.
#[derive(SimpleObject)]
#[graphql(name = "ApiKey")]
pub struct ApiKeyNode {
    /// Opaque, at most 64 letters, digits and hyphens. Names the pair; it is no secret.
    id: ID,
    /// What people call it.
    name: String,
    /// The integration that it belongs to.
    integration: IntegrationRef,
    /// What it permits.
    permission: ApiKeyPermission,
    /// The live key, masked: `pms_live_****1a2b`.
    live_preview: String,
    /// The test key, masked: `pms_test_****1a2b`.
    test_preview: String,
    /// When it was made.
    created_at: Datetime,
    /// When one of its keys was last let in; `null` when none ever was. May be some seconds late.
    last_used_at: Option<Datetime>,
    /// HTTP requests that were let in with one of its keys, a batch counting as one. May be some seconds late.
    request_count: i64,
    /// Since when it is refused, until it is enabled again.
    disabled_at: Option<Datetime>,
    /// Since when it is refused for good.
    revoked_at: Option<Datetime>,
}

impl ListNode for ApiKeyNode {
    const CONNECTION: &'static str = "ApiKeyConnection";
    const EDGE: &'static str = "ApiKeyEdge";
}

impl ApiKeyNode {
    fn new(key: ApiKeyInfo, zone: Tz) -> Self {
        let local = |instant| Datetime::local(instant, zone);
        Self {
            id: ID(key.id.to_string()),
            name: key.name,
            integration: IntegrationRef::new(key.integration, zone),
            permission: key.permission.into(),
            live_preview: key.live_preview,
            test_preview: key.test_preview,
            created_at: local(key.created_at),
            last_used_at: key.last_used_at.map(local),
            request_count: key.request_count,
            disabled_at: key.disabled_at.map(local),
            revoked_at: key.revoked_at.map(local),
        }
    }
}

/// Queries for API keys.
#[derive(Default)]
pub struct ApiKeyQuery;

#[Object]
impl ApiKeyQuery {
    /// The API keys of the hotel, masked, in the order in which they were made. Needs the permission `ADMIN`.
    async fn api_keys(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many, at most 100; 20 when neither first nor last is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only API keys behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only API keys before this cursor.")] before: Option<String>,
    ) -> Resolved<Option<Connection<ApiKeyNode>>> {
        let arguments = PageArguments { first, after, last, before };
        Ok(Some(api_keys(RequestContext::of(ctx), &arguments, &Selection::of(ctx)).await?))
    }
}

async fn api_keys(
    context: &RequestContext,
    arguments: &PageArguments,
    selection: &Selection<'_>,
) -> Result<Connection<ApiKeyNode>> {
    context.actor.require(Permission::Admin)?;
    let hotel = context.actor.hotel.id;
    let scope = CursorScope::new(hotel, "apiKeys", &());
    let request = arguments.request(scope)?;
    let mut session = context.read().await?;
    let page = auth::page(session.conn().await?, hotel, &request).await?;
    let wanted = selection.bounds_request(&request);
    let bounds = if wanted.is_empty() {
        ListBounds::default()
    } else {
        auth::bounds(session.conn().await?, hotel, &wanted).await?
    };
    let zone = context.actor.hotel.time_zone;
    let keyed = page.map(|key| (key.id, ApiKeyNode::new(key, zone)));
    Ok(Connection::new(keyed, bounds, &request, scope))
}

/// A new pair of API keys.
#[derive(InputObject)]
pub struct CreateApiKeyInput {
    /// The integration that it is for; a connected one.
    integration_id: ID,
    /// What people call it, 1 to 200 characters; such as who it was given to.
    name: String,
    /// What it permits.
    permission: ApiKeyPermission,
}

/// Which pair of API keys to revoke.
#[derive(InputObject)]
pub struct RevokeApiKeyInput {
    /// The pair.
    id: ID,
    /// Why, for the audit trail: 1 to 500 characters.
    reason: Option<String>,
}

/// Which pair of API keys to regenerate.
#[derive(InputObject)]
pub struct RegenerateApiKeyInput {
    /// The pair.
    id: ID,
    /// Why, for the audit trail: 1 to 500 characters.
    reason: Option<String>,
}

/// Which pair of API keys to disable.
#[derive(InputObject)]
pub struct DisableApiKeyInput {
    /// The pair.
    id: ID,
    /// Why, for the audit trail: 1 to 500 characters.
    reason: Option<String>,
}

/// Which pair of API keys to enable.
#[derive(InputObject)]
pub struct EnableApiKeyInput {
    /// The pair.
    id: ID,
    /// Why, for the audit trail: 1 to 500 characters.
    reason: Option<String>,
}

/// Answer of mutations that show a new pair of API keys.
#[derive(SimpleObject)]
#[expect(clippy::struct_field_names, reason = "the schema names them so")]
pub struct NewApiKeyPayload {
    /// The pair.
    api_key: ApiKeyNode,
    /// The live key. Never shown again: hand it over by a secure channel, with the hotel's slug.
    live_key: String,
    /// The test key. Never shown again.
    test_key: String,
}

/// Answer of mutations of a pair of API keys.
#[derive(SimpleObject)]
pub struct ApiKeyPayload {
    /// The pair.
    api_key: ApiKeyNode,
}

/// Mutations of API keys.
#[derive(Default)]
pub struct ApiKeyMutation;

#[Object]
impl ApiKeyMutation {
    /// Makes a pair of API keys and shows it, which is never shown again. Other pairs, revoked or not, are not affected.
    /// Needs the permission `ADMIN`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`.
    async fn create_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The pair.")] input: CreateApiKeyInput,
    ) -> Resolved<Option<NewApiKeyPayload>> {
        let mut session = begin(ctx).await?;
        let integration = uuid(&input.integration_id);
        let new = auth::create_in(session.tx(), integration, input.name, input.permission.into()).await.in_input()?;
        shown_once(session, &new).await
    }

    /// Refuses both keys of a pair for good, from the next request on. Revoking it again succeeds. What the integration
    /// made with it stays. Needs the permission `ADMIN`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`.
    async fn revoke_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which pair.")] input: RevokeApiKeyInput,
    ) -> Resolved<Option<ApiKeyPayload>> {
        change(ctx, &input.id, ApiKeyChange::Revoke, input.reason.as_deref()).await
    }

    /// Revokes a pair and makes a new one of the same name, permission and integration, at once. Room access keys and
    /// webhook endpoints stay with the integration. Needs the permission `ADMIN`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`.
    async fn regenerate_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which pair.")] input: RegenerateApiKeyInput,
    ) -> Resolved<Option<NewApiKeyPayload>> {
        let mut session = begin(ctx).await?;
        with_reason(&mut session, input.reason.as_deref())?;
        let new = auth::regenerate_in(session.tx(), uuid(&input.id)).await.in_input()?;
        shown_once(session, &new).await
    }

    /// Refuses both keys of a pair until it is enabled again, from the next request on. Needs the permission `ADMIN`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`.
    async fn disable_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which pair.")] input: DisableApiKeyInput,
    ) -> Resolved<Option<ApiKeyPayload>> {
        change(ctx, &input.id, ApiKeyChange::Disable, input.reason.as_deref()).await
    }

    /// Accepts a disabled pair again, from the next request on. Needs the permission `ADMIN`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`.
    async fn enable_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which pair.")] input: EnableApiKeyInput,
    ) -> Resolved<Option<ApiKeyPayload>> {
        change(ctx, &input.id, ApiKeyChange::Enable, input.reason.as_deref()).await
    }
}

async fn begin<'a>(ctx: &'a Context<'_>) -> Resolved<Session<'a>> {
    let session = RequestContext::of(ctx).write().await?;
    session.context.actor.require(Permission::Admin)?;
    Ok(session)
}

async fn change(ctx: &Context<'_>, id: &ID, to: ApiKeyChange, reason: Option<&str>) -> Resolved<Option<ApiKeyPayload>> {
    let mut session = begin(ctx).await?;
    with_reason(&mut session, reason)?;
    let key = auth::change_in(session.tx(), uuid(id), to).await.in_input()?;
    let api_key = ApiKeyNode::new(key, session.context.actor.hotel.time_zone);
    Ok(Some(session.done(ApiKeyPayload { api_key })))
}

async fn shown_once(mut session: Session<'_>, new: &NewApiKey) -> Resolved<Option<NewApiKeyPayload>> {
    let key = auth::get(session.conn().await?, new.hotel_id, new.id).await?;
    let payload = NewApiKeyPayload {
        api_key: ApiKeyNode::new(key, session.context.actor.hotel.time_zone),
        live_key: new.pair.live.expose().to_owned(),
        test_key: new.pair.test.expose().to_owned(),
    };
    Ok(Some(session.done(payload)))
}
