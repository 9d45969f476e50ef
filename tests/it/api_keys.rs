//! The life of API keys, as a hotel's administrator and the command line lead it.

use futures_util::future::join;
use latchkey::actor::Permission;
use latchkey::app::App;
use latchkey::auth;
use latchkey::id::IdSource;
use latchkey::secrets::SecretKeys;
use latchkey::webhooks::WebhookSettings;
use serde_json::{Value, json};

use crate::support::{Client, House, TestApp, TestServer, code, error_code, fingerprint, nodes, text};

const PAIR: &str = "apiKey { id name permission integration { id name } livePreview testPreview lastUsedAt requestCount \
     disabledAt revokedAt } liveKey testKey";
const STATE: &str = "apiKey { id disabledAt revokedAt }";
const LIST: &str = "{ apiKeys(first: 100) { totalCount edges { node { id name permission integration { name } \
     livePreview testPreview createdAt lastUsedAt requestCount disabledAt revokedAt } } } }";

fn new_pair(house: &House, name: &str, permission: &str) -> Value {
    json!({"integrationId": house.keys.integration_id, "name": name, "permission": permission})
}

/// The listed pair with that id.
async fn listed(admin: &Client, id: &Value) -> Value {
    let all = nodes(&admin.data(LIST, json!({})).await["apiKeys"]);
    all.into_iter().find(|key| key["id"] == *id).expect("the pair is listed")
}

#[tokio::test]
async fn only_an_administrator_manages_api_keys_and_integrations() {
    let house = House::new().await;
    let (pair, vendor) = (house.keys.api_key_id, house.keys.integration_id);
    let before = fingerprint(&house.test.db.pool).await;
    for (name, input, selection) in [
        ("createApiKey", new_pair(&house, "Mine", "ADMIN"), "liveKey"),
        ("revokeApiKey", json!({"id": pair}), STATE),
        ("regenerateApiKey", json!({"id": pair}), "liveKey"),
        ("disableApiKey", json!({"id": pair}), STATE),
        ("enableApiKey", json!({"id": pair}), STATE),
        ("connectIntegration", json!({"name": "New"}), "integration { id }"),
        ("disconnectIntegration", json!({"id": vendor}), "integration { id }"),
        ("setRoomAccessKeysEnabled", json!({"enabled": false}), "roomAccessKeysEnabled"),
    ] {
        for client in [&house.desk, &house.locks, &house.messaging] {
            assert_eq!(code(&client.act(name, input.clone(), selection).await), "FORBIDDEN", "{name}");
        }
    }
    for query in [LIST, "{ integrations { edges { node { id } } } }"] {
        assert_eq!(code(&house.desk.run(query, json!({})).await), "FORBIDDEN");
    }
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
    assert!(Permission::Admin > Permission::FrontDesk);
    house.admin().await.done("createCategory", json!({"name": "Suite"}), "category { id }").await;
}

#[tokio::test]
async fn a_pair_is_shown_when_it_is_made_and_masked_afterwards() {
    let house = House::new().await;
    let admin = house.admin().await;
    let made = admin.done("createApiKey", new_pair(&house, "Lobby lock", "WRITE"), PAIR).await;
    let pair = &made["apiKey"];
    assert_eq!((&pair["name"], &pair["permission"]), (&json!("Lobby lock"), &json!("WRITE")));
    assert_eq!(pair["integration"], json!({"id": house.keys.integration_id, "name": "Locks"}));
    assert_eq!((&pair["requestCount"], &pair["lastUsedAt"]), (&json!(0), &Value::Null));
    let (live, test) = (text(&made["liveKey"]), text(&made["testKey"]));
    let all = admin.data(LIST, json!({})).await;
    assert_eq!(all["apiKeys"]["totalCount"], 6);
    assert!(!all.to_string().contains(&live) && !all.to_string().contains(&test));
    let shown = listed(&admin, &pair["id"]).await;
    assert_eq!(shown["livePreview"], format!("pms_live_****{}", &live[live.len() - 4..]));
    assert_eq!(shown["testPreview"], format!("pms_test_****{}", &test[test.len() - 4..]));
    // Both lead to the integration that they were made for.
    for key in [&live, &test] {
        let principal = Client::new(&house.test, key).await.actor.principal;
        assert_eq!(principal.integration_id(), Some(house.keys.integration_id));
    }
}

#[tokio::test]
async fn what_breaks_a_rule_makes_no_pair() {
    let house = House::new().await;
    let admin = house.admin().await;
    let other = admin.done("connectIntegration", json!({"name": "Gone"}), "integration { id }").await;
    let gone = &other["integration"]["id"];
    admin.done("disconnectIntegration", json!({"id": gone}), "apiKeysRevoked").await;
    let before = fingerprint(&house.test.db.pool).await;
    for (field, value, expected) in [
        ("name", json!(""), "INVALID_ARGUMENT"),
        ("name", json!("x".repeat(201)), "INVALID_ARGUMENT"),
        ("integrationId", json!("nonsense"), "NOT_FOUND"),
        ("integrationId", gone.clone(), "INVALID_ARGUMENT"),
    ] {
        let mut input = new_pair(&house, "Name", "WRITE");
        input[field] = value;
        assert_eq!(admin.refused("createApiKey", input, "liveKey").await, (expected.into(), json!(["input", field])));
    }
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
}

#[tokio::test]
async fn what_an_administrator_does_is_in_force_on_every_replica_for_the_next_request() {
    let house = House::new().await;
    let admin = house.admin().await;
    let replica = replica(&house.test);
    let servers = [TestServer::start(&house.test).await, TestServer::start(&replica).await];
    let input = json!({"id": house.keys.api_key_id});
    for (act, expected) in [
        ("disableApiKey", "UNAUTHORIZED"),
        ("disableApiKey", "UNAUTHORIZED"),
        ("enableApiKey", "none"),
        ("enableApiKey", "none"),
        ("revokeApiKey", "KEY_REVOKED"),
        ("revokeApiKey", "KEY_REVOKED"),
    ] {
        admin.done(act, input.clone(), STATE).await;
        for server in &servers {
            for key in [&house.keys.live, &house.keys.test] {
                let answer = server.post(key, &json!({"query": "{ __typename }"})).send().await.expect("an answer");
                assert_eq!(answer.status(), if expected == "none" { 200 } else { 401 }, "{act}");
                let body: Value = answer.json().await.expect("JSON");
                assert_eq!(error_code(&body), expected, "{act}");
            }
        }
    }
    for act in ["enableApiKey", "disableApiKey", "regenerateApiKey"] {
        let selection = if act == "regenerateApiKey" { "liveKey" } else { STATE };
        let refused = admin.refused(act, input.clone(), selection).await;
        assert_eq!(refused, ("INVALID_ARGUMENT".into(), json!(["input", "id"])), "a revoked pair stays revoked");
    }
}

/// Another process on the same database.
fn replica(test: &TestApp) -> App {
    let ids = IdSource::operating_system();
    let keys = SecretKeys::parse(&SecretKeys::generate(&ids)).unwrap_or_else(|reason| panic!("{reason}"));
    App::new(test.db.options(), 5, test.clock.clone(), ids, keys, WebhookSettings::default())
}

#[tokio::test]
async fn a_regenerated_pair_has_what_the_old_one_had_and_orphans_nothing() {
    let house = House::new().await;
    let admin = house.admin().await;
    let stay = house.stay("R1").await;
    let key = house.locks.pin("1234").await;
    house.locks.add(&stay, &key).await;
    let endpoint = json!({"url": "https://example.com/hook", "status": "DISABLED", "events": ["room_stay.created"]});
    house.locks.done("createWebhookEndpoint", endpoint, "secret").await;

    let made = admin.done("regenerateApiKey", json!({"id": house.keys.api_key_id}), PAIR).await;
    assert_eq!((&made["apiKey"]["name"], &made["apiKey"]["permission"]), (&json!("Locks"), &json!("WRITE")));
    assert_ne!(made["apiKey"]["id"], json!(house.keys.api_key_id));
    let renewed = Client::new(&house.test, &text(&made["liveKey"])).await;
    assert_eq!(renewed.own_pins().await, ["1234"]);
    let endpoints = renewed.data("{ webhookEndpoints { edges { node { url } } } }", json!({})).await;
    assert_eq!(nodes(&endpoints["webhookEndpoints"]), [json!({"url": "https://example.com/hook"})]);
    assert_eq!(code(&renewed.remove(&stay, &key).await), "no error");
    assert!(!listed(&admin, &json!(house.keys.api_key_id)).await["revokedAt"].is_null());
}

#[tokio::test]
async fn of_two_regenerations_at_once_one_makes_a_pair() {
    let house = House::new().await;
    let admin = house.admin().await;
    let act = || admin.act("regenerateApiKey", json!({"id": house.keys.api_key_id}), "liveKey");
    let (one, other) = join(act(), act()).await;
    let mut codes = [code(&one), code(&other)];
    codes.sort_unstable();
    assert_eq!(codes, ["INVALID_ARGUMENT", "no error"]);
    assert_eq!(admin.data(LIST, json!({})).await["apiKeys"]["totalCount"], 6, "five of the house, and one new");
}

#[tokio::test]
async fn an_administrator_can_replace_its_own_pair_with_it() {
    let house = House::new().await;
    let admin = house.admin().await;
    let own = json!({"id": admin.actor.principal.api_key_id()});
    let made = admin.done("regenerateApiKey", own, PAIR).await;
    let renewed = Client::new(&house.test, &text(&made["liveKey"])).await;
    assert_eq!(renewed.actor.permission, Permission::Admin);
}

#[tokio::test]
async fn use_is_counted_across_replicas_and_written_apart_from_requests() {
    let house = House::new().await;
    let admin = house.admin().await;
    let replica = replica(&house.test);
    let before = fingerprint(&house.test.db.pool).await;
    let servers = [TestServer::start(&house.test).await, TestServer::start(&replica).await];
    for server in &servers {
        for key in [&house.keys.live, &house.keys.test, &house.keys.live] {
            server.run_body(key, &json!([{"query": "{ __typename }"}, {"query": "{ __typename }"}])).await;
        }
    }
    assert_eq!(fingerprint(&house.test.db.pool).await, before, "no request has written");
    // House::new itself has let `locks` in once.
    for (app, expected) in [(&house.test.app, 4), (&replica, 7), (&replica, 7)] {
        auth::write_usage(app, &app.key_usage).await.expect("written");
        let shown = listed(&admin, &json!(house.keys.api_key_id)).await;
        assert_eq!(
            (&shown["requestCount"], &shown["lastUsedAt"]),
            (&json!(expected), &json!("2026-01-30T10:00:00+01:00"))
        );
    }
}

#[tokio::test]
async fn use_that_cannot_be_written_is_written_later_at_the_latest_at_the_end() {
    let house = House::new().await;
    let admin = house.admin().await;
    let count = "SELECT coalesce(sum(request_count), 0)::bigint FROM api_key_usage";
    let mut holding = house.test.db.pool.begin().await.expect("a connection");
    sqlx::query("LOCK TABLE api_key_usage").execute(&mut *holding).await.expect("locked");
    auth::write_usage(&house.test, &house.test.key_usage).await.expect_err("nobody waits for ever");
    holding.rollback().await.expect("rolled back");
    auth::run_usage(&house.test, &house.test.key_usage, async {}).await;
    let written: i64 = sqlx::query_scalar(count).fetch_one(&house.test.db.pool).await.expect("a sum");
    assert_eq!(written, 5, "every client of the house was let in once");
    assert_eq!(listed(&admin, &json!(admin.actor.principal.api_key_id())).await["requestCount"], 1);
}

#[tokio::test]
async fn refused_requests_are_not_counted() {
    let house = House::new().await;
    let admin = house.admin().await;
    auth::write_usage(&house.test, &house.test.key_usage).await.expect("written");
    let server = TestServer::start(&house.test).await;
    admin.done("disableApiKey", json!({"id": house.keys.api_key_id}), STATE).await;
    server.post(&house.keys.live, &json!({"query": "{ __typename }"})).send().await.expect("an answer");
    auth::write_usage(&house.test, &house.test.key_usage).await.expect("written");
    assert_eq!(listed(&admin, &json!(house.keys.api_key_id)).await["requestCount"], 1);
}

#[tokio::test]
async fn api_keys_are_paged_in_the_order_of_their_making() {
    let house = House::new().await;
    let admin = house.admin().await;
    let all: Vec<Value> = nodes(&admin.data(LIST, json!({})).await["apiKeys"]);
    let names: Vec<&Value> = all.iter().map(|key| &key["name"]).collect();
    assert_eq!(names, ["Locks", "Other locks", "Messaging", "Front desk", "Back office"]);
    let page = "query($after: String) { apiKeys(first: 2, after: $after) { edges { node { name } } \
        pageInfo { endCursor hasNextPage } } }";
    let mut read = Vec::new();
    let mut after = Value::Null;
    loop {
        let data = admin.data(page, json!({ "after": after })).await;
        read.extend(nodes(&data["apiKeys"]).into_iter().map(|key| key["name"].clone()));
        after = data["apiKeys"]["pageInfo"]["endCursor"].clone();
        if data["apiKeys"]["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(read.iter().collect::<Vec<_>>(), names);
    let neighbour = house.next_door().await.admin().await;
    let foreign = neighbour.run(page, json!({ "after": after })).await;
    assert_eq!(code(&foreign), "INVALID_CURSOR");
}
