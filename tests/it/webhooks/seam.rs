//! Endpoints that are told in the names and in the form of Seam's API.

use std::sync::Arc;

use chrono::TimeDelta;
use chrono_tz::Tz;
use latchkey::webhooks::Sender;
use serde_json::{Value, json};

use super::secrets::verify;
use super::{CREATE, PATIENT, TEST, UPDATE, deliver, log, made, settings};
use crate::access_grants::Doors;
use crate::support::{Client, House, Received, Receiver, Reply, TestApp, code, text};

/// A lock vendor with doors, and a receiver of what it is told.
struct Vendor {
    doors: Doors,
    receiver: Receiver,
    sender: Arc<Sender>,
}

impl Vendor {
    async fn new() -> Self {
        let test = TestApp::with_webhooks(settings("127.0.0.0/8")).await;
        let doors = Doors::of(House::on(test, "grand-hotel", Tz::Europe__Berlin).await).await;
        let receiver = Receiver::new(Reply::Status(200)).await;
        Self { doors, receiver, sender: Arc::new(Sender::with_limits(PATIENT)) }
    }

    /// Makes an enabled endpoint at the receiver; answers with its id and its secret.
    async fn endpoint(&self, client: &Client, types: &[&str]) -> (String, String) {
        made(client, json!({"url": self.receiver.url(), "status": "ENABLED", "format": "SEAM", "events": types})).await
    }

    async fn deliver(&self) -> usize {
        deliver(&self.doors.house.test, &self.sender).await
    }

    /// What has arrived since so many webhooks.
    async fn told_since(&self, count: usize) -> Vec<Received> {
        self.deliver().await;
        self.receiver.received().split_off(count)
    }

    async fn act(&self, name: &str, input: Value, selection: &str) {
        self.doors.house.locks.done(name, input, selection).await;
    }
}

fn access() -> Value {
    json!({"userIdentityId": "guest-1", "entranceIds": ["room-101-id"], "reservationKey": "R1",
        "startsAt": "2026-02-01T15:00:00Z", "endsAt": "2026-02-04T11:00:00Z", "requestedAccessMethods": [{"mode": "CARD"}]})
}

/// Types of events in the order in which they were committed. Webhooks arrive in no order; ids begin with the position.
fn types(arrived: &[Received]) -> Vec<String> {
    let mut bodies: Vec<Value> = arrived.iter().map(Received::json).collect();
    bodies.sort_by_key(|body| text(&body["event_id"]));
    bodies.iter().map(|body| text(&body["event_type"])).collect()
}

#[tokio::test]
async fn a_story_of_a_card_is_told_in_seams_names() {
    let vendor = Vendor::new().await;
    let (endpoint, _) = vendor.endpoint(&vendor.doors.house.locks, &["*"]).await;
    let mut told = 0;
    let mut types_since = async || {
        let arrived = vendor.told_since(told).await;
        told += arrived.len();
        types(&arrived)
    };
    let grant = vendor.doors.grant(access()).await;
    assert_eq!(types_since().await, ["access_grant.created", "access_method.created"]);
    vendor.doors.encode(&grant).await;
    assert_eq!(types_since().await, ["access_method.issued"]);
    vendor.act("updateAccessGrant", json!({"id": grant, "name": "Anna"}), "accessGrant { id }").await;
    assert_eq!(types_since().await, Vec::<String>::new(), "Seam's API has no event of a new name");
    let later = json!({"id": grant, "endsAt": "2026-02-05T11:00:00Z"});
    vendor.act("updateAccessGrant", later, "accessGrant { id }").await;
    assert_eq!(types_since().await, ["access_grant.access_times_changed", "access_method.card_encoding_required"]);
    vendor.doors.encode(&grant).await;
    assert_eq!(types_since().await, ["access_method.reissued"]);
    vendor.act("deleteAccessGrant", json!({"id": grant}), "deleted").await;
    assert_eq!(types_since().await, ["access_method.revoked", "access_grant.deleted"]);
    vendor.doors.house.stay("R1").await;
    vendor.doors.house.locks.data(TEST, json!({"id": endpoint})).await;
    assert_eq!(types_since().await, ["webhook.test"]);
}

#[tokio::test]
async fn bodies_are_those_of_seams_api_and_the_log_names_events_as_they_do() {
    let vendor = Vendor::new().await;
    let house = &vendor.doors.house;
    let (endpoint, secret) = vendor.endpoint(&house.locks, &["access_grant.created", "access_method.created"]).await;
    let grant = vendor.doors.grant(access()).await;
    let method = text(&vendor.doors.methods(&grant, "id").await[0]["id"]);
    house.locks.data(TEST, json!({"id": endpoint})).await;
    house.test.advance(TimeDelta::milliseconds(1));
    let arrived = vendor.told_since(0).await;
    let mut bodies: Vec<Value> = arrived.iter().map(Received::json).collect();
    bodies.sort_by_key(|body| text(&body["event_id"]));
    let expected = [
        json!({"event_type": "access_grant.created", "access_grant_id": grant}),
        json!({"event_type": "access_method.created", "access_method_id": method, "access_grant_ids": [grant]}),
        json!({"event_type": "webhook.test", "webhook_id": endpoint}),
    ];
    for (body, mut expected) in bodies.iter().zip(expected) {
        expected["event_id"] = body["event_id"].clone();
        expected["workspace_id"] = json!(house.hotel.id);
        expected["created_at"] = json!("2026-01-30T09:00:00.000Z");
        expected["occurred_at"] = expected["created_at"].clone();
        assert_eq!(body, &expected);
    }
    assert_eq!(bodies.len(), 3);
    for webhook in &arrived {
        assert_eq!(webhook.header("webhook-id"), webhook.json()["event_id"].as_str());
        assert!(verify(webhook, &secret, house.test.clock.now()));
    }
    let mut logged = log(&house.locks, &endpoint).await;
    logged.reverse();
    for (delivery, body) in logged.iter().zip(&bodies) {
        assert_eq!(delivery["eventId"], body["event_id"]);
        assert_eq!(delivery["eventType"], body["event_type"]);
    }
    assert_eq!(logged.len(), 3);
}

#[tokio::test]
async fn a_body_in_seams_form_is_the_same_at_every_attempt() {
    let vendor = Vendor::new().await;
    vendor.endpoint(&vendor.doors.house.locks, &["access_grant.access_times_changed", "access_method.created"]).await;
    vendor.receiver.usually(Reply::Status(500));
    let grant = vendor.doors.grant(access()).await;
    let first = vendor.told_since(0).await;
    vendor.receiver.usually(Reply::Status(200));
    vendor.act("deleteAccessGrant", json!({"id": grant}), "deleted").await;
    vendor.doors.house.test.advance(TimeDelta::seconds(12));
    let second = vendor.told_since(1).await;
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_eq!(first[0].body, second[0].body);
    assert_ne!(first[0].header("webhook-timestamp"), second[0].header("webhook-timestamp"));
}

#[tokio::test]
async fn endpoints_of_both_formats_are_each_told_in_theirs_of_what_they_asked_for_and_may_see() {
    let vendor = Vendor::new().await;
    let house = &vendor.doors.house;
    vendor.endpoint(&house.locks, &["access_method.issued"]).await;
    vendor.endpoint(&house.other_locks, &["*"]).await;
    let ours = Receiver::new(Reply::Status(200)).await;
    super::endpoint(&house.locks, &ours.url(), &["access_grant.created", "access_method.updated"]).await;
    let grant = vendor.doors.grant(access()).await;
    vendor.doors.encode(&grant).await;
    assert_eq!(vendor.deliver().await, 3);
    assert_eq!(types(&vendor.receiver.received()), ["access_method.issued"]);
    let mut told: Vec<Value> = ours.received().iter().map(Received::json).collect();
    told.sort_by_key(|body| text(&body["type"]));
    assert_eq!(told[0]["data"], json!({"object": {"id": grant}}));
    let fields = json!(["issuedAt", "encodedAt", "isEncodingRequired"]);
    assert_eq!((&told[1]["type"], &told[1]["data"]["updated_fields"]), (&json!("access_method.updated"), &fields));
}

#[tokio::test]
async fn who_is_told_all_in_seams_names_is_told_no_trial_of_another_endpoint() {
    let vendor = Vendor::new().await;
    let house = &vendor.doors.house;
    let (tried, _) = vendor.endpoint(&house.locks, &["*"]).await;
    let (other, _) = vendor.endpoint(&house.locks, &["*"]).await;
    house.locks.data(TEST, json!({"id": tried})).await;
    assert_eq!(vendor.deliver().await, 1);
    assert_eq!((log(&house.locks, &tried).await.len(), log(&house.locks, &other).await.len()), (1, 0));
}

#[tokio::test]
async fn types_are_those_of_the_format_and_a_star_stands_for_all_of_seams() {
    let vendor = Vendor::new().await;
    let locks = &vendor.doors.house.locks;
    let new = |format: &str, types: &[&str]| json!({"input": {"url": "https://example.com/", "status": "DISABLED", "format": format, "events": types}});
    for (format, name) in [
        ("SEAM", "room_stay.created"),
        ("SEAM", "access_method.updated"),
        ("SEAM", "webhook.test"),
        ("LATCHKEY", "*"),
        ("LATCHKEY", "access_method.issued"),
    ] {
        let error = locks.error(CREATE, new(format, &["access_grant.created", name])).await;
        assert_eq!(error["extensions"]["code"], "INVALID_ARGUMENT", "{format} {name}");
        assert_eq!(error["extensions"]["argumentPath"], json!(["input", "events", 1]));
    }
    assert_eq!(code(&locks.run(CREATE, new("SEAM", &[])).await), "INVALID_ARGUMENT");
    let (id, _) = made(locks, new("SEAM", &["access_method.issued", "access_grant.deleted"])["input"].clone()).await;
    let query = "query($id: ID!) { webhookEndpoints(filter: {id: {eq: $id}}) { edges { node { format events } } } }";
    let read = async || {
        let data = locks.data(query, json!({"id": id})).await;
        data["webhookEndpoints"]["edges"][0]["node"].clone()
    };
    let sorted = json!({"format": "SEAM", "events": ["access_grant.deleted", "access_method.issued"]});
    assert_eq!(read().await, sorted);
    let error = locks.error(UPDATE, json!({"input": {"id": id, "events": ["room_stay.created"]}})).await;
    assert_eq!(error["extensions"]["argumentPath"], json!(["input", "events", 0]));
    locks.data(UPDATE, json!({"input": {"id": id, "events": ["access_method.issued", "*"]}})).await;
    assert_eq!(read().await, json!({"format": "SEAM", "events": ["*"]}));
}
