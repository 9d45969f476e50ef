//! Requests over real connections, and what they came to.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How fast something was, over all rounds.
#[derive(Default)]
pub struct Figures {
    pub count: usize,
    pub seconds: f64,
    /// Milliseconds; for pgbench, its own percentiles stand for many.
    pub latencies: Vec<f64>,
}

impl Figures {
    pub fn add(&mut self, other: Self) {
        self.count += other.count;
        self.seconds += other.seconds;
        self.latencies.extend(other.latencies);
    }

    pub fn per_second(&self) -> f64 {
        self.count as f64 / self.seconds
    }

    pub fn line(&self) -> String {
        let mut sorted = self.latencies.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| sorted.get((sorted.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN);
        format!("{:>10.0}{:>9.2}{:>9.2}", self.per_second(), at(0.5), at(0.99))
    }
}

/// An API key at the server.
pub struct Client {
    pub url: String,
    pub key: String,
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
