//! API keys, and what the schema has offered since when.

use axum::http::HeaderValue;
use latchkey::actor::Permission;
use latchkey::auth::ApiKeyChange;
use latchkey::error::ErrorCode;
use serde_json::{Value, json};

use crate::support::client::CREATE_KEY;
use crate::support::{Client, House, TestApp, code, text};

#[tokio::test]
async fn f15_a_key_belongs_to_one_hotel_and_is_read_only_or_write_or_disabled() {
    let house = House::new().await;
    let second = house.test.integration(&house.hotel, "Second", Permission::Write).await;
    let pin = json!({"input": {"roomAccessPin": {"pin": "1"}}});
    let writer = Client::new(&house.test, &second.live).await;
    assert!(writer.run(CREATE_KEY, pin.clone()).await.get("errors").is_none(), "a hotel has several keys");
    assert_eq!(code(&house.messaging.run(CREATE_KEY, pin).await), "FORBIDDEN");
    assert_eq!(writer.actor.hotel.id, house.hotel.id);

    let bearer = |key: &str| HeaderValue::from_str(&format!("Bearer {key}")).expect("a header");
    house.test.change_api_key(second.api_key_id, ApiKeyChange::Disable).await.expect("can be disabled");
    let refused = house.test.authenticate(Some(&bearer(&second.live))).await.expect_err("disabled");
    assert_eq!(refused.code, ErrorCode::Unauthorized);
    assert_eq!(refused.code.spec().http_status, 401);
    let none = house.test.authenticate(None).await.expect_err("no key");
    assert_eq!(none.code, ErrorCode::Unauthorized);
}

#[tokio::test]
async fn f17_what_the_schema_offers() {
    let house = House::new().await;
    let data = house
        .messaging
        .data(
            "{ key: __type(name: \"RoomAccessKey\") { kind fields { name } } \
               filter: __type(name: \"RoomStayFilter\") { inputFields { name } } \
               status: __type(name: \"ReservationStatus\") { enumValues { name } } \
               query: __type(name: \"Query\") { fields { name } } }",
            json!({}),
        )
        .await;
    let names = |list: &Value| -> Vec<String> {
        list.as_array().expect("a list").iter().map(|item| text(&item["name"])).collect()
    };
    assert_eq!(data["key"]["kind"], "INTERFACE");
    assert_eq!(names(&data["key"]["fields"]), ["id", "deletesAt", "auditTrail"]);
    for field in ["check_in", "check_out", "date", "reservationStatus", "updatedAt", "not", "or"] {
        assert!(names(&data["filter"]["inputFields"]).iter().any(|name| name == field), "{field}");
    }
    assert_eq!(names(&data["status"]["enumValues"]), ["ACTIVE", "CANCELLED", "INVOICED"]);
    for root in ["room_stays", "reservations", "roomAccessKeys", "clients", "settings"] {
        assert!(names(&data["query"]["fields"]).iter().any(|name| name == root), "{root}");
    }
}

#[tokio::test]
async fn f17_a_datetime_needs_an_offset_and_a_date_has_none() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let arrival = |at: &str| json!({"id": stay, "check_in": at});
    for wrong in ["2026-01-30T15:00:00", "2026-01-30", "2026-01-30T15:00", "now"] {
        let response = house.locks.act("updateRoomStay", arrival(wrong), "roomStay { id }").await;
        assert_ne!(code(&response), "no error", "{wrong}");
    }
    let answer = house.locks.done("updateRoomStay", arrival("2026-01-30T14:00:00Z"), "roomStay { check_in }").await;
    assert_eq!(answer["roomStay"]["check_in"], "2026-01-30T15:00:00+01:00", "in the hotel's zone");
    let query = "query($day: Date!) { room_stays(filter: {date: $day}) { edges { node { id } } } }";
    for wrong in ["2026-01-30T00:00:00Z", "2026-1-30", "30.01.2026", "2026-02-30", ""] {
        assert_ne!(code(&house.messaging.run(query, json!({ "day": wrong })).await), "no error", "{wrong}");
    }
    assert!(house.messaging.run(query, json!({"day": "2026-01-30"})).await.get("errors").is_none());
}

#[tokio::test]
async fn f17_room_access_keys_lists_what_the_integration_may_grant_or_revoke() {
    let house = House::on(TestApp::new().await, "grand-hotel", chrono_tz::Tz::Europe__Berlin).await;
    house.locks.pin("1").await;
    house.other_locks.pin("2").await;
    let of_the_same =
        Client::new(&house.test, &house.test.integration(&house.hotel, "Locks", Permission::Write).await.live).await;
    assert_eq!(house.locks.own_pins().await, ["1"]);
    assert_eq!(of_the_same.own_pins().await, ["1"], "keys belong to the integration, not to its API key");
    assert_eq!(house.other_locks.own_pins().await, ["2"]);
    assert!(house.messaging.own_pins().await.is_empty());
}
