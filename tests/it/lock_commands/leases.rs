//! Leases that end without a word, and what is replaced or given up meanwhile.

use chrono::TimeDelta;
use latchkey::lock_commands;
use serde_json::Value;
use uuid::Uuid;

use crate::support::encoders::card;
use crate::support::{House, code, fingerprint};

#[tokio::test]
async fn a_lease_that_ends_without_a_word_is_a_failed_attempt_and_the_late_word_is_refused() {
    let house = House::new().await;
    let encoder = house.encoder("front-desk", Some(&house.locks)).await;
    let id = house.tell(&house.other_locks, encoder, Uuid::from_u128(1)).await;
    let silent = house.locks.claim_one().await;
    house.test.advance(TimeDelta::seconds(29));
    assert_eq!(house.keep_up().await, 0);
    house.test.advance(TimeDelta::seconds(1));
    assert_eq!((house.keep_up().await, house.keep_up().await), (1, 0));
    assert_eq!(house.locks.claim(50).await, Vec::<Value>::new(), "the encoder is left alone");
    assert_eq!(house.other_locks.attempt_status(id).await, ("PENDING".to_owned(), None));
    assert_eq!(code(&house.locks.complete(&silent, None).await), "LEASE_LOST");

    house.test.advance(TimeDelta::seconds(3));
    let claimed = house.locks.claim_one().await;
    assert_eq!((&claimed["id"], &claimed["attempt"]), (&silent["id"], &2.into()));
    assert_ne!(claimed["claimId"], silent["claimId"]);
    let before = fingerprint(&house.test.db.pool).await;
    for error in [None, Some("ENCODER_COMMUNICATION_TIMEOUT")] {
        assert_eq!(code(&house.locks.complete(&silent, error).await), "LEASE_LOST");
    }
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
    assert_eq!(house.locks.completed(&claimed, None).await, "SUCCESS");
    assert_eq!(code(&house.locks.complete(&silent, None).await), "LEASE_LOST");
}

#[tokio::test]
async fn a_late_word_counts_while_nobody_has_taken_notice_of_the_silence() {
    let house = House::new().await;
    let encoder = house.encoder("front-desk", Some(&house.locks)).await;
    house.tell(&house.locks, encoder, Uuid::from_u128(1)).await;
    let claimed = house.locks.claim_one().await;
    house.test.advance(TimeDelta::minutes(1));
    assert_eq!(house.locks.claim(50).await, Vec::<Value>::new());
    assert_eq!(house.locks.completed(&claimed, None).await, "SUCCESS");
    assert_eq!(house.keep_up().await, 0);
}

#[tokio::test]
async fn what_is_leased_is_written_as_it_was_and_what_is_not_as_it_is_now() {
    let house = House::new().await;
    let encoder = house.encoder("front-desk", Some(&house.locks)).await;
    let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let (of_first, of_second) =
        (house.tell(&house.locks, encoder, first).await, house.tell(&house.locks, encoder, second).await);
    let claimed = house.locks.claim_one().await;
    assert_eq!(claimed["id"], of_first.to_string());
    let door = house.entrance("room-101").await.parse().expect("an id");
    let mut tx = house.begin(&house.locks).await;
    let renewed = [(first, card(&[door]), 2), (second, card(&[door]), 5)];
    lock_commands::renew_in(&mut tx, &renewed).await.expect("renewed");
    tx.commit().await.expect("it is kept");
    assert_eq!(house.locks.completed(&claimed, None).await, "SUCCESS");
    let claimed = house.locks.claim_one().await;
    assert_eq!(claimed["card"]["doors"][0]["entranceKey"], "room-101");
    assert_eq!(house.locks.completed(&claimed, None).await, "SUCCESS");
    let mut conn = house.test.db.pool.acquire().await.expect("a connection");
    let finished = lock_commands::finished(&mut conn, house.hotel.id, &[of_first, of_second]).await.expect("readable");
    let mut revisions: Vec<_> = finished.iter().map(|one| (one.subject_id, one.revision)).collect();
    revisions.sort_unstable();
    assert_eq!(revisions, [(first, Some(1)), (second, Some(5))]);
}

#[tokio::test]
async fn what_is_deleted_is_not_written_unless_somebody_is_at_it() {
    let house = House::new().await;
    let (encoder, other) =
        (house.encoder("one", Some(&house.locks)).await, house.encoder("other", Some(&house.locks)).await);
    let subject = Uuid::from_u128(1);
    let at_it = house.tell(&house.locks, encoder, subject).await;
    let claimed = house.locks.claim_one().await;
    let (waiting, kept) =
        (house.tell(&house.locks, other, subject).await, house.tell(&house.locks, other, Uuid::from_u128(2)).await);
    let cancel = async || {
        let mut tx = house.begin(&house.locks).await;
        lock_commands::cancel_in(&mut tx, &[subject]).await.expect("cancelled");
        tx.commit().await.expect("it is kept");
    };
    cancel().await;
    let status = async |id| house.locks.attempt_status(id).await;
    let deleted = || ("ERROR".to_owned(), Some("CREDENTIAL_DELETED".to_owned()));
    assert_eq!(status(waiting).await, deleted());
    for pending in [at_it, kept] {
        assert_eq!(status(pending).await, ("PENDING".to_owned(), None));
    }
    assert_eq!(house.locks.completed(&claimed, None).await, "SUCCESS");
    // Of one that is silent nothing is awaited.
    let silent = house.tell(&house.locks, encoder, subject).await;
    let claimed = house.locks.claim(50).await;
    let claimed = claimed.iter().find(|one| one["id"] == silent.to_string()).expect("it was claimed");
    house.test.advance(TimeDelta::seconds(30));
    cancel().await;
    assert_eq!(status(silent).await, deleted());
    assert_eq!(code(&house.locks.complete(claimed, None).await), "LEASE_LOST");
}
