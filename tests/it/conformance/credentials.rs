//! API keys: pairs, previews, rotation, and what a failure tells.

use axum::http::HeaderValue;
use latchkey::actor::Permission;
use latchkey::auth::{self, ApiKeyPair};
use latchkey::id::IdSource;
use serde_json::{Value, json};

use crate::support::{Client, House, TestServer, code, error_code, fingerprint, nodes, text};

const PAIR: &str = "apiKey { id } liveKey testKey";
const LIST: &str = "{ apiKeys(first: 100) { edges { node { id livePreview testPreview lastUsedAt requestCount \
     revokedAt } } } }";

/// The code that a key is answered with; `none` when it is let in.
async fn answer(house: &House, key: &str) -> String {
    let header = HeaderValue::from_str(&format!("Bearer {key}")).expect("a header");
    let refused = house.test.authenticate(Some(&header)).await.err();
    refused.map_or("none".to_owned(), |error| error.code.spec().wire.to_owned())
}

/// A new pair of the lock vendor, made by the administrator: id, live key, test key.
async fn generate(house: &House, admin: &Client) -> (String, String, String) {
    let input = json!({"integrationId": house.keys.integration_id, "name": "Lobby", "permission": "WRITE"});
    let made = admin.done("createApiKey", input, PAIR).await;
    (text(&made["apiKey"]["id"]), text(&made["liveKey"]), text(&made["testKey"]))
}

#[tokio::test]
async fn e01_every_request_carries_its_key_as_a_bearer_token() {
    let house = House::new().await;
    let server = TestServer::start(&house.test).await;
    let query = json!({"query": "{ __typename }"});
    let with = |authorization: Option<String>| {
        let request = server.request("POST", "/graphql").json(&query);
        authorization.into_iter().fold(request, |request, value| request.header("authorization", value)).send()
    };
    let live = &house.keys.live;
    assert_eq!(with(Some(format!("Bearer {live}"))).await.expect("an answer").status(), 200);
    for wrong in [None, Some(live.clone()), Some(format!("Basic {live}")), Some(format!("Token {live}"))] {
        assert_eq!(with(wrong).await.expect("an answer").status(), 401);
    }
}

#[tokio::test]
async fn e02_a_key_is_its_prefix_and_32_random_hex_digits() {
    let house = House::new().await;
    let admin = house.admin().await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..3 {
        let (_, live, test) = generate(&house, &admin).await;
        for (key, prefix) in [(live, "pms_live_"), (test, "pms_test_")] {
            let digits = key.strip_prefix(prefix).expect("its prefix").to_owned();
            assert_eq!(digits.len(), 32);
            assert!(digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{digits}");
            assert!(seen.insert(digits), "no two are alike");
        }
    }
}

#[tokio::test]
async fn e03_a_live_key_makes_real_records() {
    let house = House::new().await;
    house.locks.pin("1").await;
    assert_eq!(house.locks.own_pins().await, ["1"]);
}

#[tokio::test]
async fn e04_a_test_key_is_checked_in_full_and_writes_nothing() {
    let house = House::new().await;
    let tester = Client::new(&house.test, &house.keys.test).await;
    let before = fingerprint(&house.test.db.pool).await;
    let made = tester.act("createRoomAccessKey", json!({"roomAccessPin": {"pin": "1"}}), "roomAccessKey { id }").await;
    assert_eq!((code(&made), &made["extensions"]["sandbox"]), ("no error", &json!(true)));
    let refused = tester.act("createRoomAccessKey", json!({"roomAccessPin": {"pin": ""}}), "__typename").await;
    assert_eq!(code(&refused), "INVALID_ARGUMENT");
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
}

#[tokio::test]
async fn e07_keys_are_generated_by_the_hotels_administrator_alone() {
    let house = House::new().await;
    let input = json!({"integrationId": house.keys.integration_id, "name": "Mine", "permission": "WRITE"});
    for client in [&house.messaging, &house.locks, &house.desk] {
        assert_eq!(code(&client.act("createApiKey", input.clone(), PAIR).await), "FORBIDDEN");
    }
    let admin = house.admin().await;
    assert_eq!(answer(&house, &generate(&house, &admin).await.1).await, "none");
    // And for its own hotel alone.
    let neighbour = house.next_door().await;
    let foreign = neighbour.admin().await.act("createApiKey", input, PAIR).await;
    assert_eq!(code(&foreign), "NOT_FOUND");
}

#[tokio::test]
async fn e08_live_and_test_key_are_made_together() {
    let house = House::new().await;
    let admin = house.admin().await;
    let (id, live, test) = generate(&house, &admin).await;
    let (live, test) = (Client::new(&house.test, &live).await.actor, Client::new(&house.test, &test).await.actor);
    assert_eq!(live.principal, test.principal);
    assert_eq!(live.principal.api_key_id(), id.parse().ok());
    assert_eq!((live.mode, test.mode), (latchkey::actor::Mode::Live, latchkey::actor::Mode::Test));
}

#[tokio::test]
async fn e09_both_keys_are_shown_once_and_then_masked() {
    let house = House::new().await;
    let admin = house.admin().await;
    let (id, live, test) = generate(&house, &admin).await;
    let all = admin.data(LIST, json!({})).await;
    assert!(!all.to_string().contains(&live[9..]) && !all.to_string().contains(&test[9..]));
    let shown = nodes(&all["apiKeys"]).into_iter().find(|key| key["id"] == id).expect("listed");
    assert_eq!(shown["livePreview"], format!("pms_live_****{}", &live[37..]));
    assert_eq!(shown["testPreview"], format!("pms_test_****{}", &test[37..]));
    let stored: String = sqlx::query_scalar("SELECT string_agg(k::text, '') FROM api_keys k")
        .fetch_one(&house.test.db.pool)
        .await
        .expect("the rows");
    assert!(!stored.contains(&live[9..]) && !stored.contains(&test[9..]), "only hashes are kept");
}

#[tokio::test]
async fn e10_what_is_handed_over_is_the_key_which_knows_its_hotel() {
    let house = House::new().await;
    let admin = house.admin().await;
    let (_, live, _) = generate(&house, &admin).await;
    let actor = Client::new(&house.test, &live).await.actor;
    assert_eq!(actor.hotel.slug, "grand-hotel");
    assert_ne!(actor.permission, Permission::Admin, "it is worth no more than it was made for");
}

#[tokio::test]
async fn e11_a_key_reads_and_writes_its_hotels_data_as_far_as_it_is_permitted() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let guest = house.messaging.read_stay(&stay, "reservation { client { ... on Person { lastname } } }").await;
    assert_eq!(guest["reservation"]["client"]["lastname"], "Doe");
    let arrival = json!({"id": stay, "check_in": "2026-01-30T09:00:00Z"});
    assert_eq!(code(&house.locks.act("updateRoomStay", arrival.clone(), "roomStay { id }").await), "no error");
    assert_eq!(code(&house.messaging.act("updateRoomStay", arrival, "roomStay { id }").await), "FORBIDDEN");
}

#[test]
fn e12_a_key_cannot_be_printed_by_accident() {
    // A type without `Display` and `Debug` does not compile in a log line; what is said of it is masked.
    let pair = ApiKeyPair::generate(&IdSource::operating_system());
    let shown = format!("{} {}", pair.live.preview(), pair.test.preview());
    assert!(!shown.contains(&pair.live.expose()[9..]) && !shown.contains(&pair.test.expose()[9..]));
    let source = include_str!("../../../src/auth/api_key.rs");
    let before = source.split("pub struct ApiKey(").next().expect("the type");
    assert!(!before.lines().rev().nth(1).expect("a line above").contains("derive"));
    assert!(!source.contains("Display for ApiKey") && !source.contains("Debug for ApiKey"));
}

#[tokio::test]
async fn e13_a_compromised_key_is_revoked_at_once_and_another_made() {
    let house = House::new().await;
    let admin = house.admin().await;
    let (id, stolen, _) = generate(&house, &admin).await;
    assert_eq!(answer(&house, &stolen).await, "none");
    admin.done("revokeApiKey", json!({ "id": id }), "apiKey { id }").await;
    assert_eq!(answer(&house, &stolen).await, "KEY_REVOKED");
    assert_eq!(answer(&house, &generate(&house, &admin).await.1).await, "none");
}

#[tokio::test]
async fn e14_generating_leaves_revoked_keys_as_they_are() {
    let house = House::new().await;
    let admin = house.admin().await;
    let (id, revoked, _) = generate(&house, &admin).await;
    admin.done("revokeApiKey", json!({ "id": id }), "apiKey { id }").await;
    let list = || async { nodes(&admin.data(LIST, json!({})).await["apiKeys"]) };
    let before = list().await;
    generate(&house, &admin).await;
    assert_eq!(list().await[..before.len()], before);
    assert_eq!(answer(&house, &revoked).await, "KEY_REVOKED");
}

#[tokio::test]
async fn e15_last_use_and_number_of_requests_are_tracked() {
    let house = House::new().await;
    let admin = house.admin().await;
    let (id, live, test) = generate(&house, &admin).await;
    let shown = || async { nodes(&admin.data(LIST, json!({})).await["apiKeys"]).pop().expect("the newest pair") };
    assert_eq!((&shown().await["requestCount"], &shown().await["lastUsedAt"]), (&json!(0), &Value::Null));
    for key in [&live, &test, &live] {
        house.test.advance(chrono::TimeDelta::minutes(1));
        assert_eq!(answer(&house, key).await, "none");
    }
    auth::write_usage(&house.test, &house.test.key_usage).await.expect("written");
    let used = shown().await;
    assert_eq!((&used["id"], &used["requestCount"]), (&json!(id), &json!(3)));
    assert_eq!(used["lastUsedAt"], "2026-01-30T10:03:00+01:00");
}

#[tokio::test]
async fn e16_revoking_refuses_both_keys_of_the_pair_from_the_next_request_on() {
    let house = House::new().await;
    let admin = house.admin().await;
    let server = TestServer::start(&house.test).await;
    let (id, live, test) = generate(&house, &admin).await;
    admin.done("revokeApiKey", json!({ "id": id }), "apiKey { id }").await;
    for key in [&live, &test] {
        let response = server.post(key, &json!({"query": "{ __typename }"})).send().await.expect("an answer");
        assert_eq!(response.status(), 401);
        assert_eq!(error_code(&response.json().await.expect("JSON")), "KEY_REVOKED");
    }
}

#[tokio::test]
async fn e17_regenerating_revokes_both_old_keys_and_makes_a_new_pair_at_once() {
    let house = House::new().await;
    let admin = house.admin().await;
    let (id, live, test) = generate(&house, &admin).await;
    // In one transaction: what fails after it undoes both halves.
    let regenerate = "mutation($id: ID!) { regenerateApiKey(input: {id: $id}) { liveKey } }";
    let fails = "mutation { revokeApiKey(input: {id: \"nonsense\"}) { apiKey { id } } }";
    let undone = admin.batch(&[(regenerate, json!({ "id": id })), (fails, json!({}))]).await;
    assert_eq!(answer(&house, &live).await, "none");
    assert_eq!(
        answer(&house, undone[0]["data"]["regenerateApiKey"]["liveKey"].as_str().unwrap_or("x")).await,
        "UNAUTHORIZED"
    );

    let made = admin.done("regenerateApiKey", json!({ "id": id }), PAIR).await;
    for (key, expected) in [
        (&live, "KEY_REVOKED"),
        (&test, "KEY_REVOKED"),
        (&text(&made["liveKey"]), "none"),
        (&text(&made["testKey"]), "none"),
    ] {
        assert_eq!(answer(&house, key).await, expected);
    }
}

#[tokio::test]
async fn e22_every_key_that_is_refused_but_a_revoked_one_gets_the_same_bytes() {
    let house = House::new().await;
    let admin = house.admin().await;
    let server = TestServer::start(&house.test).await;
    let (id, disabled, disabled_test) = generate(&house, &admin).await;
    admin.done("disableApiKey", json!({ "id": id }), "apiKey { id }").await;
    let (id, revoked, _) = generate(&house, &admin).await;
    admin.done("revokeApiKey", json!({ "id": id }), "apiKey { id }").await;
    let mut answers = std::collections::BTreeSet::new();
    for key in [
        "x",
        "pms_live_00000000000000000000000000000000",
        &disabled,
        &disabled_test,
        // Not the full text of a revoked key.
        &revoked[..revoked.len() - 1],
        &format!("{revoked}0"),
        &revoked.to_uppercase(),
        &revoked.replace("pms_live_", "pms_test_"),
    ] {
        let response = server.post(key, &json!({"query": "{ __typename }"})).send().await.expect("an answer");
        let mut headers: Vec<String> = response
            .headers()
            .iter()
            .filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()))
            .map(|(name, value)| format!("{name}: {value:?}"))
            .collect();
        headers.sort_unstable();
        let status = response.status().as_u16();
        answers.insert((status, headers, response.bytes().await.expect("a body").to_vec()));
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answer(&house, &revoked).await, "KEY_REVOKED");
}

#[tokio::test]
async fn e24_a_key_that_is_not_hex_is_refused_as_any_other_wrong_key() {
    let house = House::new().await;
    let printed = "pms_live_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6";
    let refused = |key: &'static str| {
        let header = HeaderValue::from_str(&format!("Bearer {key}")).expect("a header");
        let app = house.test.app.clone();
        async move { app.authenticate(Some(&header)).await.expect_err("refused") }
    };
    let (shape, unknown) = (refused(printed).await, refused("pms_live_a1b2c3d4e5f60718293a4b5c6d7e8f90").await);
    assert_eq!((shape.code, &shape.message), (unknown.code, &unknown.message));
}
