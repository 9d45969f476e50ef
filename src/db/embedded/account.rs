//! The account that PostgreSQL runs as: ours, or, as root, one that PostgreSQL accepts.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::error::{About, EmbeddedError};

/// An account that PostgreSQL can run as.
#[derive(Clone, Debug)]
pub(super) enum Account {
    /// The one that we run as ourselves.
    Own,
    /// We are root.
    Other { name: String, uid: u32, gid: u32 },
}

impl Account {
    /// Our own; as root the one that owns the cluster in `folder`, else `postgres`, else `nobody`.
    pub(super) fn choose(folder: &Path) -> Result<Self, EmbeddedError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Own);
        }
        let accounts = fs::read_to_string("/etc/passwd").about(Path::new("/etc/passwd"))?;
        let mut usable: Vec<Self> = ["postgres", "nobody"].iter().filter_map(|name| entry(&accounts, name)).collect();
        if let Ok(data) = fs::metadata(folder.join("data")) {
            // `postgres` may have been added since `nobody` made it.
            usable.sort_by_key(|account| account.uid() != data.uid());
        }
        usable.into_iter().next().ok_or(EmbeddedError::NoAccount)
    }

    fn uid(&self) -> u32 {
        match self {
            Self::Own => rustix::process::geteuid().as_raw(),
            Self::Other { uid, .. } => *uid,
        }
    }

    /// Runs `command` as this account, without root's other groups.
    pub(super) fn run_as(&self, command: &mut Command) {
        if let Self::Other { uid, gid, .. } = self {
            command.uid(*uid).gid(*gid);
        }
    }

    /// Makes a folder that only this account may enter. One that is there already must be just that.
    pub(super) fn make_folder(&self, path: &Path) -> Result<(), EmbeddedError> {
        match fs::DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => match self {
                Self::Own => Ok(()),
                Self::Other { uid, gid, .. } => chown(path, Some(*uid), Some(*gid)).about(path),
            },
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => self.expect_own(path),
            Err(error) => Err(error).about(path),
        }
    }

    fn expect_own(&self, path: &Path) -> Result<(), EmbeddedError> {
        let found = fs::symlink_metadata(path).about(path)?;
        let private = found.is_dir() && found.permissions().mode() & 0o777 == 0o700;
        // Root that died between making a folder and giving it away left one of root's.
        if private
            && found.uid() == 0
            && let Self::Other { uid, gid, .. } = self
        {
            return chown(path, Some(*uid), Some(*gid)).about(path);
        }
        if private && found.uid() == self.uid() {
            return Ok(());
        }
        Err(EmbeddedError::ForeignFolder(path.to_owned()))
    }

    /// Fails when a folder on the way to `path` is closed to this account.
    pub(super) fn expect_reach(&self, path: &Path) -> Result<(), EmbeddedError> {
        let Self::Other { name, .. } = self else { return Ok(()) };
        let mut folders: Vec<&Path> = path.ancestors().collect();
        folders.reverse();
        for folder in folders {
            let mut probe = Command::new("test");
            probe.arg("-x").arg(folder).current_dir("/").stdin(Stdio::null());
            self.run_as(&mut probe);
            if !probe.status().about(folder)?.success() {
                return Err(EmbeddedError::ClosedFolder { folder: folder.to_owned(), account: name.clone() });
            }
        }
        Ok(())
    }
}

fn entry(accounts: &str, wanted: &str) -> Option<Account> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| *name == wanted)?;
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Account::Other { name: name.to_owned(), uid, gid })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_read_from_the_list_of_accounts() {
        let list = "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65533::/:/bin/false\n";
        assert!(matches!(entry(list, "nobody"), Some(Account::Other { uid: 65534, gid: 65533, .. })));
        assert!(entry(list, "postgres").is_none());
    }
}
