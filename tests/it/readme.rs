//! What is printed for people to copy works as it is printed: on the program, in a shell.

use std::process::Command;

use latchkey::demo::DemoFile;
use serde_json::{Value, json};

use crate::support::{DataDir, LATCHKEY, Serving};

/// Where the README's server is.
const README_URL: &str = "http://127.0.0.1:8080";
/// Where its program is.
const README_PROGRAM: &str = "target/debug/latchkey";

/// The README's shell lines below that heading.
fn lines(heading: &str) -> String {
    let readme = include_str!("../../README.md");
    let (_, section) = readme.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no {heading}"));
    let section = section.split("\n## ").next().unwrap_or_default();
    let blocks = section.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap_or_default());
    blocks.collect::<Vec<_>>().join("echo\n")
}

/// Runs lines in a shell and answers with the JSON values that they print.
fn run(data: &DataDir, lines: &str) -> Vec<Value> {
    let mut shell = Command::new("bash");
    shell
        .args(["-eu", "-o", "pipefail", "-c", lines])
        .env("LATCHKEY_DATA_DIR", data.path())
        .env("no_proxy", "*")
        .env_remove("DATABASE_URL");
    let output = shell.output().expect("bash is there");
    assert!(output.status.success(), "{lines}: {}", String::from_utf8_lossy(&output.stderr));
    let values = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
    values.map(|value| value.expect("JSON")).collect()
}

fn as_printed(server: &Serving, headings: &[&str]) -> String {
    let lines: Vec<String> = headings.iter().map(|heading| lines(heading)).collect();
    let lines = lines.join("\necho\n");
    assert!(lines.contains(README_URL) && lines.contains(README_PROGRAM));
    lines.replace(README_URL, &server.url).replace(README_PROGRAM, LATCHKEY)
}

#[test]
fn the_examples_of_the_readme_work_as_printed() {
    let data = DataDir::new();
    let server = data.serve();
    let answers = run(&data, &as_printed(&server, &["First query", "First key", "First check-in"]));
    let [stays, key, check_in] = &answers[..] else { panic!("{answers:#?}") };
    assert_eq!(stays["data"]["room_stays"]["edges"].as_array().map(Vec::len), Some(20), "{stays}");
    let stay = &key[1]["data"]["addRoomAccessKey"]["roomStay"];
    assert_eq!(stay["room_setup"]["name"], "301", "{key}");
    assert_eq!(stay["roomAccessKey"]["id"], key[0]["data"]["createRoomAccessKey"]["roomAccessKey"]["id"]);
    assert_eq!((&check_in["status"], &check_in["created"]), (&json!("success"), &json!(false)), "{check_in}");
    assert_eq!(check_in["guest"]["roomNumber"], "301");
}

#[test]
fn e05_the_printed_curl_works_at_its_own_date_with_host_and_key_replaced() {
    let data = DataDir::new();
    let server = data.serve_with(&["--clock", "2026-02-18T12:00:00Z"]);
    let demo = DemoFile::read(data.path()).expect("readable").expect("written");
    let hotel = demo.hotels.iter().find(|hotel| hotel.slug == "grand-hotel").expect("the hotel");
    let key = &hotel.integrations.iter().find(|one| one.permission == "WRITE").expect("a key").live_key;
    let printed = include_str!("conformance/seed/check_in.sh");
    let curl = printed
        .replace("https://app.recepai.ai", &server.url)
        .replace("pms_live_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6", key);
    let first = run(&data, &curl).remove(0);
    assert_eq!((&first["status"], &first["created"]), (&json!("success"), &json!(false)), "{first}");
    let guest = &first["guest"];
    assert_eq!((&guest["roomNumber"], &guest["checkOutDate"]), (&json!("301"), &json!("2026-02-22")));
    assert_eq!(guest["checkInDate"], "2026-02-18");
    let arrived = guest["checkedInAt"].as_str().expect("an instant");
    assert!(arrived.starts_with("2026-02-18T13:") && arrived.ends_with("+01:00"), "{arrived}");
    assert_eq!(run(&data, &curl), [first], "the same answer again");
}
