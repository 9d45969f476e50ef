//! Each room is a space, made and renamed with it.

use chrono::TimeDelta;
use latchkey::actor::Permission;
use serde_json::{Value, json};

use super::{refusal, trail};
use crate::support::{Client, House, nodes, text};

const SPACES: &str = "{ spaces { edges { node { id spaceKey name roomSetup { id name } updatedAt } } } }";

async fn spaces(house: &House) -> Vec<Value> {
    nodes(&house.messaging.data(SPACES, json!({})).await["spaces"])
}

#[tokio::test]
async fn a_room_is_a_space_under_its_id_and_its_name() {
    let house = House::new().await;
    let room = house.room("101").await;
    let as_made = json!({"id": room, "spaceKey": null, "name": "101", "roomSetup": {"id": room, "name": "101"},
        "updatedAt": "2026-01-30T10:00:00+01:00"});
    assert_eq!(spaces(&house).await, std::slice::from_ref(&as_made));
    house.test.advance(TimeDelta::minutes(1));
    house.desk.done("updateRoomSetup", json!({"id": room, "cleaningStatus": "DIRTY"}), "roomSetup { id }").await;
    assert_eq!(spaces(&house).await, [as_made]);
    house.desk.done("updateRoomSetup", json!({"id": room, "name": "101A"}), "roomSetup { id }").await;
    let renamed = json!({"id": room, "spaceKey": null, "name": "101A", "roomSetup": {"id": room, "name": "101A"},
        "updatedAt": "2026-01-30T10:01:00+01:00"});
    assert_eq!(spaces(&house).await, [renamed]);
    assert_eq!(
        trail(&house, &room).await,
        [json!(["UPDATED", ["name"]]), json!(["UPDATED", ["cleaningStatus"]]), json!(["CREATED", null])],
        "the trail is the room's"
    );
}

#[tokio::test]
async fn rooms_that_are_made_and_renamed_in_one_request_are_spaces_as_they_are_at_its_end() {
    let house = House::new().await;
    let create = "mutation($input: CreateRoomSetupInput!) { createRoomSetup(input: $input) { \
         roomSetup { id @chain(variable: \"room\") } } }";
    let rename = "mutation($room: ID!) { updateRoomSetup(input: {id: $room, name: \"201A\"}) { roomSetup { id } } }";
    let room = |name: &str| json!({"input": {"name": name, "categoryId": house.category}});
    house.desk.batch(&[(create, room("201")), (rename, json!({})), (create, room("202"))]).await;
    let names: Vec<String> = spaces(&house).await.iter().map(|space| text(&space["name"])).collect();
    assert_eq!(names, ["201A", "202"]);
}

#[tokio::test]
async fn nobody_is_told_of_a_room_and_a_test_key_makes_no_space() {
    let house = House::new().await;
    let events = "{ events(first: 100) { edges { node { type } } } }";
    house.room("101").await;
    let told = house.locks.data(events, json!({})).await;
    assert_eq!(told["events"]["edges"], json!([]));
    let tester = house.test.integration(&house.hotel, "Front desk", Permission::FrontDesk).await.test;
    let tester = Client::new(&house.test, &tester).await;
    let input = json!({"name": "102", "categoryId": house.category});
    tester.done("createRoomSetup", input, "roomSetup { id }").await;
    assert_eq!(spaces(&house).await.len(), 1);
    let subscribe = json!({"url": "https://example.com/", "status": "ENABLED", "events": ["room_setup.created"]});
    let (code, _) = house.locks.refused("createWebhookEndpoint", subscribe, "secret").await;
    assert_eq!(code, "INVALID_ARGUMENT");
}

#[tokio::test]
async fn the_space_of_a_room_has_a_key_and_entrances_and_stays_what_it_is() {
    let house = House::new().await;
    let (room, door) = (house.room("101").await, house.entrance("101-door").await);
    house.desk.done("updateSpace", json!({"id": room, "spaceKey": "room-101", "name": "101"}), "space { id }").await;
    let add = json!({"spaceId": "room-101", "entranceIds": [door]});
    let added = house.desk.done("addSpaceEntrances", add, "space { id entrances { id } }").await;
    assert_eq!(added["space"], json!({"id": room, "entrances": [{"id": door}]}));
    let renamed = house.desk.act("updateSpace", json!({"id": room, "name": "Suite"}), "space { id }").await;
    assert_eq!(renamed["errors"][0]["message"], "The space is a room: it is renamed with the room");
    assert_eq!(renamed["errors"][0]["extensions"]["argumentPath"], json!(["input", "name"]));
    let deleted = house.desk.refused("deleteSpace", json!({"id": "room-101"}), "deleted").await;
    assert_eq!(deleted, refusal("INVALID_ARGUMENT", "id"));
    house.desk.done("updateRoomSetup", json!({"id": room, "name": "102"}), "roomSetup { id }").await;
    let space = &spaces(&house).await[0];
    assert_eq!((&space["spaceKey"], &space["name"]), (&json!("room-101"), &json!("102")));
}

#[tokio::test]
async fn many_rooms_of_a_request_take_one_statement_to_become_spaces() {
    let house = House::new().await;
    let create = "mutation($input: CreateRoomSetupInput!) { createRoomSetup(input: $input) { roomSetup { id } } }";
    let mut taken = Vec::new();
    for count in [1_u32, 11] {
        let rooms = (0..count)
            .map(|index| json!({"input": {"name": format!("{count}-{index}"), "categoryId": house.category}}));
        let operations: Vec<_> = rooms.map(|input| (create, input)).collect();
        taken.push(house.desk.statements(&operations).await);
    }
    assert_eq!((taken[1] - taken[0]) % 10, 0, "each room costs as much as any other");
    let of_one = (taken[1] - taken[0]) / 10;
    assert_eq!(
        house.desk.statements(&[(create, json!({"input": {"name": "x", "categoryId": house.category}}))]).await,
        taken[0]
    );
    // Its name and its category are looked for, and it is written. The rest is of the commit: the space, and the audit trail.
    assert_eq!((of_one, taken[0] - of_one), (3, 2));
}
