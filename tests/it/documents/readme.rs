//! README, and the request that the guide to REST prints.

use std::net::TcpListener;

use latchkey::demo::DemoFile;
use serde_json::json;

use super::{Document, Shell, values};
use crate::support::DataDir;

/// Where the README's server is.
const README_ADDRESS: &str = "127.0.0.1:8080";

/// What is left of a GraphQL document without what means nothing in it.
fn bare(document: &str) -> String {
    document.chars().filter(|letter| !letter.is_whitespace() && *letter != ',').collect()
}

#[test]
fn g29_the_readme_leads_from_the_query_that_dev_run_prints_to_a_hotel_of_ones_own() {
    let mut document = Document::read("README.md");
    let data = DataDir::new();
    let server = data.serve_with(&["--webhook-allow-networks", "127.0.0.0/8"]);
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let shell = Shell::new()
        .with("LATCHKEY_DATA_DIR", &data.path().display().to_string())
        .reading(README_ADDRESS, server.url.strip_prefix("http://").expect("an address"))
        .reading("9000", &free.port().to_string());
    let blocks = document.take_all("sh");
    let first_query = blocks[1].split('\'').nth(1).expect("a query between quotes");
    for kind in ["RoomAccessPin", "RoomAccessKeyStorage", "RoomAccessQR"] {
        assert!(first_query.contains(&format!("... on {kind} {{")), "{kind}");
    }
    let line = data.print(&["demo", "--curl"]);
    let body = line.trim_end().rsplit_once("-d '").and_then(|(_, body)| body.strip_suffix('\'')).expect("a body");
    assert_eq!(bare(values(body)[0]["query"].as_str().expect("a query")), bare(first_query));

    let printed = shell.run(&blocks);
    let [demo, stays, next, _, key, _, webhook, check_in, hotel, _, _, _, own_key, bookings] =
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

    let (dry_run, import) = bookings.split_once("this was a dry run").expect("a dry run first");
    assert!(dry_run.contains("to create") && import.contains("created"), "{bookings}");
}

#[test]
fn e05_the_printed_curl_works_at_its_own_date_with_host_and_key_replaced() {
    let data = DataDir::new();
    let server = data.serve_with(&["--clock", "2026-02-18T12:00:00Z"]);
    let demo = DemoFile::read(data.path()).expect("readable").expect("written");
    let hotel = demo.hotels.iter().find(|hotel| hotel.slug == "grand-hotel").expect("the hotel");
    let key = &hotel.integrations.iter().find(|one| one.permission == "WRITE").expect("a key").live_key;
    let printed = include_str!("../conformance/seed/check_in.sh");
    let shell = Shell::new()
        .reading("https://app.recepai.ai", &server.url)
        .reading("pms_live_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6", key);
    let answered = shell.run(&[&printed]).remove(0);
    let first = values(&answered).remove(0);
    assert_eq!((&first["status"], &first["created"]), (&json!("success"), &json!(false)), "{first}");
    let guest = &first["guest"];
    assert_eq!((&guest["roomNumber"], &guest["checkOutDate"]), (&json!("301"), &json!("2026-02-22")));
    assert_eq!(guest["checkInDate"], "2026-02-18");
    let arrived = guest["checkedInAt"].as_str().expect("an instant");
    assert!(arrived.starts_with("2026-02-18T13:") && arrived.ends_with("+01:00"), "{arrived}");
    assert_eq!(shell.run(&[&printed])[0], answered, "the same answer again");

    // The guide to REST prints the same request, and the answer to one that is refused.
    let mut document = Document::read("docs/REST.md");
    let request = document.take("sh");
    let shell = Shell::new().reading("https://latchkey.example.com", &server.url).reading("pms_live_...", key);
    assert_eq!(shell.run(&[&request]), [answered], "the same request");
    let late = request.replace("2026-02-22", "2026-02-17").replace("20260218", "20260217");
    let mut refused = values(&shell.run(&[late]).remove(0)).remove(0);
    let mut printed = values(&document.take("json")).remove(0);
    for answer in [&mut refused, &mut printed] {
        let id = answer["requestId"].take();
        assert!(id.as_str().is_some_and(|id| id.starts_with("req_") && id.len() == 12), "{id}");
    }
    assert_eq!(refused, printed);
}
