//! Endpoints do not delay each other, and workers do not get in each other's way.

use std::sync::Arc;

use chrono::TimeDelta;
use futures_util::future::join_all;
use latchkey::actor::Permission;
use latchkey::app::App;
use latchkey::clock::Clock;
use latchkey::webhooks::client::TimeLimits;
use latchkey::webhooks::{Sender, run};
use serde_json::json;
use tokio::sync::Notify;

use super::{Hooks, PATIENT, endpoint};
use crate::support::{Client, Receiver, Reply};

/// Endpoints of so many integrations, one each.
async fn endpoints(hooks: &Hooks, receiver: &Receiver, count: usize, kind: &str) {
    for number in 0..count {
        let keys =
            hooks.house.test.integration(&hooks.house.hotel, &format!("{kind} {number}"), Permission::Write).await;
        let client = Client::new(&hooks.house.test, &keys.live).await;
        endpoint(&client, &receiver.url(), &["room_stay.created"]).await;
    }
}

#[tokio::test]
async fn an_endpoint_gets_at_most_four_webhooks_at_a_time_and_one_while_it_fails() {
    let hooks = Hooks::new().await.impatient();
    let receiver = Receiver::new(Reply::Hang).await;
    hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    hooks.house.reservation("R1", &[("2026-01-30", "2026-02-02"); 10]).await;
    assert_eq!(hooks.deliver().await, 4);
    for expected in [1, 0, 1, 0] {
        assert_eq!(hooks.deliver_after(TimeDelta::seconds(1)).await, expected);
    }
    // Well again, it gets everything: first the one that shows it.
    receiver.usually(Reply::Status(200));
    assert_eq!(hooks.deliver_after(TimeDelta::minutes(2)).await, 10);
}

#[tokio::test]
async fn an_endpoint_that_fails_is_left_alone_for_longer_and_longer() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(500)).await;
    hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    hooks.house.reservation("R1", &[("2026-01-30", "2026-02-02"); 12]).await;
    assert_eq!(hooks.deliver().await, 4);
    let mut sent = Vec::new();
    for _ in 0..30 {
        sent.push(hooks.deliver_after(TimeDelta::seconds(1)).await);
    }
    let seconds: Vec<usize> = (1..=30).filter(|second| sent[second - 1] > 0).collect();
    assert_eq!(seconds, [1, 3, 7, 15]);
}

#[tokio::test]
async fn with_nine_of_ten_endpoints_dead_one_event_reaches_every_healthy_one_in_the_first_round() {
    let hooks = Hooks::new().await.impatient();
    let (dead, healthy) = (Receiver::new(Reply::Hang).await, Receiver::new(Reply::Status(200)).await);
    endpoints(&hooks, &dead, 27, "dead").await;
    endpoints(&hooks, &healthy, 3, "healthy").await;
    hooks.house.reservation("R1", &[("2026-01-30", "2026-02-02"); 20]).await;
    // Everything of the healthy ones, and four attempts at each of the dead ones.
    assert_eq!(hooks.deliver().await, 3 * 20 + 27 * 4);
    assert_eq!(healthy.received().len(), 60);
    // From now on the dead ones cost one attempt each, and the healthy ones nothing.
    hooks.house.stay("R2").await;
    assert_eq!(hooks.deliver_after(TimeDelta::seconds(1)).await, 3 + 27);
    assert_eq!(healthy.received().len(), 63);
}

/// The worker of a process, by the machine's clock, on what `hooks` has prepared.
pub fn spawn_worker(hooks: &Hooks, limits: TimeLimits) -> (App, tokio::task::JoinHandle<()>, Arc<Notify>) {
    let parts = &hooks.house.test.app;
    let clock = Clock::starting_at(parts.clock.now());
    let app = App::new(
        hooks.house.test.db.options(),
        5,
        clock,
        parts.ids.clone(),
        parts.secret_keys.clone(),
        parts.webhooks.clone(),
    );
    let stop = Arc::new(Notify::new());
    let stopped = Arc::clone(&stop);
    let shutdown = async move { stopped.notified().await };
    let worker = tokio::spawn(run(app.context.clone(), app.webhooks.clone(), Sender::with_limits(limits), shutdown));
    (app, worker, stop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_worker_reaches_healthy_endpoints_while_attempts_at_dead_ones_are_still_open() {
    let hooks = Hooks::new().await;
    let (dead, healthy) = (Receiver::new(Reply::Hang).await, Receiver::new(Reply::Status(200)).await);
    endpoints(&hooks, &dead, 27, "dead").await;
    endpoints(&hooks, &healthy, 3, "healthy").await;
    hooks.house.reservation("R1", &[("2026-01-30", "2026-02-02"); 20]).await;
    // No attempt at a dead one ends while this test runs: whatever arrives, arrives beside them.
    let (app, worker, _) = spawn_worker(&hooks, PATIENT);
    healthy.wait_for(60).await;
    dead.wait_for(27 * 4).await;
    // A commit of this process wakes the worker.
    let keys = hooks.house.test.integration(&hooks.house.hotel, "Front desk", Permission::FrontDesk).await;
    let desk = Client::new(&app, &keys.live).await;
    let stay =
        json!({"categoryId": hooks.house.category, "reservation_from": "2026-02-01", "reservation_to": "2026-02-02"});
    let input = json!({"code": "R2", "client": {"person": {"lastname": "Doe"}}, "roomStays": [stay]});
    let create =
        "mutation($input: CreateReservationInput!) { createReservation(input: $input) { reservation { id } } }";
    desk.data(create, json!({"input": input})).await;
    healthy.wait_for(63).await;
    assert_eq!(dead.received().len(), 27 * 4);
    worker.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_worker_finds_what_another_process_has_committed() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let (id, _) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    let (_, worker, stop) = spawn_worker(&hooks, PATIENT);
    hooks.house.stay("R1").await;
    receiver.wait_for(1).await;
    stop.notify_one();
    worker.await.expect("it ends");
    assert_eq!(hooks.statuses(&id).await, ["DELIVERED"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_stopped_returns_the_leases_of_what_it_cannot_finish() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Hang).await;
    let (id, _) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    hooks.house.stay("R1").await;
    let (_, worker, stop) = spawn_worker(&hooks, PATIENT);
    receiver.wait_for(1).await;
    assert_eq!(hooks.deliver().await, 0);
    stop.notify_one();
    worker.await.expect("it ends");
    receiver.usually(Reply::Status(200));
    assert_eq!(hooks.deliver_after(TimeDelta::seconds(1)).await, 1);
    assert_eq!(hooks.statuses(&id).await, ["DELIVERED"]);
}

#[tokio::test]
async fn the_leases_of_a_worker_that_died_run_out() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Hang).await;
    let (id, _) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    hooks.house.stay("R1").await;
    // It dies between sending and recording.
    let (app, sender) = (hooks.house.test.app.clone(), Arc::new(Sender::with_limits(PATIENT)));
    let dying = tokio::spawn(async move { latchkey::webhooks::deliver_due(&app, &app.webhooks, &sender).await });
    receiver.wait_for(1).await;
    dying.abort();
    assert!(dying.await.is_err_and(|error| error.is_cancelled()));
    receiver.usually(Reply::Status(200));
    assert_eq!(hooks.deliver_after(TimeDelta::seconds(59)).await, 0);
    assert_eq!(hooks.deliver_after(TimeDelta::seconds(1)).await, 1);
    let arrived = receiver.received();
    assert_eq!((arrived.len(), arrived[0].body == arrived[1].body), (2, true));
    let delivery = hooks.log(&id).await.remove(0);
    assert_eq!((&delivery["status"], &delivery["attempts"][0]["number"]), (&json!("DELIVERED"), &json!(2)));
}

#[tokio::test]
async fn a_worker_whose_lease_was_taken_over_changes_nothing_any_more() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let signal = Arc::new(Notify::new());
    receiver.next([Reply::When(Arc::clone(&signal), 500)]);
    let (id, _) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    hooks.house.stay("R1").await;
    let late = hooks.deliver();
    let second = async {
        receiver.wait_for(1).await;
        let sent = hooks.deliver_after(TimeDelta::seconds(60)).await;
        signal.notify_one();
        sent
    };
    assert_eq!(tokio::join!(late, second), (1, 1));
    assert_eq!(hooks.statuses(&id).await, ["DELIVERED"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_side_by_side_send_nothing_twice() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    endpoints(&hooks, &receiver, 5, "integration").await;
    for code in 0..5 {
        hooks.house.reservation(&format!("R{code}"), &[("2026-01-30", "2026-02-02"); 20]).await;
    }
    let counts = join_all((0..4).map(|_| hooks.deliver())).await;
    assert_eq!(counts.iter().sum::<usize>(), 500);
    let mut seen: Vec<_> = receiver.received().iter().map(|one| one.body.clone()).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 500);
}
