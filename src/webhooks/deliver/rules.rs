//! What follows for endpoints and deliveries from how attempts went. Pure: no I/O, no clock.

use chrono::{DateTime, Utc};

use super::model::{DeliveryChange, Ended, EndpointChange, EndpointHealth};
use crate::id::IdSource;
use crate::queue::{self, Attempt, JobChange, Next, Schedule, Verdict};
use crate::webhooks::client::Answer;
use crate::webhooks::model::{DeliveryStatus, EndpointStatus, Failure};
use crate::webhooks::schedule::retry_after;

/// Settles attempts at one endpoint that have ended: for the endpoint, and for each of the deliveries.
///
/// Attempts at a URL that is not the endpoint's any more tell nothing about it; what failed there is sent at once to where it is
/// now. An endpoint that is gone is disabled, and so is one that used up the schedule of a delivery while it accepted nothing.
pub fn settle(
    endpoint: &EndpointHealth,
    ended: &[&Ended],
    schedule: &Schedule,
    ids: &IdSource,
    now: DateTime<Utc>,
) -> (Option<EndpointChange>, Vec<DeliveryChange>) {
    let attempt = |one: &&Ended| Attempt {
        verdict: verdict(&one.outcome.answer, now),
        failed_before: one.job.failed_attempts,
        is_current: one.job.url == endpoint.url,
    };
    let attempts: Vec<Attempt> = ended.iter().map(attempt).collect();
    let settled = queue::settle(&endpoint.health, &attempts, schedule, ids, now);
    let last_success_at = settled.health.as_ref().unwrap_or(&endpoint.health).last_success_at;
    let mut disabled_reason = None;
    let deliveries = ended.iter().zip(settled.jobs).map(|(one, JobChange { next, failed_attempts })| {
        let accepted_others = last_success_at.is_some_and(|success| success >= one.job.run_began_at);
        let (status, next_attempt_at, finished_at) = match next {
            Next::Done => (DeliveryStatus::Delivered, None, Some(now)),
            Next::Retry(at) => (DeliveryStatus::Pending, Some(at), None),
            Next::Exhausted if accepted_others => (DeliveryStatus::Failed, None, Some(now)),
            Next::Refused | Next::Exhausted => {
                disabled_reason.get_or_insert_with(|| reason(one, next, failed_attempts));
                (DeliveryStatus::Held, None, None)
            }
        };
        DeliveryChange { status, failed_attempts, next_attempt_at, finished_at }
    });
    let deliveries = deliveries.collect();
    // One that was disabled by hand stays so.
    let disabled_reason = disabled_reason.filter(|_| endpoint.status == EndpointStatus::Enabled);
    (settled.health.map(|health| EndpointChange { health, disabled_reason }), deliveries)
}

fn verdict(answer: &Answer, now: DateTime<Utc>) -> Verdict {
    match answer.failure {
        None => Verdict::Succeeded,
        Some(Failure::StatusRefused) if answer.status == Some(410) => Verdict::Refused,
        Some(_) => Verdict::Failed { wait: answer.retry_after.as_deref().and_then(|header| retry_after(header, now)) },
    }
}

/// Why an endpoint is disabled after an attempt.
fn reason(ended: &Ended, next: Next, failed: i32) -> String {
    if next == Next::Refused {
        return "The endpoint answered 410 Gone".to_owned();
    }
    let (delivery, answer) = (&ended.job, &ended.outcome.answer);
    format!(
        "Event {} could not be delivered: {failed} attempts failed since {}, and nothing else was delivered. The last \
         attempt: {}{}",
        delivery.message.id,
        delivery.run_began_at.format("%Y-%m-%d %H:%M UTC"),
        answer.failure.map_or("", Failure::words),
        answer.status.map(|status| format!(" (status {status})")).unwrap_or_default(),
    )
}
