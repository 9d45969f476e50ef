//! Check-in, update, check-out, and who is in the house.

use serde_json::{Value, json};

use super::{Desk, doe, rooms};
use crate::support::fingerprint;

#[tokio::test]
async fn a_guest_who_is_unknown_is_checked_in_with_a_reservation_of_its_own() {
    let desk = Desk::new().await;
    desk.house.room("301").await;
    let mut body = doe("NEW-1");
    body["firstName"] = json!("John");
    body["email"] = json!("john@example.com");
    let answer = desk.post("checkin", body.clone()).await;
    assert_eq!((&answer["created"], &answer["roomOccupied"]), (&json!(true), &json!(false)));
    let mut guest = answer["guest"].clone();
    for id in ["reservationId", "roomStayId"] {
        assert!(guest.as_object_mut().expect("a guest").remove(id).is_some());
    }
    let expected = json!({"pmsGuestId": "NEW-1", "reservationCode": "NEW-1", "firstName": "John", "lastName": "Doe",
        "email": "john@example.com", "phone": null, "language": null, "roomNumber": "301",
        "checkInDate": "2026-01-30", "checkOutDate": "2026-02-02", "checkedInAt": "2026-01-30T10:00:00+01:00",
        "checkedOutAt": null});
    assert_eq!(guest, expected);
    let made = json!([{"type": "reservation.created", "updatedFields": null},
        {"type": "room_stay.created", "updatedFields": null}]);
    assert_eq!(json!(desk.events(0).await), made);
    let again = desk.post("checkin", body).await;
    assert_eq!((&again["created"], &again["guest"]), (&json!(false), &answer["guest"]));
    assert_eq!(desk.events(2).await, Vec::<Value>::new(), "nothing changed");

    let other = desk.post("checkin", doe("NEW-2")).await;
    assert_eq!((&other["created"], &other["roomOccupied"]), (&json!(true), &json!(true)));
}

#[tokio::test]
async fn a_booked_guest_is_found_by_code_and_name_and_brought_in_line() {
    let desk = Desk::new().await;
    let (stay, _) = (desk.house.stay_in("101").await, desk.house.room("301").await);
    let skip = desk.events(0).await.len();
    let mut body = doe("R-101");
    body["checkOutDate"] = json!("2026-02-05");
    body["lastName"] = json!("DOE");
    let answer = desk.post("checkin", body.clone()).await;
    assert_eq!((&answer["created"], &answer["guest"]["roomStayId"]), (&json!(false), &json!(stay)));
    assert_eq!(answer["guest"]["lastName"], "Doe");
    let changes = json!([{"type": "room_stay.updated", "updatedFields": ["reservation_to", "room_setup", "check_in"]}]);
    assert_eq!(json!(desk.events(skip).await), changes);

    let before = fingerprint(&desk.house.test.db.pool).await;
    let field = |name: &str, value: &str| {
        let mut wrong = body.clone();
        wrong[name] = json!(value);
        wrong
    };
    for (name, value) in [("lastName", "Smith"), ("checkOutDate", "2026-01-29"), ("checkInDate", "2026-02-06")] {
        let named = if name == "checkInDate" { "checkOutDate" } else { name };
        let expected = (400, "INVALID_ARGUMENT".to_owned(), json!(named));
        assert_eq!(desk.refused("checkin", field(name, value)).await, expected, "{name}");
    }
    let room = desk.refused("checkin", field("roomNumber", "666")).await;
    assert_eq!(room, (404, "NOT_FOUND".to_owned(), json!("roomNumber")));
    assert_eq!(fingerprint(&desk.house.test.db.pool).await, before);

    let reservation = desk.house.reservation("R-X", &[("2026-01-30", "2026-02-02")]).await.0;
    desk.house.desk.done("cancelReservation", json!({"id": reservation}), "reservation { id }").await;
    assert_eq!(desk.refused("checkin", doe("R-X")).await.1, "RESERVATION_CANCELLED");
}

#[tokio::test]
async fn f18_an_update_answers_with_what_changed_from_what_to_what() {
    let desk = Desk::new().await;
    desk.house.stay_in("301").await;
    desk.house.room("302").await;
    let skip = desk.events(0).await.len();
    let body = json!({"pmsGuestId": "R-301", "lastName": "Dow", "roomNumber": "302", "checkOutDate": "2026-02-04",
        "phone": "+49 30 1", "email": null});
    let answer = desk.post("update", body.clone()).await;
    let expected = json!({
        "lastName": {"from": "Doe", "to": "Dow"},
        "phone": {"from": null, "to": "+49 30 1"},
        "roomNumber": {"from": "301", "to": "302"},
        "checkOutDate": {"from": "2026-02-02", "to": "2026-02-04"},
    });
    assert_eq!(answer["changes"], expected);
    let events = json!([{"type": "room_stay.updated", "updatedFields": ["reservation_to", "room_setup"]},
        {"type": "client.updated", "updatedFields": null}]);
    assert_eq!(json!(desk.events(skip).await), events);
    assert_eq!(desk.post("update", body).await["changes"], json!({}));
    let dates = json!({"pmsGuestId": "R-301", "checkOutDate": "2026-01-01"});
    assert_eq!(desk.refused("update", dates).await, (400, "INVALID_ARGUMENT".to_owned(), json!("checkOutDate")));
}

#[tokio::test]
async fn f18_a_check_out_can_be_repeated() {
    let desk = Desk::new().await;
    desk.house.room("301").await;
    desk.house.reservation("R-1", &[("2026-01-30", "2026-02-02")]).await;
    let never = desk.refused("checkout", json!({"pmsGuestId": "R-1"})).await;
    assert_eq!(never, (400, "INVALID_ARGUMENT".to_owned(), json!("pmsGuestId")));
    desk.post("checkin", doe("NEW-1")).await;
    let gone = desk.post("checkout", json!({"pmsGuestId": "NEW-1"})).await;
    assert_eq!(gone["alreadyCheckedOut"], false);
    assert_eq!(gone["guests"][0]["checkedOutAt"], "2026-01-30T10:00:00+01:00");
    desk.house.test.advance(chrono::TimeDelta::hours(1));
    let again = desk.post("checkout", json!({"pmsGuestId": "NEW-1"})).await;
    assert_eq!((&again["alreadyCheckedOut"], &again["guests"]), (&json!(true), &gone["guests"]));
    let back = desk.post("checkin", doe("NEW-1")).await;
    assert_eq!(back["guest"]["checkedOutAt"], Value::Null, "a mistaken check-out is taken back");
    assert_eq!(back["guest"]["checkedInAt"], "2026-01-30T10:00:00+01:00");
}

#[tokio::test]
async fn who_is_in_the_house_is_read_page_by_page() {
    let desk = Desk::new().await;
    for room in ["301", "302", "303"] {
        desk.house.room(room).await;
        let mut guest = doe(&format!("NEW-{room}"));
        guest["roomNumber"] = json!(room);
        desk.post("checkin", guest).await;
    }
    desk.house.reservation("NOT-YET", &[("2026-01-30", "2026-02-02")]).await;
    let first = desk.in_house("?limit=2").await;
    assert_eq!(rooms(&first["guests"]), ["301", "302"]);
    let next = first["next"].as_str().expect("more");
    let second = desk.in_house(&format!("?limit=2&after={next}")).await;
    assert_eq!((rooms(&second["guests"]), &second["next"]), (vec!["303"], &Value::Null));
    for query in ["?limit=0", "?limit=101", "?limit=x", "?after=x"] {
        assert_eq!(desk.in_house(query).await["code"], "INVALID_ARGUMENT", "{query}");
    }
}

#[tokio::test]
async fn g09_names_codes_and_rooms_are_found_however_they_are_written() {
    let desk = Desk::new().await;
    desk.house.room("S\u{fc}d 1").await;
    let stays =
        json!([{"categoryId": desk.house.category, "reservation_from": "2026-01-30", "reservation_to": "2026-02-02"}]);
    let input = json!({"code": "R\u{fc}gen-1", "client": {"person": {"lastname": "M\u{fc}ller"}}, "roomStays": stays});
    desk.house.desk.done("createReservation", input, "reservation { id }").await;
    let with = |id: &str, name: &str, room: &str| json!({"pmsGuestId": id, "lastName": name, "roomNumber": room, "checkOutDate": "2026-02-02"});
    let first = desk.post("checkin", with("Ru\u{308}gen-1", "Mu\u{308}ller", "Su\u{308}d 1")).await;
    assert_eq!((&first["created"], &first["guest"]["lastName"]), (&json!(false), &json!("M\u{fc}ller")));
    let skip = desk.events(0).await.len();
    for (id, name, room) in [
        ("R\u{fc}gen-1", "M\u{dc}LLER", "s\u{fc}d  1"),
        ("R\u{dc}GEN-1", " mu\u{308}ller ", "S\u{dc}D 1"),
        ("ru\u{308}gen-1", "M\u{fc}ller", "Su\u{308}d\u{a0}1"),
    ] {
        let again = desk.post("checkin", with(id, name, room)).await;
        assert_eq!((&again["created"], &again["guest"]), (&json!(false), &first["guest"]), "{id} {name} {room}");
        let same = desk.post("update", json!({"pmsGuestId": id, "lastName": name, "roomNumber": room})).await;
        assert_eq!(same["changes"], json!({}));
        let list = desk.post("sync", json!({"guests": [with(id, name, room)]})).await;
        assert_eq!(list["unchanged"], 1, "{id} {name} {room}");
    }
    assert_eq!(desk.events(skip).await, Vec::<Value>::new(), "nothing changed");
    let other = desk.refused("checkin", with("R\u{fc}gen-1", "Muller", "S\u{fc}d 1")).await;
    assert_eq!(other, (400, "INVALID_ARGUMENT".to_owned(), json!("lastName")));
    let gone = desk.post("checkout", json!({"pmsGuestId": "RU\u{308}GEN-1", "roomNumber": "su\u{308}d 1"})).await;
    assert_eq!(gone["guests"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn g10_a_name_that_graphql_was_sent_with_spaces_is_found_without() {
    let desk = Desk::new().await;
    desk.house.room("301").await;
    let stays =
        json!([{"categoryId": desk.house.category, "reservation_from": "2026-01-30", "reservation_to": "2026-02-02"}]);
    let input = json!({"code": " R-1 ", "client": {"person": {"lastname": " Doe "}}, "roomStays": stays});
    desk.house.desk.done("createReservation", input, "reservation { id }").await;
    let answer = desk.post("checkin", doe("R-1")).await;
    assert_eq!((&answer["created"], &answer["guest"]["lastName"]), (&json!(false), &json!("Doe")));
    let imported = json!({"externalId": " X-1", "client": {"person": {"lastname": "Roe"}}, "roomStays": stays});
    desk.house.locks.done("importReservation", imported, "reservation { id }").await;
    assert_eq!(desk.post("checkin", doe(" X-1 ")).await["created"], false);
}

#[tokio::test]
async fn g11_the_language_of_a_guest_is_kept_as_its_iso_code() {
    let desk = Desk::new().await;
    desk.house.room("301").await;
    let mut guest = doe("A");
    guest["language"] = json!("de-DE");
    assert_eq!(desk.post("checkin", guest.clone()).await["guest"]["language"], "de");
    assert_eq!(desk.post("update", json!({"pmsGuestId": "A", "language": "de_AT"})).await["changes"], json!({}));
    guest["language"] = json!("klingon");
    for (name, body, field) in [
        ("checkin", guest.clone(), "language"),
        ("update", json!({"pmsGuestId": "A", "language": "xx"}), "language"),
        ("sync", json!({ "guests": [guest] }), "guests[0].language"),
    ] {
        assert_eq!(desk.refused(name, body).await, (400, "INVALID_ARGUMENT".to_owned(), json!(field)), "{name}");
    }
}

#[tokio::test]
async fn g16_a_check_out_of_a_guest_who_has_not_come_says_so() {
    let desk = Desk::new().await;
    desk.house.stay_in("301").await;
    let response = desk.send(&desk.live, "k", "checkout", &json!({"pmsGuestId": "R-301"})).await;
    let answer: Value = response.json().await.expect("JSON");
    assert_eq!(answer["message"], "The guest has not checked in");
}
