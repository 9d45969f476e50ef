//! The life of a room access key.

use async_graphql::Variables;
use latchkey::graphql::{GraphQlRequest, execute};
use serde_json::json;

use crate::support::client::{ADD_KEY, REMOVE_KEY};
use crate::support::{Client, House, code, text};

const CREATE: &str = "mutation C($input: CreateRoomAccessKeyInput!) { createRoomAccessKey(input: $input) { \
    roomAccessKey { id @chain(variable: \"roomAccessKeyId\") } } }";
const ADD: &str = "mutation A($roomStayId: ID! $roomAccessKeyId: ID!) { addRoomAccessKey(input: {roomStayId: $roomStayId \
    roomAccessKeyId: $roomAccessKeyId}) { roomStay { id roomAccessKey { id } } } }";

#[tokio::test]
async fn a_key_is_made_added_removed_and_deleted() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let key = house.locks.pin("0042").await;
    assert_eq!(house.locks.own_pins().await, ["0042"]);
    let added = house.locks.add(&stay, &key).await;
    assert_eq!(added["data"]["addRoomAccessKey"]["roomStay"]["roomAccessKey"]["id"], json!(key), "{added}");
    assert_eq!(code(&house.locks.delete(&key).await), "KEY_STILL_ASSIGNED");
    let removed = house.locks.remove(&stay, &key).await;
    assert_eq!(removed["data"]["removeRoomAccessKey"]["roomStay"], json!({"id": stay, "roomAccessKey": null}));
    assert_eq!(house.locks.delete(&key).await["data"]["deleteRoomAccessKey"]["deleted"], json!(true));
    assert!(house.locks.own_pins().await.is_empty());
}

#[tokio::test]
async fn chained_operations_interleave() {
    let house = House::new().await;
    let (_, stays) = house.reservation("R1", &[("2026-01-30", "2026-02-01"), ("2026-01-30", "2026-02-01")]).await;
    let batch = house
        .locks
        .batch(&[
            (CREATE, json!({"input": {"roomAccessPin": {"pin": "1111"}}})),
            (ADD, json!({"roomStayId": stays[0]})),
            (CREATE, json!({"input": {"roomAccessPin": {"pin": "2222"}}})),
            (ADD, json!({"roomStayId": stays[1]})),
        ])
        .await;
    for (index, stay) in [(1, &stays[0]), (3, &stays[1])] {
        let made = text(&batch[index - 1]["data"]["createRoomAccessKey"]["roomAccessKey"]["id"]);
        assert_eq!(house.messaging.key_of(stay).await, Some(made));
    }
}

/// How many statements a request with these operations takes.
async fn statements(house: &House, client: &Client, operations: &[(&str, serde_json::Value)]) -> u32 {
    let request = |(query, variables): &(&str, serde_json::Value)| GraphQlRequest {
        query: (*query).to_owned(),
        operation_name: None,
        variables: Variables::from_json(variables.clone()),
    };
    let execution = execute(&house.test, &client.actor, operations.iter().map(request).collect()).await;
    assert!(execution.responses.iter().all(|response| response.errors.is_empty()), "{:?}", execution.responses);
    execution.statements
}

#[tokio::test]
async fn a_batch_takes_as_many_statements_as_one_pair_of_its_operations() {
    let house = House::new().await;
    let mut taken = Vec::new();
    for pairs in [1, 20] {
        let nights = vec![("2026-01-30", "2026-02-01"); pairs];
        let (_, stays) = house.reservation(&format!("R{pairs}"), &nights).await;
        let pairs = stays.iter().flat_map(|stay| {
            [(CREATE, json!({"input": {"roomAccessPin": {"pin": "1"}}})), (ADD, json!({"roomStayId": stay}))]
        });
        taken.push(statements(&house, &house.locks, &pairs.collect::<Vec<_>>()).await);
        for stay in &stays {
            assert!(house.locks.key_of(stay).await.is_some());
        }
    }
    assert_eq!(taken[0], taken[1]);
    // Also where the whole input is a variable, and where the id is in the document.
    for (number, literal) in [(3, false), (4, true)] {
        let (_, stays) = house.reservation(&format!("R{number}"), &[("2026-01-30", "2026-02-01"); 5]).await;
        let key = house.locks.pin("1").await;
        let add = |stay: &String| {
            let input = json!({"roomStayId": stay, "roomAccessKeyId": key});
            let inline = format!(
                "mutation {{ addRoomAccessKey(input: {{roomStayId: \"{stay}\" roomAccessKeyId: \"{key}\"}}) {{ \
                 roomStay {{ id }} }} }}"
            );
            if literal { (inline, json!({})) } else { (ADD_KEY.to_owned(), json!({ "input": input })) }
        };
        let operations: Vec<(String, serde_json::Value)> = stays.iter().map(add).collect();
        let operations: Vec<_> =
            operations.iter().map(|(query, variables)| (query.as_str(), variables.clone())).collect();
        assert_eq!(
            statements(&house, &house.locks, &operations).await,
            1 + 5 + 3,
            "all stays, each key, and what the commit writes"
        );
    }
}

#[tokio::test]
async fn mutations_of_keys_and_of_the_front_desk_see_each_other_within_one_request() {
    let house = House::new().await;
    let (stay, room) = (house.stay("R1").await, house.room("201").await);
    let key = house.desk.pin("1").await;
    let both = json!({"input": {"roomStayId": stay, "roomAccessKeyId": key}});
    let into = "mutation($input: MoveRoomStayInput!) { moveRoomStay(input: $input) { roomStay { \
        room_setup { id } roomAccessKey { id } } } }";
    let split = "mutation($input: SplitRoomStayInput!) { splitRoomStay(input: $input) { \
        roomStay { roomAccessKey { id } } newRoomStay { roomAccessKey { id } } } }";
    let read = "query($id: ID!) { room_stays(filter: {id: {eq: $id}}) { edges { node { reservation_to \
        room_setup { id } roomAccessKey { id ... on RoomAccessPin { pin } } } } } }";
    let answers = house
        .desk
        .batch(&[
            (ADD_KEY, both.clone()),
            (into, json!({"input": {"roomStayId": stay, "roomSetupId": room}})),
            (split, json!({"input": {"roomStayId": stay, "date": "2026-01-31"}})),
            (read, json!({ "id": stay })),
            (REMOVE_KEY, both.clone()),
            (read, json!({ "id": stay })),
        ])
        .await;
    assert!(answers.iter().all(|answer| answer.get("errors").is_none()), "{answers:#?}");
    let moved = &answers[1]["data"]["moveRoomStay"]["roomStay"];
    assert_eq!(*moved, json!({"room_setup": {"id": room}, "roomAccessKey": {"id": key}}));
    let half = json!({"roomAccessKey": {"id": key}});
    assert_eq!(answers[2]["data"]["splitRoomStay"], json!({"roomStay": half, "newRoomStay": half}));
    let node = |answer: &serde_json::Value| answer["data"]["room_stays"]["edges"][0]["node"].clone();
    let with =
        json!({"reservation_to": "2026-01-31", "room_setup": {"id": room}, "roomAccessKey": {"id": key, "pin": "1"}});
    assert_eq!(node(&answers[3]), with);
    let without = json!({"reservation_to": "2026-01-31", "room_setup": {"id": room}, "roomAccessKey": null});
    assert_eq!(node(&answers[5]), without);
    let read = house.desk.read_stay(&stay, "reservation_to room_setup { id } roomAccessKey { id }").await;
    assert_eq!(read, without);
}

#[tokio::test]
async fn what_a_mutation_answers_beside_what_it_did_is_read_after_it_was_written() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let create = "mutation C($input: CreateRoomAccessKeyInput!) { createRoomAccessKey(input: $input) { \
        roomAccessKey { id @chain(variable: \"roomAccessKeyId\") auditTrail { totalCount } \
        ... on RoomAccessPin { pin deletesAt } } } }";
    let add = "mutation A($roomStayId: ID! $roomAccessKeyId: ID!) { addRoomAccessKey(input: {roomStayId: $roomStayId \
        roomAccessKeyId: $roomAccessKeyId}) { roomStay { updatedAt roomAccessKey { deletesAt ... on RoomAccessPin { \
        pin } } } } }";
    let pin = json!({"input": {"roomAccessPin": {"pin": "0042"}}});
    let answers = house.locks.batch(&[(create, pin), (add, json!({ "roomStayId": stay }))]).await;
    assert!(answers.iter().all(|answer| answer.get("errors").is_none()), "{answers:#?}");
    let made = &answers[0]["data"]["createRoomAccessKey"]["roomAccessKey"];
    assert_eq!((&made["pin"], &made["deletesAt"]), (&json!("0042"), &json!("2026-02-01T10:00:00+01:00")));
    assert_eq!(made["auditTrail"]["totalCount"], 0, "the trail is written by the commit");
    let on = &answers[1]["data"]["addRoomAccessKey"]["roomStay"];
    assert_eq!(on["roomAccessKey"], json!({"pin": "0042", "deletesAt": "2026-02-04T11:00:00+01:00"}));
    assert_eq!(on["updatedAt"], "2026-01-30T10:00:00+01:00");
}
