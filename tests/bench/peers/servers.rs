//! The servers that are compared, each a process or several, and what they use.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::ground::Ground;
use super::load::Client;

/// Connections to the database that each server has.
const CONNECTIONS: usize = 10;

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

/// A running server. Dropping it ends it.
pub struct Server {
    pub kind: Kind,
    pub client: Client,
    child: Child,
}

impl Server {
    /// Starts it and waits until it serves.
    pub async fn start(kind: Kind, ground: &Ground) -> Self {
        match kind {
            Kind::Latchkey => latchkey(ground).await,
            Kind::Mercurius => node(kind, "mercurius.js", ground),
            Kind::PostGraphile => node(kind, "postgraphile.js", ground),
        }
    }

    /// CPU seconds of all its processes so far.
    pub fn cpu(&self) -> f64 {
        tree(self.child.id()).into_iter().map(|pid| stat(pid).map_or(0.0, |stat| stat.cpu)).sum()
    }

    /// Memory of all its processes in MB; what they share counts once.
    pub fn memory(&self) -> f64 {
        let kilobytes = |pid: u32| -> Option<f64> {
            let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
            text.lines().find_map(|line| line.strip_prefix("Pss:"))?.split_whitespace().next()?.parse().ok()
        };
        tree(self.child.id()).into_iter().filter_map(kilobytes).sum::<f64>() / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for pid in tree(self.child.id()).into_iter().skip(1) {
            if let Some(pid) = rustix::process::Pid::from_raw(pid.cast_signed()) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn latchkey(ground: &Ground) -> Server {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let child = Command::new(env!("CARGO_BIN_EXE_latchkey"))
        .arg("serve")
        .env("DATABASE_URL", &ground.database_url)
        .env("LATCHKEY_SECRET_KEY", &ground.secret_key)
        .env("LATCHKEY_DATABASE_CONNECTIONS", CONNECTIONS.to_string())
        .env("LATCHKEY_LISTEN", free.to_string())
        // The peers log nothing and have no limits.
        .env("LATCHKEY_LOG", "warn")
        .env("LATCHKEY_RATE_LIMIT", "0")
        .env("LATCHKEY_COST_LIMIT", "0")
        .spawn()
        .expect("it starts");
    let ready = format!("http://{free}/readyz");
    while !reqwest::get(&ready).await.is_ok_and(|answer| answer.status().is_success()) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let client = Client { url: format!("http://{free}/graphql"), key: ground.key.clone() };
    Server { kind: Kind::Latchkey, client, child }
}

/// As many processes as there are cores, as such servers are run.
fn node(kind: Kind, script: &str, ground: &Ground) -> Server {
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/peers");
    let mut child = Command::new(folder.join("node_modules/.bin/node"))
        .arg(folder.join(script))
        .env("NODE_ENV", "production")
        .env("GRAPHILE_ENV", "production")
        .env("WORKERS", workers.to_string())
        .env("CONNECTIONS", (CONNECTIONS / workers).max(1).to_string())
        .env("PGHOST", &ground.socket_folder)
        .env("PGPORT", ground.port.to_string())
        .env("PGUSER", &ground.user)
        .env("PGDATABASE", &ground.database)
        .stdout(Stdio::piped())
        .spawn()
        .expect("Node.js: npm ci in tests/bench/peers");
    let mut url = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut url).expect("text");
    assert!(!url.is_empty(), "{} did not start", kind.name());
    let client = Client { url: url.trim().to_owned(), key: ground.key.clone() };
    Server { kind, client, child }
}

/// CPU seconds that all processes of PostgreSQL have used, also those that have ended.
pub fn postgres_cpu(ground: &Ground) -> f64 {
    let postmaster = ground.postmaster();
    let ended = stat(postmaster).map_or(0.0, |stat| stat.ended_children);
    ended + tree(postmaster).into_iter().map(|pid| stat(pid).map_or(0.0, |stat| stat.cpu)).sum::<f64>()
}

struct Stat {
    parent: u32,
    /// Seconds.
    cpu: f64,
    /// Seconds of children that have ended.
    ended_children: f64,
}

/// What Linux tells of a process; `None` elsewhere.
fn stat(pid: u32) -> Option<Stat> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Behind the name in brackets: state, parent, and from the twelfth field on the times.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let seconds = |field: usize| fields.get(field)?.parse::<f64>().ok().map(|ticks| ticks / TICKS_PER_SECOND);
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        cpu: seconds(11)? + seconds(12)?,
        ended_children: seconds(13)? + seconds(14)?,
    })
}

/// A process and what descends from it.
fn tree(root: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parents: Vec<(u32, u32)> = pids.filter_map(|pid| Some((pid, stat(pid)?.parent))).collect();
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    found
}
