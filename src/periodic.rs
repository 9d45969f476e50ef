//! Work that is done again and again until the process stops.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior};

/// Works at once and then every `period`, until `shutdown` ends. Work that is under way then is dropped.
pub async fn repeat<W: Future<Output = ()>>(
    period: Duration,
    shutdown: impl Future<Output = ()>,
    mut work: impl FnMut() -> W,
) {
    let working = async {
        let mut interval = every(period);
        loop {
            interval.tick().await;
            work().await;
        }
    };
    tokio::select! {
        () = shutdown => {}
        () = working => {}
    }
}

/// Works at once, then every `period` until `shutdown` ends, and then once more. Only the wait is cut off: work that is
/// dropped half-way would lose what it counts, or count it twice.
pub async fn repeat_to_the_end<W: Future<Output = ()>>(
    period: Duration,
    shutdown: impl Future<Output = ()>,
    mut work: impl FnMut() -> W,
) {
    let mut shutdown = std::pin::pin!(shutdown);
    let mut interval = every(period);
    loop {
        let stopping = tokio::select! {
            () = &mut shutdown => true,
            _ = interval.tick() => false,
        };
        work().await;
        if stopping {
            return;
        }
    }
}

/// An interval that waits a whole period after work that took longer than one.
fn every(period: Duration) -> Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
