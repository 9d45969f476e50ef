//! How much the pruner does in one transaction.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How long a transaction is meant to be open. Others of its hotel may wait for the end of it, and it may take several times
/// as long when the machine is busy all of a sudden; shorter ones would mostly wait for the disk.
const AIM: Duration = Duration::from_millis(50);
/// Assignments and keys in one transaction when it begins, and however slow it goes: of smaller ones, the nine statements
/// that each takes would be a large part.
const LEAST: usize = 500;
/// Most assignments and keys in one transaction.
const MOST: usize = 10_000;

/// The size of the next batch: it follows what the machine and the database can do at this moment. The workers of one
/// run share it.
pub(super) struct Pace(AtomicUsize);

impl Pace {
    pub(super) fn new() -> Self {
        Self(AtomicUsize::new(LEAST))
    }

    /// Most rows in the next batch.
    pub(super) fn batch(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Learns how long a batch of so many rows took. One that was not nearly full tells nothing: most of it was the commit.
    pub(super) fn learn(&self, rows: usize, took: Duration) {
        let size = self.batch();
        if rows < size / 2 {
            return;
        }
        let fitting =
            u128::try_from(rows).unwrap_or(u128::MAX).saturating_mul(AIM.as_micros()) / took.as_micros().max(1);
        let fitting = usize::try_from(fitting).unwrap_or(usize::MAX);
        // The next one may be harder than this one was.
        self.0.store(fitting.min(rows.saturating_mul(2)).clamp(LEAST, MOST), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The batch after one of so many rows that took so long.
    fn after(rows: usize, milliseconds: u64) -> usize {
        let pace = Pace(AtomicUsize::new(rows));
        pace.learn(rows, Duration::from_millis(milliseconds));
        pace.batch()
    }

    #[test]
    fn a_batch_becomes_as_large_as_fits_into_the_time() {
        assert_eq!(after(2_000, 40), 2_500);
        assert_eq!(after(2_000, 50), 2_000);
        assert_eq!(after(2_000, 100), 1_000);
    }

    #[test]
    fn it_grows_step_by_step_and_within_bounds() {
        assert_eq!(after(2_000, 0), 4_000);
        assert_eq!(after(2_000, 60_000), LEAST);
        let pace = Pace::new();
        for _ in 0..10 {
            pace.learn(pace.batch(), Duration::from_millis(1));
        }
        assert_eq!(pace.batch(), MOST);
    }

    #[test]
    fn what_is_left_over_in_the_end_tells_nothing() {
        let pace = Pace::new();
        pace.learn(LEAST / 2 - 1, Duration::from_millis(1));
        assert_eq!(pace.batch(), LEAST);
    }
}
