//! The process that looks after the server: starts it, starts it again when it dies, and stops it with its last user.
//!
//! It is the `latchkey` binary itself in a session of its own, so that neither Ctrl-C nor a closed terminal nor
//! `kill -9` of a user reaches it.

use std::env;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::account::Account;
use super::cluster;
use super::error::{About, EmbeddedError};
use super::layout::{Layout, Lock};
use super::server::Server;
use super::{Durability, KEEPER_COMMAND};

/// How often the keeper looks whether the last user has gone or the server has died.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long a throw-away server outlives its last user: one test process follows another.
const LINGER: Duration = Duration::from_secs(1);

/// Pause before a server is started again that has died soon after its start; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A server that ran this long did not die of its start.
const STEADY: Duration = Duration::from_mins(1);

/// What the keeper says once the server is up. Anything else is the reason why it is not.
const READY: &str = "ready";

/// Starts `executable` as keeper of the cluster and waits until the server is up. The caller holds the start lock.
pub(super) fn spawn(executable: &Path, layout: &Layout, durability: Durability) -> Result<(), EmbeddedError> {
    let log = File::options().create(true).append(true).open(layout.log()).about(&layout.log())?;
    // It outlives us: of our environment it gets what finds PostgreSQL, and no secret.
    let passed_on = env::vars_os().filter(|(name, _)| name == "PATH" || name == "LATCHKEY_POSTGRES_BIN");
    let output = Command::new(executable)
        .arg(KEEPER_COMMAND)
        .arg(layout.folder())
        .arg(durability.as_str())
        .env_clear()
        .envs(passed_on)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .and_then(|mut child| first_line(child.stdout.take()))
        .about(executable)?;
    match output.trim() {
        READY => Ok(()),
        "" => Err(EmbeddedError::Start(format!("its keeper ended, see {}", layout.log().display()))),
        reason => Err(EmbeddedError::Start(reason.to_owned())),
    }
}

fn first_line(output: Option<impl std::io::Read>) -> std::io::Result<String> {
    let mut line = String::new();
    if let Some(output) = output {
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line)?;
    }
    Ok(line)
}

/// The life of a keeper of the cluster in `folder`.
pub fn run(folder: &Path, durability: Durability) -> ExitCode {
    // Fails only for the leader of a process group, which nobody's Ctrl-C reaches either.
    let _ = rustix::process::setsid();
    match keep(folder, durability) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error.to_string());
            eprintln!("keeper: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Tells the process that started this keeper. It may have gone meanwhile.
fn report(line: &str) {
    let mut stdout = std::io::stdout();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

fn keep(folder: &Path, durability: Durability) -> Result<(), EmbeddedError> {
    let account = Account::choose(folder)?;
    let layout = Layout::create(folder, &account)?;
    let mut keeping = layout.lock_file(Lock::Keeper)?;
    keeping.lock().about(layout.folder())?;
    // For people; nothing here reads it.
    keeping.set_len(0).and_then(|()| writeln!(keeping, "{}", std::process::id())).about(layout.folder())?;
    let binaries = cluster::binaries_for(&layout)?;
    let start = || Server::start(&layout, &account, &binaries, durability);
    let mut server = Some(start()?);
    report(READY);

    let users = layout.lock_file(Lock::Users)?;
    let outcome = wait_for_last_user(&users, &mut server, durability, start);
    server.map_or(Ok(()), Server::stop)?;
    outcome?;
    cluster::remove_folder(&layout.socket_folder())?;
    if durability == Durability::ThrowAway {
        cluster::remove_folder(&layout.data())?;
        let _ = fs::remove_file(layout.log());
        let _ = fs::remove_file(layout.previous_log());
    }
    // In this order: the process that gets the users lock next must not take this keeper for a living one.
    drop(keeping);
    drop(users);
    Ok(())
}

/// Returns with the users lock held. Until then the server is started again whenever it has died, for as long as it takes: a
/// disk that is full has space again some day.
fn wait_for_last_user(
    users: &File,
    server: &mut Option<Server>,
    durability: Durability,
    start: impl Fn() -> Result<Server, EmbeddedError>,
) -> Result<(), EmbeddedError> {
    let mut unused_since = None;
    let mut starts = Starts::new();
    loop {
        sleep(LOOK_EVERY);
        if try_lock(users)? {
            let since: Instant = *unused_since.get_or_insert_with(Instant::now);
            if durability == Durability::Durable || since.elapsed() >= LINGER {
                return Ok(());
            }
            users.unlock().about(Path::new("users.lock"))?;
        } else {
            unused_since = None;
        }
        let has_died = match server {
            Some(server) => server.has_died()?,
            None => true,
        };
        if has_died && starts.next_is_due() {
            *server = start().inspect_err(|error| eprintln!("keeper: {error}")).ok();
            starts.note();
        }
    }
}

/// When a server that has died is started again.
struct Starts {
    last: Instant,
    /// Those in a row that did not last.
    short: u32,
}

impl Starts {
    /// It was just started for the first time.
    fn new() -> Self {
        Self { last: Instant::now(), short: 0 }
    }

    fn next_is_due(&self) -> bool {
        self.last.elapsed() >= pause(self.short)
    }

    fn note(&mut self) {
        self.short = if self.last.elapsed() > STEADY { 1 } else { self.short + 1 };
        self.last = Instant::now();
    }
}

/// Pause after so many starts that did not last: none after the first.
fn pause(short: u32) -> Duration {
    short
        .checked_sub(1)
        .map_or(Duration::ZERO, |doublings| FIRST_PAUSE.saturating_mul(1 << doublings.min(16)).min(LONGEST_PAUSE))
}

fn try_lock(file: &File) -> Result<bool, EmbeddedError> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(fs::TryLockError::WouldBlock) => Ok(false),
        Err(fs::TryLockError::Error(error)) => Err(error).about(Path::new("users.lock")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_keeps_dying_is_started_again_ever_more_seldom_and_for_ever() {
        let pauses = [0, 1, 2, 3, 4, 8, 100, u32::MAX].map(|short| pause(short).as_millis());
        assert_eq!(pauses, [0, 100, 200, 400, 800, 10_000, 10_000, 10_000]);
    }
}
