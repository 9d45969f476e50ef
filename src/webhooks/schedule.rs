//! The schedule of deliveries: when one is tried again.

use chrono::{DateTime, TimeDelta, Utc};

pub use crate::queue::Schedule;

/// The schedule that is not configured otherwise (`LATCHKEY_WEBHOOK_SCHEDULE`): ten attempts. Even when jitter shortens each delay,
/// the last one is more than 75 hours after the first.
pub const DEFAULT: &str = "5s,1m,5m,30m,2h,8h,16h,24h,34h";

/// Longest that an answer's `Retry-After` is heeded.
const LONGEST_RETRY_AFTER: TimeDelta = TimeDelta::hours(24);

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
    use crate::queue::schedule::delay;

    #[test]
    fn the_default_is_ten_attempts_over_at_least_75_hours() {
        assert!(Schedule::parse(DEFAULT).is_ok());
        let delays: Vec<TimeDelta> = DEFAULT.split(',').map(|entry| delay(entry).expect("a delay")).collect();
        assert_eq!(delays.len(), 9);
        let shortest: TimeDelta = delays.iter().map(|delay| *delay * 9 / 10).sum();
        assert!(shortest >= TimeDelta::hours(75), "{shortest}");
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
