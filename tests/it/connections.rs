//! Pages: sizes, directions, cursors, and how many statements they take.

use async_graphql::Variables;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use latchkey::graphql::{GraphQlRequest, execute};
use serde_json::{Value, json};

use crate::support::{Client, House, TestApp, code, nodes, text};

const ROOTS: [&str; 7] = ["room_stays", "reservations", "roomAccessKeys", "clients", "entrances", "spaces", "encoders"];
const SIZE: usize = 5;

/// A house with five of everything.
async fn five_of_everything() -> House {
    let house = House::new().await;
    for index in 0..SIZE {
        house.stay(&format!("R{index}")).await;
        house.locks.pin(&index.to_string()).await;
        house.entrance(&format!("door-{index}")).await;
        house.desk.done("createSpace", json!({"name": format!("Space {index}")}), "space { id }").await;
        let encoder = json!({"name": format!("Desk {index}"), "provider": "VOSTIO"});
        house.desk.done("createEncoder", encoder, "encoder { id }").await;
    }
    house
}

fn page_query(root: &str) -> String {
    format!(
        "query($first: Int $after: String $last: Int $before: String) {{ \
         {root}(first: $first after: $after last: $last before: $before) {{ edges {{ cursor node {{ id }} }} \
             totalCount \
         pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
    )
}

async fn page(client: &Client, root: &str, arguments: Value) -> Value {
    client.data(&page_query(root), arguments).await[root].take()
}

/// Runs a query that has to succeed and answers with its data and how many statements it took.
async fn counted(client: &Client, app: &TestApp, query: &str) -> (Value, u32) {
    let request = GraphQlRequest { query: query.to_owned(), operation_name: None, variables: Variables::default() };
    let execution = execute(app, &client.actor, vec![request]).await;
    let mut response = serde_json::to_value(&execution.responses[0]).expect("JSON");
    assert!(response.get("errors").is_none(), "{response:#}");
    (response["data"].take(), execution.statements)
}

#[tokio::test]
async fn every_page_is_what_the_relay_specification_says() {
    let house = five_of_everything().await;
    for root in ROOTS {
        let all = page(&house.locks, root, json!({"first": 100})).await;
        let cursors: Vec<Value> = all["edges"].as_array().expect("edges").iter().map(|e| e["cursor"].clone()).collect();
        assert_eq!(cursors.len(), SIZE, "{root}");
        for size in 0..=SIZE + 1 {
            for bound in 0..=SIZE {
                let cursor = bound.checked_sub(1).map(|index| cursors[index].clone());
                let forward = page(&house.locks, root, json!({"first": size, "after": cursor})).await;
                expect_page(&forward, &cursors, bound..(bound + size).min(SIZE), bound > 0, bound + size < SIZE);

                let end = SIZE - bound;
                let cursor = cursors.get(end).cloned();
                let backward = page(&house.locks, root, json!({"last": size, "before": cursor})).await;
                expect_page(&backward, &cursors, end.saturating_sub(size)..end, end > size, end < SIZE);
            }
        }
        let between = json!({"first": 2, "after": cursors[0], "before": cursors[4]});
        expect_page(&page(&house.locks, root, between).await, &cursors, 1..3, true, true);
        let between = json!({"last": 2, "after": cursors[0], "before": cursors[3]});
        expect_page(&page(&house.locks, root, between).await, &cursors, 1..3, false, true);
    }
}

#[track_caller]
fn expect_page(page: &Value, cursors: &[Value], range: std::ops::Range<usize>, previous: bool, next: bool) {
    let edges = page["edges"].as_array().expect("edges");
    let found: Vec<&Value> = edges.iter().map(|edge| &edge["cursor"]).collect();
    assert_eq!(found, cursors[range].iter().collect::<Vec<_>>());
    let info = json!({
        "hasNextPage": next,
        "hasPreviousPage": previous,
        "startCursor": found.first(),
        "endCursor": found.last(),
    });
    assert_eq!(page["pageInfo"], info);
    assert_eq!(page["totalCount"], json!(SIZE));
}

#[tokio::test]
async fn a_page_has_twenty_records_by_default_and_a_hundred_at_most() {
    let house = House::new().await;
    house.reservation("R1", &[("2026-01-30", "2026-02-01"); 100]).await;
    house.stay("R2").await;
    assert_eq!(nodes(&page(&house.locks, "room_stays", json!({})).await).len(), 20);
    assert_eq!(nodes(&page(&house.locks, "room_stays", json!({"first": null, "after": null})).await).len(), 20);
    assert_eq!(nodes(&page(&house.locks, "room_stays", json!({"first": 100})).await).len(), 100);
    for (arguments, path) in [
        (json!({"first": 101}), json!(["first"])),
        (json!({"first": -1}), json!(["first"])),
        (json!({"last": 101}), json!(["last"])),
        (json!({"last": -1}), json!(["last"])),
        (json!({"first": 1, "last": 1}), json!(["last"])),
    ] {
        for root in ROOTS {
            let error = house.locks.error(&page_query(root), arguments.clone()).await;
            assert_eq!(error["extensions"]["code"], "INVALID_ARGUMENT", "{arguments}");
            assert_eq!(error["extensions"]["category"], "validation");
            assert_eq!(error["extensions"]["argumentPath"], path);
        }
        let nested = page_query("rooms")
            .replace("{ rooms(", "{ reservations { edges { node { rooms(")
            .replace("startCursor endCursor } } }", "startCursor endCursor } } } } } }");
        let error = house.locks.error(&nested, arguments.clone()).await;
        assert_eq!(error["extensions"]["argumentPath"], path, "nested {arguments}");
    }
}

#[tokio::test]
async fn a_nested_page_size_beyond_32_bits_is_refused_even_where_nothing_is_nested() {
    let house = House::new().await;
    let query = "query($size: Int) { reservations { edges { node { rooms(last: $size) { totalCount } } } } }";
    let error = house.locks.error(query, json!({"size": 2_147_483_648_u64})).await;
    assert_eq!(error["extensions"]["code"], "INVALID_VARIABLE");
}

#[tokio::test]
async fn lists_without_records_have_empty_pages() {
    let house = House::new().await;
    for root in ROOTS {
        for arguments in [json!({}), json!({"last": 5})] {
            let info = json!({"hasNextPage": false, "hasPreviousPage": false, "startCursor": null, "endCursor": null});
            let expected = json!({"edges": [], "totalCount": 0, "pageInfo": info});
            assert_eq!(page(&house.messaging, root, arguments).await, expected, "{root}");
        }
    }
}

#[tokio::test]
async fn a_cursor_opens_only_the_list_that_it_came_from() {
    let house = five_of_everything().await;
    let elsewhere = house.next_door().await;
    elsewhere.stay("R0").await;
    let filtered = "query($after: String $code: [String!]) { \
        reservations(after: $after filter: {code: {in: $code}}) { edges { cursor node { id } } } }";
    let codes = json!(["R0", "R1", "R2"]);
    let data = house.locks.data(filtered, json!({ "code": codes })).await;
    let own = data["reservations"]["edges"][0]["cursor"].clone();
    let again = house.locks.data(filtered, json!({"code": codes, "after": own})).await;
    assert_eq!(nodes(&again["reservations"]).len(), 2);

    let error = house.locks.error(filtered, json!({"code": ["R0", "R1"], "after": own})).await;
    expect_invalid_cursor(&error, "after");
    let rooms = "query($after: String) { reservations { edges { node { rooms(after: $after) { totalCount } } } } }";
    expect_invalid_cursor(&house.locks.error(rooms, json!({ "after": own })).await, "after");
    for root in ROOTS {
        let of_the_other = page(&elsewhere.locks, root, json!({})).await["edges"][0]["cursor"].clone();
        let mut wrong = vec![own.clone(), json!(""), json!("!"), json!("AAAA"), json!("🔑")];
        wrong.extend(of_the_other.is_string().then_some(of_the_other));
        for cursor in wrong {
            expect_invalid_cursor(&house.locks.error(&page_query(root), json!({ "after": cursor })).await, "after");
            expect_invalid_cursor(&house.locks.error(&page_query(root), json!({ "before": cursor })).await, "before");
        }
    }
    let own_key = page(&house.locks, "roomAccessKeys", json!({})).await["edges"][0]["cursor"].clone();
    let error = house.other_locks.error(&page_query("roomAccessKeys"), json!({ "after": own_key })).await;
    expect_invalid_cursor(&error, "after");
}

#[track_caller]
fn expect_invalid_cursor(error: &Value, argument: &str) {
    assert_eq!(error["extensions"]["code"], "INVALID_CURSOR", "{error}");
    assert_eq!(error["extensions"]["category"], "validation");
    assert_eq!(error["extensions"]["argumentPath"], json!([argument]));
}

#[tokio::test]
async fn reading_on_is_not_disturbed_by_records_that_come_and_go() {
    let house = House::new().await;
    let mut stays = Vec::new();
    for index in 0..9 {
        stays.push(
            house
                .reservation(&format!("R{index}"), &[("2026-01-30", &format!("2026-02-0{}", index + 1))])
                .await
                .1
                .remove(0),
        );
    }
    let first = page(&house.locks, "room_stays", json!({"first": 3})).await;
    let cursor = first["pageInfo"]["endCursor"].clone();
    house.reservation("BEFORE", &[("2026-01-30", "2026-02-01")]).await;
    let behind = house.reservation("BEHIND", &[("2026-01-30", "2026-02-05")]).await.1.remove(0);
    // The record that the cursor points at, and one that was still to come.
    for gone in [2, 5] {
        house.desk.done("deleteRoomStay", json!({"roomStayId": stays[gone]}), "deleted").await;
    }
    let rest = page(&house.locks, "room_stays", json!({"first": 100, "after": cursor})).await;
    let ids: Vec<String> = nodes(&rest).iter().map(|node| text(&node["id"])).collect();
    let expected = [&stays[3], &stays[4], &behind, &stays[6], &stays[7], &stays[8]];
    assert_eq!(ids.iter().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn nested_pages_differ_by_their_arguments_and_merge_when_they_are_the_same() {
    let house = House::new().await;
    let (_, stays) = house.reservation("GROUP", &[("2026-01-30", "2026-02-01"); 4]).await;
    house.reservation("SINGLE", &[("2026-01-30", "2026-02-01")]).await;
    let query = "{ reservations { edges { node { code \
        first: rooms(first: 1) { edges { node { id } } pageInfo { hasNextPage hasPreviousPage } } \
        last: rooms(last: 2) { edges { node { id } } pageInfo { hasNextPage hasPreviousPage } } \
        again: rooms(first: 1) { totalCount edges { cursor } } \
        rooms { totalCount } rooms { edges { node { id } } } } } } }";
    let (data, statements) = counted(&house.locks, &house.test, query).await;
    let groups = nodes(&data["reservations"]);
    let ids = |connection: &Value| nodes(connection).iter().map(|node| text(&node["id"])).collect::<Vec<_>>();
    assert_eq!(ids(&groups[0]["first"]), stays[..1]);
    assert_eq!(groups[0]["first"]["pageInfo"], json!({"hasNextPage": true, "hasPreviousPage": false}));
    assert_eq!(ids(&groups[0]["last"]), stays[2..]);
    assert_eq!(groups[0]["last"]["pageInfo"], json!({"hasNextPage": false, "hasPreviousPage": true}));
    assert_eq!(groups[0]["again"]["totalCount"], 4);
    assert_eq!(groups[0]["again"]["edges"].as_array().expect("edges").len(), 1);
    assert_eq!(ids(&groups[0]["rooms"]), stays);
    assert_eq!(groups[1]["rooms"]["totalCount"], 1);
    assert_eq!(groups[1]["last"]["pageInfo"], json!({"hasNextPage": false, "hasPreviousPage": false}));
    // One for the reservations, one for each distinct page of rooms, one for each of them that is counted.
    assert_eq!(statements, 1 + 3 + 2);
    let cursor = groups[0]["again"]["edges"][0]["cursor"].clone();
    let on = "query($after: String) { reservations(filter: {code: {eq: \"GROUP\"}}) { edges { node { \
        rooms(after: $after) { edges { node { id } } pageInfo { hasPreviousPage } } } } } }";
    let data = house.locks.data(on, json!({ "after": cursor })).await;
    let rooms = &data["reservations"]["edges"][0]["node"]["rooms"];
    assert_eq!(ids(rooms), stays[1..]);
    assert_eq!(rooms["pageInfo"]["hasPreviousPage"], true);
}

#[tokio::test]
async fn the_number_of_statements_does_not_grow_with_the_number_of_parents() {
    let house = House::new().await;
    let to_one = "room_setup { id category { id } } category { id } first_guest { id } reservation { code \
        client { id } \
        contact { id } } roomAccessKey { id ... on RoomAccessPin { pin } }";
    let page =
        format!("{{ room_stays {{ edges {{ node {{ id {to_one} }} }} pageInfo {{ hasNextPage endCursor }} }} }}");
    let lists =
        format!("{{ room_stays {{ edges {{ node {{ guests {{ id }} overlappingRoomStays {{ {to_one} }} }} }} }} }}");
    let nested = format!(
        "{{ reservations {{ edges {{ node {{ client {{ id }} rooms {{ edges {{ node {{ {to_one} guests {{ id }} \
            }} }} }} \
         }} }} }} }}"
    );
    for parents in [1, 5, 20] {
        while nodes(
            &house.desk.data("{ reservations(first: 100) { edges { node { id } } } }", json!({})).await["reservations"],
        )
        .len()
            < parents
        {
            let number = house.test.ids.uuid(house.test.clock.now());
            house.reservation(&number.to_string(), &[("2026-01-30", "2026-02-01")]).await;
        }
        let mut taken = Vec::new();
        for query in [&page, &lists, &nested] {
            let (data, statements) = counted(&house.messaging, &house.test, query).await;
            assert_eq!(data.to_string().matches("\"node\"").count() % parents, 0, "{data}");
            taken.push(statements);
        }
        assert_eq!(taken, [1, 3, 3], "{parents} parents");
    }
    let (_, statements) = counted(&house.messaging, &house.test, "{ room_stays { totalCount } }").await;
    assert_eq!(statements, 2, "the total is counted only when selected, by a statement of its own");
    let (_, statements) =
        counted(&house.messaging, &house.test, "{ __typename __schema { queryType { name } } }").await;
    assert_eq!(statements, 0);
}

#[tokio::test]
async fn the_answer_has_its_fields_in_the_order_of_the_selection() {
    let house = five_of_everything().await;
    let query = "query($yes: Boolean! $no: Boolean!) { \
        last: clients(first: 1) { pageInfo { hasNextPage } edges { node { id __typename } } } \
        settings @skip(if: $no) { roomSetups { id } categories { name id } } \
        gone: settings @include(if: $no) { categories { id } } \
        __typename \
        ...Stays \
        ... @include(if: $yes) { first: clients(last: 2) { edges { cursor } } } \
        room_stays(first: 1) { totalCount } } \
        fragment Stays on Query { room_stays(first: 1) { edges { node { updatedAt id ...Dates room_setup { id } \
            } } } } \
        fragment Dates on RoomStay { departure: reservation_to arrival: reservation_from id }";
    let request = GraphQlRequest {
        query: query.to_owned(),
        operation_name: None,
        variables: Variables::from_json(json!({"yes": true, "no": false})),
    };
    let execution = execute(&house.test, &house.messaging.actor, vec![request]).await;
    let answer = serde_json::to_string(&execution.responses[0]).expect("JSON");
    let expected = "data last pageInfo hasNextPage edges node id __typename settings roomSetups categories name id \
        __typename room_stays edges node updatedAt id departure arrival room_setup totalCount first edges \
            cursor cursor extensions cost";
    assert_eq!(keys(&answer).join(" "), expected);
}

/// The keys in a JSON text, in the order in which they stand there.
fn keys(text: &str) -> Vec<&str> {
    let parts: Vec<&str> = text.split('"').collect();
    (1..parts.len() - 1).step_by(2).filter(|&at| parts[at + 1].starts_with(':')).map(|at| parts[at]).collect()
}

#[tokio::test]
async fn an_object_of_which_nothing_is_selected_is_empty_and_not_null() {
    let house = five_of_everything().await;
    let stay = house.stay_in("101").await;
    house.locks.add(&stay, &house.locks.pin("9").await).await;
    let query = "query($id: ID! $no: Boolean!) { room_stays(filter: {id: {eq: $id}}) { edges { node { \
        roomAccessKey { ... on RoomAccessQR { qrData } } room_setup { name @include(if: $no) } \
        first_guest { ... on Company { company } } } } pageInfo { hasNextPage @include(if: $no) } } }";
    let data = house.messaging.data(query, json!({"id": stay, "no": false})).await["room_stays"].take();
    assert_eq!(nodes(&data), [json!({"roomAccessKey": {}, "room_setup": {}, "first_guest": null})]);
    assert_eq!(data["pageInfo"], json!({}));
    let twice = "roomAccessKey { ... on RoomAccessQR { qrData } } roomAccessKey { ... on RoomAccessPin { pin } }";
    assert_eq!(house.messaging.read_stay(&stay, twice).await, json!({"roomAccessKey": {"pin": "9"}}));
}

#[tokio::test]
async fn a_stay_that_is_in_an_answer_twice_has_its_lists_in_both_places() {
    let house = House::new().await;
    let (_, stays) = house.reservation("R1", &[("2026-01-30", "2026-02-02"); 2]).await;
    let booker = house.desk.read_stay(&stays[0], "reservation { client { id } }").await;
    let guest = text(&booker["reservation"]["client"]["id"]);
    let input = json!({"code": "R2", "client": {"id": guest}, "roomStays": [
        {"categoryId": house.category, "reservation_from": "2026-01-30", "reservation_to": "2026-02-02", "guestIds": [guest]},
        {"categoryId": house.category, "reservation_from": "2026-01-30", "reservation_to": "2026-02-02", "guestIds": [guest]},
    ]});
    house.desk.done("createReservation", input, "reservation { id }").await;
    let query = "query { reservations(filter: {code: {eq: \"R2\"}}) { edges { node { rooms { edges { node { \
        guests { id } reservation { rooms { edges { node { guests { id } } } } } } } } } } } }";
    let data = house.messaging.data(query, json!({})).await;
    let rooms = nodes(&nodes(&data["reservations"])[0]["rooms"]);
    assert_eq!(rooms.len(), 2);
    for room in rooms {
        assert_eq!(room["guests"], json!([{"id": guest}]));
        for again in nodes(&room["reservation"]["rooms"]) {
            assert_eq!(again["guests"], json!([{"id": guest}]));
        }
    }
}

#[tokio::test]
async fn a_cursor_that_was_edited_is_refused_like_any_other_that_is_none() {
    let house = House::new().await;
    house.stay("R1").await;
    let query = "query($after: String) { room_stays(first: 1, after: $after) { edges { cursor } } }";
    let data = house.messaging.data(query, json!({})).await;
    let cursor = URL_SAFE_NO_PAD.decode(text(&data["room_stays"]["edges"][0]["cursor"])).expect("base64");
    for days in [i32::MIN, -96_000_000, 0, 90_000_000, i32::MAX] {
        let edited = [&cursor[..8], &days.to_be_bytes(), &cursor[12..]].concat();
        let response = house.messaging.run(query, json!({"after": URL_SAFE_NO_PAD.encode(edited)})).await;
        assert!(["INVALID_CURSOR", "no error"].contains(&code(&response)), "{days}: {response}");
    }
    let feed = "query($after: String) { events(after: $after) { pageInfo { endCursor } } }";
    let data = house.messaging.data(feed, json!({})).await;
    let cursor = URL_SAFE_NO_PAD.decode(text(&data["events"]["pageInfo"]["endCursor"])).expect("base64");
    for position in [i64::MIN, -1, i64::MAX] {
        let edited = [&cursor[..8], &position.to_be_bytes()].concat();
        let response = house.messaging.run(feed, json!({"after": URL_SAFE_NO_PAD.encode(edited)})).await;
        assert_eq!(code(&response), "EVENTS_EXPIRED", "{position}");
    }
}

#[tokio::test]
async fn a_stay_reads_the_same_whatever_else_of_it_is_read() {
    let house = House::new().await;
    let (stay, empty) = (house.stay_in("101").await, house.stay("R1").await);
    let whole =
        house.messaging.read_stay(&stay, "roomName room_setup { id name } updatedAt ageGroups { adults }").await;
    assert_eq!(whole["roomName"], "101");
    for selection in [
        "room_setup { id }",
        "room_setup { __typename id }",
        "room_setup { ... on RoomSetup { id } }",
        "room_setup { id } room_setup { name }",
        "room_setup { id } other: room_setup { areaName category { name } cleaningStatus }",
        "room_setup { id } roomName",
    ] {
        let read = house.messaging.read_stay(&stay, selection).await;
        assert_eq!(read["room_setup"]["id"], whole["room_setup"]["id"], "{selection}");
        let read = house.messaging.read_stay(&empty, selection).await;
        assert_eq!(read["room_setup"], Value::Null, "{selection}");
    }
    for field in ["updatedAt", "ageGroups { adults }"] {
        let read = house.messaging.read_stay(&stay, field).await;
        let name = field.split(' ').next().expect("a name");
        assert_eq!(read[name], whole[name], "{field}");
    }
    for field in ["guestMessage", "maidNotes", "mealNotes", "rateCode"] {
        assert_eq!(house.messaging.read_stay(&stay, field).await, json!({field: null}));
    }
    let made = house.messaging.read_stay(&stay, "createdAt").await;
    assert!(made["createdAt"].is_string(), "{made}");
}
