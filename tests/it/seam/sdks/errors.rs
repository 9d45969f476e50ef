//! What goes wrong, as the clients' exceptions tell it.

use serde_json::{Value, json};

use super::sdk::{self, Generation, Sdk, Thrown};
use crate::access_grants::Doors;
use crate::support::TestServer;

/// A card of guest 1 for room 101, with other members; `null` takes one away.
fn grant(others: Value) -> Value {
    let mut grant = json!({"user_identity_id": "guest-1", "acs_entrance_ids": ["room-101-id"],
        "starts_at": "2025-05-10T15:00:00Z", "ends_at": "2025-05-14T11:00:00Z",
        "requested_access_methods": [{"mode": "card"}], "reservation_key": "stay-1"});
    let Value::Object(others) = others else { panic!("members, not {others}") };
    let members = grant.as_object_mut().expect("members");
    members.extend(others);
    members.retain(|_, value| !value.is_null());
    grant
}

/// Has a grant refused. Whatever the error, its request is the last one, and told.
async fn refused(sdk: &mut Sdk, others: Value) -> Thrown {
    let thrown = sdk.thrown("access_grants.create", grant(others)).await;
    assert_eq!(thrown.request_id.as_deref(), Some(sdk.last().request_id()), "{:?}", sdk.generation);
    assert!(!sdk.last().request_id().is_empty());
    thrown
}

#[tokio::test(flavor = "multi_thread")]
async fn b35_the_five_errors_arrive_as_exceptions_of_the_official_clients() {
    let doors = Doors::new().await;
    let server = TestServer::start(&doors.house.test).await;
    for mut sdk in sdk::all(&server.url, &doors.house.keys.live).await {
        let expected = [
            (
                json!({"acs_entrance_ids": ["gym-id"]}),
                (400, "reservation_key_not_supported", "reservation_key not supported."),
                "No targeted entrances support reservation behavior. Remove reservation_key or include at least one \
                 reservation-capable entrance.",
            ),
            (
                json!({"reservation_key": null}),
                (400, "reservation_key_required", "reservation_key required for guest cards."),
                "A targeted entrance requires a reservation for guest credentials. Add a reservation_key.",
            ),
            (
                json!({"acs_entrance_ids": ["room-203-id"]}),
                (409, "reservation_entrance_change_requires_cleanup", "Reservation entrance change requires cleanup."),
                "To change the doors for this reservation, delete the existing access grants first.",
            ),
            (
                json!({"acs_entrance_ids": ["room-101-id", "room-102-id"]}),
                (409, "reservation_joiner_entrance_set_conflict", "Reservation joiner entrance set conflict."),
                "Joiner access grants must use the same or a subset of the reservation-capable doors.",
            ),
            (
                json!({"starts_at": "2025-05-15T15:00:00Z", "ends_at": "2025-05-18T11:00:00Z"}),
                (409, "reservation_time_frames_must_overlap", "Reservation time frames must overlap."),
                "Access grants in the same reservation must have overlapping time frames.",
            ),
        ];
        let existing = sdk.get("access_grants.create", grant(json!({}))).await;
        for (others, (status, code, title), message) in expected {
            let thrown = refused(&mut sdk, others).await;
            let told = (thrown.status, thrown.code.as_deref(), &thrown.data["title"], thrown.message.as_str());
            assert_eq!(told, (Some(status), Some(code), &json!(title), message), "{:?}", sdk.generation);
            assert_eq!(thrown.class, "SeamHttpApiError");
        }
        let id = &existing["access_grant_id"];
        sdk.get("access_grants.delete", json!({"access_grant_id": id})).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_wrong_or_revoked_are_unauthorized_and_others_are_refused_by_the_clients() {
    let doors = Doors::new().await;
    let server = TestServer::start(&doors.house.test).await;
    let keys = &doors.house.keys;
    let clients = sdk::all(&server.url, &keys.live).await;
    doors.house.admin().await.done("revokeApiKey", json!({"id": keys.api_key_id}), "apiKey { revokedAt }").await;
    for mut sdk in clients {
        let generation = sdk.generation;
        for key in [keys.live.as_str(), keys.test.as_str(), &format!("pms_live_{}", "0".repeat(64)), "pms_x"] {
            sdk.connect(key).await.expect("a key that it takes");
            let thrown = sdk.thrown("workspaces.get", Value::Null).await;
            let told = (thrown.class.as_str(), thrown.code.as_deref(), thrown.status);
            assert_eq!(told, ("SeamHttpUnauthorizedError", Some("unauthorized"), Some(401)), "{generation:?} {key}");
            assert_eq!(thrown.request_id.as_deref(), Some(sdk.last().request_id()), "{generation:?}");
        }
        let before = sdk.wire.count();
        let thrown = sdk.connect("live_0").await.expect_err("no such prefix");
        assert_eq!(
            thrown.class,
            if generation == Generation::P3 { "SeamInvalidTokenError" } else { "SeamHttpInvalidTokenError" }
        );
        assert_eq!(sdk.wire.count(), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_parameter_is_told_by_its_name() {
    let doors = Doors::new().await;
    let server = TestServer::start(&doors.house.test).await;
    for mut sdk in sdk::all(&server.url, &doors.house.keys.live).await {
        let generation = sdk.generation;
        let wrong = [
            ("ends_at", json!("soon")),
            ("ends_at", json!("2025-05-10T14:00:00Z")),
            ("user_identity_id", json!(7)),
            ("requested_access_methods", json!([{"mode": "horn"}])),
            ("colour", json!("blue")),
        ];
        for (parameter, value) in wrong {
            // Names that the client for Python does not know, it does not send.
            if generation == Generation::P3 && parameter == "colour" {
                continue;
            }
            let thrown = refused(&mut sdk, json!({ parameter: value })).await;
            let told = (thrown.class.as_str(), thrown.code.as_deref(), thrown.status);
            assert_eq!(told, ("SeamHttpInvalidInputError", Some("invalid_input"), Some(400)), "{thrown:#?}");
            let messages = thrown.validation.as_object().expect("messages").iter();
            let at_fault: Vec<&str> =
                messages.filter(|(_, said)| **said != json!([])).map(|(name, _)| name.as_str()).collect();
            assert_eq!(at_fault, [parameter], "{generation:?} {thrown:#?}");
        }

        // The older client leaves it to the server to miss something.
        let before = sdk.wire.count();
        let thrown = sdk.thrown("access_grants.create", grant(json!({"requested_access_methods": null}))).await;
        if generation == Generation::J1 {
            assert_eq!(thrown.class, "SeamHttpInvalidInputError");
            let errors = &sdk.last().body["error"]["validation_errors"];
            assert!(errors["requested_access_methods"]["_errors"][0].is_string(), "{errors}");
        } else {
            assert_eq!((thrown.class.as_str(), sdk.wire.count()), ("TypeError", before), "{generation:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_and_routes_that_do_not_exist_are_not_found() {
    let doors = Doors::new().await;
    let server = TestServer::start(&doors.house.test).await;
    for mut sdk in sdk::all(&server.url, &doors.house.keys.live).await {
        let id = "0196b1a8-7c00-7000-8000-000000000000";
        let thrown = sdk.thrown("access_grants.get", json!({"access_grant_id": id})).await;
        let told = (thrown.class.as_str(), thrown.code.as_deref(), thrown.status);
        assert_eq!(told, ("SeamHttpApiError", Some("access_grant_not_found"), Some(404)), "{:?}", sdk.generation);
        assert_eq!(thrown.data, json!({"access_grant_id": id}));

        let thrown = sdk.thrown("thermostats.list", Value::Null).await;
        let told = (thrown.class.as_str(), thrown.code.as_deref(), thrown.status);
        assert_eq!(told, ("SeamHttpApiError", Some("not_found"), Some(404)), "{:?}", sdk.generation);
        assert_eq!(thrown.request_id.as_deref(), Some(sdk.last().request_id()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_test_key_does_is_answered_and_leaves_nothing() {
    let doors = Doors::new().await;
    let server = TestServer::start(&doors.house.test).await;
    for mut sdk in sdk::all(&server.url, &doors.house.keys.test).await {
        let made = sdk.get("access_grants.create", grant(json!({}))).await;
        assert_eq!(made["reservation_key"], "stay-1");
        assert_eq!(sdk.get("access_grants.list", json!({})).await, json!([]), "{:?}", sdk.generation);
    }
}
