//! How fast something was, and what it cost.

/// A stretch of time in which something was done again and again.
#[derive(Clone, Copy)]
pub struct Round {
    pub count: f64,
    pub seconds: f64,
    /// Milliseconds.
    pub p50: f64,
    /// Milliseconds.
    pub p99: f64,
    /// CPU seconds of the server.
    pub own_cpu: f64,
    /// CPU seconds of PostgreSQL.
    pub postgres_cpu: f64,
}

/// All rounds of a contender.
#[derive(Default)]
pub struct Measured(Vec<Round>);

impl Measured {
    pub fn add(&mut self, round: Round) {
        self.0.push(round);
    }

    fn sum(&self, of: impl Fn(&Round) -> f64) -> f64 {
        self.0.iter().map(of).sum()
    }

    /// The middle one of the rounds.
    fn median(&self, of: impl Fn(&Round) -> f64) -> f64 {
        let mut values: Vec<f64> = self.0.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    }

    pub fn per_second(&self) -> f64 {
        self.sum(|round| round.count) / self.sum(|round| round.seconds)
    }

    pub fn p50(&self) -> f64 {
        self.median(|round| round.p50)
    }

    pub fn p99(&self) -> f64 {
        self.median(|round| round.p99)
    }

    /// CPU milliseconds of the server each time.
    pub fn own_cpu(&self) -> f64 {
        1000.0 * self.sum(|round| round.own_cpu) / self.sum(|round| round.count)
    }

    /// CPU milliseconds of PostgreSQL each time.
    pub fn postgres_cpu(&self) -> f64 {
        1000.0 * self.sum(|round| round.postgres_cpu) / self.sum(|round| round.count)
    }

    /// CPU milliseconds of both each time.
    pub fn cpu(&self) -> f64 {
        self.own_cpu() + self.postgres_cpu()
    }
}
