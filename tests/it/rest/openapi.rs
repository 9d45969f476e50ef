//! The OpenAPI document is in step with what is served.

use std::collections::BTreeSet;

use latchkey::rest::Act;
use serde_json::{Value, json};

use super::{Desk, doe};

fn keys(object: &Value) -> BTreeSet<String> {
    object.as_object().unwrap_or_else(|| panic!("an object, not {object}")).keys().cloned().collect()
}

/// Names that a schema requires.
fn required(schema: &Value) -> BTreeSet<String> {
    let names = schema["required"].as_array().expect("names");
    names.iter().map(|name| name.as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn the_document_is_served_and_describes_every_route_and_answer() {
    let desk = Desk::new().await;
    desk.house.room("301").await;
    let document = desk.server.request("GET", "/api/pms/v1/openapi.json").send().await.expect("an answer");
    let document: Value = document.json().await.expect("JSON");
    assert_eq!(document["openapi"], "3.1.0");
    let path = |name: &str| format!("/api/pms/v1/{{hotel}}/guests{name}");
    let mut paths: BTreeSet<String> = Act::NAMES.iter().map(|name| path(&format!("/{name}"))).collect();
    paths.insert(path(""));
    assert_eq!(keys(&document["paths"]), paths);

    for (name, body) in [
        ("checkin", doe("A")),
        ("update", json!({"pmsGuestId": "A"})),
        ("checkout", json!({"pmsGuestId": "A"})),
        ("sync", json!({"guests": []})),
    ] {
        let operation = &document["paths"][path(&format!("/{name}"))]["post"];
        let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        let answer = desk.post(name, body.clone()).await;
        assert_eq!(keys(&answer), required(schema), "{name}");
        let input = &operation["requestBody"]["content"]["application/json"]["schema"];
        for field in required(input) {
            let mut lacking = body.clone();
            lacking.as_object_mut().expect("a body").remove(&field);
            assert_eq!(desk.refused(name, lacking).await.2, json!(field), "{name} needs {field}");
        }
        for field in keys(&input["properties"]) {
            let mut wrong = body.clone();
            wrong[&field] = json!(7);
            assert_eq!(desk.refused(name, wrong).await.2, json!(field), "{name} reads {field}");
        }
    }
    desk.post("checkin", doe("A")).await;
    let list = desk.in_house("").await;
    let schemas = &document["components"]["schemas"];
    assert_eq!(keys(&list["guests"][0]), required(&schemas["Guest"]));
    let schema = &document["paths"][path("")]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
    assert_eq!(keys(&list), required(schema));
    let error: Value = desk
        .server
        .request("GET", "/api/pms/v1/grand-hotel/guests")
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    assert_eq!(keys(&error), required(&schemas["Error"]));
}
