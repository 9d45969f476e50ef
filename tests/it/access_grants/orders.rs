//! What an offline lock has seen, and what is written afterwards: new cards open, dead ones stay dead.

use serde_json::json;

use super::{Doors, Lock, but, read_grant, stay_1};
use crate::support::text;

/// A stay in a room of the house; answers with its id.
async fn stay(doors: &Doors, code: &str, room: &str, from: &str, to: &str) -> String {
    let stay = doors.house.reservation(code, &[(from, to)]).await.1.remove(0);
    move_to(doors, &stay, room).await;
    stay
}

async fn move_to(doors: &Doors, stay: &str, room: &str) {
    let query = "query($key: String!) { spaces(filter: {spaceKey: {eq: $key}}) { edges { node { id } } } }";
    let data = doors.house.desk.data(query, json!({ "key": room })).await;
    let room = &data["spaces"]["edges"][0]["node"]["id"];
    let input = json!({"roomStayId": stay, "roomSetupId": room});
    doors.house.desk.done("moveRoomStay", input, "roomStay { id }").await;
}

async fn redate(doors: &Doors, stay: &str, from: &str) {
    let input = json!({"roomStayId": stay, "reservation_from": from});
    doors.house.desk.done("changeRoomStayDates", input, "roomStay { id }").await;
}

/// The id of the live grant of a stay.
async fn grant_of(doors: &Doors, stay: &str) -> String {
    doors.of_reservation(stay).await.remove(0)
}

fn of_stay(stay: &str) -> serde_json::Value {
    json!({"userIdentityId": "guest-1", "roomStayId": stay, "requestedAccessMethods": [{"mode": "CARD"}]})
}

#[tokio::test]
async fn the_order_of_a_reservation_that_has_begun_never_falls() {
    let doors = Doors::new().await;
    let stay = stay(&doors, "R1", "room-101", "2025-05-10", "2025-05-14").await;
    let (grant, card) = doors.card(of_stay(&stay)).await;
    let mut lock = Lock::new("room-101-id");
    doors.at("2025-05-10T18:00:00Z");
    assert!(lock.opens(&card));
    // The guest came earlier than the desk says: that is past, and the card goes on opening.
    let came = json!({"id": stay, "check_in": "2025-05-10T12:40:00Z"});
    doors.house.desk.done("updateRoomStay", came, "roomStay { id }").await;
    assert_eq!(doors.read(&grant, "startsAt warnings { code }").await["warnings"], json!([]));
    assert!(lock.opens(&doors.encode(&grant).await), "a card that is written again bears no lesser order");
    // So does one for which the desk corrects the day of arrival, and one of a joiner.
    redate(&doors, &stay, "2025-05-09").await;
    assert!(lock.opens(&doors.encode(&grant).await));
    let (_, joiner) = doors.card(but(of_stay(&stay), json!({"userIdentityId": "guest-2"}))).await;
    assert!(lock.opens(&joiner));
    assert!(lock.opens(&card), "and nobody is shut out by it");
}

#[tokio::test]
async fn the_order_of_a_reservation_that_is_still_to_come_follows_its_start() {
    let doors = Doors::new().await;
    let (later, _) = doors
        .card(but(
            stay_1(),
            json!({"reservationKey": "later", "startsAt": "2025-05-20T15:00:00Z",
        "endsAt": "2025-05-24T11:00:00Z"}),
        ))
        .await;
    let (_, between) = doors
        .card(but(
            stay_1(),
            json!({"reservationKey": "between", "startsAt": "2025-05-15T15:00:00Z",
        "endsAt": "2025-05-17T11:00:00Z"}),
        ))
        .await;
    let sooner = json!({"id": later, "startsAt": "2025-05-10T15:00:00Z", "endsAt": "2025-05-14T11:00:00Z"});
    doors.house.locks.done("updateAccessGrant", sooner, "accessGrant { id }").await;
    let first = doors.encode(&later).await;
    let mut lock = Lock::new("room-101-id");
    assert!(lock.opens(&first));
    assert!(lock.opens(&between), "whoever arrives later is the greater one");
    assert!(!lock.opens(&first));
}

#[tokio::test]
async fn a_card_that_was_taken_away_stays_dead_whatever_the_stay_does() {
    let doors = Doors::new().await;
    let stay = stay(&doors, "R1", "room-101", "2025-05-12", "2025-05-16").await;
    let (_, dead) = doors.card(of_stay(&stay)).await;
    move_to(&doors, &stay, "room-203").await;
    redate(&doors, &stay, "2025-05-10").await;
    move_to(&doors, &stay, "room-101").await;
    let card = doors.encode(&grant_of(&doors, &stay).await).await;
    let mut lock = Lock::new("room-101-id");
    assert!(lock.opens(&card));
    assert!(!lock.opens(&dead), "the card of before the move");
    assert!(lock.opens(&card));
    // The same for a card that another guest was given for the days in between, and lost with the booking.
    let (other, lost) = doors
        .card(but(
            stay_1(),
            json!({"reservationKey": "other", "startsAt": "2025-06-12T15:00:00Z",
        "endsAt": "2025-06-16T11:00:00Z"}),
        ))
        .await;
    doors.house.locks.done("deleteAccessGrant", json!({ "id": other }), "deleted").await;
    let (_, card) = doors
        .card(but(
            stay_1(),
            json!({"reservationKey": "new", "startsAt": "2025-06-10T15:00:00Z",
        "endsAt": "2025-06-14T11:00:00Z"}),
        ))
        .await;
    assert!(lock.opens(&card));
    assert!(!lock.opens(&lost));
    // The next guest is the greater one all the same.
    let (_, next) = doors
        .card(but(
            stay_1(),
            json!({"reservationKey": "next", "startsAt": "2025-06-14T15:00:00Z",
        "endsAt": "2025-06-16T11:00:00Z"}),
        ))
        .await;
    assert!(lock.opens(&next));
    assert!(!lock.opens(&card));
}

#[tokio::test]
async fn new_times_that_meet_a_card_that_was_left_behind_leave_it_dead() {
    let doors = Doors::new().await;
    let frame = |key: &str, from: &str, to: &str| {
        but(
            stay_1(),
            json!({"reservationKey": key, "startsAt": format!("2025-{from}T15:00:00Z"),
            "endsAt": format!("2025-{to}T11:00:00Z")}),
        )
    };
    let (gone, lost) = doors.card(frame("gone", "05-12", "05-20")).await;
    doors.house.locks.done("deleteAccessGrant", json!({ "id": gone }), "deleted").await;
    // One is made before that card begins, and extended until it meets it.
    let (stays, _) = doors.card(frame("stays", "05-10", "05-11")).await;
    let longer = json!({"id": stays, "endsAt": "2025-05-16T11:00:00Z"});
    doors.house.locks.done("updateAccessGrant", longer, "accessGrant { id }").await;
    let mut lock = Lock::new("room-101-id");
    assert!(lock.opens(&doors.encode(&stays).await));
    assert!(!lock.opens(&lost));
    // Another one meets it from the beginning, and is re-dated.
    let (moves, _) = doors.card(frame("moves", "05-16", "05-18")).await;
    let sooner = json!({"id": moves, "startsAt": "2025-05-11T15:00:00Z"});
    doors.house.locks.done("updateAccessGrant", sooner, "accessGrant { id }").await;
    let mut lock = Lock::new("room-101-id");
    assert!(lock.opens(&doors.encode(&moves).await));
    assert!(!lock.opens(&lost));
}

#[tokio::test]
async fn what_was_seen_of_a_card_ends_with_its_place_in_the_order() {
    let doors = Doors::new().await;
    let (first, _) = doors.card(stay_1()).await;
    let method = doors.methods(&first, "id").await[0]["id"].clone();
    let report = json!({"accessMethodId": method});
    let refused =
        doors.house.locks.refused("reportAccessMethodOverride", report.clone(), "accessMethod { state }").await;
    assert_eq!(refused.0, "INVALID_ARGUMENT", "nothing was seen before it began");
    doors.at("2025-05-10T18:00:00Z");
    doors.house.locks.done("reportAccessMethodOverride", report, "accessMethod { state }").await;
    assert_eq!(doors.state(&first).await, "OVERRIDE_SEEN");
    let later = json!({"id": first, "startsAt": "2025-05-11T15:00:00Z"});
    doors.house.locks.done("updateAccessGrant", later, "accessGrant { id }").await;
    assert_eq!(doors.state(&first).await, "ENCODING_REQUIRED");
    doors.encode(&first).await;
    assert_eq!(doors.state(&first).await, "ENCODED");
}

#[tokio::test]
async fn an_encoder_writes_cards_of_its_own_provider_alone() {
    let doors = Doors::new().await;
    let other = json!({"encoderKey": "other", "name": "Annexe", "provider": "SALTO_SPACE", "simulated": true});
    doors.house.desk.done("createEncoder", other, "encoder { id }").await;
    let grant = doors.grant(stay_1()).await;
    let input = json!({"accessMethodId": doors.methods(&grant, "id").await[0]["id"], "encoderId": "other"});
    let refused = doors.house.locks.refused("encodeAccessMethod", input, "actionAttempt { id }").await;
    assert_eq!(refused, ("INVALID_ARGUMENT".to_owned(), json!(["input", "encoderId"])));
    assert_eq!(
        text(&read_grant(&doors.house.locks, &grant, "accessMethods { state }").await["accessMethods"][0]["state"]),
        "ENCODING_REQUIRED"
    );
}
