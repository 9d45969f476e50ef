//! What happens behind the requests: events are written, webhooks sent, keys pruned; and what requests notice of it.
//!
//! PostgreSQL is a durable one on the same machine, as are the receiver and the requests. CPU time for each thing done does
//! not depend on what else the machine is at; rates and latencies do.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures for people"
)]

mod ground;
#[path = "../load.rs"]
mod load;
mod receiver;
mod requests;

use std::time::{Duration, Instant};

use latchkey::auth::{self, Permission};
use latchkey::pruner;
use latchkey::webhooks::{self, Sender};
use serde_json::json;
use tokio::task::{AbortHandle, JoinSet};
use uuid::Uuid;

use ground::{Ground, Stretch};
use receiver::Receiver;

/// Time for one measurement of commits or rows.
const SLICE: Duration = Duration::from_secs(3);
/// Events in one commit where their number is to be large.
const EVENTS_A_COMMIT: u128 = 100;
/// Webhooks in the backlog whose delivery is measured.
const BACKLOG: usize = 20_000;
/// Keys to prune.
const KEYS: usize = 1_000_000;
/// Keys to prune while requests are measured.
const KEYS_BESIDE: usize = 400_000;

const CREATE: &str =
    "mutation($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) { secret } }";
const NO_BACKLOG: &str = "TRUNCATE webhook_deliveries, webhook_attempts;";
const NO_ENDPOINTS: &str = "DELETE FROM webhook_endpoints;";
/// The longest that a transaction of the pruner is open.
const LONGEST_BATCH: &str = "SELECT coalesce(extract(epoch FROM max(clock_timestamp() - xact_start))::float8, 0)
    FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";

#[tokio::main]
async fn main() {
    // `cargo test` starts benchmarks to see that they start.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("Starting the server ...");
    let ground = Ground::start().await;
    commits(&ground).await;
    println!("\n{:<44}{:>10}{:>8}{:>12}{:>12}", "case", "per second", "s", "PG CPU ms", "own CPU ms");
    for endpoints in [0, 1, 5] {
        fan_out(&ground, endpoints).await;
    }
    let receiver = Receiver::start().await;
    subscribe(&ground, &receiver).await;
    deliver(&ground, &receiver).await;
    ground.fill(include_str!("keys.sql"), KEYS).await;
    prune(&ground).await;
    // What the pruner told of would be delivered for minutes.
    ground.fill(NO_BACKLOG, 0).await;
    beside(&ground, &receiver).await;
    ground.stop().await;
}

/// Commits a second of one hotel, whose counter makes them queue, against those of many hotels.
async fn commits(ground: &Ground) {
    println!("\n{:<44}{:>10}{:>12}", "commits a second, one event each", "one hotel", "100 hotels");
    for connections in [1, 4, 16] {
        let one = commits_of(ground, connections, &ground.hotels[..1]).await;
        let all = commits_of(ground, connections, &ground.hotels).await;
        println!("{:<44}{one:>10.0}{all:>12.0}", format!("{connections} connections"));
    }
}

async fn commits_of(ground: &Ground, connections: usize, hotels: &[Uuid]) -> f64 {
    let began = Instant::now();
    let writers = (0..connections).map(async |writer| {
        let mut done = 0;
        while began.elapsed() < SLICE {
            ground.write(hotels[(writer + done) % hotels.len()], 1).await;
            done += 1;
        }
        done
    });
    let done: usize = futures_util::future::join_all(writers).await.into_iter().sum();
    done as f64 / began.elapsed().as_secs_f64()
}

/// Rows of events and deliveries that one connection writes.
async fn fan_out(ground: &Ground, endpoints: usize) {
    ground.fill(include_str!("endpoints.sql"), endpoints).await;
    let stretch = Stretch::begin(ground).await;
    let (began, mut rows) = (Instant::now(), 0);
    while began.elapsed() < SLICE {
        rows += EVENTS_A_COMMIT as u64 + ground.write(ground.hotels[0], EVENTS_A_COMMIT).await;
    }
    let name = format!("write events and deliveries, {endpoints} endpoints");
    stretch.report(ground, &name, rows as f64, 0.0).await;
    ground.fill(NO_BACKLOG, 0).await;
    ground.fill(NO_ENDPOINTS, 0).await;
}

/// Each hotel gets an endpoint at the receiver.
async fn subscribe(ground: &Ground, receiver: &Receiver) {
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let input = json!({"url": receiver.url, "status": "ENABLED", "events": ["room_stay.updated"]});
    let body = json!({"query": CREATE, "variables": {"input": input}});
    for &hotel in &ground.hotels {
        let key = auth::create_api_key(&ground.app, hotel, "Locks", "Locks", Permission::Write).await.expect("a key");
        let request = http.post(&ground.url).bearer_auth(key.pair.live.expose()).json(&body);
        let answer = request.send().await.expect("an answer").text().await.expect("a body");
        assert!(!answer.contains("\"errors\""), "{answer}");
    }
}

/// Webhooks that are sent, answered and recorded.
async fn deliver(ground: &Ground, receiver: &Receiver) {
    pile_up(ground).await;
    let (before, cpu) = (receiver.received(), receiver.cpu());
    let mut tasks = JoinSet::new();
    let stretch = Stretch::begin(ground).await;
    start_worker(ground, &mut tasks);
    until_delivered(ground).await;
    stretch.report(ground, "deliver to 100 endpoints", BACKLOG as f64, receiver.cpu() - cpu).await;
    assert_eq!(receiver.received() - before, BACKLOG, "each once");
}

/// A backlog for the worker.
async fn pile_up(ground: &Ground) {
    for round in 0..BACKLOG / EVENTS_A_COMMIT as usize {
        ground.write(ground.hotels[round % ground.hotels.len()], EVENTS_A_COMMIT).await;
    }
}

fn start_worker(ground: &Ground, tasks: &mut JoinSet<()>) -> AbortHandle {
    tasks.spawn(webhooks::run(ground.app.clone(), Sender::default(), std::future::pending()))
}

async fn until_delivered(ground: &Ground) {
    let open = "SELECT EXISTS (SELECT FROM webhook_deliveries WHERE status = 'PENDING')";
    while sqlx::query_scalar(open).fetch_one(&ground.owner).await.expect("an answer") {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Half of the keys are on a stay that is long over, the other half are on none.
async fn prune(ground: &Ground) {
    let mut tasks = JoinSet::new();
    let pool = ground.owner.clone();
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    tasks.spawn(async move {
        let mut longest = 0.0_f64;
        while stopped.try_recv().is_err() {
            longest = longest.max(sqlx::query_scalar(LONGEST_BATCH).fetch_one(&pool).await.expect("an answer"));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        longest
    });
    let stretch = Stretch::begin(ground).await;
    let pruned = pruner::prune_due(&ground.app).await.expect("pruned");
    stop.send(()).expect("it runs");
    let longest = tasks.join_next().await.expect("it runs").expect("it ends");
    assert_eq!(pruned.deleted, KEYS);
    stretch.report(ground, "prune keys", KEYS as f64, 0.0).await;
    println!("{:<44}{longest:>10.3}", "  longest batch, s");
}

/// Requests at a steady rate: alone, beside the delivery of a backlog, and beside the pruner.
async fn beside(ground: &Ground, receiver: &Receiver) {
    ground.fill(include_str!("keys.sql"), KEYS_BESIDE).await;
    let key =
        auth::create_api_key(&ground.app, ground.hotels[0], "Locks", "Locks", Permission::Write).await.expect("a key");
    let client = load::Client { url: ground.url.clone(), key: key.pair.live.expose().to_owned() };
    println!("\n{:<44}{:>10}{:>9}{:>9}", "40 requests a second", "per second", "p50 ms", "p99 ms");
    let alone = requests::steady(&client, async || tokio::time::sleep(SLICE * 3).await).await;
    println!("{:<44}{}", "alone", alone.line());

    pile_up(ground).await;
    let before = receiver.received();
    let mut tasks = JoinSet::new();
    let worker = start_worker(ground, &mut tasks);
    let delivering = requests::steady(&client, async || until_delivered(ground).await).await;
    let rate = (receiver.received() - before) as f64 / delivering.seconds;
    println!("{:<44}{}", format!("while {rate:.0} webhooks/s are delivered"), delivering.line());
    worker.abort();

    let pruning = requests::steady(&client, async || {
        pruner::prune_due(&ground.app).await.expect("pruned");
    });
    let pruning = pruning.await;
    let rate = KEYS_BESIDE as f64 / pruning.seconds;
    println!("{:<44}{}", format!("while {rate:.0} keys/s are pruned"), pruning.line());
}
