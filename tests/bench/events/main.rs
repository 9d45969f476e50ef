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
mod load;
#[path = "../postgres.rs"]
mod postgres;
#[path = "../processes.rs"]
mod processes;
mod receiver;
mod requests;
#[path = "../table.rs"]
mod table;

use std::time::{Duration, Instant};

use latchkey::pruner;
use latchkey::webhooks::{self, Sender};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{AbortHandle, JoinSet};
use uuid::Uuid;

use ground::{Ground, Stretch, create_api_key};
use load::{Client, Figures};
use receiver::Receiver;
use table::Table;

/// Events in one commit where their number is to be large.
const EVENTS_A_COMMIT: u128 = 100;
/// How much is measured.
struct Amounts {
    /// Time for one measurement of commits or rows.
    slice: Duration,
    /// Webhooks in the backlog whose delivery is measured.
    backlog: usize,
    /// Keys to prune.
    keys: usize,
    /// Keys to prune while requests are measured.
    keys_beside: usize,
}

const WHOLE: Amounts =
    Amounts { slice: Duration::from_secs(3), backlog: 20_000, keys: 1_000_000, keys_beside: 400_000 };
/// For a look.
const QUICK: Amounts = Amounts { slice: Duration::from_secs(1), backlog: 2_000, keys: 50_000, keys_beside: 20_000 };

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
    latchkey::tls::install_crypto_provider();
    let amounts = if std::env::args().any(|argument| argument == "--quick") { QUICK } else { WHOLE };
    let mut terminate = signal(SignalKind::terminate()).expect("a signal");
    // Whoever is impatient leaves nothing behind either.
    tokio::select! {
        () = measure(&amounts) => {}
        _ = tokio::signal::ctrl_c() => eprintln!("Interrupted"),
        _ = terminate.recv() => eprintln!("Terminated"),
    }
}

async fn measure(amounts: &Amounts) {
    let ground = Ground::start().await;
    commits(&ground, amounts).await;
    let table = Table::begin(
        1,
        &[("case", 44), ("per second", 0), ("seconds", 0), ("own CPU, ms", 0), ("PostgreSQL's CPU, ms", 0)],
    );
    for endpoints in [0, 1, 5] {
        fan_out(&ground, amounts, &table, endpoints).await;
    }
    let receiver = Receiver::start().await;
    subscribe(&ground, &receiver).await;
    deliver(&ground, amounts, &table, &receiver).await;
    ground.fill(include_str!("keys.sql"), amounts.keys).await;
    let longest = prune(&ground, amounts, &table).await;
    println!("\nThe longest batch of the pruner was open for {longest:.3} s.");
    // What the pruner told of would be delivered for minutes.
    ground.fill(NO_BACKLOG, 0).await;
    beside(&ground, amounts, &receiver).await;
}

/// Commits a second of one hotel, whose counter makes them queue, against those of many hotels.
async fn commits(ground: &Ground, amounts: &Amounts) {
    let table = Table::begin(1, &[("commits a second, one event each", 0), ("one hotel", 0), ("100 hotels", 0)]);
    for connections in [1, 4, 16] {
        let one = commits_of(ground, amounts, connections, &ground.hotels[..1]).await;
        let all = commits_of(ground, amounts, connections, &ground.hotels).await;
        table.row(&[format!("connections: {connections}"), format!("{one:.0}"), format!("{all:.0}")]);
    }
}

async fn commits_of(ground: &Ground, amounts: &Amounts, connections: usize, hotels: &[Uuid]) -> f64 {
    let began = Instant::now();
    let writers = (0..connections).map(async |writer| {
        let (mut conn, mut done) = (ground.writer().await, 0);
        while began.elapsed() < amounts.slice {
            ground.write(&mut conn, hotels[(writer + done) % hotels.len()], 1).await;
            done += 1;
        }
        done
    });
    let done: usize = futures_util::future::join_all(writers).await.into_iter().sum();
    done as f64 / began.elapsed().as_secs_f64()
}

/// Rows of events and deliveries that one connection writes.
async fn fan_out(ground: &Ground, amounts: &Amounts, table: &Table, endpoints: usize) {
    ground.fill(include_str!("endpoints.sql"), endpoints).await;
    let mut conn = ground.writer().await;
    let stretch = Stretch::begin(ground);
    let (began, mut rows) = (Instant::now(), 0);
    while began.elapsed() < amounts.slice {
        rows += EVENTS_A_COMMIT as u64 + ground.write(&mut conn, ground.hotels[0], EVENTS_A_COMMIT).await;
    }
    let name = format!("write events and deliveries, {endpoints} endpoints");
    stretch.report(ground, table, &name, rows as f64, 0.0);
    ground.fill(NO_BACKLOG, 0).await;
    ground.fill(NO_ENDPOINTS, 0).await;
}

/// Each hotel gets an endpoint at the receiver.
async fn subscribe(ground: &Ground, receiver: &Receiver) {
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let input = json!({"url": receiver.url, "status": "ENABLED", "events": ["room_stay.updated"]});
    let body = json!({"query": CREATE, "variables": {"input": input}});
    for &hotel in &ground.hotels {
        let key = create_api_key(&ground.app, hotel).await;
        let request = http.post(&ground.url).bearer_auth(key.pair.live.expose()).json(&body);
        let answer = request.send().await.expect("an answer").text().await.expect("a body");
        assert!(!answer.contains("\"errors\""), "{answer}");
    }
}

/// Webhooks that are sent, answered and recorded.
async fn deliver(ground: &Ground, amounts: &Amounts, table: &Table, receiver: &Receiver) {
    pile_up(ground, amounts).await;
    let (before, cpu) = (receiver.received(), receiver.cpu());
    let mut tasks = JoinSet::new();
    let stretch = Stretch::begin(ground);
    start_worker(ground, &mut tasks);
    until_delivered(ground).await;
    stretch.report(ground, table, "deliver to 100 endpoints", amounts.backlog as f64, receiver.cpu() - cpu);
    assert_eq!(receiver.received() - before, amounts.backlog, "each once");
}

/// A backlog for the worker.
async fn pile_up(ground: &Ground, amounts: &Amounts) {
    let mut conn = ground.writer().await;
    for round in 0..amounts.backlog / EVENTS_A_COMMIT as usize {
        ground.write(&mut conn, ground.hotels[round % ground.hotels.len()], EVENTS_A_COMMIT).await;
    }
}

fn start_worker(ground: &Ground, tasks: &mut JoinSet<()>) -> AbortHandle {
    tasks.spawn(webhooks::run(
        ground.app.context.clone(),
        ground.app.webhooks.clone(),
        Sender::default(),
        std::future::pending(),
    ))
}

async fn until_delivered(ground: &Ground) {
    let open = "SELECT EXISTS (SELECT FROM webhook_deliveries WHERE status = 'PENDING')";
    while sqlx::query_scalar(open).fetch_one(&ground.owner).await.expect("an answer") {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Half of the keys are on a stay that is long over, the other half are on none. Answers for how many seconds a transaction of
/// the pruner was open at most.
async fn prune(ground: &Ground, amounts: &Amounts, table: &Table) -> f64 {
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
    let stretch = Stretch::begin(ground);
    let pruned = pruner::prune_due(&ground.app).await.expect("pruned");
    stop.send(()).expect("it runs");
    let longest = tasks.join_next().await.expect("it runs").expect("it ends");
    assert_eq!(pruned.deleted, amounts.keys);
    stretch.report(ground, table, "prune keys", amounts.keys as f64, 0.0);
    longest
}

/// Requests at a steady rate: alone, beside the delivery of a backlog, and beside the pruner.
async fn beside(ground: &Ground, amounts: &Amounts, receiver: &Receiver) {
    ground.fill(include_str!("keys.sql"), amounts.keys_beside).await;
    let key = create_api_key(&ground.app, ground.hotels[0]).await;
    let client = Client { url: ground.url.clone(), key: key.pair.live.expose().to_owned() };
    let table = Table::begin(1, &[("40 requests a second", 44), ("p50, ms", 8), ("p99, ms", 8)]);
    let row = |name: &str, figures: &Figures| {
        let [p50, p99] = [0.5, 0.99].map(|share| format!("{:.2}", figures.percentile(share)));
        table.row(&[name.to_owned(), p50, p99]);
    };
    row("alone", &requests::steady(&client, async || tokio::time::sleep(amounts.slice * 3).await).await);

    pile_up(ground, amounts).await;
    let before = receiver.received();
    let mut tasks = JoinSet::new();
    let worker = start_worker(ground, &mut tasks);
    let delivering = requests::steady(&client, async || until_delivered(ground).await).await;
    let rate = (receiver.received() - before) as f64 / delivering.seconds;
    row(&format!("while {rate:.0} webhooks/s are delivered"), &delivering);
    worker.abort();

    let pruning = requests::steady(&client, async || {
        pruner::prune_due(&ground.app).await.expect("pruned");
    });
    let pruning = pruning.await;
    let rate = amounts.keys_beside as f64 / pruning.seconds;
    row(&format!("while {rate:.0} keys/s are pruned"), &pruning);
}
