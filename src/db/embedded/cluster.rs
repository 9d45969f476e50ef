//! The data folder: made once, by `initdb`, and recognised afterwards.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;

use super::Durability;
use super::account::Account;
use super::binaries::Binaries;
use super::error::{About, EmbeddedError, last_line};
use super::layout::Layout;
use super::server;

/// Name of PostgreSQL's superuser. The socket's folder is what keeps others out.
pub(super) const SUPERUSER: &str = "postgres";

/// Makes the data folder where it is missing. No server runs on it.
pub(super) fn prepare(layout: &Layout, account: &Account, durability: Durability) -> Result<(), EmbeddedError> {
    let binaries = binaries_for(layout)?;
    account.expect_reach(layout.folder())?;
    if durability == Durability::ThrowAway {
        // Without fsync, data that outlived their keeper may have outlived a crash of the system too.
        server::clear_predecessor(layout)?;
        remove_folder(&layout.data())?;
    }
    if major_of(&layout.data())?.is_none() {
        initialize(layout, account, &binaries, durability)?;
    }
    Ok(())
}

/// The binaries of the major version that made the data, or the newest when there are none yet.
pub(super) fn binaries_for(layout: &Layout) -> Result<Binaries, EmbeddedError> {
    let existing = major_of(&layout.data())?;
    let binaries = Binaries::find(existing)?;
    match existing {
        Some(data) if data != binaries.major => {
            Err(EmbeddedError::OtherMajor { folder: layout.data(), data, found: binaries.major })
        }
        _ => Ok(binaries),
    }
}

fn initialize(
    layout: &Layout,
    account: &Account,
    binaries: &Binaries,
    durability: Durability,
) -> Result<(), EmbeddedError> {
    let unfinished = layout.unfinished_data();
    remove_folder(&unfinished)?;
    account.make_folder(&unfinished)?;
    let mut initdb = binaries.command("initdb");
    initdb
        .arg("--pgdata")
        .arg(&unfinished)
        .args(["--username", SUPERUSER, "--auth", "trust", "--data-checksums", "--no-instructions"])
        // Order by code point, the fastest and the same everywhere; upper and lower case for all of Unicode.
        .args(["--encoding", "UTF8", "--locale", "C", "--lc-ctype"])
        .arg(if cfg!(target_os = "macos") { "UTF-8" } else { "C.UTF-8" })
        .current_dir(&unfinished)
        .stdin(Stdio::null());
    if durability == Durability::ThrowAway {
        initdb.arg("--no-sync");
    }
    account.run_as(&mut initdb);
    let output = initdb.output().about(&unfinished)?;
    if !output.status.success() {
        return Err(EmbeddedError::Initdb(last_line(&String::from_utf8_lossy(&output.stderr))));
    }
    let data = layout.data();
    fs::rename(&unfinished, &data).about(&data)?;
    File::open(layout.folder()).and_then(|folder| folder.sync_all()).about(layout.folder())
}

/// The major version that made `data`; `None` when there is nothing yet.
fn major_of(data: &Path) -> Result<Option<u32>, EmbeddedError> {
    if !data.try_exists().about(data)? {
        return Ok(None);
    }
    let path = data.join("PG_VERSION");
    let version = fs::read_to_string(&path).about(&path)?;
    let unreadable = || std::io::Error::new(std::io::ErrorKind::InvalidData, "not a version of PostgreSQL");
    version.trim().parse().map(Some).map_err(|_| unreadable()).about(&path)
}

/// Removes a folder and what is in it, if it is there.
pub(super) fn remove_folder(path: &Path) -> Result<(), EmbeddedError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).about(path),
        _ => Ok(()),
    }
}
