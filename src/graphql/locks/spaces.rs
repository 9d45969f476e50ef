//! Spaces in the schema.

use std::collections::HashMap;

use async_graphql::{Context, ID, Object};
use chrono_tz::Tz;
use uuid::Uuid;

use super::entrances::{EntranceNode, entrance_nodes};
use super::filters::SpaceFilter;
use crate::db::{Filter, ListBounds, Page};
use crate::error::Result;
use crate::graphql::connection::{Connection, ListNode};
use crate::graphql::context::{RequestContext, Session};
use crate::graphql::error::{Resolved, read_ahead};
use crate::graphql::filters::filter_argument;
use crate::graphql::paging::{CursorScope, PageArguments};
use crate::graphql::rooms::RoomSetupNode;
use crate::graphql::scalars::Datetime;
use crate::graphql::selection::Selection;
use crate::locks::{self, Space, SpaceField};
use crate::rooms::{self, RoomSetup};

/// A named set of doors.
pub struct SpaceNode {
    space: Space,
    /// `None` when it was not selected, or when it is no room.
    room: Option<RoomSetup>,
    /// `None` when they were not selected.
    entrances: Option<Vec<EntranceNode>>,
    zone: Tz,
}

impl ListNode for SpaceNode {
    const CONNECTION: &'static str = "SpaceConnection";
    const EDGE: &'static str = "SpaceEdge";
}

/// A named set of doors. Each room is one, under its own id, from the end of the request that makes it.
#[Object(name = "Space")]
impl SpaceNode {
    /// Opaque, at most 64 letters, digits and hyphens. That of the room, where it is one.
    async fn id(&self) -> ID {
        ID(self.space.id.to_string())
    }

    /// Name by which clients find it, unique in the hotel. Arguments take it in place of the id.
    async fn space_key(&self) -> Option<&str> {
        self.space.key.as_deref()
    }

    /// Name that people read: that of the room, where it is one.
    async fn name(&self) -> &str {
        &self.space.name
    }

    /// The room that it is; `null` when it is none.
    async fn room_setup(&self) -> Option<RoomSetupNode> {
        let id = self.space.room_setup_id?;
        Some(self.room.clone().map_or_else(|| RoomSetupNode::of_id(id), RoomSetupNode::from))
    }

    /// The doors that it holds, in the order in which they were made.
    async fn entrances(&self) -> Resolved<&[EntranceNode]> {
        read_ahead(self.entrances.as_deref())
    }

    /// When it was made.
    async fn created_at(&self) -> Datetime {
        Datetime::local(self.space.created_at, self.zone)
    }

    /// When its name, its key or its entrances were last changed.
    async fn updated_at(&self) -> Datetime {
        Datetime::local(self.space.updated_at, self.zone)
    }
}

/// Completes spaces with what is selected of them, in one statement for each nested record or list of all of them.
///
/// # Errors
/// Those of the database.
pub async fn space_nodes(
    session: &mut Session<'_>,
    spaces: Vec<Space>,
    selection: &Selection<'_>,
) -> Result<Vec<SpaceNode>> {
    let mut rooms = rooms_of(session, &spaces, &selection.field("roomSetup")).await?;
    let mut entrances = entrances_of(session, &spaces, selection).await?.into_iter();
    let zone = session.context.actor.hotel.time_zone;
    let node = |space: Space| SpaceNode {
        room: space.room_setup_id.and_then(|id| rooms.remove(&id)),
        entrances: entrances.next(),
        space,
        zone,
    };
    Ok(spaces.into_iter().map(node).collect())
}

/// The rooms that spaces are, unless nothing but their ids was selected.
async fn rooms_of(
    session: &mut Session<'_>,
    spaces: &[Space],
    selection: &Selection<'_>,
) -> Result<HashMap<Uuid, RoomSetup>> {
    let ids: Vec<Uuid> = spaces.iter().filter_map(|space| space.room_setup_id).collect();
    if ids.is_empty() || !selection.has_beside("id") {
        return Ok(HashMap::new());
    }
    let hotel = session.context.actor.hotel.id;
    let rooms = rooms::room_setups_by_ids(session.conn().await?, hotel, &ids).await?;
    Ok(rooms.into_iter().map(|room| (room.id, room)).collect())
}

/// The doors of each space, where they were selected.
async fn entrances_of(
    session: &mut Session<'_>,
    spaces: &[Space],
    selection: &Selection<'_>,
) -> Result<Vec<Vec<EntranceNode>>> {
    if spaces.is_empty() || !selection.has("entrances") {
        return Ok(Vec::new());
    }
    let hotel = session.context.actor.hotel.id;
    let ids: Vec<Uuid> = spaces.iter().map(|space| space.id).collect();
    let lists = locks::entrances_of_spaces(session.conn().await?, hotel, &ids).await?;
    let sizes: Vec<usize> = lists.iter().map(Vec::len).collect();
    let all = lists.into_iter().flatten().collect();
    let mut nodes = entrance_nodes(session, all, &selection.field("entrances")).await?.into_iter();
    Ok(sizes.into_iter().map(|size| nodes.by_ref().take(size).collect()).collect())
}

/// Queries for spaces.
#[derive(Default)]
pub struct SpaceQuery;

#[Object]
impl SpaceQuery {
    /// Spaces of the hotel, rooms among them, in the order in which they were made.
    async fn spaces(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which spaces.")] filter: Option<SpaceFilter>,
        #[graphql(desc = "The first so many, at most 100; 20 when neither first nor last is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only spaces behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only spaces before this cursor.")] before: Option<String>,
    ) -> Resolved<Option<Connection<SpaceNode>>> {
        let arguments = PageArguments { first, after, last, before };
        let filter = filter_argument(filter)?;
        Ok(Some(page(RequestContext::of(ctx), &filter, &arguments, &Selection::of(ctx)).await?))
    }
}

async fn page(
    context: &RequestContext,
    filter: &Filter<SpaceField>,
    arguments: &PageArguments,
    selection: &Selection<'_>,
) -> Result<Connection<SpaceNode>> {
    let hotel = context.actor.hotel.id;
    let scope = CursorScope::new(hotel, "spaces", filter);
    let request = arguments.request(scope)?;
    let mut session = context.read().await?;
    let page = locks::space_page(session.conn().await?, hotel, filter, &request).await?;
    let wanted = selection.bounds_request(&request);
    let bounds = if wanted.is_empty() {
        ListBounds::default()
    } else {
        locks::space_bounds(session.conn().await?, hotel, filter, &wanted).await?
    };
    let nodes = space_nodes(&mut session, page.items, &selection.field("edges").field("node")).await?;
    let items = nodes.into_iter().map(|node| (node.space.id, node)).collect();
    Ok(Connection::new(Page { items, more: page.more }, bounds, &request, scope))
}
