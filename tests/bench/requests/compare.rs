//! The cases, for Latchkey, for pgbench with the statements that Latchkey sends, and for the peers.

use super::Bench;
use super::cases::Case;
use super::measure::Measured;
use super::pgbench::{self, Role};
use super::recording::Recorder;
use super::replay::Replay;
use super::servers::{Kind, Server};
use super::table::Table;
use super::wrk::{self, Prepared};

/// Requests whose statements are recorded.
const RECORDED: usize = 2_000;

/// Measures the cases and prints a row for each contender.
pub async fn compare(bench: &Bench, cases: &[Case]) {
    let ground = bench.ground();
    println!(
        "\n{} stays in {} hotels, {} requests at a time.",
        ground.size.stays(),
        ground.size.hotels,
        wrk::CONNECTIONS
    );
    let mut recorder = Recorder::start(&bench.postgres, ground).await;
    let mut servers = Vec::new();
    for kind in Kind::ALL {
        if kind == Kind::Latchkey || cases.iter().any(|case| case.has_peers()) {
            servers.push(Server::start(kind, ground).await);
        }
    }
    if cases.iter().any(|case| !case.has_peers()) {
        println!("Mercurius and PostGraphile have no access grants: these are measured of Latchkey and pgbench alone.");
    }
    let table = Table::begin(
        2,
        &[
            ("case", 29),
            ("", 12),
            ("per second", 0),
            ("p50, ms", 8),
            ("p99, ms", 8),
            ("own CPU, ms", 0),
            ("PostgreSQL's CPU, ms", 0),
            ("memory, MB", 0),
            ("Latchkey's rate to its", 0),
            ("its CPU to Latchkey's", 0),
        ],
    );
    let mut statements = Vec::new();
    for case in cases {
        let name = format!("replay_{}", case.slug());
        let requests = recorder.record(&case.load(Kind::Latchkey, ground), RECORDED).await;
        let mut conn = ground.owner.acquire().await.expect("a connection");
        let replay = Replay::of(&mut conn, &name, &requests, of_the_case).await;
        drop(conn);
        let servers: Vec<&Server> =
            servers.iter().filter(|server| server.kind == Kind::Latchkey || case.has_peers()).collect();
        measure(bench, *case, &servers, &replay, &table).await;
        statements.push((case.name(ground), requests[0].statements.len()));
    }
    println!("\nStatements that Latchkey sends for a request, BEGIN and COMMIT included.");
    let table = Table::begin(1, &[("case", 29), ("statements", 0)]);
    for (name, count) in statements {
        table.row(&[name, count.to_string()]);
    }
}

/// What a statement has to do with the case. Who asks has nothing, whether it is looked up or confirmed; see the features.
pub fn of_the_case(statement: &str) -> Option<String> {
    if statement.contains("FROM authenticate(") {
        return None;
    }
    let Some((before, confirmed)) = statement.split_once(CONFIRMATION) else { return Some(statement.to_owned()) };
    let (_, after) = confirmed.split_once("))").expect("the end of the condition");
    Some(format!("{before}TRUE{after}"))
}

/// How the condition begins that confirms an API key.
const CONFIRMATION: &str = "(SELECT confirm_credential(";

async fn measure(bench: &Bench, case: Case, servers: &[&Server], replay: &Replay, table: &Table) {
    let (ground, pace) = (bench.ground(), case.pace(bench.pace));
    let clear = async || {
        if case.writes() {
            ground.clear().await;
        }
    };
    clear().await;
    let prepare = |server: &Server| {
        let name = format!("{}-{}", case.slug(), server.kind.name());
        Prepared::new(&case.load(server.kind, ground), &bench.postgres.folder, &name)
    };
    let loads: Vec<(&Server, Prepared)> = servers.iter().map(|server| (*server, prepare(server))).collect();
    for (server, load) in &loads {
        wrk::drive(&bench.postgres, &[(server, load)], pace.warm_up);
        clear().await;
    }
    let mut by_pgbench = Measured::default();
    let mut all: Vec<Measured> = servers.iter().map(|_| Measured::default()).collect();
    for _ in 0..pace.rounds {
        for ((server, load), measured) in loads.iter().zip(&mut all) {
            measured.add(wrk::drive(&bench.postgres, &[(server, load)], pace.slice));
            clear().await;
        }
        let script = if case.writes() { replay.writing() } else { replay.reading(false, pace.slice) };
        by_pgbench.add(pgbench::drive(&bench.postgres, &ground.options, &script, Role::Owner));
        clear().await;
    }
    let own = &all[0];
    let percent = |part: f64, whole: f64| format!("{:.0} %", 100.0 * part / whole);
    let times = |much: f64, little: f64| format!("{:.1} ×", much / little);
    for (server, measured) in servers.iter().zip(&all) {
        let ratios = match server.kind {
            Kind::Latchkey => [String::new(), String::new()],
            _ => [times(own.per_second(), measured.per_second()), times(measured.cpu(), own.cpu())],
        };
        let own_cpu = format!("{:.3}", measured.own_cpu());
        let memory = format!("{:.0}", server.memory());
        table.row(&row(&case.name(ground), server.kind.name(), measured, [own_cpu, memory], ratios));
        if server.kind == Kind::Latchkey {
            let rate = percent(own.per_second(), by_pgbench.per_second());
            let ratios = [rate, percent(by_pgbench.cpu(), own.cpu())];
            table.row(&row("", "pgbench", &by_pgbench, [String::new(), String::new()], ratios));
        }
    }
}

fn row(
    case: &str,
    who: &str,
    measured: &Measured,
    [own_cpu, memory]: [String; 2],
    [rate, cpu]: [String; 2],
) -> [String; 10] {
    [
        if who == Kind::Latchkey.name() { case.to_owned() } else { String::new() },
        who.to_owned(),
        format!("{:.0}", measured.per_second()),
        format!("{:.2}", measured.p50()),
        format!("{:.2}", measured.p99()),
        own_cpu,
        format!("{:.3}", measured.postgres_cpu()),
        memory,
        rate,
        cpu,
    ]
}
