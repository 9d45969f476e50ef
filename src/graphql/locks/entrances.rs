//! Doors in the schema.

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono_tz::Tz;
use uuid::Uuid;

use super::filters::EntranceFilter;
use crate::db::{ListBounds, Page};
use crate::error::Result;
use crate::graphql::connection::{Connection, ListNode};
use crate::graphql::context::{RequestContext, Session};
use crate::graphql::enums::{AccessMode, LockProvider};
use crate::graphql::error::{Resolved, read_ahead};
use crate::graphql::filters::filter_argument;
use crate::graphql::paging::{CursorScope, PageArguments};
use crate::graphql::scalars::Datetime;
use crate::graphql::selection::Selection;
use crate::locks::{self, Entrance, EntranceList, Reference, Space};

/// A space that holds an entrance.
#[derive(Clone, SimpleObject)]
pub struct SpaceRef {
    /// Opaque, at most 64 letters, digits and hyphens. That of the room, where it is one.
    id: ID,
    /// Name by which clients find it, unique in the hotel.
    space_key: Option<String>,
    /// Name that people read: that of the room, where it is one.
    name: String,
}

impl From<Space> for SpaceRef {
    fn from(Space { id, key, name, .. }: Space) -> Self {
        Self { id: ID(id.to_string()), space_key: key, name }
    }
}

/// A door.
pub struct EntranceNode {
    entrance: Entrance,
    /// `None` when they were not selected.
    spaces: Option<Vec<SpaceRef>>,
    zone: Tz,
}

impl ListNode for EntranceNode {
    const CONNECTION: &'static str = "EntranceConnection";
    const EDGE: &'static str = "EntranceEdge";
}

/// A door.
#[Object(name = "Entrance")]
impl EntranceNode {
    /// Opaque, at most 64 letters, digits and hyphens.
    async fn id(&self) -> ID {
        ID(self.entrance.id.to_string())
    }

    /// Name by which clients find it, unique in the hotel. Arguments take it in place of the id.
    async fn entrance_key(&self) -> Option<&str> {
        self.entrance.key.as_deref()
    }

    /// Name that people read.
    async fn name(&self) -> &str {
        &self.entrance.name
    }

    /// Who has made its lock.
    async fn provider(&self) -> LockProvider {
        self.entrance.provider.into()
    }

    /// Whether it can belong to a reservation: the door of a room can, that of the gym cannot.
    async fn can_belong_to_reservation(&self) -> bool {
        self.entrance.can_belong_to_reservation
    }

    /// What opens it.
    async fn modes(&self) -> Vec<AccessMode> {
        self.entrance.modes.iter().copied().map(Into::into).collect()
    }

    /// The spaces that hold it, in the order in which they were made.
    async fn spaces(&self) -> Resolved<Vec<SpaceRef>> {
        read_ahead(self.spaces.clone())
    }

    /// When it was made.
    async fn created_at(&self) -> Datetime {
        Datetime::local(self.entrance.created_at, self.zone)
    }

    /// When it was last changed.
    async fn updated_at(&self) -> Datetime {
        Datetime::local(self.entrance.updated_at, self.zone)
    }
}

/// Completes doors with what is selected of them, in one statement for all at most.
///
/// # Errors
/// Those of the database.
pub async fn entrance_nodes(
    session: &mut Session<'_>,
    entrances: Vec<Entrance>,
    selection: &Selection<'_>,
) -> Result<Vec<EntranceNode>> {
    let hotel = session.context.actor.hotel.id;
    let ids: Vec<Uuid> = entrances.iter().map(|entrance| entrance.id).collect();
    let mut spaces = if selection.has("spaces") && !ids.is_empty() {
        locks::spaces_of_entrances(session.conn().await?, hotel, &ids).await?
    } else {
        Vec::new()
    }
    .into_iter();
    let zone = session.context.actor.hotel.time_zone;
    let node = |entrance| {
        let spaces = spaces.next().map(|spaces| spaces.into_iter().map(SpaceRef::from).collect());
        EntranceNode { entrance, spaces, zone }
    };
    Ok(entrances.into_iter().map(node).collect())
}

/// Queries for doors.
#[derive(Default)]
pub struct EntranceQuery;

#[Object]
impl EntranceQuery {
    /// Doors of the hotel, in the order in which they were made.
    #[expect(clippy::too_many_arguments, reason = "a field of the schema")]
    async fn entrances(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only entrances of this space, which is named by its id or by its key.")] space_id: Option<ID>,
        #[graphql(desc = "Which entrances.")] filter: Option<EntranceFilter>,
        #[graphql(desc = "The first so many, at most 100; 20 when neither first nor last is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only entrances behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only entrances before this cursor.")] before: Option<String>,
    ) -> Resolved<Option<Connection<EntranceNode>>> {
        let arguments = PageArguments { first, after, last, before };
        let list =
            EntranceList { space: space_id.map(|space| Reference::parse(&space)), filter: filter_argument(filter)? };
        Ok(Some(page(RequestContext::of(ctx), &list, &arguments, &Selection::of(ctx)).await?))
    }
}

async fn page(
    context: &RequestContext,
    list: &EntranceList,
    arguments: &PageArguments,
    selection: &Selection<'_>,
) -> Result<Connection<EntranceNode>> {
    let hotel = context.actor.hotel.id;
    let scope = CursorScope::new(hotel, "entrances", list);
    let request = arguments.request(scope)?;
    let mut session = context.read().await?;
    let page = locks::entrance_page(session.conn().await?, hotel, list, &request).await?;
    let wanted = selection.bounds_request(&request);
    let bounds = if wanted.is_empty() {
        ListBounds::default()
    } else {
        locks::entrance_bounds(session.conn().await?, hotel, list, &wanted).await?
    };
    let nodes = entrance_nodes(&mut session, page.items, &selection.field("edges").field("node")).await?;
    let items = nodes.into_iter().map(|node| (node.entrance.id, node)).collect();
    Ok(Connection::new(Page { items, more: page.more }, bounds, &request, scope))
}
