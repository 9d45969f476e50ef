//! Requests over real connections, as fast as they are answered.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::load::{Client, Figures};

impl Figures {
    pub fn add(&mut self, other: Self) {
        self.count += other.count;
        self.seconds += other.seconds;
        self.latencies.extend(other.latencies);
    }
}

/// Sends requests from `concurrency` connections for `time`. Each one is checked to have succeeded.
pub async fn drive(
    client: &Client,
    concurrency: usize,
    time: Duration,
    body: impl Fn(usize) -> Value + Sync,
) -> Figures {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    NUMBER.store(0, Ordering::Relaxed);
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let start = Instant::now();
    let body = &body;
    let connections = (0..concurrency).map(|_| {
        let http = http.clone();
        async move {
            let mut latencies = Vec::new();
            while start.elapsed() < time {
                let body = body(NUMBER.fetch_add(1, Ordering::Relaxed));
                let sent = Instant::now();
                let request = http.post(&client.url).bearer_auth(&client.key).json(&body);
                let answer = request.send().await.expect("an answer").text().await.expect("a body");
                latencies.push(sent.elapsed().as_secs_f64() * 1000.0);
                assert!(!answer.contains("\"errors\""), "{answer}");
            }
            latencies
        }
    });
    let latencies: Vec<f64> = futures_util::future::join_all(connections).await.into_iter().flatten().collect();
    Figures { count: latencies.len(), seconds: start.elapsed().as_secs_f64(), latencies }
}
