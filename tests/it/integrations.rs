//! Connecting and disconnecting integrations, and the hotel's switch of the Room Access Key API.

use chrono::TimeDelta;
use latchkey::actor::Permission;
use latchkey::{disconnection, pruner};
use serde_json::{Value, json};

use crate::support::client::{ADD_KEY, CREATE_KEY};
use crate::support::{Client, House, TestApp, code, fingerprint, nodes, text};

const DISCONNECT: &str = "integration { id name disconnectedAt holdings { apiKeys } } apiKeysRevoked \
     webhookEndpointsDeleted roomStaysChanged roomAccessKeysDeleted roomAccessKeysLeft";
const LIST: &str = "{ integrations { totalCount edges { node { id name createdAt disconnectedAt holdings { \
     roomAccessKeys roomStays webhookEndpoints apiKeys } } } } }";

/// Type, object, changed fields and the one integration that may see it.
type EventRow = (String, String, Option<Vec<String>>, Option<String>);

/// A house whose lock vendor has a key on two stays, one on none and an endpoint; answers with the stays and the keys.
async fn busy() -> (House, Vec<String>, [String; 2]) {
    let house = House::new().await;
    let (_, stays) = house.reservation("R1", &[("2026-01-30", "2026-02-02"); 3]).await;
    let keys = [house.locks.pin("1").await, house.locks.pin("2").await];
    house.locks.add(&stays[0], &keys[0]).await;
    house.locks.add(&stays[1], &keys[0]).await;
    let others = house.other_locks.pin("3").await;
    house.other_locks.add(&stays[2], &others).await;
    let endpoint = json!({"url": "https://example.com/hook", "status": "ENABLED", "events": ["room_stay.updated"]});
    house.locks.done("createWebhookEndpoint", endpoint, "secret").await;
    (house, stays, keys)
}

async fn find(admin: &Client, name: &str) -> Value {
    let all = nodes(&admin.data(LIST, json!({})).await["integrations"]);
    all.into_iter().find(|integration| integration["name"] == name).expect("it is listed")
}

/// Types of the events that `client` may see.
async fn event_types(client: &Client) -> Vec<String> {
    let data = client.data("{ events(first: 100) { edges { node { type } } } }", json!({})).await;
    nodes(&data["events"]).iter().map(|event| text(&event["type"])).collect()
}

#[tokio::test]
async fn disconnecting_takes_away_what_is_listed_before_and_leaves_everything_else() {
    let (house, stays, keys) = busy().await;
    let admin = house.admin().await;
    let listed = find(&admin, "Locks").await;
    assert_eq!(listed["holdings"], json!({"roomAccessKeys": 2, "roomStays": 2, "webhookEndpoints": 1, "apiKeys": 1}));
    let input = json!({"id": listed["id"]});
    let done = admin.done("disconnectIntegration", input.clone(), DISCONNECT).await;
    let integration = json!({"id": listed["id"], "name": "Locks", "disconnectedAt": "2026-01-30T10:00:00+01:00",
        "holdings": {"apiKeys": 0}});
    let expected = json!({"integration": integration, "apiKeysRevoked": 1, "webhookEndpointsDeleted": 1,
        "roomStaysChanged": 2, "roomAccessKeysDeleted": 2, "roomAccessKeysLeft": 0});
    assert_eq!(done, expected);
    assert_eq!(house.messaging.key_of(&stays[0]).await, None);
    assert_eq!(house.messaging.key_of(&stays[1]).await, None);
    assert!(house.messaging.key_of(&stays[2]).await.is_some(), "a key of another vendor");
    let kept: Vec<String> = sqlx::query_scalar("SELECT id::text FROM room_access_keys")
        .fetch_all(&house.test.db.pool)
        .await
        .expect("the keys");
    assert!(kept.len() == 1 && !keys.contains(&kept[0]));
    let refused = axum::http::HeaderValue::from_str(&format!("Bearer {}", house.keys.live)).expect("a header");
    let refused = house.test.authenticate(Some(&refused)).await.expect_err("revoked");
    assert_eq!(refused.code.spec().wire, "KEY_REVOKED");
    // Again, it finds nothing more to take, and keeps its instant.
    house.test.advance(TimeDelta::hours(1));
    let again = admin.done("disconnectIntegration", input, DISCONNECT).await;
    let nothing = json!({"integration": integration, "apiKeysRevoked": 0, "webhookEndpointsDeleted": 0,
        "roomStaysChanged": 0, "roomAccessKeysDeleted": 0, "roomAccessKeysLeft": 0});
    assert_eq!(again, nothing);
}

#[tokio::test]
async fn disconnecting_makes_the_events_of_revoking_and_deleting() {
    let (house, stays, keys) = busy().await;
    let admin = house.admin().await;
    admin.done("disconnectIntegration", json!({"id": house.keys.integration_id}), DISCONNECT).await;
    let rows: Vec<EventRow> = sqlx::query_as(
        "SELECT type, object_id::text, updated_fields, integration_id::text FROM events
         WHERE actor_id = $1 ORDER BY position",
    )
    .bind(admin.actor.principal.integration_id())
    .fetch_all(&house.test.db.pool)
    .await
    .expect("the events");
    let mut updated: Vec<&str> =
        rows.iter().filter(|row| row.0 == "room_stay.updated").map(|row| row.1.as_str()).collect();
    updated.sort_unstable();
    let mut changed = [stays[0].as_str(), stays[1].as_str()];
    changed.sort_unstable();
    assert_eq!(updated, changed);
    assert!(
        rows.iter()
            .filter(|row| row.0 == "room_stay.updated")
            .all(|row| { row.2.as_deref() == Some(&["roomAccessKey".to_owned()]) && row.3.is_none() })
    );
    let mut deleted: Vec<&str> =
        rows.iter().filter(|row| row.0 == "room_access_key.deleted").map(|row| row.1.as_str()).collect();
    deleted.sort_unstable();
    let mut both = [keys[0].as_str(), keys[1].as_str()];
    both.sort_unstable();
    assert_eq!(deleted, both);
    let owner = house.keys.integration_id.to_string();
    assert!(rows.iter().filter(|row| row.0 == "room_access_key.deleted").all(|row| row.3.as_ref() == Some(&owner)));
    assert!(!event_types(&house.messaging).await.contains(&"room_access_key.deleted".to_owned()));
}

#[tokio::test]
async fn a_disconnection_that_cannot_be_is_refused_and_changes_nothing() {
    let (house, ..) = busy().await;
    let admin = house.admin().await;
    let before = fingerprint(&house.test.db.pool).await;
    for (id, expected) in [
        (json!(admin.actor.principal.integration_id()), "INVALID_ARGUMENT"),
        (json!("nonsense"), "NOT_FOUND"),
        (json!(house.hotel.id), "NOT_FOUND"),
    ] {
        let refused = admin.refused("disconnectIntegration", json!({ "id": id }), DISCONNECT).await;
        assert_eq!(refused, (expected.into(), json!(["input", "id"])));
    }
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
}

#[tokio::test]
async fn a_test_key_tells_what_a_disconnection_would_take_away() {
    let (house, ..) = busy().await;
    let keys = house.test.integration(&house.hotel, "Back office", Permission::Admin).await;
    let admin = Client::new(&house.test, &keys.test).await;
    let before = fingerprint(&house.test.db.pool).await;
    let done = admin.done("disconnectIntegration", json!({"id": house.keys.integration_id}), DISCONNECT).await;
    assert_eq!((&done["roomStaysChanged"], &done["roomAccessKeysDeleted"]), (&json!(2), &json!(2)));
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
}

#[tokio::test]
async fn an_integration_that_is_connected_again_begins_empty_with_its_old_id() {
    let (house, ..) = busy().await;
    let admin = house.admin().await;
    let taken = admin.refused("connectIntegration", json!({"name": "Locks"}), "integration { id }").await;
    assert_eq!(taken, ("NAME_TAKEN".into(), json!(["input", "name"])));
    let id = json!(house.keys.integration_id);
    admin.done("disconnectIntegration", json!({ "id": id }), DISCONNECT).await;
    let selection = "integration { id disconnectedAt holdings { roomAccessKeys roomStays webhookEndpoints apiKeys } }";
    let connected = admin.done("connectIntegration", json!({"name": "Locks"}), selection).await;
    let nothing = json!({"roomAccessKeys": 0, "roomStays": 0, "webhookEndpoints": 0, "apiKeys": 0});
    assert_eq!(connected["integration"], json!({"id": id, "disconnectedAt": null, "holdings": nothing}));
    let input = json!({"integrationId": id, "name": "New", "permission": "WRITE"});
    let made = admin.done("createApiKey", input, "liveKey").await;
    assert!(Client::new(&house.test, &text(&made["liveKey"])).await.own_pins().await.is_empty());
}

#[tokio::test]
async fn a_new_integration_gets_its_first_key_in_the_same_request() {
    let house = House::new().await;
    let admin = house.admin().await;
    let answers = admin
        .batch(&[
            (
                "mutation { connectIntegration(input: {name: \"New\"}) { \
                    integration { id @chain(variable: \"vendor\") } } }",
                json!({}),
            ),
            (
                "mutation($vendor: ID!) { createApiKey(input: {integrationId: $vendor, name: \"First\", \
                    permission: WRITE}) { liveKey } }",
                json!({}),
            ),
        ])
        .await;
    let key = text(&answers[1]["data"]["createApiKey"]["liveKey"]);
    Client::new(&house.test, &key).await.pin("1").await;
    for name in [String::new(), "x".repeat(201)] {
        let refused = admin.refused("connectIntegration", json!({ "name": name }), "integration { id }").await;
        assert_eq!(refused, ("INVALID_ARGUMENT".into(), json!(["input", "name"])));
    }
}

#[tokio::test]
async fn more_keys_than_one_transaction_takes_are_left_for_the_next_time() {
    let house = House::new().await;
    let owner = house.keys.integration_id;
    let many = i32::try_from(disconnection::MOST_AT_ONCE).expect("a small number") + 1;
    sqlx::query(
        "INSERT INTO room_access_keys (hotel_id, id, integration_id, kind, secret, created_at, unassigned_since)
         SELECT $1, gen_random_uuid(), $2, 'PIN', '', $4, $4 FROM generate_series(1, $3)",
    )
    .bind(house.hotel.id)
    .bind(owner)
    .bind(many)
    .bind(house.test.clock.now())
    .execute(&house.test.db.pool)
    .await
    .expect("the keys");
    let first = house.test.disconnect(&house.hotel, "Locks").await.expect("disconnected");
    assert_eq!((first.room_access_keys_deleted, first.room_access_keys_left), (disconnection::MOST_AT_ONCE, 1));
    let second = house.test.disconnect(&house.hotel, "Locks").await.expect("disconnected");
    assert_eq!((second.room_access_keys_deleted, second.room_access_keys_left), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_vendor_at_work_while_it_is_disconnected_leaves_nothing_that_stays() {
    for round in 0..10 {
        let house = House::new().await;
        let admin = house.admin().await;
        let stay = house.stay("R1").await;
        let work = {
            let locks = house.locks.clone();
            async move {
                let batch = [
                    (
                        "mutation { createRoomAccessKey(input: {roomAccessPin: {pin: \"1\"}}) { \
                            roomAccessKey { id @chain(variable: \"key\") } } }",
                        json!({}),
                    ),
                    (
                        "mutation($stay: ID!, $key: ID!) { addRoomAccessKey(input: {roomStayId: $stay, \
                            roomAccessKeyId: $key}) { roomStay { id } } }",
                        json!({ "stay": stay }),
                    ),
                ];
                locks.batch(&batch).await
            }
        };
        let input = json!({"id": house.keys.integration_id});
        let disconnect = admin.act("disconnectIntegration", input.clone(), DISCONNECT);
        let (worked, gone) = if round % 2 == 0 {
            futures_util::future::join(tokio::spawn(work), disconnect).await
        } else {
            let (gone, worked) = futures_util::future::join(disconnect, tokio::spawn(work)).await;
            (worked, gone)
        };
        assert_eq!(code(&gone), "no error");
        assert!(worked.expect("no panic").iter().all(|answer| code(answer) == "no error"));
        // What was let in before it, and came after it, goes with the next one.
        admin.done("disconnectIntegration", input, DISCONNECT).await;
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM room_access_keys")
            .fetch_one(&house.test.db.pool)
            .await
            .expect("a number");
        assert_eq!(left, 0);
        assert_eq!(pruner::prune_due(&house.test).await.expect("pruned").revoked, 0);
    }
}

#[tokio::test]
async fn the_switch_refuses_key_mutations_from_the_next_mutation_on_and_no_others() {
    let house = House::new().await;
    let admin = house.admin().await;
    let stay = house.stay("R1").await;
    let key = house.locks.pin("1").await;
    let shown = "{ settings { roomAccessKeysEnabled } }";
    let set =
        |enabled: bool| admin.done("setRoomAccessKeysEnabled", json!({ "enabled": enabled }), "roomAccessKeysEnabled");
    assert_eq!(set(false).await["roomAccessKeysEnabled"], false);
    let reader = Client::new(&house.test, &fresh(&house.test, &house).await).await;
    assert_eq!(reader.data(shown, json!({})).await["settings"]["roomAccessKeysEnabled"], false);
    let pin = json!({"input": {"roomAccessPin": {"pin": "2"}}});
    let add = json!({"input": {"roomStayId": stay, "roomAccessKeyId": key}});
    for (mutation, variables) in [(CREATE_KEY, pin), (ADD_KEY, add)] {
        let response = reader.run(mutation, variables).await;
        assert_eq!(code(&response), "ROOM_ACCESS_KEYS_DISABLED");
        assert_eq!(response["errors"][0]["extensions"]["category"], "configuration");
    }
    assert_eq!(set(true).await["roomAccessKeysEnabled"], true);
    let batch = admin
        .batch(&[
            ("mutation { setRoomAccessKeysEnabled(input: {enabled: false}) { roomAccessKeysEnabled } }", json!({})),
            (shown, json!({})),
            (CREATE_KEY, json!({"input": {"roomAccessPin": {"pin": "2"}}})),
        ])
        .await;
    assert_eq!(batch[1]["data"]["settings"]["roomAccessKeysEnabled"], false);
    assert_eq!(code(&batch[2]), "ROOM_ACCESS_KEYS_DISABLED");
    let data = house.messaging.data(shown, json!({})).await;
    assert_eq!(data["settings"]["roomAccessKeysEnabled"], true, "the batch was undone");
}

/// Another live key of the lock vendor.
async fn fresh(test: &TestApp, house: &House) -> String {
    test.integration(&house.hotel, "Locks", Permission::Write).await.live
}
