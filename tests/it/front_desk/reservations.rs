//! Reservations: made, changed, cancelled and re-activated.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::expect_refused;
use crate::support::{House, code, fingerprint, nodes, text};

#[tokio::test]
async fn a_reservation_is_made_with_its_stays_clients_and_details() {
    let house = House::new().await;
    let room = house.room("101").await;
    let (_, other) = house.reservation("R0", &[("2026-02-01", "2026-02-02")]).await;
    let guest = house.desk.read_stay(&other[0], "reservation { client { id } }").await;
    let guest = text(&guest["reservation"]["client"]["id"]);
    let input = json!({
        "code": "R1",
        "client": {"company": {"company": "ACME", "city": "Berlin", "country": "DE"}},
        "contactId": guest,
        "roomStays": [{
            "categoryId": house.category, "roomSetupId": room, "guestIds": [guest],
            "reservation_from": "2026-02-01", "reservation_to": "2026-02-03",
            "ageGroups": {"adults": 2, "child1": 1}, "guestMessage": "Welcome", "maidNotes": "Cot",
                "mealNotes": "Vegan",
            "rateCode": "BAR",
        }],
        "groupName": "Fair", "bookingChannelCode": "B-1", "bookingSource": "Phone", "pmsUrl": "https://pms.example/1",
        "notes": "Late", "selfcheckinStatus": "ENABLED",
    });
    let selection = "reservation { code status groupName bookingChannelCode bookingSource { name } pmsUrl notes \
        selfcheckinStatus createdAt cancelledAt client { city country ... on Company { company } } \
        contact { ... on Person { lastname } } rooms { edges { node { room_setup { name } category { name } \
        first_guest { id } guests { id } ageGroups { adults child1 child2 free } guestMessage maidNotes \
            mealNotes rateCode \
        check_in check_out departureTime } } } }";
    let made = house.desk.done("createReservation", input, selection).await;
    let stay = json!({
        "room_setup": {"name": "101"}, "category": {"name": "Double"}, "first_guest": {"id": guest},
        "guests": [{"id": guest}], "ageGroups": {"adults": 2, "child1": 1, "child2": 0, "free": 0},
        "guestMessage": "Welcome", "maidNotes": "Cot", "mealNotes": "Vegan", "rateCode": "BAR",
        "check_in": null, "check_out": null, "departureTime": null,
    });
    let expected = json!({
        "code": "R1", "status": "ACTIVE", "groupName": "Fair", "bookingChannelCode": "B-1",
        "bookingSource": {"name": "Phone"}, "pmsUrl": "https://pms.example/1", "notes": "Late",
        "selfcheckinStatus": "ENABLED", "createdAt": "2026-01-30T10:00:00+01:00", "cancelledAt": null,
        "client": {"city": "Berlin", "country": "DE", "company": "ACME"}, "contact": {"lastname": "Doe"},
        "rooms": {"edges": [{"node": stay}]},
    });
    assert_eq!(made["reservation"], expected);
}

#[tokio::test]
async fn a_code_is_made_up_when_none_is_given_and_is_unique_in_the_hotel() {
    let house = House::new().await;
    let stays =
        json!([{"categoryId": house.category, "reservation_from": "2026-02-01", "reservation_to": "2026-02-02"}]);
    let client = json!({"person": {"lastname": "Doe"}});
    let made = house
        .desk
        .done("createReservation", json!({"client": client, "roomStays": stays}), "reservation { id code }")
        .await;
    let code = text(&made["reservation"]["code"]);
    assert_eq!(code.len(), 8);
    let taken = json!({"client": client, "roomStays": stays, "code": code});
    let path = json!(["input", "code"]);
    expect_refused(
        &house,
        &house.desk,
        ("createReservation", taken, "reservation { id }"),
        ("CODE_TAKEN", path.clone()),
    )
    .await;
    let (other, _) = house.reservation("R2", &[("2026-02-01", "2026-02-02")]).await;
    let taken = json!({"id": other, "code": code});
    expect_refused(&house, &house.desk, ("updateReservation", taken, "reservation { id }"), ("CODE_TAKEN", path)).await;
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_null_takes_it_away() {
    let house = House::new().await;
    let (id, _) = house.reservation("R1", &[("2026-02-01", "2026-02-02")]).await;
    house.test.advance(TimeDelta::minutes(5));
    let selection = "reservation { code notes groupName updatedAt }";
    let first = json!({"id": id, "notes": "Late", "groupName": "Fair"});
    house.desk.done("updateReservation", first, selection).await;
    house.test.advance(TimeDelta::minutes(5));
    let second = json!({"id": id, "notes": null, "code": "R1-NEW"});
    let expected = json!({"reservation": {"code": "R1-NEW", "notes": null, "groupName": "Fair", "updatedAt":
        "2026-01-30T10:10:00+01:00"}});
    assert_eq!(house.desk.done("updateReservation", second.clone(), selection).await, expected);
    house.test.advance(TimeDelta::minutes(5));
    let again = house.desk.done("updateReservation", second, selection).await;
    assert_eq!(again, expected, "what changes nothing is no change");
}

#[tokio::test]
async fn cancelling_and_re_activating_keep_the_keys() {
    let house = House::new().await;
    let (id, stays) = house.reservation("R1", &[("2026-01-30", "2026-02-02"); 2]).await;
    let key = house.locks.pin("1").await;
    house.locks.add(&stays[0], &key).await;
    let selection = "reservation { status cancelledAt }";
    let reactivate = ("reactivateReservation", json!({ "id": id }), selection);
    expect_refused(&house, &house.desk, reactivate.clone(), ("RESERVATION_NOT_CANCELLED", Value::Null)).await;
    let cancelled = house.desk.done("cancelReservation", json!({ "id": id }), selection).await;
    let expected = json!({"reservation": {"status": "CANCELLED", "cancelledAt": "2026-01-30T10:00:00+01:00"}});
    assert_eq!(cancelled, expected);
    let before = fingerprint(&house.test.db.pool).await;
    house.test.advance(TimeDelta::minutes(5));
    assert_eq!(house.desk.done("cancelReservation", json!({ "id": id }), selection).await, expected);
    assert_eq!(fingerprint(&house.test.db.pool).await, before, "cancelling again changes nothing");
    assert_eq!(house.messaging.key_of(&stays[0]).await, Some(key.clone()));
    assert_eq!(code(&house.locks.add(&stays[1], &key).await), "RESERVATION_CANCELLED");
    for (name, input) in [
        (
            "addRoomStay",
            json!({"reservationId": id, "categoryId": house.category, "reservation_from": "2026-02-01",
                "reservation_to": "2026-02-02"}),
        ),
        ("moveRoomStay", json!({"roomStayId": stays[0], "roomSetupId": null})),
        ("changeRoomStayDates", json!({"roomStayId": stays[0], "reservation_to": "2026-02-03"})),
        ("splitRoomStay", json!({"roomStayId": stays[0], "date": "2026-01-31"})),
        ("setRoomStayDepartureTime", json!({"roomStayId": stays[0], "departureTime": "14:00"})),
        ("updateRoomStay", json!({"id": stays[0], "check_in": "2026-01-30T15:00:00Z"})),
    ] {
        let act = (name, input, "roomStay { id }");
        let path = if name == "addRoomStay" { json!(["input", "reservationId"]) } else { Value::Null };
        expect_refused(&house, &house.desk, act, ("RESERVATION_CANCELLED", path)).await;
    }
    house.desk.done("reactivateReservation", json!({ "id": id }), selection).await;
    assert!(house.locks.add(&stays[1], &key).await.get("errors").is_none());
}

#[tokio::test]
async fn what_a_reservation_is_made_of_is_checked() {
    let house = House::new().await;
    let stay = json!({"categoryId": house.category, "reservation_from": "2026-02-01", "reservation_to": "2026-02-02"});
    let base = json!({"client": {"person": {"lastname": "Doe"}}, "roomStays": [stay]});
    let nobody = "01990000-0000-7000-8000-000000000000";
    let with = |path: &str, value: Value| {
        let mut input = base.clone();
        *input.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = value;
        input
    };
    let stay_with = |field: &str, value: Value| {
        let mut input = base.clone();
        input["roomStays"][0][field] = value;
        input
    };
    for (input, code, path) in [
        (with("/roomStays", json!([])), "INVALID_ARGUMENT", json!(["input", "roomStays"])),
        (with("/roomStays", json!(vec![stay.clone(); 101])), "INVALID_ARGUMENT", json!(["input", "roomStays"])),
        (with("/client", json!({})), "INVALID_ARGUMENT", json!(["input", "client"])),
        (with("/client", json!({"id": nobody})), "NOT_FOUND", json!(["input", "client", "id"])),
        (stay_with("categoryId", json!(nobody)), "NOT_FOUND", json!(["input", "roomStays", 0, "categoryId"])),
        (stay_with("roomSetupId", json!(nobody)), "NOT_FOUND", json!(["input", "roomStays", 0, "roomSetupId"])),
        (stay_with("guestIds", json!([nobody])), "NOT_FOUND", json!(["input", "roomStays", 0, "guestIds"])),
        (
            stay_with("guestIds", json!([nobody, nobody])),
            "INVALID_ARGUMENT",
            json!(["input", "roomStays", 0, "guestIds"]),
        ),
        (
            stay_with("reservation_to", json!("2026-01-31")),
            "INVALID_ARGUMENT",
            json!(["input", "roomStays", 0, "reservation_to"]),
        ),
        (
            stay_with("ageGroups", json!({"adults": -1})),
            "INVALID_ARGUMENT",
            json!(["input", "roomStays", 0, "ageGroups", "adults"]),
        ),
        (stay_with("maidNotes", json!("a\u{0}b")), "INVALID_ARGUMENT", json!(["input", "roomStays", 0])),
    ] {
        expect_refused(&house, &house.desk, ("createReservation", input, "reservation { id }"), (code, path)).await;
    }
    let mut contact = base.clone();
    contact["contactId"] = json!(nobody);
    let act = ("createReservation", contact, "reservation { id }");
    expect_refused(&house, &house.desk, act, ("NOT_FOUND", json!(["input", "contactId"]))).await;
}

#[tokio::test]
async fn an_invoiced_reservation_can_neither_be_cancelled_nor_re_activated() {
    let house = House::new().await;
    let (id, _) = house.reservation("R1", &[("2026-02-01", "2026-02-02")]).await;
    sqlx::query("UPDATE reservations SET status = 'INVOICED'").execute(&house.test.db.pool).await.expect("runs");
    for (name, code) in
        [("cancelReservation", "RESERVATION_INVOICED"), ("reactivateReservation", "RESERVATION_NOT_CANCELLED")]
    {
        let act = (name, json!({ "id": id }), "reservation { id }");
        expect_refused(&house, &house.desk, act, (code, Value::Null)).await;
    }
}

#[tokio::test]
async fn g09_codes_that_people_take_for_one_are_one() {
    let house = House::new().await;
    let (id, _) = house.reservation(" Ru\u{308}gen-1 ", &[("2026-01-30", "2026-02-02")]).await;
    let (other, _) = house.reservation("B", &[("2026-01-30", "2026-02-02")]).await;
    let taken = json!({"id": other, "code": "R\u{dc}GEN-1"});
    let act = ("updateReservation", taken, "reservation { id }");
    expect_refused(&house, &house.desk, act, ("CODE_TAKEN", json!(["input", "code"]))).await;
    let found = async |filter: Value| {
        let query = "query($filter: ReservationFilter) { reservations(filter: $filter) { edges { node { code } } } }";
        nodes(&house.desk.data(query, json!({ "filter": filter })).await["reservations"])
    };
    let codes = |codes: &[&str]| codes.iter().map(|code| json!({ "code": code })).collect::<Vec<_>>();
    // A filter compares texts as they are, but for their composition.
    for code in ["R\u{fc}gen-1", "Ru\u{308}gen-1"] {
        assert_eq!(found(json!({"code": {"eq": code}})).await, codes(&["R\u{fc}gen-1"]));
        assert_eq!(found(json!({"code": {"in": ["x", code]}})).await, codes(&["R\u{fc}gen-1"]));
        assert_eq!(found(json!({"not": {"code": {"eq": code}}})).await, codes(&["B"]));
    }
    assert_eq!(found(json!({"code": {"eq": "b"}})).await, codes(&[]));
    // Reservations that a release before wrote are found, too; of other codes than ASCII, as they are.
    let pool = &house.test.db.pool;
    sqlx::query("UPDATE reservations SET code_folded = NULL").execute(pool).await.expect("as before");
    for taken in ["R\u{fc}gen-1", "b", " B"] {
        let stays =
            json!([{"categoryId": house.category, "reservation_from": "2026-02-01", "reservation_to": "2026-02-02"}]);
        let new = json!({"code": taken, "client": {"person": {"lastname": "Doe"}}, "roomStays": stays});
        let act = ("createReservation", new, "reservation { id }");
        expect_refused(&house, &house.desk, act, ("CODE_TAKEN", json!(["input", "code"]))).await;
    }
    let notes = json!({"id": id, "notes": "Late"});
    house.desk.done("updateReservation", notes, "reservation { id }").await;
}
