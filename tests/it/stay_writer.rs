//! What is written row by row is, byte for byte, what the executor answers.

use async_graphql::Variables;
use axum::http::HeaderValue;
use latchkey::auth;
use latchkey::graphql::{DEADLINE, Execution, GraphQlRequest, execute, execute_supposed};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRng, TestRunner};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::time::Instant;

use crate::support::client::CREATE_KEY;
use crate::support::{Client, House, nodes, text};

/// Documents that are generated; each is asked with several sets of variables.
const DOCUMENTS: u32 = 2_000;

/// Selection sets, in braces.
type Selection = BoxedStrategy<String>;

/// Any selection of some of these fields, in any order, some under other names, some inside fragments.
fn selection(type_name: &'static str, fields: Vec<(&'static str, Option<Selection>)>) -> Selection {
    // One name for one field, whatever the type, as fields of several types that are called alike must be alike.
    let field = |(name, below): (&'static str, Option<Selection>)| {
        let below = below.unwrap_or_else(|| Just(String::new()).boxed());
        (any::<bool>(), any::<bool>(), below).prop_map(move |(wanted, renamed, below)| {
            wanted.then(|| if renamed { format!("x_{name}: {name}{below}") } else { format!("{name}{below}") })
        })
    };
    let fields: Vec<_> = fields.into_iter().chain([("__typename", None)]).map(field).collect();
    let ordered = fields.prop_map(|fields| fields.into_iter().flatten().collect::<Vec<_>>()).prop_shuffle();
    let sets = (ordered, any::<prop::sample::Index>(), 0..4_u8);
    sets.prop_map(move |(mut fields, split, fragment)| {
        if fields.is_empty() {
            fields.push("__typename".to_owned());
        }
        let (outside, inside) = fields.split_at(split.index(fields.len()));
        let (outside, inside) = (outside.join(" "), inside.join(" "));
        match fragment {
            0 => format!(" {{ {outside} ... on {type_name} {{ {inside} }} }}"),
            1 => format!(" {{ ... {{ {inside} }} {outside} }}"),
            _ => format!(" {{ {outside} {inside} }}"),
        }
    })
    .boxed()
}

fn category() -> Selection {
    selection("Category", vec![("id", None), ("name", None), ("description", None)])
}

fn room() -> Selection {
    let fields = ["id", "name", "areaName", "cleaningStatus"].map(|name| (name, None));
    selection("RoomSetup", fields.into_iter().chain([("category", Some(category()))]).collect())
}

/// Of the interface, and of some of its types.
fn key() -> Selection {
    let kinds = [
        ("RoomAccessPin", vec!["pin", "deletesAt"]),
        ("RoomAccessKeyStorage", vec!["pin", "compartment"]),
        ("RoomAccessQR", vec!["qrData", "id"]),
    ];
    let kinds = kinds.map(|(name, fields)| {
        let below = selection(name, fields.into_iter().map(|field| (field, None)).collect());
        prop::option::of(below.prop_map(move |below| format!("... on {name}{below}")))
    });
    let shared = ["", "id", "__typename deletesAt", "deletesAt key: id", "... on RoomAccessKey { id }"];
    (prop::sample::select(shared.to_vec()), kinds)
        .prop_map(|(shared, kinds)| {
            let kinds: Vec<String> = kinds.into_iter().flatten().collect();
            let all = format!("{shared} {}", kinds.join(" "));
            if all.trim().is_empty() { " { id }".to_owned() } else { format!(" {{ {all} }}") }
        })
        .boxed()
}

fn stay() -> Selection {
    let plain = [
        "id",
        "reservation_from",
        "reservation_to",
        "departureTime",
        "check_in",
        "check_out",
        "roomName",
        "guestMessage",
        "maidNotes",
        "mealNotes",
        "rateCode",
        "createdAt",
        "updatedAt",
    ];
    let groups = ["adults", "child1", "child2", "free"].map(|name| (name, None));
    let below = [
        ("room_setup", Some(room())),
        ("category", Some(category())),
        ("roomAccessKey", Some(key())),
        ("ageGroups", Some(selection("AgeGroups", groups.to_vec()))),
    ];
    selection("RoomStay", plain.map(|name| (name, None)).into_iter().chain(below).collect())
}

fn connection() -> Selection {
    let edge = selection("RoomStayEdge", vec![("cursor", None), ("node", Some(stay()))]);
    let info = ["hasNextPage", "hasPreviousPage", "startCursor", "endCursor"].map(|name| (name, None));
    let info = selection("PageInfo", info.to_vec());
    let fields = [("edges", Some(edge)), ("pageInfo", Some(info)), ("totalCount", None), ("eventCursor", None)];
    selection("RoomStayConnection", fields.to_vec())
}

/// A whole document; sometimes with a named fragment, and under another name.
fn document() -> impl Strategy<Value = String> {
    let declared = "$filter: RoomStayFilter $first: Int $last: Int = null $after: String $before: String = null";
    let arguments = "filter: $filter first: $first last: $last after: $after before: $before";
    (connection(), any::<bool>(), any::<bool>()).prop_map(move |(connection, named, renamed)| {
        let name = if renamed { "stays: room_stays" } else { "room_stays" };
        if named {
            return format!(
                "query({declared}) {{ {name}({arguments}) {{ ...F }} }} fragment F on RoomStayConnection{connection}"
            );
        }
        format!("query Q({declared}) {{ {name}({arguments}){connection} }}")
    })
}

/// A house whose stays have all that a stay can have, and texts that are not easy to write.
async fn house() -> House {
    let house = House::new().await;
    let rooms = [house.room("101").await, house.room("\"Suite\" \\ \u{1f5dd}").await];
    for number in 0..12_u64 {
        let from = format!("2026-02-{:02}", 1 + number);
        let stay = house.reservation(&format!("R{number}"), &[(&from, "2026-02-20")]).await.1.remove(0);
        if number % 3 != 0 {
            let input = json!({"roomStayId": stay, "roomSetupId": rooms[usize::from(number % 2 == 0)]});
            house.desk.done("moveRoomStay", input, "roomStay { id }").await;
        }
        let input = match number % 5 {
            0 => json!({"roomAccessPin": {"pin": "0042"}}),
            1 => json!({"roomAccessKeyStorage": {"pin": "77", "compartment": "B7"}}),
            2 => json!({"roomAccessQR": {"qrData": "https://key/\u{e4}?a=\"b\""}}),
            _ => continue,
        };
        let integration = if number % 2 == 0 { &house.locks } else { &house.other_locks };
        let made = integration.data(CREATE_KEY, json!({ "input": input })).await;
        let key = text(&made["createRoomAccessKey"]["roomAccessKey"]["id"]);
        integration.add(&stay, &key).await;
        let seen = json!({"id": stay, "check_in": "2026-02-01T12:34:56.789+01:00"});
        house.locks.done("updateRoomStay", seen, "roomStay { id }").await;
    }
    for statement in [
        "UPDATE room_stays SET guest_message = E'Line\\n\"two\"\\t\\\\ \\x01 \u{1f6cf}', maid_notes = '', adults = 2, child2 = 1,
             departure_time = '13:30', rate_code = 'BAR'
         WHERE reservation_from < '2026-02-05'",
        "UPDATE room_setups SET area_name = E'Garden \\u2028', cleaning_status = 'DIRTY' WHERE name = '101'",
        "UPDATE categories SET description = '<b>Twin & more</b>'",
    ] {
        sqlx::query(statement).execute(&mut *house.test.worker_pool.acquire().await.expect("a connection")).await.expect("changed");
    }
    house
}

fn request(query: &str, variables: &Value) -> GraphQlRequest {
    GraphQlRequest { query: query.to_owned(), operation_name: None, variables: Variables::from_json(variables.clone()) }
}

/// The hotel's own answer to a document with variables, and whether it was written.
async fn answer(client: &Client, house: &House, query: &str, variables: &Value) -> (String, u32) {
    let requests = vec![request(query, variables)];
    let Execution { responses, written, .. } = Box::pin(execute(&house.test.app, &client.actor, requests)).await;
    (serde_json::to_string(&responses[0]).expect("JSON"), written)
}

/// The same from the statement that confirms the API key.
async fn at_once(house: &House, query: &str, variables: &Value) -> String {
    let key = HeaderValue::from_str(&format!("Bearer {}", house.keys.live)).expect("a header");
    let supposed = auth::suppose(&house.test.credentials, Some(&key)).expect("it was let in");
    let deadline = Instant::now() + DEADLINE;
    let execution = execute_supposed(&house.test, &supposed, &request(query, variables), deadline).await;
    serde_json::to_string(&execution.expect("a page").responses[0]).expect("JSON")
}

#[test]
fn a_written_page_is_the_executors_byte_for_byte() {
    let runtime = Runtime::new().expect("a runtime");
    let house = runtime.block_on(house());
    let cursors: Vec<String> = runtime.block_on(async {
        let query = "query($filter: RoomStayFilter) { room_stays(filter: $filter) { edges { cursor node { id } } } }";
        let all = house.locks.data(query, json!({"filter": null})).await;
        assert_eq!(nodes(&all["room_stays"]).len(), 12);
        all["room_stays"]["edges"].as_array().expect("edges").iter().map(|edge| text(&edge["cursor"])).collect()
    });
    let variables = [
        json!({}),
        json!({"first": 5, "after": null}),
        json!({"first": 3, "after": cursors[4]}),
        json!({"last": 4, "before": cursors[9]}),
        json!({"last": 2}),
        json!({"filter": {"reservation_from": {"le": "2026-02-06"}, "reservation_to": {"gt": "2026-02-03"}}, "first": 2}),
        json!({"filter": {"not": {"check_in": {"eq": null}}, "or": [{"id": {"in": []}}, {"date": "2026-02-07"}]}}),
        json!({"filter": {"id": {"eq": "nobody"}}}),
        json!({"first": 0}),
    ];
    // Each has to be told by the executor, whatever was written before.
    let wrong = [
        json!({"first": 101}),
        json!({"first": -1}),
        json!({"first": 1, "last": 1}),
        json!({"first": "1"}),
        json!({"after": "elsewhere"}),
        json!({"filter": {"reservation_from": {"le": null}}}),
        json!({"filter": {"reservation_from": {"le": "yesterday"}}}),
        json!({"filter": {"reservation_form": {}}}),
    ];
    let config = Config { cases: DOCUMENTS, failure_persistence: None, max_shrink_iters: 100, ..Config::default() };
    let seed = TestRng::deterministic_rng(config.rng_algorithm);
    let new_texts = std::cell::Cell::new(0);
    let picks = (any::<prop::sample::Index>(), any::<prop::sample::Index>());
    TestRunner::new_with_rng(config, seed)
        .run(&(document(), picks), |(document, (pick, wrong_pick))| {
            runtime.block_on(async {
                let (good, bad) = (pick.get(&variables), wrong_pick.get(&wrong));
                // What has a directive goes to the executor. A new text each time, so that none of them is worth keeping.
                let executed = || {
                    new_texts.set(new_texts.get() + 1);
                    let document = document.replace("before: $before)", "before: $before) @include(if: true)");
                    format!("{document} # {}", new_texts.get())
                };
                answer(&house.locks, &house, &document, good).await;
                let at_once = at_once(&house, &document, good).await;
                prop_assert_eq!(&at_once, &answer(&house.locks, &house, &document, good).await.0);
                for client in [&house.locks, &house.other_locks, &house.messaging] {
                    let (again, written) = answer(client, &house, &document, good).await;
                    prop_assert_eq!(written, 1, "{}", document);
                    let (by_executor, written) = answer(client, &house, &executed(), good).await;
                    prop_assert_eq!(written, 0);
                    prop_assert_eq!(&again, &by_executor);
                    prop_assert!(!by_executor.contains("\"errors\""), "{}", by_executor);
                }
                let (refused, written) = answer(&house.locks, &house, &document, bad).await;
                let (expected, _) = answer(&house.locks, &house, &executed(), bad).await;
                prop_assert_eq!((refused.as_str(), written), (expected.as_str(), 0));
                prop_assert!(refused.contains("\"errors\""), "{}", refused);
                Ok(())
            })
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}

#[tokio::test]
async fn what_the_writer_does_not_know_is_the_executors() {
    let house = house().await;
    for below in [
        "edges { node { id reservation { code } } }",
        "edges { node { guests { id } } }",
        "edges { node { auditTrail { totalCount } } }",
        "edges { node { id } node { id } }",
        "edges { node { id @skip(if: false) } }",
        "edges { node { id ... @include(if: true) { roomName } } }",
        "edges { node { id } } } again: room_stays { totalCount",
        "edges { node { id } } } settings { roomAccessKeysEnabled",
    ] {
        let query = format!("{{ room_stays {{ {below} }} }}");
        for _ in 0..3 {
            let (answer, written) = answer(&house.locks, &house, &query, &json!({})).await;
            assert_eq!(written, 0, "{query}");
            assert!(!answer.contains("\"errors\""), "{answer}");
        }
    }
}

/// Queries beside a mutation read what it wrote, in its transaction.
#[tokio::test]
async fn nothing_is_written_aside_in_a_request_with_a_mutation() {
    let house = house().await;
    let read = "query($n: Int) { room_stays(first: $n) { edges { node { id check_out } } } }";
    let out = "mutation($id: ID!) { updateRoomStay(input: {id: $id check_out: \"2026-02-01T13:00:00+01:00\"}) { roomStay { id } } }";
    let stay = {
        let filter = "query { room_stays(filter: {not: {check_in: {eq: null}}}) { edges { node { id } } } }";
        text(&house.locks.data(filter, json!({})).await["room_stays"]["edges"][0]["node"]["id"])
    };
    for _ in 0..2 {
        house.locks.data(read, json!({"n": 100})).await;
    }
    let answers = house.locks.batch(&[(out, json!({"id": stay})), (read, json!({"n": 100}))]).await;
    let seen = nodes(&answers[1]["data"]["room_stays"]);
    let seen = seen.iter().find(|node| node["id"] == stay.as_str()).expect("the stay");
    assert_eq!(seen["check_out"], "2026-02-01T13:00:00+01:00");
}
