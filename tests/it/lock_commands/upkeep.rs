//! What follows from the end of a command, and how long it is kept.

use std::future::pending;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use chrono_tz::Tz;
use futures_util::future::BoxFuture;
use latchkey::error::Result;
use latchkey::events::Change;
use latchkey::lock_commands::{self, FINISHED};
use latchkey::unit::{Follower, Tx};
use serde_json::Value;
use uuid::Uuid;

use crate::support::{House, PATIENCE, TestApp, eventually};

/// Notes which commands it is told have finished.
#[derive(Clone, Default)]
struct Ends(Arc<Mutex<Vec<Uuid>>>);

impl Ends {
    fn take(&self) -> Vec<Uuid> {
        std::mem::take(&mut *self.0.lock().expect("no panic"))
    }
}

impl Follower for Ends {
    fn follow<'a>(&'a self, _: &'a mut Tx, changes: &'a [Change]) -> BoxFuture<'a, Result<()>> {
        let finished = changes.iter().filter(|change| *change.kind == FINISHED).map(|change| change.id);
        self.0.lock().expect("no panic").extend(finished);
        Box::pin(std::future::ready(Ok(())))
    }
}

#[tokio::test]
async fn followers_are_told_once_of_each_end_and_of_nothing_before() {
    let ends = Ends::default();
    let test = TestApp::new().await.with_followers(vec![Box::new(ends.clone())]);
    let house = House::on(test, "grand-hotel", Tz::Europe__Berlin).await;
    let encoder = house.encoder("front-desk", Some(&house.locks)).await;

    let written = house.tell(&house.locks, encoder, Uuid::from_u128(1)).await;
    let claimed = house.locks.claim_one().await;
    assert_eq!(house.locks.completed(&claimed, Some("BRIDGE_DISCONNECTED")).await, "PENDING");
    house.test.advance(TimeDelta::seconds(3));
    let claimed = house.locks.claim_one().await;
    assert_eq!(ends.take(), Vec::<Uuid>::new());
    assert_eq!(house.locks.completed(&claimed, None).await, "SUCCESS");
    assert_eq!(house.locks.completed(&claimed, None).await, "SUCCESS");
    assert_eq!(ends.take(), [written]);

    let deleted = house.tell(&house.locks, encoder, Uuid::from_u128(2)).await;
    let mut tx = house.begin(&house.locks).await;
    lock_commands::cancel_in(&mut tx, &[Uuid::from_u128(2)]).await.expect("cancelled");
    tx.commit().await.expect("it is kept");
    assert_eq!(ends.take(), [deleted]);

    let forgotten = house.tell(&house.locks, encoder, Uuid::from_u128(3)).await;
    house.test.advance(TimeDelta::minutes(2));
    assert_eq!((house.keep_up().await, house.keep_up().await), (1, 0));
    assert_eq!(ends.take(), [forgotten]);
}

#[tokio::test]
async fn a_command_is_kept_for_thirty_days_after_its_end() {
    let house = House::new().await;
    let encoder = house.encoder("front-desk", Some(&house.locks)).await;
    let mut ids = Vec::new();
    for subject in 1..=2 {
        ids.push(house.tell(&house.locks, encoder, Uuid::from_u128(subject)).await);
        let claimed = house.locks.claim_one().await;
        assert_eq!(house.locks.completed(&claimed, None).await, "SUCCESS");
        house.test.advance(TimeDelta::days(1));
    }
    // Thirty days after the end of the first one, and a day less after that of the second.
    house.test.advance(TimeDelta::days(28));
    let running = tokio::spawn(lock_commands::run_upkeep(house.test.transactions.clone(), pending()));
    eventually(PATIENCE, "the first one is gone", async || house.locks.attempt(ids[0]).await == Value::Null).await;
    assert_eq!(house.locks.attempt_status(ids[1]).await.0, "SUCCESS");
    running.abort();
}
