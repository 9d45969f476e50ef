//! The delivery log, resending and trying an endpoint out.

use chrono::TimeDelta;
use serde_json::json;

use super::{Hooks, TEST, endpoint};
use crate::support::{Receiver, Reply, code, text};

const RESEND: &str = "mutation($id: ID!) { resendWebhook(input: {deliveryId: $id}) { webhookDelivery { \
     id status attempts { number } } } }";

#[tokio::test]
async fn the_log_tells_what_was_sent_and_what_came_back() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(204)).await;
    receiver.next([Reply::Raw(b"HTTP/1.1 500 -\r\ncontent-length: 9\r\n\r\nNot today".to_vec())]);
    let (id, _) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    let stay = hooks.house.stay("R1").await;
    hooks.deliver().await;
    let delivery = hooks.log(&id).await.remove(0);
    assert_eq!(delivery["objectId"], json!(stay));
    assert_eq!((&delivery["eventType"], &delivery["status"]), (&json!("room_stay.created"), &json!("PENDING")));
    assert_eq!(delivery["eventId"], receiver.received()[0].json()["id"]);
    assert_eq!(delivery["createdAt"], "2026-01-30T10:00:00+01:00");
    let attempt = &delivery["attempts"][0];
    assert_eq!((&attempt["answer"], &attempt["statusCode"]), (&json!("Not today"), &json!(500)));
    hooks.deliver_after(TimeDelta::seconds(12)).await;
    let delivery = hooks.log(&id).await.remove(0);
    assert_eq!((&delivery["status"], &delivery["nextAttemptAt"]), (&json!("DELIVERED"), &json!(null)));
    assert_eq!(delivery["finishedAt"], "2026-01-30T10:00:12+01:00");
    assert_eq!(delivery["attempts"][1]["createdAt"], "2026-01-30T10:00:12+01:00");
}

#[tokio::test]
async fn the_log_is_paged_from_the_newest_event_on_and_filtered_by_status() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let (id, _) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    let mut stays = Vec::new();
    for number in 0..5 {
        stays.push(hooks.house.stay(&format!("R{number}")).await);
    }
    receiver.next([Reply::Status(500)]);
    hooks.deliver().await;
    stays.reverse();
    let query = "query($id: ID!, $first: Int, $after: String, $last: Int, $before: String, $status: WebhookDeliveryStatus) \
         { webhookDeliveries(endpointId: $id, first: $first, after: $after, last: $last, before: $before, status: $status) \
         { totalCount edges { node { objectId } } \
         pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
    let page = |mut variables: serde_json::Value| {
        variables["id"] = json!(id);
        async {
            let data = hooks.house.locks.data(query, variables).await;
            let connection = data["webhookDeliveries"].clone();
            let edges = connection["edges"].as_array().expect("edges").clone();
            let objects: Vec<String> = edges.iter().map(|edge| text(&edge["node"]["objectId"])).collect();
            (objects, connection)
        }
    };
    let (found, first) = page(json!({"first": 2})).await;
    assert_eq!((&found[..], &first["totalCount"]), (&stays[..2], &json!(5)));
    assert_eq!(first["pageInfo"]["hasNextPage"], json!(true));
    let (found, second) = page(json!({"first": 3, "after": first["pageInfo"]["endCursor"]})).await;
    assert_eq!(found, stays[2..]);
    assert_eq!(
        (&second["pageInfo"]["hasNextPage"], &second["pageInfo"]["hasPreviousPage"]),
        (&json!(false), &json!(true))
    );
    let (found, _) = page(json!({"last": 1, "before": second["pageInfo"]["startCursor"]})).await;
    assert_eq!(found, stays[1..2]);
    let (found, pending) = page(json!({"status": "PENDING"})).await;
    assert_eq!((found.len(), &pending["totalCount"]), (1, &json!(1)));
}

#[tokio::test]
async fn a_webhook_is_sent_again_with_the_same_body_and_a_whole_schedule() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let (id, _) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    hooks.house.stay("R1").await;
    hooks.deliver().await;
    let delivery = text(&hooks.log(&id).await[0]["id"]);
    let data = hooks.house.locks.data(RESEND, json!({"id": delivery})).await;
    let resent = &data["resendWebhook"]["webhookDelivery"];
    assert_eq!((&resent["status"], &resent["attempts"][0]["number"]), (&json!("PENDING"), &json!(1)));
    assert_eq!(hooks.deliver().await, 1);
    let arrived = receiver.received();
    assert_eq!(arrived[0].body, arrived[1].body);
    assert_eq!(hooks.log(&id).await[0]["attempts"][1]["number"], 2);
    // What is sent again to a disabled endpoint waits for it to be enabled.
    hooks.disable(&id).await;
    let data = hooks.house.locks.data(RESEND, json!({"id": delivery})).await;
    assert_eq!(data["resendWebhook"]["webhookDelivery"]["status"], "HELD");
    assert_eq!(hooks.deliver().await, 0);
    hooks.enable(&id).await;
    assert_eq!(hooks.deliver().await, 1);
}

#[tokio::test]
async fn foreign_and_malformed_deliveries_are_not_found() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let (id, _) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    hooks.house.stay("R1").await;
    hooks.deliver().await;
    let delivery = text(&hooks.log(&id).await[0]["id"]);
    assert_eq!(code(&hooks.house.other_locks.run(RESEND, json!({"id": delivery})).await), "NOT_FOUND");
    for bad in ["", "x", &delivery.replace('-', "-9"), &id] {
        let error = hooks.house.locks.error(RESEND, json!({"id": bad})).await;
        assert_eq!(error["extensions"]["code"], "NOT_FOUND", "{bad}");
        assert_eq!(error["extensions"]["argumentPath"], json!(["input", "deliveryId"]));
    }
    assert_eq!(hooks.deliver().await, 0);
}

#[tokio::test]
async fn a_test_webhook_goes_to_its_endpoint_alone() {
    let hooks = Hooks::new().await;
    let (mine, others) = (Receiver::new(Reply::Status(200)).await, Receiver::new(Reply::Status(200)).await);
    let (id, secret) = hooks.endpoint(&mine.url(), &["room_stay.created"]).await;
    hooks.endpoint(&others.url(), &["room_stay.created"]).await;
    endpoint(&hooks.house.other_locks, &others.url(), &["room_stay.created"]).await;
    hooks.house.locks.data(TEST, json!({"id": id})).await;
    assert_eq!(hooks.deliver().await, 1);
    let arrived = mine.received().remove(0);
    assert!(super::secrets::verify_3rpms(&arrived, &secret, hooks.house.test.clock.now()));
    let body = arrived.json();
    assert_eq!((&body["type"], &body["data"]), (&json!("webhook.test"), &json!({"object": {"id": id}})));
    assert!(others.received().is_empty());
    assert_eq!(hooks.log(&id).await[0]["eventType"], "webhook.test");
    hooks.disable(&id).await;
    assert_eq!(code(&hooks.house.locks.run(TEST, json!({"id": id})).await), "INVALID_ARGUMENT");
}
