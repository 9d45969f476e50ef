//! A transaction with what belongs to its commit: what is pending in it, and what follows its changes.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use sqlx::PgConnection;
use sqlx::postgres::{PgDatabaseError, PgSeverity};
use tokio::sync::Notify;

use super::{Transactions, store};
use crate::actor::{Actor, Mode, Principal};
use crate::audit::{Entry, Journal, Reason};
use crate::context::Context;
use crate::db::{PATIENCE, Transaction, WORKER_PATIENCE};
use crate::error::{Error, ErrorCode, Result};
use crate::events::{self, Change, Changes};
use crate::hotels::Hotel;

/// Longest that a request of a test key waits for a lock: what will be undone must not stand in a queue before what is
/// real.
const SANDBOX_LOCK_TIMEOUT: &str = "200ms";

/// Rounds in which followers may answer changes with changes.
const ROUNDS: usize = 4;

/// How many statements a request has run, for its log line. The holder of a clone sees those of the commit, too.
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

/// One transaction of one hotel: everything that one request changes, or one piece of work beside the requests.
///
/// Services take `&mut Tx` in functions whose names end in `_in`; they compose and never commit. The code that opened it
/// commits once. Dropping it rolls back.
pub struct Tx {
    inner: Transaction,
    /// On whose behalf.
    pub actor: Actor,
    /// The one instant at which everything in it happens.
    pub now: DateTime<Utc>,
    /// Ids, secrets, secret keys.
    pub context: Context,
    transactions: Transactions,
    changes: Changes,
    /// What the followers have not been given yet.
    to_follow: Changes,
    journal: Journal,
    pending: Vec<Box<dyn Pending>>,
    deliveries: u64,
    /// Workers that wait for its commit.
    wakes: Vec<fn(&Context) -> &Notify>,
    statements: Statements,
    /// Longest that the commit writes; `None` for as long as it takes.
    patience: Option<Duration>,
}

impl Tx {
    /// Opens a transaction of a request, in which everything happens at `now`.
    pub async fn begin(transactions: &Transactions, actor: &Actor, now: DateTime<Utc>) -> Result<Self> {
        let lock_timeout = (actor.mode == Mode::Test).then_some(SANDBOX_LOCK_TIMEOUT);
        let inner = transactions.pool.begin(actor.hotel.id, lock_timeout).await?;
        Ok(Self::new(transactions, inner, actor.clone(), now).patient_for(Some(PATIENCE)))
    }

    /// Opens a transaction of a worker, an import or the command line, in which everything happens at `now`.
    pub async fn begin_worker(
        transactions: &Transactions,
        hotel: Arc<Hotel>,
        principal: Principal,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let inner = transactions.worker_pool.begin().await?;
        let actor = Actor::without_request(hotel, principal);
        Ok(Self::new(transactions, inner, actor, now).patient_for(Some(WORKER_PATIENCE)))
    }

    fn new(transactions: &Transactions, inner: Transaction, actor: Actor, now: DateTime<Utc>) -> Self {
        Self {
            inner,
            journal: Journal::of_request(actor.request_id.clone(), actor.traceparent.clone()),
            actor,
            now,
            context: transactions.context.clone(),
            transactions: transactions.clone(),
            changes: Changes::default(),
            to_follow: Changes::default(),
            pending: Vec::new(),
            deliveries: 0,
            wakes: Vec::new(),
            statements: Statements::default(),
            patience: None,
        }
    }

    /// Has its statements counted among those of the request.
    #[must_use]
    pub fn counted(mut self, statements: &Statements) -> Self {
        self.statements = statements.clone();
        self
    }

    /// Limits how long its commit may write; `None` lets it write for as long as it takes.
    #[must_use]
    pub fn patient_for(mut self, patience: Option<Duration>) -> Self {
        self.patience = patience;
        self
    }

    /// The connection, for one statement of a store. What is pending is written first.
    ///
    /// # Errors
    /// Those of what is pending.
    pub async fn conn(&mut self) -> Result<&mut PgConnection> {
        self.flush().await?;
        Ok(self.conn_beside_pending())
    }

    /// The connection, for a statement that neither reads nor writes what may be pending.
    pub(crate) fn conn_beside_pending(&mut self) -> &mut PgConnection {
        self.statements.add(1);
        &mut self.inner
    }

    /// What is pending of one kind, to look at it or to add to it.
    pub fn pending<P: Pending + Default>(&mut self) -> &mut P {
        let wanted = self.pending.iter().position(|pending| (&**pending as &dyn Any).is::<P>());
        let at = wanted.unwrap_or_else(|| {
            self.pending.push(Box::<P>::default());
            self.pending.len() - 1
        });
        (&mut *self.pending[at] as &mut dyn Any).downcast_mut().expect("it was found by its type")
    }

    /// Writes what is pending.
    ///
    /// # Errors
    /// Those of what is pending.
    pub async fn flush(&mut self) -> Result<()> {
        while let Some(at) = self.pending.iter().position(|pending| !pending.is_empty()) {
            self.pending.remove(at).write(self).await?;
        }
        Ok(())
    }

    /// Waits until no other transaction of the hotel is past this point.
    pub(super) async fn wait_for_turn(&mut self) -> Result<()> {
        let hotel = self.actor.hotel.id;
        store::wait_for_turn(self.conn().await?, hotel).await
    }

    /// Says what was changed. It becomes an event when the transaction commits, and nothing when it does not.
    pub fn emit(&mut self, change: Change) {
        self.journal.note(Entry::from(&change));
        if !self.transactions.followers.is_empty() {
            self.to_follow.push(change.clone());
        }
        self.changes.push(change);
    }

    /// Says what was done that is no event, or what there is to say beside one that was emitted. It becomes part of the
    /// audit trail when the transaction commits.
    pub fn audit(&mut self, entry: Entry) {
        self.journal.note(entry);
    }

    /// Says what was changed in bulk: changes of different records, and an entry of the audit trail for each record. Nothing else is
    /// said of these records in the transaction, so nothing is merged.
    pub fn record_bulk(&mut self, changes: Vec<Change>, entries: impl IntoIterator<Item = Entry>) {
        self.journal.extend(entries);
        if !self.transactions.followers.is_empty() {
            self.to_follow.extend(changes.iter().cloned());
        }
        self.changes.extend(changes);
    }

    /// Begins the next act of the request, such as a mutation, with the reason that staff gave for it.
    pub fn begin_act(&mut self, reason: Option<Reason>) {
        self.journal.begin_act(reason);
    }

    /// Says that there are deliveries to send when it commits, beside those of its events.
    pub fn deliveries_added(&mut self, count: u64) {
        self.deliveries += count;
    }

    /// Has a worker of this process woken when it commits: there is something to do for it.
    pub fn wake_on_commit(&mut self, worker: fn(&Context) -> &Notify) {
        self.wakes.push(worker);
    }

    /// Undoes it, and waits until its locks are free: a caller that learns of a failure may try again at once.
    pub async fn rollback(self) {
        // A connection that cannot even roll back is lost, and its transaction with it.
        let _ = self.inner.rollback().await;
    }

    /// Ends it: what was done is kept, its events and its audit trail with it. What a test key did is written, so that its refusals
    /// are answered, and then undone.
    pub async fn commit(mut self) -> Result<()> {
        let patience = self.patience;
        let writing = self.write_what_is_left();
        let of_events = match patience {
            Some(patience) => {
                tokio::time::timeout(patience, writing).await.map_err(|_| Error::of(ErrorCode::DeadlineExceeded))?
            }
            None => writing.await,
        }?;
        if self.actor.mode == Mode::Test {
            return Ok(self.inner.rollback().await?);
        }
        self.inner.commit().await.map_err(commit_error)?;
        if of_events + self.deliveries > 0 {
            self.context.deliveries_wake.notify_one();
        }
        for wake in self.wakes {
            wake(&self.context).notify_one();
        }
        Ok(())
    }

    /// Writes what is pending and what follows, and then, with a live key, the events and the audit trail. Tells how many deliveries
    /// the events have.
    async fn write_what_is_left(&mut self) -> Result<u64> {
        self.follow().await?;
        self.flush().await?;
        if self.actor.mode == Mode::Test {
            return Ok(0);
        }
        let changes = std::mem::take(&mut self.changes).into_events();
        let (hotel, principal, now) = (self.actor.hotel.id, self.actor.principal, self.now);
        let (ids, journal) = (&self.context.ids, &self.journal);
        self.statements.add(events::statements_of(&changes, journal));
        events::write_in(&mut self.inner, ids, hotel, principal, now, &changes, journal).await
    }

    /// Gives the changes so far to the followers, round by round, until nothing new is emitted. The commit does so by itself; what reads or
    /// changes what follows others does so before.
    ///
    /// # Errors
    /// Those of the followers.
    pub async fn follow(&mut self) -> Result<()> {
        let followers = Arc::clone(&self.transactions.followers);
        for _ in 0..ROUNDS {
            let changes = std::mem::take(&mut self.to_follow).into_merged();
            if changes.is_empty() {
                return Ok(());
            }
            // The reason of the last act is not theirs.
            self.begin_act(None);
            for follower in followers.iter() {
                follower.follow(self, &changes).await?;
            }
        }
        if std::mem::take(&mut self.to_follow).into_merged().is_empty() {
            return Ok(());
        }
        Err(Error::internal("followers go on emitting changes"))
    }
}

/// Writes of a capability that wait for each other, so that many of them take few statements.
///
/// They are checked when they are noted, under the locks that they need. The transaction writes them when it commits, and before
/// it hands out its connection for anything else ([`Tx::conn`]).
pub trait Pending: Any + Send + Sync {
    /// Whether there is nothing to write, nor anything that is known only until something else is done.
    fn is_empty(&self) -> bool;

    /// Writes everything.
    fn write(self: Box<Self>, tx: &mut Tx) -> BoxFuture<'_, Result<()>>;
}

/// A capability whose records follow those of others, such as what opens doors follows a stay.
///
/// Before a transaction commits, each follower is given its changes, merged by object, in the order in which the objects first
/// changed. Whatever followers emit themselves is given to all of them in the next round. Transactions of test keys are followed,
/// too, and then undone.
pub trait Follower: Send + Sync {
    /// Changes rows and emits events as `changes` demand. What it refuses fails the transaction.
    fn follow<'a>(&'a self, tx: &'a mut Tx, changes: &'a [Change]) -> BoxFuture<'a, Result<()>>;
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
