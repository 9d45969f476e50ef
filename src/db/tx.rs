//! The unit of work.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::postgres::{PgDatabaseError, PgSeverity};

use super::{PATIENCE, Transaction};
use crate::actor::{Actor, Mode};
use crate::app::App;
use crate::audit::{Entry, Journal, Reason};
use crate::error::{Error, ErrorCode, Result};
use crate::events::{self, Change, Changes};
use crate::room_stays::{self, Unwritten};

/// Longest that a request of a test key waits for a lock: what will be undone must not stand in a queue before what is
/// real.
const SANDBOX_LOCK_TIMEOUT: &str = "200ms";

/// How many statements a request has run, for its log line. Whoever holds a clone sees those of the commit, too.
#[derive(Clone, Debug, Default)]
pub struct Statements(Arc<AtomicU32>);

impl Statements {
    /// Counts more of them.
    pub fn add(&self, count: u32) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// How many so far. `BEGIN`, `COMMIT` and `ROLLBACK` are none.
    pub fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One transaction: everything that one request changes.
///
/// Services take `&mut Tx` in functions whose names end in `_in`; they compose and never commit. Whoever opened it commits
/// once. Dropping it rolls back.
pub struct Tx {
    inner: Transaction,
    /// On whose behalf.
    pub actor: Actor,
    /// The one instant at which everything in it happens.
    pub now: DateTime<Utc>,
    /// Ids, secrets, secret keys.
    pub app: App,
    changes: Changes,
    journal: Journal,
    /// What was done to keys and the stays that they are on, and is still to be written.
    pub(crate) unwritten: Unwritten,
    deliveries: u64,
    statements: Statements,
}

impl Tx {
    /// Opens a transaction for `actor`, in which everything happens at `now`.
    pub async fn begin(app: &App, actor: &Actor, now: DateTime<Utc>) -> Result<Self> {
        let lock_timeout = (actor.mode == Mode::Test).then_some(SANDBOX_LOCK_TIMEOUT);
        let inner = app.pool.begin(actor.hotel.id, lock_timeout).await?;
        let (journal, changes) =
            (Journal::of_request(actor.request_id.clone(), actor.traceparent.clone()), Changes::default());
        let (actor, app) = (actor.clone(), app.clone());
        let unwritten = Unwritten::default();
        Ok(Self {
            inner,
            actor,
            now,
            app,
            changes,
            journal,
            unwritten,
            deliveries: 0,
            statements: Statements::default(),
        })
    }

    /// Has its statements counted among those of the request.
    #[must_use]
    pub fn counted(mut self, statements: &Statements) -> Self {
        self.statements = statements.clone();
        self
    }

    /// The connection, for one statement of a store.
    ///
    /// # Panics
    /// While something is unwritten, which the statement would not see: [`Tx::write_out`] comes first.
    pub fn conn(&mut self) -> &mut PgConnection {
        assert!(self.unwritten.is_empty(), "what is unwritten is written before anything else is done");
        self.conn_beside_unwritten()
    }

    /// The connection, for a statement that neither reads nor writes what may be unwritten.
    pub(crate) fn conn_beside_unwritten(&mut self) -> &mut PgConnection {
        self.statements.add(1);
        &mut self.inner
    }

    /// Waits until no other transaction of the hotel is past this point.
    pub async fn wait_for_turn(&mut self) -> Result<()> {
        let (_, random) = self.actor.hotel.id.as_u64_pair();
        sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(random.cast_signed()).execute(self.conn()).await?;
        Ok(())
    }

    /// Writes what is unwritten. What it knew of held stays is forgotten, as they may now be changed otherwise.
    pub async fn write_out(&mut self) -> Result<()> {
        let unwritten = self.unwritten.take();
        if unwritten.is_empty() { Ok(()) } else { room_stays::write_in(self, unwritten).await }
    }

    /// Says what was changed. It becomes an event when the transaction commits, and nothing when it does not.
    pub fn emit(&mut self, change: Change) {
        self.journal.note(Entry::from(&change));
        self.changes.push(change);
    }

    /// Says what was done that is no event, or what there is to say beside one that was emitted. It becomes part of the
    /// audit trail when the transaction commits.
    pub fn audit(&mut self, entry: Entry) {
        self.journal.note(entry);
    }

    /// Begins the next act of the request, such as a mutation, with the reason that staff gave for it.
    pub fn begin_act(&mut self, reason: Option<Reason>) {
        self.journal.begin_act(reason);
    }

    /// Says that there are deliveries to send when it commits, beside those of its events.
    pub fn deliveries_added(&mut self, count: u64) {
        self.deliveries += count;
    }

    /// Undoes it, and waits until its locks are free: whoever is told of a failure may try again at once.
    pub async fn rollback(self) {
        // A connection that cannot even roll back is lost, and its transaction with it.
        let _ = self.inner.rollback().await;
    }

    /// Ends it: what a live key did is kept, its events and its audit trail with it; what a test key did is undone.
    pub async fn commit(mut self) -> Result<()> {
        if self.actor.mode == Mode::Test {
            return Ok(self.inner.rollback().await?);
        }
        let writing = tokio::time::timeout(PATIENCE, self.write_what_is_left());
        let of_events = writing.await.map_err(|_| Error::of(ErrorCode::DeadlineExceeded))??;
        self.inner.commit().await.map_err(commit_error)?;
        if of_events + self.deliveries > 0 {
            self.app.deliveries_wake.notify_one();
        }
        Ok(())
    }

    /// Writes what is unwritten, the events and the audit trail. Tells how many deliveries the events have.
    async fn write_what_is_left(&mut self) -> Result<u64> {
        self.write_out().await?;
        let changes = std::mem::take(&mut self.changes).into_inner();
        let (hotel, principal, now) = (self.actor.hotel.id, self.actor.principal, self.now);
        let (ids, journal) = (&self.app.ids, &self.journal);
        self.statements.add(events::statements_of(&changes, journal));
        events::write_with_in(&mut self.inner, ids, hotel, principal, now, &changes, journal).await
    }
}

/// A commit that PostgreSQL refused was not made; one that got no answer, or the last words of a session, may have been.
fn commit_error(error: sqlx::Error) -> Error {
    let severity = error.as_database_error().and_then(|error| error.try_downcast_ref()).map(PgDatabaseError::severity);
    if severity == Some(PgSeverity::Error) {
        return error.into();
    }
    Error { source: Some(Box::new(error)), ..Error::of(ErrorCode::OutcomeUnknown) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_without_an_answer_has_an_unknown_outcome() {
        let lost = commit_error(sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into()));
        assert_eq!(lost.code, ErrorCode::OutcomeUnknown);
        assert!(!lost.retry, "running it again could do it twice");
    }
}
