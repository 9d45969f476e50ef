//! A shell as a reader has it who pastes one block after the other.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use super::project;
use crate::support::{LATCHKEY, postgres_program};

/// Stands between the outputs of two blocks.
const MARK: &str = "---- next block ----";

/// A shell in a folder of its own, which has of the project's folder what is built and what ships.
pub struct Shell {
    /// Where it is.
    pub folder: TempDir,
    replacements: Vec<(String, String)>,
    variables: Vec<(String, String)>,
}

impl Shell {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let program = Path::new(LATCHKEY).parent().expect("its folder");
        std::fs::create_dir(folder.path().join("target")).expect("a new folder");
        symlink(program, folder.path().join("target/debug")).expect("a new link");
        symlink(project().join("docs"), folder.path().join("docs")).expect("a new link");
        let mut shell = Self { folder, replacements: Vec::new(), variables: Vec::new() };
        let postgres = postgres_program("pg_dump").get_program().to_owned();
        let postgres = Path::new(&postgres).parent().expect("its folder").display().to_string();
        let path = std::env::var("PATH").expect("a path");
        shell = shell.with("PATH", &format!("{}:{postgres}:{path}", program.display()));
        if let Ok(folder) = std::env::var("LATCHKEY_POSTGRES_BIN") {
            shell = shell.with("LD_LIBRARY_PATH", &format!("{folder}/../lib"));
        }
        shell.with("no_proxy", "*")
    }

    /// With a variable of the environment.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Reads that wherever the other is printed: a reader has other keys and addresses, too.
    pub fn reading(mut self, printed: &str, actual: &str) -> Self {
        self.replacements.push((printed.to_owned(), actual.to_owned()));
        self
    }

    /// Runs blocks in one go; each of their commands has to succeed. Answers with what each has printed.
    pub fn run(&self, blocks: &[impl AsRef<str>]) -> Vec<String> {
        let output = self.try_run(blocks);
        let said = String::from_utf8_lossy(&output.stderr);
        let printed = String::from_utf8(output.stdout).expect("text");
        assert!(output.status.success(), "{printed}\n{said}");
        printed.split(&format!("{MARK}\n")).skip(1).map(str::to_owned).collect()
    }

    /// Runs blocks until one of their commands fails.
    pub fn try_run(&self, blocks: &[impl AsRef<str>]) -> Output {
        let mut script = String::new();
        for block in blocks {
            script.extend(["echo '", MARK, "'\n", block.as_ref(), "\n"]);
        }
        for (printed, actual) in &self.replacements {
            assert!(script.contains(printed), "nothing says {printed}");
            script = script.replace(printed, actual);
        }
        let mut shell = Command::new("bash");
        shell.args(["-eu", "-o", "pipefail", "-c", &script]).current_dir(self.folder.path());
        shell.env_remove("DATABASE_URL").envs(self.variables.iter().cloned());
        shell.output().expect("bash is there")
    }
}
