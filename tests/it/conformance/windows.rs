//! Reading the stays of a period, and those that a webhook named.

use serde_json::{Value, json};

use super::printed::{ROOM_STAY, ROOM_STAYS};
use crate::support::{House, nodes, text};

/// Codes of reservations on the pages of the printed window query.
async fn window(house: &House, variables: &Value) -> Vec<String> {
    let query = "query($start: Date! $end: Date!) { room_stays(first: 100 filter: {reservation_from: {le: $end} \
        reservation_to: {gt: $start}}) { edges { node { id reservation { code } } } } }";
    let data = house.messaging.data(query, variables.clone()).await;
    let printed = house.messaging.data(ROOM_STAYS.0, variables.clone()).await;
    let id = |node: &Value| node["id"].clone();
    let stays = nodes(&data["room_stays"]);
    assert_eq!(
        stays.iter().map(id).collect::<Vec<_>>(),
        nodes(&printed["room_stays"]).iter().map(id).collect::<Vec<_>>()
    );
    stays.iter().map(|stay| text(&stay["reservation"]["code"])).collect()
}

/// Stays around the week from 30 January to 5 February 2026.
async fn around_the_week() -> House {
    let house = House::new().await;
    for (code, from, to) in [
        ("gone", "2026-01-27", "2026-01-29"),
        ("leaves-on-start", "2026-01-28", "2026-01-30"),
        ("in-house", "2026-01-29", "2026-01-31"),
        ("through", "2025-06-01", "2026-08-01"),
        ("inside", "2026-02-01", "2026-02-03"),
        ("day-use", "2026-02-04", "2026-02-04"),
        ("arrives-on-end", "2026-02-05", "2026-02-07"),
        ("next", "2026-02-06", "2026-02-08"),
        ("next-year", "2027-02-01", "2027-02-02"),
    ] {
        house.reservation(code, &[(from, to)]).await;
    }
    house
}

#[tokio::test]
async fn a33_one_poll_of_the_week_and_a_nightly_one_of_the_new_date_see_every_stay() {
    let house = around_the_week().await;
    let mut seen = window(&house, &ROOM_STAYS.variables(&[])).await;
    let night = window(&house, &json!({"start": "2026-02-06", "end": "2026-02-06"})).await;
    seen.extend(night.into_iter().filter(|code| code == "next"));
    let mut at_once = window(&house, &json!({"start": "2026-01-30", "end": "2026-02-06"})).await;
    seen.sort_unstable();
    at_once.sort_unstable();
    assert_eq!(seen, at_once);
}

#[tokio::test]
async fn a34_the_window_query_pages_through_all_its_stays() {
    let house = House::new().await;
    for index in 0..45 {
        house.stay(&format!("R{index:02}")).await;
    }
    let mut variables = ROOM_STAYS.variables(&[]);
    let (mut ids, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let data = house.locks.data(ROOM_STAYS.0, variables.clone()).await;
        let page = nodes(&data["room_stays"]);
        sizes.push(page.len());
        ids.extend(page.iter().map(|stay| text(&stay["id"])));
        if data["room_stays"]["pageInfo"]["hasNextPage"] == false {
            break;
        }
        variables["cursor"] = data["room_stays"]["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(sizes, [20, 20, 5]);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 45);
}

#[tokio::test]
async fn a35_arrivals_on_the_last_day_are_in_and_departures_on_the_first_are_out() {
    let house = around_the_week().await;
    let variables = ROOM_STAYS.variables(&[]);
    assert_eq!(variables, json!({"start": "2026-01-30", "end": "2026-02-05"}));
    let stays = window(&house, &variables).await;
    assert_eq!(stays, ["in-house", "inside", "day-use", "arrives-on-end", "through"], "by departure");
}

#[tokio::test]
async fn a36_all_fields_of_a_filter_have_to_match() {
    let house = around_the_week().await;
    let query = "query($filter: RoomStayFilter) { room_stays(filter: $filter) { edges { node { \
        reservation { code } } } } }";
    for (filter, expected) in [
        (json!({"reservation_from": {"ge": "2026-02-05"}}), 3),
        (json!({"reservation_from": {"ge": "2026-02-05"}, "reservation_to": {"le": "2026-02-08"}}), 2),
        (
            json!({"reservation_from": {"ge": "2026-02-05", "lt": "2026-02-06"}, "reservation_to": {"le":
                "2026-02-08"}}),
            1,
        ),
    ] {
        let data = house.messaging.data(query, json!({ "filter": filter })).await;
        assert_eq!(nodes(&data["room_stays"]).len(), expected, "{filter}");
    }
}

#[tokio::test]
async fn a37_the_printed_fields_of_a_stay() {
    let house = House::new().await;
    let stay = house.stay_in("101").await;
    let key = house.locks.pin("0042").await;
    house.locks.add(&stay, &key).await;
    let data = house.locks.data(ROOM_STAYS.0, ROOM_STAYS.variables(&[])).await;
    let room = data["room_stays"]["edges"][0]["node"]["room_setup"]["id"].clone();
    let expected = json!({
        "id": stay,
        "room_setup": {"id": room},
        "arrival": "2026-01-30",
        "departure": "2026-02-02",
        "roomAccessKey": {"id": key},
    });
    assert_eq!(nodes(&data["room_stays"]), [expected]);
    let named = house.locks.read_stay(&stay, "room_setup { id name }").await;
    assert_eq!(named["room_setup"], json!({"id": room, "name": "101"}));
}

#[tokio::test]
async fn a60_the_stays_that_a_webhook_named_are_fetched_by_their_ids() {
    let house = House::new().await;
    let (first, second) = (house.stay("R1").await, house.stay("R2").await);
    house.stay("R3").await;
    let both = [("<room stay id 1>", first.as_str()), ("<room stay id 2>", second.as_str())];
    let data = house.locks.data(ROOM_STAY.0, ROOM_STAY.variables(&both)).await;
    let ids: Vec<String> = nodes(&data["room_stays"]).iter().map(|stay| text(&stay["id"])).collect();
    assert_eq!(ids, [first, second.clone()]);
    let gone = [("<room stay id 1>", "0198c8f8-0000-7000-8000-000000000000"), ("<room stay id 2>", &second)];
    let data = house.locks.data(ROOM_STAY.0, ROOM_STAY.variables(&gone)).await;
    assert_eq!(nodes(&data["room_stays"]).len(), 1, "one that was deleted meanwhile is not there");
}
