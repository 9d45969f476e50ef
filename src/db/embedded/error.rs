//! Errors of the embedded server: why it is not there. Each message says what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Oldest major version that Latchkey runs on.
pub(super) const OLDEST_MAJOR: u32 = 15;

/// Why the embedded PostgreSQL could not be started or reached.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// No installation was found.
    #[error(
        "PostgreSQL {OLDEST_MAJOR} or newer was not found: install it (Debian and Ubuntu: `apt-get install postgresql`; \
         macOS: `brew install postgresql@17`), or name the folder of its `initdb` and `postgres` in LATCHKEY_POSTGRES_BIN, \
         or use a server of your own through DATABASE_URL"
    )]
    NoBinaries,
    /// `LATCHKEY_POSTGRES_BIN` names a folder without a usable installation.
    #[error("LATCHKEY_POSTGRES_BIN: {0} holds no `initdb` and `postgres` of PostgreSQL {OLDEST_MAJOR} or newer")]
    BadBinaries(PathBuf),
    /// The data was made by a major version that is not installed. Nothing was started or changed.
    #[error(
        "{folder} was made by PostgreSQL {data} and only PostgreSQL {found} was found: install PostgreSQL {data}, or move \
         the data with pg_upgrade, or choose another LATCHKEY_DATA_DIR"
    )]
    OtherMajor {
        /// The data folder.
        folder: PathBuf,
        /// Major version that made it.
        data: u32,
        /// Major version found.
        found: u32,
    },
    /// PostgreSQL refuses to run as root, and there is no account to run it as.
    #[error("PostgreSQL refuses to run as root, and this system has neither an account `postgres` nor `nobody`")]
    NoAccount,
    /// The account that PostgreSQL runs as may not enter a folder above its data.
    #[error("PostgreSQL runs as `{account}`, which may not enter {folder}: choose another LATCHKEY_DATA_DIR")]
    ClosedFolder {
        /// The folder that is closed to it.
        folder: PathBuf,
        /// Name of the account.
        account: String,
    },
    /// Somebody else's folder stands where the socket should be.
    #[error("{0} belongs to another user or is open to others: remove it, or choose a shorter LATCHKEY_DATA_DIR")]
    ForeignFolder(PathBuf),
    /// `initdb` failed.
    #[error("initdb failed: {0}")]
    Initdb(String),
    /// The server did not come up.
    #[error("PostgreSQL did not start: {0}")]
    Start(String),
    /// The server runs and refuses our login.
    #[error("the embedded PostgreSQL cannot be reached")]
    Connect(#[source] sqlx::Error),
    /// The operating system refused something.
    #[error(
        "{path}: {source}; the data folder (LATCHKEY_DATA_DIR) has to be on a disk with space and writable by this user"
    )]
    Io {
        /// What it was about.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Adds the path that an error of the operating system is about.
pub(super) trait About<T> {
    fn about(self, path: &Path) -> Result<T, EmbeddedError>;
}

impl<T> About<T> for io::Result<T> {
    fn about(self, path: &Path) -> Result<T, EmbeddedError> {
        self.map_err(|source| EmbeddedError::Io { path: path.to_owned(), source })
    }
}

/// The last line that says something.
pub(super) fn last_line(text: &str) -> String {
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("no reason was given").to_owned()
}
