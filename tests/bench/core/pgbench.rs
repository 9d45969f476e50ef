//! The same statements, run by PostgreSQL's own load generator.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::load::Figures;

/// A transaction for pgbench.
pub struct Script {
    /// Its text.
    pub text: String,
    /// Variables that it uses.
    pub variables: Vec<(String, String)>,
}

/// Where the server of the benchmark listens.
pub struct Socket {
    pub folder: PathBuf,
    pub user: String,
    pub database: String,
    pub pgbench: PathBuf,
}

/// Runs a script from `concurrency` connections with prepared statements and generic plans, as the service does.
pub fn run(socket: &Socket, concurrency: usize, time: Duration, script: &Script) -> Figures {
    let folder = std::env::temp_dir().join(format!("latchkey-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let (file, log) = (folder.join("script.sql"), folder.join("log"));
    fs::write(&file, &script.text).expect("the script");
    let mut command = Command::new(&socket.pgbench);
    command
        .env("PGOPTIONS", "-c plan_cache_mode=force_generic_plan -c jit=off")
        .args(["--no-vacuum", "--protocol=prepared", "--log"])
        .arg(format!("--log-prefix={}", log.display()))
        .arg(format!("--client={concurrency}"))
        .arg("--jobs=2")
        .arg(format!("--time={}", time.as_secs()))
        .arg(format!("--file={}", file.display()))
        .arg(format!("--host={}", socket.folder.display()))
        .arg(format!("--username={}", socket.user));
    for (name, value) in &script.variables {
        command.arg(format!("--define={name}={value}"));
    }
    let start = Instant::now();
    let output = command.arg(&socket.database).output().expect("pgbench, which comes with PostgreSQL");
    let seconds = start.elapsed().as_secs_f64();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let latencies = read_log(&folder);
    fs::remove_dir_all(&folder).expect("the folder is ours");
    Figures { count: latencies.len(), seconds: seconds.min(time.as_secs_f64() + 0.2), latencies }
}

/// The third column of each line is the time of a transaction in microseconds.
fn read_log(folder: &Path) -> Vec<f64> {
    let files = fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path());
    let logs = files.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("log")));
    let text: String = logs.map(|path| fs::read_to_string(path).expect("a log")).collect();
    text.lines().filter_map(|line| line.split(' ').nth(2)?.parse::<f64>().ok()).map(|micros| micros / 1000.0).collect()
}
