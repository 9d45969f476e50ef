//! What is measured of every contender, as lists of requests.

use latchkey::hotels::HotelId;
use serde_json::{Value, json};
use uuid::Uuid;

use super::ground::{Ground, Hotel};
use super::options::{Pace, Part};
use super::servers::Kind;
use super::{documents, grants};

/// Pairs of create and assign in the batch.
const PAIRS: usize = 50;
/// Rooms, and cards, of a grant of many.
const ROOMS: usize = 20;
/// Stays that are asked for by their ids.
const STAYS: usize = 2_000;

const ACTIVE: &str = "query A($start:Date! $end:Date!) { room_stays(filter:{reservation_from:{le:$end} \
    reservation_to:{gt:$start} reservationStatus:{eq:ACTIVE}} first:20) { edges { node { id arrival: reservation_from \
    departure: reservation_to roomAccessKey { id } } } } }";
const ACTIVE_WITH_PINS: &str = "query A($start:Date! $end:Date!) { room_stays(filter:{reservation_from:{le:$end} \
    reservation_to:{gt:$start} reservationStatus:{eq:ACTIVE}} first:20) { edges { node { id arrival: reservation_from \
    departure: reservation_to roomAccessKey { id ... on RoomAccessPin { pin } } } } } }";

/// Requests that are sent in turn.
pub struct Load {
    pub requests: Vec<Request>,
    /// What an answer holds, and how often.
    pub mark: &'static str,
    pub times: usize,
    /// Whether each may be sent once only.
    pub once: bool,
}

/// A request.
pub struct Request {
    pub hotel: HotelId,
    /// API key.
    pub key: Option<String>,
    pub body: String,
}

impl Request {
    fn new(hotel: &Hotel, body: &Value) -> Self {
        Self { hotel: hotel.id, key: Some(hotel.key.clone()), body: body.to_string() }
    }
}

/// A case that every contender is measured in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Case {
    Window,
    Reservation,
    Stay,
    Mutations,
    Batch,
    Grants,
    GrantsOfManyRooms,
}

impl Case {
    pub const ALL: [Self; 7] = [
        Self::Window,
        Self::Reservation,
        Self::Stay,
        Self::Mutations,
        Self::Batch,
        Self::Grants,
        Self::GrantsOfManyRooms,
    ];

    pub fn part(self) -> Part {
        match self {
            Self::Window => Part::Window,
            Self::Reservation => Part::Reservation,
            Self::Stay => Part::Stay,
            Self::Mutations => Part::Mutations,
            Self::Batch => Part::Batch,
            Self::Grants | Self::GrantsOfManyRooms => Part::Grants,
        }
    }

    /// A name for files and tables.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Window => "window",
            Self::Reservation => "reservation",
            Self::Stay => "stay",
            Self::Mutations => "mutations",
            Self::Batch => "batch",
            Self::Grants => "grants",
            Self::GrantsOfManyRooms => "grants_of_many_rooms",
        }
    }

    pub fn name(self, ground: &Ground) -> String {
        match self {
            Self::Window => "7-day window, 20 stays".into(),
            Self::Reservation => format!("reservation, {} rooms", ground.rooms),
            Self::Stay => "one stay by its id".into(),
            Self::Mutations => "create, add, remove a key".into(),
            Self::Batch => "batch of 50 create + add".into(),
            Self::Grants => "grant: create, list, delete".into(),
            Self::GrantsOfManyRooms => format!("the same, {ROOMS} doors and cards"),
        }
    }

    pub fn writes(self) -> bool {
        !matches!(self, Self::Window | Self::Reservation | Self::Stay)
    }

    /// Whether there is anything like it in the peers.
    pub fn has_peers(self) -> bool {
        !matches!(self, Self::Grants | Self::GrantsOfManyRooms)
    }

    /// As for all cases; longer where a request takes long.
    pub fn pace(self, pace: Pace) -> Pace {
        let times = if self == Self::Batch { 2 } else { 1 };
        Pace { slice: pace.slice * times, warm_up: pace.warm_up * times, ..pace }
    }

    /// Requests to the hotels in turn. Each mutation has stays of its own.
    pub fn load(self, kind: Kind, ground: &Ground) -> Load {
        let hotels = &ground.hotels;
        let (mark, times) = match self {
            Self::Window => ("\"arrival\"", 20),
            Self::Reservation => ("\"pin\"", ground.rooms),
            Self::Stay => ("\"arrival\"", 1),
            Self::Mutations => ("\"roomStay\"", 2),
            Self::Batch => ("\"roomStay\"", PAIRS),
            // Of each card, as it is listed and as it is taken away.
            Self::Grants => ("\"state\"", 2),
            Self::GrantsOfManyRooms => ("\"state\"", 2 * ROOMS),
        };
        let requests = match self {
            Self::Window => {
                hotels.iter().map(|hotel| Request::new(hotel, &documents::window(kind, ground, hotel))).collect()
            }
            Self::Reservation => {
                hotels.iter().map(|hotel| Request::new(hotel, &documents::reservation(kind, hotel))).collect()
            }
            Self::Stay => in_turn(ground, 1)
                .take(STAYS)
                .map(|(hotel, stays)| Request::new(hotel, &documents::stay(kind, hotel, stays[0])))
                .collect(),
            Self::Mutations => in_turn(ground, 1)
                .map(|(hotel, stays)| Request::new(hotel, &documents::mutations(kind, ground, hotel, stays, true)))
                .collect(),
            Self::Batch => in_turn(ground, PAIRS)
                .map(|(hotel, stays)| Request::new(hotel, &documents::mutations(kind, ground, hotel, stays, false)))
                .collect(),
            Self::Grants => grants_of(ground, 1),
            Self::GrantsOfManyRooms => grants_of(ground, ROOMS),
        };
        Load { requests, mark, times, once: self.writes() }
    }
}

fn grants_of(ground: &Ground, rooms: usize) -> Vec<Request> {
    grants::batches(ground, rooms).map(|(hotel, body)| Request::new(hotel, &body)).collect()
}

/// Free stays, so many of a hotel at a time, the hotels taking turns until all have run out.
fn in_turn(ground: &Ground, count: usize) -> impl Iterator<Item = (&Hotel, &[Uuid])> {
    let most = ground.hotels.iter().map(|hotel| hotel.free_stays.len() / count).max().unwrap_or_default();
    (0..most).flat_map(move |turn| {
        let of_turn = turn * count..(turn + 1) * count;
        ground.hotels.iter().filter_map(move |hotel| Some((hotel, hotel.free_stays.get(of_turn.clone())?)))
    })
}

/// A page of 20 stays that all have a PIN, with it or without.
pub fn pins(ground: &Ground, with: bool) -> Load {
    let query = if with { ACTIVE_WITH_PINS } else { ACTIVE };
    let body = json!({"query": query, "variables": {"start": ground.start, "end": ground.end}});
    let requests = ground.hotels.iter().map(|hotel| Request::new(hotel, &body)).collect();
    Load { requests, mark: if with { "\"pin\"" } else { "\"roomAccessKey\":{" }, times: 20, once: false }
}

/// Requests that ask for nothing: let in by their API keys, or refused for want of one.
pub fn nothing(ground: &Ground, let_in: bool) -> Load {
    let body = json!({"query": "{ __typename }"}).to_string();
    let key = |hotel: &Hotel| let_in.then(|| hotel.key.clone());
    let request = |hotel: &Hotel| Request { hotel: hotel.id, key: key(hotel), body: body.clone() };
    let requests = ground.hotels.iter().map(request).collect();
    Load { requests, mark: if let_in { "\"__typename\"" } else { "UNAUTHORIZED" }, times: 1, once: false }
}
