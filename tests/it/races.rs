//! Requests that meet in the database: who wins, who waits, and that no deadlock reaches a client.

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::client::{ADD_KEY, REMOVE_KEY};
use crate::support::{House, code, until_somebody_waits};

/// How often a race is run: each takes a few milliseconds, and either order has to come out right.
const ROUNDS: usize = 20;

fn both(stay: &str, key: &str) -> Value {
    json!({"input": {"roomStayId": stay, "roomAccessKeyId": key}})
}

/// Whether the clock of an unassigned key is running.
async fn is_unassigned(pool: &PgPool, key: &str) -> bool {
    sqlx::query_scalar("SELECT unassigned_since IS NOT NULL FROM room_access_keys WHERE id = $1::uuid")
        .bind(key)
        .fetch_one(pool)
        .await
        .expect("the key is there")
}

#[tokio::test]
async fn of_two_keys_added_to_one_stay_at_once_exactly_one_wins() {
    let house = House::new().await;
    for round in 0..ROUNDS {
        let stay = house.stay(&format!("R{round}")).await;
        let (mine, theirs) = join(house.locks.pin("1"), house.other_locks.pin("2")).await;
        let (first, second) = join(house.locks.add(&stay, &mine), house.other_locks.add(&stay, &theirs)).await;
        let mut codes = [code(&first), code(&second)];
        codes.sort_unstable();
        assert_eq!(codes, ["KEY_ALREADY_ASSIGNED", "no error"]);
        let winner = if code(&first) == "no error" { &mine } else { &theirs };
        assert_eq!(house.messaging.key_of(&stay).await.as_ref(), Some(winner));
    }
}

#[tokio::test]
async fn the_same_key_added_to_one_stay_many_times_at_once_succeeds_every_time() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let key = house.locks.pin("1").await;
    let answers = join_all((0..10).map(|_| house.locks.add(&stay, &key))).await;
    assert!(answers.iter().all(|answer| answer.get("errors").is_none()), "{answers:#?}");
}

#[tokio::test]
async fn a_key_that_is_added_and_deleted_at_once_is_either_on_the_stay_or_gone() {
    let house = House::new().await;
    for round in 0..ROUNDS {
        let stay = house.stay(&format!("R{round}")).await;
        let key = house.locks.pin("1").await;
        let (added, deleted) = if round % 2 == 0 {
            join(house.locks.add(&stay, &key), house.locks.delete(&key)).await
        } else {
            let (deleted, added) = join(house.locks.delete(&key), house.locks.add(&stay, &key)).await;
            (added, deleted)
        };
        match (code(&added), code(&deleted)) {
            ("no error", "KEY_STILL_ASSIGNED") => assert_eq!(house.messaging.key_of(&stay).await, Some(key)),
            ("NOT_FOUND", "no error") => assert_eq!(house.messaging.key_of(&stay).await, None),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_shared_key_that_comes_off_its_last_stays_at_once_is_known_to_be_unassigned() {
    let house = House::new().await;
    for round in 0..ROUNDS {
        let (_, stays) = house.reservation(&format!("R{round}"), &[("2026-01-30", "2026-02-01"); 2]).await;
        let key = house.locks.pin("1").await;
        for stay in &stays {
            house.locks.add(stay, &key).await;
        }
        assert!(!is_unassigned(&house.test.db.pool, &key).await);
        let delete = house.desk.act("deleteRoomStay", json!({"roomStayId": stays[1]}), "deleted");
        let (first, second) = if round % 2 == 0 {
            join(house.locks.remove(&stays[0], &key), house.locks.remove(&stays[1], &key)).await
        } else {
            join(house.locks.remove(&stays[0], &key), delete).await
        };
        assert_eq!([code(&first), code(&second)], ["no error"; 2]);
        assert!(is_unassigned(&house.test.db.pool, &key).await, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn crossing_batches_bring_no_deadlock_to_a_client() {
    let house = House::new().await;
    let (_, stays) = house.reservation("R1", &[("2026-01-30", "2026-02-01"); 4]).await;
    let mut keys = Vec::new();
    for stay in &stays {
        keys.push(house.locks.pin("1").await);
        house.locks.add(stay, keys.last().expect("a key")).await;
    }
    // Each takes all keys off and puts them back, in an order of its own.
    let again = |order: [usize; 4]| {
        let operations: Vec<(&str, Value)> = order
            .into_iter()
            .flat_map(|at| [(REMOVE_KEY, both(&stays[at], &keys[at])), (ADD_KEY, both(&stays[at], &keys[at]))])
            .collect();
        let client = house.locks.clone();
        async move { client.batch(&operations).await }
    };
    for _ in 0..ROUNDS {
        let orders = [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]];
        let answers = join_all(orders.map(|order| tokio::spawn(again(order)))).await;
        for answer in answers.into_iter().flat_map(|answers| answers.expect("no panic")) {
            assert!(answer.get("errors").is_none(), "{answer:#}");
        }
    }
    for (stay, key) in stays.iter().zip(&keys) {
        assert_eq!(house.messaging.key_of(stay).await.as_ref(), Some(key));
    }
}

#[tokio::test]
async fn swaps_of_the_same_stays_at_once_are_swaps_one_after_the_other() {
    let house = House::new().await;
    let (first, second) = (house.stay_in("101").await, house.stay_in("102").await);
    let swap = |a: &str, b: &str| {
        let input = json!({"firstRoomStayId": a, "secondRoomStayId": b});
        let desk = house.desk.clone();
        async move { desk.act("swapRoomStays", input, "roomStays { id }").await }
    };
    for _ in 0..ROUNDS {
        let (one, two) = join(swap(&first, &second), swap(&second, &first)).await;
        assert_eq!([code(&one), code(&two)], ["no error"; 2]);
        let room = house.messaging.read_stay(&first, "room_setup { name }").await;
        assert_eq!(room["room_setup"]["name"], "101", "swapped twice");
    }
}

#[tokio::test]
async fn moves_and_key_changes_of_one_stay_lose_nothing_of_each_other() {
    let house = House::new().await;
    let stay = house.stay_in("101").await;
    let rooms = [house.room("201").await, house.room("202").await];
    for room in rooms.iter().cycle().take(ROUNDS) {
        let key = house.locks.pin("1").await;
        let into = house.desk.act("moveRoomStay", json!({"roomStayId": stay, "roomSetupId": room}), "roomStay { id }");
        let (moved, added) = join(into, house.locks.add(&stay, &key)).await;
        assert_eq!([code(&moved), code(&added)], ["no error"; 2]);
        let read = house.messaging.read_stay(&stay, "room_setup { id } roomAccessKey { id }").await;
        assert_eq!(read, json!({"room_setup": {"id": room}, "roomAccessKey": {"id": key}}));
        house.locks.remove(&stay, &key).await;
    }
}

/// Starts an act, proves that it waits while `statement` holds its rows, and answers with what it came to after that.
async fn act_while_held(house: &House, statement: &'static str, id: &str, act: impl Future<Output = Value>) -> Value {
    let mut holding = house.test.db.pool.begin().await.expect("a connection");
    sqlx::query(statement).bind(id).execute(&mut *holding).await.expect("the rows can be held");
    let release = async {
        until_somebody_waits(&house.test.db.pool).await;
        holding.commit().await.expect("commits");
    };
    join(act, release).await.0
}

#[tokio::test]
async fn who_waits_for_whom() {
    let house = House::new().await;
    let (stay, other) = (house.stay_in("101").await, house.stay_in("102").await);
    let key = house.locks.pin("1").await;
    let hold_stay = "SELECT FROM room_stays WHERE id = $1::uuid FOR NO KEY UPDATE";
    let hold_key = "SELECT FROM room_access_keys WHERE id = $1::uuid FOR UPDATE";
    let answer = act_while_held(&house, hold_stay, &stay, house.locks.add(&stay, &key)).await;
    assert_eq!(code(&answer), "no error", "add waits for whoever changes the stay");
    let answer = act_while_held(&house, hold_key, &key, house.locks.remove(&stay, &key)).await;
    assert_eq!(code(&answer), "no error", "remove waits for whoever changes the key");
    let answer = act_while_held(&house, hold_key, &key, house.locks.delete(&key)).await;
    assert_eq!(code(&answer), "no error", "delete waits for whoever changes the key");
    let swap = house.desk.act(
        "swapRoomStays",
        json!({"firstRoomStayId": stay, "secondRoomStayId": other}),
        "roomStays { id }",
    );
    assert_eq!(code(&Box::pin(act_while_held(&house, hold_stay, &other, swap)).await), "no error");

    // Whoever only reads never waits, and another stay is nobody's business.
    let mut holding = house.test.db.pool.begin().await.expect("a connection");
    sqlx::query(hold_stay).bind(&stay).execute(&mut *holding).await.expect("held");
    assert_eq!(house.messaging.key_of(&stay).await, None);
    let free = house.locks.pin("2").await;
    assert_eq!(code(&house.locks.add(&other, &free).await), "no error");
    holding.rollback().await.expect("rolls back");
}

#[tokio::test]
async fn a_waiting_act_sees_what_the_other_one_did() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let key = house.locks.pin("1").await;
    let depart =
        "UPDATE room_stays SET reservation_from = '2026-01-20', reservation_to = '2026-01-21' WHERE id = $1::uuid";
    let answer = act_while_held(&house, depart, &stay, house.locks.add(&stay, &key)).await;
    assert_eq!(code(&answer), "ROOM_STAY_DEPARTED");
    let delete = "DELETE FROM room_stays WHERE id = $1::uuid";
    let answer = act_while_held(&house, delete, &stay, house.locks.add(&stay, &key)).await;
    assert_eq!(code(&answer), "NOT_FOUND");
    let delete = "DELETE FROM room_access_keys WHERE id = $1::uuid";
    let other = house.stay("R2").await;
    let answer = act_while_held(&house, delete, &key, house.locks.add(&other, &key)).await;
    assert_eq!(code(&answer), "NOT_FOUND");
}

#[tokio::test]
async fn reservations_of_one_code_made_at_once_are_one() {
    let house = House::new().await;
    for round in 0..ROUNDS {
        let input = json!({"code": format!("R{round}"), "client": {"person": {"lastname": "Doe"}}, "roomStays": [
            {"categoryId": house.category, "reservation_from": "2026-02-01", "reservation_to": "2026-02-02"}]});
        let make = || house.desk.act("createReservation", input.clone(), "reservation { id }");
        let (one, two) = join(make(), make()).await;
        let mut codes = [code(&one), code(&two)];
        codes.sort_unstable();
        assert_eq!(codes, ["CODE_TAKEN", "no error"]);
    }
}

#[tokio::test]
async fn an_add_that_waited_for_a_cancellation_is_refused() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let key = house.locks.pin("1").await;
    let mut tx = house.test.db.pool.begin().await.expect("a transaction");
    for statement in [
        "UPDATE room_stays SET updated_at = updated_at + interval '1 second'",
        "UPDATE reservations SET status = 'CANCELLED', cancelled_at = updated_at",
    ] {
        sqlx::query(statement).execute(&mut *tx).await.expect("done");
    }
    let add = house.locks.add(&stay, &key);
    let commit = async {
        until_somebody_waits(&house.test.db.pool).await;
        tx.commit().await.expect("committed");
    };
    let (added, ()) = join(add, commit).await;
    assert_eq!(code(&added), "RESERVATION_CANCELLED");
}
