//! What is asked of each server. Latchkey and Mercurius read the same documents; PostGraphile's ask for the same values
//! under the names that it gives them.

use std::fmt::Write as _;

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use super::ground::{Ground, Hotel};
use super::servers::Kind;

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

pub fn window(kind: Kind, ground: &Ground, hotel: &Hotel) -> Value {
    let (start, end) = (ground.start, ground.end);
    match kind {
        Kind::PostGraphile => json!({"query": WINDOW_BY_POSTGRAPHILE, "variables":
            {"hotel": hotel.id, "start": start, "end": end, "latest": hotel.latest_departure}}),
        _ => json!({"query": WINDOW, "variables": {"start": start, "end": end}}),
    }
}

pub fn reservation(kind: Kind, hotel: &Hotel) -> Value {
    let code = &hotel.reservation_code;
    match kind {
        Kind::PostGraphile => {
            json!({"query": RESERVATION_BY_POSTGRAPHILE, "variables": {"hotel": hotel.id, "code": code}})
        }
        _ => json!({"query": RESERVATION, "variables": {"code": code}}),
    }
}

pub fn stay(kind: Kind, hotel: &Hotel, id: Uuid) -> Value {
    match kind {
        Kind::PostGraphile => json!({"query": STAY_BY_POSTGRAPHILE, "variables": {"hotel": hotel.id, "id": id}}),
        _ => json!({"query": STAY, "variables": {"id": id}}),
    }
}

/// A new key for each stay, on it and, where that is asked for, off it again.
pub fn mutations(kind: Kind, ground: &Ground, hotel: &Hotel, stays: &[Uuid], remove: bool) -> Value {
    match kind {
        Kind::Latchkey => Value::Array(stays.iter().flat_map(|stay| chained(*stay, remove)).collect()),
        Kind::Mercurius => by_mercurius(ground, stays, remove),
        Kind::PostGraphile => by_postgraphile(ground, hotel, stays, remove),
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
        let key = ground.app.ids.uuid(ground.app.clock.now());
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
fn by_postgraphile(ground: &Ground, hotel: &Hotel, stays: &[Uuid], remove: bool) -> Value {
    let (mut declared, mut fields, mut variables) = (String::new(), String::new(), json!({}));
    let (now, due) = (ground.app.clock.now(), ground.app.clock.now() + TimeDelta::days(400));
    let (integration, hotel) = (hotel.integration, hotel.id);
    for (n, stay) in stays.iter().enumerate() {
        let key = ground.app.ids.uuid(ground.app.clock.now());
        write!(declared, "$c{n}:CreateRoomAccessKeyInput! $a{n}:UpdateRoomStayByHotelIdAndRowIdInput! ")
            .expect("a text");
        write!(
            fields,
            "c{n}: createRoomAccessKey(input:$c{n}) {{ roomAccessKey {{ id: rowId }} }} \
             a{n}: updateRoomStayByHotelIdAndRowId(input:$a{n}) {{ roomStay {{ id: rowId }} }} "
        )
        .expect("a text");
        variables[format!("c{n}")] = json!({"roomAccessKey": {"hotelId": hotel, "rowId": key,
            "integrationId": integration, "kind": "PIN", "secret": "MTIzNA==", "createdAt": now}});
        let patch = json!({"roomAccessKeyId": key, "roomAccessKeyKind": "PIN",
            "roomAccessKeyDueAt": due, "updatedAt": now});
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
