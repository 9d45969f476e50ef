//! Requests over real connections, as fast as they are answered, and what they cost.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::documents::Case;
use super::ground::Ground;
use super::load::Figures;
use super::servers::{Server, postgres_cpu};

/// How fast something was and what it cost, over all rounds.
#[derive(Default)]
pub struct Measured {
    pub figures: Figures,
    /// Seconds.
    pub server_cpu: f64,
    /// Seconds.
    pub postgres_cpu: f64,
}

impl Measured {
    pub fn add(&mut self, other: Self) {
        self.figures.count += other.figures.count;
        self.figures.seconds += other.figures.seconds;
        self.figures.latencies.extend(other.figures.latencies);
        self.server_cpu += other.server_cpu;
        self.postgres_cpu += other.postgres_cpu;
    }

    /// Milliseconds a request.
    pub fn milliseconds(&self, cpu: f64) -> f64 {
        cpu * 1000.0 / self.figures.count as f64
    }
}

/// Sends requests from `concurrency` connections for `time`, or until there are no more of them. Each answer is checked to hold
/// what was asked for.
pub async fn drive(server: &Server, ground: &Ground, case: Case, concurrency: usize, time: Duration) -> Measured {
    let number = AtomicUsize::new(0);
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let (server_cpu, postgres) = (server.cpu(), postgres_cpu(ground));
    let start = Instant::now();
    let connections = (0..concurrency).map(|_| async {
        let mut latencies = Vec::new();
        while start.elapsed() < time {
            let Some(body) = case.body(server.kind, ground, number.fetch_add(1, Ordering::Relaxed)) else { break };
            let sent = Instant::now();
            let request = http.post(&server.client.url).bearer_auth(&server.client.key).json(&body);
            let answer = request.send().await.expect("an answer").text().await.expect("a body");
            latencies.push(sent.elapsed().as_secs_f64() * 1000.0);
            let (mark, times) = case.mark();
            let right = !answer.contains("\"errors\"") && answer.matches(mark).count() == times;
            assert!(right, "{}: {answer}", server.kind.name());
        }
        latencies
    });
    let latencies: Vec<f64> = futures_util::future::join_all(connections).await.into_iter().flatten().collect();
    let seconds = start.elapsed().as_secs_f64();
    Measured {
        figures: Figures { count: latencies.len(), seconds, latencies },
        server_cpu: server.cpu() - server_cpu,
        postgres_cpu: postgres_cpu(ground) - postgres,
    }
}
