//! The window page in databases of different sizes, whose windows hold the same stays.

use super::cases::Case;
use super::compare::of_the_case;
use super::measure::Measured;
use super::pgbench::{self, Role};
use super::recording::Recorder;
use super::replay::Replay;
use super::servers::{Kind, Server};
use super::table::Table;
use super::wrk::{self, Prepared};
use super::{Bench, postgres};

/// Measures the page in each database and prints a row for each; ratios are to the first.
pub async fn compare(bench: &Bench) {
    println!("\nThe window page against the size of the database.");
    let mut sizes = Vec::new();
    for ground in &bench.grounds {
        let load = Case::Window.load(Kind::Latchkey, ground);
        let recorded = Recorder::start(&bench.postgres, ground).await.record(&load, usize::MAX).await;
        let mut conn = ground.owner.acquire().await.expect("a connection");
        let replay = Replay::of(&mut conn, "sizes", &recorded, of_the_case).await;
        postgres::run(&mut conn, "CHECKPOINT").await;
        let server = Server::start(Kind::Latchkey, ground).await;
        let load = Prepared::new(&load, &bench.postgres.folder, &format!("sizes-{}", ground.size.stays()));
        wrk::drive(&bench.postgres, &[(&server, &load)], bench.pace.warm_up);
        sizes.push((ground, server, load, replay, Measured::default(), Measured::default()));
    }
    for _ in 0..bench.pace.rounds {
        for (ground, server, load, replay, over_http, direct) in &mut sizes {
            over_http.add(wrk::drive(&bench.postgres, &[(&*server, &*load)], bench.pace.slice));
            let script = replay.reading(false, bench.pace.slice);
            direct.add(pgbench::drive(&bench.postgres, &ground.options, &script, Role::Owner));
        }
    }
    let table = Table::begin(
        0,
        &[
            ("stays", 10),
            ("hotels", 0),
            ("per second", 0),
            ("own CPU, ms", 0),
            ("PostgreSQL's CPU, ms", 0),
            ("CPU to the first", 0),
            ("pgbench's CPU, ms", 0),
            ("CPU to the first", 0),
        ],
    );
    let (.., first, first_direct) = &sizes[0];
    for (ground, .., over_http, direct) in &sizes {
        table.row(&[
            ground.size.stays().to_string(),
            ground.size.hotels.to_string(),
            format!("{:.0}", over_http.per_second()),
            format!("{:.3}", over_http.own_cpu()),
            format!("{:.3}", over_http.postgres_cpu()),
            format!("{:.2} ×", over_http.cpu() / first.cpu()),
            format!("{:.4}", direct.cpu()),
            format!("{:.2} ×", direct.cpu() / first_direct.cpu()),
        ]);
    }
}
