//! The servers that are compared, each a process or several, and what they use.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sqlx::ConnectOptions as _;

use super::ground::Ground;
use super::processes;

/// Connections to the database that each server has.
const CONNECTIONS: usize = 10;

/// Settings of a session whose statements are logged with their values.
const LOGGED: &str = "-c log_statement=all -c log_error_verbosity=default";

/// Which one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Latchkey,
    Mercurius,
    PostGraphile,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Latchkey, Self::Mercurius, Self::PostGraphile];

    pub fn name(self) -> &'static str {
        match self {
            Self::Latchkey => "Latchkey",
            Self::Mercurius => "Mercurius",
            Self::PostGraphile => "PostGraphile",
        }
    }
}

/// How Latchkey is run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// Without limits of API keys, as the peers have none.
    Plain,
    /// With limits, so high that nothing is refused.
    Limited,
    /// With its statements in PostgreSQL's log.
    Logged,
}

/// A running server. Dropping it ends it.
pub struct Server {
    pub kind: Kind,
    /// Of the GraphQL API.
    pub url: String,
    child: Child,
}

impl Server {
    /// Starts it and waits until it serves.
    pub async fn start(kind: Kind, ground: &Ground) -> Self {
        match kind {
            Kind::Latchkey => Self::latchkey(ground, Variant::Plain).await,
            Kind::Mercurius => node(kind, "mercurius.js", ground),
            Kind::PostGraphile => node(kind, "postgraphile.js", ground),
        }
    }

    /// Starts Latchkey and waits until it serves.
    pub async fn latchkey(ground: &Ground, variant: Variant) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
        let limit = if variant == Variant::Limited { "1000000000" } else { "0" };
        let mut url = ground.options.to_url_lossy();
        if variant == Variant::Logged {
            url.query_pairs_mut().append_pair("options", LOGGED);
        }
        let child = Command::new(env!("CARGO_BIN_EXE_latchkey"))
            .arg("serve")
            .env("DATABASE_URL", url.as_str())
            .env("LATCHKEY_SECRET_KEY", &ground.secret_key)
            .env("LATCHKEY_DATABASE_CONNECTIONS", CONNECTIONS.to_string())
            .env("LATCHKEY_LISTEN", free.to_string())
            // The peers log nothing.
            .env("LATCHKEY_LOG", "warn")
            .env("LATCHKEY_RATE_LIMIT", limit)
            .env("LATCHKEY_COST_LIMIT", limit)
            .env("LATCHKEY_AUTH_FAILURE_LIMIT", limit)
            .spawn()
            .expect("it starts");
        let server = Self { kind: Kind::Latchkey, url: format!("http://{free}/graphql"), child };
        let ready = format!("http://{free}/readyz");
        while !reqwest::get(&ready).await.is_ok_and(|answer| answer.status().is_success()) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        server
    }

    /// Number of its first process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// CPU seconds of all its processes so far.
    pub fn cpu(&self) -> f64 {
        processes::cpu_of_tree(self.pid())
    }

    /// Memory of all its processes in MB; what they share counts once.
    pub fn memory(&self) -> f64 {
        let kilobytes = |pid: u32| -> Option<f64> {
            let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
            text.lines().find_map(|line| line.strip_prefix("Pss:"))?.split_whitespace().next()?.parse().ok()
        };
        processes::tree(self.pid()).into_iter().filter_map(kilobytes).sum::<f64>() / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for pid in processes::tree(self.pid()).into_iter().skip(1) {
            if let Some(pid) = rustix::process::Pid::from_raw(pid.cast_signed()) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// As many processes as there are cores, as such servers are run.
fn node(kind: Kind, script: &str, ground: &Ground) -> Server {
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/peers");
    let options = &ground.options;
    let mut child = Command::new(folder.join("node_modules/.bin/node"))
        .arg(folder.join(script))
        .env("NODE_ENV", "production")
        .env("GRAPHILE_ENV", "production")
        .env("WORKERS", workers.to_string())
        .env("CONNECTIONS", (CONNECTIONS / workers).max(1).to_string())
        .env("PGHOST", options.get_socket().expect("a socket"))
        .env("PGPORT", options.get_port().to_string())
        .env("PGUSER", options.get_username())
        .env("PGDATABASE", options.get_database().expect("a database"))
        .stdout(Stdio::piped())
        .spawn()
        .expect("Node.js: npm ci in tests/bench/peers");
    let mut url = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut url).expect("text");
    let server = Server { kind, url: url.trim().to_owned(), child };
    assert!(!server.url.is_empty(), "{} did not start", kind.name());
    server
}
