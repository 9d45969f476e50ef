//! The document on Seam's SDKs.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use super::{Document, Shell, values};
use crate::access_grants::Doors;
use crate::support::{DataDir, Node, TestServer};

#[tokio::test(flavor = "multi_thread")]
async fn the_quick_start_of_the_sdks_runs_as_it_is_printed() {
    let mut document = Document::read("docs/SEAM.md");
    let (script, commands, error) = (document.take("javascript"), document.take("sh"), document.take("json"));
    assert!(script.lines().count() <= 10, "ten lines are promised");
    the_printed_error_is_answered(&values(&error)[0]).await;

    let Some(node) = Node::find() else { return };
    let data = DataDir::new();
    let server = data.serve();
    let shell = Shell::new()
        .with("LATCHKEY_DATA_DIR", &data.path().display().to_string())
        .reading("127.0.0.1:8080", server.url.strip_prefix("http://").expect("an address"))
        // The packages are there.
        .reading("npm install @seamapi/http", "");
    symlink(node.project("tests/node/node_modules"), shell.folder.path().join("node_modules")).expect("a new link");
    fs::write(shell.folder.path().join("quick-start.mjs"), script).expect("written");
    assert_eq!(shell.run(&[commands]), ["success\n"]);
}

async fn the_printed_error_is_answered(printed: &Value) {
    let doors = Doors::new().await;
    let server = TestServer::start(&doors.house.test).await;
    let key = doors.house.keys.live.replacen("pms_", "seam_", 1);
    let mut answer = Value::Null;
    for (from, to) in
        [("2025-05-10T15:00:00Z", "2025-05-14T11:00:00Z"), ("2025-05-15T15:00:00Z", "2025-05-18T11:00:00Z")]
    {
        let grant = json!({"user_identity_id": "guest-1", "space_ids": ["room-101"], "starts_at": from, "ends_at": to,
            "requested_access_methods": [{"mode": "card"}], "reservation_key": "stay-1"});
        let request = server.request("POST", "/seam/access_grants/create").bearer_auth(&key).json(&grant);
        answer = request.send().await.expect("an answer").json().await.expect("JSON");
    }
    answer["error"]["request_id"] = printed["error"]["request_id"].clone();
    assert_eq!(answer, *printed);
}
