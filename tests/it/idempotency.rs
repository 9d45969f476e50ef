//! Requests that are sent again: one effect, one answer.

use chrono::TimeDelta;
use latchkey::idempotency;
use reqwest::Response;
use serde_json::{Value, json};
use sqlx::Connection as _;
use sqlx::PgConnection;

use crate::support::client::CREATE_KEY;
use crate::support::{House, TestServer, error_code, fingerprint, header, until_somebody_waits};

/// A mutation that makes a key with that PIN.
fn create(pin: &str) -> Value {
    json!({"query": CREATE_KEY, "variables": {"input": {"roomAccessPin": {"pin": pin}}}})
}

async fn send(server: &TestServer, api_key: &str, key: &str, body: &Value) -> Response {
    server.post(api_key, body).header("idempotency-key", key).send().await.expect("an answer")
}

/// Status, whether it was replayed, and the body as it came.
async fn read(response: Response) -> (u16, bool, String) {
    let (status, replayed) = (response.status().as_u16(), header(&response, "idempotent-replayed") == "true");
    (status, replayed, response.text().await.expect("text"))
}

async fn code(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    (status, error_code(&response.json().await.expect("JSON")).to_owned())
}

#[tokio::test]
async fn the_same_request_gets_the_same_bytes_and_has_one_effect() {
    let house = House::new().await;
    let server = TestServer::start(&house.test).await;
    let (status, replayed, first) = read(send(&server, &house.keys.live, "k", &create("0042")).await).await;
    assert_eq!((status, replayed), (200, false));
    let before = fingerprint(&house.test.db.pool).await;
    assert_eq!(read(send(&server, &house.keys.live, "k", &create("0042")).await).await, (200, true, first));
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
    assert_eq!(house.locks.own_pins().await, ["0042"]);

    let batch = json!([create("1"), create("2")]);
    let (_, _, first) = read(send(&server, &house.keys.live, "batch", &batch).await).await;
    assert!(first.starts_with('['));
    assert_eq!(read(send(&server, &house.keys.live, "batch", &batch).await).await, (200, true, first));
    assert_eq!(house.locks.own_pins().await.len(), 3);
}

#[tokio::test]
async fn another_request_with_the_key_is_refused_and_changes_nothing() {
    let house = House::new().await;
    let server = TestServer::start(&house.test).await;
    send(&server, &house.keys.live, "k", &create("1")).await;
    let before = fingerprint(&house.test.db.pool).await;
    let refused = code(send(&server, &house.keys.live, "k", &create("2")).await).await;
    assert_eq!(refused, (422, "IDEMPOTENCY_KEY_REUSED".to_owned()));
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
    let other_key = house.test.integration(&house.hotel, "Locks", latchkey::actor::Permission::Write).await;
    let (_, replayed, _) = read(send(&server, &other_key.live, "k", &create("2")).await).await;
    assert!(!replayed, "another API key's idempotency keys are its own");
    let neighbour = house.next_door().await;
    for body in [create("1"), create("2")] {
        let (status, replayed, _) = read(send(&server, &neighbour.keys.test, "k", &body).await).await;
        assert_eq!((status, replayed), (200, false), "and those of another hotel");
    }
    let (status, replayed, _) = read(send(&server, &neighbour.keys.live, "k", &create("3")).await).await;
    assert_eq!((status, replayed), (200, false));
    assert_eq!(neighbour.locks.own_pins().await, ["3"]);
}

#[tokio::test]
async fn a_request_that_still_runs_is_a_conflict() {
    let house = House::new().await;
    let server = TestServer::start(&house.test).await;
    let stay = house.stay("R1").await;
    let body = json!({"query": format!(
        "mutation {{ updateRoomStay(input: {{id: \"{stay}\", check_in: \"2026-01-30T10:00:00Z\"}}) {{ roomStay {{ id }} }} }}")});
    let mut conn = PgConnection::connect_with(&house.test.db.options()).await.expect("connected");
    let mut held = conn.begin().await.expect("begun");
    sqlx::query("SELECT FROM room_stays FOR UPDATE").execute(&mut *held).await.expect("held");
    let first = send(&server, &house.keys.live, "k", &body);
    let second = async {
        until_somebody_waits(&house.test.db.pool).await;
        let second = send(&server, &house.keys.live, "k", &body).await;
        held.rollback().await.expect("let go");
        second
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(header(&second, "retry-after"), "1");
    assert_eq!(code(second).await, (409, "IDEMPOTENCY_KEY_IN_USE".to_owned()));
    let first = read(first).await;
    assert_eq!((first.0, first.1), (200, false));
    assert_eq!(read(send(&server, &house.keys.live, "k", &body).await).await, (200, true, first.2));
}

#[tokio::test]
async fn fifty_requests_at_once_with_one_key_have_one_effect() {
    let house = House::new().await;
    let server = TestServer::start(&house.test).await;
    let body = create("1");
    let all = (0..50).map(|_| async { read(send(&server, &house.keys.live, "k", &body).await).await });
    let answers = futures_util::future::join_all(all).await;
    assert_eq!(house.locks.own_pins().await, ["1"]);
    let first = answers.iter().find(|(status, replayed, _)| *status == 200 && !replayed).expect("one was run");
    for (status, replayed, body) in &answers {
        match status {
            200 => assert_eq!(body, &first.2),
            409 => assert!(!replayed),
            _ => panic!("{status} {body}"),
        }
    }
    assert_eq!(answers.iter().filter(|(status, replayed, _)| *status == 200 && !replayed).count(), 1);
}

#[tokio::test]
async fn what_changed_nothing_is_not_kept() {
    let house = House::new().await;
    let server = TestServer::start(&house.test).await;
    let before = fingerprint(&house.test.db.pool).await;
    let live = &house.keys.live;
    let failed = send(&server, live, "k", &create("no pin!")).await;
    assert_eq!(code(failed).await, (200, "INVALID_ARGUMENT".to_owned()));
    assert_eq!(send(&server, "pms_live_nobody", "k", &create("1")).await.status(), 401);
    assert_eq!(code(send(&server, live, &"x".repeat(256), &create("1")).await).await.0, 400);
    let (status, replayed, body) = read(send(&server, &house.keys.test, "k", &create("1")).await).await;
    assert!(status == 200 && !replayed && body.contains("sandbox"));
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
    let (status, replayed, _) = read(send(&server, live, "k", &create("1")).await).await;
    assert_eq!((status, replayed), (200, false), "the key is free after all of that");
}

#[tokio::test]
async fn answers_are_sealed_and_kept_for_48_hours() {
    let house = House::new().await;
    let server = TestServer::start(&house.test).await;
    let body = json!({"query": CREATE_KEY.replace("{ id }", "{ ... on RoomAccessPin { pin } }"),
        "variables": {"input": {"roomAccessPin": {"pin": "0123456789"}}}});
    let (_, _, answer) = read(send(&server, &house.keys.live, "k", &body).await).await;
    assert!(answer.contains("0123456789"));
    let stored: String = sqlx::query_scalar("SELECT encode(sealed, 'escape') || a::text FROM idempotent_answers a")
        .fetch_one(&house.test.db.pool)
        .await
        .expect("one answer");
    assert!(!stored.contains("0123456789") && !stored.contains("30313233343536373839"), "{stored}");

    house.test.advance(TimeDelta::hours(48) - TimeDelta::microseconds(1));
    assert_eq!(idempotency::clean_up(&house.test).await.map_err(|error| error.message), Ok(0));
    assert!(read(send(&server, &house.keys.live, "k", &body).await).await.1);
    house.test.advance(TimeDelta::microseconds(1));
    let (_, replayed, _) = read(send(&server, &house.keys.live, "k", &create("1")).await).await;
    assert!(!replayed, "after 48 hours the key may be used for anything");
    house.test.advance(TimeDelta::hours(48));
    assert_eq!(idempotency::clean_up(&house.test).await.map_err(|error| error.message), Ok(1));
}
