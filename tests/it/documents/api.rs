//! The guide to GraphQL.

use latchkey::actor::Permission;
use serde_json::{Value, json};

use super::{Document, Shell, values};
use crate::limits::{Gate, default_limits};
use crate::support::header;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_guide_to_graphql_prints_is_so() {
    let mut document = Document::read("docs/API.md");
    let gate = Gate::with(default_limits()).await;
    let (house, server) = (&gate.house, &gate.server);
    let stay = house.stay("R1").await;

    let shell =
        Shell::new().reading("https://latchkey.example.com", &server.url).reading("pms_live_...", &house.keys.live);
    let answered = values(&shell.run(&[document.take("sh")]).remove(0)).remove(0);
    assert_eq!(answered["data"]["room_stays"]["edges"][0]["node"]["id"], json!(stay));

    for query in document.take_all("graphql") {
        let variables = json!({"start": "2026-01-30", "end": "2026-02-05", "stay": stay});
        house.messaging.data(&query, variables).await;
    }

    let batch: Value =
        serde_json::from_str(&document.take("json").replace("\"...\"", &format!("\"{stay}\""))).expect("JSON");
    let answers = server.run_body(&house.keys.live, &batch).await;
    assert_eq!(answers[1]["data"]["addRoomAccessKey"]["roomStay"]["id"], json!(stay), "{answers:#}");

    let refused: Value = serde_json::from_str(&document.take("json")).expect("JSON");
    let query = batch[0]["query"].as_str().expect("a query");
    let mut answer = house.locks.run(query, json!({"input": {"roomAccessPin": {"pin": "aB"}}})).await;
    answer.as_object_mut().expect("an object").remove("extensions");
    assert_eq!(answer, refused);

    // The request whose cost the guide explains, and what is left after it.
    let kiosk = house.test.integration(&house.hotel, "Kiosk", Permission::ReadOnly).await;
    let body = json!({"query": "{ room_stays(first: 20) { edges { node { id } } } }"});
    let answer = server.post(&kiosk.live, &body).send().await.expect("an answer");
    for line in document.take("http").lines() {
        let (name, value) = line.split_once(": ").expect("a header");
        assert_eq!(header(&answer, name), value, "{name}");
    }
    assert_eq!(answer.json::<Value>().await.expect("JSON")["extensions"]["cost"], 160);
}
