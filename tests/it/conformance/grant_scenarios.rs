//! The printed scenarios of access grants.

use serde_json::{Value, json};

use crate::access_grants::{Doors, Lock, but, stay_1, stay_2};
use crate::support::{nodes, text};

#[tokio::test]
async fn b28_back_to_back_the_earlier_credential_dies_at_the_first_use_of_the_new_one() {
    let doors = Doors::new().await;
    let of_room = json!({"entranceIds": null, "spaceIds": ["room-101"]});
    let (first, one) = doors.card(but(stay_1(), of_room.clone())).await;
    let (second, two) = doors.card(but(stay_2(), of_room)).await;
    let states = async || [doors.state(&first).await, doors.state(&second).await];
    doors.at("2025-05-14T10:59:59Z");
    assert_eq!(states().await, ["ENCODED", "ENCODED"]);
    doors.at("2025-05-14T11:00:00Z");
    assert_eq!(states().await, ["EXPIRED", "ENCODED"]);
    let mut lock = Lock::new("room-101-id");
    assert_eq!([&one, &two, &one].map(|card| lock.opens(card)), [true, true, false]);
}

#[tokio::test]
async fn b29_several_guests_of_one_key_are_valid_for_the_duration() {
    let doors = Doors::new().await;
    let mut cards = Vec::new();
    let mut grants = Vec::new();
    for guest in ["g1", "g2", "guest-3"] {
        let (grant, card) = doors.card(but(stay_1(), json!({ "userIdentityId": guest }))).await;
        grants.push(grant);
        cards.push(card);
    }
    let mut lock = Lock::new("room-101-id");
    for instant in ["2025-05-10T15:00:00Z", "2025-05-12T00:00:00Z", "2025-05-14T10:59:59Z"] {
        doors.at(instant);
        for (grant, card) in grants.iter().zip(&cards) {
            assert_eq!(doors.state(grant).await, "ENCODED", "{instant}");
            assert!(lock.opens(card), "{instant}");
        }
    }
}

#[tokio::test]
async fn b30_a_relocation_clears_the_old_grant_and_makes_one_for_the_new_room() {
    let doors = Doors::new().await;
    let (old, _) = doors.card(stay_1()).await;
    let new = but(stay_1(), json!({"entranceIds": null, "spaceIds": ["room-203"], "startsAt": "2025-05-10T15:30:00Z"}));
    let selection = "deleted accessMethods { state warnings { code } }";
    let deleted = doors.house.locks.done("deleteAccessGrant", json!({ "id": old }), selection).await;
    let left = json!([{"state": "REVOKED", "warnings": [{"code": "CARD_COLLECTION_REQUIRED"}]}]);
    assert_eq!(deleted, json!({"deleted": true, "accessMethods": left}));
    let new = doors.grant(new).await;
    let expected = json!({"reservationKey": "stay-1", "startsAt": "2025-05-10T17:30:00+02:00",
        "entrances": [{"entranceKey": "room-203-id"}]});
    assert_eq!(doors.read(&new, "reservationKey startsAt entrances { entranceKey }").await, expected);
    assert_eq!(doors.read(&old, "id").await, Value::Null);
    assert_eq!(json!(doors.methods(&old, "state warnings { code }").await), left);
}

#[tokio::test]
async fn b31_other_times_change_the_grant_and_not_the_plastic() {
    let doors = Doors::new().await;
    let (grant, _) = doors.card(stay_1()).await;
    doors.at("2025-05-11T00:00:00Z");
    let update = json!({"id": grant, "endsAt": "2025-05-16T11:00:00Z"});
    let changed = doors.house.locks.done("updateAccessGrant", update, "accessGrant { endsAt }").await;
    assert_eq!(changed["accessGrant"]["endsAt"], "2025-05-16T13:00:00+02:00");
    let method = &doors.methods(&grant, "state encodedAt isEncodingRequired").await[0];
    let expected =
        json!({"state": "ENCODING_REQUIRED", "encodedAt": "2025-05-09T11:00:00+02:00", "isEncodingRequired": true});
    assert_eq!(*method, expected);
}

#[tokio::test]
async fn b32_the_grant_then_warns_that_encoding_is_required() {
    let doors = Doors::new().await;
    let (grant, _) = doors.card(stay_1()).await;
    assert_eq!(doors.read(&grant, "warnings { code }").await["warnings"], json!([]));
    let update = json!({"id": grant, "endsAt": "2025-05-16T11:00:00Z"});
    doors.house.locks.done("updateAccessGrant", update, "accessGrant { id }").await;
    let warnings = doors.read(&grant, "warnings { code }").await;
    assert_eq!(warnings["warnings"], json!([{"code": "ENCODING_REQUIRED"}]));
}

#[tokio::test]
async fn b33_the_warning_is_cleared_by_encoding_the_card_again() {
    let doors = Doors::new().await;
    let (grant, _) = doors.card(stay_1()).await;
    let update = json!({"id": grant, "startsAt": "2025-05-10T16:00:00Z", "endsAt": "2025-05-16T11:00:00Z"});
    doors.house.locks.done("updateAccessGrant", update, "accessGrant { id }").await;
    let card = doors.encode(&grant).await;
    assert_eq!(doors.read(&grant, "warnings { code }").await["warnings"], json!([]));
    let door = json!({"entranceKey": "room-101-id", "reservationStartsAt": "2025-05-10T18:00:00+02:00", "sequence": 1});
    assert_eq!((&card["endsAt"], &card["doors"][0]), (&json!("2025-05-16T13:00:00+02:00"), &door));
}

#[tokio::test]
async fn b36_the_operations_of_the_printed_text() {
    let doors = Doors::new().await;
    let locks = &doors.house.locks;
    let grant = doors.grant(stay_1()).await;
    assert_eq!(text(&doors.read(&grant, "id").await["id"]), grant);
    assert_eq!(doors.of_reservation("stay-1").await, std::slice::from_ref(&grant));
    locks.done("updateAccessGrant", json!({"id": grant, "name": "Jane"}), "accessGrant { name }").await;
    assert_eq!(doors.read(&grant, "name").await["name"], "Jane");
    let entrances = locks.data("{ entrances { edges { node { entranceKey } } } }", json!({})).await;
    assert_eq!(nodes(&entrances["entrances"]).len(), 6);
    doors.encode(&grant).await;
    assert_eq!(doors.state(&grant).await, "ENCODED");
    locks.done("deleteAccessGrant", json!({"id": grant}), "deleted").await;
    assert!(doors.of_reservation("stay-1").await.is_empty());
}
