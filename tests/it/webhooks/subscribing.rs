//! Who enables an endpoint and then polls misses nothing that was being committed at that moment.

use std::sync::Arc;

use latchkey::actor::{Principal, WEBHOOKS};
use latchkey::audit::{Entry, Journal};
use latchkey::clients;
use latchkey::db::Transaction;
use latchkey::events;
use serde_json::json;
use uuid::Uuid;

use super::{Hooks, UPDATE};
use crate::support::{PATIENCE, Receiver, Reply, eventually, nodes};

/// Sessions of the test's database that wait for a lock.
async fn waiting(hooks: &Hooks) -> i64 {
    let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    sqlx::query_scalar(count).fetch_one(&hooks.house.test.db.pool).await.expect("a count")
}

/// Waits until `action` has ended or so many sessions wait; true when it waits.
async fn waits<T>(hooks: &Hooks, action: &tokio::task::JoinHandle<T>, sessions: i64) -> bool {
    let mut waits = false;
    eventually(PATIENCE, "it waits or ends", async || {
        let ended = action.is_finished();
        waits = !ended && waiting(hooks).await == sessions;
        ended || waits
    })
    .await;
    waits
}

/// A transaction that has written an event of the hotel and not committed yet.
async fn about_to_commit(hooks: &Hooks) -> Transaction {
    let app = &hooks.house.test.app;
    let mut tx = app.worker_pool.begin().await.expect("the database is there");
    let change = clients::UPDATED.of(Uuid::from_u128(1));
    let (hotel, now) = (hooks.house.hotel.id, app.clock.now());
    let journal = Journal::of([Entry::from(&change)]);
    events::write_in(&mut tx, &app.ids, hotel, Principal::Worker(WEBHOOKS), now, &[change], &journal)
        .await
        .expect("written");
    tx
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_is_enabled_after_everything_that_was_written_without_it() {
    let hooks = Arc::new(Hooks::new().await);
    let receiver = Receiver::new(Reply::Status(200)).await;
    let (id, _) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    hooks.disable(&id).await;
    let first = about_to_commit(&hooks).await;
    let writer = Arc::clone(&hooks);
    let writing = tokio::spawn(async move { writer.house.stay("R1").await });
    assert!(waits(&hooks, &writing, 1).await);
    let subscriber = Arc::clone(&hooks);
    let subscribing = tokio::spawn(async move {
        subscriber.house.locks.data(UPDATE, json!({"input": {"id": id, "status": "ENABLED"}})).await;
        let stays = subscriber.house.locks.data("{ room_stays { edges { node { id } } } }", json!({})).await;
        nodes(&stays["room_stays"]).len()
    });
    waits(&hooks, &subscribing, 2).await;
    first.commit().await.expect("committed");
    writing.await.expect("written");
    let polled = subscribing.await.expect("subscribed");
    // Told in one of the two ways at least: when PostgreSQL lets the subscriber pass first, the stay has a delivery, and may
    // be there by the time of the poll, too.
    let told = polled + hooks.deliver().await;
    assert!((1..=2).contains(&told), "told {told} times");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_waited_for_its_turn_tells_the_endpoints_that_are_enabled_by_then() {
    let hooks = Arc::new(Hooks::new().await);
    let receiver = Receiver::new(Reply::Status(200)).await;
    let (id, _) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    hooks.disable(&id).await;
    let mut enabling = about_to_commit(&hooks).await;
    sqlx::query("UPDATE webhook_endpoints SET status = 'ENABLED'").execute(&mut *enabling).await.expect("enabled");
    let writer = Arc::clone(&hooks);
    let writing = tokio::spawn(async move { writer.house.stay("R1").await });
    assert!(waits(&hooks, &writing, 1).await);
    enabling.commit().await.expect("committed");
    writing.await.expect("written");
    assert_eq!(hooks.deliver().await, 1);
}
