//! Access methods in the schema.

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::filters::AccessMethodFilter;
use crate::access_grants::{self, Method, MethodWarning, OwnedList, visible_to};
use crate::db::ListBounds;
use crate::error::Result;
use crate::graphql::connection::{Connection, ListNode};
use crate::graphql::context::RequestContext;
use crate::graphql::enums::{AccessMethodState, AccessMethodWarningCode, AccessMode};
use crate::graphql::error::Resolved;
use crate::graphql::filters::filter_argument;
use crate::graphql::paging::{CursorScope, PageArguments};
use crate::graphql::scalars::Datetime;
use crate::graphql::selection::Selection;

/// One means of entry of an access grant: one card, one phone's key, one code.
#[derive(SimpleObject)]
#[graphql(name = "AccessMethod")]
pub struct AccessMethodNode {
    /// Opaque, at most 64 letters, digits and hyphens.
    id: ID,
    /// What it is.
    mode: AccessMode,
    /// What is known of it.
    state: AccessMethodState,
    /// Whether its card has to be written, for the first time or again.
    is_encoding_required: bool,
    /// When it began to work: of a card, when it was first written.
    issued_at: Option<Datetime>,
    /// When its card was last written.
    encoded_at: Option<Datetime>,
    /// When a lock was seen to refuse it for a later reservation.
    overridden_at: Option<Datetime>,
    /// When it was taken away.
    revoked_at: Option<Datetime>,
    /// When it was asked for.
    created_at: Datetime,
    /// Its access grant, which may have been deleted.
    access_grant_id: ID,
    /// What somebody has to do about it.
    warnings: Vec<AccessMethodWarning>,
}

/// What somebody has to do about an access method.
#[derive(SimpleObject)]
pub struct AccessMethodWarning {
    /// What it is.
    code: AccessMethodWarningCode,
    /// What it is, for people.
    message: &'static str,
}

impl ListNode for AccessMethodNode {
    const CONNECTION: &'static str = "AccessMethodConnection";
    const EDGE: &'static str = "AccessMethodEdge";
}

impl AccessMethodNode {
    /// As it is at that time, by the hotel's clocks.
    pub fn new(method: &Method, now: DateTime<Utc>, zone: Tz) -> Self {
        let local = |instant: DateTime<Utc>| Datetime::local(instant, zone);
        Self {
            id: ID(method.id.to_string()),
            mode: method.mode.into(),
            state: method.state(now).into(),
            is_encoding_required: method.is_encoding_required(now),
            issued_at: method.issued_at.map(local),
            encoded_at: method.encoded_at.map(local),
            overridden_at: method.overridden_at.map(local),
            revoked_at: method.revoked_at.map(local),
            created_at: local(method.created_at),
            access_grant_id: ID(method.grant_id.to_string()),
            warnings: method.warnings(now).into_iter().map(AccessMethodWarning::from).collect(),
        }
    }
}

impl From<MethodWarning> for AccessMethodWarning {
    fn from(warning: MethodWarning) -> Self {
        let message = match warning {
            MethodWarning::EncodingRequired => "Encode the card: it does not bear what the access grant says",
            MethodWarning::CardCollectionRequired => {
                "Collect the card: locks that are offline open to it until it is overridden or its time ends"
            }
        };
        Self { code: warning.into(), message }
    }
}

/// Queries for access methods.
#[derive(Default)]
pub struct AccessMethodQuery;

#[Object]
impl AccessMethodQuery {
    /// Access methods of this integration's access grants, those of deleted ones, too, in the order in which they were asked for: with
    /// the permission `FRONT_DESK` those of all integrations of the hotel. What could not be made is none.
    async fn access_methods(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which access methods.")] filter: Option<AccessMethodFilter>,
        #[graphql(desc = "The first so many, at most 100; 20 when neither first nor last is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only access methods behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only access methods before this cursor.")] before: Option<String>,
    ) -> Resolved<Option<Connection<AccessMethodNode>>> {
        let arguments = PageArguments { first, after, last, before };
        Ok(Some(page(RequestContext::of(ctx), filter, &arguments, &Selection::of(ctx)).await?))
    }
}

async fn page(
    context: &RequestContext,
    filter: Option<AccessMethodFilter>,
    arguments: &PageArguments,
    selection: &Selection<'_>,
) -> Result<Connection<AccessMethodNode>> {
    let (hotel, now) = (context.actor.hotel.id, context.now);
    let list = OwnedList { integration: visible_to(&context.actor)?, filter: filter_argument(filter)? };
    let scope = CursorScope::new(hotel, "accessMethods", &list);
    let request = arguments.request(scope)?;
    let mut session = context.read().await?;
    session.follow().await?;
    let page = access_grants::method_page(session.conn().await?, hotel, &list, &request, now).await?;
    let wanted = selection.bounds_request(&request);
    let bounds = if wanted.is_empty() {
        ListBounds::default()
    } else {
        access_grants::method_bounds(session.conn().await?, hotel, &list, &wanted).await?
    };
    let zone = context.actor.hotel.time_zone;
    let keyed = page.map(|method| (method.id, AccessMethodNode::new(&method, now, zone)));
    Ok(Connection::new(keyed, bounds, &request, scope))
}
