//! Whose turn it is, and what follows from how attempts went. Pure: no I/O, no clock.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{EndpointKey, Outcome};
use crate::id::IdSource;
use crate::webhooks::model::{DeliveryStatus, EndpointStatus, Failure};
use crate::webhooks::schedule::{Schedule, backoff, retry_after};

/// Most deliveries that one process has on their way to one endpoint.
pub const PER_ENDPOINT: u16 = 4;
/// The same while the endpoint fails: one, to see whether it is well again.
pub const PER_FAILING_ENDPOINT: u16 = 1;

/// Distributes free places among endpoints: one for each, then a second one, and so on, up to the limit of an endpoint.
///
/// `waiting` is in the order in which they are served.
pub fn allot(
    waiting: &[EndpointKey],
    limit: u16,
    in_flight: &HashMap<EndpointKey, u16>,
    mut free: usize,
) -> Vec<(EndpointKey, u16)> {
    let room = |endpoint: &EndpointKey| limit.saturating_sub(in_flight.get(endpoint).copied().unwrap_or(0));
    let mut allotted: Vec<(EndpointKey, u16)> = waiting.iter().map(|endpoint| (*endpoint, 0)).collect();
    for round in 1..=limit {
        for (endpoint, count) in &mut allotted {
            if free == 0 {
                break;
            }
            if room(endpoint) >= round {
                *count = round;
                free -= 1;
            }
        }
    }
    allotted.retain(|(_, count)| *count > 0);
    allotted
}

/// How an endpoint stands before attempts are settled.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The endpoint.
    pub endpoint: EndpointKey,
    /// It may have been disabled meanwhile.
    pub status: EndpointStatus,
    /// Failures in a row.
    pub failures: i32,
    /// When it last accepted something.
    pub last_success_at: Option<DateTime<Utc>>,
}

/// How it stands afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointChange {
    /// Failures in a row.
    pub failures: i32,
    /// Until when it is left alone.
    pub backoff_until: Option<DateTime<Utc>>,
    /// When it last accepted something.
    pub last_success_at: Option<DateTime<Utc>>,
    /// Why it is disabled now, if it is.
    pub disabled_reason: Option<String>,
}

/// How a delivery stands after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryChange {
    /// How far it has got.
    pub status: DeliveryStatus,
    /// Failed attempts of the present run through the schedule.
    pub failed_attempts: i32,
    /// When it is tried again.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When it was delivered or given up.
    pub finished_at: Option<DateTime<Utc>>,
}

/// What follows from attempts at one endpoint that have ended: for the endpoint, and for each of the deliveries.
///
/// Attempts that ended together count once: any success makes the endpoint well, else it has failed once more.
pub fn settle(
    standing: &Standing,
    outcomes: &[&Outcome],
    schedule: &Schedule,
    ids: &IdSource,
    now: DateTime<Utc>,
) -> (EndpointChange, Vec<DeliveryChange>) {
    let succeeded = outcomes.iter().any(|outcome| outcome.answer.failure.is_none());
    let last_success_at = if succeeded { Some(now) } else { standing.last_success_at };
    let asked_to_wait = outcomes.iter().filter_map(|outcome| wait(outcome, now)).max().unwrap_or_default();
    let failures = if succeeded { 0 } else { standing.failures.saturating_add(1) };
    let backoff_until = (!succeeded).then(|| now + backoff(failures).max(asked_to_wait));
    let mut disabled_reason = None;
    let deliveries = outcomes
        .iter()
        .map(|outcome| {
            let (change, reason) = settle_one(outcome, last_success_at, schedule, ids, now);
            disabled_reason = disabled_reason.take().or(reason);
            change
        })
        .collect();
    // Whoever disabled it by hand has decided already.
    let disabled_reason = disabled_reason.filter(|_| standing.status == EndpointStatus::Enabled);
    (EndpointChange { failures, backoff_until, last_success_at, disabled_reason }, deliveries)
}

fn settle_one(
    outcome: &Outcome,
    last_success_at: Option<DateTime<Utc>>,
    schedule: &Schedule,
    ids: &IdSource,
    now: DateTime<Utc>,
) -> (DeliveryChange, Option<String>) {
    let began = outcome.claimed.run_began_at;
    let change = |status, failed_attempts, next_attempt_at, finished_at| DeliveryChange {
        status,
        failed_attempts,
        next_attempt_at,
        finished_at,
    };
    let Some(failure) = outcome.answer.failure else {
        return (change(DeliveryStatus::Delivered, outcome.claimed.failed_attempts, None, Some(now)), None);
    };
    let failed = outcome.claimed.failed_attempts + 1;
    if outcome.answer.status == Some(410) && failure == Failure::StatusRefused {
        let reason = "The endpoint answered 410 Gone".to_owned();
        return (change(DeliveryStatus::Held, failed, None, None), Some(reason));
    }
    if let Some(delay) = schedule.delay(failed, ids) {
        let delay = delay.max(wait(outcome, now).unwrap_or_default());
        return (change(DeliveryStatus::Pending, failed, Some(now + delay), None), None);
    }
    if last_success_at.is_some_and(|success| success >= began) {
        return (change(DeliveryStatus::Failed, failed, None, Some(now)), None);
    }
    let reason = format!(
        "Event {} could not be delivered: {failed} attempts failed since {}, and nothing else was delivered. The last \
         attempt: {}{}",
        outcome.claimed.message.id,
        began.format("%Y-%m-%d %H:%M UTC"),
        failure.words(),
        outcome.answer.status.map(|status| format!(" (status {status})")).unwrap_or_default(),
    );
    (change(DeliveryStatus::Held, failed, None, None), Some(reason))
}

fn wait(outcome: &Outcome, now: DateTime<Utc>) -> Option<TimeDelta> {
    outcome.answer.failure?;
    retry_after(outcome.answer.retry_after.as_deref()?, now)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn endpoint(id: u128) -> EndpointKey {
        EndpointKey { hotel: Uuid::nil(), id: Uuid::from_u128(id) }
    }

    #[test]
    fn every_endpoint_gets_a_place_before_one_gets_a_second() {
        let waiting = [endpoint(1), endpoint(2), endpoint(3)];
        let counts = |free| allot(&waiting, 4, &HashMap::new(), free);
        assert_eq!(counts(5), [(endpoint(1), 2), (endpoint(2), 2), (endpoint(3), 1)]);
        assert_eq!(counts(2), [(endpoint(1), 1), (endpoint(2), 1)]);
        assert_eq!(counts(100), [(endpoint(1), 4), (endpoint(2), 4), (endpoint(3), 4)]);
        assert_eq!(counts(0), []);
    }

    #[test]
    fn what_is_on_its_way_counts_towards_the_limit_of_an_endpoint() {
        let in_flight = HashMap::from([(endpoint(1), 3), (endpoint(2), 4)]);
        let allotted = allot(&[endpoint(1), endpoint(2), endpoint(3)], 4, &in_flight, 100);
        assert_eq!(allotted, [(endpoint(1), 1), (endpoint(3), 4)]);
    }
}
