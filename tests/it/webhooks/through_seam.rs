//! Webhooks and events as clients of Seam's API ask for them.

use std::sync::Arc;

use chrono_tz::Tz;
use latchkey::webhooks::Sender;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::secrets::verify;
use super::{PATIENT, deliver, endpoint, settings};
use crate::access_grants::Doors;
use crate::support::{House, Received, Receiver, Reply, TestApp, TestServer, text};

/// A hotel with a lock vendor that has been made for Seam's API.
struct Vendor {
    doors: Doors,
    server: TestServer,
    key: String,
}

impl Vendor {
    async fn new() -> Self {
        let test = TestApp::with_webhooks(settings("127.0.0.0/8")).await;
        let doors = Doors::of(House::on(test, "grand-hotel", Tz::Europe__Berlin).await).await;
        let server = TestServer::start(&doors.house.test).await;
        let key = doors.house.keys.live.replace("pms_", "seam_");
        Self { doors, server, key }
    }

    async fn ask(&self, path: &str, parameters: Value) -> (StatusCode, Value) {
        let request = self.server.request("POST", &format!("/seam{path}")).bearer_auth(&self.key);
        let answer = request.json(&parameters).send().await.expect("an answer");
        (answer.status(), answer.json().await.expect("JSON"))
    }

    async fn done(&self, path: &str, parameters: Value) -> Value {
        let (status, body) = self.ask(path, parameters).await;
        assert_eq!((status, &body["ok"]), (StatusCode::OK, &json!(true)), "{path} {body}");
        body
    }

    /// Status, type and what it says about `parameter`.
    async fn refused(&self, path: &str, parameters: Value, parameter: &str) -> (u16, String, bool) {
        let (status, body) = self.ask(path, parameters).await;
        let names = body["error"]["validation_errors"][parameter]["_errors"].is_array();
        (status.as_u16(), text(&body["error"]["type"]), names)
    }
}

fn access() -> Value {
    json!({"user_identity_id": "guest-1", "acs_entrance_ids": ["gym-id"], "access_grant_key": "mine",
        "ends_at": "2026-02-04T11:00:00Z", "requested_access_methods": [{"mode": "card"}]})
}

#[tokio::test]
async fn a_webhook_is_made_listed_changed_and_deleted() {
    let vendor = Vendor::new().await;
    let made = vendor.done("/webhooks/create", json!({"url": "https://example.com/"})).await["webhook"].clone();
    assert!(text(&made["secret"]).starts_with("whsec_"));
    let shown = json!({"webhook_id": made["webhook_id"], "url": "https://example.com/", "event_types": ["*"]});
    let id = json!({"webhook_id": made["webhook_id"]});
    assert_eq!(vendor.done("/webhooks/get", id.clone()).await["webhook"], shown);
    let types = json!(["access_grant.created", "access_method.issued"]);
    let update = json!({"webhook_id": made["webhook_id"], "event_types": types});
    vendor.done("/webhooks/update", update).await;
    let listed = vendor.done("/webhooks/list", json!({})).await["webhooks"].clone();
    assert_eq!(
        listed,
        json!([{"webhook_id": made["webhook_id"], "url": "https://example.com/", "event_types": types}])
    );
    vendor.done("/webhooks/delete", id.clone()).await;
    assert_eq!(vendor.done("/webhooks/list", json!({})).await["webhooks"], json!([]));
    let (status, body) = vendor.ask("/webhooks/delete", id.clone()).await;
    assert_eq!((status.as_u16(), &body["error"]["type"]), (404, &json!("webhook_not_found")));
    assert_eq!(body["error"]["data"], id);
}

#[tokio::test]
async fn types_that_there_are_not_are_refused_as_seams_api_does() {
    let vendor = Vendor::new().await;
    let create = |types: Value| json!({"url": "https://example.com/", "event_types": types});
    let (status, body) = vendor.ask("/webhooks/create", create(json!(["access_grant.created", "lock.locked"]))).await;
    assert_eq!((status.as_u16(), &body["error"]["type"]), (400, &json!("invalid_event_types")));
    assert!(text(&body["error"]["message"]).contains("access_method.issued"));
    let none = vendor.refused("/webhooks/create", create(json!([])), "event_types").await;
    assert_eq!(none, (400, "invalid_input".to_owned(), true));
    let url = json!({"url": "ftp://example.com/"});
    assert_eq!(vendor.refused("/webhooks/create", url, "url").await, (400, "invalid_input".to_owned(), true));
}

#[tokio::test]
async fn an_endpoint_that_is_told_in_our_names_is_no_webhook_there() {
    let vendor = Vendor::new().await;
    let (id, _) = endpoint(&vendor.doors.house.locks, "https://example.com/", &["room_stay.created"]).await;
    assert_eq!(vendor.done("/webhooks/list", json!({})).await["webhooks"], json!([]));
    for (path, parameters) in [
        ("/webhooks/get", json!({"webhook_id": id})),
        ("/webhooks/update", json!({"webhook_id": id, "event_types": ["*"]})),
        ("/webhooks/delete", json!({"webhook_id": id})),
    ] {
        let refused = vendor.refused(path, parameters, "webhook_id").await;
        assert_eq!(refused, (404, "webhook_not_found".to_owned(), false), "{path}");
    }
}

#[tokio::test]
async fn an_event_reads_the_same_as_a_webhook_in_a_list_and_by_itself() {
    let vendor = Vendor::new().await;
    let house = &vendor.doors.house;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let made = vendor.done("/webhooks/create", json!({"url": receiver.url()})).await["webhook"].clone();
    let grant = vendor.done("/access_grants/create", access()).await["access_grant"].clone();
    deliver(&house.test, &Arc::new(Sender::with_limits(PATIENT))).await;
    let mut arrived = receiver.received();
    arrived.sort_by_key(|webhook| text(&webhook.json()["event_id"]));
    for webhook in &arrived {
        assert!(verify(webhook, &text(&made["secret"]), house.test.clock.now()));
    }
    let told: Vec<Value> = arrived.iter().map(Received::json).collect();
    assert_eq!(told.len(), 2);
    let since = json!({"since": "2026-01-30T09:00:00Z"});
    assert_eq!(vendor.done("/events/list", since.clone()).await["events"], json!(told));
    let event = vendor.done("/events/get", json!({"event_id": told[1]["event_id"]})).await["event"].clone();
    assert_eq!(event, told[1]);

    let with = |name: &str, value: Value| {
        let mut parameters = since.clone();
        parameters[name] = value;
        parameters
    };
    for (parameters, expected) in [
        (with("event_type", json!("access_method.created")), &told[1..]),
        (with("event_types", json!(["access_grant.created", "lock.locked"])), &told[..1]),
        (with("event_ids", json!([told[0]["event_id"]])), &told[..1]),
        (with("access_grant_id", grant["access_grant_id"].clone()), &told[..]),
        (with("access_grant_ids", json!(["mine"])), &told[..]),
        (with("access_grant_ids", json!(["nobodys"])), &told[..0]),
        (with("access_method_id", grant["access_method_ids"][0].clone()), &told[1..]),
        (json!({"between": ["2026-01-30T08:00:00Z", "2026-01-30T09:00:00Z"]}), &told[..0]),
        (json!({"between": ["2026-01-30T09:00:00Z", "2026-01-30T10:00:00+00:00"]}), &told[..]),
    ] {
        let said = parameters.to_string();
        assert_eq!(vendor.done("/events/list", parameters).await["events"], json!(expected), "{said}");
    }
    let first = vendor.done("/events/list", with("limit", json!(1))).await;
    assert_eq!((&first["events"], &first["pagination"]["has_next_page"]), (&json!(told[..1]), &json!(true)));
    let mut behind = with("limit", json!(1));
    behind["page_cursor"] = first["pagination"]["next_page_cursor"].clone();
    let second = vendor.done("/events/list", behind).await;
    assert_eq!((&second["events"], &second["pagination"]["has_next_page"]), (&json!(told[1..]), &json!(false)));
}

#[tokio::test]
async fn events_are_listed_of_a_time_and_there_is_no_event_without_its_id() {
    let vendor = Vendor::new().await;
    let noon = json!("2026-01-30T12:00:00Z");
    for (parameters, parameter) in [
        (json!({}), "since"),
        (json!({"since": noon, "between": [noon, noon]}), "since"),
        (json!({"between": [noon]}), "between"),
        (json!({"since": "yesterday"}), "since"),
        (json!({"since": noon, "limit": 0}), "limit"),
        (json!({"since": noon, "event_types": vec!["x"; 1001]}), "event_types"),
        (json!({"since": noon, "event_ids": ["x"]}), "event_ids"),
    ] {
        let said = parameters.to_string();
        let refused = vendor.refused("/events/list", parameters, parameter).await;
        assert_eq!(refused, (400, "invalid_input".to_owned(), true), "{said}");
    }
    let nobodys = json!({"event_id": "00000000-0001-8000-8000-000000000000"});
    let (status, body) = vendor.ask("/events/get", nobodys.clone()).await;
    assert_eq!((status.as_u16(), &body["error"]["type"]), (404, &json!("event_not_found")));
    assert_eq!(body["error"]["data"], nobodys);
}
