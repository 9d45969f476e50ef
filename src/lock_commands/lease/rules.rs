//! What follows for an encoder and a command from how an attempt went. Pure: no I/O, no clock.

use chrono::{DateTime, Utc};

use super::model::{CommandChange, Ended};
use crate::id::IdSource;
use crate::lock_commands::{CommandStatus, Outcome};
use crate::queue::{self, Attempt, Health, JobChange, Next, Schedule, Verdict};

/// Settles an attempt at an encoder. A failure that no other attempt can mend comes from an encoder that works, and tells nothing
/// about its health: who has forgotten the card can ask again at once.
pub fn settle(
    ended: &Ended,
    schedule: &Schedule,
    ids: &IdSource,
    now: DateTime<Utc>,
) -> (Option<Health>, CommandChange) {
    let command = &ended.command;
    let (verdict, error) = match ended.outcome {
        Outcome::Succeeded => (Verdict::Succeeded, None),
        Outcome::Failed(failure) if failure.traits().is_retried => (Verdict::Failed { wait: None }, Some(failure)),
        Outcome::Failed(failure) => (Verdict::Refused, Some(failure)),
    };
    let attempt = Attempt { verdict, failed_before: command.failed_attempts, is_current: true };
    let settled = queue::settle(&ended.encoder.health, &[attempt], schedule, ids, now);
    let JobChange { next, failed_attempts } = settled.jobs[0];
    let (status, next_attempt_at) = match next {
        Next::Done => (CommandStatus::Succeeded, None),
        Next::Retry(at) if at < command.expires_at => (CommandStatus::Pending, Some(at)),
        Next::Retry(_) | Next::Refused | Next::Exhausted => (CommandStatus::Failed, None),
    };
    let finished_at = next_attempt_at.is_none().then_some(now);
    let health = settled.health.filter(|_| verdict != Verdict::Refused);
    (health, CommandChange { status, error, failed_attempts, next_attempt_at, finished_at })
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::super::model::{HeldCommand, HeldEncoder};
    use super::*;
    use crate::lock_commands::Failure;

    fn now() -> DateTime<Utc> {
        "2026-01-30T09:00:00Z".parse().expect("an instant")
    }

    /// After an attempt that so many failed before, when somebody waits for so many seconds more.
    fn settled(outcome: Outcome, failed_attempts: i32, patience: i64) -> (Option<Health>, CommandChange) {
        let command = HeldCommand {
            id: Uuid::nil(),
            encoder_id: Uuid::nil(),
            subject_id: Uuid::nil(),
            status: CommandStatus::Pending,
            error: None,
            failed_attempts,
            expires_at: now() + TimeDelta::seconds(patience),
            claim_id: Some(Uuid::nil()),
            leased_until: Some(now()),
        };
        let health = Health { failures: 1, ..Health::default() };
        let ended = Ended { encoder: HeldEncoder { id: Uuid::nil(), health }, command, outcome };
        let schedule = Schedule::parse("10s,20s").expect("a schedule");
        settle(&ended, &schedule, &IdSource::seeded(1), now())
    }

    #[test]
    fn a_success_is_the_end_and_makes_the_encoder_well() {
        let (health, change) = settled(Outcome::Succeeded, 1, 60);
        assert_eq!(health.map(|health| health.failures), Some(0));
        assert_eq!((change.status, change.error), (CommandStatus::Succeeded, None));
        assert_eq!((change.next_attempt_at, change.finished_at), (None, Some(now())));
    }

    #[test]
    fn a_failure_that_may_pass_is_followed_by_an_attempt_while_somebody_waits() {
        let failure = Outcome::Failed(Failure::EncoderNotOnline);
        let (health, change) = settled(failure, 0, 60);
        assert_eq!(health.map(|health| health.failures), Some(2));
        assert_eq!((change.status, change.failed_attempts), (CommandStatus::Pending, 1));
        let after = (change.next_attempt_at.expect("an attempt") - now()).num_seconds();
        assert!((9..=11).contains(&after), "{after}");
        // Its schedule is used up, or nobody waits so long.
        for (failed_before, patience) in [(2, 60), (0, 5)] {
            let change = settled(failure, failed_before, patience).1;
            assert_eq!((change.status, change.finished_at), (CommandStatus::Failed, Some(now())));
            assert_eq!(change.error, Some(Failure::EncoderNotOnline));
        }
    }

    #[test]
    fn a_failure_that_lasts_is_the_end_and_tells_nothing_about_the_encoder() {
        let (health, change) = settled(Outcome::Failed(Failure::NoCredentialOnEncoder), 0, 60);
        assert_eq!(health, None);
        assert_eq!((change.status, change.error), (CommandStatus::Failed, Some(Failure::NoCredentialOnEncoder)));
    }
}
