//! Batches, chained operations and atomic requests, as the guide recommends them. Every detail is in `crate::batches`.

use serde_json::{Value, json};

use super::printed::{CREATE_QR, CREATE_ROOM_ACCESS_KEY, ROOM_STAYS, printed_json};
use crate::support::client::{ADD_KEY, CREATE_KEY, DELETE_KEY, REMOVE_KEY};
use crate::support::{Client, House, code, fingerprint, nodes, text};

const CREATE: &str = "mutation C($input: CreateRoomAccessKeyInput!) { createRoomAccessKey(input: $input) { \
    roomAccessKey { id @chain(variable: \"roomAccessKeyId\") } } }";
const ASSIGN: &str = "mutation A($roomStayId: ID! $roomAccessKeyId: ID!) { addRoomAccessKey(input: { \
    roomStayId: $roomStayId roomAccessKeyId: $roomAccessKeyId}) { roomStay { id roomAccessKey { id } } } }";

fn pin(pin: usize) -> Value {
    json!({"input": {"roomAccessPin": {"pin": pin.to_string()}}})
}

fn both(stay: &str, key: &str) -> Value {
    json!({"input": {"roomStayId": stay, "roomAccessKeyId": key}})
}

async fn stays_with_keys(house: &House, count: usize) -> (Vec<String>, Vec<String>) {
    let (_, stays) = house.reservation("OLD", &vec![("2026-01-30", "2026-02-01"); count]).await;
    let mut keys = Vec::new();
    for (index, stay) in stays.iter().enumerate() {
        keys.push(house.locks.pin(&index.to_string()).await);
        house.locks.add(stay, &keys[index]).await;
    }
    (stays, keys)
}

fn all_succeeded(responses: &[Value]) {
    for response in responses {
        assert!(response.get("errors").is_none(), "{response:#}");
    }
}

#[tokio::test]
async fn a66_many_key_updates_fit_in_one_request() {
    let house = House::new().await;
    let operations: Vec<(&str, Value)> = (0..100).map(|index| (CREATE_KEY, pin(index))).collect();
    all_succeeded(&house.locks.batch(&operations).await);
    assert_eq!(house.locks.own_pins().await.len(), 100);
}

#[tokio::test]
async fn a67_query_then_create_then_assign_revoke_and_delete_in_three_requests() {
    let house = House::new().await;
    let (old_stays, old_keys) = stays_with_keys(&house, 2).await;
    let (_, new_stays) = house.reservation("NEW", &[("2026-01-30", "2026-02-01"); 2]).await;
    let listed = house.locks.data(ROOM_STAYS.0, ROOM_STAYS.variables(&[])).await;
    let without: Vec<String> = nodes(&listed["room_stays"])
        .iter()
        .filter(|stay| stay["roomAccessKey"].is_null())
        .map(|stay| text(&stay["id"]))
        .collect();
    assert_eq!(without, new_stays);
    let created = house.locks.batch(&[(CREATE_KEY, pin(8)), (CREATE_KEY, pin(9))]).await;
    let keys: Vec<String> =
        created.iter().map(|made| text(&made["data"]["createRoomAccessKey"]["roomAccessKey"]["id"])).collect();
    let mut third = Vec::new();
    third.extend(new_stays.iter().zip(&keys).map(|(stay, key)| (ADD_KEY, both(stay, key))));
    third.extend(old_stays.iter().zip(&old_keys).map(|(stay, key)| (REMOVE_KEY, both(stay, key))));
    third.extend(old_keys.iter().map(|key| (DELETE_KEY, json!({ "id": key }))));
    all_succeeded(&house.locks.batch(&third).await);
    assert_eq!(house.locks.own_pins().await, ["8", "9"]);
    assert_eq!(house.messaging.key_of(&new_stays[1]).await.as_ref(), Some(&keys[1]));
}

#[tokio::test]
async fn a68_create_and_assign_interleave_with_revoke_and_delete_in_one_request() {
    let house = House::new().await;
    let (old_stays, old_keys) = stays_with_keys(&house, 2).await;
    let (_, new_stays) = house.reservation("NEW", &[("2026-01-30", "2026-02-01"); 2]).await;
    let responses = house
        .locks
        .batch(&[
            (CREATE, pin(8)),
            (ASSIGN, json!({"roomStayId": new_stays[0]})),
            (CREATE, pin(9)),
            (ASSIGN, json!({"roomStayId": new_stays[1]})),
            (REMOVE_KEY, both(&old_stays[0], &old_keys[0])),
            (REMOVE_KEY, both(&old_stays[1], &old_keys[1])),
            (DELETE_KEY, json!({"id": old_keys[0]})),
            (DELETE_KEY, json!({"id": old_keys[1]})),
        ])
        .await;
    all_succeeded(&responses);
    for (index, stay) in new_stays.iter().enumerate() {
        let made = text(&responses[2 * index]["data"]["createRoomAccessKey"]["roomAccessKey"]["id"]);
        assert_eq!(house.messaging.key_of(stay).await, Some(made));
    }
    assert_eq!(house.locks.own_pins().await, ["8", "9"]);
}

#[tokio::test]
async fn a69_the_qr_sample_works_without_its_trailing_comma_and_revoke_means_remove() {
    assert!(serde_json::from_str::<Value>(CREATE_QR).is_err(), "printed with a comma that JSON does not allow");
    let house = House::new().await;
    house.locks.data(CREATE_ROOM_ACCESS_KEY.0, printed_json(CREATE_QR)).await;
    let data = house.locks.data("{ __schema { mutationType { fields { name } } } }", json!({})).await;
    let names: Vec<String> = data["__schema"]["mutationType"]["fields"]
        .as_array()
        .expect("fields")
        .iter()
        .map(|field| text(&field["name"]))
        .collect();
    assert!(names.contains(&"removeRoomAccessKey".to_owned()));
    let of_keys = names.iter().filter(|name| name.contains("RoomAccessKey"));
    assert!(!of_keys.into_iter().any(|name| name.to_lowercase().contains("revoke")), "of API keys alone");
}

#[tokio::test]
async fn f01_a_batch_answers_every_operation_in_order_and_aliases_are_the_other_way() {
    let house = House::new().await;
    let queries: Vec<(&str, Value)> =
        vec![("{ a: __typename }", json!({})), ("{ b: __typename }", json!({})), ("{ c: __typename }", json!({}))];
    let answers = house.messaging.batch(&queries).await;
    let keys: Vec<&String> =
        answers.iter().flat_map(|answer| answer["data"].as_object().expect("data").keys()).collect();
    assert_eq!(keys, ["a", "b", "c"]);
    let aliased = "mutation { one: createRoomAccessKey(input: {roomAccessPin: {pin: \"1\"}}) { roomAccessKey { id } } \
        two: createRoomAccessKey(input: {roomAccessPin: {pin: \"2\"}}) { roomAccessKey { id } } }";
    house.locks.data(aliased, json!({})).await;
    assert_eq!(house.locks.own_pins().await, ["1", "2"]);
}

#[tokio::test]
async fn f02_a_chained_value_reaches_the_next_operation_and_no_later_one() {
    let house = House::new().await;
    let (_, stays) = house.reservation("R1", &[("2026-01-30", "2026-02-01"); 2]).await;
    let assign = |stay: usize| (ASSIGN, json!({"roomStayId": stays[stay]}));
    let responses = house.locks.batch(&[(CREATE, pin(1)), assign(0), assign(1)]).await;
    assert!(responses[1].get("errors").is_none(), "{responses:#?}");
    assert_eq!(code(&responses[2]), "INVALID_VARIABLE");
}

#[tokio::test]
async fn f03_three_uses_of_chain_are_refused() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let below_list = "{ settings { roomSetups { id @chain(variable: \"id\") } } }";
    let twice = "mutation($input: CreateRoomAccessKeyInput!) { createRoomAccessKey(input: $input) { roomAccessKey { \
        id @chain(variable: \"id\") again: id @chain(variable: \"id\") } } }";
    assert_eq!(code(&house.locks.run(below_list, json!({})).await), "CHAIN_BELOW_LIST");
    assert_eq!(code(&house.locks.run(twice, pin(1)).await), "CHAIN_VARIABLE_TWICE");
    let own = house.locks.pin("5").await;
    let sent = json!({"roomStayId": stay, "roomAccessKeyId": own});
    let responses = house.locks.batch(&[(CREATE, pin(1)), (ASSIGN, sent)]).await;
    assert_eq!(code(&responses[1]), "CHAIN_OVERRIDES_VARIABLE");
    assert_eq!(house.locks.own_pins().await, ["5"]);
}

#[tokio::test]
async fn f04_all_mutations_of_a_request_succeed_or_none() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let before = fingerprint(&house.test.db.pool).await;
    let bad = (ADD_KEY, both(&stay, "no-such-key"));
    let responses = house.locks.batch(&[(CREATE_KEY, pin(1)), bad, (CREATE_KEY, pin(2))]).await;
    assert!(responses[0]["data"]["createRoomAccessKey"]["roomAccessKey"]["id"].is_string(), "informative only");
    assert_eq!([code(&responses[1]), code(&responses[2])], ["NOT_FOUND", "NOT_RUN"]);
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
    let test_key = Client::new(&house.test, &house.keys.test).await;
    all_succeeded(&test_key.batch(&[(CREATE_KEY, pin(1))]).await);
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
}
