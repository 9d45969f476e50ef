//! Access grants: a guest gets rooms, is looked up by the key of the reservation, and has left. No peer has anything like them.

use chrono::{Days, NaiveTime};
use serde_json::{Value, json};
use uuid::Uuid;

use super::ground::{Ground, Hotel};

/// Doors in all requests of a case together.
const DOORS: usize = 10_000;
/// First day of all grants, after the last one of the window, and how many days they last.
const BEGIN: Days = Days::new(30);
const LENGTH: Days = Days::new(4);

const CREATE: &str =
    "mutation C($input:CreateAccessGrantInput!) { createAccessGrant(input:$input) { accessGrant { id } } }";
const LIST: &str = "query L($reservationKey:String!) { accessGrants(filter:{reservationKey:{eq:$reservationKey}}) { edges { \
    node { id startsAt endsAt entrances { id name } accessMethods { id mode state } } } } }";
const DELETE: &str = "mutation D($id:ID!) { deleteAccessGrant(input:{id:$id}) { deleted accessMethods { id state } } }";

/// A batch for each reservation, the hotels taking turns: a grant of so many rooms, with a card for each, is made, listed by its
/// reservation key and deleted. No two are of one reservation; the rooms of a hotel take turns, too.
pub fn batches(ground: &Ground, rooms: usize) -> impl Iterator<Item = (&Hotel, Value)> {
    let turns = DOORS / rooms / ground.hotels.len();
    (0..turns).flat_map(move |turn| {
        ground.hotels.iter().map(move |hotel| {
            let of_turn: Vec<Uuid> = hotel.rooms.iter().cycle().skip(turn * rooms).take(rooms).copied().collect();
            (hotel, batch(ground, turn, &of_turn))
        })
    })
}

fn batch(ground: &Ground, turn: usize, rooms: &[Uuid]) -> Value {
    let reservation = format!("reservation-{turn}");
    let grant = format!("grant-{turn}");
    let at = |days: Days, hour: u32| {
        let time = NaiveTime::from_hms_opt(hour, 0, 0).expect("a time");
        (ground.end + BEGIN + days).and_time(time).and_utc()
    };
    let cards = vec![json!({"mode": "CARD"}); rooms.len()];
    let input = json!({
        "userIdentityId": "guest-1",
        "spaceIds": rooms,
        "startsAt": at(Days::new(0), 15),
        "endsAt": at(LENGTH, 11),
        "reservationKey": reservation,
        "accessGrantKey": grant,
        "requestedAccessMethods": cards,
    });
    json!([
        {"query": CREATE, "variables": {"input": input}},
        {"query": LIST, "variables": {"reservationKey": reservation}},
        {"query": DELETE, "variables": {"id": grant}},
    ])
}
