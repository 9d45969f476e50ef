//! Entrances made, changed and deleted.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{end_reservation, give_grants, refusal, trail};
use crate::support::{House, code, fingerprint, text};

const ENTRANCE: &str = "entrance { id entranceKey name provider canBelongToReservation modes createdAt updatedAt }";

fn gym() -> Value {
    json!({"entranceKey": "gym", "name": " Gym ", "provider": "SALTO_SPACE", "canBelongToReservation": false,
        "modes": ["CODE", "CARD", "CODE"]})
}

#[tokio::test]
async fn an_entrance_is_made_changed_by_its_id_or_its_key_and_deleted() {
    let house = House::new().await;
    let made = house.desk.done("createEntrance", gym(), ENTRANCE).await["entrance"].take();
    let id = text(&made["id"]);
    assert_eq!(
        made,
        json!({"id": id, "entranceKey": "gym", "name": "Gym", "provider": "SALTO_SPACE", "canBelongToReservation": false,
            "modes": ["CARD", "CODE"], "createdAt": "2026-01-30T10:00:00+01:00", "updatedAt": "2026-01-30T10:00:00+01:00"})
    );
    house.test.advance(TimeDelta::minutes(1));
    let change = json!({"id": "gym", "name": "Spa", "provider": "BRIVO", "canBelongToReservation": true,
        "modes": ["CLOUD_KEY"], "entranceKey": "spa"});
    let changed = house.desk.done("updateEntrance", change, ENTRANCE).await["entrance"].take();
    assert_eq!(
        changed,
        json!({"id": id, "entranceKey": "spa", "name": "Spa", "provider": "BRIVO", "canBelongToReservation": true,
            "modes": ["CLOUD_KEY"], "createdAt": "2026-01-30T10:00:00+01:00", "updatedAt": "2026-01-30T10:01:00+01:00"})
    );
    house.test.advance(TimeDelta::minutes(1));
    let same = house.desk.done("updateEntrance", json!({"id": id, "name": "Spa"}), ENTRANCE).await["entrance"].take();
    assert_eq!(same, changed, "nothing was changed");
    let keyless = house.desk.done("updateEntrance", json!({"id": id, "entranceKey": null}), ENTRANCE).await;
    assert_eq!(keyless["entrance"]["entranceKey"], Value::Null);
    assert_eq!(house.desk.done("deleteEntrance", json!({"id": id}), "deleted").await["deleted"], true);
    assert_eq!(house.desk.refused("deleteEntrance", json!({"id": id}), "deleted").await, refusal("NOT_FOUND", "id"));
    assert_eq!(
        trail(&house, &id).await,
        [
            json!(["DELETED", null]),
            json!(["UPDATED", ["entranceKey"]]),
            json!(["UPDATED", ["entranceKey", "name", "provider", "canBelongToReservation", "modes"]]),
            json!(["CREATED", null]),
        ]
    );
}

#[tokio::test]
async fn names_keys_and_modes_are_checked() {
    let house = House::new().await;
    house.entrance("door").await;
    for (field, values) in [
        ("name", vec![json!(""), json!("  "), json!("x".repeat(201)), json!("a\nb")]),
        (
            "entranceKey",
            vec![json!(""), json!("x".repeat(201)), json!("a\tb"), json!("0198d4c1-3f5e-7c00-8000-000000000001")],
        ),
        ("modes", vec![json!([])]),
    ] {
        for value in values {
            for (mutation, mut input) in [("createEntrance", gym()), ("updateEntrance", json!({"id": "door"}))] {
                input[field] = value.clone();
                let refused = house.desk.refused(mutation, input, "entrance { id }").await;
                assert_eq!(refused, refusal("INVALID_ARGUMENT", field), "{mutation} {value}");
            }
        }
    }
    for field in ["name", "provider", "canBelongToReservation", "modes"] {
        let refused = house.desk.refused("updateEntrance", json!({"id": "door", field: null}), "__typename").await;
        assert_eq!(refused, refusal("INVALID_ARGUMENT", field));
    }
    let mut longest = gym();
    longest["entranceKey"] = json!("é".repeat(200));
    house.desk.done("createEntrance", longest, "entrance { id }").await;
}

#[tokio::test]
async fn a_key_names_one_entrance_of_a_hotel_and_others_of_other_hotels() {
    let house = House::new().await;
    let neighbour = house.next_door().await;
    let first = house.entrance("door").await;
    house.entrance("gate").await;
    assert_ne!(neighbour.entrance("door").await, first);
    let taken = refusal("NAME_TAKEN", "entranceKey");
    let mut input = gym();
    input["entranceKey"] = json!("door");
    assert_eq!(house.desk.refused("createEntrance", input.clone(), "entrance { id }").await, taken);
    let answer = house.desk.act("createEntrance", input, "entrance { id }").await;
    assert_eq!(answer["errors"][0]["message"], "Another entrance of the hotel has this key");
    let rename = |id: &str| json!({"id": id, "entranceKey": "door"});
    assert_eq!(house.desk.refused("updateEntrance", rename("gate"), "entrance { id }").await, taken);
    house.desk.done("updateEntrance", rename("door"), "entrance { id }").await;
    let mut other_case = gym();
    other_case["entranceKey"] = json!("Door");
    house.desk.done("createEntrance", other_case, "entrance { id }").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_take_a_key_at_once_one_gets_it() {
    let house = House::new().await;
    let takers = (0..4).map(|_| {
        let desk = house.desk.clone();
        tokio::spawn(async move { desk.act("createEntrance", gym(), "entrance { id }").await })
    });
    let answers = futures_util::future::join_all(takers).await;
    let mut codes: Vec<String> =
        answers.into_iter().map(|answer| code(&answer.expect("no panic")).to_owned()).collect();
    codes.sort();
    assert_eq!(codes, ["NAME_TAKEN", "NAME_TAKEN", "NAME_TAKEN", "no error"]);
}

#[tokio::test]
async fn what_orders_reservations_on_a_door_stays_while_one_has_it() {
    let house = House::new().await;
    let id = house.entrance("door").await;
    give_grants(&house, &id).await;
    let change = |field: &str, value: Value| json!({"id": id, field: value});
    for (field, value) in [("provider", json!("BRIVO")), ("canBelongToReservation", json!(false))] {
        let refused = house.desk.refused("updateEntrance", change(field, value), "entrance { id }").await;
        assert_eq!(refused, refusal("INVALID_ARGUMENT", field));
    }
    house.desk.done("updateEntrance", change("provider", json!("VISIONLINE")), "entrance { id }").await;
    house.desk.done("updateEntrance", change("name", json!("Door")), "entrance { id }").await;
    end_reservation(&house, &id).await;
    house.desk.done("updateEntrance", change("provider", json!("BRIVO")), "entrance { id }").await;
    house.desk.done("updateEntrance", change("canBelongToReservation", json!(false)), "entrance { id }").await;
}

#[tokio::test]
async fn an_entrance_of_grants_is_not_deleted() {
    let house = House::new().await;
    let id = house.entrance("door").await;
    give_grants(&house, &id).await;
    end_reservation(&house, &id).await;
    let answer = house.desk.act("deleteEntrance", json!({"id": id}), "deleted").await;
    assert_eq!(answer["errors"][0]["message"], "The entrance belongs to access grants");
    assert_eq!(
        house.desk.refused("deleteEntrance", json!({"id": id}), "deleted").await,
        refusal("INVALID_ARGUMENT", "id")
    );
}

#[tokio::test]
async fn everybody_reads_and_the_front_desk_writes() {
    let house = House::new().await;
    let (entrance, room) = (house.entrance("door").await, house.room("101").await);
    let encoder = json!({"encoderKey": "desk", "name": "Desk", "provider": "VOSTIO"});
    house.desk.done("createEncoder", encoder.clone(), "encoder { id }").await;
    let before = fingerprint(&house.test.db.pool).await;
    let of_space = json!({"spaceId": room, "entranceIds": [entrance]});
    for (mutation, input) in [
        ("createEntrance", gym()),
        ("updateEntrance", json!({"id": "door", "name": "x"})),
        ("deleteEntrance", json!({"id": "door"})),
        ("createSpace", json!({"name": "x"})),
        ("updateSpace", json!({"id": room, "spaceKey": "x"})),
        ("deleteSpace", json!({"id": room})),
        ("addSpaceEntrances", of_space.clone()),
        ("removeSpaceEntrances", of_space),
        ("createEncoder", encoder),
        ("updateEncoder", json!({"id": "desk", "name": "x"})),
        ("deleteEncoder", json!({"id": "desk"})),
    ] {
        for client in [&house.messaging, &house.locks] {
            let answer = client.act(mutation, input.clone(), "__typename").await;
            assert_eq!(code(&answer), "FORBIDDEN", "{mutation}");
        }
    }
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
    let query = "{ entrances { totalCount } spaces { totalCount } encoders { totalCount } }";
    let one = json!({"totalCount": 1});
    assert_eq!(house.messaging.data(query, json!({})).await, json!({"entrances": one, "spaces": one, "encoders": one}));
}
