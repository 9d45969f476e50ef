//! The life of a room access key.

use serde_json::json;

use crate::support::{House, code, text};

#[tokio::test]
async fn a_key_is_made_added_removed_and_deleted() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let key = house.locks.pin("0042").await;
    assert_eq!(house.locks.own_pins().await, ["0042"]);
    let added = house.locks.add(&stay, &key).await;
    assert_eq!(added["data"]["addRoomAccessKey"]["roomStay"]["roomAccessKey"]["id"], json!(key), "{added}");
    assert_eq!(code(&house.locks.delete(&key).await), "KEY_STILL_ASSIGNED");
    let removed = house.locks.remove(&stay, &key).await;
    assert_eq!(removed["data"]["removeRoomAccessKey"]["roomStay"], json!({"id": stay, "roomAccessKey": null}));
    assert_eq!(house.locks.delete(&key).await["data"]["deleteRoomAccessKey"]["deleted"], json!(true));
    assert!(house.locks.own_pins().await.is_empty());
}

#[tokio::test]
async fn chained_operations_interleave() {
    let house = House::new().await;
    let (_, stays) = house.reservation("R1", &[("2026-01-30", "2026-02-01"), ("2026-01-30", "2026-02-01")]).await;
    let create = "mutation C($input: CreateRoomAccessKeyInput!) { createRoomAccessKey(input: $input) { \
        roomAccessKey { id @chain(variable: \"roomAccessKeyId\") } } }";
    let add = "mutation A($roomStayId: ID! $roomAccessKeyId: ID!) { addRoomAccessKey(input: {roomStayId: $roomStayId \
        roomAccessKeyId: $roomAccessKeyId}) { roomStay { id roomAccessKey { id } } } }";
    let batch = house
        .locks
        .batch(&[
            (create, json!({"input": {"roomAccessPin": {"pin": "1111"}}})),
            (add, json!({"roomStayId": stays[0]})),
            (create, json!({"input": {"roomAccessPin": {"pin": "2222"}}})),
            (add, json!({"roomStayId": stays[1]})),
        ])
        .await;
    for (index, stay) in [(1, &stays[0]), (3, &stays[1])] {
        let made = text(&batch[index - 1]["data"]["createRoomAccessKey"]["roomAccessKey"]["id"]);
        assert_eq!(house.messaging.key_of(stay).await, Some(made));
    }
}
