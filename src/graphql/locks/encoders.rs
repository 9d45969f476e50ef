//! Encoders in the schema.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::filters::EncoderFilter;
use crate::actor::Permission;
use crate::db::{Filter, ListBounds};
use crate::error::Result;
use crate::graphql::changes::irremovable;
use crate::graphql::connection::{Connection, ListNode};
use crate::graphql::context::{RequestContext, Session};
use crate::graphql::enums::LockProvider;
use crate::graphql::error::{InInput, Resolved};
use crate::graphql::filters::filter_argument;
use crate::graphql::integrations::IntegrationRef;
use crate::graphql::paging::{CursorScope, PageArguments};
use crate::graphql::scalars::{Datetime, uuid};
use crate::graphql::selection::Selection;
use crate::locks::{self, Encoder, EncoderChange, EncoderField, NewEncoder, Reference};

/// What writes cards, at the front desk.
#[derive(SimpleObject)]
#[graphql(name = "Encoder")]
pub struct EncoderNode {
    /// Opaque, at most 64 letters, digits and hyphens.
    id: ID,
    /// Name by which clients find it, unique in the hotel. Arguments take it in place of the id.
    encoder_key: Option<String>,
    /// Name that people read.
    name: String,
    /// Whose cards it writes.
    provider: LockProvider,
    /// Whether Latchkey plays it, for demonstrations and tests.
    simulated: bool,
    /// The integration whose bridge takes its commands. `null` when there is none, and for other integrations without the
    /// permission `FRONT_DESK`.
    integration: Option<IntegrationRef>,
    /// Failed attempts in a row: 0 while it works.
    failures: i32,
    /// Until when it is left alone after failures.
    backoff_until: Option<Datetime>,
    /// When it last wrote a card.
    last_success_at: Option<Datetime>,
    /// When it was made.
    created_at: Datetime,
    /// When it was last changed.
    updated_at: Datetime,
}

impl ListNode for EncoderNode {
    const CONNECTION: &'static str = "EncoderConnection";
    const EDGE: &'static str = "EncoderEdge";
}

impl EncoderNode {
    /// As the one who asks may see it.
    fn new(encoder: Encoder, context: &RequestContext) -> Self {
        let (actor, zone) = (&context.actor, context.actor.hotel.time_zone);
        let local = |instant: DateTime<Utc>| Datetime::local(instant, zone);
        let own = actor.principal.integration_id();
        let is_visible = |id| actor.permission >= Permission::FrontDesk || own == Some(id);
        let integration = encoder.integration.filter(|integration| is_visible(integration.id));
        Self {
            id: ID(encoder.id.to_string()),
            encoder_key: encoder.key,
            name: encoder.name,
            provider: encoder.provider.into(),
            simulated: encoder.simulated,
            integration: integration.map(|integration| IntegrationRef::new(integration, zone)),
            failures: encoder.failures,
            backoff_until: encoder.backoff_until.map(local),
            last_success_at: encoder.last_success_at.map(local),
            created_at: local(encoder.created_at),
            updated_at: local(encoder.updated_at),
        }
    }
}

/// Queries for encoders.
#[derive(Default)]
pub struct EncoderQuery;

#[Object]
impl EncoderQuery {
    /// Encoders of the hotel, in the order in which they were made.
    async fn encoders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which encoders.")] filter: Option<EncoderFilter>,
        #[graphql(desc = "The first so many, at most 100; 20 when neither first nor last is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only encoders behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only encoders before this cursor.")] before: Option<String>,
    ) -> Resolved<Option<Connection<EncoderNode>>> {
        let arguments = PageArguments { first, after, last, before };
        let filter = filter_argument(filter)?;
        Ok(Some(page(RequestContext::of(ctx), &filter, &arguments, &Selection::of(ctx)).await?))
    }
}

async fn page(
    context: &RequestContext,
    filter: &Filter<EncoderField>,
    arguments: &PageArguments,
    selection: &Selection<'_>,
) -> Result<Connection<EncoderNode>> {
    let hotel = context.actor.hotel.id;
    let scope = CursorScope::new(hotel, "encoders", filter);
    let request = arguments.request(scope)?;
    let mut session = context.read().await?;
    let page = locks::encoder_page(session.conn().await?, hotel, filter, &request).await?;
    let wanted = selection.bounds_request(&request);
    let bounds = if wanted.is_empty() {
        ListBounds::default()
    } else {
        locks::encoder_bounds(session.conn().await?, hotel, filter, &wanted).await?
    };
    let keyed = page.map(|encoder| (encoder.id, EncoderNode::new(encoder, context)));
    Ok(Connection::new(keyed, bounds, &request, scope))
}

/// A new encoder.
#[derive(InputObject)]
pub struct CreateEncoderInput {
    /// Name by which clients find it, unique in the hotel: 1 to 200 characters, not written like an id.
    encoder_key: Option<String>,
    /// Name that people read: 1 to 200 characters.
    name: String,
    /// Whose cards it writes.
    provider: LockProvider,
    /// Whether Latchkey plays it, for demonstrations and tests. It stays what it was made as.
    #[graphql(default)]
    simulated: bool,
    /// The integration whose bridge takes its commands: that of the request when none is given. A simulated one has none.
    integration_id: Option<ID>,
}

/// What to change of an encoder. What is absent stays as it is.
#[derive(InputObject)]
pub struct UpdateEncoderInput {
    /// The encoder, by its id or by its key.
    id: ID,
    /// Name by which clients find it, unique in the hotel: 1 to 200 characters, not written like an id. `null` takes it away.
    encoder_key: MaybeUndefined<String>,
    /// Name that people read: 1 to 200 characters.
    name: MaybeUndefined<String>,
    /// Whose cards it writes. It stays while the encoder has commands that are not finished.
    provider: MaybeUndefined<LockProvider>,
    /// The integration whose bridge takes its commands; `null`: nobody takes them.
    integration_id: MaybeUndefined<ID>,
}

/// Which encoder to delete.
#[derive(InputObject)]
pub struct DeleteEncoderInput {
    /// The encoder, by its id or by its key.
    id: ID,
}

/// Answer of `createEncoder` and `updateEncoder`.
#[derive(SimpleObject)]
pub struct EncoderPayload {
    /// The encoder.
    encoder: EncoderNode,
}

/// Answer of `deleteEncoder`.
#[derive(SimpleObject)]
pub struct DeleteEncoderPayload {
    /// Always true; an encoder that cannot be deleted is an error.
    deleted: bool,
}

/// Mutations of encoders.
#[derive(Default)]
pub struct EncoderMutation;

#[Object]
impl EncoderMutation {
    /// Adds an encoder. Needs the permission `FRONT_DESK`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`, `NAME_TAKEN`.
    async fn create_encoder(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The encoder.")] input: CreateEncoderInput,
    ) -> Resolved<Option<EncoderPayload>> {
        let mut session = begin(ctx).await?;
        let new = NewEncoder {
            key: input.encoder_key,
            name: input.name,
            provider: input.provider.into(),
            simulated: input.simulated,
            integration: input.integration_id.as_ref().map(uuid),
        };
        let encoder = locks::create_encoder_in(session.tx(), new).await.in_input()?;
        Ok(Some(done(session, encoder)))
    }

    /// Changes an encoder. Needs the permission `FRONT_DESK`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`, `NAME_TAKEN`.
    async fn update_encoder(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateEncoderInput,
    ) -> Resolved<Option<EncoderPayload>> {
        let mut session = begin(ctx).await?;
        let integration: Option<Option<ID>> = input.integration_id.into();
        let change = EncoderChange {
            key: input.encoder_key.into(),
            name: irremovable(input.name, "name").in_input()?,
            provider: irremovable(input.provider, "provider").in_input()?.map(Into::into),
            integration: integration.map(|id| id.as_ref().map(uuid)),
        };
        let encoder = locks::update_encoder_in(session.tx(), &Reference::parse(&input.id), change).await.in_input()?;
        Ok(Some(done(session, encoder)))
    }

    /// Deletes an encoder whose commands are all finished, and its commands with it. Needs the permission `FRONT_DESK`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`.
    async fn delete_encoder(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which encoder.")] input: DeleteEncoderInput,
    ) -> Resolved<Option<DeleteEncoderPayload>> {
        let mut session = begin(ctx).await?;
        locks::delete_encoder_in(session.tx(), &Reference::parse(&input.id)).await.in_input()?;
        Ok(Some(session.done(DeleteEncoderPayload { deleted: true })))
    }
}

async fn begin<'a>(ctx: &'a Context<'_>) -> Resolved<Session<'a>> {
    let session = RequestContext::of(ctx).write().await?;
    session.context.actor.require(Permission::FrontDesk)?;
    Ok(session)
}

fn done(session: Session<'_>, encoder: Encoder) -> EncoderPayload {
    let encoder = EncoderNode::new(encoder, session.context);
    session.done(EncoderPayload { encoder })
}
