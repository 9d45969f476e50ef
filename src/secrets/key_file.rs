//! The file that holds the secret keys where no setting does. It is replaced as a whole and never written in place.

use std::fs::{self, File};
use std::io::{Error, ErrorKind, Result, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::SecretKeys;
use crate::id::IdSource;

/// Tells one state of the file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    inode: u64,
    modified: SystemTime,
}

impl Stamp {
    /// Of the file as it is.
    ///
    /// # Errors
    /// The file cannot be looked at.
    pub fn of(path: &Path) -> Result<Self> {
        let file = fs::metadata(path)?;
        Ok(Self { inode: file.ino(), modified: file.modified()? })
    }

    /// How long ago the file was changed.
    pub fn age(&self) -> Duration {
        self.modified.elapsed().unwrap_or_default()
    }
}

/// Makes the file with one key, and leaves one alone that another process has just made.
pub fn make(path: &Path, ids: &IdSource) -> Result<()> {
    let unfinished = write_beside(path, &SecretKeys::generate(ids))?;
    let linked = fs::hard_link(&unfinished, path);
    fs::remove_file(&unfinished)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => sync_folder(path),
    }
}

/// Puts a new key in front of the others. From then on every process that follows the file seals with it.
///
/// # Errors
/// The file cannot be read or written, or holds no ring (`InvalidData`).
pub fn add_key(path: &Path, ids: &IdSource) -> Result<()> {
    change(path, |text| {
        let keys = SecretKeys::parse(text).map_err(|reason| Error::new(ErrorKind::InvalidData, reason))?;
        Ok(format!("{},{}", keys.generate_next(ids), text.trim()))
    })
}

/// Leaves only the first key.
///
/// # Errors
/// The file cannot be read or written, or has changed since `seen` (`ResourceBusy`).
pub fn keep_first_key(path: &Path, seen: Stamp) -> Result<()> {
    change(path, |text| {
        if Stamp::of(path)? != seen {
            return Err(Error::new(ErrorKind::ResourceBusy, "another process has just changed it"));
        }
        Ok(text.trim().split(',').next().unwrap_or_default().to_owned())
    })
}

/// Replaces the text of the file. Processes that do so at the same time take turns, so none loses the other's key.
fn change(path: &Path, new: impl FnOnce(&str) -> Result<String>) -> Result<()> {
    let turn =
        File::options().write(true).create(true).truncate(false).mode(0o600).open(path.with_extension("lock"))?;
    turn.lock()?;
    let unfinished = write_beside(path, &new(&fs::read_to_string(path)?)?)?;
    fs::rename(&unfinished, path)?;
    sync_folder(path)
}

fn write_beside(path: &Path, text: &str) -> Result<PathBuf> {
    let unfinished = path.with_extension(format!("keys.{}", std::process::id()));
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    Ok(unfinished)
}

fn sync_folder(path: &Path) -> Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
