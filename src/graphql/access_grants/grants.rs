//! Access grants in the schema, and what is read along with them.

use std::collections::HashMap;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use super::filters::AccessGrantFilter;
use super::identities::UserIdentityNode;
use super::methods::AccessMethodNode;
use crate::access_grants::{self, Grant, Method, MethodWarning, OwnedList, visible_to};
use crate::db::{Condition, Filter, ListBounds, Page, PageRequest};
use crate::error::Result;
use crate::graphql::connection::{Connection, ListNode};
use crate::graphql::context::{RequestContext, Session};
use crate::graphql::enums::AccessMode;
use crate::graphql::error::{Resolved, read_ahead};
use crate::graphql::filters::filter_argument;
use crate::graphql::integrations::IntegrationRef;
use crate::graphql::load::{self, StayPlan};
use crate::graphql::locks::entrances::{EntranceNode, entrance_nodes};
use crate::graphql::locks::spaces::{SpaceNode, space_nodes};
use crate::graphql::paging::{CursorScope, PageArguments};
use crate::graphql::room_stays::RoomStayNode;
use crate::graphql::scalars::Datetime;
use crate::graphql::selection::Selection;
use crate::locks;
use crate::room_stays::{self, StayField};

/// Leave for somebody to open doors for a time.
pub struct AccessGrantNode {
    grant: Grant,
    /// What belongs to it; `None` where it was not selected.
    user_identity: Option<UserIdentityNode>,
    room_stay: Option<RoomStayNode>,
    entrances: Option<Vec<EntranceNode>>,
    spaces: Option<Vec<SpaceNode>>,
    /// Everything that was asked for.
    methods: Option<Vec<Method>>,
    now: DateTime<Utc>,
    zone: Tz,
}

impl ListNode for AccessGrantNode {
    const CONNECTION: &'static str = "AccessGrantConnection";
    const EDGE: &'static str = "AccessGrantEdge";
}

/// An access method that was asked for.
#[derive(SimpleObject)]
pub struct RequestedAccessMethod {
    /// What it is to be.
    mode: AccessMode,
    /// When it was asked for.
    created_at: Datetime,
    /// What was made of it; `null` when nothing could be: see `errors` of the access grant.
    access_method_id: Option<ID>,
}

/// Something that has to be done about an access grant.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum AccessGrantWarningCode {
    /// A card does not bear what the access grant says, or takes the place of another one: encode it.
    EncodingRequired,
}

/// Something that has to be done about an access grant.
#[derive(SimpleObject)]
pub struct AccessGrantWarning {
    /// What it is.
    code: AccessGrantWarningCode,
    /// What it is, for people.
    message: &'static str,
}

/// Something that could not be done for an access grant.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum AccessGrantErrorCode {
    /// An access method was asked for that cannot be made for the entrances of the access grant.
    CannotCreateRequestedAccessMethods,
}

/// Something that could not be done for an access grant.
#[derive(SimpleObject)]
pub struct AccessGrantError {
    /// What it is.
    code: AccessGrantErrorCode,
    /// What it is, for people.
    message: String,
}

impl AccessGrantNode {
    fn methods(&self) -> Resolved<&[Method]> {
        read_ahead(self.methods.as_deref())
    }

    fn local(&self, instant: DateTime<Utc>) -> Datetime {
        Datetime::local(instant, self.zone)
    }
}

/// Leave for somebody to open doors for a time. It belongs to the integration that made it.
#[Object(name = "AccessGrant")]
impl AccessGrantNode {
    /// Opaque, at most 64 letters, digits and hyphens.
    async fn id(&self) -> ID {
        ID(self.grant.id.to_string())
    }

    /// Name by which its integration finds it. Arguments take it in place of the id.
    async fn access_grant_key(&self) -> Option<&str> {
        self.grant.key.as_deref()
    }

    /// Name that people read.
    async fn name(&self) -> Option<&str> {
        self.grant.name.as_deref()
    }

    /// What the access grants of one reservation share: of a room stay its id. `null` where it stands outside of reservations.
    async fn reservation_key(&self) -> Option<&str> {
        self.grant.reservation_key.as_deref()
    }

    /// The room stay that it follows.
    async fn room_stay(&self) -> Option<&RoomStayNode> {
        self.room_stay.as_ref()
    }

    /// Whom it is for.
    async fn user_identity(&self) -> Resolved<&UserIdentityNode> {
        read_ahead(self.user_identity.as_ref())
    }

    /// The integration that made it.
    async fn integration(&self) -> IntegrationRef {
        IntegrationRef::new(self.grant.integration.clone(), self.zone)
    }

    /// First instant at which it opens doors.
    async fn starts_at(&self) -> Datetime {
        self.local(self.grant.frame.starts_at)
    }

    /// First instant at which it opens none any more; `null`: it is open.
    async fn ends_at(&self) -> Option<Datetime> {
        self.grant.frame.ends_at.map(|at| self.local(at))
    }

    /// When it was made.
    async fn created_at(&self) -> Datetime {
        self.local(self.grant.created_at)
    }

    /// When its times, its entrances or its name were last changed.
    async fn updated_at(&self) -> Datetime {
        self.local(self.grant.updated_at)
    }

    /// The doors that it opens, in the order in which they were made.
    async fn entrances(&self) -> Resolved<&[EntranceNode]> {
        read_ahead(self.entrances.as_deref())
    }

    /// The spaces that it was made for. Its doors are those that they held then.
    async fn spaces(&self) -> Resolved<&[SpaceNode]> {
        read_ahead(self.spaces.as_deref())
    }

    /// The access methods that were asked for, in the order of asking.
    async fn requested_access_methods(&self) -> Resolved<Vec<RequestedAccessMethod>> {
        let requested = self.methods()?.iter().map(|method| RequestedAccessMethod {
            mode: method.mode.into(),
            created_at: self.local(method.created_at),
            access_method_id: (!method.refused).then(|| ID(method.id.to_string())),
        });
        Ok(requested.collect())
    }

    /// Its means of entry, also those that were taken away.
    async fn access_methods(&self) -> Resolved<Vec<AccessMethodNode>> {
        let made = self.methods()?.iter().filter(|method| !method.refused);
        Ok(made.map(|method| AccessMethodNode::new(method, self.now, self.zone)).collect())
    }

    /// Its first means of entry of that mode that was not taken away; `null` without one. `@chain` can take its id on to
    /// `encodeAccessMethod`.
    async fn access_method(
        &self,
        #[graphql(desc = "Of which mode.")] mode: AccessMode,
    ) -> Resolved<Option<AccessMethodNode>> {
        let mode = locks::Mode::from(mode);
        let is_live = |method: &&Method| method.mode == mode && !method.refused && method.revoked_at.is_none();
        let found = self.methods()?.iter().find(is_live);
        Ok(found.map(|method| AccessMethodNode::new(method, self.now, self.zone)))
    }

    /// What has to be done about it.
    async fn warnings(&self) -> Resolved<Vec<AccessGrantWarning>> {
        let wants_encoding = |method: &Method| method.warnings(self.now).contains(&MethodWarning::EncodingRequired);
        let warning = AccessGrantWarning {
            code: AccessGrantWarningCode::EncodingRequired,
            message: "Encode its cards that say so: they do not bear what the access grant says",
        };
        Ok(self.methods()?.iter().any(wants_encoding).then_some(warning).into_iter().collect())
    }

    /// What could not be done for it.
    async fn errors(&self) -> Resolved<Vec<AccessGrantError>> {
        let is_refused =
            |mode: &locks::Mode| self.methods.iter().flatten().any(|method| method.refused && method.mode == *mode);
        read_ahead(self.methods.as_ref())?;
        let modes: Vec<&str> =
            locks::Mode::ALL.iter().filter(|mode| is_refused(mode)).map(|mode| mode.name()).collect();
        let error = AccessGrantError {
            code: AccessGrantErrorCode::CannotCreateRequestedAccessMethods,
            message: format!("These access methods cannot be made for the entrances: {}", modes.join(", ")),
        };
        Ok((!modes.is_empty()).then_some(error).into_iter().collect())
    }
}

/// Completes grants with what is selected of them, in a few statements for all together.
///
/// # Errors
/// `INVALID_ARGUMENT` for the arguments of a nested connection.
pub async fn grant_nodes(
    session: &mut Session<'_>,
    grants: Vec<Grant>,
    selection: &Selection<'_>,
) -> Result<Vec<AccessGrantNode>> {
    let identities = identities_of(session, &grants, selection).await?;
    let mut stays = stays_of(session, &grants, selection).await?;
    let mut entrances = entrances_of(session, &grants, selection).await?.into_iter();
    let mut spaces = spaces_of(session, &grants, selection).await?.into_iter();
    let mut methods = methods_of(session, &grants, selection).await?.into_iter();
    let (now, zone) = (session.context.now, session.context.actor.hotel.time_zone);
    let node = |grant: Grant| AccessGrantNode {
        user_identity: identities.get(&grant.user_identity_id).cloned(),
        room_stay: stays.remove(&grant.id),
        entrances: entrances.next(),
        spaces: spaces.next(),
        methods: methods.next(),
        grant,
        now,
        zone,
    };
    Ok(grants.into_iter().map(node).collect())
}

fn ids(grants: &[Grant]) -> Vec<Uuid> {
    grants.iter().map(|grant| grant.id).collect()
}

/// Identities by their ids, where they were selected.
async fn identities_of(
    session: &mut Session<'_>,
    grants: &[Grant],
    selection: &Selection<'_>,
) -> Result<HashMap<Uuid, UserIdentityNode>> {
    if grants.is_empty() || !selection.has("userIdentity") {
        return Ok(HashMap::new());
    }
    let hotel = &session.context.actor.hotel;
    let (hotel, zone) = (hotel.id, hotel.time_zone);
    let wanted: Vec<Uuid> = grants.iter().map(|grant| grant.user_identity_id).collect();
    let with_client = selection.field("userIdentity").has("client");
    let views = access_grants::identities_by_ids(session.conn().await?, hotel, &wanted, with_client).await?;
    Ok(views.into_iter().map(|view| (view.identity.id, UserIdentityNode::new(view, zone))).collect())
}

/// Stays by the ids of the grants that follow them, where they were selected.
async fn stays_of(
    session: &mut Session<'_>,
    grants: &[Grant],
    selection: &Selection<'_>,
) -> Result<HashMap<Uuid, RoomStayNode>> {
    let wanted: Vec<Uuid> = grants.iter().filter_map(|grant| grant.room_stay_id).collect();
    if wanted.is_empty() || !selection.has("roomStay") {
        return Ok(HashMap::new());
    }
    let hotel = session.context.actor.hotel.id;
    let plan = StayPlan::of(&selection.field("roomStay"))?;
    // There are no more of them than grants on a page.
    let filter = Filter::Field(StayField::Id(Condition::In(wanted)));
    let request = PageRequest::first(u8::MAX.into());
    let page = room_stays::page(session.conn().await?, None, hotel, &filter, &request, plan.joins).await?;
    let views: HashMap<Uuid, _> = page.stays.items.into_iter().map(|view| (view.stay.id, view)).collect();
    let (followers, views): (Vec<Uuid>, Vec<_>) =
        grants.iter().filter_map(|grant| Some((grant.id, views.get(&grant.room_stay_id?)?.clone()))).unzip();
    let nodes = load::stays(session, views, &plan).await?;
    Ok(followers.into_iter().zip(nodes).collect())
}

/// The doors of each grant, where they were selected.
async fn entrances_of(
    session: &mut Session<'_>,
    grants: &[Grant],
    selection: &Selection<'_>,
) -> Result<Vec<Vec<EntranceNode>>> {
    if grants.is_empty() || !selection.has("entrances") {
        return Ok(Vec::new());
    }
    let hotel = session.context.actor.hotel.id;
    let lists = access_grants::entrances_of_grants(session.conn().await?, hotel, &ids(grants)).await?;
    let known = locks::entrances_by_ids(session.conn().await?, hotel, &lists.concat()).await?;
    let known: HashMap<Uuid, _> = known.into_iter().map(|entrance| (entrance.id, entrance)).collect();
    let all = lists.iter().flatten().filter_map(|id| known.get(id).cloned()).collect();
    let mut nodes = entrance_nodes(session, all, &selection.field("entrances")).await?.into_iter();
    Ok(lists.iter().map(|list| nodes.by_ref().take(list.len()).collect()).collect())
}

/// The spaces of each grant, where they were selected.
async fn spaces_of(
    session: &mut Session<'_>,
    grants: &[Grant],
    selection: &Selection<'_>,
) -> Result<Vec<Vec<SpaceNode>>> {
    if grants.is_empty() || !selection.has("spaces") {
        return Ok(Vec::new());
    }
    let hotel = session.context.actor.hotel.id;
    let lists = access_grants::spaces_of_grants(session.conn().await?, hotel, &ids(grants)).await?;
    let known = locks::spaces_by_ids(session.conn().await?, hotel, &lists.concat()).await?;
    let known: HashMap<Uuid, _> = known.into_iter().map(|space| (space.id, space)).collect();
    let all = lists.iter().flatten().filter_map(|id| known.get(id).cloned()).collect();
    let mut nodes = space_nodes(session, all, &selection.field("spaces")).await?.into_iter();
    Ok(lists.iter().map(|list| nodes.by_ref().take(list.len()).collect()).collect())
}

/// What was asked for for each grant, where something of it was selected.
async fn methods_of(
    session: &mut Session<'_>,
    grants: &[Grant],
    selection: &Selection<'_>,
) -> Result<Vec<Vec<Method>>> {
    let fields = ["requestedAccessMethods", "accessMethods", "accessMethod", "warnings", "errors"];
    if grants.is_empty() || !fields.iter().any(|field| selection.has(field)) {
        return Ok(Vec::new());
    }
    let (hotel, now) = (session.context.actor.hotel.id, session.context.now);
    access_grants::methods_of_grants(session.conn().await?, hotel, &ids(grants), now).await
}

/// Queries for access grants.
#[derive(Default)]
pub struct AccessGrantQuery;

#[Object]
impl AccessGrantQuery {
    /// Access grants of this integration that were not deleted, in the order in which they were made: with the permission `FRONT_DESK`
    /// those of all integrations of the hotel.
    async fn access_grants(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which access grants.")] filter: Option<AccessGrantFilter>,
        #[graphql(desc = "The first so many, at most 100; 20 when neither first nor last is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only access grants behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only access grants before this cursor.")] before: Option<String>,
    ) -> Resolved<Option<Connection<AccessGrantNode>>> {
        let arguments = PageArguments { first, after, last, before };
        Ok(Some(page(RequestContext::of(ctx), filter, &arguments, &Selection::of(ctx)).await?))
    }
}

async fn page(
    context: &RequestContext,
    filter: Option<AccessGrantFilter>,
    arguments: &PageArguments,
    selection: &Selection<'_>,
) -> Result<Connection<AccessGrantNode>> {
    let hotel = context.actor.hotel.id;
    let list = OwnedList { integration: visible_to(&context.actor)?, filter: filter_argument(filter)? };
    let scope = CursorScope::new(hotel, "accessGrants", &list);
    let request = arguments.request(scope)?;
    let mut session = context.read().await?;
    session.follow().await?;
    let page = access_grants::grant_page(session.conn().await?, hotel, &list, &request).await?;
    let wanted = selection.bounds_request(&request);
    let bounds = if wanted.is_empty() {
        ListBounds::default()
    } else {
        access_grants::grant_bounds(session.conn().await?, hotel, &list, &wanted).await?
    };
    let nodes = grant_nodes(&mut session, page.items, &selection.field("edges").field("node")).await?;
    let items = nodes.into_iter().map(|node| (node.grant.id, node)).collect();
    Ok(Connection::new(Page { items, more: page.more }, bounds, &request, scope))
}
