//! Schedules: when a job is attempted again.

use chrono::TimeDelta;

use crate::id::IdSource;

/// Longest delay that a schedule may hold.
const LONGEST_DELAY: TimeDelta = TimeDelta::days(7);
/// Most attempts that a schedule may have.
const MOST_ATTEMPTS: usize = 50;

/// The delays before the second attempt, the third and so on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule(Vec<TimeDelta>);

impl Schedule {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
