//! One test per line of the checklist.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::secrets::verify_3rpms;
use super::{CREATE, DELETE, Hooks, UPDATE};
use crate::support::{Received, Receiver, Reply, code, text};

const ALL: &[&str] = &[
    "reservation.created",
    "reservation.updated",
    "room_stay.created",
    "room_stay.updated",
    "room_stay.deleted",
    "client.updated",
    "room_access_key.deleted",
];

/// A lock vendor that is told everything.
async fn subscribed() -> (Hooks, Receiver, String) {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let (id, _) = hooks.endpoint(&receiver.url(), ALL).await;
    (hooks, receiver, id)
}

/// Bodies of that type, in the order of their arrival.
async fn told(hooks: &Hooks, receiver: &Receiver, event_type: &str) -> Vec<Value> {
    hooks.deliver().await;
    let bodies = receiver.received().iter().map(Received::json).collect::<Vec<_>>();
    bodies.into_iter().filter(|body| body["type"] == event_type).collect()
}

async fn front_desk(hooks: &Hooks, mutation: &str, input: Value) -> Value {
    let name = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let query = format!("mutation($input: {name}!) {{ {mutation}(input: $input) {{ __typename }} }}");
    hooks.house.desk.data(&query, json!({"input": input})).await
}

#[tokio::test]
async fn a19_a_change_of_a_key_during_the_stay_is_told() {
    let (hooks, receiver, _) = subscribed().await;
    let stay = hooks.house.stay("R1").await;
    let first = hooks.house.locks.pin("1111").await;
    hooks.house.locks.add(&stay, &first).await;
    hooks.deliver().await;
    let second = hooks.house.locks.pin("2222").await;
    hooks.house.locks.remove(&stay, &first).await;
    hooks.house.locks.add(&stay, &second).await;
    let bodies = told(&hooks, &receiver, "room_stay.updated").await;
    assert_eq!(bodies.len(), 3);
    for body in bodies {
        let data = json!({"object": {"id": stay}, "updated_fields": ["roomAccessKey"]});
        assert_eq!(body["data"], data);
    }
}

#[tokio::test]
async fn a20_who_reads_keys_is_told_when_they_change() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let id = super::endpoint(&hooks.house.other_locks, &receiver.url(), &["room_stay.updated"]).await.0;
    let stay = hooks.house.stay("R1").await;
    let key = hooks.house.locks.pin("1111").await;
    hooks.house.locks.add(&stay, &key).await;
    assert_eq!(told(&hooks, &receiver, "room_stay.updated").await.len(), 1);
    assert_eq!(receiver.received()[0].json()["webhook_endpoint_id"], json!(id));
    assert_eq!(hooks.house.other_locks.key_of(&stay).await, Some(key));
}

#[tokio::test]
async fn a55_a_new_stay_is_told() {
    let (hooks, receiver, _) = subscribed().await;
    let stay = hooks.house.stay("R1").await;
    let bodies = told(&hooks, &receiver, "room_stay.created").await;
    assert_eq!(bodies.len(), 1);
    assert_eq!(bodies[0]["data"], json!({"object": {"id": stay}}));
}

#[tokio::test]
async fn a56_a_change_of_arrival_departure_and_room_is_told() {
    let (hooks, receiver, _) = subscribed().await;
    let (stay, room) = (hooks.house.stay("R1").await, hooks.house.room("101").await);
    front_desk(&hooks, "moveRoomStay", json!({"roomStayId": stay, "roomSetupId": room})).await;
    front_desk(
        &hooks,
        "changeRoomStayDates",
        json!({"roomStayId": stay, "reservation_from": "2026-01-31", "reservation_to": "2026-02-03"}),
    )
    .await;
    let bodies = told(&hooks, &receiver, "room_stay.updated").await;
    let fields: Vec<&Value> = bodies.iter().map(|body| &body["data"]["updated_fields"]).collect();
    assert_eq!(fields.len(), 2, "{bodies:#?}");
    for expected in ["room_setup", "reservation_from", "reservation_to"] {
        assert!(fields.iter().any(|fields| fields.as_array().is_some_and(|all| all.contains(&json!(expected)))));
    }
}

#[tokio::test]
async fn a57_a_deleted_stay_is_told() {
    let (hooks, receiver, _) = subscribed().await;
    let nights = [("2026-01-30", "2026-02-01"), ("2026-01-30", "2026-02-01")];
    let stay = hooks.house.reservation("R1", &nights).await.1.remove(0);
    front_desk(&hooks, "deleteRoomStay", json!({"roomStayId": stay})).await;
    let bodies = told(&hooks, &receiver, "room_stay.deleted").await;
    assert_eq!(bodies.len(), 1);
    assert_eq!(bodies[0]["data"], json!({"object": {"id": stay}}));
}

#[tokio::test]
async fn a58_cancelling_and_activating_again_is_told() {
    let (hooks, receiver, _) = subscribed().await;
    let (reservation, _) = hooks.house.reservation("R1", &[("2026-01-30", "2026-02-01")]).await;
    front_desk(&hooks, "cancelReservation", json!({"id": reservation})).await;
    hooks.deliver().await;
    front_desk(&hooks, "reactivateReservation", json!({"id": reservation})).await;
    let bodies = told(&hooks, &receiver, "reservation.updated").await;
    assert_eq!(bodies.len(), 2);
    for body in bodies {
        assert_eq!(body["data"]["object"]["id"], json!(reservation));
        assert!(body["data"]["updated_fields"].as_array().is_some_and(|all| all.contains(&json!("status"))));
    }
}

#[tokio::test]
async fn a59_a_deleted_key_is_told_to_its_owner_alone() {
    let (hooks, receiver, _) = subscribed().await;
    let others = Receiver::new(Reply::Status(200)).await;
    super::endpoint(&hooks.house.other_locks, &others.url(), ALL).await;
    let key = hooks.house.locks.pin("1111").await;
    hooks.house.locks.delete(&key).await;
    let bodies = told(&hooks, &receiver, "room_access_key.deleted").await;
    assert_eq!(bodies.len(), 1);
    assert_eq!(bodies[0]["data"], json!({"object": {"id": key}}));
    assert!(others.received().is_empty());
}

#[tokio::test]
async fn a59b_an_event_is_sent_as_soon_as_it_is_committed() {
    let (hooks, receiver, _) = subscribed().await;
    let woken = hooks.house.test.deliveries_wake.notified();
    hooks.house.stay("R1").await;
    woken.await;
    assert_eq!(told(&hooks, &receiver, "room_stay.created").await.len(), 1);
}

#[tokio::test]
async fn f09_the_envelope_is_as_documented() {
    let (hooks, receiver, id) = subscribed().await;
    let others = Receiver::new(Reply::Status(200)).await;
    let (other, _) = super::endpoint(&hooks.house.other_locks, &others.url(), ALL).await;
    let stay = hooks.house.stay("R1").await;
    let key = hooks.house.locks.pin("1111").await;
    hooks.house.locks.add(&stay, &key).await;
    let body = told(&hooks, &receiver, "room_stay.updated").await.remove(0);
    let event = text(&body["id"]);
    assert!(event.len() == 64 && event.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(
        body,
        json!({
            "id": event, "type": "room_stay.updated", "created_at": 1_769_763_600, "webhook_endpoint_id": id,
            "actor": {"type": "integration", "id": hooks.house.keys.integration_id},
            "data": {"object": {"id": stay}, "updated_fields": ["roomAccessKey"]},
        })
    );
    // The same event has the same id for every endpoint.
    let elsewhere = told(&hooks, &others, "room_stay.updated").await.remove(0);
    assert_eq!((&elsewhere["id"], &elsewhere["webhook_endpoint_id"]), (&body["id"], &json!(other)));
    let created = told(&hooks, &receiver, "room_stay.created").await.remove(0);
    assert_eq!(created["data"], json!({"object": {"id": stay}}));
    let arrived = receiver.received();
    assert!(arrived.iter().all(|one| one.request_line == "POST /hooks HTTP/1.1"));
    assert!(arrived.iter().all(|one| one.header("content-type") == Some("application/json")));
}

#[tokio::test]
async fn f10_an_endpoint_is_told_the_types_that_it_subscribed_to() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    for event_type in ALL {
        let (id, _) = hooks.endpoint(&receiver.url(), &[event_type]).await;
        hooks.house.locks.data(DELETE, json!({"id": id})).await;
    }
    hooks.endpoint(&receiver.url(), &["reservation.created"]).await;
    hooks.house.stay("R1").await;
    assert_eq!(hooks.deliver().await, 1);
    assert_eq!(receiver.received()[0].json()["type"], "reservation.created");
    let unknown =
        json!({"url": "https://example.com", "status": "ENABLED", "events": ["category.availability.updated"]});
    assert_eq!(code(&hooks.house.locks.run(CREATE, json!({"input": unknown})).await), "INVALID_ARGUMENT");
}

#[tokio::test]
async fn f11_five_enabled_endpoints_and_https_only() {
    let hooks = Hooks::with("").await;
    for _ in 0..5 {
        hooks.endpoint("https://example.com/", &["room_stay.created"]).await;
    }
    let sixth = json!({"url": "https://example.com/", "status": "ENABLED", "events": ["room_stay.created"]});
    assert_eq!(code(&hooks.house.locks.run(CREATE, json!({"input": sixth})).await), "INVALID_ARGUMENT");
    let plain = json!({"url": "http://example.com/", "status": "DISABLED", "events": ["room_stay.created"]});
    assert_eq!(code(&hooks.house.locks.run(CREATE, json!({"input": plain})).await), "INVALID_ARGUMENT");
}

#[tokio::test]
async fn f12_each_attempt_is_signed_anew() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    receiver.next([Reply::Status(500)]);
    let (_, secret) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    hooks.house.stay("R1").await;
    let first = hooks.house.test.clock.now();
    hooks.deliver().await;
    hooks.deliver_after(TimeDelta::minutes(10)).await;
    let (arrived, second) = (receiver.received(), hooks.house.test.clock.now());
    assert!(verify_3rpms(&arrived[0], &secret, first) && verify_3rpms(&arrived[1], &secret, second));
    assert!(!verify_3rpms(&arrived[0], &secret, second));
    let header = arrived[0].header("3rpms-signature").expect("signed");
    assert!(header.starts_with(&format!("t={},signature=", first.timestamp())), "{header}");
}

#[tokio::test]
async fn f13_failures_are_retried_and_an_endpoint_that_fails_for_good_is_disabled() {
    let hooks = Hooks::new().await.impatient();
    let receiver = Receiver::new(Reply::Hang).await;
    receiver.next([Reply::Status(302), Reply::Status(404), Reply::Status(500)]);
    let (id, _) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    hooks.house.stay("R1").await;
    hooks.deliver().await;
    for time in [TimeDelta::seconds(12), TimeDelta::seconds(70), TimeDelta::minutes(12)] {
        assert_eq!(hooks.read(&id).await["status"], "ENABLED");
        assert_eq!(hooks.deliver_after(time).await, 1);
    }
    assert_eq!(hooks.read(&id).await["status"], "DISABLED");
    assert_eq!(receiver.received().len(), 4);
}

#[tokio::test]
async fn f14_the_secret_is_shown_once_and_stored_before_the_endpoint_is_enabled() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let input = json!({"url": receiver.url(), "status": "DISABLED", "events": ["room_stay.created"]});
    let data = hooks.house.locks.data(CREATE, json!({"input": input})).await;
    let made = &data["createWebhookEndpoint"];
    let (id, secret) = (text(&made["webhookEndpoint"]["id"]), text(&made["secret"]));
    assert!(id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    hooks.house.stay("R1").await;
    assert_eq!(hooks.deliver().await, 0);
    hooks.house.locks.data(UPDATE, json!({"input": {"id": id, "status": "ENABLED"}})).await;
    assert_eq!(hooks.read(&id).await["status"], "ENABLED");
    hooks.house.stay("R2").await;
    assert_eq!(hooks.deliver().await, 1);
    assert!(verify_3rpms(&receiver.received()[0], &secret, hooks.house.test.clock.now()));
    // There is no field that shows it again.
    let asked = hooks.house.locks.run("{ webhookEndpoints { edges { node { secret } } } }", json!({})).await;
    assert_eq!(code(&asked), "GRAPHQL_VALIDATION_FAILED");
}
