//! The only place that reads the wall clock. Everything else is given a [`Clock`].

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// Tells the time, to the microsecond that PostgreSQL keeps.
///
/// Cheap to clone; clones share the same time.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Source>);

#[derive(Debug)]
enum Source {
    /// The machine's clock plus a fixed offset.
    Running { offset: TimeDelta, started: Instant },
    /// Stands still until it is moved. Microseconds since the Unix epoch.
    Manual(AtomicI64),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::running(TimeDelta::zero())
    }

    /// A clock that shows `start` now and runs on from there (`LATCHKEY_CLOCK`).
    pub fn starting_at(start: DateTime<Utc>) -> Self {
        Self::running(start - wall_clock())
    }

    fn running(offset: TimeDelta) -> Self {
        Self(Arc::new(Source::Running { offset, started: Instant::now() }))
    }

    /// A clock that stands at `instant` until [`Clock::advance`] moves it. For tests.
    pub fn manual(instant: DateTime<Utc>) -> Self {
        Self(Arc::new(Source::Manual(AtomicI64::new(instant.timestamp_micros()))))
    }

    /// The current instant.
    pub fn now(&self) -> DateTime<Utc> {
        match &*self.0 {
            Source::Running { offset, .. } => (wall_clock() + *offset).trunc_subsecs(6),
            Source::Manual(micros) => {
                DateTime::from_timestamp_micros(micros.load(Ordering::SeqCst)).unwrap_or(DateTime::UNIX_EPOCH)
            }
        }
    }

    /// Time that has passed since a fixed moment of this process. It never jumps, as the clock on the wall may; only a manual
    /// clock can be moved backwards.
    pub fn monotonic(&self) -> Duration {
        match &*self.0 {
            Source::Running { started, .. } => started.elapsed(),
            Source::Manual(micros) => Duration::from_micros(u64::try_from(micros.load(Ordering::SeqCst)).unwrap_or(0)),
        }
    }

    /// Moves a manual clock.
    ///
    /// # Panics
    /// When the clock runs by itself.
    pub fn advance(&self, by: TimeDelta) {
        match &*self.0 {
            Source::Manual(micros) => {
                micros.fetch_add(by.num_microseconds().unwrap_or(i64::MAX), Ordering::SeqCst);
            }
            Source::Running { .. } => panic!("only a manual clock can be moved"),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one reader of the wall clock")]
fn wall_clock() -> DateTime<Utc> {
    Utc::now()
}
