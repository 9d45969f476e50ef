//! A dump that is restored in another cluster.

use std::path::Path;
use std::process::Command;

use latchkey::db::embedded::{Durability, Embedded};
use serde_json::{Value, json};

use crate::support::{DataDir, LATCHKEY, TestDb, postgres_program};

/// A cluster without any role of ours, and a URL of a database in it for other programs than ours.
struct Elsewhere {
    embedded: Embedded,
    data: DataDir,
}

impl Elsewhere {
    async fn new() -> Self {
        let data = DataDir::new();
        let embedded = Embedded::start(&data.cluster(), Durability::ThrowAway, Path::new(LATCHKEY)).await;
        Self { embedded: embedded.unwrap_or_else(|error| panic!("{error}")), data }
    }

    fn url(&self, database: &str) -> String {
        url(self.embedded.connect_options("postgres").get_socket().expect("a socket"), database)
    }
}

fn url(sockets: &Path, database: &str) -> String {
    format!("postgres://postgres@localhost/{database}?host={}", sockets.display())
}

/// Runs commands as an operator would, where the programs of PostgreSQL and ours are found.
fn run(commands: &str, folder: &Path, environment: &[(&str, &str)]) -> (bool, String) {
    let postgres = postgres_program("psql");
    let folders =
        [Path::new(LATCHKEY).parent(), Path::new(postgres.get_program()).parent()].map(|path| path.expect("a folder"));
    let path = format!("{}:{}:/usr/bin:/bin", folders[0].display(), folders[1].display());
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", commands]).current_dir(folder).env_clear().env("PATH", path);
    command.envs(postgres.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.envs(environment.iter().copied()).output().expect("bash runs");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), said)
}

const SECRET_KEY: &str = "1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

#[tokio::test(flavor = "multi_thread")]
async fn g43_one_command_prepares_a_cluster_for_a_dump_and_without_it_what_is_missing_is_told() {
    let db = TestDb::new().await;
    let old = DataDir::with_database(&db);
    old.print(&["hotel", "create", "grand-hotel", "--name", "Grand Hotel", "--time-zone", "Europe/Berlin"]);
    let key = old.api_key("grand-hotel", "Locks", "WRITE");
    let sockets = db.options().get_socket().expect("a socket").clone();
    let old_url = url(&sockets, db.options().get_database().expect("a database"));
    let elsewhere = Elsewhere::new().await;
    let (new_url, admin_url) = (elsewhere.url("latchkey"), elsewhere.url("postgres"));
    let environment = [
        ("OLD", old_url.as_str()),
        ("ADMIN", &admin_url),
        ("DATABASE_URL", &new_url),
        ("LATCHKEY_SECRET_KEY", SECRET_KEY),
    ];
    let run = |commands: &str| run(commands, elsewhere.data.path(), &environment);

    // pg_restore goes on after errors, unless it is told otherwise.
    let restore = "psql --quiet --command 'CREATE DATABASE latchkey TEMPLATE template0' \"$ADMIN\"
        pg_dump --format=custom --file=latchkey.dump \"$OLD\"
        pg_restore --dbname=\"$DATABASE_URL\" latchkey.dump";
    let (done, said) = run(restore);
    assert!(!done && said.contains("role \"latchkey_app\" does not exist"), "{said}");
    let advice = "run `latchkey migrate --prepare-cluster`, then restore the dump again, into an empty database";
    let (done, said) = run("latchkey migrate");
    assert!(
        !done && said.contains("the role latchkey_app, the role latchkey_worker") && said.contains(advice),
        "{said}"
    );
    let read_only = ["latchkey prune --dry-run", "latchkey rotate-secrets --check"];
    for command in read_only {
        let (done, said) = run(command);
        assert!(!done && said.contains("the role latchkey_app") && said.contains(advice), "{command}: {said}");
    }

    // The roles alone bring back neither rights nor policies.
    let (done, said) = run("latchkey migrate --prepare-cluster");
    assert!(done, "{said}");
    let (done, said) = run("latchkey migrate");
    assert!(!done && said.contains("rights on the table access_grants") && said.contains(advice), "{said}");
    for command in read_only {
        let (done, said) = run(command);
        assert!(!done && said.contains("rights on the table") && said.contains(advice), "{command}: {said}");
    }
    let (_, said) = run(&format!("DATABASE_URL=\"$ADMIN\" {}", read_only[0]));
    assert!(said.contains("the database needs migrations"), "nothing was restored there: {said}");

    let (done, said) =
        run(&format!("psql --quiet --command 'DROP DATABASE latchkey' \"$ADMIN\"\n{restore}\nlatchkey migrate"));
    assert!(done, "{said}");
    let new = DataDir::with_url(&new_url);
    assert!(new.print(&["hotel", "list"]).contains("grand-hotel"));
    let serving = new.serve();
    let create = "mutation { createRoomAccessKey(input: {roomAccessPin: {pin: \"1\"}}) { roomAccessKey { id } } }";
    let request = reqwest::Client::new().post(format!("{}/graphql", serving.url)).bearer_auth(&key);
    let answer = request.json(&json!({ "query": create })).send().await.expect("an answer");
    let answer: Value = answer.json().await.expect("JSON");
    assert!(answer.get("errors").is_none(), "{answer}");
}
