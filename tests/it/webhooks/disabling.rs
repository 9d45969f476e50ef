//! Endpoints that are disabled, by Latchkey or by hand, and what becomes of their events.

use chrono::TimeDelta;
use latchkey::actor::{Principal, WEBHOOKS};
use latchkey::audit::{Entry, Journal};
use latchkey::db::Transaction;
use latchkey::events;
use latchkey::room_stays;
use serde_json::json;
use uuid::Uuid;

use super::{DELETE, Hooks};
use crate::support::{Receiver, Reply, text, until_somebody_waits};

/// Lets the four attempts of a delivery fail.
async fn use_up(hooks: &Hooks) {
    hooks.deliver().await;
    for time in [TimeDelta::seconds(12), TimeDelta::seconds(70), TimeDelta::minutes(12)] {
        hooks.deliver_after(time).await;
    }
}

#[tokio::test]
async fn an_endpoint_is_disabled_when_a_schedule_is_used_up_and_nothing_else_was_delivered() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(500)).await;
    let (id, _) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    let stay = hooks.house.stay("R1").await;
    use_up(&hooks).await;
    let endpoint = hooks.read(&id).await;
    assert_eq!(endpoint["status"], "DISABLED");
    assert_eq!(endpoint["disabledAt"], "2026-01-30T10:13:22+01:00");
    let trail = "SELECT actor_type FROM audit_entries WHERE object_id = $1::uuid AND action = 'DISABLED'";
    let disabled: Vec<String> =
        sqlx::query_scalar(trail).bind(&id).fetch_all(&hooks.house.test.db.pool).await.expect("entries");
    assert_eq!(disabled, ["SYSTEM"]);
    let reason = text(&endpoint["disabledReason"]);
    assert!(reason.contains("4 attempts failed since 2026-01-30 09:00 UTC") && reason.contains("500"), "{reason}");
    // What it misses is kept, and so is what led to this.
    let second = hooks.house.stay("R2").await;
    assert_eq!(hooks.deliver_after(TimeDelta::days(2)).await, 0);
    assert_eq!(hooks.statuses(&id).await, ["HELD", "HELD"]);
    receiver.usually(Reply::Status(200));
    hooks.enable(&id).await;
    assert_eq!(hooks.read(&id).await["disabledReason"], json!(null));
    assert_eq!(hooks.deliver().await, 2);
    assert_eq!(hooks.statuses(&id).await, ["DELIVERED", "DELIVERED"]);
    let arrived = receiver.received();
    let objects: Vec<_> = arrived[4..].iter().map(|one| one.json()["data"]["object"]["id"].clone()).collect();
    assert!(arrived[4..].iter().any(|one| one.body == arrived[0].body), "both are on their way at once");
    assert!(objects.contains(&json!(stay)) && objects.contains(&json!(second)));
}

#[tokio::test]
async fn what_was_held_has_a_whole_schedule_before_it_again() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(500)).await;
    let (id, _) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    hooks.house.stay("R1").await;
    use_up(&hooks).await;
    hooks.enable(&id).await;
    use_up(&hooks).await;
    assert_eq!(receiver.received().len(), 8);
    assert_eq!(hooks.read(&id).await["status"], "DISABLED");
}

#[tokio::test]
async fn one_delivery_that_never_succeeds_does_not_disable_an_endpoint_that_works() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let (id, _) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    receiver.next([Reply::Status(500)]);
    hooks.house.stay("R1").await;
    hooks.deliver().await;
    hooks.house.test.advance(TimeDelta::seconds(2));
    hooks.house.stay("R2").await;
    assert_eq!(hooks.deliver().await, 1);
    receiver.usually(Reply::Status(500));
    use_up(&hooks).await;
    assert_eq!(hooks.read(&id).await["status"], "ENABLED");
    assert_eq!(hooks.statuses(&id).await, ["FAILED", "DELIVERED"]);
}

#[tokio::test]
async fn gone_disables_at_once() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(410)).await;
    let (id, _) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    hooks.house.stay("R1").await;
    assert_eq!(hooks.deliver().await, 1);
    let endpoint = hooks.read(&id).await;
    assert_eq!((&endpoint["status"], text(&endpoint["disabledReason"]).contains("410")), (&json!("DISABLED"), true));
    assert_eq!(hooks.statuses(&id).await, ["HELD"]);
}

#[tokio::test]
async fn events_of_an_endpoint_that_was_disabled_by_hand_are_not_kept() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let (id, _) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    // This one was written before.
    hooks.house.stay("R1").await;
    hooks.disable(&id).await;
    hooks.house.stay("R2").await;
    assert_eq!(hooks.deliver().await, 0);
    assert_eq!(hooks.statuses(&id).await, ["HELD"]);
    assert_eq!(hooks.read(&id).await["disabledAt"], json!(null));
    hooks.enable(&id).await;
    assert_eq!(hooks.deliver().await, 1);
}

#[tokio::test]
async fn what_waits_for_a_deleted_endpoint_is_dropped() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let (id, _) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    hooks.house.stay("R1").await;
    hooks.house.locks.data(DELETE, json!({"id": id})).await;
    assert_eq!(hooks.deliver().await, 0);
    assert!(receiver.received().is_empty());
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM webhook_deliveries")
        .fetch_one(&hooks.house.test.db.pool)
        .await
        .expect("a count");
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_new_url_is_tried_without_waiting() {
    let hooks = Hooks::new().await;
    let (broken, working) = (Receiver::new(Reply::Status(500)).await, Receiver::new(Reply::Status(200)).await);
    let (id, _) = hooks.endpoint(&broken.url(), &["room_stay.created"]).await;
    hooks.house.stay("R1").await;
    hooks.deliver().await;
    hooks.house.stay("R2").await;
    assert_eq!(hooks.deliver().await, 0);
    let input = json!({"id": id, "url": working.url()});
    hooks.house.locks.data(super::UPDATE, json!({"input": input})).await;
    assert_eq!(hooks.deliver().await, 1);
    assert_eq!(working.received().len(), 1);
}

/// A transaction that has written its event and not committed yet.
async fn about_to_commit(hooks: &Hooks) -> Transaction {
    let app = &hooks.house.test.app;
    let mut tx = app.worker_pool.begin().await.expect("the database is there");
    let change = room_stays::CREATED.of(Uuid::from_u128(1));
    let (hotel, now) = (hooks.house.hotel.id, app.clock.now());
    let journal = Journal::of([Entry::from(&change)]);
    events::write_in(&mut tx, &app.ids, hotel, Principal::Worker(WEBHOOKS), now, &[change], &journal)
        .await
        .expect("written");
    tx
}

#[tokio::test]
async fn an_event_that_was_being_committed_while_its_endpoint_was_enabled_is_sent() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    receiver.next([Reply::Status(410)]);
    let (id, _) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    hooks.house.stay("R1").await;
    hooks.deliver().await;
    let tx = about_to_commit(&hooks).await;
    let committing = async {
        until_somebody_waits(&hooks.house.test.db.pool).await;
        tx.commit().await.expect("committed");
    };
    tokio::join!(hooks.enable(&id), committing);
    assert_eq!(hooks.deliver().await, 2);
    assert_eq!(hooks.statuses(&id).await, ["DELIVERED", "DELIVERED"]);
}

#[tokio::test]
async fn an_event_that_was_being_committed_while_its_endpoint_was_disabled_is_kept() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    receiver.next([Reply::Status(410)]);
    let (id, _) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    hooks.house.stay("R1").await;
    let tx = about_to_commit(&hooks).await;
    hooks.deliver().await;
    tx.commit().await.expect("committed");
    assert_eq!(hooks.deliver().await, 0);
    assert_eq!(hooks.statuses(&id).await, ["HELD", "HELD"]);
    hooks.enable(&id).await;
    assert_eq!(hooks.deliver().await, 2);
}
