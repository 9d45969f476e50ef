//! Reading room access keys.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::printed::{
    ADD_ROOM_ACCESS_KEY, CREATE_PIN, CREATE_ROOM_ACCESS_KEY, DELETE_ROOM_ACCESS_KEY, REMOVE_ROOM_ACCESS_KEY,
    RESERVATION_ROOM_ACCESS_KEYS, ROOM_ACCESS_KEY, ROOM_STAY, ROOM_STAYS, printed_json,
};
use super::{description, every_kind};
use crate::support::{House, nodes, text};

#[tokio::test]
async fn a01_pins_key_storage_pins_and_other_kinds_are_written_and_read() {
    let house = House::new().await;
    let mut read = Vec::new();
    for (index, (_, input)) in every_kind().into_iter().enumerate() {
        let stay = house.stay(&format!("R{index}")).await;
        let key = house.key(input).await;
        house.locks.add(&stay, &key).await;
        let everything = "roomAccessKey { ... on RoomAccessPin { pin } ... on RoomAccessKeyStorage { pin compartment } \
            ... on RoomAccessQR { qrData } }";
        read.push(house.messaging.read_stay(&stay, everything).await["roomAccessKey"].take());
    }
    let written =
        [json!({"pin": "0042"}), json!({"pin": "77ab", "compartment": "3R"}), json!({"qrData": "abcdefgh1234567890"})];
    assert_eq!(read, written);
}

#[tokio::test]
async fn a02_one_field_and_one_mutation_stand_for_every_kind_of_access() {
    let house = House::new().await;
    for (name, input) in every_kind() {
        let stay = house.stay(name).await;
        let key = house.key(input).await;
        house.locks.add(&stay, &key).await;
        let read = house.messaging.read_stay(&stay, "roomAccessKey { __typename id }").await;
        assert_eq!(read, json!({"roomAccessKey": {"__typename": name, "id": key}}));
    }
}

#[tokio::test]
async fn a03_a_reader_gets_room_number_and_pin_to_send_to_the_guest() {
    let house = House::new().await;
    let stay = house.stay_in("101").await;
    house.locks.add(&stay, &house.locks.pin("0042").await).await;
    let message = "room_setup { name } roomAccessKey { ... on RoomAccessPin { pin } } \
        first_guest { ... on Person { mobile } } reservation { client { ... on Person { lastname } } }";
    let read = house.messaging.read_stay(&stay, message).await;
    assert_eq!(read["room_setup"]["name"], "101");
    assert_eq!(read["roomAccessKey"]["pin"], "0042");
    assert_eq!(read["reservation"]["client"]["lastname"], "Doe");
}

#[tokio::test]
async fn a04_what_one_integration_writes_the_others_read() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let key = house.locks.pin("0042").await;
    house.locks.add(&stay, &key).await;
    for reader in [&house.other_locks, &house.messaging, &house.desk] {
        assert_eq!(reader.key_of(&stay).await.as_ref(), Some(&key));
    }
}

#[tokio::test]
async fn a05_there_are_three_types() {
    let house = House::new().await;
    let query = "{ __type(name: \"RoomAccessKey\") { kind possibleTypes { name } } }";
    let found = house.messaging.data(query, json!({})).await["__type"].take();
    let mut names: Vec<String> =
        found["possibleTypes"].as_array().expect("types").iter().map(|known| text(&known["name"])).collect();
    names.sort_unstable();
    assert_eq!(names, ["RoomAccessKeyStorage", "RoomAccessPin", "RoomAccessQR"]);
}

#[tokio::test]
async fn a06_a_door_pin_is_there_during_the_whole_stay() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let key = house.locks.pin("0042").await;
    house.locks.add(&stay, &key).await;
    // 30 January 10:00 in Berlin; the stay departs on 2 February at 11:00.
    for hours in [0, 24, 24, 24] {
        house.test.advance(TimeDelta::hours(hours));
        assert_eq!(house.messaging.key_of(&stay).await.as_ref(), Some(&key));
        assert!(house.locks.add(&stay, &key).await.get("errors").is_none(), "the stay is not over");
    }
    assert!(description(&house, "RoomAccessPin", None).await.contains("during the whole stay"));
}

#[tokio::test]
async fn a07_a_key_storage_pin_is_for_the_arrival_and_stays_readable_after_it() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let key = house.key(every_kind()[1].1.clone()).await;
    house.locks.add(&stay, &key).await;
    let arrival = json!({"id": stay, "check_in": "2026-01-30T15:10:00+01:00"});
    house.locks.done("updateRoomStay", arrival, "roomStay { id }").await;
    assert_eq!(house.messaging.key_of(&stay).await, Some(key));
    assert!(description(&house, "RoomAccessKeyStorage", None).await.contains("one use on arrival"));
}

#[tokio::test]
async fn a08_qr_data_comes_back_exactly_as_it_was_given() {
    let house = House::new().await;
    let data = "WIFI:T:WPA;S:\"Grand\\Hotel\";\n\tP:ключ 🔑;; \u{2028}";
    let stay = house.stay("R1").await;
    let key = house.key(json!({"roomAccessQR": {"qrData": data}})).await;
    house.locks.add(&stay, &key).await;
    let read = house.messaging.read_stay(&stay, "roomAccessKey { ... on RoomAccessQR { qrData } }").await;
    assert_eq!(read["roomAccessKey"]["qrData"], data);
}

#[tokio::test]
async fn a09_a_key_of_a_type_that_was_not_asked_for_matches_no_fragment() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let key = house.key(every_kind()[2].1.clone()).await;
    house.locks.add(&stay, &key).await;
    let old_reader = "roomAccessKey { ... on RoomAccessPin { pin } ... on RoomAccessKeyStorage { pin } }";
    assert_eq!(house.messaging.read_stay(&stay, old_reader).await, json!({"roomAccessKey": {}}));
}

#[tokio::test]
async fn a10_a_stay_is_found_by_its_id() {
    let house = House::new().await;
    let (stay, other) = (house.stay_in("101").await, house.stay_in("102").await);
    for (id, room) in [(&stay, "101"), (&other, "102")] {
        let variables = ROOM_ACCESS_KEY.variables(&[("<room id>", id)]);
        let data = house.messaging.data(ROOM_ACCESS_KEY.0, variables).await;
        assert_eq!(nodes(&data["room_stays"]), [json!({"room_setup": {"name": room}, "roomAccessKey": null})]);
    }
}

#[tokio::test]
async fn a11_the_printed_fields_of_every_kind_of_key() {
    let house = House::new().await;
    let expected = [json!({"pin": "0042"}), json!({"pin": "77ab"}), json!({"qrData": "abcdefgh1234567890"})];
    for ((name, input), key_fields) in every_kind().into_iter().zip(expected) {
        let stay = house.stay_in(name).await;
        let key = house.key(input).await;
        house.locks.add(&stay, &key).await;
        let variables = ROOM_ACCESS_KEY.variables(&[("<room id>", &stay)]);
        let data = house.messaging.data(ROOM_ACCESS_KEY.0, variables).await;
        assert_eq!(data["room_stays"]["edges"][0]["node"]["roomAccessKey"], key_fields);
        assert_eq!(data["room_stays"]["edges"][0]["node"]["room_setup"]["name"], name);
    }
}

#[tokio::test]
async fn a12_the_rooms_of_a_reservation_have_keys_of_their_own() {
    let house = House::new().await;
    let (_, stays) = house.reservation("GROUP", &[("2026-01-30", "2026-02-01"); 3]).await;
    for (index, stay) in stays.iter().enumerate() {
        house.locks.add(stay, &house.locks.pin(&format!("{index}{index}")).await).await;
    }
    let variables = RESERVATION_ROOM_ACCESS_KEYS.variables(&[("<reservation code>", "GROUP")]);
    let data = house.messaging.data(RESERVATION_ROOM_ACCESS_KEYS.0, variables).await;
    let rooms = nodes(&data["reservations"]["edges"][0]["node"]["rooms"]);
    let pins: Vec<String> = rooms.iter().map(|room| text(&room["roomAccessKey"]["pin"])).collect();
    assert_eq!(pins, ["00", "11", "22"]);
}

#[tokio::test]
async fn a13_a_reservation_is_found_by_its_code_which_is_not_its_id() {
    let house = House::new().await;
    let (id, _) = house.reservation("RES-001", &[("2026-01-30", "2026-02-01")]).await;
    house.reservation("RES-002", &[("2026-01-30", "2026-02-01")]).await;
    for (code, found) in [("RES-001", 1), (id.as_str(), 0), ("res-001", 0)] {
        let variables = RESERVATION_ROOM_ACCESS_KEYS.variables(&[("<reservation code>", code)]);
        let data = house.messaging.data(RESERVATION_ROOM_ACCESS_KEYS.0, variables).await;
        assert_eq!(nodes(&data["reservations"]).len(), found, "{code}");
    }
}

#[tokio::test]
async fn a14_a_null_cursor_is_the_first_page_of_rooms() {
    let house = House::new().await;
    house.reservation("GROUP", &[("2026-01-30", "2026-02-01"); 21]).await;
    let mut variables = RESERVATION_ROOM_ACCESS_KEYS.variables(&[("<reservation code>", "GROUP")]);
    let absent = house.messaging.data(RESERVATION_ROOM_ACCESS_KEYS.0, variables.clone()).await;
    variables["roomsCursor"] = Value::Null;
    let null = house.messaging.data(RESERVATION_ROOM_ACCESS_KEYS.0, variables).await;
    assert_eq!(absent, null);
    let rooms = &null["reservations"]["edges"][0]["node"]["rooms"];
    assert_eq!(nodes(rooms).len(), 20);
    assert_eq!(rooms["pageInfo"]["hasNextPage"], true);
}

#[tokio::test]
async fn a15_connections_have_edges_and_page_info() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let query = "{ room_stays { edges { node { id } } pageInfo { hasNextPage endCursor } } \
        reservations { edges { node { rooms { edges { node { id } } pageInfo { hasNextPage endCursor } } } } } }";
    let data = house.messaging.data(query, json!({})).await;
    let rooms = &data["reservations"]["edges"][0]["node"]["rooms"];
    for connection in [&data["room_stays"], rooms] {
        assert_eq!(nodes(connection), [json!({"id": stay})]);
        assert_eq!(connection["pageInfo"]["hasNextPage"], false);
        assert!(connection["pageInfo"]["endCursor"].is_string());
    }
}

#[tokio::test]
async fn a16_a_pin_is_a_text_of_up_to_ten_letters_and_digits() {
    let house = House::new().await;
    for (index, pin) in ["0000000042", "abcdef1234", "Z"].into_iter().enumerate() {
        let stay = house.stay(&format!("R{index}")).await;
        house.locks.add(&stay, &house.locks.pin(pin).await).await;
        let read = house.messaging.read_stay(&stay, "roomAccessKey { ... on RoomAccessPin { pin } }").await;
        assert_eq!(read["roomAccessKey"]["pin"], pin);
    }
}

#[tokio::test]
async fn a17_the_compartment_is_readable_and_said_to_be_not_for_guests() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    house.locks.add(&stay, &house.key(every_kind()[1].1.clone()).await).await;
    let read = house.messaging.read_stay(&stay, "roomAccessKey { ... on RoomAccessKeyStorage { compartment } }").await;
    assert_eq!(read["roomAccessKey"]["compartment"], "3R");
    let said = description(&house, "RoomAccessKeyStorage", Some("compartment")).await;
    assert!(said.contains("Never show it to guests"), "{said}");
}

#[tokio::test]
async fn a18_all_rooms_of_a_large_reservation_are_read_by_following_the_cursor() {
    let house = House::new().await;
    let (_, stays) = house.reservation("GROUP", &[("2026-01-30", "2026-02-01"); 45]).await;
    for (index, stay) in stays.iter().enumerate() {
        house.locks.add(stay, &house.locks.pin(&index.to_string()).await).await;
    }
    let mut variables = RESERVATION_ROOM_ACCESS_KEYS.variables(&[("<reservation code>", "GROUP")]);
    let (mut pins, mut pages) = (Vec::new(), Vec::new());
    loop {
        let data = house.messaging.data(RESERVATION_ROOM_ACCESS_KEYS.0, variables.clone()).await;
        let rooms = &data["reservations"]["edges"][0]["node"]["rooms"];
        let page = nodes(rooms);
        pages.push(page.len());
        pins.extend(page.iter().map(|room| text(&room["roomAccessKey"]["pin"])));
        if rooms["pageInfo"]["hasNextPage"] == false {
            break;
        }
        variables["roomsCursor"] = rooms["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(pages, [20, 20, 5]);
    assert_eq!(pins, (0..45).map(|index| index.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a21_every_printed_document_runs_as_printed() {
    let house = House::new().await;
    let stay = house.stay_in("101").await;
    let made = house.locks.data(CREATE_ROOM_ACCESS_KEY.0, printed_json(CREATE_PIN)).await;
    let key = text(&made["createRoomAccessKey"]["roomAccessKey"]["id"]);
    let both = [("<room stay id>", stay.as_str()), ("<room access key id>", &key), ("<room access key id >", &key)];
    house.locks.data(ADD_ROOM_ACCESS_KEY.0, ADD_ROOM_ACCESS_KEY.variables(&both)).await;
    for (printed, values) in [
        (&ROOM_ACCESS_KEY, vec![("<room id>", stay.as_str())]),
        (&RESERVATION_ROOM_ACCESS_KEYS, vec![("<reservation code>", "R-101")]),
        (&ROOM_STAYS, vec![]),
        (&ROOM_STAY, vec![("<room stay id 1>", stay.as_str()), ("<room stay id 2>", "no-such-stay")]),
    ] {
        let variables = printed.variables(&values);
        let data = house.messaging.data(printed.0, variables).await;
        assert!(data.to_string().contains("101") || data.to_string().contains(&stay), "{data}");
    }
    let undeclared = RESERVATION_ROOM_ACCESS_KEYS.variables(&[("<reservation code>", "R-101")]);
    assert_eq!(undeclared["roomCursor"], Value::Null, "printed, though only $roomsCursor is declared");
    house.locks.data(REMOVE_ROOM_ACCESS_KEY.0, REMOVE_ROOM_ACCESS_KEY.variables(&both)).await;
    let mut deletion = DELETE_ROOM_ACCESS_KEY.variables(&[]);
    assert_eq!(deletion, json!({"roomAccessKeyId": "abc"}));
    deletion["roomAccessKeyId"] = json!(key);
    let deleted = house.locks.data(DELETE_ROOM_ACCESS_KEY.0, deletion).await;
    assert_eq!(deleted, json!({"deleteRoomAccessKey": {"deleted": true}}));
}
