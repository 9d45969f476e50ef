//! What the fast path answers is, byte for byte, what the executor answers.

use std::sync::atomic::Ordering;

use apollo_compiler::Schema;
use async_graphql::Variables;
use axum::http::HeaderValue;
use latchkey::auth;
use latchkey::graphql::{self, DEADLINE, Execution, GraphQlRequest, execute, execute_cached};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRng, TestRunner};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::time::Instant;

use crate::support::client::CREATE_KEY;
use crate::support::{Client, House, nodes, text};

/// Fields that are the executor's alone.
const EXECUTORS: [&str; 5] = ["reservation", "guests", "first_guest", "overlappingRoomStays", "auditTrail"];

/// Selection sets, in braces.
type Selection = BoxedStrategy<String>;

/// Any selection of some of these fields, in any order, some under other names, some inside fragments.
fn selection(type_name: &str, fields: Vec<(String, Option<Selection>)>) -> Selection {
    // One name for one field, whatever the type, as fields of several types that are called alike must be alike.
    let field = |(name, below): (String, Option<Selection>)| {
        let below = below.unwrap_or_else(|| Just(String::new()).boxed());
        (any::<bool>(), any::<bool>(), below).prop_map(move |(wanted, renamed, below)| {
            wanted.then(|| if renamed { format!("x_{name}: {name}{below}") } else { format!("{name}{below}") })
        })
    };
    let fields: Vec<_> = fields.into_iter().chain([("__typename".to_owned(), None)]).map(field).collect();
    let ordered = fields.prop_map(|fields| fields.into_iter().flatten().collect::<Vec<_>>()).prop_shuffle();
    let sets = (ordered, any::<prop::sample::Index>(), 0..4_u8);
    let type_name = type_name.to_owned();
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

/// Any selection of an object, whatever fields the schema gives it.
fn object(schema: &Schema, name: &str) -> Selection {
    let fields = &schema.get_object(name).expect("an object of the schema").fields;
    let fields = fields.values().filter(|field| !EXECUTORS.contains(&field.name.as_str())).map(|field| {
        let of = field.ty.inner_named_type();
        let below = match (schema.get_object(of), schema.get_interface(of)) {
            (Some(_), _) => Some(object(schema, of)),
            (_, Some(_)) => Some(key(schema)),
            _ => None,
        };
        (field.name.to_string(), below)
    });
    selection(name, fields.collect())
}

/// Of the interface of keys, and of some of its types.
fn key(schema: &Schema) -> Selection {
    let kinds = ["RoomAccessPin", "RoomAccessKeyStorage", "RoomAccessQR"]
        .map(|name| prop::option::of(object(schema, name).prop_map(move |below| format!("... on {name}{below}"))));
    let shared = ["", "id", "__typename deletesAt", "deletesAt key: id", "... on RoomAccessKey { id }"];
    (prop::sample::select(shared.to_vec()), kinds)
        .prop_map(|(shared, kinds)| {
            let kinds: Vec<String> = kinds.into_iter().flatten().collect();
            let all = format!("{shared} {}", kinds.join(" "));
            if all.trim().is_empty() { " { id }".to_owned() } else { format!(" {{ {all} }}") }
        })
        .boxed()
}

/// A whole document; sometimes with a named fragment, and under another name.
fn document(schema: &Schema) -> impl Strategy<Value = String> + use<> {
    let declared = "$filter: RoomStayFilter $first: Int $last: Int = null $after: String $before: String = null";
    let arguments = "filter: $filter first: $first last: $last after: $after before: $before";
    (object(schema, "RoomStayConnection"), any::<bool>(), any::<bool>()).prop_map(move |(connection, named, renamed)| {
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

/// The hotel's own answer to a document with variables, and whether the fast path gave it.
async fn answer(client: &Client, house: &House, query: &str, variables: &Value) -> (String, u32) {
    let requests = vec![request(query, variables)];
    let Execution { responses, fast_path, .. } = Box::pin(execute(&house.test.app, &client.actor, requests)).await;
    (serde_json::to_string(&responses[0]).expect("JSON"), fast_path)
}

/// The answer of the executor.
async fn by_executor(client: &Client, house: &House, query: &str, variables: &Value) -> String {
    house.test.fast_path.store(false, Ordering::Relaxed);
    let (answer, fast_path) = answer(client, house, query, variables).await;
    house.test.fast_path.store(true, Ordering::Relaxed);
    assert_eq!(fast_path, 0, "{query}");
    answer
}

/// The answer of the statement that confirms the API key.
async fn at_once(house: &House, query: &str, variables: &Value) -> String {
    let key = HeaderValue::from_str(&format!("Bearer {}", house.keys.live)).expect("a header");
    let cached = auth::look_up_cached(&house.test.credentials, Some(&key)).expect("it was admitted");
    let deadline = Instant::now() + DEADLINE;
    let execution = execute_cached(&house.test, &cached, &request(query, variables), deadline).await;
    serde_json::to_string(&execution.expect("a page").responses[0]).expect("JSON")
}

#[test]
fn a_page_of_the_fast_path_is_the_executors_byte_for_byte() {
    compare(300);
}

#[test]
#[ignore = "long: ./dev test --long"]
fn two_thousand_pages_of_the_fast_path_are_the_executors_byte_for_byte() {
    compare(2_000);
}

/// Compares generated documents, each with one set of variables that is good and one that is not.
fn compare(documents: u32) {
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
    // Each is refused by the executor, whatever the fast path has done before.
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
    let config = Config { cases: documents, failure_persistence: None, max_shrink_iters: 100, ..Config::default() };
    let seed = TestRng::deterministic_rng(config.rng_algorithm);
    let schema = Schema::parse(graphql::Schema::new().sdl(), "schema.graphql").expect("a schema");
    let picks = (any::<prop::sample::Index>(), any::<prop::sample::Index>());
    TestRunner::new_with_rng(config, seed)
        .run(&(document(&schema), picks), |(document, (pick, wrong_pick))| {
            runtime.block_on(async {
                let (good, bad) = (pick.get(&variables), wrong_pick.get(&wrong));
                answer(&house.locks, &house, &document, good).await;
                let at_once = at_once(&house, &document, good).await;
                prop_assert_eq!(&at_once, &answer(&house.locks, &house, &document, good).await.0);
                for client in [&house.locks, &house.other_locks, &house.messaging] {
                    let (page, fast_path) = answer(client, &house, &document, good).await;
                    prop_assert_eq!(fast_path, 1, "{}", document);
                    let expected = by_executor(client, &house, &document, good).await;
                    prop_assert_eq!(&page, &expected);
                    prop_assert!(!expected.contains("\"errors\""), "{}", expected);
                }
                let (refused, fast_path) = answer(&house.locks, &house, &document, bad).await;
                let expected = by_executor(&house.locks, &house, &document, bad).await;
                prop_assert_eq!((refused.as_str(), fast_path), (expected.as_str(), 0));
                prop_assert!(refused.contains("\"errors\""), "{}", refused);
                Ok(())
            })
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}

#[tokio::test]
async fn what_the_fast_path_does_not_know_is_the_executors() {
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
            let (answer, fast_path) = answer(&house.locks, &house, &query, &json!({})).await;
            assert_eq!(fast_path, 0, "{query}");
            assert!(!answer.contains("\"errors\""), "{answer}");
        }
    }
}

/// Queries beside a mutation read what it wrote, in its transaction.
#[tokio::test]
async fn the_fast_path_answers_nothing_beside_a_mutation() {
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
