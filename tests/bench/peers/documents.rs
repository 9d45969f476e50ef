//! What is asked of each server. Latchkey and Mercurius read the same documents; PostGraphile's ask for the same values
//! under the names that it gives them.

use std::fmt::Write as _;

use serde_json::{Value, json};
use uuid::Uuid;

use super::ground::Ground;
use super::servers::Kind;

/// Pairs of create and assign in the batch.
pub const PAIRS: usize = 50;

const WINDOW: &str = "query RoomStays($start:Date! $end:Date! $cursor:String=null) { \
    room_stays(filter:{reservation_from:{le:$end} reservation_to:{gt:$start}} first:20 after:$cursor) { \
    edges { node { id room_setup { id } arrival: reservation_from departure: reservation_to roomAccessKey { id } } } \
    pageInfo { endCursor hasNextPage } } }";
const RESERVATION: &str = "query R($code:String!) { reservations(filter:{code:{eq:$code}}) { edges { node { \
    rooms(first:20) { edges { node { room_setup { name } roomAccessKey { ... on RoomAccessPin { pin } \
    ... on RoomAccessKeyStorage { pin } ... on RoomAccessQR { qrData } } } } pageInfo { hasNextPage endCursor } } } } } }";
const STAY: &str = "query S($id:ID!) { room_stays(filter:{id:{eq:$id}}) { edges { node { id room_setup { name } \
    arrival: reservation_from departure: reservation_to roomAccessKey { id } } } } }";
/// Chained by Latchkey's own directive; each is an operation of a batch, and the batch is one transaction.
const CREATE: &str = "mutation C($input:CreateRoomAccessKeyInput!) { createRoomAccessKey(input:$input) { \
    roomAccessKey { id @chain(variable:\"roomAccessKeyId\") } } }";
const ADD: &str = "mutation A($roomStayId:ID! $roomAccessKeyId:ID!) { addRoomAccessKey(input:{roomStayId:$roomStayId \
    roomAccessKeyId:$roomAccessKeyId}) { roomStay { id } } }";
const ADD_AND_PASS_ON: &str = "mutation A($roomStayId:ID! $roomAccessKeyId:ID!) { addRoomAccessKey(input:{ \
    roomStayId:$roomStayId roomAccessKeyId:$roomAccessKeyId}) { roomStay { id roomAccessKey { \
    id @chain(variable:\"roomAccessKeyId\") } } } }";
const REMOVE: &str = "mutation R($roomStayId:ID! $roomAccessKeyId:ID!) { removeRoomAccessKey(input:{ \
    roomStayId:$roomStayId roomAccessKeyId:$roomAccessKeyId}) { roomStay { id } } }";

const WINDOW_BY_POSTGRAPHILE: &str = "query RoomStays($hotel:UUID! $start:Date! $end:Date! $latest:Date! $cursor:Cursor) { \
    room_stays: allRoomStays(condition:{hotelId:$hotel} filter:{reservationFrom:{lessThanOrEqualTo:$end} \
    reservationTo:{greaterThan:$start lessThanOrEqualTo:$latest}} orderBy:[RESERVATION_TO_ASC ROW_ID_ASC] first:20 \
    after:$cursor) { edges { node { id: rowId room_setup: roomSetupByHotelIdAndRoomSetupId { id: rowId } \
    arrival: reservationFrom departure: reservationTo \
    roomAccessKey: roomAccessKeyByHotelIdAndRoomAccessKeyIdAndRoomAccessKeyKind { id: rowId } } } \
    pageInfo { endCursor hasNextPage } } }";
const RESERVATION_BY_POSTGRAPHILE: &str = "query R($hotel:UUID! $code:String!) { \
    reservations: allReservations(condition:{hotelId:$hotel code:$code}) { edges { node { \
    rooms: roomStaysByHotelIdAndReservationId(first:20) { edges { node { \
    room_setup: roomSetupByHotelIdAndRoomSetupId { name } \
    roomAccessKey: roomAccessKeyByHotelIdAndRoomAccessKeyIdAndRoomAccessKeyKind { pin: secret } } } \
    pageInfo { hasNextPage endCursor } } } } } }";
const STAY_BY_POSTGRAPHILE: &str = "query S($hotel:UUID! $id:UUID!) { room_stay: roomStayByHotelIdAndRowId( \
    hotelId:$hotel rowId:$id) { id: rowId room_setup: roomSetupByHotelIdAndRoomSetupId { name } \
    arrival: reservationFrom departure: reservationTo \
    roomAccessKey: roomAccessKeyByHotelIdAndRoomAccessKeyIdAndRoomAccessKeyKind { id: rowId } } }";

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Case {
    Window,
    Reservation,
    Stay,
    ThreeMutations,
    Batch,
}

impl Case {
    pub const ALL: [Self; 5] = [Self::Window, Self::Reservation, Self::Stay, Self::ThreeMutations, Self::Batch];

    pub fn name(self) -> &'static str {
        match self {
            Self::Window => "7-day window, 20 rows",
            Self::Reservation => "reservation with its rooms",
            Self::Stay => "one stay by its id",
            Self::ThreeMutations => "create, add and remove a key",
            Self::Batch => "batch of 50 create + add",
        }
    }

    pub fn writes(self) -> bool {
        matches!(self, Self::ThreeMutations | Self::Batch)
    }

    /// Body of request `number`; `None` once all stays without a key are used up.
    pub fn body(self, kind: Kind, ground: &Ground, number: usize) -> Option<Value> {
        Some(match self {
            Self::Window => window(kind, ground),
            Self::Reservation => reservation(kind, ground),
            Self::Stay => stay(kind, ground, number),
            Self::ThreeMutations => {
                let stay = ground.free_stays[number % ground.free_stays.len()];
                mutations(kind, ground, &[stay], true)
            }
            Self::Batch => mutations(kind, ground, ground.free_stays.get(number * PAIRS..(number + 1) * PAIRS)?, false),
        })
    }

    /// What the answer to [`Case::body`] has to hold, and how often.
    pub fn mark(self) -> (&'static str, usize) {
        match self {
            Self::Window => ("\"arrival\"", 20),
            Self::Reservation => ("\"pin\"", 5),
            Self::Stay => ("\"arrival\"", 1),
            Self::ThreeMutations => ("\"roomStay\"", 2),
            Self::Batch => ("\"roomStay\"", PAIRS),
        }
    }
}

fn window(kind: Kind, ground: &Ground) -> Value {
    let (start, end) = (ground.start, ground.end);
    match kind {
        Kind::PostGraphile => json!({"query": WINDOW_BY_POSTGRAPHILE, "variables":
            {"hotel": ground.hotel, "start": start, "end": end, "latest": ground.latest_departure}}),
        _ => json!({"query": WINDOW, "variables": {"start": start, "end": end}}),
    }
}

fn reservation(kind: Kind, ground: &Ground) -> Value {
    let code = &ground.reservation_code;
    match kind {
        Kind::PostGraphile => {
            json!({"query": RESERVATION_BY_POSTGRAPHILE, "variables": {"hotel": ground.hotel, "code": code}})
        }
        _ => json!({"query": RESERVATION, "variables": {"code": code}}),
    }
}

fn stay(kind: Kind, ground: &Ground, number: usize) -> Value {
    let id = ground.free_stays[number % ground.free_stays.len()];
    match kind {
        Kind::PostGraphile => json!({"query": STAY_BY_POSTGRAPHILE, "variables": {"hotel": ground.hotel, "id": id}}),
        _ => json!({"query": STAY, "variables": {"id": id}}),
    }
}

/// A new key for each stay, on it and, where that is asked for, off it again.
fn mutations(kind: Kind, ground: &Ground, stays: &[Uuid], remove: bool) -> Value {
    match kind {
        Kind::Latchkey => Value::Array(stays.iter().flat_map(|stay| chained(*stay, remove)).collect()),
        Kind::Mercurius => by_mercurius(ground, stays, remove),
        Kind::PostGraphile => by_postgraphile(ground, stays, remove),
    }
}

fn chained(stay: Uuid, remove: bool) -> Vec<Value> {
    let add = if remove { ADD_AND_PASS_ON } else { ADD };
    let mut operations = vec![
        json!({"query": CREATE, "variables": {"input": {"roomAccessPin": {"pin": "1234"}}}}),
        json!({"query": add, "variables": {"roomStayId": stay}}),
    ];
    if remove {
        operations.push(json!({"query": REMOVE, "variables": {"roomStayId": stay}}));
    }
    operations
}

/// One document whose fields run one after the other. The client makes the ids of the keys, as nothing is chained.
fn by_mercurius(ground: &Ground, stays: &[Uuid], remove: bool) -> Value {
    let (mut declared, mut fields, mut variables) = (String::new(), String::new(), json!({}));
    for (n, stay) in stays.iter().enumerate() {
        let key = ground.new_id();
        write!(declared, "$c{n}:CreateRoomAccessKeyInput! $a{n}:AssignmentInput! ").expect("a text");
        write!(
            fields,
            "c{n}: createRoomAccessKey(input:$c{n}) {{ roomAccessKey {{ id }} }} \
             a{n}: addRoomAccessKey(input:$a{n}) {{ roomStay {{ id }} }} "
        )
        .expect("a text");
        if remove {
            write!(fields, "r{n}: removeRoomAccessKey(input:$a{n}) {{ roomStay {{ id }} }} ").expect("a text");
        }
        variables[format!("c{n}")] = json!({"id": key, "roomAccessPin": {"pin": "1234"}});
        variables[format!("a{n}")] = json!({"roomStayId": stay, "roomAccessKeyId": key});
    }
    json!({"query": format!("mutation M({declared}) {{ {fields}}}"), "variables": variables})
}

/// Rows are written as they are, without a look at what they were; each field is a transaction of its own.
fn by_postgraphile(ground: &Ground, stays: &[Uuid], remove: bool) -> Value {
    let (mut declared, mut fields, mut variables) = (String::new(), String::new(), json!({}));
    let (hotel, now) = (ground.hotel, ground.now.to_rfc3339());
    for (n, stay) in stays.iter().enumerate() {
        let key = ground.new_id();
        write!(declared, "$c{n}:CreateRoomAccessKeyInput! $a{n}:UpdateRoomStayByHotelIdAndRowIdInput! ")
            .expect("a text");
        write!(
            fields,
            "c{n}: createRoomAccessKey(input:$c{n}) {{ roomAccessKey {{ id: rowId }} }} \
             a{n}: updateRoomStayByHotelIdAndRowId(input:$a{n}) {{ roomStay {{ id: rowId }} }} "
        )
        .expect("a text");
        variables[format!("c{n}")] = json!({"roomAccessKey": {"hotelId": hotel, "rowId": key,
            "integrationId": ground.integration, "kind": "PIN", "secret": "MTIzNA==", "createdAt": now}});
        let patch = json!({"roomAccessKeyId": key, "roomAccessKeyKind": "PIN",
            "roomAccessKeyDueAt": ground.key_due, "updatedAt": now});
        variables[format!("a{n}")] = json!({"hotelId": hotel, "rowId": stay, "roomStayPatch": patch});
        if remove {
            write!(
                declared,
                "$r{n}:UpdateRoomStayByHotelIdAndRowIdInput! $u{n}:UpdateRoomAccessKeyByHotelIdAndRowIdInput! "
            )
            .expect("a text");
            write!(
                fields,
                "r{n}: updateRoomStayByHotelIdAndRowId(input:$r{n}) {{ roomStay {{ id: rowId }} }} \
                 u{n}: updateRoomAccessKeyByHotelIdAndRowId(input:$u{n}) {{ roomAccessKey {{ id: rowId }} }} "
            )
            .expect("a text");
            let patch = json!({"roomAccessKeyId": null, "roomAccessKeyKind": null, "roomAccessKeyDueAt": null,
                "updatedAt": now});
            variables[format!("r{n}")] = json!({"hotelId": hotel, "rowId": stay, "roomStayPatch": patch});
            variables[format!("u{n}")] =
                json!({"hotelId": hotel, "rowId": key, "roomAccessKeyPatch": {"unassignedSince": now}});
        }
    }
    json!({"query": format!("mutation M({declared}) {{ {fields}}}"), "variables": variables})
}
