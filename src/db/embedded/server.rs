//! One run of the `postgres` program.

use std::fs::{self, File};
use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::Durability;
use super::account::Account;
use super::binaries::Binaries;
use super::error::{About, EmbeddedError, last_line};
use super::layout::{Layout, PORT};

const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Longest wait for a start, which may have to recover from a crash.
const START_TIMEOUT: Duration = Duration::from_mins(2);

/// Longest wait for the shared memory of a server that was killed: its processes end with the statement they are at.
const PREDECESSOR_TIMEOUT: Duration = Duration::from_mins(2);

/// Longest wait for an orderly stop, which writes a checkpoint.
const STOP_TIMEOUT: Duration = Duration::from_mins(1);

/// A running server, our child.
pub(super) struct Server {
    child: Child,
}

impl Server {
    /// Starts the server and waits until it accepts connections.
    pub(super) fn start(
        layout: &Layout,
        account: &Account,
        binaries: &Binaries,
        durability: Durability,
    ) -> Result<Self, EmbeddedError> {
        account.make_folder(&layout.socket_folder())?;
        let began = Instant::now();
        loop {
            clear_predecessor(layout)?;
            let mut server = Self::spawn(layout, account, binaries, durability)?;
            match server.wait_until_ready(layout) {
                Ok(()) => return Ok(server),
                Err(reason) if of_predecessor(&reason) && began.elapsed() < PREDECESSOR_TIMEOUT => {
                    sleep(LOOK_EVERY * 10);
                }
                Err(reason) => {
                    server.stop()?;
                    return Err(EmbeddedError::Start(reason));
                }
            }
        }
    }

    fn spawn(
        layout: &Layout,
        account: &Account,
        binaries: &Binaries,
        durability: Durability,
    ) -> Result<Self, EmbeddedError> {
        // The log of this run alone is looked at when a start fails; the one before tells how a server died.
        let _ = fs::rename(layout.log(), layout.previous_log());
        let log = File::create(layout.log()).about(&layout.log())?;
        let mut command = binaries.command("postgres");
        command.arg("-D").arg(layout.data()).current_dir(layout.data());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let sockets = layout.socket_folder();
        for setting in settings(&sockets, durability) {
            command.arg("-c").arg(setting);
        }
        account.run_as(&mut command);
        let child = command.spawn().about(&layout.data())?;
        Ok(Self { child })
    }

    fn wait_until_ready(&mut self, layout: &Layout) -> Result<(), String> {
        let began = Instant::now();
        while began.elapsed() < START_TIMEOUT {
            match self.has_died() {
                Ok(false) => {}
                Ok(true) => return Err(reason_in(&fs::read_to_string(layout.log()).unwrap_or_default())),
                Err(error) => return Err(error.to_string()),
            }
            if says_ready(&layout.data(), self.child.id()) {
                return Ok(());
            }
            sleep(LOOK_EVERY);
        }
        Err(format!("it was not ready within {} s", START_TIMEOUT.as_secs()))
    }

    /// Whether the server has ended without being told to.
    pub(super) fn has_died(&mut self) -> Result<bool, EmbeddedError> {
        Ok(self.child.try_wait().about(Path::new("postgres"))?.is_some())
    }

    /// Stops the server in order, and without order when that takes too long.
    pub(super) fn stop(mut self) -> Result<(), EmbeddedError> {
        let pid = Pid::from_child(&self.child);
        stop_process(pid, || self.has_died())
    }
}

fn settings(sockets: &Path, durability: Durability) -> Vec<String> {
    let mut settings = vec![
        "listen_addresses=".to_owned(),
        // A quoted entry of a list: the path may hold commas.
        format!("unix_socket_directories=\"{}\"", sockets.display().to_string().replace('"', "\"\"")),
        format!("port={PORT}"),
        // Lock orders that cross are resolved long before a request's own time-outs.
        "deadlock_timeout=50ms".to_owned(),
        // Short statements never win back the time that compiling them takes.
        "jit=off".to_owned(),
        // The log must not hold guests' data: neither statements nor the values that a constraint names.
        "log_min_error_statement=panic".to_owned(),
        "log_error_verbosity=terse".to_owned(),
    ];
    if durability == Durability::ThrowAway {
        settings.extend(
            ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300", "autovacuum=off"]
                .map(str::to_owned),
        );
    }
    settings
}

/// Whether a server did not start because something of the one before is still there.
fn of_predecessor(reason: &str) -> bool {
    ["shared memory", "lock file"].iter().any(|mark| reason.contains(mark))
}

/// Why a server ended: what it calls fatal, else its last line.
fn reason_in(log: &str) -> String {
    let fatal = log.lines().rfind(|line| line.contains("FATAL:") || line.contains("PANIC:"));
    last_line(fatal.unwrap_or(log))
}

/// Whether `postmaster.pid` is of process `pid` and says that connections are accepted.
fn says_ready(data: &Path, pid: u32) -> bool {
    let text = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let mut lines = text.lines();
    lines.next().is_some_and(|line| line.trim() == pid.to_string())
        && text.lines().nth(7).is_some_and(|line| line.trim() == "ready")
}

/// Leaves nothing of a server that was there before: stops it if its keeper was killed, waits for it if it is dying, and
/// removes the files that name its process, whose number somebody else may have by now. PostgreSQL itself looks whether any
/// of its processes still uses the data.
pub(super) fn clear_predecessor(layout: &Layout) -> Result<(), EmbeddedError> {
    for path in [layout.data().join("postmaster.pid"), layout.socket_lock()] {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let pid = text.lines().next().and_then(|line| line.trim().parse().ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            end(pid, layout)?;
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).about(&path)?,
            _ => {}
        }
    }
    Ok(())
}

fn end(pid: Pid, layout: &Layout) -> Result<(), EmbeddedError> {
    if life(pid, layout) == Life::Serving {
        stop_process(pid, || Ok(life(pid, layout) != Life::Serving))?;
    }
    let began = Instant::now();
    while life(pid, layout) == Life::Dying {
        if began.elapsed() > PREDECESSOR_TIMEOUT {
            return Err(EmbeddedError::Start("a previous server is dying and does not end".into()));
        }
        sleep(LOOK_EVERY);
    }
    Ok(())
}

/// What a process is that a file of the cluster names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    /// The server of this cluster.
    Serving,
    /// A process that was killed and is still there.
    Dying,
    /// Nobody, or somebody who got its number later.
    Over,
}

fn life(pid: Pid, layout: &Layout) -> Life {
    let process = Path::new("/proc").join(pid.as_raw_nonzero().to_string());
    if !Path::new("/proc/self").exists() {
        // No /proc, so not Linux.
        let serves = test_kill_process(pid).is_ok() && UnixStream::connect(layout.socket()).is_ok();
        return if serves { Life::Serving } else { Life::Over };
    }
    match fs::read_link(process.join("cwd")) {
        Ok(folder) if folder == layout.data() => Life::Serving,
        // It has left its folder. What is dead and only not yet buried holds nothing any more.
        Err(error) if error.kind() == io::ErrorKind::NotFound && !is_over(&process) => Life::Dying,
        _ => Life::Over,
    }
}

/// Whether a process has ended, be it that nobody has asked for its status yet.
fn is_over(process: &Path) -> bool {
    let Ok(stat) = fs::read_to_string(process.join("stat")) else { return true };
    // Behind its name, which may hold anything.
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']))
}

fn stop_process(pid: Pid, mut has_ended: impl FnMut() -> Result<bool, EmbeddedError>) -> Result<(), EmbeddedError> {
    // Fast shutdown, immediate shutdown, end.
    for signal in [Signal::INT, Signal::QUIT, Signal::KILL] {
        if has_ended()? {
            return Ok(());
        }
        // It may end by itself in between.
        let _ = kill_process(pid, signal);
        let told = Instant::now();
        while told.elapsed() < STOP_TIMEOUT {
            if has_ended()? {
                return Ok(());
            }
            sleep(LOOK_EVERY);
        }
    }
    Err(EmbeddedError::Start("a previous server does not stop".into()))
}
