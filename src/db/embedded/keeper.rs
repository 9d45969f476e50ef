//! The process that looks after the server: starts it, starts it again when it dies, and stops it with its last user.
//!
//! It is the `latchkey` binary itself in a session of its own, so that neither Ctrl-C nor a closed terminal nor
//! `kill -9` of a user reaches it.

use std::env;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
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

/// How often a server that dies soon after its start is started again.
const RESTARTS: u32 = 5;

/// A server that ran this long did not die of its start.
const STEADY: Duration = Duration::from_mins(1);

/// What the keeper says once the server is up. Anything else is the reason why it is not.
const READY: &str = "ready";

/// What the keeper is told on its command line.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of the cluster.
    folder: PathBuf,
    /// Whether data survive.
    durability: Durability,
}

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

/// The life of a keeper.
pub fn run(args: &Args) -> ExitCode {
    // Fails only for the leader of a process group, which nobody's Ctrl-C reaches either.
    let _ = rustix::process::setsid();
    match keep(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error.to_string());
            eprintln!("keeper: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Tells whoever started this keeper. It may have gone meanwhile.
fn report(line: &str) {
    let mut stdout = std::io::stdout();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

fn keep(args: &Args) -> Result<(), EmbeddedError> {
    let account = Account::choose(&args.folder)?;
    let layout = Layout::create(&args.folder, &account)?;
    let keeping = layout.lock_file(Lock::Keeper)?;
    keeping.lock().about(layout.folder())?;
    let binaries = cluster::binaries_for(&layout)?;
    let start = || Server::start(&layout, &account, &binaries, args.durability);
    let mut server = start()?;
    report(READY);

    let users = layout.lock_file(Lock::Users)?;
    let outcome = wait_for_last_user(&users, &mut server, args.durability, start);
    server.stop()?;
    outcome?;
    cluster::remove_folder(&layout.socket_folder())?;
    if args.durability == Durability::ThrowAway {
        cluster::remove_folder(&layout.data())?;
        let _ = fs::remove_file(layout.log());
        let _ = fs::remove_file(layout.previous_log());
    }
    // In this order: whoever gets the users lock next must not take this keeper for a living one.
    drop(keeping);
    drop(users);
    Ok(())
}

/// Returns with the users lock held, or when the server cannot be kept alive.
fn wait_for_last_user(
    users: &File,
    server: &mut Server,
    durability: Durability,
    start: impl Fn() -> Result<Server, EmbeddedError>,
) -> Result<(), EmbeddedError> {
    let mut unused_since = None;
    let mut restarts = 0;
    let mut started = Instant::now();
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
        if server.has_died()? {
            restarts = if started.elapsed() > STEADY { 1 } else { restarts + 1 };
            if restarts > RESTARTS {
                return Err(EmbeddedError::Start("it keeps dying".into()));
            }
            *server = start()?;
            started = Instant::now();
        }
    }
}

fn try_lock(file: &File) -> Result<bool, EmbeddedError> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(fs::TryLockError::WouldBlock) => Ok(false),
        Err(fs::TryLockError::Error(error)) => Err(error).about(Path::new("users.lock")),
    }
}
