//! Filters and pages, as documented. Every detail is in `crate::filters` and `crate::connections`.

use serde_json::{Value, json};

use crate::support::{House, nodes, text};

#[tokio::test]
async fn f05_comparisons_not_and_or() {
    let house = House::new().await;
    for day in 1..=5 {
        house.reservation(&format!("R{day}"), &[(&format!("2026-03-0{day}"), "2026-03-09")]).await;
    }
    let query = "query($filter: RoomStayFilter) { room_stays(filter: $filter) { edges { node { \
        reservation { code } } } } }";
    let day = |day: u8| json!(format!("2026-03-0{day}"));
    for (filter, expected) in [
        (json!({"reservation_from": {"lt": day(3)}}), "R1 R2"),
        (json!({"reservation_from": {"le": day(3)}}), "R1 R2 R3"),
        (json!({"reservation_from": {"eq": day(3)}}), "R3"),
        (json!({"reservation_from": {"in": [day(1), day(5)]}}), "R1 R5"),
        (json!({"reservation_from": {"ge": day(3)}}), "R3 R4 R5"),
        (json!({"reservation_from": {"gt": day(3)}}), "R4 R5"),
        (json!({"reservation_from": {"gt": day(1), "lt": day(4)}}), "R2 R3"),
        (json!({"not": {"reservation_from": {"eq": day(3)}}}), "R1 R2 R4 R5"),
        (json!({"or": [{"reservation_from": {"eq": day(1)}}, {"reservation_from": {"gt": day(4)}}]}), "R1 R5"),
    ] {
        let data = house.messaging.data(query, json!({ "filter": filter })).await;
        let codes: Vec<String> =
            nodes(&data["room_stays"]).iter().map(|stay| text(&stay["reservation"]["code"])).collect();
        assert_eq!(codes.join(" "), expected, "{filter}");
    }
}

#[tokio::test]
async fn f06_twenty_by_default_one_hundred_at_most_and_backwards() {
    let house = House::new().await;
    house.reservation("R1", &[("2026-01-30", "2026-02-01"); 100]).await;
    house.stay("R2").await;
    let query = "query($first: Int $after: String $last: Int $before: String) { \
        room_stays(first: $first after: $after last: $last before: $before) { edges { cursor node { id } } \
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
    let page = async |variables: Value| house.messaging.data(query, variables).await["room_stays"].take();
    let size = async |variables: Value| nodes(&page(variables).await).len();
    assert_eq!(size(json!({})).await, 20);
    assert_eq!(size(json!({"first": 100})).await, 100);
    let last = page(json!({"last": 3})).await;
    assert_eq!(nodes(&last).len(), 3);
    assert_eq!(last["pageInfo"]["startCursor"], last["edges"][0]["cursor"]);
    assert_eq!(last["pageInfo"]["endCursor"], last["edges"][2]["cursor"]);
    assert_eq!(last["pageInfo"]["hasPreviousPage"], true);
    let before = page(json!({"last": 3, "before": last["pageInfo"]["startCursor"]})).await;
    assert_eq!(nodes(&before).len(), 3);
    let error = house.messaging.error(query, json!({"first": 101})).await;
    assert_eq!(error["extensions"]["argumentPath"], json!(["first"]));
}
