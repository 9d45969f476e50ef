//! The script `./dev`, as whoever tries Latchkey runs it. The program is built already: a cargo that notes what it is asked
//! stands in for the real one.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use latchkey::demo::DemoFile;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{project, values};
use crate::support::{DataDir, LATCHKEY, TestDb};

/// A checkout of its own, with programs of its own before those of the machine.
struct Checkout {
    folder: TempDir,
}

impl Checkout {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let checkout = Self { folder };
        for name in ["dev", "Cargo.toml", "rust-toolchain.toml"] {
            fs::copy(project().join(name), checkout.path(name)).expect("copied");
        }
        for name in ["bin", "migrations", ".sqlx", "target", "tests/node"] {
            fs::create_dir_all(checkout.path(name)).expect("a new folder");
        }
        fs::write(checkout.path("migrations/0001_nothing.sql"), "SELECT 1;").expect("written");
        symlink(Path::new(LATCHKEY).parent().expect("its folder"), checkout.path("target/debug")).expect("a new link");
        // Where there is promtool, it checks the alert rules among the documents.
        symlink(project().join("docs"), checkout.path("docs")).expect("a new link");
        checkout.program("cargo", "echo \"$*\" >> \"$(dirname \"$0\")/../cargo.calls\"");
        checkout.program("rustc", "echo 'rustc 1.95.0 (0123abcd 2026-01-01)'");
        checkout.program("cc", "exit 1");
        checkout.program("npm", "exit 0");
        checkout
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn program(&self, name: &str, script: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("made executable");
    }

    /// Takes away what the machine has besides: all that is left is what the script itself needs, and an ordinary user.
    fn alone(&self) {
        for name in ["bash", "dirname", "sed"] {
            let found =
                ["/usr/bin", "/bin"].iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists());
            symlink(found.expect(name), self.path("bin").join(name)).expect("a new link");
        }
        self.program("id", "echo 1000");
    }

    fn dev(&self, path: &str, args: &[&str]) -> Command {
        let mut command = Command::new("bash");
        command.arg("dev").args(args).current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command.env("PATH", path).env("HOME", self.folder.path());
        if let Some(folder) = std::env::var_os("LATCHKEY_POSTGRES_BIN") {
            command.env("LATCHKEY_POSTGRES_BIN", folder);
        }
        command
    }

    fn whole_path(&self) -> String {
        format!("{}:{}", self.path("bin").display(), std::env::var("PATH").expect("a path"))
    }

    fn calls_of_cargo(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.path("cargo.calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }
}

/// `./dev run`, told to stop when it is dropped.
struct Run(Child);

impl Run {
    /// Waits until it has said everything, and answers with that.
    fn said(&mut self) -> String {
        let mut said = String::new();
        for line in BufReader::new(self.0.stdout.as_mut().expect("what it says")).lines() {
            let line = line.expect("text");
            said.extend([&line, "\n"]);
            if line.contains("Ctrl-C stops it") {
                return said;
            }
        }
        let mut errors = String::new();
        self.0.stderr.as_mut().expect("its errors").read_to_string(&mut errors).expect("text");
        panic!("it ended: {said}{errors}")
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        let _ = self.0.wait();
    }
}

fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").to_string()
}

#[test]
fn g33_dev_says_what_is_missing_before_it_builds_and_what_it_does_while_it_tests() {
    let occupied = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = occupied.local_addr().expect("an address").to_string();
    std::thread::spawn(move || occupied.incoming().for_each(drop));
    let free = free_address();
    // Whether the place is taken, what is missing, what is said.
    let in_use = format!("{address} is in use");
    for (address, missing, expected) in [
        (&address, "", in_use.as_str()),
        (&free, "cargo", "Rust is missing: install Rust 1.95 or newer, see https://rustup.rs"),
        (&free, "rustc", "Rust 1.80.1 is too old, 1.95 is needed: run rustup update"),
        (&free, "cc", "a C compiler is missing: run sudo apt-get install gcc libc6-dev"),
    ] {
        let checkout = Checkout::new();
        checkout.alone();
        match missing {
            "" => {}
            "rustc" => checkout.program("rustc", "echo 'rustc 1.80.1 (0123abcd 2024-01-01)'"),
            _ => fs::remove_file(checkout.path("bin").join(missing)).expect("removed"),
        }
        let mut dev = checkout.dev(&checkout.path("bin").display().to_string(), &["run"]);
        let output = dev.env("LATCHKEY_LISTEN", address).output().expect("bash is there");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.starts_with("./dev: ") && said.contains(expected), "{missing}: {said}");
        assert_eq!((said.lines().count(), output.status.code()), (1, Some(1)), "{missing}: {said}");
        assert_eq!(checkout.calls_of_cargo(), [""; 0], "nothing was built without {missing}");
    }

    let checkout = Checkout::new();
    let output = checkout.dev(&checkout.whole_path(), &["test"]).output().expect("bash is there");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let steps: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("==> ")).collect();
    let beginnings =
        ["Packages of Node.js", "SQL statements", "Format and lints", "Dependencies", "Tests", "Tests of reading"];
    assert_eq!(steps.len(), beginnings.len(), "{said}");
    assert!(steps.iter().zip(beginnings).all(|(step, beginning)| step.starts_with(beginning)), "{said}");
    assert!(said.trim_start().starts_with("==> "), "{said}");
    assert!(checkout.calls_of_cargo().iter().all(|call| !call.contains("--quiet")), "cargo tells what it compiles");
}

/// What is asked for last is a C compiler, which is missing: by then the toolchain is chosen.
#[test]
fn dev_takes_another_stable_toolchain_where_the_named_one_cannot_be_fetched() {
    let run = |without_rustup: bool, installed: &str, rustc: &str| {
        let checkout = Checkout::new();
        checkout.alone();
        fs::remove_file(checkout.path("bin/cc")).expect("removed");
        if !without_rustup {
            checkout.program("rustup", &format!("printf '{installed}'"));
        }
        checkout.program("rustc", rustc);
        let mut dev = checkout.dev(&checkout.path("bin").display().to_string(), &["run"]);
        let output = dev.env("LATCHKEY_LISTEN", free_address()).output().expect("bash is there");
        String::from_utf8(output.stderr).expect("text")
    };
    let unreachable = "case ${RUSTUP_TOOLCHAIN-} in \
        stable-*) echo 'rustc 1.97.1 (0)' ;; 1.96*) echo 'rustc 1.96.0 (0)' ;; 1.80*) echo 'rustc 1.80.0 (0)' ;; \
        *) echo 'error: could not download' >&2; exit 1 ;; esac";
    let substitute = "in place of 1.95.0, which rust-toolchain.toml asks for\n./dev: a C compiler is missing";
    let said =
        run(false, "1.80.0-x86_64\\n1.96.0-x86_64\\nstable-x86_64 (active, default)\\nnightly-x86_64\\n", unreachable);
    assert!(said.contains(&format!("could not download\nRust 1.97.1 is used {substitute}")), "{said}");
    let said = run(false, "1.80.0-x86_64\\nnightly-x86_64\\n", unreachable);
    assert!(said.contains("./dev: no stable Rust from 1.95 on is installed, and none can be fetched"), "{said}");
    let said = run(true, "", "echo 'rustc 1.96.0 (0123abcd 2026-06-01)'");
    assert!(said.starts_with(&format!("Rust 1.96.0 is used {substitute}")), "{said}");
    let said = run(false, "", "echo 'rustc 1.95.0 (0123abcd 2026-01-01)'");
    assert!(said.starts_with("./dev: a C compiler is missing"), "the named one is fetched, nothing is said: {said}");
}

#[tokio::test]
async fn g34_dev_run_prints_no_line_that_it_has_not_tried() {
    let data = DataDir::new();
    let run = |address: &str, settings: &[(&str, &str)]| {
        let checkout = Checkout::new();
        let mut dev = checkout.dev(&checkout.whole_path(), &["run"]);
        dev.env("LATCHKEY_DATA_DIR", data.path()).env("LATCHKEY_LISTEN", address).env("no_proxy", "*");
        dev.envs(settings.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
        (Run(dev.spawn().expect("bash is there")), checkout)
    };
    let address = free_address();
    let (mut running, checkout) = run(&address, &[]);
    let said = running.said();
    assert!(said.contains(&format!("http://{address}/graphql/ide")), "{said}");
    let line = said.lines().find(|line| line.starts_with("curl ")).unwrap_or_else(|| panic!("{said}"));
    let answer = Command::new("bash").args(["-c", line]).env("no_proxy", "*").output().expect("bash is there");
    let answer = values(&String::from_utf8(answer.stdout).expect("text")).remove(0);
    assert!(answer["data"]["room_stays"]["edges"].as_array().is_some_and(|edges| !edges.is_empty()), "{answer}");
    assert_eq!(checkout.calls_of_cargo(), ["build --bin latchkey"]);
    drop(running);
    data.wait_for_stop();

    // The folder's demo.json tells of a server that is gone, and now, at the same address, of keys that nobody has.
    let db = TestDb::new().await;
    let url = db.url();
    let other_database =
        [("DATABASE_URL", url.as_str()), ("LATCHKEY_SECRET_KEY", "1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")];
    for address in [free_address(), address] {
        let file = DemoFile::read(data.path()).expect("readable").expect("written");
        let (mut running, _checkout) = run(&address, &other_database);
        let said = running.said();
        assert!(!said.contains("curl") && said.contains("holds no demo"), "{said}");
        assert!(DemoFile::read(data.path()).expect("readable").is_some_and(|now| now == file), "it is left alone");
    }
}
