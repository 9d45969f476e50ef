//! Taking keys off stays, and deleting them.

use serde_json::json;

use super::every_kind;
use super::printed::{DELETE_ROOM_ACCESS_KEY, REMOVE_ROOM_ACCESS_KEY};
use crate::support::{House, code, fingerprint};

#[tokio::test]
async fn a29_an_integration_removes_only_its_own_keys() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let key = house.locks.pin("0042").await;
    house.locks.add(&stay, &key).await;
    for other in [&house.other_locks, &house.desk] {
        assert_eq!(code(&other.remove(&stay, &key).await), "NOT_FOUND");
    }
    assert_eq!(house.locks.key_of(&stay).await, Some(key));
}

#[tokio::test]
async fn a30_a_key_is_deleted_only_after_it_was_removed_from_all_stays() {
    let house = House::new().await;
    let (_, stays) = house.reservation("R1", &[("2026-01-30", "2026-02-01"); 2]).await;
    let key = house.locks.pin("0042").await;
    for stay in &stays {
        house.locks.add(stay, &key).await;
    }
    for stay in &stays {
        assert_eq!(code(&house.locks.delete(&key).await), "KEY_STILL_ASSIGNED");
        house.locks.remove(stay, &key).await;
    }
    assert!(house.locks.delete(&key).await.get("errors").is_none());
    assert_eq!(code(&house.locks.delete(&key).await), "NOT_FOUND");
}

#[tokio::test]
async fn a31_an_integration_deletes_only_its_own_keys() {
    let house = House::new().await;
    let key = house.locks.pin("0042").await;
    for other in [&house.other_locks, &house.desk] {
        assert_eq!(code(&other.delete(&key).await), "NOT_FOUND");
    }
    assert_eq!(house.locks.own_pins().await, ["0042"]);
}

#[tokio::test]
async fn a61_to_change_a_key_the_previous_one_is_removed_first() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let (old, new) = (house.locks.pin("1").await, house.locks.pin("2").await);
    house.locks.add(&stay, &old).await;
    assert_eq!(code(&house.locks.add(&stay, &new).await), "KEY_ALREADY_ASSIGNED");
    house.locks.remove(&stay, &old).await;
    assert!(house.locks.add(&stay, &new).await.get("errors").is_none());
    assert_eq!(house.locks.key_of(&stay).await, Some(new));
}

#[tokio::test]
async fn a62_remove_answers_with_the_stay_without_a_key() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    for (_, input) in every_kind() {
        let key = house.key(input).await;
        house.locks.add(&stay, &key).await;
        let values = [("<room stay id>", stay.as_str()), ("<room access key id >", &key)];
        let data = house.locks.data(REMOVE_ROOM_ACCESS_KEY.0, REMOVE_ROOM_ACCESS_KEY.variables(&values)).await;
        assert_eq!(data["removeRoomAccessKey"]["roomStay"], json!({"id": stay, "roomAccessKey": null}));
        assert_eq!(code(&house.locks.remove(&stay, &key).await), "KEY_NOT_ASSIGNED");
    }
}

#[tokio::test]
async fn a63_a_key_on_a_stay_cannot_be_deleted() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    for (_, input) in every_kind() {
        let key = house.key(input).await;
        house.locks.add(&stay, &key).await;
        let before = fingerprint(&house.test.db.pool).await;
        assert_eq!(code(&house.locks.delete(&key).await), "KEY_STILL_ASSIGNED");
        assert_eq!(fingerprint(&house.test.db.pool).await, before);
        house.locks.remove(&stay, &key).await;
    }
}

#[tokio::test]
async fn a64_delete_takes_the_id_and_answers_that_the_key_is_deleted() {
    let house = House::new().await;
    let key = house.locks.pin("0042").await;
    let printed = DELETE_ROOM_ACCESS_KEY.variables(&[]);
    assert_eq!(code(&house.locks.run(DELETE_ROOM_ACCESS_KEY.0, printed).await), "NOT_FOUND");
    let data = house.locks.data(DELETE_ROOM_ACCESS_KEY.0, json!({"roomAccessKeyId": key})).await;
    assert_eq!(data, json!({"deleteRoomAccessKey": {"deleted": true}}));
    assert!(house.locks.own_pins().await.is_empty());
}
