//! Requests of an API key.

use chrono::TimeDelta;
use latchkey::actor::Permission;
use serde_json::{Value, json};

use super::{Gate, default_limits, limits, read};
use crate::support::client::CREATE_KEY;
use crate::support::{fingerprint, header};

const GUESTS: &str = "/api/pms/v1/grand-hotel/guests";

#[tokio::test]
async fn f16_200_requests_a_minute_and_then_an_answer_that_says_when_to_try_again() {
    let gate = Gate::with(default_limits()).await;
    let (house, live) = (&gate.house, gate.house.keys.live.clone());
    assert_eq!(gate.let_in(&live, 200).await, 200);
    let before = fingerprint(&house.test.db.pool).await;
    let refused = gate.ask(&live).await;
    assert_eq!(header(&refused, "ratelimit"), "\"requests\";r=0;t=60, \"cost\";r=999800;t=1");
    let error = json!({"message": "An API key may send 200 requests a minute; try again in 1 second",
        "extensions": {"code": "RATE_LIMITED"}});
    assert_eq!(read(refused).await, (429, "1".to_owned(), json!({"errors": [error]})));
    let batch = json!([{"query": "{ __typename }"}, {"query": "{ __typename }"}]);
    let refused = gate.server.post(&live, &batch).send().await.expect("an answer");
    assert_eq!(read(refused).await, (429, "1".to_owned(), json!([{"errors": [error]}, {"errors": [error]}])));
    assert_eq!(fingerprint(&house.test.db.pool).await, before);

    // One comes back every 300 ms, and what was refused has taken none.
    house.test.advance(TimeDelta::milliseconds(299));
    assert_eq!(gate.let_in(&live, 2).await, 0);
    house.test.advance(TimeDelta::milliseconds(1));
    assert_eq!(gate.let_in(&live, 2).await, 1);
    house.test.advance(TimeDelta::seconds(30));
    assert_eq!(gate.let_in(&live, 101).await, 100);
    house.test.advance(TimeDelta::days(1));
    assert_eq!(gate.let_in(&live, 201).await, 200);
}

#[tokio::test]
async fn e23_what_is_left_is_told_in_headers() {
    let gate = Gate::with(default_limits()).await;
    let live = &gate.house.keys.live;
    let first = gate.ask(live).await;
    assert_eq!(header(&first, "ratelimit-policy"), "\"requests\";q=200;w=60, \"cost\";q=1000000;w=60");
    assert_eq!(header(&first, "ratelimit"), "\"requests\";r=199;t=1, \"cost\";r=999999;t=1");
    assert_eq!(header(&first, "retry-after"), "");
    let list = gate.server.request("GET", GUESTS).bearer_auth(live).send().await.expect("an answer");
    assert_eq!(header(&list, "ratelimit"), "\"requests\";r=198;t=1, \"cost\";r=998499;t=1");
    // An answer that fails after the key was let in tells, too; one to a stranger does not.
    let broken = gate.post(live, &json!({"query": "{"})).await;
    assert_eq!(header(&broken, "ratelimit"), "\"requests\";r=197;t=1, \"cost\";r=998499;t=1");
    let stranger = gate.ask("pms_live_nobody").await;
    assert_eq!((header(&stranger, "ratelimit"), header(&stranger, "ratelimit-policy")), ("", ""));
}

#[tokio::test]
async fn a66_a_batch_counts_as_one_request() {
    let gate = Gate::with(limits(2, 0, 0)).await;
    let batch: Vec<Value> = (0..100).map(|_| json!({"query": "{ __typename }"})).collect();
    for expected in [200, 200, 429] {
        assert_eq!(gate.post(&gate.house.keys.live, &json!(batch)).await.status(), expected);
    }
}

#[tokio::test]
async fn without_a_limit_nothing_is_limited_or_told() {
    let gate = Gate::with(limits(0, 0, 0)).await;
    assert_eq!(gate.let_in(&gate.house.keys.live, 250).await, 250);
    let response = gate.ask(&gate.house.keys.live).await;
    assert_eq!((header(&response, "ratelimit"), header(&response, "ratelimit-policy")), ("", ""));
}

#[tokio::test]
async fn one_limit_stands_without_the_other() {
    let gate = Gate::with(limits(0, 10, 0)).await;
    let response = gate.ask(&gate.house.keys.live).await;
    assert_eq!(header(&response, "ratelimit-policy"), "\"cost\";q=10;w=60");
    assert_eq!(header(&response, "ratelimit"), "\"cost\";r=9;t=6");
}

#[tokio::test]
async fn f18_a_test_key_shares_the_limits_of_its_pair_and_no_other_pair_does() {
    let gate = Gate::with(limits(3, 0, 0)).await;
    let keys = &gate.house.keys;
    assert_eq!(gate.let_in(&keys.test, 2).await, 2);
    assert_eq!(gate.let_in(&keys.live, 2).await, 1);
    assert_eq!(gate.ask(&keys.test).await.status(), 429);
    // Another pair of the same integration, and of the same hotel.
    let other = gate.house.test.integration(&gate.house.hotel, "Locks", Permission::Write).await;
    assert_eq!(other.integration_id, keys.integration_id);
    assert_eq!(gate.let_in(&other.live, 4).await, 3);
}

#[tokio::test]
async fn e18_rest_is_refused_in_its_own_form() {
    let gate = Gate::with(limits(1, 0, 0)).await;
    let live = &gate.house.keys.live;
    assert_eq!(gate.let_in(live, 1).await, 1);
    for request in [
        gate.server.request("GET", GUESTS),
        gate.server.request("POST", &format!("{GUESTS}/checkin")).header("idempotency-key", "k").json(&json!({})),
    ] {
        let response = request.bearer_auth(live).send().await.expect("an answer");
        let id = header(&response, "x-request-id").to_owned();
        assert_eq!(header(&response, "ratelimit"), "\"requests\";r=0;t=60");
        let message = "An API key may send 1 requests a minute; try again in 60 seconds";
        let body = json!({"status": "error", "code": "RATE_LIMITED", "message": message, "requestId": id});
        assert_eq!(read(response).await, (429, "60".to_owned(), body));
    }
}

#[tokio::test]
async fn the_limit_is_checked_before_the_body_is_looked_at() {
    let gate = Gate::with(limits(1, 0, 0)).await;
    let live = &gate.house.keys.live;
    assert_eq!(gate.let_in(live, 1).await, 1);
    let nonsense = gate.server.request("POST", "/graphql").bearer_auth(live).body("x".repeat(900_000));
    assert_eq!(nonsense.send().await.expect("an answer").status(), 429);
}

#[tokio::test]
async fn a_refused_request_is_not_kept_under_its_idempotency_key() {
    let gate = Gate::with(limits(1, 0, 0)).await;
    let keyed = || {
        let body = json!({"query": CREATE_KEY, "variables": {"input": {"roomAccessPin": {"pin": "0042"}}}});
        gate.server.post(&gate.house.keys.live, &body).header("idempotency-key", "k").send()
    };
    assert_eq!(gate.let_in(&gate.house.keys.live, 1).await, 1);
    let before = fingerprint(&gate.house.test.db.pool).await;
    assert_eq!(keyed().await.expect("an answer").status(), 429);
    assert_eq!(fingerprint(&gate.house.test.db.pool).await, before);
    gate.house.test.advance(TimeDelta::minutes(1));
    let done = keyed().await.expect("an answer");
    assert_eq!((done.status().as_u16(), header(&done, "idempotent-replayed")), (200, ""));
    assert_eq!(gate.house.locks.own_pins().await, ["0042"]);
    // What was kept before is refused like anything else, and given again later.
    let first = done.text().await.expect("text");
    assert_eq!(keyed().await.expect("an answer").status(), 429);
    gate.house.test.advance(TimeDelta::minutes(1));
    let again = keyed().await.expect("an answer");
    assert_eq!(header(&again, "idempotent-replayed"), "true");
    assert_eq!(again.text().await.expect("text"), first);
}

/// A client of Seam's that waits for its card asks every half second.
#[tokio::test]
async fn seams_interface_counts_like_the_others_but_not_what_is_polled() {
    let gate = Gate::with(limits(3, 10_000, 0)).await;
    let live = gate.house.keys.live.replace("pms_", "seam_");
    let ask = async |path: &str| {
        let request = gate.server.request("POST", &format!("/seam{path}")).bearer_auth(&live);
        request.json(&json!({"action_attempt_id": uuid::Uuid::nil()})).send().await.expect("an answer")
    };
    for _ in 0..20 {
        assert_eq!(ask("/action_attempts/get").await.status(), 404);
    }
    let get = async || {
        let request = gate.server.request("GET", "/seam/workspaces/get").bearer_auth(&live);
        request.send().await.expect("an answer")
    };
    for _ in 0..3 {
        assert_eq!(get().await.status(), 200);
    }
    let refused = get().await;
    assert_eq!((refused.status().as_u16(), header(&refused, "retry-after")), (429, "20"));
    let refused: Value = refused.json().await.expect("JSON");
    assert_eq!((&refused["error"]["type"], &refused["ok"]), (&json!("rate_limited"), &json!(false)), "{refused}");
    assert_eq!(gate.ask(&gate.house.keys.live).await.status(), 429, "it is the same key");
    let mut polls = 0;
    while ask("/action_attempts/get").await.status() == 404 {
        polls += 1;
    }
    assert!((20..100).contains(&polls), "its cost is limited: {polls}");
}

/// The guide asks for the methods of a grant at each check-in.
#[tokio::test]
async fn seams_lists_cost_what_they_are_answered_with() {
    let gate = Gate::with(limits(0, 10_000, 0)).await;
    let ask = async |path: &str, body: Value| {
        let request = gate.server.request("POST", &format!("/seam{path}")).bearer_auth(&gate.house.keys.live);
        request.json(&body).send().await.expect("an answer")
    };
    let left = |response: &reqwest::Response| {
        let told = header(response, "ratelimit").to_owned();
        told.split("r=").nth(1).and_then(|rest| rest.split(';').next()).expect("a number").parse::<u64>().expect("one")
    };
    let none = ask("/access_methods/list", json!({"access_grant_id": "nobody"})).await;
    assert_eq!((none.status().as_u16(), left(&none)), (200, 9_900));
    for number in 0..10 {
        let made = ask("/user_identities/create", json!({"full_name": number.to_string()})).await;
        assert_eq!(made.status(), 200);
    }
    let ten = ask("/user_identities/list", json!({})).await;
    let before = 9_900 - 10 * (100 + 20);
    assert_eq!((ten.status().as_u16(), left(&ten)), (200, before - 100 - 10 * 20));
}
