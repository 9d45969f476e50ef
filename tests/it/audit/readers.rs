//! Who may read which entries, and in which pages.

use async_graphql::Variables;
use latchkey::graphql::{GraphQlRequest, execute};
use serde_json::{Value, json};

use super::{ENTRY, told, trail};
use crate::support::{Client, House, code, nodes, text};

const ALL: &str = "{ auditEntries(first: 100) { edges { node { object { type id } } } } }";

/// Types of the objects of all entries that somebody sees.
async fn types(client: &Client) -> Vec<String> {
    let entries = nodes(&client.data(ALL, json!({})).await["auditEntries"]);
    let mut types: Vec<String> = entries.iter().map(|entry| text(&entry["object"]["type"])).collect();
    types.sort_unstable();
    types.dedup();
    types
}

#[tokio::test]
async fn an_integration_reads_what_it_did_itself() {
    let house = House::new().await;
    let (stay, key) = (house.stay("R1").await, house.locks.pin("1").await);
    house.locks.add(&stay, &key).await;
    let own = told(&trail(&house.locks, &stay).await);
    assert_eq!(own, [json!(["UPDATED", "ROOM_STAY", ["roomAccessKey"], "ROOM_ACCESS_KEY", "Locks", null])]);
    for stranger in [&house.other_locks, &house.messaging] {
        assert_eq!(trail(stranger, &stay).await, Vec::<Value>::new());
        assert_eq!(trail(stranger, &key).await, Vec::<Value>::new());
    }
    for client in [&house.locks, &house.messaging] {
        assert_eq!(code(&client.run(ALL, json!({})).await), "FORBIDDEN");
    }
    let shown = house.messaging.read_stay(&stay, "auditTrail { totalCount edges { node { id } } }").await;
    assert_eq!(shown["auditTrail"], json!({"totalCount": 0, "edges": []}));
}

#[tokio::test]
async fn the_front_desk_reads_about_rooms_and_guests_and_the_administrator_everything() {
    let house = House::new().await;
    let admin = house.admin().await;
    house.stay_in("101").await;
    house.locks.pin("1").await;
    let of_front_desk = ["CATEGORY", "CLIENT", "RESERVATION", "ROOM_ACCESS_KEY", "ROOM_SETUP", "ROOM_STAY"];
    assert_eq!(types(&house.desk).await, of_front_desk);
    let mut all = [&["API_KEY", "HOTEL", "INTEGRATION"][..], &of_front_desk].concat();
    all.sort_unstable();
    assert_eq!(types(&admin).await, all);
    let pair = house.keys.api_key_id.to_string();
    assert_eq!(trail(&house.desk, &pair).await, Vec::<Value>::new());
    assert_eq!(told(&trail(&admin, &pair).await), [json!(["CREATED", "API_KEY", null, null, "COMMAND_LINE", null])]);
}

#[tokio::test]
async fn records_of_another_hotel_are_answered_for_as_none() {
    let house = House::new().await;
    let neighbour = house.next_door().await;
    let admin = house.admin().await;
    let (stay, key) = (neighbour.stay("R1").await, neighbour.locks.pin("1").await);
    for foreign in [&stay, &key, &neighbour.hotel.id.to_string(), &neighbour.keys.api_key_id.to_string()] {
        assert_eq!(trail(&admin, foreign).await, Vec::<Value>::new());
    }
    assert_eq!(trail(&admin, "no id").await, Vec::<Value>::new());
    let mine = admin.data(ALL, json!({})).await.to_string();
    assert!(!mine.contains(&stay) && !mine.contains(&key));
    let query = "{ auditEntries(first: 1) { pageInfo { endCursor } } }";
    let foreign = text(&neighbour.desk.data(query, json!({})).await["auditEntries"]["pageInfo"]["endCursor"]);
    let behind = "query($after: String) { auditEntries(after: $after) { edges { cursor } } }";
    assert_eq!(code(&admin.run(behind, json!({"after": foreign})).await), "INVALID_CURSOR");
}

/// A connection below `field` of a query, read forwards and backwards in pages of two.
async fn expect_pages(client: &Client, query: &str, pointer: &str, size: usize) {
    let page = async |arguments: Value| client.data(query, arguments).await.pointer(pointer).expect("a page").clone();
    let all = page(json!({"first": 100})).await;
    let cursors: Vec<Value> =
        all["edges"].as_array().expect("edges").iter().map(|edge| edge["cursor"].clone()).collect();
    assert_eq!((cursors.len(), &all["totalCount"]), (size, &json!(size)));
    let cursors_of = |page: &Value| -> Vec<Value> {
        page["edges"].as_array().expect("edges").iter().map(|edge| edge["cursor"].clone()).collect()
    };
    for bound in 0..=size {
        let after = bound.checked_sub(1).map(|index| cursors[index].clone());
        let forward = page(json!({"first": 2, "after": after})).await;
        assert_eq!(cursors_of(&forward), cursors[bound..(bound + 2).min(size)]);
        assert_eq!(forward["pageInfo"]["hasNextPage"], bound + 2 < size);
        assert_eq!(forward["pageInfo"]["hasPreviousPage"], bound > 0);
        let before = cursors.get(bound).cloned();
        let backward = page(json!({"last": 2, "before": before})).await;
        assert_eq!(cursors_of(&backward), cursors[bound.saturating_sub(2)..bound]);
        assert_eq!(backward["pageInfo"]["hasPreviousPage"], bound > 2);
        assert_eq!(backward["pageInfo"]["hasNextPage"], bound < size);
    }
}

#[tokio::test]
async fn trails_are_read_page_by_page_from_the_newest() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    for day in 3..7 {
        let dates = json!({"roomStayId": stay, "reservation_to": format!("2026-02-0{day}")});
        house.desk.done("changeRoomStayDates", dates, "roomStay { id }").await;
    }
    let page = "{ totalCount edges { cursor node { createdAt } } pageInfo { hasNextPage hasPreviousPage } }";
    let pages = "$first: Int, $after: String, $last: Int, $before: String";
    let given = "first: $first, after: $after, last: $last, before: $before";
    let nested = format!("query({pages}) {{ room_stays {{ edges {{ node {{ auditTrail({given}) {page} }} }} }} }}");
    expect_pages(&house.desk, &nested, "/room_stays/edges/0/node/auditTrail", 5).await;
    let of_stay = format!("query({pages}) {{ auditEntries(objectId: \"{stay}\", {given}) {page} }}");
    expect_pages(&house.desk, &of_stay, "/auditEntries", 5).await;
    // Category, client, reservation, stay and its four changes.
    let of_hotel = format!("query({pages}) {{ auditEntries({given}) {page} }}");
    expect_pages(&house.desk, &of_hotel, "/auditEntries", 8).await;
}

#[tokio::test]
async fn a_trail_is_narrowed_to_a_time() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    house.test.advance(chrono::TimeDelta::hours(1));
    house.desk.done("deleteRoomStay", json!({"roomStayId": stay}), "deleted").await;
    let query = "query($id: ID, $since: Datetime, $until: Datetime) { \
        auditEntries(objectId: $id, since: $since, until: $until) { totalCount edges { node { action } } } }";
    for (since, until, expected) in [
        (json!("2026-01-30T11:00:00+01:00"), json!(null), vec!["DELETED"]),
        (json!(null), json!("2026-01-30T11:00:00+01:00"), vec!["CREATED"]),
        (json!("2026-01-30T10:00:00+01:00"), json!("2026-01-30T11:00:01+01:00"), vec!["DELETED", "CREATED"]),
    ] {
        let variables = json!({"id": stay, "since": since, "until": until});
        let data = house.desk.data(query, variables).await;
        let actions: Vec<String> = nodes(&data["auditEntries"]).iter().map(|entry| text(&entry["action"])).collect();
        assert_eq!(
            (actions, &data["auditEntries"]["totalCount"]),
            (expected.iter().map(ToString::to_string).collect(), &json!(expected.len()))
        );
    }
}

#[tokio::test]
async fn trails_of_many_records_take_as_many_statements_as_one() {
    let house = House::new().await;
    let query = format!(
        "{{ room_stays {{ edges {{ node {{ id auditTrail {{ edges {{ node {{ {ENTRY} }} }} }} \
            other: auditTrail(first: 1) {{ edges {{ node {{ id }} }} }} \
            roomAccessKey {{ id auditTrail {{ edges {{ node {{ id }} }} }} }} }} }} }} }}"
    );
    let mut taken = Vec::new();
    for index in 0..3 {
        let (stay, key) = (house.stay(&format!("R{index}")).await, house.locks.pin("1").await);
        house.locks.add(&stay, &key).await;
        let request = GraphQlRequest { query: query.clone(), operation_name: None, variables: Variables::default() };
        let execution = execute(&house.test, &house.desk.actor, vec![request]).await;
        let response = serde_json::to_value(&execution.responses[0]).expect("JSON");
        assert!(response.get("errors").is_none(), "{response:#}");
        for stay in nodes(&response["data"]["room_stays"]) {
            assert_eq!(nodes(&stay["auditTrail"]).len(), 2);
            assert_eq!(nodes(&stay["other"]).len(), 1);
            assert_eq!(nodes(&stay["roomAccessKey"]["auditTrail"]).len(), 2, "made, and put on this stay");
            assert!(nodes(&stay["auditTrail"]).iter().all(|entry| entry["object"]["id"] == stay["id"]));
        }
        taken.push(execution.statements);
    }
    assert_eq!(taken, [4, 4, 4]);
}

#[tokio::test]
async fn own_keys_show_their_trails() {
    let house = House::new().await;
    house.locks.pin("1").await;
    house.locks.pin("2").await;
    let query = "{ roomAccessKeys { edges { node { id auditTrail { edges { node { action object { id } } } } } } } }";
    for key in nodes(&house.locks.data(query, json!({})).await["roomAccessKeys"]) {
        let entries = nodes(&key["auditTrail"]);
        assert_eq!(entries, [json!({"action": "CREATED", "object": {"id": key["id"]}})]);
    }
    let create = "mutation { createRoomAccessKey(input: {roomAccessPin: {pin: \"3\"}}) { roomAccessKey { \
        auditTrail { totalCount } } } }";
    let made = house.locks.data(create, json!({})).await;
    let total = &made["createRoomAccessKey"]["roomAccessKey"]["auditTrail"]["totalCount"];
    assert_eq!(total, 0, "what a request does is in the trail after its commit");
}
