//! The unit of work of one attempt at a request, which those who run parts of the request share.

use std::ops::{Deref, DerefMut};

use chrono::{DateTime, Utc};
use tokio::sync::{Mutex, MutexGuard};

use super::{Statements, Transactions, Tx};
use crate::actor::Actor;
use crate::error::{Error, ErrorCode, Result};

/// The one transaction of a request, opened when something first needs it. The first failure ends it: nothing of the request is
/// kept, and nothing more is run.
pub struct Unit {
    transactions: Transactions,
    /// On whose behalf.
    pub actor: Actor,
    /// The one instant at which everything in the attempt happens.
    pub now: DateTime<Utc>,
    /// Whether the request has been run before, and lost to another one.
    pub again: bool,
    statements: Statements,
    state: Mutex<State>,
}

enum State {
    /// No statement was run yet.
    Idle,
    /// Open, and everything went well so far.
    Open(Tx),
    /// Something went wrong. What it has done is still to be undone.
    Failed(Tx),
    /// Committed or rolled back.
    Ended,
}

impl Unit {
    /// A unit that has not begun.
    pub fn new(transactions: &Transactions, actor: Actor, statements: Statements, again: bool) -> Self {
        let now = transactions.clock.now();
        Self { transactions: transactions.clone(), actor, now, again, statements, state: Mutex::new(State::Idle) }
    }

    /// How many statements it has run, those of former attempts included.
    pub fn statements(&self) -> &Statements {
        &self.statements
    }

    /// The transaction, for one part of the request at a time. A request that is run again waits for its turn first: those that met
    /// in a deadlock pass one by one.
    ///
    /// # Errors
    /// `UNAVAILABLE`; `NOT_RUN` when the request has already failed.
    pub async fn lock(&self) -> Result<OpenTx<'_>> {
        let mut state = self.state.lock().await;
        if matches!(*state, State::Idle) {
            let tx = Tx::begin(&self.transactions, &self.actor, self.now).await?;
            let mut tx = tx.counted(&self.statements);
            if self.again {
                tx.wait_for_turn().await?;
            }
            *state = State::Open(tx);
        }
        match *state {
            State::Open(_) => Ok(OpenTx(state)),
            State::Idle | State::Failed(_) | State::Ended => Err(Error::of(ErrorCode::NotRun)),
        }
    }

    /// Keeps what was done in it.
    ///
    /// # Errors
    /// Those of [`Tx::commit`].
    pub(super) async fn commit(&self) -> Result<()> {
        match self.end().await {
            State::Open(tx) => tx.commit().await,
            State::Idle | State::Ended => Ok(()),
            State::Failed(tx) => {
                tx.rollback().await;
                Err(Error::internal("a request that had failed was to be kept"))
            }
        }
    }

    /// Undoes what was done in it, and waits until that is so.
    pub(super) async fn rollback(&self) {
        if let State::Open(tx) | State::Failed(tx) = self.end().await {
            tx.rollback().await;
        }
    }

    async fn end(&self) -> State {
        std::mem::replace(&mut *self.state.lock().await, State::Ended)
    }
}

/// The open transaction of a [`Unit`].
pub struct OpenTx<'a>(MutexGuard<'a, State>);

impl OpenTx<'_> {
    /// Says that the request has failed.
    pub fn fail(&mut self) {
        if let State::Open(tx) = std::mem::replace(&mut *self.0, State::Ended) {
            *self.0 = State::Failed(tx);
        }
    }
}

impl Deref for OpenTx<'_> {
    type Target = Tx;

    fn deref(&self) -> &Tx {
        match &*self.0 {
            State::Open(tx) | State::Failed(tx) => tx,
            State::Idle | State::Ended => unreachable!("a transaction that is locked is there"),
        }
    }
}

impl DerefMut for OpenTx<'_> {
    fn deref_mut(&mut self) -> &mut Tx {
        match &mut *self.0 {
            State::Open(tx) | State::Failed(tx) => tx,
            State::Idle | State::Ended => unreachable!("a transaction that is locked is there"),
        }
    }
}
