//! A token bucket, kept as what is owed: what was taken out of it and has not flowed back.
//!
//! Amounts are in *parts*, of which a unit (a request, a point of cost) has as many as a minute has microseconds. A bucket
//! of so many units a minute regains just as many parts a microsecond, so nothing is ever rounded.

use std::time::Duration;

/// Parts of a unit: microseconds of a minute.
pub(super) const PARTS: u64 = 60_000_000;
/// Most that is owed, in minutes until all of it is there again. So many replicas can be used at once without anything being
/// forgiven, and nobody waits for the next unit for longer than one minute less.
pub(super) const MOST_OWED_MINUTES: u64 = 4;

/// Units a minute, and at once: 1 to 1,000,000,000. More would not fit the arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(u64);

impl Limit {
    /// Largest one.
    pub const MOST: u64 = 1_000_000_000;

    /// `None` for what is out of range.
    pub const fn new(per_minute: u64) -> Option<Self> {
        if per_minute >= 1 && per_minute <= Self::MOST { Some(Self(per_minute)) } else { None }
    }

    /// Units a minute.
    pub const fn per_minute(self) -> u64 {
        self.0
    }

    /// Parts that the bucket holds.
    const fn parts(self) -> u64 {
        self.0 * PARTS
    }

    /// Most parts that may be owed: with several processes more can be taken than there is.
    pub(super) const fn most_owed(self) -> u64 {
        MOST_OWED_MINUTES * self.parts()
    }
}

/// What is left of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// The limit.
    pub limit: Limit,
    /// Whole units that can be taken now.
    pub units: u64,
    /// Time until all of it is there again.
    pub full_in: Duration,
}

/// A token bucket, kept as what is owed. Times are those of one monotonic clock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bucket {
    owed: u64,
    as_of: Duration,
    /// Parts of `owed` that were not reported to the other processes.
    unreported: u64,
}

impl Bucket {
    /// Takes units out.
    ///
    /// # Errors
    /// How long it takes until there are as many; nothing was taken.
    pub(super) fn take(&mut self, limit: Limit, units: u64, now: Duration) -> Result<(), Duration> {
        self.flow(limit, now);
        let parts = units.saturating_mul(PARTS);
        let owed = self.owed.saturating_add(parts);
        if let Some(missing) = owed.checked_sub(limit.parts()).filter(|missing| *missing > 0) {
            return Err(time_of(missing, limit));
        }
        self.owed = owed;
        self.unreported = self.unreported.saturating_add(parts).min(limit.most_owed());
        Ok(())
    }

    /// Takes units out that were used already, though there be not as many.
    pub(super) fn owe(&mut self, limit: Limit, units: u64, now: Duration) {
        self.flow(limit, now);
        let parts = units.saturating_mul(PARTS);
        self.owed = self.owed.saturating_add(parts).min(limit.most_owed());
        self.unreported = self.unreported.saturating_add(parts).min(limit.most_owed());
    }

    /// What is left.
    pub(super) fn left(&self, limit: Limit, now: Duration) -> Left {
        let mut bucket = *self;
        bucket.flow(limit, now);
        let units = limit.parts().saturating_sub(bucket.owed) / PARTS;
        Left { limit, units, full_in: time_of(bucket.owed, limit) }
    }

    /// Whether it is full, and everything is reported.
    pub(super) fn is_idle(&self, limit: Limit, now: Duration) -> bool {
        self.unreported == 0 && self.left(limit, now).full_in.is_zero()
    }

    /// Whether there is something to report.
    pub(super) const fn has_unreported(&self) -> bool {
        self.unreported > 0
    }

    /// Parts to report to the other processes. What was unreported for so long that it has flowed back is not reported any
    /// more.
    pub(super) fn report(&mut self, limit: Limit, now: Duration) -> u64 {
        self.flow(limit, now);
        std::mem::take(&mut self.unreported).min(self.owed)
    }

    /// Takes back a report that did not reach the other processes.
    pub(super) fn take_back(&mut self, limit: Limit, parts: u64) {
        self.unreported = self.unreported.saturating_add(parts).min(limit.most_owed());
    }

    /// Merges what all processes together owed at an instant, when this one had reported everything.
    pub(super) fn merge(&mut self, limit: Limit, owed: u64, as_of: Duration, now: Duration) {
        *self = Self { owed, as_of, unreported: self.unreported };
        self.flow(limit, now);
        self.owed = self.owed.saturating_add(self.unreported);
    }

    /// Lets flow back what is due. Time that runs backwards changes nothing.
    fn flow(&mut self, limit: Limit, now: Duration) {
        let elapsed = u64::try_from(now.saturating_sub(self.as_of).as_micros()).unwrap_or(u64::MAX);
        self.owed = self.owed.saturating_sub(elapsed.saturating_mul(limit.0));
        self.as_of = self.as_of.max(now);
    }
}

/// How long so many parts take to flow back.
const fn time_of(parts: u64, limit: Limit) -> Duration {
    Duration::from_micros(parts.div_ceil(limit.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn limit(per_minute: u64) -> Limit {
        Limit::new(per_minute).expect("in range")
    }

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn all_of_it_can_be_taken_at_once_and_comes_back_evenly() {
        let mut bucket = Bucket::default();
        let limit = limit(200);
        for _ in 0..200 {
            assert_eq!(bucket.take(limit, 1, at(0)), Ok(()));
        }
        assert_eq!(bucket.take(limit, 1, at(0)), Err(at(300)));
        assert_eq!(bucket.take(limit, 1, at(299)), Err(at(1)));
        assert_eq!(bucket.take(limit, 1, at(300)), Ok(()));
        assert_eq!(bucket.take(limit, 200, at(300)), Err(at(60_000)));
        assert_eq!(bucket.left(limit, at(30_300)), Left { limit, units: 100, full_in: at(30_000) });
        assert_eq!(bucket.take(limit, 200, at(60_300)), Ok(()));
    }

    #[test]
    fn time_that_runs_backwards_gives_nothing_and_takes_nothing() {
        let mut bucket = Bucket::default();
        let limit = limit(60);
        assert_eq!(bucket.take(limit, 60, at(10_000)), Ok(()));
        assert_eq!(bucket.take(limit, 1, at(0)), Err(at(1_000)));
        assert_eq!(bucket.take(limit, 1, at(11_000)), Ok(()));
    }

    #[test]
    fn what_others_took_is_merged_and_what_was_taken_meanwhile_is_not_forgotten() {
        let mut bucket = Bucket::default();
        let limit = limit(60);
        bucket.take(limit, 10, at(0)).expect("there");
        let reported = bucket.report(limit, at(0));
        assert_eq!(reported, 10 * PARTS);
        bucket.take(limit, 5, at(0)).expect("there");
        // Somebody else owes 20.
        bucket.merge(limit, reported + 20 * PARTS, at(0), at(2_000));
        assert_eq!(bucket.left(limit, at(2_000)).units, 60 - 10 - 20 + 2 - 5);
        assert_eq!(bucket.report(limit, at(2_000)), 5 * PARTS);
        bucket.take_back(limit, 5 * PARTS);
        assert!(bucket.has_unreported());
    }

    #[test]
    fn what_flowed_back_before_it_could_be_reported_is_not_reported() {
        let mut bucket = Bucket::default();
        let limit = limit(60);
        for second in 0..600 {
            bucket.take(limit, 1, at(second * 1_000)).expect("there");
        }
        assert_eq!(bucket.report(limit, at(599_000)), PARTS);
        assert!(!bucket.has_unreported());
    }

    proptest! {
        /// Whatever is asked for and when: in no stretch of time more is given than the limit and what flowed back.
        #[test]
        fn nobody_gets_more_than_is_there(
            per_minute in 1_u64..1_000,
            asked in proptest::collection::vec((1_u64..50, 0_u64..5_000), 1..200),
        ) {
            let limit = limit(per_minute);
            let mut bucket = Bucket::default();
            let mut now = 0;
            let mut given: Vec<(u64, u64)> = Vec::new();
            for (units, pause) in asked {
                now += pause;
                if bucket.take(limit, units, at(now)).is_ok() {
                    given.push((now, units));
                }
            }
            for (first, (start, _)) in given.iter().enumerate() {
                let mut sum = 0;
                for (end, units) in &given[first..] {
                    sum += units * 60_000;
                    prop_assert!(sum <= per_minute * 60_000 + per_minute * (end - start));
                }
            }
        }

        /// A client that waits for that time gets it, and a millisecond earlier does not.
        #[test]
        fn the_time_to_wait_is_exact(per_minute in 1_u64..100_000, units in 1_u64..100_000) {
            let limit = limit(per_minute);
            let units = units.min(per_minute);
            let mut bucket = Bucket::default();
            bucket.take(limit, per_minute, at(0)).expect("it is full");
            let wait = bucket.take(limit, units, at(0)).expect_err("it is empty");
            prop_assert!(bucket.take(limit, units, wait.saturating_sub(Duration::from_micros(1))).is_err());
            prop_assert_eq!(bucket.take(limit, units, wait), Ok(()));
        }
    }
}
