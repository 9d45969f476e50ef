//! Laws of the feed, with readers and writers at the same time.

use std::collections::BTreeSet;

use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::{Follower, POLL, page, stay_ids};
use crate::support::{Client, House, code, text};

/// Makes a reservation with so many stays; with none, the request fails after it has changed something.
async fn book(desk: &Client, category: &str, name: &str, stays: u8) -> Vec<String> {
    let stay = json!({"categoryId": category, "reservation_from": "2026-02-01", "reservation_to": "2026-02-03"});
    let create = "mutation($input: CreateReservationInput!) { createReservation(input: $input) { reservation { \
         rooms { edges { node { id } } } } } }";
    let input = json!({
        "code": name,
        "client": {"person": {"lastname": "Doe"}},
        "roomStays": vec![stay; usize::from(stays.max(1))],
    });
    let operation = (create, json!({"input": input}));
    if stays == 0 {
        let refused = ("mutation { cancelReservation(input: {id: \"none\"}) { reservation { id } } }", json!({}));
        let answers = desk.batch(&[operation, refused]).await;
        assert_eq!(code(&answers[1]), "NOT_FOUND");
        return Vec::new();
    }
    let mut answers = desk.batch(&[operation]).await;
    assert!(answers[0].get("errors").is_none(), "{}", answers[0]);
    stay_ids(&answers.remove(0)["data"]["createReservation"]["reservation"]["rooms"])
}

/// Each writer makes one request after the other, of the given sizes; all at the same time.
fn start_writers(house: &House, writers: &[Vec<u8>]) -> JoinSet<Vec<String>> {
    let mut tasks = JoinSet::new();
    for (writer, sizes) in writers.iter().cloned().enumerate() {
        let (desk, category) = (house.desk.clone(), house.category.clone());
        tasks.spawn(async move {
            let mut made = Vec::new();
            for (request, size) in sizes.into_iter().enumerate() {
                made.extend(book(&desk, &category, &format!("W{writer}-{request}"), size).await);
            }
            made
        });
    }
    tasks
}

fn created(events: &[Value]) -> Vec<String> {
    let stays = events.iter().filter(|event| event["type"] == json!("room_stay.created"));
    stays.map(|event| text(&event["object"]["id"])).collect()
}

/// Runs a law on a few random histories of three writers.
fn for_all_histories(law: impl Fn(&[Vec<u8>])) {
    let histories = proptest::collection::vec(proptest::collection::vec(0_u8..3, 4..10), 3);
    let config = Config { cases: 6, failure_persistence: None, ..Config::default() };
    let checked = TestRunner::new(config).run(&histories, |writers| {
        law(&writers);
        Ok(())
    });
    checked.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn whoever_follows_while_others_write_meets_no_gap_and_no_repeat() {
    for_all_histories(|writers| {
        Runtime::new().expect("a runtime").block_on(async {
            let house = House::new().await;
            // Pages that end in the middle of a request, too.
            let mut follower = Follower { page_size: 2, ..Follower::new(&house.messaging).await };
            let mut tasks = start_writers(&house, writers);
            let (mut seen, mut by_writer) = (Vec::new(), Vec::new());
            while !tasks.is_empty() {
                seen.extend(follower.events().await);
                while let Some(done) = tasks.try_join_next() {
                    by_writer.push(done.expect("a writer"));
                }
            }
            seen.extend(follower.events().await);
            let told = created(&seen);
            let distinct: BTreeSet<String> = told.iter().cloned().collect();
            assert_eq!(distinct.len(), told.len(), "no repeat");
            assert_eq!(
                distinct,
                by_writer.iter().flatten().cloned().collect(),
                "no gap, and nothing that was rolled back"
            );
            for made in &by_writer {
                let of_writer: Vec<&String> = told.iter().filter(|stay| made.contains(stay)).collect();
                assert_eq!(of_writer, made.iter().collect::<Vec<_>>(), "in the order of the commits");
            }
            // Read again from the start, it is the same history.
            let start = page(&house.messaging, json!({"first": 0})).await;
            let start = start["pageInfo"]["endCursor"].as_str().expect("a cursor").to_owned();
            assert_eq!(Follower::from(&house.messaging, &start).events().await, seen);
        });
    });
}

#[test]
fn whoever_polls_once_and_then_follows_misses_nothing_and_sees_nothing_twice() {
    for_all_histories(|writers| {
        Runtime::new().expect("a runtime").block_on(async {
            let house = House::new().await;
            let mut tasks = start_writers(&house, writers);
            // In the middle of it: as soon as something is there.
            let poll = loop {
                let poll = house.messaging.data(POLL, json!({"code": "-"})).await;
                if poll["room_stays"]["edges"] != json!([]) || tasks.try_join_next().is_some() {
                    break poll["room_stays"].clone();
                }
            };
            let mut follower = Follower::from(&house.messaging, poll["eventCursor"].as_str().expect("a cursor"));
            let polled = stay_ids(&poll);
            while tasks.join_next().await.is_some() {}
            let seen = follower.events().await;
            let first = seen.first().map(|event| &event["type"]);
            assert!(first.is_none_or(|first| *first == json!("reservation.created")), "a request is shown as a whole");
            let told = created(&seen);
            let known: BTreeSet<String> = polled.iter().chain(&told).cloned().collect();
            assert_eq!(known.len(), polled.len() + told.len(), "nothing twice");
            let all: BTreeSet<String> =
                stay_ids(&house.messaging.data(POLL, json!({"code": "-"})).await["room_stays"]).into_iter().collect();
            assert_eq!(known, all, "nothing missed");
        });
    });
}
