//! The core's requests over HTTP beside the same statements run by `pgbench`, interleaved in one run.
//!
//! Server, PostgreSQL and load share the machine, so only ratios within one run mean something. The data folder is a
//! durable one: a mutation waits for the disk as in production.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures for people"
)]

mod data;
mod drive;
#[path = "../hotel.rs"]
mod hotel;
#[path = "../load.rs"]
mod load;
mod pgbench;

use std::time::Duration;

use serde_json::{Value, json};

use data::Bench;
use drive::drive;
use hotel::Window;
use load::Figures;

/// Time for one measurement; each case is measured in several rounds, alternating with its counterpart.
const SLICE: Duration = Duration::from_secs(2);
const ROUNDS: usize = 3;
/// Requests and transactions under way at once.
const CONCURRENCY: usize = 8;

const WINDOW: &str = "query RoomStays($start:Date! $end:Date! $cursor:String=null) { \
    room_stays(filter:{reservation_from:{le:$end} reservation_to:{gt:$start}} first:20 after:$cursor) { \
    edges { node { id room_setup { id } arrival: reservation_from departure: reservation_to roomAccessKey { id } } } \
    pageInfo { endCursor hasNextPage } } }";
const RESERVATION: &str = "query R($code:String!) { reservations(filter:{code:{eq:$code}}) { edges { node { \
    rooms(first:20) { edges { node { room_setup { name } roomAccessKey { ... on RoomAccessPin { pin } \
    ... on RoomAccessKeyStorage { pin } ... on RoomAccessQR { qrData } } } } pageInfo { hasNextPage endCursor } } } } } }";
const CREATE: &str = "mutation C($input:CreateRoomAccessKeyInput!) { createRoomAccessKey(input:$input) { \
    roomAccessKey { id @chain(variable:\"roomAccessKeyId\") } } }";
const ASSIGN: &str = "mutation A($roomStayId:ID! $roomAccessKeyId:ID!) { addRoomAccessKey(input:{roomStayId:$roomStayId \
    roomAccessKeyId:$roomAccessKeyId}) { roomStay { id } } }";

#[tokio::main]
async fn main() {
    // `cargo test` starts benchmarks to see that they start.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("Making data and starting the server ...");
    let bench = Bench::start().await;
    println!("\n{:<44}{:>10}{:>9}{:>9}{:>9}", "case", "per second", "p50 ms", "p99 ms", "ratio");
    for window in &bench.windows {
        compare_window(&bench, window).await;
    }
    compare_reservation(&bench).await;
    compare_mutations(&bench, 1, "create + assign, chained").await;
    compare_mutations(&bench, 50, "batch of 50 create + assign").await;
    bench.stop().await;
}

async fn compare_window(bench: &Bench, window: &Window) {
    let body = json!({"query": WINDOW, "variables": {"start": window.start, "end": window.end}});
    let statement = bench.window_statement(window).await;
    let (mut over_http, mut direct) = (Figures::default(), Figures::default());
    for _ in 0..ROUNDS {
        over_http.add(drive(&bench.client(&window.key), CONCURRENCY, SLICE, |_| body.clone()).await);
        direct.add(pgbench::run(&bench.socket, CONCURRENCY, SLICE, &statement));
    }
    report(&format!("7-day window, {} stays", window.stays), &over_http, &direct);
}

async fn compare_reservation(bench: &Bench) {
    let window = &bench.windows[0];
    let body = json!({"query": RESERVATION, "variables": {"code": bench.reservation_code}});
    let statements = bench.reservation_statements(window).await;
    let (mut over_http, mut direct) = (Figures::default(), Figures::default());
    for _ in 0..ROUNDS {
        over_http.add(drive(&bench.client(&window.key), CONCURRENCY, SLICE, |_| body.clone()).await);
        direct.add(pgbench::run(&bench.socket, CONCURRENCY, SLICE, &statements));
    }
    report("reservation with its rooms", &over_http, &direct);
}

/// `pairs` times create and assign in one request, against the statements that they come to in one transaction.
async fn compare_mutations(bench: &Bench, pairs: usize, name: &str) {
    let script = bench.mutation_script(pairs);
    let (mut over_http, mut direct) = (Figures::default(), Figures::default());
    for _ in 0..ROUNDS {
        // Stays without a key, so many that none is met twice.
        bench.clear_keys().await;
        let request = |number: usize| {
            let operations = (0..pairs).flat_map(|pair| {
                let stay = bench.free_stay(number * pairs + pair);
                [
                    json!({"query": CREATE, "variables": {"input": {"roomAccessPin": {"pin": "1234"}}}}),
                    json!({"query": ASSIGN, "variables": {"roomStayId": stay}}),
                ]
            });
            Value::Array(operations.collect())
        };
        over_http.add(drive(&bench.client(&bench.windows[0].key), CONCURRENCY, SLICE, request).await);
        bench.clear_keys().await;
        direct.add(pgbench::run(&bench.socket, CONCURRENCY, SLICE, &script));
    }
    report(name, &over_http, &direct);
}

fn report(name: &str, over_http: &Figures, direct: &Figures) {
    println!("{:<44}{}", name, over_http.line());
    let ratio = over_http.per_second() / direct.per_second();
    println!("{:<44}{}{:>8.0}%", "  the same statements by pgbench", direct.line(), ratio * 100.0);
}
