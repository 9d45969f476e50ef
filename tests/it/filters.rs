//! Filters: every operator, their combinations, and what is refused.

use serde_json::{Value, json};

use crate::support::{Client, House, nodes, text};

/// Codes of the reservations of the stays that match, sorted.
async fn stays(client: &Client, filter: Value) -> String {
    let query = "query($filter: RoomStayFilter) { room_stays(first: 100 filter: $filter) { totalCount edges { node { \
        reservation { code } } } } }";
    let data = client.data(query, json!({ "filter": filter })).await;
    let found = nodes(&data["room_stays"]);
    assert_eq!(data["room_stays"]["totalCount"], json!(found.len()), "{filter}");
    let mut codes: Vec<String> = found.iter().map(|stay| text(&stay["reservation"]["code"])).collect();
    codes.sort_unstable();
    codes.join(" ")
}

async fn refused(client: &Client, filter: Value) -> (String, Value) {
    let query = "query($filter: RoomStayFilter) { room_stays(filter: $filter) { totalCount } }";
    let mut error = client.error(query, json!({ "filter": filter })).await["extensions"].take();
    (text(&error["code"]), error["argumentPath"].take())
}

/// Stays A to D from 1 to 4 March; A has checked in and out, B has checked in, D is cancelled.
async fn four_stays() -> (House, Vec<String>) {
    let house = House::new().await;
    let mut stays = Vec::new();
    for (code, day) in [("A", 1), ("B", 2), ("C", 3), ("D", 4)] {
        let (from, to) = (format!("2026-03-0{day}"), format!("2026-03-1{day}"));
        let (reservation, mut made) = house.reservation(code, &[(&from, &to)]).await;
        stays.push(made.remove(0));
        if code == "D" {
            house.desk.done("cancelReservation", json!({ "id": reservation }), "reservation { id }").await;
        }
    }
    let seen = json!({"id": stays[0], "check_in": "2026-03-01T15:00:00Z", "check_out": "2026-03-11T09:00:00Z"});
    house.locks.done("updateRoomStay", seen, "roomStay { id }").await;
    let seen = json!({"id": stays[1], "check_in": "2026-03-02T16:00:00Z"});
    house.locks.done("updateRoomStay", seen, "roomStay { id }").await;
    (house, stays)
}

#[tokio::test]
async fn every_operator_of_every_field_of_stays() {
    let (house, ids) = four_stays().await;
    let in_house = json!({"not": {"check_in": {"eq": null}}, "check_out": {"eq": null}});
    for (filter, expected) in [
        (json!({}), "A B C D"),
        (Value::Null, "A B C D"),
        (json!({"id": {"eq": ids[1]}}), "B"),
        (json!({"id": {"eq": null}}), ""),
        (json!({"id": {"in": [ids[2], ids[0], ids[2]]}}), "A C"),
        (json!({"id": {"in": []}}), ""),
        (json!({"date": "2026-03-02"}), "A B"),
        (json!({"date": "2026-03-11"}), "B C D"),
        (json!({"reservation_from": {"gt": "2026-03-01", "le": "2026-03-03"}}), "B C"),
        (json!({"reservation_from": {"eq": "2026-03-03", "lt": "2026-03-03"}}), ""),
        (json!({"reservation_to": {"lt": "2026-03-12"}}), "A"),
        (json!({"reservation_to": {"le": "2026-03-12"}}), "A B"),
        (json!({"reservation_to": {"eq": "2026-03-12"}}), "B"),
        (json!({"reservation_to": {"in": ["2026-03-11", "2026-03-14"]}}), "A D"),
        (json!({"reservation_to": {"ge": "2026-03-13"}}), "C D"),
        (json!({"reservation_to": {"gt": "2026-03-13"}}), "D"),
        (json!({"check_in": {"eq": null}}), "C D"),
        (json!({"check_in": {"lt": "2026-03-02T16:00:00Z"}}), "A"),
        (json!({"check_in": {"le": "2026-03-02T17:00:00+01:00"}}), "A B"),
        (json!({"check_in": {"eq": "2026-03-02T17:00:00+01:00"}}), "B"),
        (json!({"check_in": {"in": ["2026-03-01T15:00:00Z"]}}), "A"),
        (json!({"check_in": {"ge": "2026-03-02T16:00:00Z"}}), "B"),
        (json!({"check_in": {"gt": "2026-03-02T16:00:00Z"}}), ""),
        (json!({"check_out": {"eq": null}}), "B C D"),
        (in_house, "B"),
        (json!({"updatedAt": {"ge": "2026-01-30T09:00:00Z"}}), "A B C D"),
        (json!({"updatedAt": {"gt": "2026-01-30T09:00:00Z"}}), ""),
        (json!({"reservationStatus": {"eq": "CANCELLED"}}), "D"),
        (json!({"reservationStatus": {"eq": null}}), ""),
        (json!({"reservationStatus": {"in": ["ACTIVE", "INVOICED"]}}), "A B C"),
    ] {
        assert_eq!(stays(&house.messaging, filter.clone()).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn not_is_the_complement_and_takes_in_what_has_no_value() {
    let (house, _) = four_stays().await;
    for (filter, expected) in [
        (json!({"not": {"check_in": {"gt": "2026-03-02T00:00:00Z"}}}), "A C D"),
        (json!({"not": {"not": {"check_in": {"gt": "2026-03-02T00:00:00Z"}}}}), "B"),
        (json!({"not": {"check_in": {"eq": null}}}), "A B"),
        (json!({"not": {}}), ""),
        (json!({"not": {"or": []}}), "A B C D"),
        (json!({"or": []}), ""),
        (json!({"or": [{}]}), "A B C D"),
        (json!({"not": {"reservation_from": {"ge": "2026-03-02"}, "check_out": {"eq": null}}}), "A"),
        (
            json!({"or": [{"reservation_from": {"eq": "2026-03-01"}}, {"reservationStatus": {"eq": "CANCELLED"}}]}),
            "A D",
        ),
        (
            json!({"or": [{"not": {"check_in": {"eq": null}}}, {"date": "2026-03-13"}], "reservation_from":
                {"ge": "2026-03-02"}}),
            "B D",
        ),
        (json!({"not": {"or": [{"check_in": {"eq": null}}, {"not": {"check_out": {"eq": null}}}]}}), "B"),
    ] {
        assert_eq!(stays(&house.messaging, filter.clone()).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn ids_that_are_no_ids_match_nothing() {
    let (house, ids) = four_stays().await;
    let nil = "00000000-0000-0000-0000-000000000000";
    for wrong in ["", "abc", "1", nil, &ids[0].to_uppercase(), &ids[0].replace('-', ""), &format!("{{{}}}", ids[0])] {
        assert_eq!(stays(&house.messaging, json!({"id": {"eq": wrong}})).await, "", "{wrong}");
        assert_eq!(stays(&house.messaging, json!({"id": {"in": [wrong, ids[1]]}})).await, "B", "{wrong}");
    }
    assert_eq!(stays(&house.messaging, json!({"id": {"eq": 17}})).await, "", "a number is an id in GraphQL");
}

#[tokio::test]
async fn null_where_it_means_nothing_and_lists_that_are_too_long_are_refused() {
    let house = House::new().await;
    let ids: Vec<String> = (0..1001).map(|number| number.to_string()).collect();
    assert_eq!(stays(&house.messaging, json!({"id": {"in": ids[..1000]}})).await, "");
    for (filter, path) in [
        (json!({"id": {"in": ids}}), json!(["filter", "id", "in"])),
        (json!({"id": {"in": null}}), json!(["filter", "id", "in"])),
        (json!({"reservation_from": {"le": null}}), json!(["filter", "reservation_from", "le"])),
        (json!({"check_in": {"gt": null}}), json!(["filter", "check_in", "gt"])),
        (json!({"reservationStatus": {"in": null}}), json!(["filter", "reservationStatus", "in"])),
        (
            json!({"not": {"or": [{}, {"updatedAt": {"in": null}}]}}),
            json!(["filter", "not", "or", 1, "updatedAt", "in"]),
        ),
    ] {
        assert_eq!(refused(&house.messaging, filter.clone()).await, ("INVALID_ARGUMENT".into(), path), "{filter}");
    }
    for wrong in [
        json!({"reservation_from": {"le": "2026-13-01"}}),
        json!({"date": "tomorrow"}),
        json!({"check_in": {"gt": "2026-01-30T15:00:00"}}),
        json!({"reservationStatus": {"eq": "NOPE"}}),
        json!({"id": {"nope": "x"}}),
    ] {
        let (code, _) = refused(&house.messaging, wrong.clone()).await;
        assert_eq!(code, "INVALID_VARIABLE", "{wrong}");
    }
    let many: Vec<Value> = (0..101).map(|_| json!({})).collect();
    let (code, path) = refused(&house.messaging, json!({ "or": many })).await;
    assert_eq!((code.as_str(), path), ("INVALID_ARGUMENT", json!(["filter", "or", 100])));
}

#[tokio::test]
async fn a_window_finds_long_stays_and_day_use() {
    let house = House::new().await;
    for (code, from, to) in [
        ("LONG", "2024-03-01", "2027-03-01"),
        ("SHORT", "2026-03-01", "2026-03-02"),
        ("DAY", "2026-03-02", "2026-03-02"),
        ("LATER", "2026-04-01", "2026-04-02"),
    ] {
        house.reservation(code, &[(from, to)]).await;
    }
    let window = |start: &str, end: &str| json!({"reservation_from": {"le": end}, "reservation_to": {"gt": start}});
    for (start, end, expected) in [
        ("2026-03-01", "2026-03-01", "LONG SHORT"),
        ("2026-03-01", "2026-03-07", "DAY LONG SHORT"),
        ("2026-03-02", "2026-03-08", "LONG"),
        ("2024-02-29", "2024-03-01", "LONG"),
        ("2024-02-01", "2024-02-29", ""),
        ("2027-02-28", "2027-12-31", "LONG"),
        ("2027-03-01", "2027-12-31", ""),
    ] {
        assert_eq!(stays(&house.messaging, window(start, end)).await, expected, "{start} to {end}");
    }
    assert_eq!(stays(&house.messaging, json!({"date": "2026-03-02"})).await, "LONG", "day use has no night");
    // A stay that is made longer later on is found by windows far from its arrival, too.
    let id = text(
        &nodes(
            &house.messaging.data("{ room_stays(first: 1) { edges { node { id } } } }", json!({})).await["room_stays"],
        )[0]["id"],
    );
    let longer = json!({"roomStayId": id, "reservation_to": "2029-03-01"});
    house.desk.done("changeRoomStayDates", longer, "roomStay { id }").await;
    assert_eq!(stays(&house.messaging, window("2029-02-01", "2029-02-07")).await, "SHORT");
}

#[tokio::test]
async fn reservations_and_clients_have_filters_of_their_own() {
    let house = House::new().await;
    let (id, _) = house.reservation("RES-001", &[("2026-03-01", "2026-03-02")]).await;
    let change = json!({"id": id, "bookingChannelCode": "B-77"});
    house.desk.done("updateReservation", change, "reservation { id }").await;
    house.reservation("RES-002", &[("2026-03-01", "2026-03-02")]).await;
    let query = "query($filter: ReservationFilter) { reservations(filter: $filter) { edges { node { code } } } }";
    for (filter, expected) in [
        (json!({"id": {"eq": id}}), json!(["RES-001"])),
        (json!({"code": {"in": ["RES-002", "RES-003"]}}), json!(["RES-002"])),
        (json!({"code": {"eq": null}}), json!([])),
        (json!({"code": {"eq": "RES-001\u{0}"}}), json!([])),
        (json!({"code": {"eq": "' OR 1=1 --"}}), json!([])),
        (json!({"bookingChannelCode": {"eq": "B-77"}}), json!(["RES-001"])),
        (json!({"bookingChannelCode": {"eq": null}}), json!(["RES-002"])),
        (json!({"not": {"bookingChannelCode": {"eq": "B-77"}}}), json!(["RES-002"])),
        (json!({"not": {"bookingChannelCode": {"in": ["B-78"]}}}), json!(["RES-001", "RES-002"])),
        (json!({"or": [{"code": {"eq": "RES-001"}}, {"code": {"eq": "RES-002"}}]}), json!(["RES-001", "RES-002"])),
    ] {
        let data = house.messaging.data(query, json!({ "filter": filter })).await;
        let codes: Vec<Value> = nodes(&data["reservations"]).iter().map(|node| node["code"].clone()).collect();
        assert_eq!(json!(codes), expected, "{filter}");
    }
    let born = json!({"client": {"person": {"lastname": "Roe", "birthday": "1980-02-29"}}, "roomStays": [
        {"categoryId": house.category, "reservation_from": "2026-03-01", "reservation_to": "2026-03-02"}]});
    house.desk.done("createReservation", born, "reservation { id }").await;
    let query =
        "query($filter: ClientFilter) { clients(filter: $filter) { edges { node { ... on Person { lastname } } } } }";
    for (filter, expected) in [
        (json!({"birthday": {"eq": "1980-02-29"}}), vec!["Roe"]),
        (json!({"birthday": {"lt": "1980-02-29"}}), vec![]),
        (json!({"birthday": {"eq": null}}), vec!["Doe", "Doe"]),
        (json!({"not": {"birthday": {"lt": "1980-02-29"}}}), vec!["Doe", "Doe", "Roe"]),
    ] {
        let data = house.messaging.data(query, json!({ "filter": filter })).await;
        let names: Vec<String> = nodes(&data["clients"]).iter().map(|node| text(&node["lastname"])).collect();
        assert_eq!(names, expected, "{filter}");
    }
}
