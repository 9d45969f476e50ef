//! Two servers on one database against one, with the same load from the same number of processes.

use super::Bench;
use super::cases::{Case, Load};
use super::measure::Measured;
use super::servers::{Kind, Server};
use super::table::Table;
use super::wrk::{self, Prepared};

/// Measures reading and writing and prints a row for each number of servers.
pub async fn compare(bench: &Bench) {
    let (ground, pace) = (bench.ground(), bench.pace);
    println!("\nOne server, and two on the same database.");
    let servers = [Server::start(Kind::Latchkey, ground).await, Server::start(Kind::Latchkey, ground).await];
    let table = Table::begin(
        2,
        &[
            ("case", 26),
            ("servers", 0),
            ("per second", 0),
            ("p50, ms", 8),
            ("p99, ms", 8),
            ("own CPU, ms", 0),
            ("PostgreSQL's CPU, ms", 0),
            ("rate to one", 0),
        ],
    );
    for case in [Case::Window, Case::Mutations] {
        let halves = halves(case.load(Kind::Latchkey, ground));
        let [left, right] =
            [0, 1].map(|n| Prepared::new(&halves[n], &bench.postgres.folder, &format!("replicas-{}-{n}", case.slug())));
        let both = [[(&servers[0], &left), (&servers[0], &right)], [(&servers[0], &left), (&servers[1], &right)]];
        let mut measured = [Measured::default(), Measured::default()];
        wrk::drive(&bench.postgres, &both[1], pace.warm_up);
        for _ in 0..pace.rounds {
            for (loads, measured) in both.iter().zip(&mut measured) {
                if case.writes() {
                    ground.clear().await;
                }
                measured.add(wrk::drive(&bench.postgres, loads, pace.slice));
            }
        }
        for (count, of) in measured.iter().enumerate() {
            table.row(&[
                case.name(ground),
                (count + 1).to_string(),
                format!("{:.0}", of.per_second()),
                format!("{:.2}", of.p50()),
                format!("{:.2}", of.p99()),
                format!("{:.3}", of.own_cpu()),
                format!("{:.3}", of.postgres_cpu()),
                format!("{:.2} ×", of.per_second() / measured[0].per_second()),
            ]);
        }
    }
    ground.clear().await;
}

/// Every other request each.
fn halves(load: Load) -> [Load; 2] {
    let Load { requests, mark, times, once } = load;
    let mut halves = [Vec::new(), Vec::new()];
    for (n, request) in requests.into_iter().enumerate() {
        halves[n % 2].push(request);
    }
    halves.map(|requests| Load { requests, mark, times, once })
}
