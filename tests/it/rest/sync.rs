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

#[tokio::test]
async fn g14_a_guest_in_two_rooms_has_two_stays_of_one_reservation() {
    let desk = Desk::new().await;
    for room in ["301", "302", "303"] {
        desk.house.room(room).await;
    }
    let list = |rooms: &[&str]| json!({ "guests": rooms.iter().map(|room| guest("A", room)).collect::<Vec<_>>() });
    let made = desk.post("sync", list(&["301", "302"])).await;
    assert_eq!(rooms(&made["checkedIn"]), ["301", "302"]);
    let reservation = |guest: &Value| guest["reservationId"].clone();
    assert_eq!(reservation(&made["checkedIn"][0]), reservation(&made["checkedIn"][1]));
    assert_ne!(made["checkedIn"][0]["roomStayId"], made["checkedIn"][1]["roomStayId"]);
    let clients: i64 = sqlx::query_scalar("SELECT count(DISTINCT client_id) FROM room_stay_guests")
        .fetch_one(&desk.house.test.db.pool)
        .await
        .expect("a number");
    assert_eq!(clients, 1, "one person");

    let skip = desk.events(0).await.len();
    for same in [list(&["301", "302"]), list(&["302", "301"]), list(&["301", "302", "301"])] {
        let again = desk.post("sync", same.clone()).await;
        let all = same["guests"].as_array().map(Vec::len);
        let nothing = json!({"status": "success", "checkedOut": [], "checkedIn": [], "updated": [], "unchanged": all});
        assert_eq!(again, nothing);
    }
    assert_eq!(desk.events(skip).await, Vec::<Value>::new());

    // One guest, called in two ways.
    let spelled = json!({"guests": [guest("A", "301"), guest("A", "302"), guest("a", "302")]});
    assert_eq!(desk.post("sync", spelled).await["unchanged"], 3);
    assert_eq!(desk.events(skip).await, Vec::<Value>::new());

    // One of the two is given back, comes again, and moves.
    let fewer = desk.post("sync", list(&["302"])).await;
    assert_eq!((rooms(&fewer["checkedOut"]), &fewer["unchanged"]), (vec!["301"], &json!(1)));
    let back = desk.post("sync", list(&["301", "302"])).await;
    assert_eq!((rooms(&back["checkedIn"]), &back["unchanged"]), (vec!["301"], &json!(1)));
    assert_eq!(back["checkedIn"][0]["roomStayId"], made["checkedIn"][0]["roomStayId"]);
    let moved = desk.post("sync", list(&["303", "302"])).await;
    assert_eq!((rooms(&moved["updated"]), &moved["unchanged"]), (vec!["303"], &json!(1)));
    assert_eq!(moved["updated"][0]["roomStayId"], made["checkedIn"][0]["roomStayId"]);
    let skip = desk.events(0).await.len();
    desk.post("sync", list(&["303", "302"])).await;
    assert_eq!(desk.events(skip).await, Vec::<Value>::new());
}

#[tokio::test]
async fn g14_a_list_that_says_different_things_of_one_guest_settles() {
    let desk = Desk::new().await;
    for room in ["301", "302"] {
        desk.house.room(room).await;
    }
    let mut jane = guest("A", "302");
    jane["firstName"] = json!("Jane");
    let mut john = guest("A", "301");
    john["firstName"] = json!("John");
    // Two persons of one booking.
    let couple = json!({"guests": [john, jane]});
    desk.post("sync", couple.clone()).await;
    let skip = desk.events(0).await.len();
    assert_eq!(desk.post("sync", couple).await["unchanged"], 2);
    // One person, and two telephone numbers: the first one counts.
    john["phone"] = json!("1");
    let mut other = guest("A", "302");
    other["phone"] = json!("2");
    desk.post("sync", json!({"guests": [guest("B", "301"), guest("B", "302")]})).await;
    let mut first = guest("B", "301");
    first["phone"] = json!("1");
    let mut second = guest("B", "302");
    second["phone"] = json!("2");
    let numbers = json!({"guests": [first, second]});
    let told = desk.post("sync", numbers.clone()).await;
    assert_eq!(told["updated"][0]["phone"], "1");
    let settled = desk.events(0).await.len();
    assert!(settled > skip);
    assert_eq!(desk.post("sync", numbers).await["unchanged"], 2);
    assert_eq!(desk.events(settled).await, Vec::<Value>::new());
    // Two dates of one stay are refused: there is no telling which is right.
    let mut longer = guest("B", " 301");
    longer["checkOutDate"] = json!("2026-02-03");
    let refused = desk.refused("sync", json!({"guests": [guest("B", "301"), longer]})).await;
    assert_eq!(refused, (400, "INVALID_ARGUMENT".to_owned(), json!("guests[1].roomNumber")));
}

#[tokio::test]
async fn g15_what_is_wrong_is_named_by_its_path() {
    let desk = Desk::new().await;
    desk.house.room("301").await;
    let mut bad = guest("B", "301");
    for (name, value) in
        [("lastName", json!(7)), ("checkOutDate", json!(null)), ("reason", json!("a\nb")), ("email", json!({}))]
    {
        bad[name] = value;
        let list = json!({"guests": [guest("A", "301"), bad]});
        assert_eq!(desk.refused("sync", list).await.2, json!(format!("guests[1].{name}")));
        bad = guest("B", "301");
    }
    let past = json!({"pmsGuestId": "B", "lastName": "Doe", "roomNumber": "301", "checkOutDate": "2026-01-01"});
    for (body, field) in [
        (json!({"guests": [null]}), json!("guests[0]")),
        (json!({"guests": [guest("A", "301"), []]}), json!("guests[1]")),
        (json!({"guests": [guest("A", "301"), "B"]}), json!("guests[1]")),
        (json!({"guests": [guest("A", "301"), past]}), json!("guests[1].checkOutDate")),
        (json!({"guests": [guest("A", "301"), {}]}), json!("guests[1].pmsGuestId")),
        (json!({"guests": null}), json!("guests")),
        (json!({"guests": "A"}), json!("guests")),
        (json!({"guests": [], "reason": 7}), json!("reason")),
        (json!(null), json!(null)),
        (json!([]), json!(null)),
    ] {
        let refused = desk.refused("sync", body.clone()).await;
        assert_eq!(refused, (400, "INVALID_ARGUMENT".to_owned(), field), "{body}");
    }
    for name in ["update", "checkout"] {
        for (body, field) in [(json!({"pmsGuestId": []}), json!("pmsGuestId")), (json!("x"), json!(null))] {
            assert_eq!(desk.refused(name, body).await, (400, "INVALID_ARGUMENT".to_owned(), field), "{name}");
        }
    }
}
