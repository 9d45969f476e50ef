//! Limits across processes on one database.

use chrono::TimeDelta;
use latchkey::actor::Actor;
use latchkey::app::App;
use latchkey::clock::Clock;
use latchkey::throttle::{self, Budget, ThrottleSettings};
use latchkey::workers::Workers;

use super::{Gate, limited, limits};
use crate::support::{TestServer, fingerprint};

async fn exchange(app: &App) {
    throttle::exchange(app, &app.throttle).await.expect("exchanged");
}

/// How many of so many requests are let in.
fn let_in(app: &App, actor: &Actor, requests: u64) -> u64 {
    (0..requests).filter(|_| app.throttle.admit_request(actor).is_ok()).count() as u64
}

fn left(app: &App, actor: &Actor, budget: Budget) -> u64 {
    app.throttle.left(actor).find(|(found, _)| *found == budget).expect("it is limited").1.units
}

/// Two processes on one database.
async fn gate(settings: ThrottleSettings) -> (Gate, App, Actor) {
    let gate = Gate::with(settings.clone()).await;
    let other = limited(&gate.house, gate.app.clock.clone(), settings);
    let actor = gate.house.locks.actor.clone();
    (gate, other, actor)
}

#[tokio::test]
async fn what_one_replica_lets_in_is_known_to_the_other_after_an_exchange() {
    let (gate, other, actor) = gate(limits(200, 10_000, 0)).await;
    let one = &gate.app;
    assert_eq!(let_in(one, &actor, 150), 150);
    one.throttle.admit_cost(&actor, 4_000).expect("there");
    exchange(one).await;
    // Unknown to it until it has seen the key and asked.
    assert_eq!(left(&other, &actor, Budget::Requests), 200);
    assert_eq!(let_in(&other, &actor, 1), 1);
    exchange(&other).await;
    assert_eq!((left(&other, &actor, Budget::Requests), left(&other, &actor, Budget::Cost)), (49, 6_000));
    assert_eq!(let_in(&other, &actor, 200), 49);
    // And over real connections.
    let server = TestServer::start(&other).await;
    let refused = server.post(&gate.house.keys.live, &serde_json::json!({"query": "{ __typename }"})).send();
    assert_eq!(refused.await.expect("an answer").status(), 429);
}

#[tokio::test]
async fn the_excess_is_at_most_a_limit_for_each_other_replica_and_is_paid_back() {
    let (gate, other, actor) = gate(limits(200, 0, 0)).await;
    let one = &gate.app;
    assert_eq!(let_in(one, &actor, 1_000) + let_in(&other, &actor, 1_000), 400);
    for app in [one, &other, one] {
        exchange(app).await;
    }
    gate.house.test.advance(TimeDelta::seconds(60));
    assert_eq!(let_in(one, &actor, 10) + let_in(&other, &actor, 10), 0, "400 take two minutes");
    gate.house.test.advance(TimeDelta::milliseconds(300));
    assert_eq!(let_in(one, &actor, 10), 1);
}

#[tokio::test]
async fn over_ten_minutes_two_replicas_let_in_what_one_would() {
    const SECONDS: u64 = 600;
    let (gate, other, actor) = gate(limits(120, 0, 0)).await;
    let one = &gate.app;
    let mut sum = 0;
    for _ in 0..SECONDS {
        // Three times as much as there is, half of it at each.
        sum += let_in(one, &actor, 3) + let_in(&other, &actor, 3);
        exchange(one).await;
        exchange(&other).await;
        gate.house.test.advance(TimeDelta::seconds(1));
    }
    let due = 120 + 2 * SECONDS;
    assert!((due - 12..=due + 12).contains(&sum), "{sum} of {due}");
}

#[tokio::test]
async fn no_request_writes_and_what_nobody_used_is_not_exchanged() {
    let (gate, other, actor) = gate(limits(200, 10_000, 0)).await;
    let one = &gate.app;
    let before = fingerprint(&gate.house.test.db.pool).await;
    assert_eq!(gate.let_in(&gate.house.keys.live, 5).await, 5);
    assert_eq!(fingerprint(&gate.house.test.db.pool).await, before);
    // Once to tell, once to learn what others told meanwhile.
    exchange(one).await;
    exchange(one).await;
    let written = || async {
        let rows = sqlx::query_scalar("SELECT xmin::text FROM api_key_budgets WHERE api_key_id = $1");
        rows.bind(actor.principal.api_key_id()).fetch_all(&gate.house.test.db.pool).await.expect("read")
    };
    let before: Vec<String> = written().await;
    assert_eq!(before.len(), 1);
    exchange(one).await;
    exchange(&other).await;
    assert_eq!(written().await, before);
}

#[tokio::test]
async fn without_the_database_each_replica_keeps_the_limit_and_tells_the_others_later() {
    let (gate, other, actor) = gate(limits(200, 0, 0)).await;
    let one = &gate.app;
    let rename = |statement: &'static str| sqlx::query(statement).execute(&gate.house.test.db.pool);
    rename("ALTER TABLE api_key_budgets RENAME TO elsewhere").await.expect("renamed");
    assert_eq!(let_in(one, &actor, 150), 150);
    throttle::exchange(one, &one.throttle).await.expect_err("there is nowhere to write to");
    assert_eq!(let_in(one, &actor, 150), 50);
    rename("ALTER TABLE elsewhere RENAME TO api_key_budgets").await.expect("renamed");
    // At the latest when it stops.
    Workers::start(one).stop().await;
    assert_eq!(let_in(&other, &actor, 1), 1);
    exchange(&other).await;
    assert_eq!(let_in(&other, &actor, 1), 0);
}

#[tokio::test]
async fn a_key_that_was_not_told_of_for_long_owes_no_more_than_it_does() {
    let (gate, _, actor) = gate(limits(60, 0, 0)).await;
    let one = &gate.app;
    for _ in 0..600 {
        assert_eq!(let_in(one, &actor, 1), 1);
        gate.house.test.advance(TimeDelta::seconds(1));
    }
    exchange(one).await;
    assert_eq!(left(one, &actor, Budget::Requests), 60);
}

#[tokio::test]
async fn a_replica_whose_clock_is_wrong_does_not_keep_the_others_from_getting_it_back() {
    let gate = Gate::with(limits(60, 0, 0)).await;
    let one = &gate.app;
    let actor = &gate.house.locks.actor;
    let ahead = limited(&gate.house, Clock::manual(one.clock.now() + TimeDelta::hours(1)), limits(60, 0, 0));
    assert_eq!(let_in(&ahead, actor, 30), 30);
    exchange(&ahead).await;
    for _ in 0..2 {
        assert_eq!(let_in(one, actor, 1), 1);
        exchange(one).await;
        gate.house.test.advance(TimeDelta::seconds(10));
    }
    assert_eq!(left(one, actor, Budget::Requests), 60 - 30 - 2 + 20);
}
