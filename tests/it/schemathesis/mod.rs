//! Generated requests to both interfaces: `schemathesis` reads the OpenAPI document and the GraphQL schema that a server
//! answers with, sends what fits them and what does not, and compares the answers with them. Always the same requests.
//!
//! Needs Python 3.11 or newer with `venv`. Without it, and without a registry to install from, the test says that it did nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{House, TestServer};

/// Longest that one run may take, on a machine that does much else.
const PATIENCE: Duration = Duration::from_mins(3);
/// Checks of the program, and the one of `hooks.py`.
const REST_CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,negative_data_rejection,positive_data_acceptance,\
    missing_required_header,unsupported_method,allow_header_conformance,use_after_free,ensure_resource_availability,\
    ignored_auth,no_fault";
/// Not `not_a_server_error`: for it, a refusal such as `NOT_FOUND` is one.
const GRAPHQL_CHECKS: &str = "content_type_conformance,response_schema_conformance,negative_data_rejection,\
    positive_data_acceptance,no_fault";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/schemathesis")
}

async fn run(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str], variables: &[(&str, &str)]) -> Option<Output> {
    let mut command = Command::new(program);
    command.args(arguments).envs(variables.iter().copied()).stdin(Stdio::null()).kill_on_drop(true);
    // What the program notes for itself lies there.
    command.current_dir(env!("CARGO_TARGET_TMPDIR"));
    let output = tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends in time");
    output.ok()
}

/// The program in an environment of its own below `target/`, installed when its versions have changed; else why there is none.
async fn installed() -> Result<PathBuf, String> {
    let requirements = folder().join("requirements.txt");
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("schemathesis");
    let (program, mark) = (home.join("bin/schemathesis"), home.join("requirements.txt"));
    let wanted = fs::read(&requirements).expect("the versions");
    if fs::read(&mark).is_ok_and(|found| found == wanted) {
        return Ok(program);
    }
    let succeeded = |output: &Option<Output>| output.as_ref().is_some_and(|output| output.status.success());
    let new_enough = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";
    if !succeeded(&run("python3", &["-c", new_enough], &[]).await) {
        return Err("no Python 3.11 or newer with venv".to_owned());
    }
    let (home, requirements) = (home.to_str().expect("text"), requirements.to_str().expect("text"));
    let made = run("python3", &["-m", "venv", "--clear", home], &[]).await;
    let pip = Path::new(home).join("bin/pip");
    let install =
        ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "-r", requirements];
    if !succeeded(&made) || !succeeded(&run(pip, &install, &[]).await) {
        return Err("schemathesis cannot be installed here".to_owned());
    }
    fs::write(mark, wanted).expect("noted");
    Ok(program)
}

/// Ids of records that there are, by the names of the fields that take them.
async fn ids(house: &House) -> Value {
    let (stay, room) = (house.stay_in("301").await, house.room("302").await);
    house.room("303").await;
    let key = house.desk.pin("1").await;
    let query = "query($id: ID!) { room_stays(filter: {id: {eq: $id}}) { edges { node { reservation { id client { id } } } } } }";
    let data = house.desk.data(query, json!({ "id": stay })).await;
    let reservation = &data["room_stays"]["edges"][0]["node"]["reservation"];
    json!({"RoomStay": stay, "RoomSetup": room, "Category": house.category, "Reservation": reservation["id"],
        "Client": reservation["client"]["id"], "RoomAccessKey": key})
}

#[tokio::test(flavor = "multi_thread")]
async fn g24_generated_requests_find_no_difference_between_documents_and_server() {
    let program = match installed().await {
        Ok(program) => program,
        Err(reason) => {
            eprintln!("Skipped: generated requests ({reason})");
            return;
        }
    };
    let house = House::new().await;
    let ids = ids(&house).await.to_string();
    let admin = house.test.integration(&house.hotel, "Back office", latchkey::actor::Permission::Admin).await;
    let server = TestServer::start(&house.test).await;
    let check = async |name: &str, path: &str, checks: &str, examples: &str| {
        let (config, hooks) = (folder().join(format!("{name}.toml")), folder().join("hooks.py"));
        let location = format!("{}{path}", server.url);
        let arguments = [
            "--no-color",
            "--config-file",
            config.to_str().expect("text"),
            "run",
            &location,
            "--checks",
            checks,
            "--max-examples",
            examples,
            "--continue-on-failure",
        ];
        let variables = [
            ("LATCHKEY_API_KEY", admin.live.as_str()),
            ("LATCHKEY_IDS", &ids),
            ("SCHEMATHESIS_HOOKS", hooks.to_str().expect("text")),
        ];
        let output = run(&program, &arguments, &variables).await.expect("it starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{name}\n{said}\n{}", String::from_utf8_lossy(&output.stderr));
        assert!(said.contains(" generated, "), "{said}");
        eprintln!("{}", said.lines().filter(|line| line.contains(" generated, ")).collect::<String>());
    };
    tokio::join!(
        check("rest", "/api/pms/v1/openapi.json", REST_CHECKS, "10"),
        check("graphql", "/graphql", GRAPHQL_CHECKS, "4"),
    );
}
