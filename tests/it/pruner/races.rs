//! The pruner against requests and against itself, with transactions that are really open.

use chrono::TimeDelta;
use chrono_tz::Tz;
use latchkey::actor::Permission;
use latchkey::pruner::{self, Pruned};
use latchkey::unit::Tx;
use latchkey::{key_assignments, room_stays};
use serde_json::json;
use sqlx::{Postgres, Transaction};
use tokio::task::JoinHandle;

use super::{NOTHING, add, at, id, prune, stay_with_key};
use crate::feed::{Follower, event};
use crate::support::{Client, House, PATIENCE, code, eventually};

async fn begin(house: &House, client: &Client) -> Tx {
    Tx::begin(&house.test, &client.actor, house.test.clock.now()).await.unwrap_or_else(|error| panic!("{error:?}"))
}

/// Stops the pruner at its last statement, where it holds everything, by holding the counter of events.
async fn stop_pruner(house: &House) -> (Transaction<'static, Postgres>, JoinHandle<Pruned>) {
    let mut counter = house.test.db.pool.begin().await.expect("a transaction");
    let hold = "SELECT FROM event_counters WHERE hotel_id = $1 FOR UPDATE";
    sqlx::query(hold).bind(house.hotel.id).execute(&mut *counter).await.expect("held");
    let app = house.test.app.clone();
    let pruner = tokio::spawn(async move { pruner::prune_due(&app).await.unwrap_or_else(|error| panic!("{error:?}")) });
    waiting(house, 1).await;
    (counter, pruner)
}

/// Waits until so many sessions of the test's database wait for a lock.
async fn waiting(house: &House, sessions: i64) {
    let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually(PATIENCE, "so many sessions wait", async || {
        let waiting: i64 = sqlx::query_scalar(count).fetch_one(&house.test.db.pool).await.expect("a count");
        waiting == sessions
    })
    .await;
}

#[tokio::test]
async fn a_stay_that_is_being_extended_keeps_its_key() {
    let house = House::new().await;
    let (stay, key) = stay_with_key(&house).await;
    at(&house, "2026-02-04T10:00:00Z");
    let mut tx = begin(&house, &house.desk).await;
    let to = "2026-02-06".parse().expect("a date");
    room_stays::change_dates_in(&mut tx, id(&stay), None, Some(to)).await.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(prune(&house).await, NOTHING, "it does not wait");
    tx.commit().await.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(prune(&house).await, NOTHING);
    assert_eq!(house.messaging.key_of(&stay).await, Some(key));
}

#[tokio::test]
async fn a_stay_that_is_extended_too_late_has_lost_its_key() {
    let house = House::new().await;
    let (stay, _) = stay_with_key(&house).await;
    at(&house, "2026-02-04T10:00:00Z");
    let (counter, pruner) = stop_pruner(&house).await;
    let query = "mutation($id: ID!) { changeRoomStayDates(input: {roomStayId: $id, reservation_to: \"2026-02-06\"}) { \
         roomStay { reservation_to roomAccessKey { id } } } }";
    let (client, input) = (house.desk.clone(), json!({"id": stay}));
    let extending = tokio::spawn(async move { client.run(query, input).await });
    waiting(&house, 2).await;
    counter.rollback().await.expect("let go");
    assert_eq!(pruner.await.expect("pruned"), Pruned { revoked: 1, deleted: 1 });
    let extended = extending.await.expect("extended");
    let expected = json!({"reservation_to": "2026-02-06", "roomAccessKey": null});
    assert_eq!(extended["data"]["changeRoomStayDates"]["roomStay"], expected, "{extended}");
}

#[tokio::test]
async fn a_key_that_is_being_put_on_a_stay_lives_on() {
    let house = House::new().await;
    let key = house.locks.pin("0042").await;
    let stay = house.reservation("R1", &[("2026-01-30", "2026-02-20")]).await.1.remove(0);
    at(&house, "2026-02-04T10:00:00Z");
    let mut tx = begin(&house, &house.locks).await;
    key_assignments::add_key_in(&mut tx, id(&stay), id(&key)).await.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(prune(&house).await, NOTHING, "it does not wait");
    tx.commit().await.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(prune(&house).await, NOTHING);
    assert_eq!(house.messaging.key_of(&stay).await, Some(key));
}

#[tokio::test]
async fn a_due_key_that_is_being_put_on_another_stay_lives_on() {
    let house = House::new().await;
    let (stay, key) = stay_with_key(&house).await;
    let other = house.reservation("R2", &[("2026-01-30", "2026-02-20")]).await.1.remove(0);
    at(&house, "2026-02-04T10:00:00Z");
    let mut tx = begin(&house, &house.locks).await;
    key_assignments::add_key_in(&mut tx, id(&other), id(&key)).await.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(prune(&house).await, NOTHING, "the key is held");
    tx.commit().await.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(prune(&house).await, Pruned { revoked: 1, deleted: 0 });
    assert_eq!(house.messaging.key_of(&stay).await, None);
    assert_eq!(house.messaging.key_of(&other).await, Some(key));
}

#[tokio::test]
async fn a_key_that_is_put_on_a_stay_too_late_is_gone() {
    let house = House::new().await;
    let (_, key) = stay_with_key(&house).await;
    let other = house.reservation("R2", &[("2026-01-30", "2026-02-20")]).await.1.remove(0);
    at(&house, "2026-02-04T10:00:00Z");
    let (counter, pruner) = stop_pruner(&house).await;
    let (client, stay) = (house.locks.clone(), other.clone());
    let adding = tokio::spawn(async move { client.add(&stay, &key).await });
    waiting(&house, 2).await;
    counter.rollback().await.expect("let go");
    assert_eq!(pruner.await.expect("pruned"), Pruned { revoked: 1, deleted: 1 });
    assert_eq!(code(&adding.await.expect("answered")), "NOT_FOUND");
    assert_eq!(house.messaging.key_of(&other).await, None);
}

#[tokio::test]
async fn a_stay_that_is_being_split_and_its_key_are_left_alone() {
    let house = House::new().await;
    let (_, stays) = house.reservation("R1", &[("2026-01-30", "2026-02-02"), ("2026-01-30", "2026-02-20")]).await;
    let key = house.locks.pin("0042").await;
    for stay in &stays {
        add(&house.locks, stay, &key).await;
    }
    at(&house, "2026-02-04T10:00:00Z");
    let mut tx = begin(&house, &house.desk).await;
    let split = room_stays::SplitStay { date: "2026-02-10".parse().expect("a date"), room_setup_id: None };
    room_stays::split_in(&mut tx, id(&stays[1]), split).await.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(prune(&house).await, NOTHING, "the new half holds the key");
    tx.commit().await.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(prune(&house).await, Pruned { revoked: 1, deleted: 0 });
}

#[tokio::test]
async fn a_stay_and_a_key_that_are_being_deleted_are_left_alone() {
    let house = House::new().await;
    let (stay, key) = stay_with_key(&house).await;
    let unused = house.locks.pin("0043").await;
    at(&house, "2026-02-04T10:00:00Z");
    let mut owner = Follower::new(&house.locks).await;
    let mut deleting_stay = begin(&house, &house.desk).await;
    room_stays::delete_in(&mut deleting_stay, id(&stay)).await.unwrap_or_else(|error| panic!("{error:?}"));
    let mut deleting_key = begin(&house, &house.locks).await;
    key_assignments::delete_in(&mut deleting_key, id(&unused)).await.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(prune(&house).await, NOTHING);
    for tx in [deleting_stay, deleting_key] {
        tx.commit().await.unwrap_or_else(|error| panic!("{error:?}"));
    }
    assert_eq!(prune(&house).await, NOTHING, "the clock of the stay's key has just begun");
    let told = owner.told().await;
    assert_eq!(
        told,
        [event("room_stay.deleted", &stay), event("room_access_key.deleted", &unused)],
        "each is told once"
    );
    house.test.advance(TimeDelta::hours(48));
    assert_eq!(prune(&house).await, Pruned { revoked: 0, deleted: 1 });
    assert_eq!(owner.told().await, [event("room_access_key.deleted", &key)]);
}

#[tokio::test]
async fn deleting_what_is_being_pruned_finds_the_key_gone_and_the_stay_bare() {
    let house = House::new().await;
    let (stay, _) = stay_with_key(&house).await;
    let unused = house.locks.pin("0043").await;
    at(&house, "2026-02-04T10:00:00Z");
    let mut owner = Follower::new(&house.locks).await;
    let (counter, pruner) = stop_pruner(&house).await;
    let client = house.locks.clone();
    let deleting_key = tokio::spawn(async move { client.delete(&unused).await });
    let (client, input) = (house.desk.clone(), json!({"id": stay}));
    let query = "mutation($id: ID!) { deleteRoomStay(input: {roomStayId: $id}) { deleted } }";
    let deleting_stay = tokio::spawn(async move { client.data(query, input).await });
    waiting(&house, 3).await;
    counter.rollback().await.expect("let go");
    assert_eq!(pruner.await.expect("pruned"), Pruned { revoked: 1, deleted: 2 });
    assert_eq!(code(&deleting_key.await.expect("answered")), "NOT_FOUND");
    deleting_stay.await.expect("deleted");
    let told = owner.told().await;
    assert_eq!(told.len(), 4, "{told:?}");
    assert_eq!(told[3], event("room_stay.deleted", &stay));
}

#[tokio::test]
async fn more_than_one_look_finds_is_pruned_in_one_run() {
    let house = House::new().await;
    // One more than a look lists.
    let keys = "INSERT INTO room_access_keys \
         (hotel_id, id, integration_id, kind, secret, created_at, unassigned_since) \
         SELECT $1, gen_random_uuid(), $2, 'PIN', '', $3, $3 FROM generate_series(1, 50001)";
    let made = sqlx::query(keys).bind(house.hotel.id).bind(house.keys.integration_id).bind(house.test.clock.now());
    made.execute(&house.test.db.pool).await.expect("keys");
    at(&house, "2026-02-01T09:00:00Z");
    assert_eq!(prune(&house).await, Pruned { revoked: 0, deleted: 50_001 });
}

#[tokio::test]
async fn two_pruners_share_the_work() {
    let house = House::new().await;
    let other = house.test.hotel("other-hotel", Tz::Asia__Tokyo).await;
    let vendor = house.test.integration(&other, "Locks", Permission::Write).await;
    let keys = "INSERT INTO room_access_keys \
         (hotel_id, id, integration_id, kind, secret, created_at, unassigned_since) \
         SELECT $1, gen_random_uuid(), $2, 'PIN', '', $3, $3 FROM generate_series(1, 2300)";
    for (hotel, integration) in [(house.hotel.id, house.keys.integration_id), (other.id, vendor.integration_id)] {
        let made = sqlx::query(keys).bind(hotel).bind(integration).bind(house.test.clock.now());
        made.execute(&house.test.db.pool).await.expect("keys");
    }
    at(&house, "2026-02-01T09:00:00Z");
    let (one, two) = tokio::join!(prune(&house), prune(&house));
    assert_eq!(one.deleted + two.deleted, 4600);
    let events = "SELECT count(DISTINCT object_id), max(position) FROM events \
         WHERE type = 'room_access_key.deleted' GROUP BY hotel_id";
    let events: Vec<(i64, i64)> = sqlx::query_as(events).fetch_all(&house.test.db.pool).await.expect("events");
    assert_eq!(events, [(2300, 2300), (2300, 2300)], "each once, without a gap");
}
