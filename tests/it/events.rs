//! Which changes are told, and how.

mod seam;

use std::collections::BTreeSet;

use latchkey::app::KINDS;
use latchkey::db::MIGRATOR;
use latchkey::events::ChangeKind;
use latchkey::simulated_encoder;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::access_grants;
use crate::feed::{Follower, event, update};
use crate::support::client::{ADD_KEY, CREATE_KEY, DELETE_KEY, REMOVE_KEY};
use crate::support::{Client, House, code, text};

/// An operation that runs one mutation and selects nothing of interest.
fn mutation(name: &str) -> String {
    let input = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    format!("mutation($input: {input}!) {{ {name}(input: $input) {{ __typename }} }}")
}

async fn run(client: &Client, name: &str, input: Value) {
    client.data(&mutation(name), json!({"input": input})).await;
}

async fn split(house: &House, stay: &str, date: &str) -> String {
    let query = "mutation($input: SplitRoomStayInput!) { splitRoomStay(input: $input) { newRoomStay { id } } }";
    let answer = house.desk.data(query, json!({"input": {"roomStayId": stay, "date": date}})).await;
    text(&answer["splitRoomStay"]["newRoomStay"]["id"])
}

#[tokio::test]
async fn a49_new_dates_are_told_with_the_fields_that_changed() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let mut feed = Follower::new(&house.locks).await;
    for (from, to, fields) in [
        ("2026-01-31", "2026-02-02", vec!["reservation_from"]),
        ("2026-01-31", "2026-02-05", vec!["reservation_to"]),
        ("2026-01-30", "2026-02-03", vec!["reservation_from", "reservation_to"]),
    ] {
        let input = json!({"roomStayId": stay, "reservation_from": from, "reservation_to": to});
        run(&house.desk, "changeRoomStayDates", input).await;
        assert_eq!(feed.told().await, [update("room_stay.updated", &stay, &fields)]);
    }
    run(&house.desk, "setRoomStayDepartureTime", json!({"roomStayId": stay, "departureTime": "14:00"})).await;
    assert_eq!(feed.told().await, [update("room_stay.updated", &stay, &["departureTime"])]);
}

#[tokio::test]
async fn a50_a_move_is_told_and_a_swap_for_both_stays() {
    let house = House::new().await;
    let (_, stays) = house.reservation("R1", &[("2026-01-30", "2026-02-02"); 2]).await;
    let rooms = [house.room("101").await, house.room("102").await];
    let mut feed = Follower::new(&house.locks).await;
    for (stay, room) in stays.iter().zip(&rooms) {
        run(&house.desk, "moveRoomStay", json!({"roomStayId": stay, "roomSetupId": room})).await;
        assert_eq!(feed.told().await, [update("room_stay.updated", stay, &["room_setup"])]);
    }
    run(&house.desk, "swapRoomStays", json!({"firstRoomStayId": stays[0], "secondRoomStayId": stays[1]})).await;
    let swapped: Vec<_> = stays.iter().map(|stay| update("room_stay.updated", stay, &["room_setup"])).collect();
    assert_eq!(feed.told().await, swapped);
}

#[tokio::test]
async fn a51_a_deleted_stay_is_told() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let key = house.locks.pin("0042").await;
    house.locks.add(&stay, &key).await;
    let mut feed = Follower::new(&house.locks).await;
    run(&house.desk, "deleteRoomStay", json!({"roomStayId": stay})).await;
    assert_eq!(feed.told().await, [event("room_stay.deleted", &stay)]);
}

#[tokio::test]
async fn a52_cancelling_and_reactivating_are_told_of_the_reservation() {
    let house = House::new().await;
    let (reservation, _) = house.reservation("R1", &[("2026-01-30", "2026-02-02")]).await;
    let mut feed = Follower::new(&house.locks).await;
    for name in ["cancelReservation", "reactivateReservation"] {
        run(&house.desk, name, json!({"id": reservation})).await;
        assert_eq!(feed.told().await, [update("reservation.updated", &reservation, &["status", "cancelledAt"])]);
    }
}

#[tokio::test]
async fn a53_new_stays_are_told_however_they_come_about() {
    let house = House::new().await;
    let mut feed = Follower::new(&house.locks).await;
    let (reservation, stays) = house.reservation("R1", &[("2026-01-30", "2026-02-02"); 2]).await;
    let created = |stay: &String| event("room_stay.created", stay);
    assert_eq!(feed.told().await, [event("reservation.created", &reservation), created(&stays[0]), created(&stays[1])]);

    let query = "mutation($input: AddRoomStayInput!) { addRoomStay(input: $input) { roomStay { id } } }";
    let input = json!({"reservationId": reservation, "categoryId": house.category, "reservation_from": "2026-01-30",
                       "reservation_to": "2026-02-02"});
    let added = text(&house.desk.data(query, json!({"input": input})).await["addRoomStay"]["roomStay"]["id"]);
    assert_eq!(feed.told().await, [created(&added)]);

    let second = split(&house, &stays[0], "2026-01-31").await;
    assert_eq!(feed.told().await, [update("room_stay.updated", &stays[0], &["reservation_to"]), created(&second)]);
}

#[tokio::test]
async fn a54_events_are_the_same_for_all_kinds_of_key() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    for input in [
        json!({"roomAccessPin": {"pin": "0042"}}),
        json!({"roomAccessKeyStorage": {"pin": "0042", "compartment": "3R"}}),
        json!({"roomAccessQR": {"qrData": "0042"}}),
    ] {
        let mut feed = Follower::new(&house.locks).await;
        let data = house.locks.data(CREATE_KEY, json!({"input": input})).await;
        let key = text(&data["createRoomAccessKey"]["roomAccessKey"]["id"]);
        assert_eq!(feed.told().await, Vec::<Value>::new(), "nobody else sees a key that is on no stay");
        house.locks.add(&stay, &key).await;
        assert_eq!(feed.told().await, [update("room_stay.updated", &stay, &["roomAccessKey"])]);
        house.locks.remove(&stay, &key).await;
        assert_eq!(feed.told().await, [update("room_stay.updated", &stay, &["roomAccessKey"])]);
        house.locks.delete(&key).await;
        assert_eq!(feed.told().await, [event("room_access_key.deleted", &key)]);
    }
}

#[tokio::test]
async fn arrival_and_departure_are_told() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let mut feed = Follower::new(&house.messaging).await;
    for (input, field) in [
        (json!({"id": stay, "check_in": "2026-01-30T15:00:00+01:00"}), "check_in"),
        (json!({"id": stay, "check_out": "2026-02-02T09:00:00+01:00"}), "check_out"),
        (json!({"id": stay, "check_out": null}), "check_out"),
    ] {
        run(&house.locks, "updateRoomStay", input).await;
        assert_eq!(feed.told().await, [update("room_stay.updated", &stay, &[field])]);
    }
}

#[tokio::test]
async fn every_changed_field_of_a_reservation_is_told() {
    let house = House::new().await;
    let (reservation, _) = house.reservation("R1", &[("2026-01-30", "2026-02-02")]).await;
    let mut feed = Follower::new(&house.messaging).await;
    let fields = ["code", "groupName", "bookingChannelCode", "bookingSource", "pmsUrl", "notes"];
    for field in fields {
        run(&house.desk, "updateReservation", json!({"id": reservation, field: "X"})).await;
        assert_eq!(feed.told().await, [update("reservation.updated", &reservation, &[field])]);
    }
    run(&house.desk, "updateReservation", json!({"id": reservation, "selfcheckinStatus": "COMPLETED"})).await;
    assert_eq!(feed.told().await, [update("reservation.updated", &reservation, &["selfcheckinStatus"])]);
    let input = json!({"id": reservation, "code": "Y", "notes": "X", "pmsUrl": null});
    run(&house.desk, "updateReservation", input).await;
    assert_eq!(feed.told().await, [update("reservation.updated", &reservation, &["code", "pmsUrl"])]);
}

#[tokio::test]
async fn a_write_that_changes_nothing_is_not_told() {
    let house = House::new().await;
    let (reservation, stays) = house.reservation("R1", &[("2026-01-30", "2026-02-02"); 2]).await;
    let room = house.room("101").await;
    let key = house.locks.pin("0042").await;
    run(&house.desk, "moveRoomStay", json!({"roomStayId": stays[0], "roomSetupId": room})).await;
    run(&house.desk, "moveRoomStay", json!({"roomStayId": stays[1], "roomSetupId": room})).await;
    house.locks.add(&stays[0], &key).await;
    let mut feed = Follower::new(&house.locks).await;

    run(&house.desk, "moveRoomStay", json!({"roomStayId": stays[0], "roomSetupId": room})).await;
    run(&house.desk, "swapRoomStays", json!({"firstRoomStayId": stays[0], "secondRoomStayId": stays[1]})).await;
    run(&house.desk, "changeRoomStayDates", json!({"roomStayId": stays[0], "reservation_to": "2026-02-02"})).await;
    run(&house.desk, "setRoomStayDepartureTime", json!({"roomStayId": stays[0], "departureTime": null})).await;
    run(&house.desk, "updateReservation", json!({"id": reservation, "code": "R1", "notes": null})).await;
    run(&house.locks, "updateRoomStay", json!({"id": stays[0], "check_in": null})).await;
    house.locks.add(&stays[0], &key).await;
    assert_eq!(feed.told().await, Vec::<Value>::new());

    run(&house.desk, "cancelReservation", json!({"id": reservation})).await;
    feed.told().await;
    run(&house.desk, "cancelReservation", json!({"id": reservation})).await;
    assert_eq!(feed.told().await, Vec::<Value>::new());
}

#[tokio::test]
async fn changes_of_one_object_in_one_request_are_one_event() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let room = house.room("101").await;
    let key = house.locks.pin("0042").await;
    let other = house.locks.pin("0043").await;
    let mut feed = Follower::new(&house.locks).await;
    let answers = house
        .desk
        .batch(&[
            (&mutation("moveRoomStay"), json!({"input": {"roomStayId": stay, "roomSetupId": room}})),
            (&mutation("changeRoomStayDates"), json!({"input": {"roomStayId": stay, "reservation_to": "2026-02-03"}})),
            (&mutation("moveRoomStay"), json!({"input": {"roomStayId": stay, "roomSetupId": null}})),
        ])
        .await;
    assert!(answers.iter().all(|answer| answer.get("errors").is_none()), "{answers:?}");
    assert_eq!(feed.told().await, [update("room_stay.updated", &stay, &["room_setup", "reservation_to"])]);

    let on_stay = |key: &str| json!({"input": {"roomStayId": stay, "roomAccessKeyId": key}});
    let batch = [(ADD_KEY, on_stay(&key)), (REMOVE_KEY, on_stay(&key)), (ADD_KEY, on_stay(&other))];
    house.locks.batch(&batch).await;
    assert_eq!(feed.told().await, [update("room_stay.updated", &stay, &["roomAccessKey"])]);
}

#[tokio::test]
async fn a_request_that_fails_tells_nothing() {
    let house = House::new().await;
    let (reservation, stays) = house.reservation("R1", &[("2026-01-30", "2026-02-02")]).await;
    let mut feed = Follower::new(&house.messaging).await;
    let answers = house
        .desk
        .batch(&[
            (&mutation("cancelReservation"), json!({"input": {"id": reservation}})),
            (&mutation("moveRoomStay"), json!({"input": {"roomStayId": stays[0], "roomSetupId": null}})),
        ])
        .await;
    assert_eq!(code(&answers[1]), "RESERVATION_CANCELLED");
    assert_eq!(feed.told().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_test_key_tells_nothing() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let key = house.locks.pin("0042").await;
    let mut feed = Follower::new(&house.messaging).await;
    let sandbox = Client::new(&house.test, &house.keys.test).await;
    let answer = sandbox.add(&stay, &key).await;
    assert_eq!(answer["extensions"]["sandbox"], json!(true), "{answer}");
    assert_eq!(feed.told().await, Vec::<Value>::new());
}

#[tokio::test]
async fn whoever_wrote_is_named() {
    let house = House::new().await;
    let mut feed = Follower::new(&house.messaging).await;
    let stay = house.stay("R1").await;
    let key = house.locks.pin("0042").await;
    house.locks.add(&stay, &key).await;
    let actors: Vec<Value> = feed.events().await.into_iter().map(|mut event| event["actor"].take()).collect();
    let integration = |client: &Client| json!({"type": "integration", "id": client.actor.principal.integration_id()});
    assert_eq!(actors, [integration(&house.desk), integration(&house.desk), integration(&house.locks)]);
}

#[tokio::test]
async fn a_key_that_is_made_and_deleted_in_one_request_never_was() {
    let house = House::new().await;
    let mut feed = Follower::new(&house.locks).await;
    let create = "mutation($input: CreateRoomAccessKeyInput!) { createRoomAccessKey(input: $input) { \
        roomAccessKey { id @chain(variable: \"id\") } } }";
    let batch = [(create, json!({"input": {"roomAccessPin": {"pin": "1"}}})), (DELETE_KEY, json!({}))];
    let responses = house.locks.batch(&batch).await;
    assert_eq!(responses[1]["data"]["deleteRoomAccessKey"]["deleted"], json!(true));
    assert!(feed.told().await.is_empty());
}

#[tokio::test]
async fn an_instant_finer_than_a_microsecond_is_told_once() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let mut feed = Follower::new(&house.locks).await;
    for told in [1, 0] {
        let input = json!({"id": stay, "check_in": "2026-01-30T15:00:00.1234567+01:00"});
        run(&house.locks, "updateRoomStay", input).await;
        assert_eq!(feed.told().await.len(), told);
    }
}

/// The kind in the catalogue that an event is of: docs/EVENTS.md is written from it.
fn kind(event: &Value) -> &'static ChangeKind {
    KINDS.kinds().iter().find(|kind| event["type"] == kind.event_type).expect("a known type")
}

#[tokio::test]
async fn g18_events_md_lists_what_is_sent_and_can_be_subscribed_to() {
    let house = House::new().await;
    let mut feed = Follower::new(&house.locks).await;
    let (reservation, stays) = house.reservation("R1", &[("2026-01-30", "2026-02-02"); 2]).await;
    let client = house.locks.done("createClient", json!({"person": {"lastname": "Doe"}}), "client { id }").await;
    let client = text(&client["client"]["id"]);
    let (stay, room) = (&stays[0], house.room("101").await);
    let key = house.locks.pin("1").await;
    let mut told = feed.events().await;
    for (desk, name, input, fields) in [
        (true, "cancelReservation", json!({ "id": reservation }), Some(r#"`["status", "cancelledAt"]`"#)),
        (true, "reactivateReservation", json!({ "id": reservation }), Some(r#"`["status", "cancelledAt"]`"#)),
        (true, "moveRoomStay", json!({"roomStayId": stay, "roomSetupId": room}), Some(r#"`["room_setup"]`"#)),
        (
            false,
            "addRoomAccessKey",
            json!({"roomStayId": stay, "roomAccessKeyId": key}),
            Some(r#"`["roomAccessKey"]`"#),
        ),
        (false, "addRoomStayGuest", json!({"roomStayId": stay, "clientId": client}), Some(r#"`["guests"]`"#)),
        (false, "updateClient", json!({"id": client, "lastname": "Dow"}), None),
        (false, "removeRoomAccessKey", json!({"roomStayId": stay, "roomAccessKeyId": key}), None),
        (false, "deleteRoomAccessKey", json!({ "roomAccessKeyId": key }), None),
        (true, "deleteRoomStay", json!({ "roomStayId": stay }), None),
    ] {
        run(if desk { &house.desk } else { &house.locks }, name, input).await;
        let events = feed.events().await;
        if let Some(fields) = fields {
            let event = &events[0];
            let meaning = kind(event).meaning;
            assert!(meaning.contains(fields), "{name}: {meaning}");
            let said: Value = serde_json::from_str(fields.trim_matches('`')).expect("a list");
            assert_eq!(event["updatedFields"], said, "{name}");
        }
        told.extend(events);
    }
    let encoder = house.encoder("front-desk", Some(&house.locks)).await;
    house.tell(&house.other_locks, encoder, Uuid::from_u128(1)).await;
    let mut of_grants = access_grants::mutations(&house.desk, &house.locks).await;
    // The encoding of a card first, since others take the card away.
    of_grants.sort_by_key(|(name, ..)| *name != "encodeAccessMethod");
    for (name, input, selection) in of_grants {
        house.locks.act(name, input, selection).await;
        simulated_encoder::encode_due(&house.test).await.expect("the database is there");
    }
    told.extend(feed.events().await);
    let sent: BTreeSet<String> = told.iter().map(|event| text(&event["type"])).collect();
    assert_eq!(sent.iter().map(String::as_str).collect::<BTreeSet<_>>(), KINDS.types().collect());
    for event in &told {
        assert_eq!(event["updatedFields"].is_array(), kind(event).names_fields, "{event}");
    }
}

/// Endpoints of before: what they were subscribed to and nothing sends is taken away.
#[tokio::test]
async fn g18_nobody_is_subscribed_to_what_is_never_sent() {
    let house = House::new().await;
    let create = "mutation($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) { secret } }";
    let input =
        |events: Value| json!({"input": {"url": "https://example.com/", "status": "DISABLED", "events": events}});
    assert_eq!(code(&house.locks.run(create, input(json!(["client.deleted"]))).await), "INVALID_ARGUMENT");
    house.locks.data(create, input(json!(["client.updated"]))).await;
    let pool = &house.test.db.pool;
    sqlx::query("UPDATE webhook_endpoints SET events = events || 'client.deleted'::text")
        .execute(pool)
        .await
        .expect("one");
    let cleaning = MIGRATOR.iter().find(|migration| migration.version == 156).expect("the migration");
    sqlx::raw_sql(cleaning.sql.clone()).execute(pool).await.expect("cleaned");
    let events: Vec<String> =
        sqlx::query_scalar("SELECT unnest(events) FROM webhook_endpoints").fetch_all(pool).await.expect("events");
    assert_eq!(events, ["client.updated"]);
}
