//! Putting keys on stays: who may, which, and what it means.

use chrono::TimeDelta;
use serde_json::json;

use super::printed::{
    ADD_ROOM_ACCESS_KEY, CREATE_PIN, CREATE_ROOM_ACCESS_KEY, DELETE_ROOM_ACCESS_KEY, REMOVE_ROOM_ACCESS_KEY,
    ROOM_STAYS, printed_json,
};
use super::{description, every_kind};
use crate::support::{House, code, fingerprint, nodes, text};

#[tokio::test]
async fn a22_only_integrations_that_may_write_make_keys_and_a_write_operates_no_lock() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let before = fingerprint(&house.test.db.pool).await;
    let refused = house.messaging.run(CREATE_ROOM_ACCESS_KEY.0, printed_json(CREATE_PIN)).await;
    assert_eq!(code(&refused), "FORBIDDEN");
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
    let key = house.locks.pin("0042").await;
    house.locks.add(&stay, &key).await;
    let presence = house.desk.read_stay(&stay, "check_in check_out room_setup { cleaningStatus }").await;
    assert_eq!(presence, json!({"check_in": null, "check_out": null, "room_setup": null}));
    let said = description(&house, "Mutation", Some("createRoomAccessKey")).await;
    assert!(said.contains("operates no lock"), "{said}");
}

#[tokio::test]
async fn a23_the_flow_of_a_key_from_the_list_of_stays_to_its_deletion() {
    let house = House::new().await;
    house.stay_in("101").await;
    let listed = house.locks.data(ROOM_STAYS.0, ROOM_STAYS.variables(&[])).await;
    let stay = text(&listed["room_stays"]["edges"][0]["node"]["id"]);
    let made = house.locks.data(CREATE_ROOM_ACCESS_KEY.0, printed_json(CREATE_PIN)).await;
    let key = text(&made["createRoomAccessKey"]["roomAccessKey"]["id"]);
    let both = [("<room stay id>", stay.as_str()), ("<room access key id>", &key), ("<room access key id >", &key)];
    let added = house.locks.data(ADD_ROOM_ACCESS_KEY.0, ADD_ROOM_ACCESS_KEY.variables(&both)).await;
    assert_eq!(added["addRoomAccessKey"]["roomStay"]["roomAccessKey"]["id"], json!(key));
    let removed = house.locks.data(REMOVE_ROOM_ACCESS_KEY.0, REMOVE_ROOM_ACCESS_KEY.variables(&both)).await;
    assert_eq!(removed["removeRoomAccessKey"]["roomStay"], json!({"id": stay, "roomAccessKey": null}));
    let deleted = house.locks.data(DELETE_ROOM_ACCESS_KEY.0, json!({"roomAccessKeyId": key})).await;
    assert_eq!(deleted["deleteRoomAccessKey"]["deleted"], true);
}

#[tokio::test]
async fn a24_a_key_is_invisible_to_others_until_it_is_on_a_stay() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let key = house.locks.pin("0042").await;
    assert!(house.other_locks.own_pins().await.is_empty());
    assert!(house.desk.own_pins().await.is_empty());
    assert_eq!(house.other_locks.key_of(&stay).await, None);
    house.locks.add(&stay, &key).await;
    assert_eq!(house.other_locks.key_of(&stay).await, Some(key.clone()));
    assert!(house.other_locks.own_pins().await.is_empty(), "seen on the stay, listed by its owner alone");
    house.locks.remove(&stay, &key).await;
    assert_eq!(house.other_locks.key_of(&stay).await, None);
}

#[tokio::test]
async fn a25_a_key_can_be_added_long_before_the_arrival() {
    let house = House::new().await;
    let (_, stays) = house.reservation("R1", &[("2027-06-01", "2027-06-03")]).await;
    let key = house.locks.pin("0042").await;
    house.locks.add(&stays[0], &key).await;
    assert_eq!(house.messaging.key_of(&stays[0]).await, Some(key));
}

#[tokio::test]
async fn a26_an_integration_adds_only_keys_that_it_made() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let foreign = house.locks.pin("0042").await;
    let refused = house.other_locks.add(&stay, &foreign).await;
    assert_eq!(code(&refused), "NOT_FOUND");
    assert_eq!(refused["errors"][0]["extensions"]["argumentPath"], json!(["input", "roomAccessKeyId"]));
    assert_eq!(house.locks.key_of(&stay).await, None);
}

#[tokio::test]
async fn a27_one_key_can_be_on_several_stays() {
    let house = House::new().await;
    let (_, stays) = house.reservation("R1", &[("2026-01-30", "2026-02-01"); 3]).await;
    let key = house.locks.pin("0042").await;
    for stay in &stays {
        house.locks.add(stay, &key).await;
    }
    for stay in &stays {
        assert_eq!(house.messaging.key_of(stay).await.as_ref(), Some(&key));
    }
}

#[tokio::test]
async fn a28_a_stay_has_at_most_one_key() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let (first, second) = (house.locks.pin("1").await, house.locks.pin("2").await);
    let of_others = house.other_locks.pin("3").await;
    house.locks.add(&stay, &first).await;
    let before = fingerprint(&house.test.db.pool).await;
    for refused in [house.locks.add(&stay, &second).await, house.other_locks.add(&stay, &of_others).await] {
        assert_eq!(code(&refused), "KEY_ALREADY_ASSIGNED");
    }
    assert!(house.locks.add(&stay, &first).await.get("errors").is_none(), "a retry is safe");
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
}

#[tokio::test]
async fn a48_add_answers_with_the_stay_and_its_key() {
    let house = House::new().await;
    for (name, input) in every_kind() {
        let stay = house.stay_in(name).await;
        let key = house.key(input).await;
        let variables =
            ADD_ROOM_ACCESS_KEY.variables(&[("<room stay id>", stay.as_str()), ("<room access key id>", &key)]);
        let answer = house.locks.data(ADD_ROOM_ACCESS_KEY.0, variables).await["addRoomAccessKey"]["roomStay"].take();
        let room = answer["room_setup"]["id"].clone();
        let expected = json!({
            "room_setup": {"id": room, "name": name},
            "arrival": "2026-01-30",
            "departure": "2026-02-02",
            "roomAccessKey": {"id": key},
        });
        assert_eq!(answer, expected);
    }
}

#[tokio::test]
async fn a38_a_split_gives_the_new_stay_the_key_of_the_old_one() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let key = house.locks.pin("0042").await;
    house.locks.add(&stay, &key).await;
    let split = json!({"roomStayId": stay, "date": "2026-02-01"});
    let answer = house.desk.done("splitRoomStay", split, "newRoomStay { id roomAccessKey { id } }").await;
    let second = text(&answer["newRoomStay"]["id"]);
    assert_eq!(answer["newRoomStay"]["roomAccessKey"]["id"], json!(key));
    assert!(house.locks.remove(&second, &key).await.get("errors").is_none());
    assert_eq!(house.messaging.key_of(&stay).await, Some(key), "each half has it by itself");
}

#[tokio::test]
async fn a39_last_minute_bookings_and_changes_of_date_and_room_take_and_keep_keys() {
    let house = House::new().await;
    house.test.advance(TimeDelta::hours(13));
    let stay = house.stay_in("101").await;
    let key = house.locks.pin("0042").await;
    house.locks.add(&stay, &key).await;
    let other_room = house.room("102").await;
    let dates = json!({"roomStayId": stay, "reservation_from": "2026-02-06", "reservation_to": "2026-02-09"});
    house.desk.done("changeRoomStayDates", dates, "roomStay { id }").await;
    house.desk.done("moveRoomStay", json!({"roomStayId": stay, "roomSetupId": other_room}), "roomStay { id }").await;
    let read = "reservation_from reservation_to room_setup { name } roomAccessKey { id }";
    let expected = json!({"reservation_from": "2026-02-06", "reservation_to": "2026-02-09",
        "room_setup": {"name": "102"}, "roomAccessKey": {"id": key}});
    assert_eq!(house.locks.read_stay(&stay, read).await, expected);
    let window = house.locks.data(ROOM_STAYS.0, ROOM_STAYS.variables(&[])).await;
    assert!(nodes(&window["room_stays"]).is_empty(), "it has left the week that begins on 30 January");
}
