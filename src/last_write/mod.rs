//! The newest write of the data, by which a clock that is wrong is found out before it does harm: what is due or expired follows
//! from the clock alone, so a server whose clock is a month ahead revokes the keys of a month.

mod store;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use crate::context::Context;
use crate::error::Result;

/// How far a clock may be from the newest write.
const TOLERANCE: TimeDelta = TimeDelta::days(1);

/// Where a clock comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockSource {
    /// The machine's: that it is ahead of the data means that the server was off for a while.
    System,
    /// Set at the start of the server: it says nothing about time that has passed.
    Set,
}

/// A clock that does not fit the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("shows {}, {} {} what was last written to this database ({})", text(*.now), amount(*.now - *.newest), side(*.now - *.newest), text(*.newest))]
pub struct WrongClock {
    /// What it shows.
    pub now: DateTime<Utc>,
    /// The newest write.
    pub newest: DateTime<Utc>,
}

/// Compares the application's clock with its data. `None`: it fits, or there are no data yet.
pub async fn check_clock(context: &Context, source: ClockSource) -> Result<Option<WrongClock>> {
    let newest = store::newest(&mut *context.worker_pool.acquire().await?).await?;
    Ok(newest.and_then(|newest| compare(context.clock.now(), newest, source)))
}

fn compare(now: DateTime<Utc>, newest: DateTime<Utc>, source: ClockSource) -> Option<WrongClock> {
    let behind = now < newest - TOLERANCE;
    let ahead = now > newest + TOLERANCE && source == ClockSource::Set;
    (behind || ahead).then_some(WrongClock { now, newest })
}

fn text(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn amount(difference: TimeDelta) -> String {
    match difference.abs().num_hours() {
        hours @ ..48 => format!("{hours} hours"),
        hours => format!("{} days", hours / 24),
    }
}

fn side(difference: TimeDelta) -> &'static str {
    if difference < TimeDelta::zero() { "behind" } else { "ahead of" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_is_always_wrong_and_ahead_only_when_the_clock_was_set() {
        use ClockSource::{Set, System};
        let newest: DateTime<Utc> = "2026-01-30T09:00:00Z".parse().expect("an instant");
        let wrong = |hours, source| compare(newest + TimeDelta::hours(hours), newest, source).is_some();
        for (hours, system, set) in
            [(0, false, false), (24, false, false), (-24, false, false), (25, false, true), (-25, true, true)]
        {
            assert_eq!((wrong(hours, System), wrong(hours, Set)), (system, set), "{hours}");
        }
    }

    #[test]
    fn a_wrong_clock_is_told_with_both_instants() {
        let newest = "2026-01-30T09:00:00Z".parse().expect("an instant");
        let told = |now: &str| WrongClock { now: now.parse().expect("an instant"), newest }.to_string();
        assert_eq!(
            told("2026-03-01T09:00:00Z"),
            "shows 2026-03-01T09:00:00Z, 30 days ahead of what was last written to this database (2026-01-30T09:00:00Z)"
        );
        assert!(told("2026-01-29T08:00:00Z").contains("25 hours behind what"));
    }
}
