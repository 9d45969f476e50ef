//! Who sends requests, and what they came to.

/// An API key at the server.
pub struct Client {
    pub url: String,
    pub key: String,
}

/// How fast something was.
pub struct Figures {
    pub seconds: f64,
    /// Milliseconds, of each request.
    pub latencies: Vec<f64>,
}

impl Figures {
    /// The latency that so large a share of the requests did not exceed.
    pub fn percentile(&self, share: f64) -> f64 {
        let mut sorted = self.latencies.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get((sorted.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN)
    }
}
