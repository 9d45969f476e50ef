//! The event feed in the schema.

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono_tz::Tz;

use super::context::RequestContext;
use super::error::Resolved;
use super::paging::{CursorScope, page_size};
use super::scalars::Datetime;
use crate::error::{ErrorAt, Result};
use crate::events::{self, FeedRequest};
use crate::hotels::HotelId;

/// The cursor of a position among the events of a hotel. It fits every filter.
pub fn cursor(hotel: HotelId, position: i64) -> String {
    scope(hotel).cursor(&position)
}

fn scope(hotel: HotelId) -> CursorScope<'static> {
    CursorScope::new(hotel, "events", &())
}

/// A page of the hotel's events.
#[derive(SimpleObject)]
pub struct EventConnection {
    /// The events of the page, oldest first.
    edges: Vec<EventEdge>,
    /// Whether there is more, and where to read on.
    page_info: EventPageInfo,
}

/// An event of a page, and the cursor that points at it.
#[derive(SimpleObject)]
pub struct EventEdge {
    /// Opaque. Give it to `after` to read on behind this event.
    cursor: String,
    /// The event.
    node: EventNode,
}

/// Where a page of events stands.
#[derive(SimpleObject)]
pub struct EventPageInfo {
    /// Whether there are events behind the page already.
    has_next_page: bool,
    /// Give it to `after` to read on. Never `null`: on an empty page, too, it says how far the feed was read.
    end_cursor: String,
}

/// Something that happened: what a webhook tells of it, too.
#[derive(SimpleObject)]
#[graphql(name = "Event")]
pub struct EventNode {
    /// 64 hexadecimal digits, the same in webhooks.
    id: String,
    #[doc = include_str!("event_types.md")]
    #[graphql(name = "type")]
    event_type: String,
    /// When it happened.
    created_at: Datetime,
    /// What it happened to.
    object: EventObject,
    /// For updates: names of the fields that changed. An object field is named only when it refers to another record
    /// now.
    updated_fields: Option<Vec<String>>,
    /// Who did it.
    actor: EventActor,
}

/// What an event is about. Read it by its id: it may have changed again, or be gone.
#[derive(SimpleObject)]
pub struct EventObject {
    /// Id of the reservation, the room stay, the client, the key, the access grant, the access method or the lock command.
    id: ID,
}

/// Who caused an event. An integration finds its own writes by its id.
#[derive(SimpleObject)]
pub struct EventActor {
    /// `integration`, `import`, `pruner` (the clean-up of keys two days after the departure) or `system`.
    #[graphql(name = "type")]
    actor_type: String,
    /// Id of the integration; `null` for everybody else.
    id: Option<ID>,
}

impl EventNode {
    fn new(event: events::Event, zone: Tz) -> Self {
        Self {
            id: event.id_text(),
            event_type: event.event_type,
            created_at: Datetime::local(event.created_at, zone),
            object: EventObject { id: ID(event.object_id.to_string()) },
            updated_fields: event.updated_fields,
            actor: EventActor { actor_type: event.actor_type, id: event.actor_id.map(|id| ID(id.to_string())) },
        }
    }
}

/// Queries for events.
#[derive(Default)]
pub struct EventQuery;

#[Object]
impl EventQuery {
    /// What happened in the hotel, in the order in which it became visible, without gaps. To follow it, ask again with
    /// `after` set to the last `endCursor`, for ever; start with the `eventCursor` of a page of room stays. Events are
    /// kept for 30 days: a cursor that was not used for longer answers `EVENTS_EXPIRED`.
    ///
    /// Deleted keys, access grants, access methods and lock commands are told to the integration that they belong to, everything else to
    /// all.
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only events behind this cursor; without it, from the oldest that is kept.")] after: Option<
            String,
        >,
        #[graphql(desc = "Only events of these types; `endCursor` passes the others by.")] types: Option<Vec<String>>,
        #[graphql(desc = "The first so many, at most 100; 20 when not given.")] first: Option<i32>,
    ) -> Resolved<Option<EventConnection>> {
        Ok(Some(page(RequestContext::of(ctx), after.as_deref(), types.as_deref(), first).await?))
    }
}

async fn page(
    context: &RequestContext,
    after: Option<&str>,
    types: Option<&[String]>,
    first: Option<i32>,
) -> Result<EventConnection> {
    let (hotel, integration) = (&context.actor.hotel, context.actor.integration()?);
    let after = after.map(|cursor| scope(hotel.id).key(cursor)).transpose().at("after")?;
    let request = FeedRequest { after, types, size: page_size(first).at("first")? };
    let mut session = context.read().await?;
    let conn = session.conn().await?;
    let feed = events::feed(conn, hotel.id, integration, context.app.kinds, context.now, request).await?;
    let edge = |event: events::Event| EventEdge {
        cursor: cursor(hotel.id, event.position),
        node: EventNode::new(event, hotel.time_zone),
    };
    Ok(EventConnection {
        page_info: EventPageInfo { has_next_page: feed.more, end_cursor: cursor(hotel.id, feed.read_to) },
        edges: feed.events.into_iter().map(edge).collect(),
    })
}
