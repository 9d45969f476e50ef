//! A durable PostgreSQL of the benchmark's own, in the system's temporary folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use latchkey::db;
use latchkey::db::embedded::{Durability, Embedded};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, PgPool};

use super::processes;

/// Nothing but what is measured may take time, and count as PostgreSQL's CPU time.
const SETTINGS: [(&str, &str); 3] = [("autovacuum", "off"), ("checkpoint_timeout", "1d"), ("max_wal_size", "16GB")];

/// The running server. Dropping it stops it and removes its folder.
pub struct Postgres {
    pub folder: PathBuf,
    embedded: Option<Embedded>,
}

impl Postgres {
    /// Starts it with settings of its own besides Latchkey's.
    pub async fn start(settings: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("latchkey-bench-{}", std::process::id()));
        let executable = Path::new(env!("CARGO_BIN_EXE_latchkey"));
        let embedded = Embedded::start(&folder, Durability::Durable, executable).await.expect("a server");
        let mut conn = embedded.connect_options("postgres").connect().await.expect("a connection");
        for (name, value) in SETTINGS.iter().chain(settings) {
            run(&mut conn, &format!("ALTER SYSTEM SET {name} = '{value}'")).await;
        }
        run(&mut conn, "SELECT pg_reload_conf()").await;
        conn.close().await.expect("closed");
        Self { folder, embedded: Some(embedded) }
    }

    /// A new database with the tables, and connections that no wall keeps from anything.
    pub async fn database(&self, name: &str, connections: u32) -> (PgConnectOptions, PgPool) {
        let embedded = self.embedded.as_ref().expect("it runs");
        embedded.ensure_database(name).await.expect("a database");
        let options = embedded.connect_options(name);
        let owner = PgPoolOptions::new().max_connections(connections).connect_with(options.clone()).await;
        let owner = owner.expect("a connection");
        db::migrate(&mut owner.acquire().await.expect("a connection")).await.expect("the schema");
        (options, owner)
    }

    /// CPU seconds that all its processes have used, also those that have ended.
    pub fn cpu(&self) -> f64 {
        processes::cpu_of_tree(self.pid())
    }

    /// Number of its first process.
    fn pid(&self) -> u32 {
        let text = fs::read_to_string(self.pid_file()).expect("PostgreSQL runs");
        text.lines().next().and_then(|line| line.parse().ok()).expect("a number")
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.join("data/postmaster.pid")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.embedded = None;
        // The keeper needs the folder until PostgreSQL has stopped.
        while self.pid_file().exists() {
            sleep(Duration::from_millis(100));
        }
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            eprintln!("{}: {error}", self.folder.display());
        }
    }
}

/// Runs statements without parameters.
pub async fn run(conn: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(conn).await.unwrap_or_else(|error| panic!("{error}\n{sql}"));
}
