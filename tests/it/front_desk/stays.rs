//! Stays: added, moved, swapped, re-dated, split, deleted, and who is in the house.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{STAY, expect_refused};
use crate::support::{House, code, text};

#[tokio::test]
async fn stays_are_added_and_deleted() {
    let house = House::new().await;
    let (reservation, stays) = house.reservation("R1", &[("2026-01-30", "2026-02-02")]).await;
    let new = json!({"reservationId": reservation, "categoryId": house.category, "reservation_from":
        "2026-02-02", "reservation_to": "2026-02-04"});
    let added = house
        .desk
        .done("addRoomStay", new, "roomStay { id reservation { rooms { totalCount } } ageGroups { adults } }")
        .await;
    assert_eq!(added["roomStay"]["reservation"]["rooms"]["totalCount"], 2);
    assert_eq!(added["roomStay"]["ageGroups"]["adults"], 1);
    let key = house.locks.pin("1").await;
    house.locks.add(&stays[0], &key).await;
    let deleted = house.desk.done("deleteRoomStay", json!({"roomStayId": stays[0]}), "deleted").await;
    assert_eq!(deleted, json!({"deleted": true}));
    assert_eq!(house.desk.read_stay(&stays[0], "id").await, Value::Null);
    assert!(house.locks.delete(&key).await.get("errors").is_none(), "its key came off it");
    let gone = ("deleteRoomStay", json!({"roomStayId": stays[0]}), "deleted");
    expect_refused(&house, &house.desk, gone, ("NOT_FOUND", json!(["input", "roomStayId"]))).await;
}

#[tokio::test]
async fn stays_move_and_swap_rooms_with_their_keys() {
    let house = House::new().await;
    let (first, second) = (house.stay_in("101").await, house.stay_in("102").await);
    let key = house.locks.pin("1").await;
    house.locks.add(&first, &key).await;
    let swap = json!({"firstRoomStayId": first, "secondRoomStayId": second});
    let swapped =
        house.desk.done("swapRoomStays", swap, "roomStays { id room_setup { name } roomAccessKey { id } }").await;
    let expected = json!({"roomStays": [
        {"id": first, "room_setup": {"name": "102"}, "roomAccessKey": {"id": key}},
        {"id": second, "room_setup": {"name": "101"}, "roomAccessKey": null},
    ]});
    assert_eq!(swapped, expected);
    let with_itself =
        ("swapRoomStays", json!({"firstRoomStayId": first, "secondRoomStayId": first}), "roomStays { id }");
    expect_refused(&house, &house.desk, with_itself, ("INVALID_ARGUMENT", json!(["input", "secondRoomStayId"]))).await;
    let roomless = house.desk.done("moveRoomStay", json!({"roomStayId": first, "roomSetupId": null}), STAY).await;
    assert_eq!(roomless["roomStay"]["room_setup"], Value::Null);
    assert_eq!(roomless["roomStay"]["roomAccessKey"]["id"], json!(key));
}

#[tokio::test]
async fn dates_change_within_their_bounds_and_a_departed_stay_can_be_extended() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let dates = |from: Option<&str>, to: &str| match from {
        Some(from) => json!({"roomStayId": stay, "reservation_from": from, "reservation_to": to}),
        None => json!({"roomStayId": stay, "reservation_to": to}),
    };
    for wrong in [dates(None, "2026-01-29"), dates(Some("2026-01-30"), "2029-01-31")] {
        let act = ("changeRoomStayDates", wrong, "roomStay { id }");
        expect_refused(&house, &house.desk, act, ("INVALID_ARGUMENT", json!(["input", "reservation_to"]))).await;
    }
    house.desk.done("changeRoomStayDates", dates(Some("2026-01-30"), "2029-01-30"), STAY).await;
    house.desk.done("changeRoomStayDates", dates(None, "2026-01-30"), STAY).await;
    house.test.advance(TimeDelta::days(1));
    let key = house.locks.pin("1").await;
    assert_eq!(code(&house.locks.add(&stay, &key).await), "ROOM_STAY_DEPARTED");
    for (name, input) in [
        ("moveRoomStay", json!({"roomStayId": stay})),
        ("splitRoomStay", json!({"roomStayId": stay, "date": "2026-01-30"})),
    ] {
        let act = (name, input, "roomStay { id }");
        expect_refused(&house, &house.desk, act, ("ROOM_STAY_DEPARTED", Value::Null)).await;
    }
    house.desk.done("changeRoomStayDates", dates(None, "2026-02-03"), STAY).await;
    assert!(house.locks.add(&stay, &key).await.get("errors").is_none());
}

#[tokio::test]
async fn a_split_makes_a_second_stay_with_key_guests_and_late_check_out() {
    let house = House::new().await;
    let stay = house.stay_in("101").await;
    let other = house.room("102").await;
    house.locks.add(&stay, &house.locks.pin("1").await).await;
    house.desk.done("setRoomStayDepartureTime", json!({"roomStayId": stay, "departureTime": "14:30"}), STAY).await;
    for date in ["2026-01-30", "2026-02-02", "2026-03-01"] {
        let act = ("splitRoomStay", json!({"roomStayId": stay, "date": date}), "roomStay { id }");
        expect_refused(&house, &house.desk, act, ("INVALID_ARGUMENT", json!(["input", "date"]))).await;
    }
    let split = json!({"roomStayId": stay, "date": "2026-01-31", "roomSetupId": other});
    let fields = "room_setup { name } reservation_from reservation_to departureTime roomAccessKey { ... on \
        RoomAccessPin { pin } }";
    let halves =
        house.desk.done("splitRoomStay", split, &format!("roomStay {{ {fields} }} newRoomStay {{ {fields} }}")).await;
    let expected = json!({
        "roomStay": {"room_setup": {"name": "101"}, "reservation_from": "2026-01-30", "reservation_to": "2026-01-31",
            "departureTime": null, "roomAccessKey": {"pin": "1"}},
        "newRoomStay": {"room_setup": {"name": "102"}, "reservation_from": "2026-01-31", "reservation_to": "2026-02-02",
            "departureTime": "14:30", "roomAccessKey": {"pin": "1"}},
    });
    assert_eq!(halves, expected);
}

#[tokio::test]
async fn a_late_check_out_moves_the_end_of_the_stay() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let key = house.locks.pin("1").await;
    // 2 February 11:30 in Berlin: half an hour past the hotel's check-out time.
    house.test.advance(TimeDelta::hours(73) + TimeDelta::minutes(30));
    assert_eq!(code(&house.locks.add(&stay, &key).await), "ROOM_STAY_DEPARTED");
    let late =
        house.desk.done("setRoomStayDepartureTime", json!({"roomStayId": stay, "departureTime": "12:00"}), STAY).await;
    assert_eq!(late["roomStay"]["departureTime"], "12:00");
    assert!(house.locks.add(&stay, &key).await.get("errors").is_none());
    house.test.advance(TimeDelta::minutes(30));
    assert!(house.locks.remove(&stay, &key).await.get("errors").is_none(), "a key comes off a departed stay, too");
    assert_eq!(code(&house.locks.add(&stay, &key).await), "ROOM_STAY_DEPARTED");
}

#[tokio::test]
async fn stays_that_share_a_room_in_a_night_are_allowed_and_flagged() {
    let house = House::new().await;
    let room = house.room("101").await;
    let (_, stays) = house
        .reservation(
            "R1",
            &[
                ("2026-01-30", "2026-02-02"),
                ("2026-02-01", "2026-02-04"),
                ("2026-02-04", "2026-02-05"),
                ("2026-01-30", "2026-02-02"),
            ],
        )
        .await;
    for stay in &stays[..3] {
        house.desk.done("moveRoomStay", json!({"roomStayId": stay, "roomSetupId": room}), STAY).await;
    }
    let overlapping = async |stay: &str| {
        house.messaging.read_stay(stay, "overlappingRoomStays { id }").await["overlappingRoomStays"].take()
    };
    assert_eq!(overlapping(&stays[0]).await, json!([{"id": stays[1]}]));
    assert_eq!(overlapping(&stays[1]).await, json!([{"id": stays[0]}]));
    assert_eq!(overlapping(&stays[2]).await, json!([]), "arriving on another's departure day");
    assert_eq!(overlapping(&stays[3]).await, json!([]), "without a room");
    let (other, intruder) = house.reservation("R2", &[("2026-01-30", "2026-02-05")]).await;
    house.desk.done("moveRoomStay", json!({"roomStayId": intruder[0], "roomSetupId": room}), STAY).await;
    assert_eq!(overlapping(&stays[2]).await, json!([{"id": intruder[0]}]));
    house.desk.done("cancelReservation", json!({ "id": other }), "reservation { id }").await;
    assert_eq!(overlapping(&stays[2]).await, json!([]), "a cancelled reservation holds no room");
}

#[tokio::test]
async fn presence_is_recorded_corrected_and_taken_back() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let seen = |input: Value| {
        let mut input = input;
        input["id"] = json!(stay);
        input
    };
    for wrong in [
        json!({"check_out": "2026-01-31T09:00:00Z"}),
        json!({"check_in": "2026-01-31T09:00:00Z", "check_out": "2026-01-31T08:59:59Z"}),
    ] {
        let act = ("updateRoomStay", seen(wrong), "roomStay { id }");
        expect_refused(&house, &house.locks, act, ("INVALID_ARGUMENT", json!(["input", "check_out"]))).await;
    }
    for (input, check_in, check_out) in [
        (json!({"check_in": "2026-01-30T15:00:00+01:00"}), json!("2026-01-30T15:00:00+01:00"), json!(null)),
        (
            json!({"check_out": "2026-01-31T09:00:00Z"}),
            json!("2026-01-30T15:00:00+01:00"),
            json!("2026-01-31T10:00:00+01:00"),
        ),
        (json!({"check_out": null}), json!("2026-01-30T15:00:00+01:00"), json!(null)),
        (json!({}), json!("2026-01-30T15:00:00+01:00"), json!(null)),
        (json!({"check_in": null}), json!(null), json!(null)),
    ] {
        let answer = house.locks.done("updateRoomStay", seen(input), "roomStay { check_in check_out }").await;
        assert_eq!(answer["roomStay"], json!({"check_in": check_in, "check_out": check_out}));
    }
}

#[tokio::test]
async fn a_stay_departs_by_the_clock_of_its_hotel() {
    // 10:00 in Berlin, 22:00 in Auckland; check-out is at 11:00 in both.
    let house = House::new().await;
    let neighbour = house.next_door().await;
    for (house, expected) in [(&house, "no error"), (&neighbour, "ROOM_STAY_DEPARTED")] {
        let (_, stays) = house.reservation("R1", &[("2026-01-29", "2026-01-30")]).await;
        let key = house.locks.pin("1").await;
        assert_eq!(code(&house.locks.add(&stays[0], &key).await), expected);
    }
    house.test.advance(TimeDelta::hours(1));
    let (_, stays) = house.reservation("R2", &[("2026-01-29", "2026-01-30")]).await;
    let key = house.locks.pin("2").await;
    assert_eq!(code(&house.locks.add(&stays[0], &key).await), "ROOM_STAY_DEPARTED", "11:00 is too late");
}

#[tokio::test]
async fn a_stay_without_a_night_departs_at_the_end_of_its_day() {
    let house = House::new().await;
    let (_, stays) = house.reservation("R1", &[("2026-01-30", "2026-01-30")]).await;
    let key = house.locks.pin("1").await;
    // 23:59 in Berlin.
    house.test.advance(TimeDelta::hours(14) - TimeDelta::minutes(1));
    assert_eq!(code(&house.locks.add(&stays[0], &key).await), "no error");
    house.locks.remove(&stays[0], &key).await;
    house.test.advance(TimeDelta::minutes(1));
    assert_eq!(code(&house.locks.add(&stays[0], &key).await), "ROOM_STAY_DEPARTED");
}

#[tokio::test]
async fn g08_what_is_answered_can_be_sent_again_in_the_years_1900_to_9999() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let seen = |at: &str| json!({"id": stay, "check_in": at});
    // Berlin is an hour ahead of Greenwich, and was 53 minutes and 28 seconds less than that before 1893.
    for (sent, answered) in [
        ("9999-12-31T22:59:59Z", "9999-12-31T23:59:59+01:00"),
        ("1899-12-31T23:00:00Z", "1900-01-01T00:00:00+01:00"),
        ("2026-01-30T15:00:00.1234567+01:00", "2026-01-30T15:00:00.123456+01:00"),
    ] {
        for at in [sent, answered] {
            let answer = house.locks.done("updateRoomStay", seen(at), "roomStay { check_in }").await;
            assert_eq!(answer["roomStay"]["check_in"], answered, "{at}");
        }
        let filter = json!({"filter": {"check_in": {"eq": answered}}});
        let query = "query($filter: RoomStayFilter) { room_stays(filter: $filter) { totalCount } }";
        assert_eq!(house.locks.data(query, filter).await["room_stays"]["totalCount"], 1, "{answered}");
    }
    for at in ["9999-12-31T23:00:00Z", "1899-12-31T22:59:59Z"] {
        let act = ("updateRoomStay", seen(at), "roomStay { id }");
        expect_refused(&house, &house.locks, act, ("INVALID_ARGUMENT", json!(["input", "check_in"]))).await;
    }
    for at in ["9999-12-31T23:59:59-12:01", "0001-01-01T00:00:00Z", "+10000-01-01T00:00:00Z", "1899-12-30T00:00:00Z"] {
        let answer = house.locks.act("updateRoomStay", seen(at), "roomStay { id }").await;
        assert!(["INVALID_VARIABLE", "GRAPHQL_VALIDATION_FAILED"].contains(&code(&answer)), "{at}");
    }
    let dates = |from: &str, to: &str| json!({"roomStayId": stay, "reservation_from": from, "reservation_to": to});
    for date in ["1899-12-31", "0000-01-01", "10000-01-01", "99999-1-1"] {
        let answer = house.desk.act("changeRoomStayDates", dates(date, date), "roomStay { id }").await;
        assert!(["INVALID_VARIABLE", "GRAPHQL_VALIDATION_FAILED"].contains(&code(&answer)), "{date}");
    }
    // Days later, its key is still on it: that instant is answered, too.
    let too_late = ("changeRoomStayDates", dates("9999-12-27", "9999-12-29"), "roomStay { id }");
    expect_refused(&house, &house.desk, too_late, ("INVALID_ARGUMENT", json!(["input", "reservation_to"]))).await;
    house.desk.done("changeRoomStayDates", dates("9999-12-28", "9999-12-28"), "roomStay { id }").await;
    house.locks.done("updateRoomStay", json!({"id": stay, "check_in": null}), "roomStay { id }").await;
    let key = house.locks.pin("1").await;
    house.locks.add(&stay, &key).await;
    let read = house.locks.read_stay(&stay, "roomAccessKey { deletesAt }").await;
    assert_eq!(read["roomAccessKey"]["deletesAt"], "9999-12-31T00:00:00+01:00");
}

#[tokio::test]
async fn g16_a_check_out_without_a_check_in_says_so() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let message = async |input: Value| {
        let answer = house.locks.act("updateRoomStay", input, "roomStay { id }").await;
        text(&answer["errors"][0]["message"])
    };
    let without = message(json!({"id": stay, "check_out": "2026-01-31T09:00:00Z"})).await;
    assert!(without.contains("no check-in"), "{without}");
    let times = json!({"id": stay, "check_in": "2026-01-30T15:00:00Z", "check_out": "2026-01-31T09:00:00Z"});
    house.locks.done("updateRoomStay", times, "roomStay { id }").await;
    let before = message(json!({"id": stay, "check_out": "2026-01-30T14:00:00Z"})).await;
    assert!(before.contains("before check_in"), "{before}");
    let back = ("updateRoomStay", json!({"id": stay, "check_in": null}), "roomStay { id }");
    expect_refused(&house, &house.locks, back, ("INVALID_ARGUMENT", json!(["input", "check_in"]))).await;
}
