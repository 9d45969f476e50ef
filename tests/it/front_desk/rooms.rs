//! Rooms and categories, and who may change what.

use latchkey::db::MIGRATOR;
use serde_json::{Value, json};

use super::expect_refused;
use crate::support::{House, text};

#[tokio::test]
async fn categories_and_rooms_are_made_and_changed() {
    let house = House::new().await;
    let suite =
        house.desk.done("createCategory", json!({"name": "Suite", "description": "Large"}), "category { id }").await;
    let suite = text(&suite["category"]["id"]);
    let room = house.room("101").await;
    house.room("102").await;
    let change = json!({"id": room, "name": "100", "areaName": "West", "categoryId": suite, "cleaningStatus": "DIRTY"});
    let selection = "roomSetup { name areaName category { name } cleaningStatus }";
    let changed = house.desk.done("updateRoomSetup", change, selection).await;
    let expected = json!({"roomSetup": {"name": "100", "areaName": "West", "category": {"name": "Suite"},
        "cleaningStatus": "DIRTY"}});
    assert_eq!(changed, expected);
    house
        .desk
        .done("updateCategory", json!({"id": suite, "name": "Penthouse", "description": null}), "category { id }")
        .await;
    let settings = "{ settings { categories { name description } roomSetups { name } } }";
    let expected = json!({"categories": [{"name": "Double", "description": null}, {"name": "Penthouse",
        "description": null}],
        "roomSetups": [{"name": "100"}, {"name": "102"}]});
    assert_eq!(house.messaging.data(settings, json!({})).await["settings"], expected);
    let path = json!(["input", "name"]);
    for (name, input, selection) in [
        ("createCategory", json!({"name": "Double"}), "category { id }"),
        ("updateCategory", json!({"id": suite, "name": "Double"}), "category { id }"),
        ("createRoomSetup", json!({"name": "102", "categoryId": suite}), "roomSetup { id }"),
        ("updateRoomSetup", json!({"id": room, "name": "102"}), "roomSetup { id }"),
    ] {
        expect_refused(&house, &house.desk, (name, input, selection), ("NAME_TAKEN", path.clone())).await;
    }
    for wrong in ["", " ", "10\n3", &"1".repeat(51)] {
        let act = ("createRoomSetup", json!({"name": wrong, "categoryId": suite}), "roomSetup { id }");
        expect_refused(&house, &house.desk, act, ("INVALID_ARGUMENT", path.clone())).await;
    }
}

#[tokio::test]
async fn mutations_of_the_front_desk_need_its_permission() {
    let house = House::new().await;
    let room = house.room("101").await;
    let (id, stays) = house.reservation("R1", &[("2026-01-30", "2026-02-02"); 2]).await;
    let stay = json!({"categoryId": house.category, "reservation_from": "2026-02-01", "reservation_to": "2026-02-02"});
    let mut add = stay.clone();
    add["reservationId"] = json!(id);
    for (name, input, selection) in [
        ("createCategory", json!({"name": "Suite"}), "category { id }"),
        ("updateCategory", json!({"id": house.category, "name": "Suite"}), "category { id }"),
        ("createRoomSetup", json!({"name": "102", "categoryId": house.category}), "roomSetup { id }"),
        ("updateRoomSetup", json!({"id": room, "name": "102"}), "roomSetup { id }"),
        ("updateRoomSetup", json!({"id": room, "areaName": null}), "roomSetup { id }"),
        ("updateRoomSetup", json!({"id": room, "categoryId": house.category}), "roomSetup { id }"),
        (
            "createReservation",
            json!({"client": {"person": {"lastname": "Doe"}}, "roomStays": [stay]}),
            "reservation { id }",
        ),
        ("updateReservation", json!({"id": id, "notes": "x"}), "reservation { id }"),
        ("cancelReservation", json!({ "id": id }), "reservation { id }"),
        ("reactivateReservation", json!({ "id": id }), "reservation { id }"),
        ("addRoomStay", add, "roomStay { id }"),
        ("moveRoomStay", json!({"roomStayId": stays[0], "roomSetupId": room}), "roomStay { id }"),
        ("swapRoomStays", json!({"firstRoomStayId": stays[0], "secondRoomStayId": stays[1]}), "roomStays { id }"),
        ("changeRoomStayDates", json!({"roomStayId": stays[0], "reservation_to": "2026-02-05"}), "roomStay { id }"),
        ("splitRoomStay", json!({"roomStayId": stays[0], "date": "2026-01-31"}), "roomStay { id }"),
        ("setRoomStayDepartureTime", json!({"roomStayId": stays[0], "departureTime": "14:00"}), "roomStay { id }"),
        ("deleteRoomStay", json!({"roomStayId": stays[0]}), "deleted"),
    ] {
        expect_refused(&house, &house.locks, (name, input.clone(), selection), ("FORBIDDEN", Value::Null)).await;
        let read_only = house.messaging.act(name, input, selection).await;
        assert_eq!(read_only["errors"][0]["message"], "Operation \"mutation\" not allowed", "{name}");
        assert_eq!(read_only["errors"][0]["extensions"]["category"], "auth");
    }
    let cleaned = json!({"id": room, "cleaningStatus": "DIRTY"});
    let answer = house.locks.done("updateRoomSetup", cleaned, "roomSetup { cleaningStatus }").await;
    assert_eq!(answer["roomSetup"]["cleaningStatus"], "DIRTY");
}

#[tokio::test]
async fn g09_names_that_people_take_for_one_are_one() {
    let house = House::new().await;
    let room = house.room(" Su\u{308}d  1").await;
    let category = house.desk.done("createCategory", json!({"name": "Gro\u{df}e Suite"}), "category { id }").await;
    let suite = text(&category["category"]["id"]);
    let settings = "{ settings { categories { name } roomSetups { name } } }";
    let kept = json!({"categories": [{"name": "Double"}, {"name": "Gro\u{df}e Suite"}], "roomSetups": [{"name": "S\u{fc}d  1"}]});
    assert_eq!(house.desk.data(settings, json!({})).await["settings"], kept);
    let other = house.room("Nord").await;
    let path = json!(["input", "name"]);
    for (name, input, selection) in [
        ("createRoomSetup", json!({"name": "SU\u{308}D 1", "categoryId": suite}), "roomSetup { id }"),
        ("updateRoomSetup", json!({"id": other, "name": "s\u{fc}d 1 "}), "roomSetup { id }"),
        ("createCategory", json!({"name": "GROSSE SUITE"}), "category { id }"),
        ("updateCategory", json!({"id": house.category, "name": "gro\u{df}e\u{a0}suite"}), "category { id }"),
    ] {
        expect_refused(&house, &house.desk, (name, input, selection), ("NAME_TAKEN", path.clone())).await;
    }
    let own = json!({"id": room, "name": "S\u{dc}D 1"});
    let changed = house.desk.done("updateRoomSetup", own, "roomSetup { name }").await;
    assert_eq!(changed["roomSetup"]["name"], "S\u{dc}D 1", "a room may be written otherwise");
}

/// Rooms from before names were folded: two that would be one today keep their names, and everything else of them can change.
#[tokio::test]
async fn g09_rooms_of_before_are_found_by_the_names_that_they_have() {
    let house = House::new().await;
    let pool = &house.test.db.pool;
    let rooms = [house.room("101a").await, house.room("102").await, house.room("S\u{fc}d").await];
    sqlx::query("UPDATE room_setups SET name_folded = NULL, name = CASE name WHEN '102' THEN '101A' ELSE name END")
        .execute(pool)
        .await
        .expect("as before");
    let fill = MIGRATOR.iter().find(|migration| migration.version == 151).expect("the migration that fills them");
    sqlx::raw_sql(fill.sql.clone()).execute(pool).await.expect("filled");
    let folds: Vec<Option<String>> =
        sqlx::query_scalar("SELECT name_folded FROM room_setups ORDER BY id").fetch_all(pool).await.expect("folds");
    assert_eq!(folds, [Some("101a".to_owned()), None, None]);
    for room in &rooms {
        let dirty = json!({"id": room, "cleaningStatus": "DIRTY"});
        house.locks.done("updateRoomSetup", dirty, "roomSetup { id }").await;
    }
    for taken in ["101a", "101A", "SU\u{308}D"] {
        let act = ("createRoomSetup", json!({"name": taken, "categoryId": house.category}), "roomSetup { id }");
        expect_refused(&house, &house.desk, act, ("NAME_TAKEN", json!(["input", "name"]))).await;
    }
    let act = ("updateRoomSetup", json!({"id": rooms[2], "name": "101A"}), "roomSetup { id }");
    expect_refused(&house, &house.desk, act, ("NAME_TAKEN", json!(["input", "name"]))).await;
}
