//! Latchkey beside what a team would otherwise take: Mercurius and PostGraphile, on the same tables of the same server,
//! interleaved in one run.
//!
//! `cargo bench --bench peers -- 1000000` measures with a hotel of so many stays. Node.js and the packages of this folder are
//! needed: `./dev bench peers` looks after the packages.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures for people"
)]

mod documents;
mod drive;
mod ground;
#[path = "../hotel.rs"]
mod hotel;
#[path = "../load.rs"]
mod load;
mod servers;

use std::time::Duration;

use documents::Case;
use drive::{Measured, drive};
use ground::Ground;
use servers::{Kind, Server};

/// Stays of the hotel unless told otherwise.
const STAYS: usize = 100_000;
/// Time for one measurement; each case is measured in several rounds, the servers taking turns.
const SLICE: Duration = Duration::from_secs(2);
const ROUNDS: usize = 3;
/// Before the first round of a case: compilers and caches of the servers get to know it.
const WARM_UP: Duration = Duration::from_secs(2);
/// Requests under way at once.
const CONCURRENCY: usize = 8;

#[tokio::main]
async fn main() {
    // `cargo test` starts benchmarks to see that they start.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let stays = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(STAYS);
    println!("Making data and starting the servers ...");
    let ground = Ground::start(stays).await;
    let mut servers = Vec::new();
    for kind in Kind::ALL {
        servers.push(Server::start(kind, &ground).await);
    }
    println!("\nA hotel of {} stays, {CONCURRENCY} requests at a time.", ground.stays);
    println!(
        "\n{:<30}{:<14}{:>10}{:>9}{:>9}{:>12}{:>12}{:>8}{:>11}",
        "case", "server", "per second", "p50 ms", "p99 ms", "own CPU ms", "PG CPU ms", "ratio", "CPU ratio"
    );
    for case in Case::ALL {
        report(case, &measure(case, &servers, &ground).await);
    }
    println!();
    for server in &servers {
        println!("{:<30}{:<14}{:>10.0} MB", "memory afterwards", server.kind.name(), server.memory());
    }
    drop(servers);
    ground.stop().await;
}

async fn measure(case: Case, servers: &[Server], ground: &Ground) -> Vec<(Kind, Measured)> {
    let mut all: Vec<(Kind, Measured)> = servers.iter().map(|server| (server.kind, Measured::default())).collect();
    for server in servers {
        drive(server, ground, case, CONCURRENCY, WARM_UP).await;
        ground.clear_keys().await;
    }
    for _ in 0..ROUNDS {
        for (server, (_, measured)) in servers.iter().zip(&mut all) {
            measured.add(drive(server, ground, case, CONCURRENCY, SLICE).await);
            if case.writes() {
                ground.clear_keys().await;
            }
        }
    }
    all
}

/// The ratios: Latchkey's rate to the peer's, and the peer's CPU time, PostgreSQL's included, to Latchkey's.
fn report(case: Case, all: &[(Kind, Measured)]) {
    let own = all.iter().find(|(kind, _)| *kind == Kind::Latchkey).map(|(_, own)| own);
    for (kind, measured) in all {
        let ratios = match own {
            Some(own) if *kind != Kind::Latchkey => {
                let rate = own.figures.per_second() / measured.figures.per_second();
                let cpu = |measured: &Measured| measured.milliseconds(measured.server_cpu + measured.postgres_cpu);
                format!("{rate:>8.1}{:>11.1}", cpu(measured) / cpu(own))
            }
            _ => String::new(),
        };
        println!(
            "{:<30}{:<14}{}{:>12.3}{:>12.3}{ratios}",
            case.name(),
            kind.name(),
            measured.figures.line(),
            measured.milliseconds(measured.server_cpu),
            measured.milliseconds(measured.postgres_cpu),
        );
    }
}
