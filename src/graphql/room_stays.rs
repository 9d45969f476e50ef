//! Room stays in the schema.

use async_graphql::{ComplexObject, Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use chrono_tz::Tz;
use uuid::Uuid;

use super::audit::{AuditEntryNode, Trails};
use super::clients::ClientNode;
use super::connection::{Connection, ListNode};
use super::context::{RequestContext, with_reason};
use super::error::{InInput, Resolved, read_ahead};
use super::events;
use super::filters::{RoomStayFilter, filter_argument};
use super::load::{self, StayPlan};
use super::paging::{CursorScope, PageArguments};
use super::reservations::ReservationNode;
use super::room_access_keys::RoomAccessKeyNode;
use super::rooms::{CategoryNode, RoomSetupNode};
use super::scalars::{Date, Datetime, LocalTime, uuid};
use super::selection::Selection;
use crate::db::ListBounds;
use crate::error::Result;
use crate::hotels::HotelId;
use crate::room_stays::{self, StayDetails, StayKey, StayPage, StayView};

/// One room's part of a reservation: the nights from `reservation_from` up to, not including, `reservation_to`.
pub struct RoomStayNode {
    view: StayView,
    room_access_key: Option<RoomAccessKeyNode>,
    guests: Vec<ClientNode>,
    overlapping: Vec<RoomStayNode>,
    room_setup: Option<RoomSetupNode>,
    category: Option<CategoryNode>,
    first_guest: Option<ClientNode>,
    reservation: Option<Box<ReservationNode>>,
    trails: Trails,
    zone: Tz,
}

impl ListNode for RoomStayNode {
    // The schema knows it as part of `RoomStayConnection`.
    const CONNECTION: &'static str = "RoomStayList";
    const EDGE: &'static str = "RoomStayEdge";
}

impl RoomStayNode {
    /// Puts together what was read.
    pub fn new(
        mut view: StayView,
        room_access_key: Option<RoomAccessKeyNode>,
        (guests, overlapping): (Vec<ClientNode>, Vec<RoomStayNode>),
        zone: Tz,
    ) -> Self {
        Self {
            room_setup: match view.room_setup.take() {
                Some(room) => Some(RoomSetupNode::from(room)),
                None => view.stay.room_setup_id.map(RoomSetupNode::of_id),
            },
            category: view.category.take().map(CategoryNode::from),
            first_guest: view.first_guest.take().map(ClientNode::from),
            view,
            room_access_key,
            guests,
            overlapping,
            reservation: None,
            trails: Trails::default(),
            zone,
        }
    }

    /// Adds the reservation.
    pub fn set_reservation(&mut self, reservation: ReservationNode) {
        self.reservation = Some(Box::new(reservation));
    }

    /// Adds the pages of its audit trail.
    pub fn set_trails(&mut self, trails: Trails) {
        self.trails = trails;
    }

    /// Id of the stay.
    pub fn id(&self) -> Uuid {
        self.view.stay.id
    }

    fn details(&self) -> Resolved<&StayDetails> {
        read_ahead(self.view.details.as_ref())
    }

    fn key(&self) -> StayKey {
        (self.view.stay.reservation_to, self.view.stay.id)
    }
}

/// Guests of a stay by age group.
#[derive(SimpleObject)]
pub struct AgeGroups {
    /// Adults.
    adults: i16,
    /// Children of the hotel's first age group.
    child1: i16,
    /// Children of the hotel's second age group.
    child2: i16,
    /// Guests that stay for free.
    free: i16,
}

/// One room's part of a reservation: the nights from `reservation_from` up to, not including, `reservation_to`.
#[Object(name = "RoomStay")]
impl RoomStayNode {
    /// Opaque, at most 64 letters, digits and hyphens.
    #[graphql(name = "id")]
    async fn graphql_id(&self) -> ID {
        ID(self.view.stay.id.to_string())
    }

    /// The reservation that the stay is part of.
    async fn reservation(&self) -> Resolved<&ReservationNode> {
        read_ahead(self.reservation.as_deref())
    }

    /// The room; `null` until one is assigned. It can change at any time, during the stay too.
    #[graphql(name = "room_setup")]
    async fn room_setup(&self) -> Option<&RoomSetupNode> {
        self.room_setup.as_ref()
    }

    /// Name of the room; `null` until one is assigned.
    async fn room_name(&self) -> Resolved<Option<&str>> {
        self.room_setup.as_ref().map(RoomSetupNode::door_name).transpose()
    }

    /// The category that was booked. The room may be of another one, after an upgrade.
    async fn category(&self) -> Resolved<&CategoryNode> {
        read_ahead(self.category.as_ref())
    }

    /// Who sleeps in the room, as far as the front desk knows.
    async fn guests(&self) -> &[ClientNode] {
        &self.guests
    }

    /// The first of the guests.
    #[graphql(name = "first_guest")]
    async fn first_guest(&self) -> Option<&ClientNode> {
        self.first_guest.as_ref()
    }

    /// Day of arrival.
    #[graphql(name = "reservation_from")]
    async fn reservation_from(&self) -> Date {
        Date(self.view.stay.reservation_from)
    }

    /// Day of departure; the arrival's own day for day use.
    #[graphql(name = "reservation_to")]
    async fn reservation_to(&self) -> Date {
        Date(self.view.stay.reservation_to)
    }

    /// Local time of a late check-out that was agreed on; `null` = the hotel's check-out time.
    async fn departure_time(&self) -> Option<LocalTime> {
        self.view.stay.departure_time.map(LocalTime)
    }

    /// When the guest arrived.
    #[graphql(name = "check_in")]
    async fn check_in(&self) -> Option<Datetime> {
        self.view.stay.check_in.map(|at| Datetime::local(at, self.zone))
    }

    /// When the guest left.
    #[graphql(name = "check_out")]
    async fn check_out(&self) -> Option<Datetime> {
        self.view.stay.check_out.map(|at| Datetime::local(at, self.zone))
    }

    /// What opens the room; `null` until an integration adds it. It can change at any time before and during the stay. A new
    /// stay may have one already, for example after a split.
    async fn room_access_key(&self) -> Option<&RoomAccessKeyNode> {
        self.room_access_key.as_ref()
    }

    /// Stays of other guests, not cancelled, that have the same room in one of the same nights: the first 20 by departure.
    async fn overlapping_room_stays(&self) -> &[RoomStayNode] {
        &self.overlapping
    }

    /// Message for the guest.
    async fn guest_message(&self) -> Resolved<Option<&str>> {
        Ok(self.details()?.guest_message.as_deref())
    }

    /// Notes for housekeeping.
    async fn maid_notes(&self) -> Resolved<Option<&str>> {
        Ok(self.details()?.maid_notes.as_deref())
    }

    /// Notes for the kitchen.
    async fn meal_notes(&self) -> Resolved<Option<&str>> {
        Ok(self.details()?.meal_notes.as_deref())
    }

    /// Code of the rate that was sold.
    async fn rate_code(&self) -> Resolved<Option<&str>> {
        Ok(self.details()?.rate_code.as_deref())
    }

    /// Guests by age group.
    async fn age_groups(&self) -> Resolved<AgeGroups> {
        let room_stays::AgeGroups { adults, child1, child2, free } = self.details()?.age_groups;
        Ok(AgeGroups { adults, child1, child2, free })
    }

    /// Who did what to the stay, the newest first: without the permission `FRONT_DESK`, what this integration did. What the
    /// same request does is part of it afterwards. See `auditEntries`.
    async fn audit_trail(
        &self,
        #[graphql(desc = "The first so many, at most 100; 20 when neither first nor last is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only entries behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only entries before this cursor.")] before: Option<String>,
    ) -> Resolved<&Connection<AuditEntryNode>> {
        self.trails.page(&PageArguments { first, after, last, before })
    }

    /// When the stay was made.
    async fn created_at(&self) -> Resolved<Datetime> {
        Ok(Datetime::local(self.details()?.created_at, self.zone))
    }

    /// When the stay last changed.
    async fn updated_at(&self) -> Resolved<Datetime> {
        Ok(Datetime::local(self.details()?.updated_at, self.zone))
    }
}

/// A page of room stays.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct RoomStayConnection {
    #[graphql(flatten)]
    list: Connection<RoomStayNode>,
    #[graphql(skip)]
    event_cursor: Option<String>,
}

impl RoomStayConnection {
    /// A page and, where it was read, the position of the hotel's last event at its snapshot.
    pub fn new(list: Connection<RoomStayNode>, hotel: HotelId, event_position: Option<i64>) -> Self {
        Self { list, event_cursor: event_position.map(|position| events::cursor(hotel, position)) }
    }
}

#[ComplexObject]
impl RoomStayConnection {
    /// Where this page stands among the hotel's events: everything before is part of the page, everything behind is
    /// not. To miss nothing, read the stays once, keep the cursor of the first page, then follow `events(after:)` from it.
    async fn event_cursor(&self) -> Resolved<&str> {
        read_ahead(self.event_cursor.as_deref())
    }
}

/// Queries for room stays.
#[derive(Default)]
pub struct RoomStayQuery;

#[Object]
impl RoomStayQuery {
    /// Room stays of the hotel, by day of departure and then by id.
    #[graphql(name = "room_stays")]
    async fn room_stays(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which stays.")] filter: Option<RoomStayFilter>,
        #[graphql(desc = "The first so many, at most 100; 20 when neither first nor last is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only stays behind this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only stays before this cursor.")] before: Option<String>,
    ) -> Resolved<Option<RoomStayConnection>> {
        let arguments = PageArguments { first, after, last, before };
        Ok(Some(page(RequestContext::of(ctx), filter, &arguments, &Selection::of(ctx)).await?))
    }
}

async fn page(
    context: &RequestContext,
    filter: Option<RoomStayFilter>,
    arguments: &PageArguments,
    selection: &Selection<'_>,
) -> Result<RoomStayConnection> {
    let hotel = context.actor.hotel.id;
    let filter = filter_argument(filter)?;
    let scope = CursorScope::new(hotel, "room_stays", &filter);
    let request = arguments.request(scope)?;
    let plan = StayPlan::of_page(selection)?;
    let mut session = context.read().await?;
    let StayPage { stays, event_position } =
        room_stays::page(session.conn().await?, None, hotel, &filter, &request, plan.joins).await?;
    let wanted = selection.bounds_request(&request);
    let bounds = if wanted.is_empty() {
        ListBounds::default()
    } else {
        room_stays::bounds(session.conn().await?, hotel, &filter, &wanted).await?
    };
    let more = stays.more;
    let nodes = load::stays(&mut session, stays.items, &plan).await?;
    session.end();
    let items = nodes.into_iter().map(|node| (node.key(), node)).collect();
    let list = Connection::new(crate::db::Page { items, more }, bounds, &request, scope);
    Ok(RoomStayConnection::new(list, hotel, event_position))
}

/// Physical arrival and departure of a stay.
#[derive(InputObject)]
pub struct UpdateRoomStayInput {
    /// The stay.
    id: ID,
    /// When the guest arrived; `null` takes it back, absent leaves it as it is.
    #[graphql(name = "check_in")]
    check_in: MaybeUndefined<Datetime>,
    /// When the guest left, not before the arrival; `null` takes it back, absent leaves it as it is.
    #[graphql(name = "check_out")]
    check_out: MaybeUndefined<Datetime>,
    /// Why, for the audit trail: 1 to 500 characters.
    reason: Option<String>,
}

/// Answer of `updateRoomStay`.
#[derive(SimpleObject)]
pub struct UpdateRoomStayPayload {
    /// The stay.
    room_stay: RoomStayNode,
}

/// Mutations of room stays for integrations.
#[derive(Default)]
pub struct RoomStayMutation;

#[Object]
impl RoomStayMutation {
    /// Records that a guest arrived or left. The dates of the stay, and with them the life of its key, stay as they are.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`, `RESERVATION_CANCELLED`.
    async fn update_room_stay(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What was seen.")] input: UpdateRoomStayInput,
    ) -> Resolved<Option<UpdateRoomStayPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        with_reason(&mut session, input.reason.as_deref())?;
        let stay = uuid(&input.id);
        let instant = |at: MaybeUndefined<Datetime>| at.map_value(|at| at.0.to_utc()).into();
        let (check_in, check_out): (Option<Option<_>>, Option<Option<_>>) =
            (instant(input.check_in), instant(input.check_out));
        room_stays::record_presence_in(session.tx(), stay, check_in, check_out).await.in_input()?;
        let plan = StayPlan::of(&Selection::of(ctx).field("roomStay"))?;
        let room_stay = load::stay(&mut session, stay, &plan).await?;
        Ok(Some(session.done(UpdateRoomStayPayload { room_stay })))
    }
}
