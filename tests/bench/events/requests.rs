//! Requests that come at a steady rate, as from many clients that do not wait for each other.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::load::{Client, Figures};

/// Time from one pair of requests to the next: 40 requests a second.
const EVERY: Duration = Duration::from_millis(50);

const PAGE: &str = "{ room_stays(filter: {reservation_from: {le: \"2026-02-05\"} reservation_to: {gt: \"2026-01-30\"}} \
     first: 20) { edges { node { id reservation_from reservation_to roomAccessKey { id } } } } }";
const CREATE: &str =
    "mutation { createRoomAccessKey(input: {roomAccessPin: {pin: \"1234\"}}) { roomAccessKey { id } } }";

/// A page and a mutation, again and again, for as long as `work` takes. Each one is checked to have succeeded.
pub async fn steady(client: &Client, work: impl AsyncFnOnce()) -> Figures {
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let mut requests = JoinSet::new();
    let began = Instant::now();
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut work = std::pin::pin!(work());
    loop {
        tokio::select! {
            () = &mut work => break,
            _ = tick.tick() => {}
        }
        for query in [PAGE, CREATE] {
            let request = http.post(&client.url).bearer_auth(&client.key).json(&json!({ "query": query }));
            requests.spawn(async move {
                let sent = Instant::now();
                let answer = request.send().await.expect("an answer").text().await.expect("a body");
                assert!(!answer.contains("\"errors\""), "{answer}");
                sent.elapsed().as_secs_f64() * 1000.0
            });
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let latencies = requests.join_all().await;
    Figures { seconds, latencies }
}
