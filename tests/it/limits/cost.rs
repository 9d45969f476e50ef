//! What requests cost.

use chrono::TimeDelta;
use latchkey::graphql::limits as document_limits;
use serde_json::{Value, json};

use super::{Gate, default_limits, limits, read};
use crate::support::client::{ADD_KEY, CREATE_KEY};
use crate::support::{LogLines, code, fingerprint, header};

/// A page of stays with so many records.
fn page(first: u32) -> Value {
    json!({"query": "query($first: Int) { room_stays(first: $first) { edges { node { id } } } }",
        "variables": {"first": first}})
}

/// Costs 100 for the act, and two values.
fn create(pin: &str) -> Value {
    json!({"query": CREATE_KEY, "variables": {"input": {"roomAccessPin": {"pin": pin}}}})
}

fn costs(answers: &Value) -> Vec<u64> {
    let answers = answers.as_array().expect("a batch");
    answers.iter().map(|answer| answer["extensions"]["cost"].as_u64().expect("a cost")).collect()
}

#[tokio::test]
async fn every_operation_says_what_it_cost() {
    let gate = Gate::with(default_limits()).await;
    let live = &gate.house.keys.live;
    // A page is 100, and each of its records an edge, a node and an id.
    let one = gate.post(live, &page(7)).await;
    assert_eq!(header(&one, "ratelimit"), "\"requests\";r=199;t=1, \"cost\";r=999879;t=1");
    assert_eq!(read(one).await.2["extensions"], json!({"cost": 121}));
    let batch = json!([page(100), {"query": "{ __typename }"}, create("1")]);
    let answers = gate.post(live, &batch).await;
    assert_eq!(header(&answers, "ratelimit"), "\"requests\";r=198;t=1, \"cost\";r=999376;t=1");
    assert_eq!(costs(&read(answers).await.2), [400, 1, 102]);
}

/// A page that was asked for before is read by the statement that confirms its key.
#[tokio::test]
async fn a_page_that_is_read_at_once_is_taken_from_both_limits_and_a_refused_one_from_neither() {
    for (limits, let_in) in [(limits(5, 0, 0), 5), (limits(0, 400, 0), 3)] {
        let gate = Gate::with(limits).await;
        let live = &gate.house.keys.live;
        for request in 0..let_in + 3 {
            let answer = gate.post(live, &page(7)).await;
            assert_eq!(answer.status(), if request < let_in { 200 } else { 429 }, "request {request}");
        }
        // Then there is enough for one again, but not for two: what was refused has taken nothing.
        gate.house.test.advance(TimeDelta::seconds(20));
        for expected in [200, 429] {
            assert_eq!(gate.post(live, &page(7)).await.status(), expected);
        }
    }
}

#[tokio::test]
async fn what_a_document_costs_depends_on_it_and_its_variables_alone() {
    let gate = Gate::with(default_limits()).await;
    let house = &gate.house;
    let neighbour = house.next_door().await;
    let admin = house.admin().await;
    let documents = [
        page(1),
        page(100),
        create("1"),
        json!({"query": ADD_KEY, "variables": {"input": {"roomStayId": "none", "roomAccessKeyId": "none"}}}),
        json!({"query": "{ settings { categories { id name } } }"}),
        json!({"query": "{ reservations(first: 5) { edges { node { rooms(first: 3) { edges { node { id } } } } } } }"}),
    ];
    let mut known: Vec<Option<Value>> = vec![None; documents.len()];
    // An empty house and a full one, then another time, another hotel, another permission, a test key.
    for round in 0..3 {
        for key in [&house.keys.live, &house.keys.test, &neighbour.keys.live] {
            for (document, known) in documents.iter().zip(&mut known) {
                let (_, _, mut alone) = read(gate.post(key, document).await).await;
                let cost = alone["extensions"]["cost"].take();
                assert!(cost.is_u64(), "{alone}");
                assert_eq!(*known.get_or_insert(cost.clone()), cost, "{document}");
                let batch = json!([{"query": "{ __typename }"}, document]);
                assert_eq!(read(gate.post(key, &batch).await).await.2[1]["extensions"]["cost"], cost);
            }
        }
        let query = documents[0]["query"].as_str().expect("a document");
        let answer = admin.run(query, json!({"first": 1})).await;
        assert_eq!(Some(answer["extensions"]["cost"].clone()), known[0]);
        house.stay_in(&format!("{round}01")).await;
        house.test.advance(TimeDelta::seconds(61));
    }
}

#[tokio::test]
async fn a_refused_document_costs_nothing_and_one_that_is_not_run_what_it_would() {
    let gate = Gate::with(limits(0, 1_000, 0)).await;
    let live = &gate.house.keys.live;
    let broken = gate.post(live, &json!([{"query": "{"}, create("1"), create("2")])).await;
    assert_eq!(header(&broken, "ratelimit"), "\"cost\";r=796;t=13");
    let (_, _, answers) = read(broken).await;
    assert_eq!((code(&answers[0]), &answers[0]["extensions"]["cost"]), ("GRAPHQL_PARSE_FAILED", &Value::Null));
    for answer in [&answers[1], &answers[2]] {
        assert_eq!((code(answer), &answer["extensions"]["cost"]), ("NOT_RUN", &json!(102)));
    }
}

#[tokio::test]
async fn what_costs_more_than_is_left_is_refused_before_any_statement() {
    let log = LogLines::capture();
    let gate = Gate::with(limits(0, 250, 0)).await;
    let live = &gate.house.keys.live;
    let batch = json!([create("1"), create("2")]);
    assert_eq!(gate.post(live, &batch).await.status(), 200);
    let before = fingerprint(&gate.house.test.db.pool).await;
    let refused = gate.post(live, &batch).await;
    assert_eq!(header(&refused, "ratelimit"), "\"cost\";r=46;t=49");
    let message = "The request costs 204, and an API key may cost 250 a minute; try again in 38 seconds";
    let error = json!({"message": message, "extensions": {"code": "RATE_LIMITED"}});
    assert_eq!(read(refused).await, (429, "38".to_owned(), json!([{"errors": [error]}, {"errors": [error]}])));
    let logged = log.requests().pop().expect("a line");
    assert_eq!((&logged["db.statements"], &logged["error.codes"]), (&json!(0), &json!("RATE_LIMITED")));
    assert_eq!(fingerprint(&gate.house.test.db.pool).await, before);

    gate.house.test.advance(TimeDelta::seconds(37));
    assert_eq!(gate.post(live, &batch).await.status(), 429);
    gate.house.test.advance(TimeDelta::seconds(1));
    assert_eq!(gate.post(live, &batch).await.status(), 200);
}

#[tokio::test]
async fn what_no_waiting_would_make_possible_is_not_said_to_be_possible_later() {
    let gate = Gate::with(limits(0, 250, 0)).await;
    let refused = gate.post(&gate.house.keys.live, &page(100)).await;
    let message = "The request costs 400, more than the 250 that an API key may cost a minute";
    let error = json!({"message": message, "extensions": {"code": "DOCUMENT_TOO_COMPLEX"}});
    assert_eq!(read(refused).await, (400, String::new(), json!({"errors": [error]})));
}

#[tokio::test]
async fn a66_fifty_batches_of_a_hundred_key_operations_fit_in_a_minute() {
    let gate = Gate::with(default_limits()).await;
    let operations: Vec<Value> = (0..50)
        .flat_map(|room| {
            let add = "mutation A($roomStayId: ID!, $roomAccessKeyId: ID!) { addRoomAccessKey(input: {roomStayId: $roomStayId, \
                roomAccessKeyId: $roomAccessKeyId}) { roomStay { room_setup { id name } reservation_from reservation_to \
                roomAccessKey { id } } } }";
            let create = CREATE_KEY.replace("{ id }", "{ id @chain(variable: \"roomAccessKeyId\") }");
            [
                json!({"query": create, "variables": {"input": {"roomAccessPin": {"pin": room.to_string()}}}}),
                json!({"query": add, "variables": {"roomStayId": format!("room {room}")}}),
            ]
        })
        .collect();
    // There are no such rooms, which is told after what it costs was taken.
    let (_, _, answers) = read(gate.post(&gate.house.keys.live, &json!(operations)).await).await;
    assert_eq!(code(&answers[1]), "NOT_FOUND");
    let costs = costs(&answers);
    assert_eq!(costs.len(), 100);
    let actor = &gate.house.locks.actor;
    for number in 1..50 {
        let admitted = gate.app.throttle.admit_request(actor);
        let admitted = admitted.and_then(|()| gate.app.throttle.admit_cost(actor, costs.iter().sum()));
        assert!(admitted.is_ok(), "batch {number}");
    }
}

#[test]
fn the_budget_admits_the_largest_request_that_there_can_be() {
    let cost = default_limits().cost.expect("a limit");
    assert!(document_limits::MAX_VALUES <= cost.per_minute());
}

#[tokio::test]
async fn rest_has_the_same_budget() {
    let gate = Gate::with(limits(0, 2_000, 0)).await;
    let live = &gate.house.keys.live;
    let request = |method: &str, path: &str| {
        let path = format!("/api/pms/v1/grand-hotel/guests{path}");
        gate.server.request(method, &path).bearer_auth(live).header("idempotency-key", "k")
    };
    let left = |response: &reqwest::Response| header(response, "ratelimit").split(';').nth(1).map(str::to_owned);
    let list = request("GET", "?limit=10").send().await.expect("an answer");
    assert_eq!(left(&list).as_deref(), Some("r=1760"));
    let checkout = request("POST", "/checkout").json(&json!({"pmsGuestId": "R-1"})).send().await.expect("an answer");
    assert_eq!((checkout.status().as_u16(), left(&checkout).as_deref()), (404, Some("r=1660")));
    let guest = json!({"pmsGuestId": "R-1", "lastName": "Doe", "roomNumber": "301", "checkOutDate": "2026-02-02"});
    let sync = |guests: usize| request("POST", "/sync").json(&json!({"guests": vec![guest.clone(); guests]})).send();
    let before = fingerprint(&gate.house.test.db.pool).await;
    let refused = sync(16).await.expect("an answer");
    assert_eq!((refused.status().as_u16(), header(&refused, "retry-after")), (429, "2"));
    assert_eq!(fingerprint(&gate.house.test.db.pool).await, before);
    assert_eq!(left(&sync(15).await.expect("an answer")).as_deref(), Some("r=60"));
}

#[tokio::test]
async fn an_answer_that_is_given_again_says_the_same_cost() {
    let gate = Gate::with(default_limits()).await;
    let send = || gate.server.post(&gate.house.keys.live, &create("0042")).header("idempotency-key", "k").send();
    let first = send().await.expect("an answer").text().await.expect("text");
    assert!(first.contains("\"extensions\":{\"cost\":102}"), "{first}");
    gate.house.test.advance(TimeDelta::seconds(10));
    let again = send().await.expect("an answer");
    assert_eq!(header(&again, "ratelimit"), "\"requests\";r=199;t=1, \"cost\";r=999898;t=1");
    assert_eq!(again.text().await.expect("text"), first);
}
