//! Generated requests to all interfaces: `schemathesis` reads the OpenAPI documents and the GraphQL schema that a server
//! answers with, sends what fits them and what does not, and compares the answers with them. Always the same requests.
//!
//! Needs Python 3.11 or newer with `venv`. Without it, and without a registry to install from, the test says that it did nothing.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{House, Python, TestServer, python};

/// Checks of the program, and the one of `hooks.py`.
const REST_CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,negative_data_rejection,positive_data_acceptance,\
    missing_required_header,unsupported_method,allow_header_conformance,use_after_free,ensure_resource_availability,\
    ignored_auth,no_fault";
/// Not `positive_data_acceptance`: most parameters name records.
const SEAM_CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_schema_conformance,negative_data_rejection,ignored_auth,no_fault";
/// Not `not_a_server_error`: for it, a refusal such as `NOT_FOUND` is one.
const GRAPHQL_CHECKS: &str = "content_type_conformance,response_schema_conformance,negative_data_rejection,\
    positive_data_acceptance,no_fault";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/schemathesis")
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
    let program = match Python::with("tests/it/schemathesis/requirements.txt").await {
        Ok(python) => python.program("schemathesis"),
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
        let mut command = Command::new(&program);
        // What the program notes for itself lies there.
        command.args(arguments).envs(variables).current_dir(env!("CARGO_TARGET_TMPDIR"));
        let output = python::output(&mut command).await.expect("it starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{name}\n{said}\n{}", String::from_utf8_lossy(&output.stderr));
        assert!(said.contains(" generated, "), "{said}");
        eprintln!("{}", said.lines().filter(|line| line.contains(" generated, ")).collect::<String>());
    };
    tokio::join!(
        check("rest", "/api/pms/v1/openapi.json", REST_CHECKS, "10"),
        check("graphql", "/graphql", GRAPHQL_CHECKS, "4"),
        check("seam", "/seam/openapi.json", SEAM_CHECKS, "4"),
    );
}
