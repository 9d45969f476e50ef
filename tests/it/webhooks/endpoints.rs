//! Managing endpoints.

use futures_util::future::join_all;
use latchkey::actor::Permission;
use serde_json::{Value, json};

use super::{CREATE, DELETE, Hooks, UPDATE, endpoint};
use crate::support::{Client, Receiver, Reply, code, text};

fn input(status: &str) -> Value {
    json!({"input": {"url": "https://example.com/hooks", "status": status, "events": ["room_stay.created"]}})
}

async fn enabled(hooks: &Hooks) -> usize {
    let data =
        hooks.house.locks.data("{ webhookEndpoints(first: 100) { edges { node { status } } } }", json!({})).await;
    let edges = data["webhookEndpoints"]["edges"].as_array().expect("edges").clone();
    edges.iter().filter(|edge| edge["node"]["status"] == "ENABLED").count()
}

#[tokio::test]
async fn an_endpoint_is_made_changed_and_deleted() {
    let hooks = Hooks::new().await;
    let (id, _) = hooks.endpoint("https://example.com", &["room_stay.updated", "room_stay.created"]).await;
    let made = hooks.read(&id).await;
    assert_eq!(
        made,
        json!({
            "id": id, "url": "https://example.com", "status": "ENABLED",
            "events": ["room_stay.created", "room_stay.updated"], "disabledReason": null, "disabledAt": null,
            "lastSuccessAt": null, "createdAt": "2026-01-30T10:00:00+01:00", "updatedAt": "2026-01-30T10:00:00+01:00",
        })
    );
    let change = json!({"id": id, "url": "https://example.org/", "status": "DISABLED", "events": ["client.updated"]});
    hooks.house.locks.data(UPDATE, json!({"input": change})).await;
    let changed = hooks.read(&id).await;
    assert_eq!(
        (&changed["url"], &changed["status"], &changed["events"]),
        (&json!("https://example.org/"), &json!("DISABLED"), &json!(["client.updated"]))
    );
    hooks.house.locks.data(DELETE, json!({"id": id})).await;
    assert_eq!(hooks.read(&id).await, Value::Null);
    assert_eq!(code(&hooks.house.locks.run(DELETE, json!({"id": id})).await), "NOT_FOUND");
}

#[tokio::test]
async fn types_of_events_are_checked_with_their_place() {
    let hooks = Hooks::new().await;
    for (events, path) in [
        (json!(["room_stay.created", "room_stay.moved"]), json!(["input", "events", 1])),
        (json!(["webhook.test"]), json!(["input", "events", 0])),
        (json!([]), json!(["input", "events"])),
    ] {
        let input = json!({"url": "https://example.com", "status": "ENABLED", "events": events});
        let error = hooks.house.locks.error(CREATE, json!({"input": input})).await;
        assert_eq!((&error["extensions"]["argumentPath"]), (&path), "{error}");
    }
    assert_eq!(enabled(&hooks).await, 0);
}

#[tokio::test]
async fn an_integration_sees_and_changes_its_own_endpoints_only() {
    let hooks = Hooks::new().await;
    let (id, _) = hooks.endpoint("https://example.com", &["room_stay.created"]).await;
    let other = &hooks.house.other_locks;
    let listed = other.data("{ webhookEndpoints { totalCount } }", json!({})).await;
    assert_eq!(listed["webhookEndpoints"]["totalCount"], 0);
    assert_eq!(code(&other.run(DELETE, json!({"id": id})).await), "NOT_FOUND");
    let change = json!({"input": {"id": id, "status": "DISABLED"}});
    assert_eq!(code(&other.run(UPDATE, change).await), "NOT_FOUND");
    for mutation in ["rotateWebhookSecret", "sendTestWebhook"] {
        let query = format!("mutation($id: ID!) {{ {mutation}(input: {{id: $id}}) {{ webhookEndpoint {{ id }} }} }}");
        let error = other.error(&query, json!({"id": id})).await;
        assert_eq!(error["extensions"]["code"], "NOT_FOUND");
        assert_eq!(error["extensions"]["argumentPath"], json!(["input", "id"]));
    }
    assert_eq!(super::log(other, &id).await, Vec::<Value>::new());
    assert_eq!(hooks.read(&id).await["status"], "ENABLED");
}

#[tokio::test]
async fn at_most_five_are_enabled_whoever_comes_first() {
    let hooks = Hooks::new().await;
    let made = join_all((0..8).map(|_| hooks.house.locks.run(CREATE, input("ENABLED")))).await;
    let refused: Vec<_> = made.iter().filter(|response| response.get("errors").is_some()).collect();
    assert_eq!((refused.len(), enabled(&hooks).await), (3, 5));
    assert_eq!(refused[0]["errors"][0]["extensions"]["argumentPath"], json!(["input", "status"]));
    // Disabled ones do not count, until they are enabled.
    let spare = hooks.house.locks.data(CREATE, input("DISABLED")).await;
    let spare = text(&spare["createWebhookEndpoint"]["webhookEndpoint"]["id"]);
    let enable = json!({"input": {"id": spare, "status": "ENABLED"}});
    assert_eq!(code(&hooks.house.locks.run(UPDATE, enable.clone()).await), "INVALID_ARGUMENT");
    let data = hooks.house.locks.data("{ webhookEndpoints(first: 1) { edges { node { id } } } }", json!({})).await;
    let first = text(&data["webhookEndpoints"]["edges"][0]["node"]["id"]);
    hooks.disable(&first).await;
    hooks.house.locks.data(UPDATE, enable).await;
    assert_eq!(enabled(&hooks).await, 5);
    // Each integration has its own five.
    endpoint(&hooks.house.other_locks, "https://example.com", &["room_stay.created"]).await;
}

#[tokio::test]
async fn an_integration_has_at_most_fifty() {
    let hooks = Hooks::new().await;
    for _ in 0..50 {
        hooks.house.locks.data(CREATE, input("DISABLED")).await;
    }
    assert_eq!(code(&hooks.house.locks.run(CREATE, input("DISABLED")).await), "INVALID_ARGUMENT");
}

#[tokio::test]
async fn endpoints_of_a_reading_integration_are_managed_with_another_key_of_it() {
    let hooks = Hooks::new().await;
    let house = &hooks.house;
    assert_eq!(code(&house.messaging.run(CREATE, input("ENABLED")).await), "FORBIDDEN");
    let keys = house.test.integration(&house.hotel, "Messaging", Permission::Write).await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let (id, _) = endpoint(&Client::new(&house.test, &keys.live).await, &receiver.url(), &["room_stay.created"]).await;
    house.stay("R1").await;
    assert_eq!(hooks.deliver().await, 1);
    assert_eq!(super::log(&house.messaging, &id).await[0]["status"], "DELIVERED");
}

#[tokio::test]
async fn a_test_key_makes_nothing_and_sends_nothing() {
    let hooks = Hooks::new().await;
    let sandbox = Client::new(&hooks.house.test, &hooks.house.keys.test).await;
    let response = sandbox.run(CREATE, input("ENABLED")).await;
    assert!(response["data"]["createWebhookEndpoint"]["secret"].is_string(), "{response}");
    assert_eq!(response["extensions"]["sandbox"], json!(true));
    assert_eq!(enabled(&hooks).await, 0);
}

#[tokio::test]
async fn endpoints_are_paged_and_filtered() {
    let hooks = Hooks::new().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(hooks.endpoint("https://example.com", &["room_stay.created"]).await.0);
    }
    let query = "query($first: Int, $after: String, $last: Int, $ids: [ID!]) { \
         webhookEndpoints(first: $first, after: $after, last: $last, filter: {id: {in: $ids}}) { \
         totalCount edges { node { id } } pageInfo { hasNextPage endCursor } } }";
    let page = |variables: Value| async {
        let data = hooks.house.locks.data(query, variables).await;
        let edges = data["webhookEndpoints"]["edges"].as_array().expect("edges").clone();
        let found: Vec<String> = edges.iter().map(|edge| text(&edge["node"]["id"])).collect();
        (found, data["webhookEndpoints"].clone())
    };
    let (found, first) = page(json!({"first": 2, "ids": ids})).await;
    assert_eq!((found, &first["pageInfo"]["hasNextPage"]), (ids[..2].to_vec(), &json!(true)));
    let (found, _) = page(json!({"first": 2, "ids": ids, "after": first["pageInfo"]["endCursor"]})).await;
    assert_eq!(found, ids[2..]);
    let (found, all) = page(json!({"last": 1, "ids": [ids[0], ids[1]]})).await;
    assert_eq!((found, &all["totalCount"]), (ids[1..2].to_vec(), &json!(2)));
}

#[tokio::test]
async fn g26_a_url_that_nothing_can_be_sent_to_is_refused_with_the_reason() {
    let (open, closed) = (Hooks::with("127.0.0.0/8").await, Hooks::with("").await);
    for (hooks, url, reason) in [
        (&open, "http://8.8.8.8/", "Without TLS"),
        (&open, "http://[2a00:1450::1]:8080/", "Without TLS"),
        (&open, "https://10.0.0.1/", "public addresses and to the networks"),
        (&closed, "http://8.8.8.8/", "begins with https://"),
        (&closed, "https://a/", "network of its own"),
        (&closed, "https://a./", "network of its own"),
        (&closed, "https://printer.local/", "network of its own"),
        (&closed, "https://hooks.invalid/", "nobody finds"),
        (&closed, "https://a..example.com/", "not a name"),
        (&closed, "https://@example.com/", "no user name"),
        (&closed, "https://example.com:0/", "port"),
        (&closed, "https://[::ffff:8.8.8.8]/", "public addresses only"),
    ] {
        let input = json!({"url": url, "status": "ENABLED", "events": ["room_stay.created"]});
        let error = hooks.house.locks.error(CREATE, json!({ "input": input })).await;
        assert_eq!(error["extensions"]["argumentPath"], json!(["input", "url"]), "{url}");
        let message = text(&error["message"]);
        assert!(message.contains(reason), "{url}: {message}");
    }
}
