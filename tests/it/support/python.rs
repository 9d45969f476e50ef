//! Python, with packages from the registry in an environment of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::Command;

/// Longest that one program may take, on a machine that does much else.
const PATIENCE: Duration = Duration::from_mins(3);

/// An environment below `target/`.
pub struct Python {
    home: PathBuf,
}

impl Python {
    /// One with the packages of a file with versions and hashes, installed when the file has changed; else why there is none.
    ///
    /// Needs Python 3.11 or newer with `venv`, and a registry to install from. Tests that want the same wait for each other.
    pub async fn with(requirements: &str) -> Result<Self, String> {
        let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join(requirements);
        let name = requirements.parent().and_then(Path::file_name).expect("a folder of its own");
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let wanted = fs::read(&requirements).expect("the versions");
        let mark = home.with_extension("installed");
        let is_there = || fs::read(&mark).is_ok_and(|found| found == wanted);
        if !is_there() {
            let lock = File::create(home.with_extension("lock")).expect("a lock");
            lock.lock().expect("locked");
            if !is_there() {
                install(&home, &requirements).await?;
                fs::write(&mark, &wanted).expect("noted");
            }
        }
        Ok(Self { home })
    }

    /// Path of a program that it has, such as `python`.
    pub fn program(&self, name: &str) -> PathBuf {
        self.home.join("bin").join(name)
    }
}

async fn install(home: &Path, requirements: &Path) -> Result<(), String> {
    let new_enough = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";
    if !succeeds(Command::new("python3").args(["-c", new_enough])).await {
        return Err("no Python 3.11 or newer with venv".to_owned());
    }
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(home);
    let mut install = Command::new(home.join("bin/pip"));
    install.args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "-r"]);
    install.arg(requirements);
    if !succeeds(&mut make).await || !succeeds(&mut install).await {
        return Err(format!("the packages of {} cannot be installed here", requirements.display()));
    }
    Ok(())
}

async fn succeeds(command: &mut Command) -> bool {
    output(command).await.is_some_and(|output| output.status.success())
}

/// Runs a program to its end; `None` when it cannot be started.
///
/// # Panics
/// When it does not end in time.
pub async fn output(command: &mut Command) -> Option<Output> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let output = command.spawn().ok()?.wait_with_output();
    tokio::time::timeout(PATIENCE, output).await.expect("it ends in time").ok()
}
