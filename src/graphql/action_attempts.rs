//! Action attempts in the schema: how encoders and doors get on with what they were told to do.

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono_tz::Tz;

use super::connection::{Connection, ListNode};
use super::context::RequestContext;
use super::enums::{ActionAttemptStatus, LockCommandError, LockCommandKind};
use super::error::Resolved;
use super::filters::{ActionAttemptFilter, filter_argument};
use super::paging::{CursorScope, PageArguments};
use super::scalars::Datetime;
use super::selection::Selection;
use crate::actor::Permission;
use crate::db::ListBounds;
use crate::error::Result;
use crate::lock_commands::{self, ActionAttempt, Failure};

/// How an encoder gets on with a card, or a door with being opened. Kept for 30 days after its end.
#[derive(SimpleObject)]
#[graphql(name = "ActionAttempt")]
pub struct ActionAttemptNode {
    /// Opaque, at most 64 letters, digits and hyphens.
    id: ID,
    /// What is to be done.
    action_type: LockCommandKind,
    /// How far it has got. `PENDING` lasts some 2 minutes at most.
    status: ActionAttemptStatus,
    /// What went wrong; `null` unless the status is `ERROR`.
    error: Option<ActionAttemptError>,
    /// The access method that the card is of, or that opens the door.
    access_method_id: ID,
    /// The encoder; `null` unless the action is `ENCODE_CARD`.
    encoder_id: Option<ID>,
    /// Key of the encoder.
    encoder_key: Option<String>,
    /// The entrance; `null` unless the action is `UNLOCK_DOOR`.
    entrance_id: Option<ID>,
    /// Key of the entrance.
    entrance_key: Option<String>,
    /// When it was asked for.
    created_at: Datetime,
    /// When it succeeded or failed.
    finished_at: Option<Datetime>,
}

impl ListNode for ActionAttemptNode {
    const CONNECTION: &'static str = "ActionAttemptConnection";
    const EDGE: &'static str = "ActionAttemptEdge";
}

/// What went wrong with an action attempt.
#[derive(SimpleObject)]
pub struct ActionAttemptError {
    /// What it was.
    code: LockCommandError,
    /// What it was, for people.
    message: &'static str,
}

impl From<Failure> for ActionAttemptError {
    fn from(failure: Failure) -> Self {
        Self { code: failure.into(), message: failure.traits().message }
    }
}

impl ActionAttemptNode {
    /// As the hotel's clocks show it.
    pub fn new(attempt: ActionAttempt, zone: Tz) -> Self {
        Self {
            id: ID(attempt.id.to_string()),
            action_type: attempt.kind.into(),
            status: attempt.status.into(),
            error: attempt.error.map(Into::into),
            access_method_id: ID(attempt.subject_id.to_string()),
            encoder_id: attempt.encoder_id.map(|id| ID(id.to_string())),
            encoder_key: attempt.encoder_key,
            entrance_id: attempt.entrance_id.map(|id| ID(id.to_string())),
            entrance_key: attempt.entrance_key,
            created_at: Datetime::local(attempt.created_at, zone),
            finished_at: attempt.finished_at.map(|instant| Datetime::local(instant, zone)),
        }
    }
}

/// Queries for action attempts.
#[derive(Default)]
pub struct ActionAttemptQuery;

#[Object]
impl ActionAttemptQuery {
    /// What encoders and doors were told to do by this integration, in the order in which they were: with the permission `FRONT_DESK` by any
    /// integration of the hotel.
    async fn action_attempts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which action attempts.")] filter: Option<ActionAttemptFilter>,
        #[graphql(desc = "The first so many, at most 100; 20 when neither first nor last is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only action attempts behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only action attempts before this cursor.")] before: Option<String>,
    ) -> Resolved<Option<Connection<ActionAttemptNode>>> {
        let arguments = PageArguments { first, after, last, before };
        Ok(Some(page(RequestContext::of(ctx), filter, &arguments, &Selection::of(ctx)).await?))
    }
}

async fn page(
    context: &RequestContext,
    filter: Option<ActionAttemptFilter>,
    arguments: &PageArguments,
    selection: &Selection<'_>,
) -> Result<Connection<ActionAttemptNode>> {
    let actor = &context.actor;
    let hotel = actor.hotel.id;
    let of_hotel = actor.permission >= Permission::FrontDesk;
    let integration = if of_hotel { None } else { Some(actor.integration()?) };
    let filter = filter_argument(filter)?;
    let scoped = (integration, &filter);
    let scope = CursorScope::new(hotel, "actionAttempts", &scoped);
    let request = arguments.request(scope)?;
    let mut session = context.read().await?;
    let page = lock_commands::page(session.conn().await?, hotel, integration, &filter, &request).await?;
    let wanted = selection.bounds_request(&request);
    let bounds = if wanted.is_empty() {
        ListBounds::default()
    } else {
        lock_commands::bounds(session.conn().await?, hotel, integration, &filter, &wanted).await?
    };
    let zone = actor.hotel.time_zone;
    let keyed = page.map(|attempt| (attempt.id, ActionAttemptNode::new(attempt, zone)));
    Ok(Connection::new(keyed, bounds, &request, scope))
}
