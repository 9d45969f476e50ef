//! The OpenAPI document is in step with what is served.

use std::collections::BTreeSet;

use latchkey::rest::{Command, openapi};
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
    let mut paths: BTreeSet<String> = Command::NAMES.iter().map(|name| path(&format!("/{name}"))).collect();
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
        let input = resolved(&document, &operation["requestBody"]["content"]["application/json"]["schema"]);
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

/// A schema, or the one that it points to.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(place) => document.pointer(place.trim_start_matches('#')).expect("a schema"),
        None => schema,
    }
}

/// Names in backquotes.
fn quoted(text: &str) -> BTreeSet<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[tokio::test]
async fn g18_rest_md_lists_the_routes_and_fields_that_are_served() {
    let desk = Desk::new().await;
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/REST.md")).expect("docs/REST.md");
    let routes = text.split("## Routes").nth(1).and_then(|rest| rest.split("\n##").next()).expect("its table");
    let base = quoted(routes.lines().find(|line| line.starts_with("All below")).expect("where they are"));
    let base = base.first().expect("a path");
    let document = openapi::document();
    let mut listed = BTreeSet::new();
    for row in routes.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches(['|', ' ']).split(" | ").collect();
        let (route, body, answer) = (quoted(cells[0]), cells[1], cells[2]);
        let route = route.first().expect("a route");
        let (method, path) = route.split_once(' ').unwrap_or((route, ""));
        let path = format!("{base}{path}");
        let operation = &document["paths"][&path][method.to_lowercase()];
        assert!(operation.is_object(), "{row}");
        listed.insert(path.clone());

        let served =
            desk.server.request(method, &path.replace("{hotel}", "grand-hotel")).send().await.expect("an answer");
        assert_eq!(served.status(), 401, "{row}");

        let result = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        let mut answered = required(result);
        answered.remove("status");
        let said: BTreeSet<String> =
            quoted(answer).iter().map(|name| name.split(':').next().unwrap_or_default().to_owned()).collect();
        assert_eq!(said, answered, "{row}");

        if method == "GET" {
            let parameters = operation["parameters"].as_array().expect("parameters").iter();
            let names = parameters.filter_map(|parameter| parameter["name"].as_str());
            assert_eq!(quoted(body), names.map(|name| format!("?{name}=")).collect(), "{row}");
            continue;
        }
        let schema = resolved(&document, &operation["requestBody"]["content"]["application/json"]["schema"]);
        let mut fields = keys(&schema["properties"]);
        assert!(fields.remove("reason"), "every body may hold one");
        assert_eq!(quoted(body), fields, "{row}");
        let needed = body.split("; optional").next().and_then(|body| body.split(" and what changes").next());
        let needed = needed.unwrap_or_default();
        assert_eq!(quoted(needed), required(schema), "{row}");
    }
    assert_eq!(listed, keys(&document["paths"]));
}

/// What the document says of every place in it: nothing is left open that the server looks at.
#[tokio::test]
async fn g24_the_document_says_of_every_field_what_the_server_takes() {
    let document = openapi::document();
    assert_eq!(document["servers"][0]["url"], "/");
    let mut loose = Vec::new();
    look_for_loose_ends(&document, "", &mut loose);
    assert!(loose.is_empty(), "{loose:#?}");
    let text = document.to_string();
    for place in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(document.pointer(place).is_some(), "{place}");
    }
    // At the ends of what the document allows, the server takes it; one step behind, it does not.
    let desk = Desk::new().await;
    desk.house.room("301").await;
    for (name, schema) in document["components"]["schemas"]["CheckIn"]["properties"].as_object().expect("fields") {
        let Some(longest) = schema["maxLength"].as_u64().filter(|_| name != "language" && name != "roomNumber") else {
            continue;
        };
        let longest = usize::try_from(longest).expect("a length");
        let with = |value: String| {
            let mut body = doe(&format!("G-{name}"));
            body[name] = json!(value);
            body
        };
        desk.post("checkin", with("\u{1f511}".repeat(longest))).await;
        for wrong in ["x".repeat(longest + 1), " ".into(), String::new(), "a\u{85}b".into(), "\u{3000}".into()] {
            let refused = desk.refused("checkin", with(wrong)).await;
            assert_eq!(refused, (400, "INVALID_ARGUMENT".to_owned(), json!(name)));
        }
    }
}

/// Collects texts in requests that have no bound, and constants and enumerations without a type.
fn look_for_loose_ends(value: &Value, path: &str, loose: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            let lacks = |name: &str| !object.contains_key(name);
            if !lacks("const") && lacks("type") {
                loose.push(format!("{path}: a constant without a type"));
            }
            let of_text = object.get("type").is_some_and(|kind| kind == "string" || kind == &json!(["string", "null"]));
            let sent = ["/CheckIn/", "/Update/", "/CheckOut/", "/Sync/", "/parameters/"]
                .iter()
                .any(|part| path.contains(part));
            if of_text && sent && lacks("maxLength") && lacks("format") {
                loose.push(format!("{path}: a text without a bound"));
            }
            object.iter().for_each(|(name, value)| look_for_loose_ends(value, &format!("{path}/{name}"), loose));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| {
                look_for_loose_ends(value, &format!("{path}/{index}"), loose);
            });
        }
        _ => {}
    }
}
