//! The `latchkey` program as whoever runs it sees it.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::TestDb;
use sqlx::ConnectOptions as _;

/// The program.
pub const LATCHKEY: &str = env!("CARGO_BIN_EXE_latchkey");

/// A data folder of its own. Dropping it waits for its server to stop, then removes it.
pub struct DataDir {
    folder: TempDir,
    /// Instead of an embedded database.
    database_url: Option<String>,
}

impl DataDir {
    /// For a program that starts an embedded database.
    pub fn new() -> Self {
        // For the client that asks its server.
        latchkey::tls::install_crypto_provider();
        let mut folder = tempfile::Builder::new();
        // PostgreSQL's account has to pass through when we are root.
        folder.prefix("latchkey-data-").permissions(std::fs::Permissions::from_mode(0o711));
        Self { folder: folder.tempdir().expect("a folder"), database_url: None }
    }

    /// For a program that uses a database of the shared server.
    pub fn with_database(db: &TestDb) -> Self {
        let mut data = Self::new();
        data.database_url = Some(db.url());
        data
    }

    /// For a program that uses whatever database is there.
    pub fn with_url(url: &str) -> Self {
        let mut data = Self::new();
        data.database_url = Some(url.to_owned());
        data
    }

    /// Like [`Self::with_database`], logging in as somebody else than the owner of the tables.
    pub fn with_database_as(db: &TestDb, login: &str) -> Self {
        let mut data = Self::new();
        data.database_url = Some(db.options().username(login).to_url_lossy().to_string());
        data
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Folder of its cluster.
    pub fn cluster(&self) -> PathBuf {
        self.path().join("postgres")
    }

    /// Makes a pair of keys for an integration of a hotel; answers with the live one.
    pub fn api_key(&self, hotel: &str, integration: &str, permission: &str) -> String {
        let of = ["--integration", integration, "--permission", permission];
        let printed = self.print(&[&["api-key", "create", hotel], &of[..]].concat());
        let live = printed.lines().find_map(|line| line.strip_prefix("live"));
        live.expect("a live key").trim().to_owned()
    }

    /// Runs the program to its end.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the program runs")
    }

    /// Runs the program to its end, which must be a good one, and returns what it printed.
    pub fn print(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// Runs a command that lists something, and returns its rows.
    pub fn list(&self, args: &[&str]) -> Vec<serde_json::Value> {
        serde_json::from_str(&self.print(&[args, &["--json"]].concat())).expect("a list in JSON")
    }

    /// The program with this data folder and none of the environment's settings.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = latchkey(args);
        command.env("LATCHKEY_DATA_DIR", self.path()).env("LATCHKEY_LISTEN", "127.0.0.1:0");
        // Some tests ask more than a key or an address may.
        for limit in ["LATCHKEY_RATE_LIMIT", "LATCHKEY_COST_LIMIT", "LATCHKEY_AUTH_FAILURE_LIMIT"] {
            command.env(limit, "0");
        }
        if let Some(url) = &self.database_url {
            let keys = "1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
            command.env("DATABASE_URL", url).env("LATCHKEY_SECRET_KEY", keys);
        }
        command
    }

    /// Starts a server and waits until it serves.
    pub fn serve(&self) -> Serving {
        self.serve_with(&[])
    }

    /// Starts a server with these settings and waits until it serves.
    pub fn serve_with(&self, settings: &[&str]) -> Serving {
        self.serve_in(&[], settings)
    }

    /// Starts a server with these settings in that environment and waits until it serves.
    pub fn serve_in(&self, environment: &[(&str, &str)], settings: &[&str]) -> Serving {
        let mut command = self.command(&[&["serve"], settings].concat());
        command.envs(environment.iter().copied()).stderr(Stdio::piped());
        let child = command.spawn().expect("the program starts");
        let mut serving = Serving { child, url: String::new(), log: String::new(), rest: None };
        let mut lines = BufReader::new(serving.child.stderr.take().expect("its log")).lines();
        while serving.url.is_empty() {
            let line = lines.next().unwrap_or_else(|| panic!("it ended: {}", serving.log)).expect("text");
            serving.log.push_str(&line);
            serving.log.push('\n');
            if let Some((_, rest)) = line.split_once(r#""url":""#) {
                rest.split('"').next().expect("a URL").clone_into(&mut serving.url);
            }
        }
        // Somebody has to read on, or a full pipe would stop the server.
        serving.rest = Some(std::thread::spawn(move || lines.map_while(Result::ok).collect::<Vec<_>>().join("\n")));
        serving
    }

    /// Waits until the keeper of the cluster has ended, and with it the server.
    pub fn wait_for_stop(&self) {
        if let Ok(file) = std::fs::File::options().write(true).open(self.cluster().join("keeper.lock")) {
            file.lock().expect("the keeper lets go of its lock");
        }
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        self.wait_for_stop();
    }
}

/// The program with none of the environment's settings.
pub fn latchkey(args: &[&str]) -> Command {
    let mut command = Command::new(LATCHKEY);
    command.args(args).env_clear().stdin(Stdio::null());
    for name in ["PATH", "LATCHKEY_POSTGRES_BIN"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// A program that comes with PostgreSQL: of the copy that the embedded server uses, else of the newest installation.
pub fn postgres_program(name: &str) -> Command {
    if let Some(folder) = std::env::var_os("LATCHKEY_POSTGRES_BIN").map(PathBuf::from) {
        let mut command = Command::new(folder.join(name));
        command.env("LD_LIBRARY_PATH", folder.join("../lib"));
        return command;
    }
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let mut found: Vec<(u32, PathBuf)> = debian
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin").join(name))))
        .filter(|(_, path)| path.exists())
        .collect();
    found.sort();
    Command::new(found.pop().map_or_else(|| name.into(), |(_, path)| path))
}

/// A server that is killed when it is dropped.
pub struct Serving {
    child: Child,
    /// Where it serves.
    pub url: String,
    log: String,
    rest: Option<std::thread::JoinHandle<String>>,
}

impl Serving {
    /// What it has logged before it served.
    pub fn log(&self) -> &str {
        &self.log
    }

    /// Number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal and waits for its end. Returns its status and its whole log.
    pub fn end(mut self, signal: Signal) -> (ExitStatus, String) {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
        let status = self.child.wait().expect("it ends");
        let rest = self.rest.take().expect("read once").join().expect("the log is text");
        (status, format!("{}{rest}", self.log))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
