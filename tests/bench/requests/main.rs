//! Requests to Latchkey over HTTP, beside the limit of the database (the same statements by `pgbench`) and beside what a team
//! would otherwise take (Mercurius and PostGraphile), on the same tables of the same server, interleaved in one run.
//!
//! Everything shares the machine, so only ratios within one run and CPU time mean something. The data folder is a durable
//! one: a mutation waits for the disk as in production.

#![allow(clippy::cast_precision_loss, reason = "figures for people")]

mod cases;
mod compare;
mod documents;
mod features;
mod grants;
mod ground;
mod measure;
mod options;
mod pgbench;
#[path = "../postgres.rs"]
mod postgres;
#[path = "../processes.rs"]
mod processes;
mod recording;
mod replay;
mod replicas;
mod servers;
mod sizes;
#[path = "../table.rs"]
mod table;
mod wrk;

use std::time::Instant;

use clap::Parser as _;
use tokio::signal::unix::{SignalKind, signal};

use cases::Case;
use ground::Ground;
use options::{Options, Pace, Part};
use postgres::Postgres;

/// What all parts work on.
struct Bench {
    // In this order, so that connections end before the server.
    grounds: Vec<Ground>,
    postgres: Postgres,
    pace: Pace,
}

impl Bench {
    /// The database that the cases are measured on.
    fn ground(&self) -> &Ground {
        self.grounds.last().expect("a database")
    }
}

#[tokio::main]
async fn main() {
    // `cargo test` starts benchmarks to see that they start.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    latchkey::tls::install_crypto_provider();
    let options = Options::parse();
    let mut terminate = signal(SignalKind::terminate()).expect("a signal");
    // Whoever is impatient leaves nothing behind either.
    tokio::select! {
        () = measure(&options) => {}
        _ = tokio::signal::ctrl_c() => eprintln!("Interrupted"),
        _ = terminate.recv() => eprintln!("Terminated"),
    }
}

async fn measure(options: &Options) {
    let postgres = Postgres::start(&[recording::LOG_LINES]).await;
    let mut bench = Bench { grounds: Vec::new(), postgres, pace: options.pace() };
    let wants_sizes = options.wants(Part::Sizes);
    let last = options.stays.len() - 1;
    for (n, size) in options.stays.iter().enumerate() {
        if wants_sizes || n == last {
            let began = Instant::now();
            bench.grounds.push(Ground::make(&bench.postgres, *size).await);
            println!("{} stays in {} hotels made in {:.0} s", size.stays(), size.hotels, began.elapsed().as_secs_f64());
        }
    }
    let cases: Vec<Case> = Case::ALL.into_iter().filter(|case| options.wants(case.part())).collect();
    if !cases.is_empty() {
        compare::compare(&bench, &cases).await;
    }
    if wants_sizes {
        sizes::compare(&bench).await;
    }
    if options.wants(Part::Replicas) {
        replicas::compare(&bench).await;
    }
    if options.wants(Part::Features) {
        features::compare(&bench).await;
    }
}
