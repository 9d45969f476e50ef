//! The clean-up of keys that outlived their stay.

mod races;

use std::sync::Arc;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use latchkey::error::ErrorCode;
use latchkey::hotel_settings::{self, HotelChange};
use latchkey::hotels::Hotel;
use latchkey::pruner::{self, Due, Pruned};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::feed::{Follower, event, update};
use crate::support::{Client, House, PATIENCE, TestApp, eventually, text};

const NOTHING: Pruned = Pruned { revoked: 0, deleted: 0 };

async fn prune(house: &House) -> Pruned {
    pruner::prune_due(&house.test).await.unwrap_or_else(|error| panic!("{error:?}"))
}

/// Moves the clock to an instant, in RFC 3339.
fn at(house: &House, instant: &str) {
    let instant: DateTime<Utc> = instant.parse().expect("an instant");
    house.test.advance(instant - house.test.clock.now());
}

/// Prunes one second before an instant, when nothing may happen, and at the instant.
async fn prune_exactly_at(house: &House, instant: &str) -> Pruned {
    at(house, instant);
    house.test.advance(TimeDelta::seconds(-1));
    assert_eq!(prune(house).await, NOTHING, "before {instant}");
    house.test.advance(TimeDelta::seconds(1));
    prune(house).await
}

async fn desk(house: &House, name: &str, input: Value) -> Value {
    let input_type = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
    let query = format!("mutation($input: {input_type}!) {{ {name}(input: $input) {{ __typename }} }}");
    house.desk.data(&query, json!({"input": input})).await
}

fn id(text: &str) -> Uuid {
    text.parse().expect("an id")
}

/// A stay from 30 January to 2 February with a key; its key is due on 4 February at 10:00 UTC.
async fn stay_with_key(house: &House) -> (String, String) {
    let stay = house.stay("R1").await;
    let key = house.locks.pin("0042").await;
    add(&house.locks, &stay, &key).await;
    (stay, key)
}

async fn add(client: &Client, stay: &str, key: &str) {
    let answer = client.add(stay, key).await;
    assert!(answer.get("errors").is_none(), "{answer}");
}

/// When the owner sees the key of a stay deleted.
async fn deletes_at(client: &Client, stay: &str) -> Value {
    let query = "query($id: ID!) { room_stays(filter: {id: {eq: $id}}) { edges { node { roomAccessKey { \
         ... on RoomAccessPin { deletesAt } } } } } }";
    client.data(query, json!({"id": stay})).await["room_stays"]["edges"][0]["node"]["roomAccessKey"]["deletesAt"].take()
}

/// When the owner sees its only key deleted.
async fn own_deletes_at(client: &Client) -> Value {
    let query = "{ roomAccessKeys { edges { node { deletesAt } } } }";
    client.data(query, json!({})).await["roomAccessKeys"]["edges"][0]["node"]["deletesAt"].take()
}

#[tokio::test]
async fn a32_a_key_is_deleted_two_days_after_the_departure() {
    let house = House::new().await;
    let (stay, key) = stay_with_key(&house).await;
    assert_eq!(deletes_at(&house.locks, &stay).await, json!("2026-02-04T11:00:00+01:00"));
    let mut owner = Follower::new(&house.locks).await;
    let mut reader = Follower::new(&house.messaging).await;
    assert_eq!(prune_exactly_at(&house, "2026-02-04T10:00:00Z").await, Pruned { revoked: 1, deleted: 1 });
    assert_eq!(house.messaging.key_of(&stay).await, None);
    assert!(house.locks.own_pins().await.is_empty());
    let revoked = update("room_stay.updated", &stay, &["roomAccessKey"]);
    assert_eq!(owner.told().await, [revoked.clone(), event("room_access_key.deleted", &key)]);
    let told = reader.events().await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["actor"], json!({"type": "pruner", "id": null}));
    assert_eq!(prune(&house).await, NOTHING);
}

#[tokio::test]
async fn a32_a_key_on_no_stay_is_deleted_after_two_days() {
    let house = House::new().await;
    let key = house.locks.pin("0042").await;
    assert_eq!(own_deletes_at(&house.locks).await, json!("2026-02-01T10:00:00+01:00"));
    let mut owner = Follower::new(&house.locks).await;
    assert_eq!(prune_exactly_at(&house, "2026-02-01T09:00:00Z").await, Pruned { revoked: 0, deleted: 1 });
    assert_eq!(owner.told().await, [event("room_access_key.deleted", &key)]);
}

#[tokio::test]
async fn a32_the_two_days_on_no_stay_begin_with_the_last_removal() {
    let house = House::new().await;
    let (_, stays) = house.reservation("R1", &[("2026-01-30", "2026-02-20"); 2]).await;
    let key = house.locks.pin("0042").await;
    for stay in &stays {
        add(&house.locks, stay, &key).await;
    }
    house.test.advance(TimeDelta::hours(20));
    house.locks.remove(&stays[0], &key).await;
    assert_eq!(own_deletes_at(&house.locks).await, json!("2026-02-22T11:00:00+01:00"), "it is on the other stay");
    house.test.advance(TimeDelta::hours(50));
    assert_eq!(prune(&house).await, NOTHING);
    house.locks.remove(&stays[1], &key).await;
    assert_eq!(own_deletes_at(&house.locks).await, json!("2026-02-04T08:00:00+01:00"));
    assert_eq!(prune_exactly_at(&house, "2026-02-04T07:00:00Z").await, Pruned { revoked: 0, deleted: 1 });
}

#[tokio::test]
async fn a65_the_cleanup_revokes_and_deletes() {
    let house = House::new().await;
    let (_, stays) = house.reservation("R1", &[("2026-01-30", "2026-02-02"), ("2026-01-30", "2026-02-05")]).await;
    let key = house.locks.pin("0042").await;
    for stay in &stays {
        add(&house.locks, stay, &key).await;
    }
    for stay in &stays {
        assert_eq!(deletes_at(&house.locks, stay).await, json!("2026-02-07T11:00:00+01:00"), "with its last stay");
        assert_eq!(deletes_at(&house.other_locks, stay).await, Value::Null, "its owner's business");
        assert_eq!(deletes_at(&house.messaging, stay).await, Value::Null);
    }
    let mut owner = Follower::new(&house.locks).await;
    assert_eq!(prune_exactly_at(&house, "2026-02-04T10:00:00Z").await, Pruned { revoked: 1, deleted: 0 });
    assert_eq!(house.messaging.key_of(&stays[0]).await, None);
    assert_eq!(house.messaging.key_of(&stays[1]).await.as_ref(), Some(&key), "a shared key lives on");
    assert_eq!(owner.told().await, [update("room_stay.updated", &stays[0], &["roomAccessKey"])]);
    assert_eq!(prune_exactly_at(&house, "2026-02-07T10:00:00Z").await, Pruned { revoked: 1, deleted: 1 });
    let deleted = event("room_access_key.deleted", &key);
    assert_eq!(owner.told().await, [update("room_stay.updated", &stays[1], &["roomAccessKey"]), deleted]);
}

#[tokio::test]
async fn a_key_that_leaves_all_its_stays_at_once_is_deleted_once() {
    let house = House::new().await;
    let (_, stays) = house.reservation("R1", &[("2026-01-30", "2026-02-02"); 3]).await;
    let key = house.locks.pin("0042").await;
    for stay in &stays {
        add(&house.locks, stay, &key).await;
    }
    at(&house, "2026-02-10T10:00:00Z");
    assert_eq!(prune(&house).await, Pruned { revoked: 3, deleted: 1 });
}

#[tokio::test]
async fn the_halves_of_a_split_stay_let_go_of_their_key_one_after_the_other() {
    let house = House::new().await;
    let (stay, _) = stay_with_key(&house).await;
    let query =
        "mutation($id: ID!) { splitRoomStay(input: {roomStayId: $id, date: \"2026-01-31\"}) { newRoomStay { id } } }";
    let second = text(&house.desk.data(query, json!({"id": stay})).await["splitRoomStay"]["newRoomStay"]["id"]);
    assert_eq!(prune_exactly_at(&house, "2026-02-02T10:00:00Z").await, Pruned { revoked: 1, deleted: 0 });
    assert_eq!(house.messaging.key_of(&stay).await, None);
    assert!(house.messaging.key_of(&second).await.is_some());
    assert_eq!(prune_exactly_at(&house, "2026-02-04T10:00:00Z").await, Pruned { revoked: 1, deleted: 1 });
}

#[tokio::test]
async fn a_late_check_out_moves_the_end_and_so_does_taking_it_back() {
    let house = House::new().await;
    let (stay, _) = stay_with_key(&house).await;
    desk(&house, "setRoomStayDepartureTime", json!({"roomStayId": stay, "departureTime": "18:00"})).await;
    assert_eq!(deletes_at(&house.locks, &stay).await, json!("2026-02-04T18:00:00+01:00"));
    desk(&house, "setRoomStayDepartureTime", json!({"roomStayId": stay, "departureTime": null})).await;
    assert_eq!(deletes_at(&house.locks, &stay).await, json!("2026-02-04T11:00:00+01:00"));
    desk(&house, "setRoomStayDepartureTime", json!({"roomStayId": stay, "departureTime": "18:00"})).await;
    assert_eq!(prune_exactly_at(&house, "2026-02-04T17:00:00Z").await, Pruned { revoked: 1, deleted: 1 });
}

#[tokio::test]
async fn two_days_are_two_local_days_across_both_clock_changes() {
    for (start, from, to, due) in [
        ("2026-03-27T09:00:00Z", "2026-03-27", "2026-03-28", "2026-03-30T09:00:00Z"),
        ("2026-10-23T09:00:00Z", "2026-10-23", "2026-10-24", "2026-10-26T10:00:00Z"),
    ] {
        let house = House::on(TestApp::at(start).await, "grand-hotel", Tz::Europe__Berlin).await;
        let stay = house.reservation("R1", &[(from, to)]).await.1.remove(0);
        let key = house.locks.pin("0042").await;
        add(&house.locks, &stay, &key).await;
        assert_eq!(prune_exactly_at(&house, due).await, Pruned { revoked: 1, deleted: 1 });
    }
}

#[tokio::test]
async fn new_dates_move_the_end() {
    let house = House::new().await;
    let (stay, _) = stay_with_key(&house).await;
    desk(&house, "changeRoomStayDates", json!({"roomStayId": stay, "reservation_to": "2026-02-10"})).await;
    at(&house, "2026-02-05T10:00:00Z");
    assert_eq!(prune(&house).await, NOTHING);
    desk(&house, "changeRoomStayDates", json!({"roomStayId": stay, "reservation_to": "2026-02-06"})).await;
    assert_eq!(prune_exactly_at(&house, "2026-02-08T10:00:00Z").await, Pruned { revoked: 1, deleted: 1 });
}

#[tokio::test]
async fn a_departed_stay_that_is_extended_in_time_keeps_its_key() {
    let house = House::new().await;
    let (stay, key) = stay_with_key(&house).await;
    at(&house, "2026-02-04T09:59:59Z");
    desk(&house, "changeRoomStayDates", json!({"roomStayId": stay, "reservation_to": "2026-02-06"})).await;
    at(&house, "2026-02-04T10:00:00Z");
    assert_eq!(prune(&house).await, NOTHING);
    assert_eq!(house.messaging.key_of(&stay).await, Some(key));
}

#[tokio::test]
async fn a_hotel_that_changes_its_settings_moves_the_end_of_all_its_keys() {
    let house = House::new().await;
    let (stay, _) = stay_with_key(&house).await;
    let late = house.stay("R2").await;
    let other = house.locks.pin("0043").await;
    desk(&house, "setRoomStayDepartureTime", json!({"roomStayId": late, "departureTime": "18:00"})).await;
    add(&house.locks, &late, &other).await;
    let mut feed = Follower::new(&house.locks).await;
    let noon = NaiveTime::from_hms_opt(12, 0, 0);
    let update = async |change| {
        let mut tx = house.test.operate(&house.hotel).await;
        hotel_settings::update_in(&mut tx, &change).await?;
        let hotel = Arc::clone(&tx.actor.hotel);
        tx.commit().await.map(|()| hotel)
    };
    let due = || async {
        let rows = "SELECT room_access_key_due_at FROM room_stays ORDER BY id";
        let due: Vec<DateTime<Utc>> = sqlx::query_scalar(rows).fetch_all(&house.test.db.pool).await.expect("due times");
        due.iter().map(|due| due.format("%d. %H:%M").to_string()).collect::<Vec<_>>()
    };
    assert_eq!(due().await, ["04. 10:00", "04. 17:00"]);
    update(HotelChange { check_out_time: noon, ..HotelChange::default() }).await.expect("changed");
    assert_eq!(due().await, ["04. 11:00", "04. 17:00"], "a late check-out has a time of its own");
    update(HotelChange { time_zone: Some(Tz::Pacific__Honolulu), ..HotelChange::default() }).await.expect("changed");
    assert_eq!(due().await, ["04. 22:00", "05. 04:00"]);
    let name = Some("Grand".to_owned());
    let changed = update(HotelChange {
        name,
        check_in_time: noon,
        room_access_keys_enabled: Some(false),
        ..HotelChange::default()
    });
    let changed = changed.await.expect("changed");
    assert_eq!(
        (changed.name.as_str(), changed.check_in_time, changed.check_out_time),
        ("Grand", noon.expect("noon"), noon.expect("noon"))
    );
    assert_eq!((changed.time_zone, changed.room_access_keys_enabled), (Tz::Pacific__Honolulu, false));
    assert_eq!(feed.told().await, Vec::<Value>::new(), "no field of a stay changed");

    assert_eq!(prune_exactly_at(&house, "2026-02-04T22:00:00Z").await, Pruned { revoked: 1, deleted: 1 });
    assert_eq!(house.messaging.key_of(&stay).await, None);

    let mut nowhere = house.test.operate(&Hotel { id: Uuid::nil(), ..house.hotel.clone() }).await;
    let unknown = hotel_settings::update_in(&mut nowhere, &HotelChange::default()).await;
    assert_eq!(unknown.err().map(|error| error.code), Some(ErrorCode::NotFound));
    let nameless = update(HotelChange { name: Some(String::new()), ..HotelChange::default() }).await;
    assert_eq!(nameless.err().map(|error| error.code), Some(ErrorCode::InvalidArgument));
}

#[tokio::test]
async fn keys_of_cancelled_stays_are_cleaned_up_by_their_dates() {
    let house = House::new().await;
    let (reservation, stays) = house.reservation("R1", &[("2026-01-30", "2026-02-02")]).await;
    let key = house.locks.pin("0042").await;
    add(&house.locks, &stays[0], &key).await;
    desk(&house, "cancelReservation", json!({"id": reservation})).await;
    assert_eq!(prune_exactly_at(&house, "2026-02-04T10:00:00Z").await, Pruned { revoked: 1, deleted: 1 });
    desk(&house, "reactivateReservation", json!({"id": reservation})).await;
    assert_eq!(house.messaging.key_of(&stays[0]).await, None, "what was cleaned up does not come back");
}

#[tokio::test]
async fn the_key_of_a_deleted_stay_is_deleted_two_days_later() {
    let house = House::new().await;
    let (stay, key) = stay_with_key(&house).await;
    house.test.advance(TimeDelta::hours(5));
    desk(&house, "deleteRoomStay", json!({"roomStayId": stay})).await;
    let mut owner = Follower::new(&house.locks).await;
    assert_eq!(prune_exactly_at(&house, "2026-02-01T14:00:00Z").await, Pruned { revoked: 0, deleted: 1 });
    assert_eq!(owner.told().await, [event("room_access_key.deleted", &key)]);
}

#[tokio::test]
async fn a_new_key_says_when_it_is_deleted() {
    let house = House::new().await;
    let query =
        "mutation { createRoomAccessKey(input: {roomAccessPin: {pin: \"1\"}}) { roomAccessKey { deletesAt } } }";
    let data = house.locks.data(query, json!({})).await;
    let deletes_at = &data["createRoomAccessKey"]["roomAccessKey"]["deletesAt"];
    assert_eq!(*deletes_at, json!("2026-02-01T10:00:00+01:00"));
}

#[tokio::test]
async fn what_is_due_can_be_listed_without_doing_it() {
    let house = House::new().await;
    let (stay, key) = stay_with_key(&house).await;
    let unused = house.locks.pin("0043").await;
    at(&house, "2026-02-04T10:00:00Z");
    let list = || async { pruner::list_due(&house.test).await.unwrap_or_else(|error| panic!("{error:?}")) };
    let due = |key, stay, due_at: &str| {
        let due_at = due_at.parse().expect("an instant");
        Due { hotel: "grand-hotel".into(), key: id(key), stay, due_at }
    };
    let expected = [due(&unused, None, "2026-02-01T09:00:00Z"), due(&key, Some(id(&stay)), "2026-02-04T10:00:00Z")];
    assert_eq!(list().await, expected);
    assert_eq!(list().await, expected);
    assert_eq!(prune(&house).await, Pruned { revoked: 1, deleted: 2 });
    assert_eq!(list().await, []);
}

#[tokio::test]
async fn the_pruner_runs_at_its_start() {
    let house = House::new().await;
    stay_with_key(&house).await;
    at(&house, "2026-02-04T10:00:00Z");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(pruner::run(house.test.transactions.clone(), async { drop(stopped.await) }));
    eventually(PATIENCE, "it is pruned", async || house.locks.own_pins().await.is_empty()).await;
    stop.send(()).expect("it still runs");
    running.await.expect("it ends");
}

#[tokio::test]
async fn what_the_pruner_changes_goes_to_the_disk_bit_by_bit() {
    let test = TestApp::at("2026-02-10T12:00:00Z").await;
    let flush = sqlx::query_scalar("SHOW backend_flush_after")
        .fetch_one(&mut *test.worker_pool.acquire().await.expect("a connection"))
        .await;
    let flush: String = flush.expect("a setting");
    assert_eq!(flush, "256kB", "otherwise commits wait while the operating system writes all that it has kept");
}
