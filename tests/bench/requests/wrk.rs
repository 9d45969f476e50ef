//! Requests over real connections, sent by `wrk` as fast as they are answered.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::cases::Load;
use super::measure::Round;
use super::postgres::Postgres;
use super::servers::Server;

/// Requests under way at once.
pub const CONNECTIONS: usize = 8;

/// Longest that anything may take.
const LONGEST: Duration = Duration::from_mins(2);

/// A load in a file.
pub struct Prepared {
    file: PathBuf,
    mark: &'static str,
    times: usize,
    once: bool,
}

impl Prepared {
    /// Writes it below `folder`, under a name of its own.
    pub fn new(load: &Load, folder: &Path, name: &str) -> Self {
        let line = |request: &super::cases::Request| {
            format!("{}\t{}\n", request.key.as_deref().unwrap_or_default(), request.body)
        };
        let file = folder.join(format!("{name}.requests"));
        fs::write(&file, load.requests.iter().map(line).collect::<String>()).expect("a file");
        Self { file, mark: load.mark, times: load.times, once: load.once }
    }

    fn start(&self, url: &str, connections: usize, time: Duration) -> Child {
        let mut command = Command::new("wrk");
        command
            // One thread: it takes the less of the cores that it shares with everything else.
            .arg("--threads=1")
            .arg(format!("--connections={connections}"))
            .arg(format!("--timeout={}s", LONGEST.as_secs()))
            .arg("--script")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/requests/wrk.lua"))
            .arg(format!("--duration={}s", if self.once { LONGEST } else { time }.as_secs()))
            .arg(url)
            .arg("--")
            .arg(&self.file)
            .args([self.mark, &self.times.to_string()]);
        if self.once {
            command.arg(time.as_secs().to_string());
        }
        command.stdout(Stdio::piped()).spawn().expect("wrk, a package of Debian")
    }
}

/// Sends each load to its server, all of them at once, for `time` or until there are no more requests. Every answer is right,
/// or this is the end. `CONNECTIONS` are divided among them.
pub fn drive(postgres: &Postgres, loads: &[(&Server, &Prepared)], time: Duration) -> Round {
    let own = || {
        loads
            .iter()
            .map(|(server, _)| (server.pid(), server.cpu()))
            .collect::<HashMap<_, _>>()
            .into_values()
            .sum::<f64>()
    };
    let (own_before, postgres_before) = (own(), postgres.cpu());
    let running: Vec<Child> =
        loads.iter().map(|(server, load)| load.start(&server.url, CONNECTIONS / loads.len(), time)).collect();
    let told: Vec<Told> = running.into_iter().zip(loads).map(|(child, (server, _))| Told::by(child, server)).collect();
    let mean = |of: fn(&Told) -> f64| told.iter().map(of).sum::<f64>() / told.len() as f64;
    Round {
        count: told.iter().map(|told| told.right).sum(),
        seconds: mean(|told| told.seconds),
        p50: mean(|told| told.p50),
        p99: mean(|told| told.p99),
        own_cpu: own() - own_before,
        postgres_cpu: postgres.cpu() - postgres_before,
    }
}

/// What one `wrk` says.
struct Told {
    right: f64,
    seconds: f64,
    p50: f64,
    p99: f64,
}

impl Told {
    fn by(child: Child, server: &Server) -> Self {
        let output = child.wait_with_output().expect("it ends");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "wrk: {text}");
        let lines: HashMap<&str, &str> = text.lines().filter_map(|line| line.split_once('\t')).collect();
        let number = |name: &str| -> f64 {
            lines.get(name).and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name}: {text}"))
        };
        assert!(number("wrong") + number("failed") == 0.0, "{}: {text}", server.kind.name());
        Self { right: number("right"), seconds: number("seconds"), p50: number("p50"), p99: number("p99") }
    }
}
