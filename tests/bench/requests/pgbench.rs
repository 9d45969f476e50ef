//! Statements alone, run by PostgreSQL's own load generator: the limit of what can be reached.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

use super::measure::Round;
use super::postgres::Postgres;
use super::wrk::CONNECTIONS;

/// Transactions for pgbench.
pub struct Script {
    pub text: String,
    /// What its variables are in the beginning.
    pub variables: Vec<(String, String)>,
    pub length: Length,
}

/// How long it runs.
pub enum Length {
    Time(Duration),
    /// So many for each connection.
    Transactions(usize),
}

/// Whose rights it has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The owner of the tables, whom nothing is hidden from.
    Owner,
    /// The one that requests have: row level security is on.
    App,
}

/// Those of Latchkey's connections that decide on plans.
const SETTINGS: &str =
    "-c plan_cache_mode=force_generic_plan -c jit=off -c TimeZone=UTC -c random_page_cost=1.1 -c enable_seqscan=off";

/// Runs a script from as many connections as requests come from, with prepared statements and the plans that Latchkey gets.
pub fn drive(postgres: &Postgres, database: &PgConnectOptions, script: &Script, role: Role) -> Round {
    let folder = postgres.folder.join("pgbench");
    fs::create_dir_all(&folder).expect("a folder");
    let (file, log) = (folder.join("script.sql"), folder.join("log"));
    fs::write(&file, &script.text).expect("the script");
    let mut options = SETTINGS.to_owned();
    if role == Role::App {
        options += " -c role=latchkey_app";
    }
    let mut command = Command::new(pgbench());
    command
        .env("PGOPTIONS", options)
        .args(["--no-vacuum", "--protocol=prepared", "--log", "--jobs=1"])
        .arg(format!("--log-prefix={}", log.display()))
        .arg(format!("--client={CONNECTIONS}"))
        .arg(format!("--file={}", file.display()))
        .arg(format!("--host={}", database.get_socket().expect("a socket").display()))
        .arg(format!("--username={}", database.get_username()));
    match script.length {
        Length::Time(time) => command.arg(format!("--time={}", time.as_secs())),
        Length::Transactions(count) => command.arg(format!("--transactions={count}")),
    };
    for (name, value) in &script.variables {
        command.arg(format!("--define={name}={value}"));
    }
    let cpu = postgres.cpu();
    let output = command.arg(database.get_database().expect("a database")).output();
    let output = output.expect("pgbench, which comes with PostgreSQL");
    let postgres_cpu = postgres.cpu() - cpu;
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}\n{}", String::from_utf8_lossy(&output.stderr), script.text);
    let rate = told.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse::<f64>().ok());
    let mut latencies = read_log(&folder);
    latencies.sort_by(f64::total_cmp);
    fs::remove_dir_all(&folder).expect("the folder is ours");
    let count = latencies.len();
    Round {
        count: count as f64,
        seconds: count as f64 / rate.expect("a rate"),
        p50: latencies[count / 2],
        p99: latencies[count * 99 / 100],
        own_cpu: 0.0,
        postgres_cpu,
    }
}

/// The third column of each line is the time of a transaction in microseconds.
fn read_log(folder: &Path) -> Vec<f64> {
    let files = fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path());
    let logs = files.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("log")));
    let text: String = logs.map(|path| fs::read_to_string(path).expect("a log")).collect();
    text.lines().filter_map(|line| line.split(' ').nth(2)?.parse::<f64>().ok()).map(|micros| micros / 1000.0).collect()
}

/// That of the newest PostgreSQL, where Debian has it, or the one in the path.
fn pgbench() -> PathBuf {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let mut found: Vec<PathBuf> =
        debian.map(|entry| entry.path().join("bin/pgbench")).filter(|path| path.exists()).collect();
    found.sort();
    let own = std::env::var_os("LATCHKEY_POSTGRES_BIN").map(|folder| PathBuf::from(folder).join("pgbench"));
    own.or_else(|| found.pop()).unwrap_or_else(|| "pgbench".into())
}
