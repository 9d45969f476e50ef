//! Simulated encoders, and what becomes of their cards when a process ends in the middle.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use latchkey::simulated_encoder;
use serde_json::{Value, json};
use sqlx::Executor as _;
use uuid::Uuid;

use crate::support::{Client, House, PATIENCE, eventually, fingerprint, until_somebody_waits};

/// Does what is due at simulated encoders; answers how many attempts that took.
async fn encode(house: &House) -> usize {
    simulated_encoder::encode_due(&house.test).await.expect("the database is there")
}

/// The card that a simulated encoder wrote last.
async fn written(house: &House, encoder: Uuid) -> Option<Value> {
    let card = "SELECT card FROM simulated_encoders WHERE encoder_id = $1 AND card IS NOT NULL";
    sqlx::query_scalar(card).bind(encoder).fetch_optional(&house.test.db.pool).await.expect("readable")
}

#[tokio::test]
async fn it_writes_cards_and_fails_as_it_is_told() {
    let house = House::new().await;
    let encoder = house.encoder("simulated", None).await;
    let id = house.tell(&house.locks, encoder, Uuid::from_u128(1)).await;
    assert_eq!(house.locks.claim(50).await, Vec::<Value>::new(), "it is nobody's");
    assert_eq!((encode(&house).await, encode(&house).await), (1, 0));
    assert_eq!(house.locks.attempt_status(id).await, ("SUCCESS".to_owned(), None));
    assert_eq!(written(&house, encoder).await.expect("a card")["credential"], "GUEST");

    // By its key.
    let input = json!({"encoderId": "simulated", "failsWith": "NO_CREDENTIAL_ON_ENCODER"});
    let told = house.desk.done("simulateNextEncoding", input, "encoderId").await;
    assert_eq!(told["encoderId"], encoder.to_string());
    let failing = house.tell(&house.locks, encoder, Uuid::from_u128(1)).await;
    let next = house.tell(&house.locks, encoder, Uuid::from_u128(1)).await;
    assert_eq!(encode(&house).await, 2);
    let error = Some("NO_CREDENTIAL_ON_ENCODER".to_owned());
    assert_eq!(house.locks.attempt_status(failing).await, ("ERROR".to_owned(), error));
    assert_eq!(house.locks.attempt_status(next).await, ("SUCCESS".to_owned(), None), "it fails once");

    // Told otherwise before anything came of it.
    for fails_with in [json!("UNCATEGORIZED_ERROR"), Value::Null] {
        let input = json!({"encoderId": encoder, "failsWith": fails_with});
        house.desk.done("simulateNextEncoding", input, "encoderId").await;
    }
    let id = house.tell(&house.locks, encoder, Uuid::from_u128(1)).await;
    encode(&house).await;
    assert_eq!(house.locks.attempt_status(id).await.0, "SUCCESS");
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    let house = House::new().await;
    let encoder = house.encoder("simulated", None).await;
    let input = json!({"encoderId": encoder, "failsWith": "ENCODER_NOT_ONLINE"});
    house.desk.done("simulateNextEncoding", input, "encoderId").await;
    let id = house.tell(&house.locks, encoder, Uuid::from_u128(1)).await;
    assert_eq!(encode(&house).await, 1);
    assert_eq!(house.locks.attempt_status(id).await, ("PENDING".to_owned(), None));
    house.test.advance(TimeDelta::seconds(3));
    assert_eq!(encode(&house).await, 1);
    assert_eq!(house.locks.attempt_status(id).await.0, "SUCCESS");
}

#[tokio::test]
async fn only_simulated_encoders_of_the_hotel_are_told_how_to_fail() {
    let house = House::new().await;
    let neighbour = house.next_door().await;
    let (real, foreign) = (house.encoder("real", Some(&house.locks)).await, neighbour.encoder("simulated", None).await);
    let simulated = house.encoder("simulated", None).await;
    let before = fingerprint(&house.test.db.pool).await;
    let refused =
        async |client: &Client, input: Value| client.refused("simulateNextEncoding", input, "encoderId").await;
    let at = |code: &str, field: &str| (code.to_owned(), json!(["input", field]));
    let with = |encoder: Uuid, error: &str| json!({"encoderId": encoder, "failsWith": error});
    let interrupted = "ENCODING_INTERRUPTED";
    assert_eq!(refused(&house.desk, with(real, interrupted)).await, at("INVALID_ARGUMENT", "encoderId"));
    assert_eq!(refused(&house.desk, with(foreign, interrupted)).await, at("NOT_FOUND", "encoderId"));
    assert_eq!(refused(&house.desk, with(Uuid::nil(), interrupted)).await, at("NOT_FOUND", "encoderId"));
    assert_eq!(refused(&house.desk, with(simulated, "CREDENTIAL_DELETED")).await, at("INVALID_ARGUMENT", "failsWith"));
    assert_eq!(refused(&house.locks, with(simulated, interrupted)).await.0, "FORBIDDEN");
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
}

#[tokio::test]
async fn a_commit_wakes_it_so_that_it_answers_within_a_second() {
    let house = House::new().await;
    let encoder = house.encoder("simulated", None).await;
    let running = tokio::spawn(simulated_encoder::run(house.test.transactions.clone(), std::future::pending()));
    let mut quickest = Duration::MAX;
    for subject in 0..5 {
        let began = Instant::now();
        let id = house.tell(&house.locks, encoder, Uuid::from_u128(subject)).await;
        eventually(PATIENCE, "it is done", async || house.locks.attempt_status(id).await.0 == "SUCCESS").await;
        quickest = quickest.min(began.elapsed());
    }
    // A machine that runs other tests may be slow; one that waited for the poll would be so each time.
    assert!(quickest < Duration::from_millis(500), "{quickest:?}");
    running.abort();
}

#[tokio::test]
async fn what_a_worker_leaves_behind_between_claim_and_completion_is_taken_over_and_done_once() {
    let house = House::new().await;
    let encoder = house.encoder("simulated", None).await;
    let mut holding = house.test.db.pool.begin().await.expect("a connection");
    holding.execute("LOCK TABLE simulated_encoders IN EXCLUSIVE MODE").await.expect("held");
    let id = house.tell(&house.locks, encoder, Uuid::from_u128(1)).await;
    let running = tokio::spawn(simulated_encoder::run(house.test.transactions.clone(), std::future::pending()));
    until_somebody_waits(&house.test.db.pool).await;
    running.abort();
    assert!(running.await.expect_err("it was cut off").is_cancelled());
    holding.rollback().await.expect("let go");

    assert_eq!((encode(&house).await, house.keep_up().await), (0, 0), "it is leased");
    house.test.advance(TimeDelta::seconds(30));
    assert_eq!((house.keep_up().await, encode(&house).await), (1, 0));
    house.test.advance(TimeDelta::seconds(3));
    assert_eq!((encode(&house).await, encode(&house).await), (1, 0));
    assert_eq!(house.locks.attempt_status(id).await, ("SUCCESS".to_owned(), None));
    let finished = "SELECT count(*) FROM audit_entries WHERE object_id = $1 AND 'status' = ANY (updated_fields)";
    let finished: i64 = sqlx::query_scalar(finished).bind(id).fetch_one(&house.test.db.pool).await.expect("readable");
    assert_eq!(finished, 1);
}
