//! What Seam's OpenAPI document says, of answers and of parameters.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::wire::Exchange;
use crate::support::Node;

/// What a program of `tests/node/seam` prints of what it reads.
fn ask(program: &str, text: String) -> String {
    let node = Node::find().expect("Node.js, as there are clients");
    let mut command = Command::new("node");
    command.arg(node.project(format!("tests/node/seam/{program}"))).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = command.spawn().expect("it starts");
    let mut input = process.stdin.take().expect("its input");
    // Beside it, as it writes before it has read everything.
    let writing = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = process.wait_with_output().expect("it ends");
    writing.join().expect("no panic").expect("it reads");
    assert!(output.status.success(), "it failed");
    String::from_utf8(output.stdout).expect("text")
}

/// A line for each answer whose body is not as the document has it, and for each path that it does not know.
pub fn faults(answers: &[Value]) -> Vec<String> {
    let lines = answers.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    ask("validate.js", lines).lines().map(str::to_owned).collect()
}

/// How the parameters that are served differ from those of the document, by path: `{"missing": [], "unknown": []}`.
pub fn other_parameters() -> BTreeMap<String, Value> {
    let served = serde_json::to_string(&latchkey::seam::openapi::document()).expect("JSON");
    serde_json::from_str(&ask("parameters.js", served)).expect("JSON")
}

/// Every 2xx body is as the document has it. Where no client can be run, there is none.
pub fn hold(exchanges: &[Exchange]) {
    if exchanges.is_empty() {
        return;
    }
    let answers: Vec<Value> = exchanges.iter().filter(|one| one.status / 100 == 2).map(Exchange::to_json).collect();
    assert!(!answers.is_empty(), "nothing to validate");
    assert_eq!(faults(&answers), [""; 0]);
}

#[test]
fn a_body_that_is_not_as_the_document_has_it_is_found() {
    if Node::find().is_none() {
        return;
    }
    let answer = |path: &str, body: Value| json!({"method": "POST", "path": path, "status": 200, "body": body});
    let webhook = json!({"webhook_id": "e2a1f6a0-7d3b-4c63-9f0e-3f6d2f1d7a01", "url": "https://example.com/"});
    let with = |name: &str, value: Value| {
        let mut webhook = webhook.clone();
        webhook[name] = value;
        answer("/webhooks/get", json!({"webhook": webhook, "ok": true}))
    };
    assert_eq!(faults(&[with("secret", json!("whsec_")), answer("/webhooks/delete", json!({"ok": true}))]), [""; 0]);
    let space = json!({"space_id": "lobby", "name": "Lobby", "display_name": "Lobby",
        "created_at": "2025-05-09T12:00:00Z", "workspace_id": "e2a1f6a0-7d3b-4c63-9f0e-3f6d2f1d7a01"});
    let broken = [
        answer("/spaces/get", json!({"space": space, "ok": true})),
        with("url", json!(null)),
        answer("/webhooks/get", json!({"webhook": webhook})),
        answer("/webhooks/list", json!({"webhooks": [{}], "ok": true})),
        answer("/webhooks/lock", json!({"ok": true})),
    ];
    let found = faults(&broken);
    assert_eq!(found.len(), broken.len(), "{found:#?}");
}
