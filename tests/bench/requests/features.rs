//! What authentication, tenancy, limits and encryption add to the window page, each measured as a difference in one run.

use std::hint::black_box;
use std::time::Instant;

use axum::http::HeaderValue;
use latchkey::auth;

use super::Bench;
use super::cases::{self, Case};
use super::compare::of_the_case;
use super::ground::Ground;
use super::measure::{Measured, Round};
use super::pgbench::{self, Role};
use super::recording::Recorder;
use super::replay::Replay;
use super::servers::{Kind, Server, Variant};
use super::table::Table;
use super::wrk::{self, Prepared};

/// How often a key is recognised.
const RECOGNITIONS: u32 = 100_000;
/// Rounds for each round of the other cases: differences are small.
const MORE: usize = 2;

/// Measures each and prints a row for it.
pub async fn compare(bench: &Bench) {
    let (ground, pace) = (bench.ground(), bench.pace);
    println!("\nWhat features take of the window page.");
    let window = Case::Window.load(Kind::Latchkey, ground);
    let recorded = Recorder::start(&bench.postgres, ground).await.record(&window, usize::MAX).await;
    let mut conn = ground.owner.acquire().await.expect("a connection");
    let alone = Replay::of(&mut conn, "alone", &recorded, of_the_case).await;
    let whole = |statement: &str| Some(statement.to_owned());
    let confirmed = Replay::of(&mut conn, "confirmed", &recorded, whole).await;
    drop(conn);
    let unlimited = Server::start(Kind::Latchkey, ground).await;
    let restrained = Server::latchkey(ground, Variant::Limited).await;
    let prepare = |name: &str, load| Prepared::new(&load, &bench.postgres.folder, &format!("features-{name}"));
    let window = prepare("window", window);
    let [with_pins, without_pins] =
        [true, false].map(|with| prepare(&format!("pins-{with}"), cases::pins(ground, with)));
    let [let_in, refused] =
        [true, false].map(|let_in| prepare(&format!("let-in-{let_in}"), cases::nothing(ground, let_in)));

    let http = |server, load| wrk::drive(&bench.postgres, &[(server, load)], pace.slice);
    let direct = |replay: &Replay, role| {
        pgbench::drive(&bench.postgres, &ground.options, &replay.reading(true, pace.slice), role)
    };
    let measurements: [&dyn Fn() -> Round; 9] = [
        &|| http(&unlimited, &window),
        &|| http(&restrained, &window),
        &|| http(&unlimited, &let_in),
        &|| http(&unlimited, &refused),
        &|| http(&unlimited, &with_pins),
        &|| http(&unlimited, &without_pins),
        &|| direct(&alone, Role::Owner),
        &|| direct(&alone, Role::App),
        &|| direct(&confirmed, Role::App),
    ];
    let mut measured = [(); 9].map(|()| Measured::default());
    for server in [&unlimited, &restrained] {
        wrk::drive(&bench.postgres, &[(server, &window)], pace.warm_up);
    }
    for _ in 0..MORE * pace.rounds {
        for (measurement, measured) in measurements.iter().zip(&mut measured) {
            measured.add(measurement());
        }
    }
    let [plain, with_limits, with_key, without_key, with_pins, without_pins, owner, app, confirmed] = &measured;
    let own = |with: &Measured, without: &Measured| with.own_cpu() - without.own_cpu();
    let postgres = |with: &Measured, without: &Measured| with.postgres_cpu() - without.postgres_cpu();
    let of_every_page = [
        ("authentication", recognition(ground).await, postgres(confirmed, app)),
        ("tenancy", 0.0, postgres(app, owner)),
        ("limits", own(with_limits, plain), postgres(with_limits, plain)),
    ];
    let encryption = own(with_pins, without_pins);
    let joined = postgres(with_pins, without_pins);
    let table = Table::begin(
        1,
        &[
            ("feature", 22),
            ("own CPU, ms", 0),
            ("PostgreSQL's CPU, ms", 0),
            ("of the window page", 0),
            ("of the same with 20 PINs", 0),
        ],
    );
    let row = |name: &str, own: f64, postgres: f64| {
        let share = |page: f64| format!("{:.1} %", 100.0 * (own + postgres) / page);
        let shares = [share(plain.cpu()), share(plain.cpu() + encryption + joined)];
        table.row(&[&[name.to_owned(), format!("{own:.4}"), format!("{postgres:.4}")][..], &shares].concat());
    };
    for (name, own, postgres) in of_every_page {
        row(name, own, postgres);
    }
    let sum = |of: fn(&(&str, f64, f64)) -> f64| of_every_page.iter().map(of).sum::<f64>();
    let (own_sum, postgres_sum) = (sum(|part| part.1), sum(|part| part.2));
    row("together", own_sum, postgres_sum);
    row("encryption", encryption, 0.0);
    row("together with it", own_sum + encryption, postgres_sum);
    row("the window page", plain.own_cpu(), plain.postgres_cpu());
    row("the same with 20 PINs", plain.own_cpu() + encryption, plain.postgres_cpu() + joined);
    row("(looking a key up)", own(with_key, without_key), postgres(with_key, without_key));
}

/// CPU milliseconds that a server takes to recognise the API key of a page, and to count it. It calls nobody, so it is as long as
/// it takes.
async fn recognition(ground: &Ground) -> f64 {
    let header = HeaderValue::from_str(&format!("Bearer {}", ground.hotels[0].key)).expect("a header");
    drop(ground.app.authenticate(Some(&header)).await.expect("let in"));
    let began = Instant::now();
    for _ in 0..RECOGNITIONS {
        let cached =
            auth::look_up_cached(black_box(&ground.app.credentials), Some(black_box(&header))).expect("it was let in");
        ground.app.key_usage.note(&black_box(cached).actor, ground.app.clock.now());
    }
    1000.0 * began.elapsed().as_secs_f64() / f64::from(RECOGNITIONS)
}
