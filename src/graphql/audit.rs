//! The audit trail in the schema.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use chrono_tz::Tz;
use uuid::Uuid;

use super::connection::{Connection, ListNode};
use super::context::{RequestContext, Session};
use super::enums::{AuditAction, AuditObjectType};
use super::error::{Resolved, read_ahead};
use super::integrations::IntegrationRef;
use super::paging::{CursorScope, PageArguments};
use super::scalars::{Datetime, uuid};
use super::selection::Selection;
use crate::actor::Permission;
use crate::audit::{self, ActorType};
use crate::audit_trail::{self, AuditEntry, AuditList, Reader};
use crate::db::{ListBounds, ListBoundsRequest};
use crate::error::{Error, Result};

/// Something that was done to a record, by whom, and why where staff said so. It names fields and never tells values.
#[derive(SimpleObject)]
#[graphql(name = "AuditEntry")]
pub struct AuditEntryNode {
    /// Opaque, at most 64 letters, digits and hyphens.
    id: ID,
    /// When it was done.
    created_at: Datetime,
    /// What was done.
    action: AuditAction,
    /// To what. It may be gone.
    object: AuditObject,
    /// For updates: names of the fields that changed, as in this schema.
    updated_fields: Option<Vec<String>>,
    /// Another record that it concerns: the key that was put on a stay or taken off, the stay that was split, the reservation
    /// of a new stay, the guest of a guest list, the other pair of API keys when one was regenerated.
    related: Option<AuditObject>,
    /// Who did it.
    actor: AuditActor,
    /// Why, in the words of staff: `reason` of the mutation or of the REST request.
    reason: Option<String>,
    /// `X-Request-Id` of the request that did it.
    request_id: Option<String>,
}

impl ListNode for AuditEntryNode {
    const CONNECTION: &'static str = "AuditEntryConnection";
    const EDGE: &'static str = "AuditEntryEdge";
}

/// A record that an entry of the audit trail is about. It may be gone.
#[derive(SimpleObject)]
pub struct AuditObject {
    /// What kind of record.
    #[graphql(name = "type")]
    object_type: AuditObjectType,
    /// Its id.
    id: ID,
}

/// Who did something.
#[derive(SimpleObject)]
pub struct AuditActor {
    /// What kind of actor.
    #[graphql(name = "type")]
    actor_type: AuditActorType,
    /// The integration; `null` for every other kind of actor.
    integration: Option<IntegrationRef>,
    /// The pair of API keys that the request was made with; `null` for every other kind of actor.
    api_key: Option<AuditApiKey>,
}

/// Who did it.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum AuditActorType {
    /// An integration, with one of its API keys.
    Integration,
    /// The import of bookings from a file.
    Import,
    /// The clean-up of room access keys that outlived their stay.
    Pruner,
    /// Whoever runs the service, on the command line.
    CommandLine,
    /// Latchkey itself.
    System,
}

impl TryFrom<ActorType> for AuditActorType {
    type Error = Error;

    fn try_from(actor: ActorType) -> Result<Self> {
        match actor {
            ActorType::Integration => Ok(Self::Integration),
            ActorType::Import => Ok(Self::Import),
            ActorType::Pruner => Ok(Self::Pruner),
            ActorType::CommandLine => Ok(Self::CommandLine),
            ActorType::System => Ok(Self::System),
            // They are in the schema once there is something that they act with.
            ActorType::Staff | ActorType::Guest => Err(Error::internal("the schema knows neither staff nor guests")),
        }
    }
}

/// The pair of API keys that something was done with.
#[derive(SimpleObject)]
pub struct AuditApiKey {
    /// Its id.
    id: ID,
    /// What people call it.
    name: String,
}

impl AuditEntryNode {
    fn new(entry: AuditEntry, zone: Tz) -> Result<Self> {
        let object = |object: audit::Object| AuditObject {
            object_type: object.object_type.into(),
            id: ID(object.id.to_string()),
        };
        let actor = AuditActor {
            actor_type: entry.actor.actor_type.try_into()?,
            integration: entry.actor.integration.map(|integration| IntegrationRef::new(integration, zone)),
            api_key: entry.actor.api_key.map(|(id, name)| AuditApiKey { id: ID(id.to_string()), name }),
        };
        Ok(Self {
            id: ID(entry.id.to_string()),
            created_at: Datetime::local(entry.created_at, zone),
            action: entry.action.into(),
            object: object(entry.object),
            updated_fields: entry.updated_fields,
            related: entry.related.map(object),
            actor,
            reason: entry.reason,
            request_id: entry.request_id,
        })
    }
}

/// Queries for the audit trail.
#[derive(Default)]
pub struct AuditQuery;

#[Object]
impl AuditQuery {
    /// Who did what in the hotel, the newest first. Kept for 400 days, also of what was deleted. An integration reads what it
    /// did itself, and needs `objectId` for that; with the permission `FRONT_DESK` it reads what anybody did to reservations,
    /// room stays, clients, room access keys, rooms and categories; with `ADMIN` everything.
    #[expect(clippy::too_many_arguments, reason = "a field of the schema")]
    async fn audit_entries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only what concerns the record with this id, whether or not it still exists.")]
        object_id: Option<ID>,
        #[graphql(desc = "Only what was done at this instant or later.")] since: Option<Datetime>,
        #[graphql(desc = "Only what was done before this instant.")] until: Option<Datetime>,
        #[graphql(desc = "The first so many, at most 100; 20 when neither first nor last is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only entries behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before this cursor.")] before: Option<String>,
    ) -> Resolved<Option<Connection<AuditEntryNode>>> {
        let context = RequestContext::of(ctx);
        let arguments = PageArguments { first, after, last, before };
        let list = AuditList {
            since: since.map(|at| at.0.to_utc()),
            until: until.map(|at| at.0.to_utc()),
            ..AuditList::of(Reader::of(&context.actor))
        };
        let object = object_id.as_ref().map(uuid);
        Ok(Some(entries(context, object, &list, &arguments, &Selection::of(ctx)).await?))
    }
}

async fn entries(
    context: &RequestContext,
    object: Option<Uuid>,
    list: &AuditList,
    arguments: &PageArguments,
    selection: &Selection<'_>,
) -> Result<Connection<AuditEntryNode>> {
    let hotel = &context.actor.hotel;
    let filter = (object, list.since, list.until);
    let scope = CursorScope::new(hotel.id, "auditEntries", &filter);
    let request = arguments.request(scope)?;
    if object.is_none() {
        // The few entries of one integration among all of the hotel's would have to be searched for.
        context.actor.require(Permission::FrontDesk)?;
    }
    let wanted = selection.bounds_request(&request);
    let mut session = context.read().await?;
    let (page, bounds) = if let Some(object) = object {
        let page = audit_trail::pages_of_objects(session.conn().await?, list, &[object], &request).await?.remove(0);
        let bounds = bounds(&mut session, list, &[object], &wanted).await?;
        (page, bounds[0])
    } else {
        let page = audit_trail::page(session.conn().await?, list, &request).await?;
        let bounds = if wanted.is_empty() {
            ListBounds::default()
        } else {
            audit_trail::bounds(session.conn().await?, list, &wanted).await?
        };
        (page, bounds)
    };
    let keyed = page.try_map(|entry| Ok((entry.id, AuditEntryNode::new(entry, hotel.time_zone)?)))?;
    Ok(Connection::new(keyed, bounds, &request, scope))
}

async fn bounds(
    session: &mut Session<'_>,
    list: &AuditList,
    objects: &[Uuid],
    wanted: &ListBoundsRequest<Uuid>,
) -> Result<Vec<ListBounds>> {
    if wanted.is_empty() {
        return Ok(vec![ListBounds::default(); objects.len()]);
    }
    audit_trail::bounds_of_objects(session.conn().await?, list, objects, wanted).await
}

/// Pages of `auditTrail` that are selected of records.
pub struct TrailPlan {
    pages: Vec<TrailPage>,
}

struct TrailPage {
    arguments: PageArguments,
    total: bool,
    has_previous_page: bool,
    has_next_page: bool,
}

impl TrailPlan {
    /// Plans for what is selected of records that have an audit trail.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for the arguments of a trail.
    pub fn of(records: &Selection<'_>) -> Result<Self> {
        let pages = records.connections("auditTrail")?.into_iter().map(|(arguments, connection)| {
            let page_info = connection.field("pageInfo");
            TrailPage {
                arguments,
                total: connection.has("totalCount"),
                has_previous_page: page_info.has("hasPreviousPage"),
                has_next_page: page_info.has("hasNextPage"),
            }
        });
        Ok(Self { pages: pages.collect() })
    }

    /// Whether none is selected.
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }
}

/// The pages of one record's trail that were selected, by their arguments.
#[derive(Clone, Default)]
pub struct Trails(Arc<Vec<(PageArguments, Connection<AuditEntryNode>)>>);

impl Trails {
    /// The page for these arguments.
    pub fn page(&self, arguments: &PageArguments) -> Resolved<&Connection<AuditEntryNode>> {
        read_ahead(self.0.iter().find(|(known, _)| known == arguments).map(|(_, page)| page))
    }

    /// Reads the selected pages for all of these records, in their order.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`, `INVALID_CURSOR`
    pub async fn read(session: &mut Session<'_>, records: &[Uuid], plan: &TrailPlan) -> Result<Vec<Self>> {
        let actor = &session.context.actor;
        let (zone, list) = (actor.hotel.time_zone, AuditList::of(Reader::of(actor)));
        // Ordered by the entries' ids, in which the cursor of another record's trail has a place, too.
        let scope = CursorScope::new(actor.hotel.id, "auditTrail", &());
        let mut trails: Vec<Vec<_>> = records.iter().map(|_| Vec::with_capacity(plan.pages.len())).collect();
        for page in &plan.pages {
            let request = page.arguments.request(scope)?;
            if records.is_empty() {
                continue;
            }
            let wanted = ListBoundsRequest {
                total: page.total,
                up_to: request.after.filter(|_| page.has_previous_page && !request.from_end),
                from: request.before.filter(|_| page.has_next_page && request.from_end),
            };
            let entries = audit_trail::pages_of_objects(session.conn().await?, &list, records, &request).await?;
            let bounds = bounds(session, &list, records, &wanted).await?;
            for ((trail, entries), bounds) in trails.iter_mut().zip(entries).zip(bounds) {
                let keyed = entries.try_map(|entry| Ok((entry.id, AuditEntryNode::new(entry, zone)?)))?;
                trail.push((page.arguments.clone(), Connection::new(keyed, bounds, &request, scope)));
            }
        }
        Ok(trails.into_iter().map(|trail| Self(Arc::new(trail))).collect())
    }
}
