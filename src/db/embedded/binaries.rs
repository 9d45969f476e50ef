//! The programs of PostgreSQL, and where they are installed.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::{EmbeddedError, OLDEST_MAJOR};

/// One installation of PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Binaries {
    folder: PathBuf,
    /// Libraries of an installation that was unpacked rather than installed. For its own processes alone.
    libraries: Option<PathBuf>,
    pub(super) major: u32,
}

impl Binaries {
    /// The installation to use: the one of `wanted`, the major version of existing data, else the newest.
    pub(super) fn find(wanted: Option<u32>) -> Result<Self, EmbeddedError> {
        if let Some(folder) = env::var_os("LATCHKEY_POSTGRES_BIN").filter(|value| !value.is_empty()) {
            let folder = PathBuf::from(folder);
            let libraries = folder.join("../lib");
            return Self::inspect(&folder, Some(libraries)).ok_or(EmbeddedError::BadBinaries(folder));
        }
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = installed(Path::new("/")).into_iter().chain(env::split_paths(&path));
        let found = folders.filter_map(|folder| Self::inspect(&folder, None)).collect();
        choose(found, wanted)
    }

    fn inspect(folder: &Path, libraries: Option<PathBuf>) -> Option<Self> {
        if !folder.join("initdb").is_file() || !folder.join("postgres").is_file() {
            return None;
        }
        let unknown = Self { folder: folder.to_owned(), libraries, major: 0 };
        let output = unknown.command("postgres").arg("--version").output().ok()?;
        let major = major_of(&String::from_utf8_lossy(&output.stdout))?;
        (major >= OLDEST_MAJOR).then_some(Self { major, ..unknown })
    }

    /// A command of this installation, in an environment that holds nothing of the caller's.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.folder.join(program));
        command.env_clear().env("PATH", "/usr/bin:/bin").env("TZ", "UTC").env("LC_ALL", "C");
        if let Some(libraries) = &self.libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command
    }
}

/// Folders that Debian and Homebrew install to, below `root`.
fn installed(root: &Path) -> Vec<PathBuf> {
    let subfolders = |parent: &str, prefix: &str| -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(root.join(parent)) else { return Vec::new() };
        entries
            .filter_map(Result::ok)
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
            .map(|entry| entry.path().join("bin"))
            .collect()
    };
    [
        subfolders("usr/lib/postgresql", ""),
        subfolders("opt/homebrew/opt", "postgresql"),
        subfolders("usr/local/opt", "postgresql"),
    ]
    .concat()
}

fn choose(found: Vec<Binaries>, wanted: Option<u32>) -> Result<Binaries, EmbeddedError> {
    // Of equals `max_by_key` takes the last, and the first one found is wanted.
    let best = found.into_iter().rev().max_by_key(|binaries| (Some(binaries.major) == wanted, binaries.major));
    best.ok_or(EmbeddedError::NoBinaries)
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian ...)`.
fn major_of(version: &str) -> Option<u32> {
    let number = version.split_whitespace().nth(2)?;
    let digits = number.split(|symbol: char| !symbol.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(major: u32) -> Binaries {
        Binaries { folder: PathBuf::new(), libraries: None, major }
    }

    #[test]
    fn the_major_version_is_read_from_releases_and_from_betas() {
        assert_eq!(major_of("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major_of("postgres (PostgreSQL) 19beta1\n"), Some(19));
        assert_eq!(major_of(""), None);
    }

    #[test]
    fn existing_data_decides_the_version_and_else_the_newest_is_taken() {
        let chosen = |found: &[u32], wanted| {
            choose(found.iter().copied().map(of).collect(), wanted).map(|binaries| binaries.major).ok()
        };
        assert_eq!(chosen(&[16, 17, 15], None), Some(17));
        assert_eq!(chosen(&[16, 17, 15], Some(15)), Some(15));
        assert_eq!(chosen(&[16], Some(15)), Some(16));
    }

    #[test]
    fn without_an_installation_the_error_says_what_to_install() {
        assert!(installed(Path::new("/nowhere")).is_empty());
        let error = choose(vec![], None).expect_err("nothing to choose from").to_string();
        for hint in ["apt-get install postgresql", "brew install postgresql", "LATCHKEY_POSTGRES_BIN", "DATABASE_URL"] {
            assert!(error.contains(hint), "{error}");
        }
    }
}
