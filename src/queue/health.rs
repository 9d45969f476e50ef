//! Health of a party, and what follows from attempts. Pure: no I/O, no clock.

use chrono::{DateTime, TimeDelta, Utc};

use super::schedule::Schedule;
use crate::id::IdSource;

/// Longest that a party that fails is left alone before another attempt.
const LONGEST_BACKOFF_SECONDS: i64 = 60;

/// How a party is doing: a circuit breaker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Failures in a row; 0 while it works.
    pub failures: i32,
    /// Until when it is left alone. Afterwards it is given few jobs at a time, until one succeeds.
    pub backoff_until: Option<DateTime<Utc>>,
    /// When an attempt last succeeded.
    pub last_success_at: Option<DateTime<Utc>>,
}

/// What an attempt came to, as far as jobs are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The job is done.
    Succeeded,
    /// Another attempt may succeed.
    Failed {
        /// How long the party asks to be left alone.
        wait: Option<TimeDelta>,
    },
    /// No other attempt can succeed.
    Refused,
}

/// An attempt that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// What it came to.
    pub verdict: Verdict,
    /// Failed attempts of the present run through the schedule, without this one.
    pub failed_before: i32,
    /// Whether it was made at the party as it is now, and not as it was before somebody changed it.
    pub is_current: bool,
}

/// How a job goes on after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobChange {
    /// What is next.
    pub next: Next,
    /// Failed attempts of the present run through the schedule.
    pub failed_attempts: i32,
}

/// What is next for a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it is done.
    Done,
    /// An attempt at this time.
    Retry(DateTime<Utc>),
    /// Nothing: no other attempt can succeed.
    Refused,
    /// Nothing: its schedule is used up.
    Exhausted,
}

/// What follows from attempts at one party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// For the party; `None` when nothing follows.
    pub health: Option<Health>,
    /// For each job.
    pub jobs: Vec<JobChange>,
}

/// Settles attempts at one party that have ended.
///
/// Attempts that ended together count once: any success makes the party well, else it has failed once more. Attempts at the party as
/// it was before it was changed tell nothing about it: without others, nothing follows for its health, and what failed there
/// is due at once.
pub fn settle(
    health: &Health,
    attempts: &[Attempt],
    schedule: &Schedule,
    ids: &IdSource,
    now: DateTime<Utc>,
) -> Settled {
    let current = || attempts.iter().filter(|attempt| attempt.is_current);
    let health = current().next().map(|_| {
        if current().any(|attempt| attempt.verdict == Verdict::Succeeded) {
            return Health { failures: 0, backoff_until: None, last_success_at: Some(now) };
        }
        let failures = health.failures.saturating_add(1);
        let asked_to_wait = current().map(|attempt| attempt.verdict.wait()).max().unwrap_or_default();
        Health { failures, backoff_until: Some(now + backoff(failures).max(asked_to_wait)), ..*health }
    });
    let jobs = attempts.iter().map(|attempt| settle_one(attempt, schedule, ids, now)).collect();
    Settled { health, jobs }
}

fn settle_one(attempt: &Attempt, schedule: &Schedule, ids: &IdSource, now: DateTime<Utc>) -> JobChange {
    let before = attempt.failed_before;
    let after = before.saturating_add(1);
    let (next, failed_attempts) = match attempt.verdict {
        Verdict::Succeeded => (Next::Done, before),
        _ if !attempt.is_current => (Next::Retry(now), before),
        Verdict::Refused => (Next::Refused, after),
        Verdict::Failed { .. } => match schedule.delay(after, ids) {
            Some(delay) => (Next::Retry(now + delay.max(attempt.verdict.wait())), after),
            None => (Next::Exhausted, after),
        },
    };
    JobChange { next, failed_attempts }
}

impl Verdict {
    fn wait(self) -> TimeDelta {
        if let Self::Failed { wait } = self { wait.unwrap_or_default() } else { TimeDelta::zero() }
    }
}

/// How long a party is left alone after so many failures in a row.
fn backoff(failures: i32) -> TimeDelta {
    let doublings = u32::try_from(failures - 1).unwrap_or(0).min(10);
    TimeDelta::seconds((1_i64 << doublings).min(LONGEST_BACKOFF_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: Verdict = Verdict::Failed { wait: None };

    fn now() -> DateTime<Utc> {
        "2026-01-30T09:00:00Z".parse().expect("an instant")
    }

    fn settled(health: Health, attempts: &[(Verdict, i32, bool)]) -> Settled {
        let attempt = |&(verdict, failed_before, is_current)| Attempt { verdict, failed_before, is_current };
        let attempts: Vec<Attempt> = attempts.iter().map(attempt).collect();
        let schedule = Schedule::parse("10s,1m").expect("a schedule");
        settle(&health, &attempts, &schedule, &IdSource::seeded(1), now())
    }

    fn failing(failures: i32) -> Health {
        let success = now() - TimeDelta::hours(1);
        Health { failures, backoff_until: Some(now()), last_success_at: Some(success) }
    }

    #[test]
    fn a_party_that_fails_is_left_alone_for_longer_and_longer() {
        let seconds: Vec<i64> = (1..=9).map(|failures| backoff(failures).num_seconds()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(backoff(i32::MAX).num_seconds(), 60);
    }

    #[test]
    fn attempts_that_fail_together_count_once_and_the_longest_wait_is_heeded() {
        let wait = Some(TimeDelta::seconds(90));
        let Settled { health, jobs } = settled(failing(2), &[(FAILED, 0, true), (Verdict::Failed { wait }, 1, true)]);
        let until = Some(now() + TimeDelta::seconds(90));
        assert_eq!(health, Some(Health { failures: 3, backoff_until: until, ..failing(0) }));
        let Next::Retry(first) = jobs[0].next else { panic!("{jobs:?}") };
        assert!((9..=11).contains(&(first - now()).num_seconds()), "{first}");
        assert_eq!(jobs[1], JobChange { next: Next::Retry(now() + TimeDelta::seconds(90)), failed_attempts: 2 });
    }

    #[test]
    fn one_success_makes_the_party_well_and_each_job_goes_its_own_way() {
        let attempts = [(Verdict::Succeeded, 1, true), (FAILED, 2, true), (Verdict::Refused, 0, true)];
        let Settled { health, jobs } = settled(failing(7), &attempts);
        assert_eq!(health, Some(Health { failures: 0, backoff_until: None, last_success_at: Some(now()) }));
        let next: Vec<(Next, i32)> = jobs.iter().map(|job| (job.next, job.failed_attempts)).collect();
        assert_eq!(next, [(Next::Done, 1), (Next::Exhausted, 3), (Next::Refused, 1)]);
    }

    #[test]
    fn attempts_at_the_party_as_it_was_tell_nothing_about_it() {
        let attempts = [(FAILED, 1, false), (Verdict::Refused, 2, false), (Verdict::Succeeded, 0, false)];
        let Settled { health, jobs } = settled(failing(2), &attempts);
        assert_eq!(health, None);
        let next: Vec<(Next, i32)> = jobs.iter().map(|job| (job.next, job.failed_attempts)).collect();
        assert_eq!(next, [(Next::Retry(now()), 1), (Next::Retry(now()), 2), (Next::Done, 0)]);
    }
}
