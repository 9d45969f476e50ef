//! A lock vendor's integration from its first request to the end of a stay, over HTTP and with its own receiver.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use latchkey::actor::Permission;
use latchkey::pruner;
use latchkey::webhooks::{self, Sender};
use serde_json::{Value, json};

use crate::conformance::printed::ROOM_STAY;
use crate::support::{Receiver, Reply, TestApp, TestIntegration, TestServer, nodes, text};
use crate::webhooks::secrets::verify;
use crate::webhooks::{CREATE, UPDATE, settings};

const CREATE_KEY: &str = "mutation($input: CreateRoomAccessKeyInput!) { createRoomAccessKey(input: $input) { \
     roomAccessKey { id @chain(variable: \"roomAccessKeyId\") } } }";
const ASSIGN: &str = "mutation($roomStayId: ID! $roomAccessKeyId: ID!) { addRoomAccessKey(input: { \
     roomStayId: $roomStayId roomAccessKeyId: $roomAccessKeyId}) { roomStay { roomAccessKey { id } } } }";
const KEYS: &str = "{ roomAccessKeys(first: 100) { edges { node { id } } } }";

/// Everybody, at a hotel in Berlin. It is 30 January 2026, 10:00 there.
struct Scene {
    test: TestApp,
    server: TestServer,
    desk: TestIntegration,
    vendor: TestIntegration,
    receiver: Receiver,
    sender: Arc<Sender>,
    /// What the vendor was shown once and keeps.
    secret: String,
    /// Webhooks that it has dealt with.
    seen: usize,
}

impl Scene {
    async fn new() -> Self {
        let test = TestApp::with_webhooks(settings("127.0.0.0/8")).await;
        let hotel = test.hotel("grand-hotel", Tz::Europe__Berlin).await;
        Self {
            server: TestServer::start(&test).await,
            desk: test.integration(&hotel, "Front desk", Permission::FrontDesk).await,
            vendor: test.integration(&hotel, "Locks", Permission::Write).await,
            receiver: Receiver::new(Reply::Status(200)).await,
            sender: Arc::default(),
            secret: String::new(),
            seen: 0,
            test,
        }
    }

    /// What the vendor is answered.
    async fn vendor(&self, query: &str, variables: Value) -> Value {
        let answer = self.server.run(&self.vendor.live, query, variables).await;
        assert!(answer.get("errors").is_none(), "{answer:#}");
        answer["data"].clone()
    }

    /// The front desk does something.
    async fn desk(&self, mutation: &str, input: Value, selection: &str) -> Value {
        let (first, rest) = mutation.split_at(1);
        let type_name = format!("{}{rest}Input", first.to_uppercase());
        let query = format!("mutation($input: {type_name}!) {{ {mutation}(input: $input) {{ {selection} }} }}");
        let answer = self.server.run(&self.desk.live, &query, json!({ "input": input })).await;
        assert!(answer.get("errors").is_none(), "{answer:#}");
        answer["data"][mutation].clone()
    }

    async fn room(&self, name: &str, category: &str) -> String {
        let input = json!({"name": name, "categoryId": category});
        text(&self.desk("createRoomSetup", input, "roomSetup { id }").await["roomSetup"]["id"])
    }

    /// The vendor fetches two stays as the guide prints it.
    async fn fetch(&self, one: &str, other: &str) -> Vec<Value> {
        let ids = ROOM_STAY.variables(&[("<room stay id 1>", one), ("<room stay id 2>", other)]);
        nodes(&self.vendor(ROOM_STAY.0, ids).await["room_stays"])
    }

    /// Moves the clock to that instant and lets the pruner run.
    async fn prune_at(&self, instant: &str) {
        let instant: DateTime<Utc> = instant.parse().expect("an instant");
        self.test.advance(instant - self.test.clock.now());
        pruner::prune_due(&self.test).await.expect("the database is there");
    }

    /// What the vendor is told since the last call, in one line each, sorted: who, what, which, and the changed fields.
    async fn told(&mut self) -> Vec<String> {
        webhooks::deliver_due(&self.test, &self.test.webhooks, &self.sender).await.expect("the database is there");
        let received = self.receiver.received().split_off(self.seen);
        self.seen += received.len();
        let mut told: Vec<String> = received
            .iter()
            .map(|webhook| {
                assert!(verify(webhook, &self.secret, self.test.clock.now()));
                let body = webhook.json();
                let who = self.name_of(&body["actor"]);
                let mut line = format!("{who}: {} {}", text(&body["type"]), text(&body["data"]["object"]["id"]));
                for field in body["data"]["updated_fields"].as_array().into_iter().flatten() {
                    line = line + " " + &text(field);
                }
                line
            })
            .collect();
        told.sort();
        told
    }

    fn name_of(&self, actor: &Value) -> &'static str {
        match (actor["type"].as_str(), actor["id"].as_str()) {
            (Some("integration"), Some(id)) if id == self.vendor.integration_id.to_string() => "me",
            (Some("integration"), Some(id)) if id == self.desk.integration_id.to_string() => "desk",
            (Some("pruner"), None) => "pruner",
            _ => panic!("{actor}"),
        }
    }
}

#[tokio::test]
async fn a_vendor_follows_a_last_minute_booking_until_its_key_is_gone() {
    let mut scene = Scene::new().await;

    // It makes an endpoint, stores the secret, and then enables it.
    let input = json!({
        "url": scene.receiver.url(),
        "status": "DISABLED",
        "events": ["room_stay.created", "room_stay.updated", "room_stay.deleted", "reservation.updated",
                   "room_access_key.deleted"],
    });
    let made = scene.vendor(CREATE, json!({ "input": input })).await["createWebhookEndpoint"].take();
    scene.secret = text(&made["secret"]);
    scene.vendor(UPDATE, json!({"input": {"id": made["webhookEndpoint"]["id"], "status": "ENABLED"}})).await;

    // Somebody books two rooms for tonight.
    let category =
        text(&scene.desk("createCategory", json!({"name": "Double"}), "category { id }").await["category"]["id"]);
    let rooms = [scene.room("101", &category).await, scene.room("102", &category).await];
    let tonight = |room: &str| {
        json!({"categoryId": category, "roomSetupId": room, "reservation_from": "2026-01-30",
               "reservation_to": "2026-02-02"})
    };
    let input = json!({"code": "R1", "client": {"person": {"lastname": "Doe"}},
                       "roomStays": [tonight(&rooms[0]), tonight(&rooms[1])]});
    let booked = scene.desk("createReservation", input, "reservation { id rooms(first: 2) { edges { node { id } } } }");
    let booked = booked.await["reservation"].take();
    let reservation = text(&booked["id"]);
    let [stay, other] = &nodes(&booked["rooms"]).iter().map(|node| text(&node["id"])).collect::<Vec<_>>()[..] else {
        panic!("{booked}")
    };
    assert_eq!(
        scene.told().await,
        sorted([format!("desk: room_stay.created {stay}"), format!("desk: room_stay.created {other}"),])
    );

    // The vendor fetches both, and gives each a key in one request.
    let fetched = scene.fetch(stay, other).await;
    let expected = |id: &str, room: &str| {
        json!({"id": id, "room_setup": {"id": room}, "arrival": "2026-01-30", "departure": "2026-02-02",
               "roomAccessKey": null})
    };
    assert_eq!(fetched, [expected(stay, &rooms[0]), expected(other, &rooms[1])]);
    let create = |pin: &str| json!({"query": CREATE_KEY, "variables": {"input": {"roomAccessPin": {"pin": pin}}}});
    let assign = |stay: &str| json!({"query": ASSIGN, "variables": {"roomStayId": stay}});
    let batch = json!([create("1111"), assign(stay), create("2222"), assign(other)]);
    let answers = scene.server.run_body(&scene.vendor.live, &batch).await;
    let key_of = |index: usize| text(&answers[index]["data"]["addRoomAccessKey"]["roomStay"]["roomAccessKey"]["id"]);
    let (key, other_key) = (key_of(1), key_of(3));
    // It knows its own writes again.
    assert_eq!(
        scene.told().await,
        sorted([
            format!("me: room_stay.updated {stay} roomAccessKey"),
            format!("me: room_stay.updated {other} roomAccessKey"),
        ])
    );

    // The stay goes to another room, gets longer, and is put off by a week.
    let room = scene.room("103", &category).await;
    scene.desk("moveRoomStay", json!({"roomStayId": stay, "roomSetupId": room}), "__typename").await;
    assert_eq!(scene.told().await, [format!("desk: room_stay.updated {stay} room_setup")]);
    let dates = json!({"roomStayId": stay, "reservation_to": "2026-02-05"});
    scene.desk("changeRoomStayDates", dates, "__typename").await;
    assert_eq!(scene.told().await, [format!("desk: room_stay.updated {stay} reservation_to")]);
    let dates = json!({"roomStayId": stay, "reservation_from": "2026-02-06", "reservation_to": "2026-02-12"});
    scene.desk("changeRoomStayDates", dates, "__typename").await;
    assert_eq!(scene.told().await, [format!("desk: room_stay.updated {stay} reservation_from reservation_to")]);

    // It is split; the new half has the same key already.
    let split = json!({"roomStayId": stay, "date": "2026-02-09"});
    let half = scene.desk("splitRoomStay", split, "newRoomStay { id }").await["newRoomStay"]["id"].take();
    let half = text(&half);
    assert_eq!(
        scene.told().await,
        sorted([format!("desk: room_stay.updated {stay} reservation_to"), format!("desk: room_stay.created {half}"),])
    );
    let part = |id: &str, from: &str, to: &str| json!({"id": id, "room_setup": {"id": room}, "arrival": from, "departure": to, "roomAccessKey": {"id": key}});
    let parts = [part(stay, "2026-02-06", "2026-02-09"), part(&half, "2026-02-09", "2026-02-12")];
    assert_eq!(scene.fetch(stay, &half).await, parts);

    // The reservation is cancelled and activated again; nothing has become of the keys.
    for mutation in ["cancelReservation", "reactivateReservation"] {
        scene.desk(mutation, json!({ "id": reservation }), "__typename").await;
        assert_eq!(scene.told().await, [format!("desk: reservation.updated {reservation} status cancelledAt")]);
    }
    assert_eq!(scene.fetch(stay, &half).await, parts);

    // The other stay is deleted, so the vendor deletes the key of it.
    scene.desk("deleteRoomStay", json!({"roomStayId": other}), "__typename").await;
    assert_eq!(scene.told().await, [format!("desk: room_stay.deleted {other}")]);
    let query = "mutation($id: ID!) { deleteRoomAccessKey(input: {roomAccessKeyId: $id}) { deleted } }";
    scene.vendor(query, json!({ "id": other_key })).await;
    assert_eq!(scene.told().await, [format!("me: room_access_key.deleted {other_key}")]);

    // Two days after each half's departure, at the hotel's check-out time, the key comes off it, and then it is gone.
    scene.prune_at("2026-02-11T09:59:59Z").await;
    assert_eq!(scene.told().await, [""; 0]);
    scene.prune_at("2026-02-11T10:00:00Z").await;
    assert_eq!(scene.told().await, [format!("pruner: room_stay.updated {stay} roomAccessKey")]);
    assert_eq!(nodes(&scene.vendor(KEYS, json!({})).await["roomAccessKeys"]), [json!({ "id": key })]);
    scene.prune_at("2026-02-14T10:00:00Z").await;
    assert_eq!(
        scene.told().await,
        sorted([
            format!("pruner: room_stay.updated {half} roomAccessKey"),
            format!("pruner: room_access_key.deleted {key}"),
        ])
    );
    assert_eq!(scene.vendor(KEYS, json!({})).await["roomAccessKeys"]["edges"], json!([]));
    assert!(scene.fetch(stay, &half).await.iter().all(|stay| stay["roomAccessKey"].is_null()));
    scene.test.advance(TimeDelta::days(7));
    assert_eq!(scene.told().await, [""; 0], "each was told once");
}

fn sorted<const N: usize>(mut lines: [String; N]) -> [String; N] {
    lines.sort();
    lines
}
