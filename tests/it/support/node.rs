//! Node.js, with the packages of `tests/node`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Runs the programs of `tests/node`.
pub struct Node {
    project: PathBuf,
}

impl Node {
    /// Node.js, if it is installed and `npm ci` was run in `tests/node`, as `./dev test` does.
    pub fn find() -> Option<Self> {
        let project = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let is_there = project.join("tests/node/node_modules/.package-lock.json").exists()
            && Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success());
        if !is_there {
            eprintln!("Skipped: there is no Node.js, or `npm ci` was not run in tests/node");
        }
        is_there.then_some(Self { project })
    }

    /// Path of a file of the project.
    pub fn project(&self, file: impl AsRef<Path>) -> String {
        self.project.join(file).to_string_lossy().into_owned()
    }

    /// Starts a program; what it writes can be read from its `stdout`.
    pub fn spawn(&self, program: &str, arguments: &[&str]) -> Child {
        Command::new("node")
            .arg(self.project.join("tests/node").join(program))
            .args(arguments)
            // Without it, graphql-js checks at every step that nobody has mixed two versions of it.
            .env("NODE_ENV", "production")
            .stdout(Stdio::piped())
            .spawn()
            .expect("Node.js starts")
    }
}
