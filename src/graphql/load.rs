//! Reading ahead: the selection below a field is turned into a plan, and the plan into few statements.
//!
//! A page is one statement with its to-one records. Each nested list or connection adds one, for all its parents together.
//! So by the time a field of a record is resolved, its value is there.

use uuid::Uuid;

use super::audit::{TrailPlan, Trails};
use super::clients::ClientNode;
use super::connection::Connection;
use super::context::Session;
use super::fast_path;
use super::paging::{CursorScope, PageArguments};
use super::reservations::ReservationNode;
use super::room_access_keys::{RoomAccessKeyNode, open};
use super::room_stays::{RoomStayConnection, RoomStayNode};
use super::scalars::Datetime;
use super::selection::Selection;
use crate::clients;
use crate::db::{ListBounds, ListBoundsRequest, Page};
use crate::error::Result;
use crate::reservations::{self, ReservationJoins, ReservationView};
use crate::room_stays::{self, RoomStay, StayJoins, StayView};

/// What was selected of room stays.
pub struct StayPlan {
    /// Records to read along with each stay.
    pub joins: StayJoins,
    guests: bool,
    overlapping: Option<Box<StayPlan>>,
    reservation: Option<Box<ReservationPlan>>,
    trails: TrailPlan,
    key_trails: TrailPlan,
}

/// What was selected of reservations.
pub struct ReservationPlan {
    /// Records to read along with each reservation.
    pub joins: ReservationJoins,
    rooms: Vec<RoomsPlan>,
}

/// One page of `Reservation.rooms`.
struct RoomsPlan {
    arguments: PageArguments,
    stays: StayPlan,
    total: bool,
    has_previous_page: bool,
    has_next_page: bool,
}

impl StayPlan {
    /// Plans for what is selected of stays.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for the arguments of a nested connection.
    pub fn of(stays: &Selection<'_>) -> Result<Self> {
        let reservation =
            stays.has("reservation").then(|| ReservationPlan::of(&stays.field("reservation"))).transpose()?;
        let overlapping =
            stays.has("overlappingRoomStays").then(|| Self::of(&stays.field("overlappingRoomStays"))).transpose()?;
        Ok(Self {
            joins: StayJoins { reservation: reservation.as_ref().map(|plan| plan.joins), ..fast_path::joins_of(stays) },
            guests: stays.has("guests"),
            overlapping: overlapping.map(Box::new),
            reservation: reservation.map(Box::new),
            trails: TrailPlan::of(stays)?,
            key_trails: TrailPlan::of(&stays.field("roomAccessKey"))?,
        })
    }
}

impl StayPlan {
    /// Whether nothing is read beside the stays themselves.
    fn is_empty(&self) -> bool {
        let Self { joins, guests, overlapping, reservation, trails, key_trails } = self;
        *joins == StayJoins::default()
            && !guests
            && overlapping.is_none()
            && reservation.is_none()
            && trails.is_empty()
            && key_trails.is_empty()
    }

    /// Plans for what is selected of a connection of stays.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for the arguments of a nested connection.
    pub fn of_page(connection: &Selection<'_>) -> Result<Self> {
        let mut plan = Self::of(&connection.field("edges").field("node"))?;
        plan.joins.event_position = connection.has("eventCursor");
        Ok(plan)
    }
}

impl ReservationPlan {
    /// Plans for what is selected of reservations.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for the arguments of a nested connection.
    pub fn of(reservations: &Selection<'_>) -> Result<Self> {
        let rooms = reservations.connections("rooms")?.into_iter().map(|(arguments, connection)| {
            let page_info = connection.field("pageInfo");
            Ok(RoomsPlan {
                arguments,
                stays: StayPlan::of_page(&connection)?,
                total: connection.has("totalCount"),
                has_previous_page: page_info.has("hasPreviousPage"),
                has_next_page: page_info.has("hasNextPage"),
            })
        });
        Ok(Self {
            joins: ReservationJoins { client: reservations.has("client"), contact: reservations.has("contact") },
            rooms: rooms.collect::<Result<_>>()?,
        })
    }
}

/// One stay.
pub async fn stay(session: &mut Session<'_>, id: Uuid, plan: &StayPlan) -> Result<RoomStayNode> {
    let hotel = session.context.actor.hotel.id;
    let view = room_stays::get(session.conn().await?, hotel, id, plan.joins).await?;
    Ok(stays(session, vec![view], plan).await?.remove(0))
}

/// A stay as it was just changed: written and read again only for what is selected beside it.
pub async fn written_stay(session: &mut Session<'_>, stay: RoomStay, plan: &StayPlan) -> Result<RoomStayNode> {
    if !plan.is_empty() {
        return self::stay(session, stay.id, plan).await;
    }
    Ok(stays(session, vec![StayView::from(stay)], plan).await?.remove(0))
}

/// One reservation.
pub async fn reservation(session: &mut Session<'_>, id: Uuid, plan: &ReservationPlan) -> Result<ReservationNode> {
    let hotel = session.context.actor.hotel.id;
    let view = reservations::get(session.conn().await?, hotel, id, plan.joins).await?;
    Ok(reservations(session, vec![view], plan).await?.remove(0))
}

/// Completes stays with their nested lists.
pub async fn stays(session: &mut Session<'_>, views: Vec<StayView>, plan: &StayPlan) -> Result<Vec<RoomStayNode>> {
    let hotel = session.context.actor.hotel.id;
    let ids: Vec<Uuid> = views.iter().map(|view| view.stay.id).collect();
    // By position, not by id: one stay can be on several places of an answer.
    let mut guests = if plan.guests && !ids.is_empty() {
        clients::guests_of(session.conn().await?, hotel, &ids).await?
    } else {
        Vec::new()
    }
    .into_iter();
    let mut overlapping = overlapping(session, &ids, plan).await?.into_iter();
    let mut trails = Trails::read(session, &ids, &plan.trails).await?.into_iter();
    let keys: Vec<Uuid> = views.iter().filter_map(|view| view.stay.room_access_key).map(|key| key.id).collect();
    let mut key_trails = Trails::read(session, &keys, &plan.key_trails).await?.into_iter();
    let mut nodes = Vec::with_capacity(views.len());
    let mut reservation_views = Vec::new();
    for mut view in views {
        reservation_views.extend(view.reservation.take());
        let mut room_access_key = key(session, &view);
        if let Some(key) = &mut room_access_key {
            key.set_trails(key_trails.next().unwrap_or_default());
        }
        let zone = session.context.actor.hotel.time_zone;
        let guests = guests.next().unwrap_or_default().into_iter().map(ClientNode::from).collect();
        let lists = (guests, overlapping.next().unwrap_or_default());
        let mut node = RoomStayNode::new(view, room_access_key, lists, zone);
        node.set_trails(trails.next().unwrap_or_default());
        nodes.push(node);
    }
    if let Some(plan) = &plan.reservation {
        let reservations = Box::pin(reservations(session, reservation_views, plan)).await?;
        for (node, reservation) in nodes.iter_mut().zip(reservations) {
            node.set_reservation(reservation);
        }
    }
    Ok(nodes)
}

async fn overlapping(session: &mut Session<'_>, stays_of: &[Uuid], plan: &StayPlan) -> Result<Vec<Vec<RoomStayNode>>> {
    let Some(plan) = plan.overlapping.as_ref().filter(|_| !stays_of.is_empty()) else { return Ok(Vec::new()) };
    let hotel = session.context.actor.hotel.id;
    let found = room_stays::overlapping(session.conn().await?, hotel, stays_of, plan.joins).await?;
    let sizes: Vec<usize> = found.iter().map(Vec::len).collect();
    let mut nodes = Box::pin(stays(session, found.into_iter().flatten().collect(), plan)).await?.into_iter();
    Ok(sizes.into_iter().map(|size| nodes.by_ref().take(size).collect()).collect())
}

/// Completes reservations with their nested connections.
pub async fn reservations(
    session: &mut Session<'_>,
    views: Vec<ReservationView>,
    plan: &ReservationPlan,
) -> Result<Vec<ReservationNode>> {
    let zone = session.context.actor.hotel.time_zone;
    let ids: Vec<Uuid> = views.iter().map(|view| view.reservation.id).collect();
    let mut nodes: Vec<_> = views.into_iter().map(|view| ReservationNode::new(view, zone)).collect();
    for rooms in &plan.rooms {
        let connections = rooms_of(session, &ids, rooms).await?;
        for (node, connection) in nodes.iter_mut().zip(connections) {
            node.add_rooms(rooms.arguments.clone(), connection);
        }
    }
    Ok(nodes)
}

async fn rooms_of(
    session: &mut Session<'_>,
    reservations: &[Uuid],
    plan: &RoomsPlan,
) -> Result<Vec<RoomStayConnection>> {
    let hotel = session.context.actor.hotel.id;
    // Its order is that of stay ids, in which the cursor of another reservation of the hotel has a place, too.
    let scope = CursorScope::new(hotel, "rooms", &());
    let request = plan.arguments.request(scope)?;
    if reservations.is_empty() {
        return Ok(Vec::new());
    }
    let pages =
        room_stays::pages_of_reservations(session.conn().await?, hotel, reservations, &request, plan.stays.joins)
            .await?;
    let wanted = ListBoundsRequest::beside(&request, plan.total, plan.has_previous_page, plan.has_next_page);
    let bounds = if wanted.is_empty() {
        vec![ListBounds::default(); pages.len()]
    } else {
        room_stays::bounds_of_reservations(session.conn().await?, hotel, reservations, &wanted).await?
    };
    let sizes: Vec<_> =
        pages.iter().map(|page| (page.stays.items.len(), page.stays.more, page.event_position)).collect();
    let views = pages.into_iter().flat_map(|page| page.stays.items).collect();
    let mut nodes = Box::pin(stays(session, views, &plan.stays)).await?.into_iter();
    let connections = sizes.into_iter().zip(bounds).map(|((size, more, event_position), bounds)| {
        let items = nodes.by_ref().take(size).map(|node| (node.id(), node)).collect();
        let list = Connection::new(Page { items, more }, bounds, &request, scope);
        RoomStayConnection::new(list, hotel, event_position)
    });
    Ok(connections.collect())
}

fn key(session: &Session<'_>, view: &StayView) -> Option<RoomAccessKeyNode> {
    let key = view.stay.room_access_key?;
    let context = session.context;
    let secret = view.secret.as_ref().map(|sealed| open(context, key.id, sealed));
    let deletes_at = view.key_end.and_then(|end| end.visible_to(context.actor.principal.integration_id()));
    let deletes_at = deletes_at.map(|at| Datetime::local(at, context.actor.hotel.time_zone));
    let compartment = view.compartment.clone().unwrap_or_default();
    Some(RoomAccessKeyNode::new(key.id, key.kind, secret, compartment, deletes_at))
}
