//! Cached credentials: pages that are read by the statement that confirms who reads them.

use async_graphql::Variables;
use axum::http::HeaderValue;
use chrono_tz::Tz;
use latchkey::app::App;
use latchkey::auth::{self, ApiKey, CachedCredential};
use latchkey::graphql::{DEADLINE, GraphQlRequest, execute_cached, execute_keyed};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tokio::time::Instant;

use crate::support::{House, TestServer, code, nodes};

const PAGE: &str = "query($day: Date!) { room_stays(filter: {reservation_from: {le: $day}}, first: 2) {
    edges { node { id check_in createdAt roomAccessKey { id ... on RoomAccessPin { pin } } } }
    pageInfo { hasNextPage } totalCount eventCursor } }";

fn bearer(key: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("Bearer {key}")).expect("a header")
}

fn request(query: &str, day: &str) -> GraphQlRequest {
    let variables = Variables::from_json(json!({ "day": day }));
    GraphQlRequest { query: query.to_owned(), operation_name: None, variables }
}

fn cached(app: &App, key: &str) -> Option<CachedCredential> {
    auth::look_up_cached(&app.credentials, Some(&bearer(key)))
}

/// As every request is answered whose key is looked up first.
async fn looked_up(app: &App, key: &str, query: &str, day: &str) -> Value {
    let admission = app.authenticate(Some(&bearer(key))).await.expect("let in");
    let (requests, deadline) = (vec![request(query, day)], Instant::now() + DEADLINE);
    let execution = execute_keyed(app, &admission.actor, Some(admission.conn), requests, None, deadline).await;
    serde_json::to_value(&execution.responses[0]).expect("JSON")
}

/// In one statement; `None` where that is not possible.
async fn at_once(app: &App, cached: &CachedCredential, query: &str, day: &str) -> Option<Value> {
    let execution = execute_cached(app, cached, &request(query, day), Instant::now() + DEADLINE).await?;
    assert_eq!(execution.fast_path, 1);
    Some(serde_json::to_value(&execution.responses[0]).expect("JSON"))
}

/// A house with three stays, one of them with a key, whose page has been asked for.
async fn house() -> House {
    let house = House::new().await;
    let nights = [("2026-01-30", "2026-02-02"), ("2026-01-31", "2026-02-03"), ("2026-02-01", "2026-02-04")];
    let (_, stays) = house.reservation("ABC", &nights).await;
    house.locks.add(&stays[0], &house.locks.pin("1234").await).await;
    looked_up(&house.test, &house.keys.live, PAGE, "2026-02-10").await;
    house
}

#[tokio::test]
async fn a_page_is_the_same_whether_its_key_is_looked_up_before_or_confirmed_by_its_statement() {
    let house = house().await;
    let other = house.test.hotel("other", Tz::Europe__Lisbon).await.id;
    let first_page = PAGE.replace("totalCount eventCursor", "");
    for query in [PAGE, first_page.as_str()] {
        for key in [&house.keys.live, &house.keys.test] {
            for (day, stays) in [("2026-02-10", 2), ("2026-01-30", 1), ("2020-01-01", 0)] {
                looked_up(&house.test, key, query, day).await;
                let expected = looked_up(&house.test, key, query, day).await;
                assert_eq!(nodes(&expected["data"]["room_stays"]).len(), stays);
                let cached = cached(&house.test, key).expect("it was admitted");
                // The statement itself takes the connection from whichever hotel it served last.
                for last in [house.hotel.id, other] {
                    house.test.pool.of_hotel(last).await.expect("a connection").give_back();
                    assert_eq!(at_once(&house.test, &cached, query, day).await.as_ref(), Some(&expected), "{query}");
                }
            }
        }
    }
}

#[tokio::test]
async fn whatever_changes_about_a_key_or_its_hotel_holds_from_the_next_page_on() {
    let house = house().await;
    let key = &house.keys.live;
    for change in [
        "UPDATE hotels SET slug = 'renamed'",
        "UPDATE hotels SET name = 'Another name'",
        "UPDATE hotels SET time_zone = 'Europe/Lisbon'",
        "UPDATE hotels SET check_in_time = '16:00'",
        "UPDATE hotels SET check_out_time = '12:00'",
        "UPDATE hotels SET room_access_keys_enabled = NOT room_access_keys_enabled",
        "UPDATE hotels SET is_sandbox = NOT is_sandbox",
        "UPDATE api_keys SET permission = 'READ_ONLY'",
        "UPDATE api_keys SET live_hash = test_hash, test_hash = live_hash",
    ] {
        let before = cached(&house.test, key).expect("it was admitted");
        let is_confirmed = at_once(&house.test, &before, PAGE, "2026-02-10").await.is_some();
        assert!(is_confirmed, "before {change}");
        sqlx::query(AssertSqlSafe(change)).execute(&house.test.db.pool).await.expect(change);
        assert_eq!(at_once(&house.test, &before, PAGE, "2026-02-10").await, None, "{change}");
        assert!(cached(&house.test, key).is_none(), "it is removed");
        looked_up(&house.test, key, PAGE, "2026-02-10").await;
    }
    let before = cached(&house.test, key).expect("it was admitted");
    for end in [
        "UPDATE api_keys SET disabled_at = '2026-01-30'",
        "UPDATE api_keys SET disabled_at = NULL, revoked_at = '2026-01-30'",
    ] {
        sqlx::query(end).execute(&house.test.db.pool).await.expect(end);
        assert_eq!(at_once(&house.test, &before, PAGE, "2026-02-10").await, None, "{end}");
        house.test.authenticate(Some(&bearer(key))).await.expect_err(end);
        assert!(cached(&house.test, key).is_none(), "nor is it cached when it is looked up again");
    }
}

/// Whoever made the hash of what a key stands for look right would gain nothing.
#[tokio::test]
async fn a_key_that_is_not_good_is_not_confirmed_whatever_its_hash_is_said_to_be() {
    let house = house().await;
    let hash = ApiKey::hash_of(&house.keys.live);
    let confirm = async || {
        let mut conn = house.test.pool.of_hotel(house.hotel.id).await.expect("a connection");
        let confirm = "SELECT confirm_credential($1, hash_record_extended(a, 0)) FROM authenticate($1) a";
        sqlx::query_scalar::<_, bool>(confirm).bind(&hash[..]).fetch_one(&mut *conn).await
    };
    assert!(confirm().await.expect("a good key"));
    for end in [
        "UPDATE api_keys SET disabled_at = '2026-01-30'",
        "UPDATE api_keys SET disabled_at = NULL, revoked_at = '2026-01-30'",
    ] {
        sqlx::query(end).execute(&house.test.db.pool).await.expect(end);
        let refused = confirm().await.expect_err(end);
        let code = refused.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned));
        assert_eq!(code.as_deref(), Some("LK001"), "{refused}");
    }
}

#[tokio::test]
async fn e16_a_key_is_refused_by_every_replica_from_its_revocation_on() {
    let house = house().await;
    let server = TestServer::start(&house.test).await;
    let ask = || server.post(&house.keys.live, &json!({"query": PAGE, "variables": {"day": "2026-02-10"}})).send();
    for _ in 0..3 {
        assert_eq!(ask().await.expect("an answer").status(), 200);
    }
    // As another process does it.
    sqlx::query("UPDATE api_keys SET revoked_at = '2026-01-30'").execute(&house.test.db.pool).await.expect("revoked");
    for _ in 0..2 {
        let refused = ask().await.expect("an answer");
        assert_eq!(refused.status(), 401);
        assert_eq!(code(&refused.json().await.expect("JSON")), "KEY_REVOKED");
    }
}

#[tokio::test]
async fn only_a_valid_page_of_stays_is_read_for_a_cached_credential() {
    let house = house().await;
    let cached = cached(&house.test, &house.keys.live).expect("it was admitted");
    looked_up(&house.test, &house.keys.live, PAGE, "2026-02-10").await;
    for (query, day) in [
        (PAGE, "yesterday"),
        (
            "query($day: Date!) { room_stays(filter: {reservation_from: {le: $day}}) { edges { node { id } } } }",
            "2026-02-10",
        ),
        ("{ __typename }", "2026-02-10"),
        ("{ settings { roomAccessKeysEnabled } }", "2026-02-10"),
    ] {
        assert_eq!(at_once(&house.test, &cached, query, day).await, None, "{query}");
    }
    let is_still_known = auth::look_up_cached(&house.test.credentials, Some(&bearer(&house.keys.live))).is_some();
    assert!(is_still_known, "none of them reached the database");
}

#[tokio::test]
async fn a_page_counts_as_a_request_of_its_key() {
    let house = house().await;
    let server = TestServer::start(&house.test).await;
    auth::write_usage(&house.test, &house.test.key_usage).await.expect("written");
    let count = async || auth::list_api_keys(&house.test, house.hotel.id).await.expect("keys")[0].request_count;
    let before = count().await;
    for _ in 0..3 {
        let page = json!({"query": PAGE, "variables": {"day": "2026-02-10"}});
        assert_eq!(server.post(&house.keys.live, &page).send().await.expect("an answer").status(), 200);
    }
    auth::write_usage(&house.test, &house.test.key_usage).await.expect("written");
    assert_eq!(count().await - before, 3);
}
