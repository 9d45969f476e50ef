//! The runner of requests that change something, for every facade: attempts, their deadline, their commit.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::{Statements, Transactions, Unit};
use crate::actor::Actor;
use crate::error::{Error, ErrorCode};

/// Longest that a request may take, from its beginning to its commit.
pub const DEADLINE: Duration = Duration::from_secs(5);
/// How often a request is run when others keep it from finishing.
const ATTEMPTS: u32 = 4;

/// How an attempt at a request ended, with its answer.
pub enum Attempt<T> {
    /// What it did is to be kept.
    Commit(T),
    /// Nothing is to be kept of it.
    Rollback(T),
    /// It lost to another one in the database (deadlock, serialization), and may be run again as a whole.
    Retry(T),
}

impl<T> Attempt<T> {
    /// An attempt that failed: it may be run again when the database asks for it.
    pub fn failed(answer: T, retry: bool) -> Self {
        if retry { Self::Retry(answer) } else { Self::Rollback(answer) }
    }
}

/// Why a request has no answer of its own. Nothing of it is kept, unless the error says that this is unknown.
#[derive(Debug)]
pub enum Failure {
    /// It was not done by its deadline.
    Deadline,
    /// It could not be committed.
    Commit(Error),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Deadline => Self::of(ErrorCode::DeadlineExceeded),
            Failure::Commit(error) => error,
        }
    }
}

/// Runs a request: each attempt in a unit of its own, which is committed or rolled back as the attempt says. Those after the first
/// one come after a pause and take turns.
///
/// The deadline ends an attempt before its commit begins, never during it: its outcome would be unknown. Must not be dropped before
/// it is done.
pub async fn run<T, W: Future<Output = Attempt<T>>>(
    transactions: &Transactions,
    actor: &Actor,
    statements: &Statements,
    deadline: Instant,
    mut work: impl FnMut(Arc<Unit>) -> W,
) -> Result<T, Failure> {
    let mut number = 1;
    loop {
        let unit = Arc::new(Unit::new(transactions, actor.clone(), statements.clone(), number > 1));
        let is_last = number == ATTEMPTS;
        // Its connection rolls back by itself where it is given up: nobody waits for that beyond the deadline.
        match timeout_at(deadline, work(Arc::clone(&unit))).await.map_err(|_| Failure::Deadline)? {
            Attempt::Commit(answer) => match unit.commit().await {
                Ok(()) => return Ok(answer),
                Err(error) if error.retry && !is_last => {}
                Err(error) => return Err(Failure::Commit(error)),
            },
            Attempt::Retry(_) if !is_last => unit.rollback().await,
            Attempt::Rollback(answer) | Attempt::Retry(answer) => {
                unit.rollback().await;
                return Ok(answer);
            }
        }
        sleep(pause(transactions, number)).await;
        number += 1;
    }
}

/// A random time that grows with each attempt, so that those that met once do not meet again.
fn pause(transactions: &Transactions, attempt: u32) -> Duration {
    let mut random = [0_u8; 2];
    transactions.ids.fill(&mut random);
    Duration::from_micros(u64::from(u16::from_be_bytes(random)) / 2 * u64::from(attempt))
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use chrono::NaiveTime;
    use chrono_tz::Tz;
    use uuid::Uuid;

    use super::*;
    use crate::actor::Principal;
    use crate::app::App;
    use crate::hotels::Hotel;

    fn actor() -> Actor {
        let hotel = Hotel {
            id: Uuid::nil(),
            slug: String::new(),
            name: String::new(),
            time_zone: Tz::UTC,
            check_in_time: NaiveTime::MIN,
            check_out_time: NaiveTime::MIN,
            room_access_keys_enabled: true,
            is_sandbox: false,
        };
        Actor::without_request(Arc::new(hotel), Principal::Operator)
    }

    /// Runs a request whose attempts end as told, and answers how often it was run.
    async fn attempts(ends: fn(&Unit, u32) -> Attempt<u32>) -> Result<u32, Failure> {
        let (app, mut count) = (App::without_database(), 0);
        let deadline = Instant::now() + DEADLINE;
        run(&app, &actor(), &Statements::default(), deadline, |unit| {
            count += 1;
            std::future::ready(ends(&unit, count))
        })
        .await
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_loses_is_run_again_after_a_pause_but_not_for_ever() {
        let began = Instant::now();
        assert_eq!(attempts(|_, count| Attempt::Retry(count)).await.ok(), Some(ATTEMPTS));
        assert!(began.elapsed() > Duration::ZERO, "it paused");
        let second = attempts(|unit, count| if unit.again { Attempt::Commit(count) } else { Attempt::Retry(count) });
        assert_eq!(second.await.ok(), Some(2));
        assert_eq!(attempts(|_, count| Attempt::Rollback(count)).await.ok(), Some(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_is_given_up_at_its_deadline() {
        let (app, began) = (App::without_database(), Instant::now());
        let (actor, statements) = (actor(), Statements::default());
        let never = run(&app, &actor, &statements, began + DEADLINE, |_| pending::<Attempt<()>>());
        assert!(matches!(never.await, Err(Failure::Deadline)));
        assert_eq!(began.elapsed(), DEADLINE);
    }
}
