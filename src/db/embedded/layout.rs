//! The layout of the data folder: where a cluster keeps what.

use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::account::Account;
use super::error::{About, EmbeddedError};

/// Port in the name of the socket; no TCP port is opened.
pub(super) const PORT: u16 = 5432;

/// Longest path of a socket that every system allows: macOS takes 103 bytes, Linux 107.
const LONGEST_SOCKET_PATH: usize = 103;

/// The folder of a cluster. The folder, its locks and its log are ours; `data` and the socket belong to the account that
/// PostgreSQL runs as, which therefore cannot trick root into writing through a link.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    folder: PathBuf,
}

impl Layout {
    /// Makes the folder where it is missing.
    pub(super) fn create(folder: &Path, account: &Account) -> Result<Self, EmbeddedError> {
        let mode = match account {
            Account::Own => 0o700,
            // The account has to pass through, and may not look around.
            Account::Other { .. } => 0o711,
        };
        fs::DirBuilder::new().recursive(true).mode(mode).create(folder).about(folder)?;
        Ok(Self { folder: folder.canonicalize().about(folder)? })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Where `initdb` works. Renamed to [`Layout::data`] when it is done, so that `data` is always whole.
    pub(super) fn unfinished_data(&self) -> PathBuf {
        self.folder.join("data.unfinished")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    pub(super) fn previous_log(&self) -> PathBuf {
        self.folder.join("server.log.previous")
    }

    /// Folder of the socket: in the cluster's own, or a short one named after it where that path is too long.
    pub(super) fn socket_folder(&self) -> PathBuf {
        let own = self.folder.join("socket");
        if own.join(format!(".s.PGSQL.{PORT}")).as_os_str().len() <= LONGEST_SOCKET_PATH {
            return own;
        }
        let hash = Sha256::digest(self.folder.as_os_str().as_bytes());
        // Not the temporary folder of the environment: every user of the cluster has to find the same one.
        Path::new("/tmp").join(format!("latchkey-{:016x}", first_bytes(&hash)))
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.socket_folder().join(format!(".s.PGSQL.{PORT}"))
    }

    /// Where PostgreSQL writes down who uses the socket.
    pub(super) fn socket_lock(&self) -> PathBuf {
        self.socket_folder().join(format!(".s.PGSQL.{PORT}.lock"))
    }

    /// Opens a lock file, see [`super`] for what each lock means.
    pub(super) fn lock_file(&self, lock: Lock) -> Result<File, EmbeddedError> {
        let path = self.folder.join(match lock {
            Lock::Start => "start.lock",
            Lock::Users => "users.lock",
            Lock::Keeper => "keeper.lock",
        });
        File::options().create(true).truncate(false).write(true).mode(0o600).open(&path).about(&path)
    }

    /// Whether a keeper looks after the cluster. Only meaningful while holding [`Lock::Start`] and [`Lock::Users`].
    pub(super) fn has_keeper(&self) -> Result<bool, EmbeddedError> {
        match self.lock_file(Lock::Keeper)?.try_lock() {
            Ok(()) => Ok(false),
            Err(fs::TryLockError::WouldBlock) => Ok(true),
            Err(fs::TryLockError::Error(error)) => Err(error).about(&self.folder),
        }
    }
}

fn first_bytes(hash: &[u8]) -> u64 {
    hash.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// The locks of a cluster.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lock {
    /// Exclusive while a process starts to use the cluster.
    Start,
    /// Shared by every user; exclusive for the keeper that stops the server.
    Users,
    /// Exclusive for the keeper as long as it lives.
    Keeper,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(folder: &str) -> Layout {
        Layout { folder: folder.into() }
    }

    #[test]
    fn a_long_folder_gets_a_short_socket_of_its_own() {
        let long = format!("/srv/{}", "x".repeat(100));
        assert_eq!(at("/srv/latchkey").socket(), Path::new("/srv/latchkey/socket/.s.PGSQL.5432"));
        assert!(at(&long).socket().as_os_str().len() <= LONGEST_SOCKET_PATH);
        assert_eq!(at(&long).socket(), at(&long).socket());
        assert_ne!(at(&long).socket(), at(&format!("{long}y")).socket());
    }
}
