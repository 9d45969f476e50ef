//! Much that waits for one endpoint, and endpoints that somebody holds: neither delays anything else.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::json;
use sqlx::AssertSqlSafe;
use tokio::sync::Notify;

use super::isolation::spawn_worker;
use super::{DELETE, Hooks, PATIENT, UPDATE};
use crate::support::{PATIENCE, Receiver, Reply, eventually};

/// What one statement may move.
const BATCH: i64 = 2000;
/// More than two batches.
const BACKLOG: i64 = 2 * BATCH + 1;

async fn execute(hooks: &Hooks, sql: impl Into<String>) {
    sqlx::raw_sql(AssertSqlSafe(sql.into())).execute(&hooks.house.test.db.pool).await.expect("it runs");
}

/// Events that wait for an endpoint, at the hotel's first positions.
async fn fill(hooks: &Hooks, endpoint: &str) {
    let (hotel, now) = (hooks.house.hotel.id, hooks.house.test.clock.now());
    execute(
        hooks,
        format!(
            "INSERT INTO event_counters AS c VALUES ('{hotel}', {BACKLOG})
             ON CONFLICT (hotel_id) DO UPDATE SET last_position = {BACKLOG};
             INSERT INTO events (hotel_id, position, created_at, id, type, object_id, actor_type)
             SELECT '{hotel}', n, '{now}', sha256(n::text::bytea), 'room_stay.created', '{hotel}', 'system'
             FROM generate_series(1, {BACKLOG}) n;
             INSERT INTO webhook_deliveries (hotel_id, endpoint_id, event_position, created_at, next_attempt_at)
             SELECT '{hotel}', '{endpoint}', n, '{now}', '{now}' FROM generate_series(1, {BACKLOG}) n"
        ),
    )
    .await;
}

/// Fails every statement that changes more deliveries than a batch has.
async fn forbid_large_statements(hooks: &Hooks) {
    let mut sql = format!(
        "CREATE FUNCTION limited() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF (SELECT count(*) FROM changed) > {BATCH} THEN RAISE 'too many rows'; END IF;
             RETURN NULL;
         END $$;"
    );
    for event in ["UPDATE", "DELETE"] {
        write!(
            sql,
            "CREATE TRIGGER limited_{event} AFTER {event} ON webhook_deliveries REFERENCING OLD TABLE AS changed
             FOR EACH STATEMENT EXECUTE FUNCTION limited();"
        )
        .expect("a string takes everything");
    }
    execute(hooks, sql).await;
}

async fn count(hooks: &Hooks, status: &str) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM webhook_deliveries WHERE status = $1")
        .bind(status)
        .fetch_one(&hooks.house.test.db.pool)
        .await
        .expect("a count")
}

#[tokio::test]
async fn a_backlog_follows_the_status_of_its_endpoint_in_small_batches() {
    let hooks = Hooks::new().await.impatient();
    let receiver = Receiver::new(Reply::Hang).await;
    let (id, _) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    fill(&hooks, &id).await;
    forbid_large_statements(&hooks).await;
    hooks.disable(&id).await;
    assert_eq!(hooks.deliver().await, 0);
    assert_eq!(count(&hooks, "HELD").await, BACKLOG);
    // The request that enables it moves nothing by itself.
    hooks.enable(&id).await;
    assert_eq!(count(&hooks, "HELD").await, BACKLOG);
    assert_eq!(hooks.deliver().await, 4);
    assert_eq!((count(&hooks, "HELD").await, count(&hooks, "PENDING").await), (0, BACKLOG));
    hooks.house.locks.data(DELETE, json!({"id": id})).await;
    assert_eq!(hooks.deliver().await, 0);
    assert_eq!(count(&hooks, "PENDING").await, 0);
}

#[tokio::test]
async fn a_backlog_that_cannot_be_moved_delays_nobody() {
    let hooks = Hooks::new().await;
    let (disabled, healthy) = (Receiver::new(Reply::Status(200)).await, Receiver::new(Reply::Status(200)).await);
    let (id, _) = hooks.endpoint(&disabled.url(), &["room_stay.created"]).await;
    hooks.endpoint(&healthy.url(), &["room_stay.created"]).await;
    hooks.house.stay("R1").await;
    hooks.disable(&id).await;
    // As a time-out would.
    execute(
        &hooks,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not now'; END $$;
         CREATE TRIGGER refuse BEFORE UPDATE ON webhook_deliveries
             FOR EACH ROW WHEN (NEW.status = 'HELD') EXECUTE FUNCTION refuse()",
    )
    .await;
    assert_eq!(hooks.deliver().await, 1);
    assert_eq!((healthy.received().len(), disabled.received().len()), (1, 0));
}

#[tokio::test]
async fn what_is_kept_for_a_deleted_endpoint_is_dropped() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(410)).await;
    let (id, _) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    hooks.house.stay("R1").await;
    hooks.deliver().await;
    assert_eq!(count(&hooks, "HELD").await, 1);
    hooks.house.locks.data(DELETE, json!({"id": id})).await;
    hooks.deliver().await;
    assert_eq!(count(&hooks, "HELD").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_holds_an_endpoint_delays_its_own_webhooks_alone() {
    let hooks = Hooks::new().await;
    let (held, healthy) = (Receiver::new(Reply::Status(200)).await, Receiver::new(Reply::Status(200)).await);
    let (held_id, _) = hooks.endpoint(&held.url(), &["room_stay.created"]).await;
    let (healthy_id, _) = hooks.endpoint(&healthy.url(), &["room_stay.created"]).await;
    let mut holding = hooks.house.test.db.pool.begin().await.expect("the database is there");
    sqlx::query("SELECT FROM webhook_endpoints WHERE id::text = $1 FOR UPDATE")
        .bind(&held_id)
        .execute(&mut *holding)
        .await
        .expect("held");
    hooks.house.reservation("R1", &[("2026-01-30", "2026-02-02"); 20]).await;
    let (_, worker, stop) = spawn_worker(&hooks, PATIENT);
    healthy.wait_for(20).await;
    until_all(&hooks, &healthy_id, "DELIVERED").await;
    // What was sent to the other one is not forgotten, and not more than four are sent meanwhile.
    assert_eq!(held.wait_for(4).await.len(), 4);
    holding.rollback().await.expect("released");
    until_all(&hooks, &held_id, "DELIVERED").await;
    assert_eq!(held.received().len(), 20);
    stop.notify_one();
    worker.await.expect("it ends");
}

/// Waits until all deliveries to an endpoint have got so far.
async fn until_all(hooks: &Hooks, id: &str, status: &str) {
    eventually(PATIENCE, status, async || hooks.statuses(id).await.iter().all(|one| one == status)).await;
}

#[tokio::test]
async fn a_late_answer_from_a_former_url_does_not_disable_the_endpoint() {
    let hooks = Hooks::new().await;
    let (former, present) = (Receiver::new(Reply::Status(200)).await, Receiver::new(Reply::Status(200)).await);
    let signal = Arc::new(Notify::new());
    former.next([Reply::When(Arc::clone(&signal), 410)]);
    let (id, _) = hooks.endpoint(&former.url(), &["room_stay.created"]).await;
    hooks.house.stay("R1").await;
    let correct = async {
        former.wait_for(1).await;
        hooks.house.locks.data(UPDATE, json!({"input": {"id": id, "url": present.url()}})).await;
        signal.notify_one();
    };
    let (sent, ()) = tokio::join!(hooks.deliver(), correct);
    assert_eq!(sent, 2);
    assert_eq!(hooks.read(&id).await["status"], "ENABLED");
    assert_eq!(hooks.statuses(&id).await, ["DELIVERED"]);
    assert_eq!((former.received().len(), present.received().len()), (1, 1));
}
