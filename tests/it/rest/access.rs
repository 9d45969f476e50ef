//! Who is let in, what errors look like, test keys, repeated requests.

use std::collections::BTreeSet;

use latchkey::actor::Permission;
use latchkey::auth::ApiKeyChange;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use super::{Desk, doe};
use crate::support::{fingerprint, header};

const PATH: &str = "/api/pms/v1/grand-hotel/guests/checkin";

/// The error that a request is answered with; its id is checked and taken out.
async fn error(request: RequestBuilder) -> (u16, Value) {
    let response: Response = request.send().await.expect("an answer");
    let (status, id) = (response.status().as_u16(), header(&response, "x-request-id").to_owned());
    let mut answer: Value = response.json().await.expect("JSON");
    assert_eq!(answer["requestId"], json!(id), "{answer}");
    let digits = id.strip_prefix("req_").expect("its prefix");
    assert!(digits.len() == 8 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
    answer.as_object_mut().expect("an object").remove("requestId");
    (status, answer)
}

fn refusal(code: &str, message: &str) -> (u16, Value) {
    (401, json!({"status": "error", "code": code, "message": message}))
}

#[tokio::test]
async fn e18_e19_e20_e21_e22_credentials_are_refused_as_printed() {
    let desk = Desk::new().await;
    let post = || desk.server.request("POST", PATH).header("idempotency-key", "k").json(&doe("RES-001"));
    let malformed = refusal("UNAUTHORIZED", "Missing or malformed Authorization header. Use: Bearer pms_live_xxx");
    assert_eq!(error(post()).await, malformed);
    assert_eq!(error(post().header("authorization", &desk.live)).await, malformed);
    let invalid = refusal("UNAUTHORIZED", "Invalid credentials");
    assert_eq!(error(post().bearer_auth("pms_live_ghijklmnopghijklmnopghijklmnopgh")).await, invalid);
    for slug in ["next-door", "GRAND-HOTEL", "nobody", "%ff"] {
        let elsewhere = desk.server.request("POST", &PATH.replace("grand-hotel", slug)).bearer_auth(&desk.live);
        assert_eq!(error(elsewhere.json(&doe("RES-001"))).await, invalid, "{slug}");
    }
    desk.house.test.change_api_key(desk.house.keys.api_key_id, ApiKeyChange::Revoke).await.expect("revoked");
    let revoked = refusal("KEY_REVOKED", "API key has been revoked. Contact hotel admin for a new key.");
    assert_eq!(error(post().bearer_auth(&desk.live)).await, revoked);
}

/// The bodies as the guide prints them, and what a request gets them for.
#[tokio::test]
async fn e21_missing_wrong_and_revoked_keys_are_answered_with_the_printed_bytes() {
    let desk = Desk::new().await;
    let answered = async |authorization: Option<String>| {
        let request = desk.server.request("POST", PATH).header("idempotency-key", "k").json(&doe("RES-001"));
        let request = authorization.into_iter().fold(request, |request, value| request.header("authorization", value));
        let response = request.send().await.expect("an answer");
        assert_eq!(
            (response.status().as_u16(), header(&response, "content-type")),
            (401, "application/json; charset=utf-8")
        );
        let id = header(&response, "x-request-id").to_owned();
        response.text().await.expect("text").replace(&id, "req_a1b2c3d4")
    };
    let printed = |text: &str| text.replace(": ", ":").replace(", \"", ",\"").replace("Use:B", "Use: B");
    let missing = printed(
        r#"{"status": "error", "code": "UNAUTHORIZED", "message": "Missing or malformed Authorization header. Use: Bearer pms_live_xxx", "requestId": "req_a1b2c3d4"}"#,
    );
    assert_eq!(answered(None).await, missing);
    let wrong = printed(
        r#"{"status": "error", "code": "UNAUTHORIZED", "message": "Invalid credentials", "requestId": "req_a1b2c3d4"}"#,
    );
    assert_eq!(answered(Some("Bearer pms_live_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6".into())).await, wrong);
    desk.house.test.change_api_key(desk.house.keys.api_key_id, ApiKeyChange::Revoke).await.expect("revoked");
    let revoked = printed(
        r#"{"status": "error", "code": "KEY_REVOKED", "message": "API key has been revoked. Contact hotel admin for a new key.", "requestId": "req_a1b2c3d4"}"#,
    );
    for key in [&desk.live, &desk.test] {
        assert_eq!(answered(Some(format!("Bearer {key}"))).await, revoked);
    }
}

/// Status, header fields and body, but for what is of the request alone.
async fn whole(request: RequestBuilder) -> (u16, Vec<String>, String) {
    let response = request.send().await.expect("an answer");
    let id = header(&response, "x-request-id").to_owned();
    let own = |name: &str| ["x-request-id", "date"].contains(&name);
    let fields = response.headers().iter().filter(|(name, _)| !own(name.as_str()));
    let mut fields: Vec<String> = fields.map(|(name, value)| format!("{name}: {value:?}")).collect();
    fields.sort_unstable();
    (response.status().as_u16(), fields, response.text().await.expect("text").replace(&id, "ID"))
}

#[tokio::test]
async fn e22_at_every_route_all_wrong_keys_and_slugs_get_the_same_bytes() {
    let desk = Desk::new().await;
    let (test, hotel) = (&desk.house.test, &desk.house.hotel);
    let disabled = test.integration(hotel, "Disabled", Permission::Write).await;
    test.change_api_key(disabled.api_key_id, ApiKeyChange::Disable).await.expect("disabled");
    let revoked = test.integration(hotel, "Revoked", Permission::Write).await;
    test.change_api_key(revoked.api_key_id, ApiKeyChange::Revoke).await.expect("revoked");
    let live = &desk.live;
    let wrong = [
        "x".to_owned(),
        "pms_live_00000000000000000000000000000000".into(),
        "pms_live_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6".into(),
        "pms_live_".into(),
        disabled.live.clone(),
        disabled.test.clone(),
        live.replace("pms_live_", "pms_test_"),
        desk.test.replace("pms_test_", "pms_live_"),
        live.replace("pms_live_", "sk_live_"),
        live.to_uppercase(),
        format!("{live}0"),
        live[..live.len() - 1].to_owned(),
        format!("{live} {live}"),
        format!("{live},"),
        revoked.live[..revoked.live.len() - 1].to_owned(),
        revoked.live.replace("pms_live_", "pms_test_"),
        revoked.live.to_uppercase(),
    ];
    let malformed = ["", "Bearer", "Bearer ", "Basic eDp5", live, "Token x", "Bearer: x", "Bearer é"];
    let routes = ["guests/checkin", "guests/update", "guests/checkout", "guests/sync", "guests"];
    for (path, rest) in routes.map(|route| (route, true)).into_iter().chain([("/graphql", false)]) {
        let request = |slug: &str, authorization: &str| {
            let method = if path == "guests" { "GET" } else { "POST" };
            let path = if rest { format!("/api/pms/v1/{slug}/{path}") } else { path.to_owned() };
            let request = desk.server.request(method, &path).header("idempotency-key", "k").json(&doe("RES-001"));
            if authorization.is_empty() { request } else { request.header("authorization", authorization) }
        };
        let mut answers = BTreeSet::new();
        for key in &wrong {
            answers.insert(whole(request("grand-hotel", &format!("Bearer {key}"))).await);
        }
        if rest {
            for slug in ["next-door", "nobody", "GRAND-HOTEL", "%ff"] {
                answers.insert(whole(request(slug, &format!("Bearer {live}"))).await);
            }
        }
        assert_eq!(answers.len(), 1, "{path} {answers:#?}");
        assert!(answers.iter().all(|answer| answer.0 == 401 && answer.2.contains("Invalid credentials")));

        let mut answers = BTreeSet::new();
        for authorization in malformed {
            answers.insert(whole(request("grand-hotel", authorization)).await);
        }
        assert_eq!(answers.len(), 1, "{path} {answers:#?}");
        assert!(answers.iter().all(|answer| answer.0 == 401 && answer.2.contains("Use: Bearer pms_live_xxx")));
    }
}

#[tokio::test]
async fn e06_a_post_needs_an_idempotency_key_and_json_and_the_permission_to_write() {
    let desk = Desk::new().await;
    let reader = desk.house.test.integration(&desk.house.hotel, "Reader", Permission::ReadOnly).await;
    let before = fingerprint(&desk.house.test.db.pool).await;
    let post = |key: &str| desk.server.request("POST", PATH).bearer_auth(key);
    let keyed = |key: &str| post(key).header("idempotency-key", "k");
    for (request, status, code) in [
        (post(&desk.live).json(&doe("RES-001")), 400, "IDEMPOTENCY_KEY_REQUIRED"),
        (post(&desk.live).header("idempotency-key", "x".repeat(256)).json(&json!({})), 400, "INVALID_ARGUMENT"),
        (keyed(&desk.live).body("{}"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (keyed(&desk.live).header("content-type", "application/json").body("{"), 400, "BAD_REQUEST"),
        (keyed(&desk.live).json(&json!({})), 400, "INVALID_ARGUMENT"),
        (keyed(&reader.live).json(&doe("RES-001")), 403, "FORBIDDEN"),
        (desk.server.request("GET", PATH), 405, "METHOD_NOT_ALLOWED"),
        (desk.server.request("POST", "/api/pms/v1/grand-hotel/guests/nothing"), 404, "NOT_FOUND"),
    ] {
        let (found, answer) = error(request).await;
        assert_eq!((found, answer["code"].as_str()), (status, Some(code)), "{answer}");
    }
    assert_eq!(fingerprint(&desk.house.test.db.pool).await, before);
}

#[tokio::test]
async fn e04_f18_a_test_key_has_everything_checked_and_nothing_kept() {
    let desk = Desk::new().await;
    desk.house.stay_in("301").await;
    desk.post(
        "checkin",
        json!({"pmsGuestId": "R-301", "lastName": "Doe", "roomNumber": "301",
        "checkOutDate": "2026-02-02"}),
    )
    .await;
    let before = fingerprint(&desk.house.test.db.pool).await;
    for (name, body) in [
        ("checkin", doe("NEW-1")),
        ("update", json!({"pmsGuestId": "R-301", "lastName": "Dow"})),
        ("checkout", json!({"pmsGuestId": "R-301"})),
        ("sync", json!({"guests": []})),
    ] {
        let answer: Value = desk.send(&desk.test, "k", name, &body).await.json().await.expect("JSON");
        assert_eq!((&answer["status"], &answer["_sandbox"]), (&json!("success"), &json!(true)), "{answer}");
    }
    let wrong = desk.send(&desk.test, "k", "checkin", &json!({"pmsGuestId": "X"})).await;
    assert_eq!(wrong.status(), 400);
    let list = desk.server.request("GET", "/api/pms/v1/grand-hotel/guests").bearer_auth(&desk.test);
    let list: Value = list.send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!((&list["_sandbox"], list["guests"].as_array().map(Vec::len)), (&json!(true), Some(1)));
    assert_eq!(fingerprint(&desk.house.test.db.pool).await, before);
}

#[tokio::test]
async fn a_request_that_is_sent_again_gets_the_same_bytes() {
    let desk = Desk::new().await;
    desk.house.room("301").await;
    let first = desk.send(&desk.live, "k", "checkin", &doe("NEW-1")).await.text().await.expect("text");
    let before = fingerprint(&desk.house.test.db.pool).await;
    let again = desk.send(&desk.live, "k", "checkin", &doe("NEW-1")).await;
    assert_eq!(header(&again, "idempotent-replayed"), "true");
    assert_eq!(again.text().await.expect("text"), first);
    for (name, body) in [("checkin", doe("NEW-2")), ("checkout", doe("NEW-1"))] {
        assert_eq!(desk.send(&desk.live, "k", name, &body).await.status(), 422);
    }
    assert_eq!(fingerprint(&desk.house.test.db.pool).await, before);
}

#[tokio::test]
async fn guests_and_rooms_of_another_hotel_are_answered_for_as_none() {
    let desk = Desk::new().await;
    let neighbour = desk.house.next_door().await;
    neighbour.stay_in("999").await;
    let unknown = desk.refused("update", json!({"pmsGuestId": "R-999", "lastName": "X"})).await;
    assert_eq!(unknown, desk.refused("update", json!({"pmsGuestId": "nobody", "lastName": "X"})).await);
    assert_eq!(unknown, (404, "NOT_FOUND".to_owned(), json!("pmsGuestId")));
    let mut guest = doe("NEW-1");
    guest["roomNumber"] = json!("999");
    assert_eq!(desk.refused("checkin", guest).await, (404, "NOT_FOUND".to_owned(), json!("roomNumber")));
}
