//! README, and the request that the guide to REST prints.

use std::fs;
use std::net::TcpListener;

use latchkey::demo::{self, DemoFile};
use serde_json::{Value, json};

use super::{Document, Shell, project, values};
use crate::support::DataDir;

/// Where the README's server is.
const README_ADDRESS: &str = "127.0.0.1:8080";

/// What is left of a GraphQL document without what means nothing in it.
fn bare(document: &str) -> String {
    document.chars().filter(|letter| !letter.is_whitespace() && *letter != ',').collect()
}

#[test]
fn the_readme_leads_from_a_demo_to_a_hotel_of_ones_own() {
    let mut document = Document::read("README.md");
    let data = DataDir::new();
    let server = data.serve_with(&["--webhook-allow-networks", "127.0.0.0/8"]);
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let shell = Shell::new()
        .with("LATCHKEY_DATA_DIR", &data.path().display().to_string())
        .reading(README_ADDRESS, server.url.strip_prefix("http://").expect("an address"))
        .reading("9000", &free.port().to_string());
    let printed = shell.run(&document.take_all("sh"));
    let [demo, stays, next, _, key, _, webhook, check_in, hotel, _, _, _, own_key] =
        &printed.iter().map(String::as_str).collect::<Vec<_>>()[..]
    else {
        panic!("{printed:#?}")
    };
    assert!(demo.contains("grand-hotel"), "{demo}");

    let stays = &values(stays)[0]["data"]["room_stays"];
    assert_eq!(stays["edges"].as_array().map(Vec::len), Some(20), "{stays}");
    assert_eq!(stays["pageInfo"]["hasNextPage"], true);
    assert!(!stays.to_string().contains(r#""roomAccessKey":{}"#), "{stays}");
    let next = &values(next)[0]["data"]["room_stays"]["edges"];
    assert_eq!(next.as_array().map(Vec::len), Some(10), "{next}");

    let key = &values(key)[0];
    let stay = &key[1]["data"]["addRoomAccessKey"]["roomStay"];
    assert_eq!(stay["room_setup"]["name"], "301", "{key}");
    assert_eq!(stay["roomAccessKey"]["id"], key[0]["data"]["createRoomAccessKey"]["roomAccessKey"]["id"]);

    assert!(webhook.ends_with("verified: webhook.test\n"), "{webhook}");

    let check_in = &values(check_in)[0];
    assert_eq!((&check_in["status"], &check_in["created"]), (&json!("success"), &json!(false)), "{check_in}");
    assert_eq!(check_in["guest"]["roomNumber"], "301");

    assert!(hotel.contains("my-hotel"), "{hotel}");
    let expected = json!({"room_setup": {"name": "101"}, "roomAccessKey": {"pin": "2718"}});
    assert_eq!(values(own_key)[0]["data"]["addRoomAccessKey"]["roomStay"], expected, "{own_key}");
}

#[test]
fn g29_the_first_query_tells_of_the_next_page_and_of_every_type_of_key_as_dev_run_prints_it() {
    let readme = fs::read_to_string(project().join("README.md")).expect("text");
    let query = readme.split("stays='").nth(1).and_then(|rest| rest.split('\'').next()).expect("the first query");
    assert!(query.contains("pageInfo { endCursor hasNextPage }"));
    let schema = fs::read_to_string(project().join("schema.graphql")).expect("text");
    let types = schema.lines().filter_map(|line| line.strip_prefix("type ")?.split_once(" implements RoomAccessKey"));
    let types: Vec<&str> = types.map(|(name, _)| name).collect();
    assert_eq!(types.len(), 3);
    for name in types {
        assert!(query.contains(&format!("... on {name} {{")), "{name}");
    }

    let integration = demo::DemoIntegration {
        name: "Guest Messaging".into(),
        permission: "READ_ONLY".into(),
        live_key: "pms_live_1".into(),
        test_key: "pms_test_1".into(),
    };
    let hotel = demo::DemoHotel { slug: "grand-hotel".into(), integrations: vec![integration] };
    let file = DemoFile { url: format!("http://{README_ADDRESS}"), hotels: vec![hotel] };
    let line = demo::curl(&file, "2026-01-30T09:00:00Z".parse().expect("an instant")).expect("a line");
    let body = line.trim_end().rsplit_once("-d '").and_then(|(_, body)| body.strip_suffix('\'')).expect("a body");
    let body: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(bare(body["query"].as_str().expect("a query")), bare(query));
}

#[test]
fn e05_the_printed_curl_works_at_its_own_date_with_host_and_key_replaced() {
    let data = DataDir::new();
    let server = data.serve_with(&["--clock", "2026-02-18T12:00:00Z"]);
    let demo = DemoFile::read(data.path()).expect("readable").expect("written");
    let hotel = demo.hotels.iter().find(|hotel| hotel.slug == "grand-hotel").expect("the hotel");
    let key = &hotel.integrations.iter().find(|one| one.permission == "WRITE").expect("a key").live_key;
    let printed = include_str!("../conformance/seed/check_in.sh").to_owned();
    let shell = Shell::new()
        .reading("https://app.recepai.ai", &server.url)
        .reading("pms_live_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6", key);
    let answered = shell.run(&[printed.clone()]).remove(0);
    let first = values(&answered).remove(0);
    assert_eq!((&first["status"], &first["created"]), (&json!("success"), &json!(false)), "{first}");
    let guest = &first["guest"];
    assert_eq!((&guest["roomNumber"], &guest["checkOutDate"]), (&json!("301"), &json!("2026-02-22")));
    assert_eq!(guest["checkInDate"], "2026-02-18");
    let arrived = guest["checkedInAt"].as_str().expect("an instant");
    assert!(arrived.starts_with("2026-02-18T13:") && arrived.ends_with("+01:00"), "{arrived}");
    assert_eq!(shell.run(&[printed]), [answered.clone()], "the same answer again");

    // The guide to REST prints the same request, and the answer to one that is refused.
    let mut document = Document::read("docs/REST.md");
    let request = document.take("sh");
    let shell = Shell::new().reading("https://latchkey.example.com", &server.url).reading("pms_live_...", key);
    assert_eq!(shell.run(&[request.clone()]), [answered], "the same request");
    let late = request.replace("2026-02-22", "2026-02-17").replace("20260218", "20260217");
    let mut refused = values(&shell.run(&[late]).remove(0)).remove(0);
    let mut printed = values(&document.take("json")).remove(0);
    for answer in [&mut refused, &mut printed] {
        let id = answer["requestId"].take();
        assert!(id.as_str().is_some_and(|id| id.starts_with("req_") && id.len() == 12), "{id}");
    }
    assert_eq!(refused, printed);
}
