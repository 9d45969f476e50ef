//! How much the pruner does in one transaction.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How long a transaction is meant to be open. Others of its hotel may wait for the end of it, and it may take several times
/// as long when the machine is busy all of a sudden; shorter ones would mostly wait for the disk.
const AIM: Duration = Duration::from_millis(50);
/// What a stay takes of a batch, when a key on no stay takes 1: it is written, its key is deleted, and each of the two leaves an
/// event and an entry in the audit trail.
const STAY: usize = 3;
/// The work of one transaction when it begins, and however slow it goes: of smaller ones, the nine statements that each takes
/// would be a large part.
const LEAST: usize = 1_500;
/// Most work in one transaction.
const MOST: usize = 10_000;

/// The size of the next batch: it follows what the machine and the database can do at this moment. The workers of one
/// run share it.
pub(super) struct Pace(AtomicUsize);

/// How much of each kind is done in one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Batch {
    /// Stays that lose their key.
    pub stays: usize,
    /// Keys on no stay.
    pub unused: usize,
}

impl Batch {
    fn work(self) -> usize {
        self.stays.saturating_mul(STAY).saturating_add(self.unused)
    }
}

impl Pace {
    pub(super) fn new() -> Self {
        Self(AtomicUsize::new(LEAST))
    }

    /// The next batch, of so many stays and unused keys that are left, the stays first.
    pub(super) fn batch(&self, stays: usize, unused: usize) -> Batch {
        let size = self.0.load(Ordering::Relaxed);
        let stays = stays.min(size / STAY);
        Batch { stays, unused: unused.min(size.saturating_sub(stays * STAY)) }
    }

    /// Adapts to how long a batch took. One that was not nearly full tells nothing: most of it was the commit.
    pub(super) fn adapt(&self, batch: Batch, took: Duration) {
        let (size, work) = (self.0.load(Ordering::Relaxed), batch.work());
        if work < size / 2 {
            return;
        }
        let fitting =
            u128::try_from(work).unwrap_or(u128::MAX).saturating_mul(AIM.as_micros()) / took.as_micros().max(1);
        let fitting = usize::try_from(fitting).unwrap_or(usize::MAX);
        // The next one may be harder than this one was.
        self.0.store(fitting.min(work.saturating_mul(2)).clamp(LEAST, MOST), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many unused keys are in the batch after one of so many that took so long.
    fn after(unused: usize, milliseconds: u64) -> usize {
        let pace = Pace(AtomicUsize::new(unused));
        pace.adapt(Batch { stays: 0, unused }, Duration::from_millis(milliseconds));
        pace.batch(0, usize::MAX).unused
    }

    #[test]
    fn a_batch_becomes_as_large_as_fits_into_the_time() {
        assert_eq!(after(3_000, 40), 3_750);
        assert_eq!(after(3_000, 50), 3_000);
        assert_eq!(after(3_000, 75), 2_000);
    }

    #[test]
    fn it_grows_step_by_step_and_within_bounds() {
        assert_eq!(after(2_000, 0), 4_000);
        assert_eq!(after(2_000, 60_000), LEAST);
        let pace = Pace::new();
        for _ in 0..10 {
            pace.adapt(pace.batch(0, usize::MAX), Duration::from_millis(1));
        }
        assert_eq!(pace.batch(0, usize::MAX).unused, MOST);
    }

    #[test]
    fn what_is_left_over_in_the_end_tells_nothing() {
        let pace = Pace::new();
        pace.adapt(Batch { stays: 0, unused: LEAST / 2 - 1 }, Duration::from_millis(1));
        assert_eq!(pace.batch(0, usize::MAX).unused, LEAST);
    }

    #[test]
    fn unused_keys_that_went_fast_do_not_make_a_batch_of_stays_that_takes_long() {
        let pace = Pace::new();
        pace.adapt(Batch { stays: 0, unused: 3_000 }, Duration::from_millis(50));
        assert_eq!(pace.batch(5_000, 5_000), Batch { stays: 1_000, unused: 0 });
        pace.adapt(Batch { stays: 1_000, unused: 0 }, Duration::from_millis(50));
        assert_eq!(pace.batch(5_000, 5_000), Batch { stays: 1_000, unused: 0 });
    }

    #[test]
    fn what_the_last_stays_leave_room_for_is_filled_with_unused_keys() {
        assert_eq!(Pace::new().batch(100, 5_000), Batch { stays: 100, unused: LEAST - 100 * STAY });
        assert_eq!(Pace::new().batch(100, 10), Batch { stays: 100, unused: 10 });
    }
}
