//! When a delivery is tried again.

use chrono::{DateTime, TimeDelta, Utc};

use crate::id::IdSource;

/// Longest that an answer's `Retry-After` is heeded.
const LONGEST_RETRY_AFTER: TimeDelta = TimeDelta::hours(24);
/// Longest that an endpoint that fails is left alone before something is sent to it again.
const LONGEST_BACKOFF_SECONDS: i64 = 60;
/// Longest delay that a schedule may hold.
const LONGEST_DELAY: TimeDelta = TimeDelta::days(7);
/// Most attempts that a schedule may have.
const MOST_ATTEMPTS: usize = 50;

/// The delays before the second attempt, the third and so on (`LATCHKEY_WEBHOOK_SCHEDULE`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule(Vec<TimeDelta>);

impl Default for Schedule {
    /// Ten attempts. Even when jitter shortens each delay, the last one is more than 75 hours after the first.
    fn default() -> Self {
        Self::parse(Self::DEFAULT).expect("the default is a schedule")
    }
}

impl Schedule {
    /// The default, as it would be configured.
    pub const DEFAULT: &str = "5s,1m,5m,30m,2h,8h,16h,24h,34h";

    /// Reads delays such as `5s,1m,2h`.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let delays = text.split(',').map(|entry| delay(entry.trim())).collect::<Result<Vec<_>, _>>()?;
        if delays.len() >= MOST_ATTEMPTS {
            return Err(format!("has more than {} delays", MOST_ATTEMPTS - 1));
        }
        Ok(Self(delays))
    }

    /// How long to wait after so many failed attempts, with jitter of a tenth either way; `None` when it was the last one.
    pub fn delay(&self, failed_attempts: i32, ids: &IdSource) -> Option<TimeDelta> {
        let index = usize::try_from(failed_attempts - 1).ok()?;
        self.0.get(index).map(|&delay| jittered(delay, ids))
    }
}

/// Reads one delay.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn delay(entry: &str) -> Result<TimeDelta, String> {
    let wrong = || format!("holds {entry:?}, which is not a delay such as 30s, 5m or 2h, of at most 7 days");
    let (number, unit) = entry.split_at_checked(entry.len().saturating_sub(1)).ok_or_else(wrong)?;
    let number: u32 = number.parse().map_err(|_| wrong())?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(wrong()),
    };
    let delay = TimeDelta::seconds(i64::from(number) * unit);
    if delay.is_zero() || delay > LONGEST_DELAY { Err(wrong()) } else { Ok(delay) }
}

fn jittered(delay: TimeDelta, ids: &IdSource) -> TimeDelta {
    let mut random = [0_u8; 2];
    ids.fill(&mut random);
    let tenth = delay / 10;
    delay - tenth + tenth * 2 / i32::from(u16::MAX) * i32::from(u16::from_be_bytes(random))
}

/// How long nothing is sent to an endpoint after so many failures in a row.
pub fn backoff(failures: i32) -> TimeDelta {
    let doublings = u32::try_from(failures - 1).unwrap_or(0).min(10);
    TimeDelta::seconds((1_i64 << doublings).min(LONGEST_BACKOFF_SECONDS))
}

/// How long the header `Retry-After` asks to wait: seconds or an HTTP date, at most a day. Anything else asks for nothing.
pub fn retry_after(header: &str, now: DateTime<Utc>) -> Option<TimeDelta> {
    let header = header.trim();
    let wait = if header.bytes().all(|byte| byte.is_ascii_digit()) && !header.is_empty() {
        header.parse().ok().and_then(TimeDelta::try_seconds).unwrap_or(LONGEST_RETRY_AFTER)
    } else {
        DateTime::<Utc>::from(httpdate::parse_http_date(header).ok()?) - now
    };
    Some(wait.clamp(TimeDelta::zero(), LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_ten_attempts_over_at_least_75_hours() {
        let ids = IdSource::seeded(1);
        let schedule = Schedule::default();
        let delays: Vec<TimeDelta> = (1..).map_while(|failed| schedule.delay(failed, &ids)).collect();
        assert_eq!(delays.len(), 9);
        let shortest: TimeDelta = schedule.0.iter().map(|delay| *delay * 9 / 10).sum();
        assert!(shortest >= TimeDelta::hours(75), "{shortest}");
    }

    #[test]
    fn jitter_stays_within_a_tenth_and_differs() {
        let ids = IdSource::seeded(7);
        let hour = Schedule::parse("1h").expect("a schedule");
        let delays: Vec<i64> = (0..1000).filter_map(|_| Some(hour.delay(1, &ids)?.num_seconds())).collect();
        assert!(delays.iter().all(|delay| (3240..=3960).contains(delay)));
        assert!(delays.iter().any(|&delay| delay < 3300) && delays.iter().any(|&delay| delay > 3900));
        assert_eq!(hour.delay(2, &ids), None);
    }

    #[test]
    fn malformed_schedules_are_refused() {
        for bad in ["", "5", "5x", "s", "0s", "-1s", "5s,", "5s 1m", "200h", "1.5h", "5é"] {
            assert!(Schedule::parse(bad).is_err(), "{bad}");
        }
        assert!(Schedule::parse(&["1s"; 50].join(",")).is_err());
    }

    #[test]
    fn an_endpoint_that_fails_is_left_alone_for_longer_and_longer() {
        let seconds: Vec<i64> = (1..=9).map(|failures| backoff(failures).num_seconds()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(backoff(i32::MAX).num_seconds(), 60);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_at_most_a_day() {
        let now = "2026-01-30T09:00:00Z".parse().expect("an instant");
        let seconds = |header| retry_after(header, now).map(|wait| wait.num_seconds());
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds("Fri, 30 Jan 2026 09:05:00 GMT"), Some(300));
        assert_eq!(seconds("Fri, 30 Jan 2026 08:05:00 GMT"), Some(0));
        assert_eq!(seconds("Fri, 30 Jan 2037 08:05:00 GMT"), Some(86400));
        assert_eq!(seconds("99999999999999999999999"), Some(86400));
        for bad in ["", "soon", "-5", "1.5"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }
}
