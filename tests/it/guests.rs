//! The guest side: clients, guest lists, and reservations that an integration brings.

use serde_json::{Value, json};

use crate::support::{Client, House, fingerprint, nodes, text};

const PERSON: &str = "client { __typename id email ... on Person { firstname lastname birthday } }";

/// Types, objects and changed fields of the hotel's events from the `skip`th on.
async fn events(client: &Client, skip: usize) -> Vec<Value> {
    let data =
        client.data("{ events(first: 100) { edges { node { type object { id } updatedFields } } } }", json!({})).await;
    nodes(&data["events"]).into_iter().skip(skip).collect()
}

async fn client(house: &House, lastname: &str) -> String {
    let input = json!({"person": {"lastname": lastname}});
    text(&house.locks.done("createClient", input, "client { id }").await["client"]["id"])
}

#[tokio::test]
async fn clients_are_made_and_changed_and_stay_what_they_are() {
    let house = House::new().await;
    let input = json!({"person": {"firstname": "John", "lastname": "Doe", "email": "john@example.com"}});
    let made = house.locks.done("createClient", input, PERSON).await;
    let id = text(&made["client"]["id"]);
    let expected = json!({"__typename": "Person", "id": id, "email": "john@example.com", "firstname": "John",
        "lastname": "Doe", "birthday": null});
    assert_eq!(made["client"], expected);
    assert_eq!(events(&house.locks, 0).await, Vec::<Value>::new());

    let change = json!({"id": id, "lastname": "Dow", "birthday": "1980-02-29", "email": null});
    let changed = house.locks.done("updateClient", change.clone(), PERSON).await;
    let expected = json!({"__typename": "Person", "id": id, "email": null, "firstname": "John", "lastname": "Dow",
        "birthday": "1980-02-29"});
    assert_eq!(changed["client"], expected);
    house.locks.done("updateClient", change, "client { id }").await;
    let happened = json!([{"type": "client.updated", "object": {"id": id}, "updatedFields": null}]);
    assert_eq!(json!(events(&house.locks, 0).await), happened, "what changes nothing is no event");

    let before = fingerprint(&house.test.db.pool).await;
    for (name, input, path) in [
        ("createClient", json!({}), json!(["input"])),
        ("createClient", json!({"person": {"lastname": " "}}), json!(["input", "person", "lastname"])),
        ("updateClient", json!({"id": id, "company": "X"}), json!(["input", "company"])),
        ("updateClient", json!({"id": id, "lastname": "x".repeat(201)}), json!(["input", "lastname"])),
    ] {
        assert_eq!(
            house.locks.refused(name, input, "client { id }").await,
            ("INVALID_ARGUMENT".to_owned(), path),
            "{name}"
        );
    }
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
}

#[tokio::test]
async fn guests_come_and_go_and_the_stay_tells() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let (jane, john) = (client(&house, "Jane").await, client(&house, "John").await);
    let skip = events(&house.locks, 0).await.len();
    let guest = |client: &str| json!({"roomStayId": stay, "clientId": client});
    let list = "roomStay { guests { id } first_guest { id } }";
    house.locks.done("addRoomStayGuest", guest(&jane), list).await;
    house.locks.done("addRoomStayGuest", guest(&john), list).await;
    let again = house.locks.done("addRoomStayGuest", guest(&jane), list).await;
    assert_eq!(again["roomStay"], json!({"guests": [{"id": jane}, {"id": john}], "first_guest": {"id": jane}}));
    let without = house.locks.done("removeRoomStayGuest", guest(&jane), list).await;
    assert_eq!(without["roomStay"], json!({"guests": [{"id": john}], "first_guest": {"id": john}}));
    let change = json!({"type": "room_stay.updated", "object": {"id": stay}, "updatedFields": ["guests"]});
    assert_eq!(events(&house.locks, skip).await, vec![change; 3]);
    assert_eq!(
        house.locks.refused("removeRoomStayGuest", guest(&jane), list).await,
        ("NOT_FOUND".to_owned(), json!(["input", "clientId"]))
    );
}

#[tokio::test]
async fn an_import_is_found_again_by_its_external_id_and_keeps_what_the_hotel_changed() {
    let house = House::new().await;
    let import = |status: &str| {
        json!({"externalId": "X-1", "status": status, "client": {"person": {"lastname": "Doe"}}, "roomStays": [
            {"categoryId": house.category, "reservation_from": "2026-02-01", "reservation_to": "2026-02-03"}]})
    };
    let selection = "reservation { id status rooms { edges { node { id reservation_to } } } }";
    let made = house.locks.done("importReservation", import("ACTIVE"), selection).await;
    let stay = text(&nodes(&made["reservation"]["rooms"])[0]["id"]);
    let types: Vec<String> = events(&house.locks, 0).await.iter().map(|event| text(&event["type"])).collect();
    assert_eq!(types, ["reservation.created", "room_stay.created"]);

    let before = fingerprint(&house.test.db.pool).await;
    assert_eq!(house.locks.done("importReservation", import("ACTIVE"), selection).await, made);
    assert_eq!(fingerprint(&house.test.db.pool).await, before, "a retry leaves no trace");

    let dates = json!({"roomStayId": stay, "reservation_to": "2026-02-04"});
    house.desk.done("changeRoomStayDates", dates, "roomStay { id }").await;
    let cancelled = house.locks.done("importReservation", import("CANCELLED"), selection).await;
    assert_eq!(cancelled["reservation"]["status"], "CANCELLED");
    assert_eq!(nodes(&cancelled["reservation"]["rooms"])[0]["reservation_to"], "2026-02-04");
    assert_eq!(
        house.locks.refused("importReservation", import("INVOICED"), selection).await,
        ("RESERVATION_CANCELLED".to_owned(), json!(["input", "status"]))
    );

    let others = house.other_locks.done("importReservation", import("ACTIVE"), selection).await;
    assert_ne!(others["reservation"]["id"], made["reservation"]["id"], "an external id is its integration's own");
}

#[tokio::test]
async fn simultaneous_imports_make_one_reservation() {
    let house = House::new().await;
    let import = json!({"externalId": "X-1", "client": {"person": {"lastname": "Doe"}}, "roomStays": [
        {"categoryId": house.category, "reservation_from": "2026-02-01", "reservation_to": "2026-02-03"}]});
    let one = || house.locks.done("importReservation", import.clone(), "reservation { id }");
    let (a, b, c, d) = tokio::join!(one(), one(), one(), one());
    assert!([b, c, d].iter().all(|answer| *answer == a));
}

#[tokio::test]
async fn a_reader_changes_no_client() {
    let house = House::new().await;
    let input = json!({"person": {"lastname": "Doe"}});
    let answer = house.messaging.act("createClient", input, "client { id }").await;
    assert_eq!(crate::support::code(&answer), "FORBIDDEN");
}

#[tokio::test]
async fn g10_texts_about_people_are_kept_in_one_form() {
    let house = House::new().await;
    let input = json!({"person": {"firstname": "Ju\u{308}rgen ", "lastname": " Mu\u{308}ller", "email": " j@example.com",
        "city": " "}});
    let fields = "client { id email city ... on Person { firstname lastname } }";
    let made = house.locks.done("createClient", input, fields).await["client"].clone();
    let kept = json!({"id": made["id"], "firstname": "J\u{fc}rgen", "lastname": "M\u{fc}ller", "email": "j@example.com",
        "city": null});
    assert_eq!(made, kept);
    let change = json!({"id": made["id"], "firstname": " J\u{fc}rgen", "lastname": "Mu\u{308}ller", "city": "\t"});
    assert_eq!(house.locks.done("updateClient", change, fields).await["client"], kept);
    assert_eq!(events(&house.locks, 0).await, Vec::<Value>::new(), "nothing changed");
    let company = json!({"company": {"company": " Su\u{308}d GmbH "}});
    let made = house.locks.done("createClient", company, "client { ... on Company { company } }").await;
    assert_eq!(made["client"]["company"], "S\u{fc}d GmbH");
}

#[tokio::test]
async fn g11_languages_and_countries_are_kept_as_iso_codes() {
    let house = House::new().await;
    let fields = "client { id language country }";
    for (language, country) in [("de-DE", "Germany"), ("DEU", "DEU"), ("German", "de"), ("de", "DE")] {
        let input = json!({"person": {"lastname": "Doe", "language": language, "country": country}});
        let made = house.locks.done("createClient", input, fields).await;
        let id = &made["client"]["id"];
        let kept = json!({"id": id, "language": "de", "country": "DE"});
        assert_eq!(made["client"], kept, "{language} {country}");
        let change = json!({"id": id, "language": "fr_CH", "country": "Switzerland"});
        let changed = house.locks.done("updateClient", change, fields).await;
        assert_eq!(changed["client"], json!({"id": id, "language": "fr", "country": "CH"}));
        for (field, list) in [("language", "ISO 639-1"), ("country", "ISO 3166-1")] {
            let mut wrong = json!({"id": id});
            wrong[field] = json!("Narnian");
            let answer = house.locks.act("updateClient", wrong, fields).await;
            let error = &answer["errors"][0];
            assert!(text(&error["message"]).contains(list), "{error}");
            assert_eq!(error["extensions"]["argumentPath"], json!(["input", field]));
        }
    }
    let stays =
        json!([{"categoryId": house.category, "reservation_from": "2026-02-01", "reservation_to": "2026-02-03"}]);
    for (name, input) in [
        ("createReservation", json!({"client": {"company": {"company": "X", "country": "Oz"}}, "roomStays": stays})),
        (
            "importReservation",
            json!({"externalId": "X", "client": {"company": {"company": "X", "country": "Oz"}}, "roomStays": stays}),
        ),
    ] {
        let refused = house.desk.refused(name, input, "reservation { id }").await;
        assert_eq!(
            refused,
            ("INVALID_ARGUMENT".to_owned(), json!(["input", "client", "company", "country"])),
            "{name}"
        );
    }
}

#[tokio::test]
async fn g37_who_is_imported_with_a_reservation_is_its_guest() {
    let house = House::new().await;
    let jane = client(&house, "Jane").await;
    let stay = json!({"categoryId": house.category, "reservation_from": "2026-02-01", "reservation_to": "2026-02-03"});
    let mut hers = stay.clone();
    hers["guestIds"] = json!([jane]);
    let import = |id: &str, client: Value| json!({"externalId": id, "client": client, "roomStays": [stay, hers]});
    let selection = "reservation { client { id } rooms { edges { node { guests { id } } } } }";
    let made =
        house.locks.done("importReservation", import("A", json!({"person": {"lastname": "Doe"}})), selection).await;
    let doe = made["reservation"]["client"].clone();
    let rooms = |made: &Value| nodes(&made["reservation"]["rooms"]);
    assert_eq!(rooms(&made), [json!({ "guests": [doe] }), json!({"guests": [{"id": jane}]})]);
    // Who is known already can be named, and a company sleeps nowhere.
    for (id, booker) in [("B", json!({"id": jane})), ("C", json!({"company": {"company": "ACME"}}))] {
        let made = house.locks.done("importReservation", import(id, booker), selection).await;
        assert_eq!(rooms(&made)[0], json!({"guests": []}), "{id}");
    }
}
