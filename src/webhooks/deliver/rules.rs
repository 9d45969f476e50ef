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

/// Distributes places among endpoints: one for each, then a second one, and so on, up to the limit of an endpoint.
///
/// Half of the places are for endpoints that have nothing on its way: a second webhook at a time is for when less than half are
/// taken. So endpoints that are slow to answer cannot keep others from their first one.
///
/// `waiting` is in the order in which they are served; `taken` of the `places` are taken already.
pub fn allot(
    waiting: &[EndpointKey],
    limit: u16,
    in_flight: &HashMap<EndpointKey, u16>,
    mut taken: usize,
    places: usize,
) -> Vec<(EndpointKey, u16)> {
    let mut allotted: Vec<(EndpointKey, u16)> = waiting.iter().map(|endpoint| (*endpoint, 0)).collect();
    for level in 1..=limit {
        let open = if level == 1 { places } else { places / 2 };
        for (endpoint, count) in &mut allotted {
            if taken >= open {
                break;
            }
            if in_flight.get(endpoint).copied().unwrap_or(0) + *count < level {
                *count += 1;
                taken += 1;
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
    /// It may have been changed meanwhile.
    pub url: String,
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
/// Attempts that ended together count once: any success makes the endpoint well, else it has failed once more. Attempts at a URL
/// that is not the endpoint's any more tell nothing about it: without others, nothing follows for the endpoint, and what failed
/// there is sent at once to where it is now.
pub fn settle(
    standing: &Standing,
    outcomes: &[&Outcome],
    schedule: &Schedule,
    ids: &IdSource,
    now: DateTime<Utc>,
) -> (Option<EndpointChange>, Vec<DeliveryChange>) {
    let is_current = |outcome: &&Outcome| outcome.claimed.url == standing.url;
    let current = || outcomes.iter().copied().filter(is_current);
    let succeeded = current().any(|outcome| outcome.answer.failure.is_none());
    let last_success_at = if succeeded { Some(now) } else { standing.last_success_at };
    let asked_to_wait = current().filter_map(|outcome| wait(outcome, now)).max().unwrap_or_default();
    let failures = if succeeded { 0 } else { standing.failures.saturating_add(1) };
    let backoff_until = (!succeeded).then(|| now + backoff(failures).max(asked_to_wait));
    let mut disabled_reason = None;
    let deliveries = outcomes
        .iter()
        .map(|outcome| {
            if !is_current(outcome) && outcome.answer.failure.is_some() {
                return begun_again(outcome, now);
            }
            let (change, reason) = settle_one(outcome, last_success_at, schedule, ids, now);
            disabled_reason = disabled_reason.take().or(reason);
            change
        })
        .collect();
    // Whoever disabled it by hand has decided already.
    let disabled_reason = disabled_reason.filter(|_| standing.status == EndpointStatus::Enabled);
    let change = EndpointChange { failures, backoff_until, last_success_at, disabled_reason };
    (current().next().map(|_| change), deliveries)
}

/// After a failure that does not count.
fn begun_again(outcome: &Outcome, now: DateTime<Utc>) -> DeliveryChange {
    DeliveryChange {
        status: DeliveryStatus::Pending,
        failed_attempts: outcome.claimed.failed_attempts,
        next_attempt_at: Some(now),
        finished_at: None,
    }
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
        let counts = |places| allot(&waiting, 4, &HashMap::new(), 0, places);
        assert_eq!(counts(10), [(endpoint(1), 2), (endpoint(2), 2), (endpoint(3), 1)]);
        assert_eq!(counts(2), [(endpoint(1), 1), (endpoint(2), 1)]);
        assert_eq!(counts(200), [(endpoint(1), 4), (endpoint(2), 4), (endpoint(3), 4)]);
        assert_eq!(counts(0), []);
    }

    #[test]
    fn what_is_on_its_way_counts_towards_the_limit_of_an_endpoint() {
        let in_flight = HashMap::from([(endpoint(1), 3), (endpoint(2), 4)]);
        let allotted = allot(&[endpoint(1), endpoint(2), endpoint(3)], 4, &in_flight, 7, 100);
        assert_eq!(allotted, [(endpoint(1), 1), (endpoint(3), 4)]);
    }

    #[test]
    fn endpoints_that_are_slow_leave_half_of_the_places_to_the_first_webhooks_of_others() {
        let slow: Vec<EndpointKey> = (0..100).map(endpoint).collect();
        let mut in_flight: HashMap<EndpointKey, u16> = HashMap::new();
        // However often they are given what is free.
        for _ in 0..10 {
            let taken = in_flight.values().map(|count| usize::from(*count)).sum();
            for (endpoint, count) in allot(&slow, 4, &in_flight, taken, 400) {
                *in_flight.entry(endpoint).or_default() += count;
            }
        }
        let taken = in_flight.values().map(|count| usize::from(*count)).sum();
        assert_eq!(taken, 200);
        let others: Vec<EndpointKey> = (100..400).map(endpoint).collect();
        let allotted = allot(&others, 4, &in_flight, taken, 400);
        assert_eq!(allotted.len(), 200);
        assert!(allotted.iter().all(|(_, count)| *count == 1));
    }
}
