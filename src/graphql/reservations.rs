//! Reservations in the schema.

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono_tz::Tz;

use super::clients::ClientNode;
use super::connection::{Connection, ListNode};
use super::context::RequestContext;
use super::enums::{ReservationStatus, SelfcheckinStatus};
use super::error::{Resolved, read_ahead};
use super::filters::{ReservationFilter, filter_argument};
use super::load::{self, ReservationPlan};
use super::paging::{CursorScope, PageArguments};
use super::room_stays::RoomStayConnection;
use super::scalars::Datetime;
use super::selection::Selection;
use crate::db::ListBounds;
use crate::error::Result;
use crate::reservations::{self, Reservation, ReservationView};

/// A booking of one or more rooms.
pub struct ReservationNode {
    reservation: Reservation,
    client: Option<ClientNode>,
    contact: Option<ClientNode>,
    rooms: Vec<(PageArguments, RoomStayConnection)>,
    zone: Tz,
}

impl ListNode for ReservationNode {
    const CONNECTION: &'static str = "ReservationConnection";
    const EDGE: &'static str = "ReservationEdge";
}

impl ReservationNode {
    /// Puts together what was read.
    pub fn new(view: ReservationView, zone: Tz) -> Self {
        Self {
            reservation: view.reservation,
            client: view.client.map(ClientNode::from),
            contact: view.contact.map(ClientNode::from),
            rooms: Vec::new(),
            zone,
        }
    }

    /// Adds a page of its rooms.
    pub fn add_rooms(&mut self, arguments: PageArguments, rooms: RoomStayConnection) {
        self.rooms.push((arguments, rooms));
    }
}

/// Where a booking came from.
#[derive(SimpleObject)]
pub struct BookingSource {
    /// Name of the source.
    name: String,
}

/// A booking of one or more rooms.
#[Object(name = "Reservation")]
impl ReservationNode {
    /// Opaque, at most 64 letters, digits and hyphens. Not the code.
    async fn id(&self) -> ID {
        ID(self.reservation.id.to_string())
    }

    /// What guest and front desk call the booking; unique in the hotel.
    async fn code(&self) -> &str {
        &self.reservation.code
    }

    /// State of the booking. A cancelled one can become active again.
    async fn status(&self) -> ReservationStatus {
        self.reservation.status.into()
    }

    /// Who booked.
    async fn client(&self) -> Resolved<&ClientNode> {
        read_ahead(self.client.as_ref())
    }

    /// Whom to talk to, where that is somebody else.
    async fn contact(&self) -> Option<&ClientNode> {
        self.contact.as_ref()
    }

    /// The room stays of the booking. There may be more than one page of them.
    async fn rooms(
        &self,
        #[graphql(desc = "The first so many, at most 100; 20 when neither first nor last is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only stays behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only stays before this cursor.")] before: Option<String>,
    ) -> Resolved<&RoomStayConnection> {
        let arguments = PageArguments { first, after, last, before };
        read_ahead(self.rooms.iter().find(|(known, _)| *known == arguments).map(|(_, rooms)| rooms))
    }

    /// Name of the travelling group.
    async fn group_name(&self) -> Option<&str> {
        self.reservation.group_name.as_deref()
    }

    /// The booking's number at the channel that sold it.
    async fn booking_channel_code(&self) -> Option<&str> {
        self.reservation.booking_channel_code.as_deref()
    }

    /// Where staff see the booking in the hotel's own system.
    async fn pms_url(&self) -> Option<&str> {
        self.reservation.pms_url.as_deref()
    }

    /// Notes of the front desk.
    async fn notes(&self) -> Option<&str> {
        self.reservation.notes.as_deref()
    }

    /// How far the guest is with checking in online.
    async fn selfcheckin_status(&self) -> SelfcheckinStatus {
        self.reservation.selfcheckin_status.into()
    }

    /// Where the booking came from.
    async fn booking_source(&self) -> Option<BookingSource> {
        self.reservation.booking_source.clone().map(|name| BookingSource { name })
    }

    /// When the booking was made.
    async fn created_at(&self) -> Datetime {
        Datetime::local(self.reservation.created_at, self.zone)
    }

    /// When the booking last changed. Its room stays have instants of their own.
    async fn updated_at(&self) -> Datetime {
        Datetime::local(self.reservation.updated_at, self.zone)
    }

    /// When the booking was cancelled, if it is.
    async fn cancelled_at(&self) -> Option<Datetime> {
        self.reservation.cancelled_at.map(|at| Datetime::local(at, self.zone))
    }
}

/// Queries for reservations.
#[derive(Default)]
pub struct ReservationQuery;

#[Object]
impl ReservationQuery {
    /// Reservations of the hotel, in the order in which they were made.
    async fn reservations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which reservations.")] filter: Option<ReservationFilter>,
        #[graphql(desc = "The first so many, at most 100; 20 when neither first nor last is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only reservations behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only reservations before this cursor.")] before: Option<String>,
    ) -> Resolved<Option<Connection<ReservationNode>>> {
        let arguments = PageArguments { first, after, last, before };
        Ok(Some(page(RequestContext::of(ctx), filter, &arguments, &Selection::of(ctx)).await?))
    }
}

async fn page(
    context: &RequestContext,
    filter: Option<ReservationFilter>,
    arguments: &PageArguments,
    selection: &Selection<'_>,
) -> Result<Connection<ReservationNode>> {
    let hotel = context.actor.hotel.id;
    let filter = filter_argument(filter)?;
    let scope = CursorScope::new(hotel, "reservations", &filter);
    let request = arguments.request(scope)?;
    let plan = ReservationPlan::of(&selection.field("edges").field("node"))?;
    let mut session = context.read().await?;
    let page = reservations::page(session.conn().await?, hotel, &filter, &request, plan.joins).await?;
    let wanted = selection.bounds_request(&request);
    let bounds = if wanted.is_empty() {
        ListBounds::default()
    } else {
        reservations::bounds(session.conn().await?, hotel, &filter, &wanted).await?
    };
    let ids: Vec<_> = page.items.iter().map(|view| view.reservation.id).collect();
    let more = page.more;
    let nodes = load::reservations(&mut session, page.items, &plan).await?;
    session.end();
    let items = ids.into_iter().zip(nodes).collect();
    Ok(Connection::new(crate::db::Page { items, more }, bounds, &request, scope))
}
