//! Synchronisation of who is in the house.

use serde_json::{Value, json};

use super::{Desk, rooms};
use crate::support::fingerprint;

fn guest(id: &str, room: &str) -> Value {
    json!({"pmsGuestId": id, "lastName": "Doe", "roomNumber": room, "checkOutDate": "2026-02-02"})
}

#[tokio::test]
async fn a_list_of_who_is_in_the_house_is_reconciled_check_outs_first() {
    let desk = Desk::new().await;
    for room in ["301", "302", "303"] {
        desk.house.room(room).await;
    }
    desk.post("sync", json!({"guests": [guest("A", "301"), guest("B", "302"), guest("C", "303")]})).await;
    let skip = desk.events(0).await.len();
    // A left, D takes the room; B moves; C stays.
    let mut moved = guest("B", "302");
    moved["checkOutDate"] = json!("2026-02-03");
    let list = json!({"guests": [guest("D", "301"), moved, guest("C", "303")]});
    let answer = desk.post("sync", list.clone()).await;
    assert_eq!(rooms(&answer["checkedOut"]), ["301"]);
    assert_eq!(answer["checkedOut"][0]["pmsGuestId"], "A");
    assert_eq!(rooms(&answer["checkedIn"]), ["301"]);
    assert_eq!(rooms(&answer["updated"]), ["302"]);
    assert_eq!(answer["unchanged"], 1);
    let events = json!([
        {"type": "room_stay.updated", "updatedFields": ["check_out"]},
        {"type": "reservation.created", "updatedFields": null},
        {"type": "room_stay.created", "updatedFields": null},
        {"type": "room_stay.updated", "updatedFields": ["reservation_to"]},
    ]);
    assert_eq!(json!(desk.events(skip).await), events);
    let again = desk.post("sync", list).await;
    assert_eq!((&again["checkedOut"], &again["checkedIn"], &again["unchanged"]), (&json!([]), &json!([]), &json!(3)));
    assert_eq!(rooms(&desk.in_house("").await["guests"]).len(), 3);
}

#[tokio::test]
async fn one_wrong_entry_undoes_all_and_is_named() {
    let desk = Desk::new().await;
    desk.house.room("301").await;
    let before = fingerprint(&desk.house.test.db.pool).await;
    let list = json!({"guests": [guest("A", "301"), guest("B", "666")]});
    let refused = desk.refused("sync", list).await;
    assert_eq!(refused, (404, "NOT_FOUND".to_owned(), json!("guests[1].roomNumber")));
    for wrong in [json!({}), json!({"guests": {}}), json!({"guests": vec![json!({}); 501]})] {
        assert_eq!(desk.refused("sync", wrong).await, (400, "INVALID_ARGUMENT".to_owned(), json!("guests")));
    }
    assert_eq!(fingerprint(&desk.house.test.db.pool).await, before);
}
