//! Who is let in, by which methods, how often; test keys.

use chrono::TimeDelta;
use latchkey::actor::Permission;
use latchkey::auth::ApiKeyChange;
use latchkey::seam::{ROUTES, Route};
use serde_json::{Value, json};

use super::house::{Facade, body, document, error};
use crate::support::fingerprint;

fn for_seam(key: &str) -> String {
    key.replace("pms_", "seam_")
}

#[tokio::test]
async fn at_every_route_a_key_that_is_missing_wrong_disabled_or_revoked_is_unauthorized() {
    let facade = Facade::new().await;
    let test = &facade.doors.house.test;
    let records = facade.records(&facade.doors.house, &facade.own.live, &facade.desk.live, "own").await;
    let disabled = test.integration(&facade.doors.house.hotel, "Disabled", Permission::Admin).await;
    test.change_api_key(disabled.api_key_id, ApiKeyChange::Disable).await.expect("disabled");
    let revoked = test.integration(&facade.doors.house.hotel, "Revoked", Permission::Admin).await;
    test.change_api_key(revoked.api_key_id, ApiKeyChange::Revoke).await.expect("revoked");
    let document = document();
    for route in ROUTES {
        let body = body(&document, route, &records);
        let path = route.spec.path;
        for key in ["x", "seam_live_0", "seam_at_1", &for_seam(&disabled.live), &format!("seam_{}", facade.own.live)] {
            let (status, refused) = error(facade.post(key, path, &body).await).await;
            let expected = json!({"type": "unauthorized", "message": "Invalid credentials"});
            assert_eq!((status, &refused), (401, &expected), "{path} {key}");
        }
        let (status, refused) = error(facade.post(&for_seam(&revoked.test), path, &body).await).await;
        assert_eq!((status, &refused["type"]), (401, &json!("unauthorized")), "{path}");
        let without = facade.server.request("POST", &format!("/seam{path}")).json(&body).send().await;
        assert_eq!(error(without.expect("an answer")).await.0, 401, "{path}");
    }
}

#[tokio::test]
async fn what_changes_something_needs_the_permission_that_it_needs_elsewhere() {
    let facade = Facade::new().await;
    let test = &facade.doors.house.test;
    let records = facade.records(&facade.doors.house, &facade.own.live, &facade.desk.live, "own").await;
    let reader = test.integration(&facade.doors.house.hotel, "Reader", Permission::ReadOnly).await;
    let before = fingerprint(&test.db.pool).await;
    let document = document();
    let below = |permission| match permission {
        Permission::Write => Some(&reader),
        Permission::FrontDesk => Some(&facade.own),
        Permission::ReadOnly | Permission::Admin => None,
    };
    let acts: Vec<&Route> = ROUTES.iter().filter(|route| route.is_act).collect();
    assert!(acts.len() >= 18);
    for route in acts {
        let integration = below(route.permission).expect("no act is for everybody");
        let body = body(&document, route, &records);
        let (status, refused) = error(facade.post(&for_seam(&integration.live), route.spec.path, &body).await).await;
        assert_eq!((status, &refused["type"]), (403, &json!("forbidden")), "{} {refused}", route.spec.path);
    }
    assert_eq!(fingerprint(&test.db.pool).await, before);
}

#[tokio::test]
async fn a_test_key_of_an_ordinary_hotel_writes_nothing_at_any_route() {
    let facade = Facade::new().await;
    let records = facade.records(&facade.doors.house, &facade.desk.live, &facade.desk.live, "own").await;
    let before = fingerprint(&facade.doors.house.test.db.pool).await;
    let document = document();
    for route in ROUTES.iter().filter(|route| route.is_act) {
        let path = route.spec.path;
        // Grants are in the way of this, and there is no cloud key.
        if ["/user_identities/delete", "/access_methods/unlock_door"].contains(&path) || path.contains("/simulate/") {
            continue;
        }
        let mut records = body(&document, route, &records);
        if let Some(entrances) = records.get_mut("acs_entrance_ids") {
            *entrances = json!(["gym-id"]);
        }
        let answer = facade.done(&for_seam(&facade.desk.test), path, &records).await;
        assert_eq!(answer["ok"], json!(true), "{path}");
    }
    assert_eq!(fingerprint(&facade.doors.house.test.db.pool).await, before);
}

#[tokio::test]
async fn each_operation_takes_the_methods_of_all_generations_and_no_others() {
    let facade = Facade::new().await;
    for route in ROUTES {
        let path = format!("/seam{}", route.spec.path);
        let mine: &[&str] = if route.is_act { &["POST", "PUT", "PATCH", "DELETE"] } else { &["GET", "POST"] };
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let request = facade.server.request(method, &path).bearer_auth(&facade.desk.test);
            let response =
                request.header("content-type", "application/json").body("{").send().await.expect("an answer");
            let is_refused = response.status().as_u16() == 405;
            assert_eq!(is_refused, !mine.contains(&method), "{method} {path}");
            if is_refused {
                assert_eq!(response.headers()["allow"], mine.join(", ").as_str(), "{method} {path}");
                assert_eq!(error(response).await.1["type"], "method_not_allowed");
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_served_is_not_found_in_json() {
    let facade = Facade::new().await;
    for path in ["/seam", "/seam/", "/seam/nothing", "/seam/devices/list", "/seam//workspaces/get"] {
        let response = facade.server.request("POST", path).bearer_auth(&facade.own.live).send().await;
        let (status, refused) = error(response.expect("an answer")).await;
        let expected = json!({"type": "not_found", "message": "Nothing is served at this path"});
        assert_eq!((status, refused), (404, expected), "{path}");
    }
    let elsewhere = facade.server.request("POST", "/seamless").send().await.expect("an answer");
    assert!(elsewhere.headers().get("seam-request-id").is_none());
}

/// One SDK says of nothing that it is a form.
#[tokio::test]
async fn a_body_without_a_byte_has_no_parameters_whatever_it_is_called() {
    let facade = Facade::new().await;
    let request = facade.server.request("POST", "/seam/spaces/list").bearer_auth(&facade.own.live);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(request.send().await.expect("an answer").status(), 200);
    let request = facade.server.request("POST", "/seam/spaces/list").bearer_auth(&facade.own.live);
    let form = request.header("content-type", "application/x-www-form-urlencoded").body("limit=1").send().await;
    let (status, refused) = error(form.expect("an answer")).await;
    assert_eq!((status, &refused["type"]), (415, &json!("unsupported_media_type")));
}

#[tokio::test]
async fn a_page_is_behind_the_one_before_and_a_cursor_belongs_to_its_list() {
    let facade = Facade::new().await;
    let list = async |body: Value| facade.done(&facade.own.live, "/acs/entrances/list", &body).await;
    let all = list(json!({})).await["acs_entrances"].as_array().expect("a list").clone();
    assert_eq!(all.len(), 6);
    let (mut paged, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let page = list(json!({"limit": 4, "page_cursor": cursor})).await;
        paged.extend(page["acs_entrances"].as_array().expect("a list").clone());
        let pagination = &page["pagination"];
        assert_eq!(pagination["has_next_page"], json!(!pagination["next_page_cursor"].is_null()));
        cursor = pagination["next_page_cursor"].clone();
        if cursor.is_null() {
            break;
        }
        let elsewhere = json!({"limit": 4, "page_cursor": cursor, "space_id": "room-101"});
        let (status, refused) = error(facade.post(&facade.own.live, "/acs/entrances/list", &elsewhere).await).await;
        assert_eq!((status, &refused["type"]), (400, &json!("invalid_input")));
        assert!(refused["validation_errors"]["page_cursor"]["_errors"][0].is_string(), "{refused}");
    }
    assert_eq!(paged, all);
}

#[tokio::test]
async fn times_are_those_of_the_clock() {
    let facade = Facade::new().await;
    facade.doors.house.test.advance(TimeDelta::days(30));
    let body = json!({"user_identity": {"full_name": "Doe"}, "acs_entrance_ids": ["gym-id"],
        "requested_access_methods": [{"mode": "card"}], "ends_at": "2025-05-14T11:00:00Z"});
    let (status, refused) = error(facade.post(&facade.own.live, "/access_grants/create", &body).await).await;
    let expected = json!({"_errors": [], "ends_at": {"_errors": ["ends_at must be after starts_at"]}});
    assert_eq!((status, &refused["validation_errors"]), (400, &expected));
    let identities = facade.done(&facade.own.live, "/user_identities/list", &json!({})).await;
    assert_eq!(identities["user_identities"], json!([]), "the refused act leaves no trace");
}
