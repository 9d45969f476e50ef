//! Who sends requests, and what they came to.

/// How fast something was, over all rounds.
#[derive(Default)]
pub struct Figures {
    pub count: usize,
    pub seconds: f64,
    /// Milliseconds; for pgbench, its own percentiles stand for many.
    pub latencies: Vec<f64>,
}

impl Figures {
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
