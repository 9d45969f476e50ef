//! Requests that were refused because the database was away or busy, or there were too many: one line of the log a second,
//! with how many there were. Each has a line of its own only at the level debug.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::sleep;

use super::answer::Outcome;
use crate::error::ErrorCode;

/// How often there is a line.
const EVERY: Duration = Duration::from_secs(1);

/// What was refused since the last line. Cheap to clone; clones share it.
#[derive(Clone, Default)]
pub(super) struct Refusals(Arc<Mutex<Refused>>);

#[derive(Default)]
struct Refused {
    unavailable: u64,
    overloaded: u64,
    /// Of the first one.
    causes: Option<String>,
    /// Somebody will write the line.
    due: bool,
}

impl Refusals {
    /// Counts a request, if it is one of them.
    pub(super) fn count(&self, outcome: &Outcome) -> bool {
        let codes = &outcome.codes;
        let is = |code: ErrorCode| codes.contains(&code);
        let only =
            |code: &ErrorCode| matches!(code, ErrorCode::Unavailable | ErrorCode::Overloaded | ErrorCode::NotRun);
        let (unavailable, overloaded) = (is(ErrorCode::Unavailable), is(ErrorCode::Overloaded));
        if !(unavailable || overloaded) || !codes.iter().all(only) {
            return false;
        }
        let mut refused = self.refused();
        refused.unavailable += u64::from(unavailable);
        refused.overloaded += u64::from(overloaded);
        if refused.causes.is_none() && !outcome.causes.is_empty() {
            refused.causes = Some(outcome.causes.join("; "));
        }
        if !std::mem::replace(&mut refused.due, true) {
            let refusals = self.clone();
            tokio::spawn(async move {
                sleep(EVERY).await;
                refusals.write();
            });
        }
        true
    }

    /// Writes the line of what was counted, if there is anything.
    pub(super) fn write(&self) {
        let Refused { unavailable, overloaded, causes, due } = std::mem::take(&mut *self.refused());
        if due {
            tracing::warn!(unavailable, overloaded, error.causes = causes, "requests refused");
        }
    }

    fn refused(&self) -> MutexGuard<'_, Refused> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
