//! What the operations of one HTTP request share: who asks, when, and the one transaction of its mutations.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::Context;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use tokio::sync::{Mutex, MutexGuard, Semaphore, SemaphorePermit};
use uuid::Uuid;

use crate::actor::Actor;
use crate::app::App;
use crate::db::{PooledConnection, Statements, Tx};
use crate::error::{Error, ErrorCode, Result};
use crate::idempotency::{self, Claim, Idempotency, KeptAnswer};

/// Connections that one request reads from at the same time.
const MOST_READERS: usize = 2;

/// See the module.
pub struct RequestContext {
    /// The parts of Latchkey.
    pub app: App,
    /// Who asks.
    pub actor: Actor,
    /// The instant of the request.
    pub now: DateTime<Utc>,
    /// Whether the request has a mutation: then its queries read inside the transaction, too.
    pub mutates: bool,
    /// Stays that its mutations of keys will hold.
    announced: Vec<Uuid>,
    /// The connection that the actor was found on, for the first that reads.
    admitted: std::sync::Mutex<Option<PooledConnection>>,
    /// Whether it has waited for a connection in vain. It does so once, not again for each field and each way to answer.
    unavailable: AtomicBool,
    unit: Mutex<Unit>,
    /// Root fields of a query run at the same time; one request does not take all connections for them.
    readers: Semaphore,
    statements: Statements,
}

enum Unit {
    /// No statement was run yet.
    Idle,
    /// Open, and everything went well so far.
    Open(Tx),
    /// Something went wrong: nothing of the request will be kept, and nothing more is run. What it has done is still to be
    /// undone.
    Failed(Tx),
    /// The same, and it is undone.
    Poisoned,
}

impl RequestContext {
    /// A context for a request that has not begun.
    ///
    /// `conn` is a connection that sees the rows of the actor's hotel, where there is one already, or will be told by the first
    /// statement on it. It is of no use to a transaction, which opens its own.
    pub fn new(app: App, actor: Actor, conn: Option<PooledConnection>, mutates: bool) -> Self {
        let now = app.clock.now();
        let conn = match conn {
            Some(conn) if mutates => {
                conn.give_back();
                None
            }
            conn => conn,
        };
        Self {
            app,
            actor,
            now,
            mutates,
            announced: Vec::new(),
            admitted: std::sync::Mutex::new(conn),
            unavailable: AtomicBool::new(false),
            unit: Mutex::new(Unit::Idle),
            readers: Semaphore::new(MOST_READERS),
            statements: Statements::default(),
        }
    }

    /// Says which stays the mutations of keys will hold, so that they are held together with the first of them.
    #[must_use]
    pub fn announcing(mut self, stays: Vec<Uuid>) -> Self {
        self.announced = stays;
        self
    }

    /// The context of the field that is being resolved.
    pub fn of<'a>(ctx: &'a Context<'_>) -> &'a Self {
        ctx.data_unchecked::<std::sync::Arc<Self>>()
    }

    /// Statements so far.
    pub fn statements(&self) -> u32 {
        self.statements.count()
    }

    /// A session for a query.
    ///
    /// # Errors
    /// `UNAVAILABLE`; `NOT_RUN` when the request has already failed.
    pub async fn read(&self) -> Result<Session<'_>> {
        let source = if self.mutates {
            let mut unit = self.open().await?;
            open_tx(&mut unit).write_out().await?;
            Source::Tx(unit)
        } else {
            let permit = self.readers.acquire().await.map_err(Error::internal)?;
            let admitted = self.admitted.lock().unwrap_or_else(PoisonError::into_inner).take();
            let conn = match admitted {
                Some(conn) => conn,
                None if self.unavailable.load(Ordering::Relaxed) => return Err(Error::of(ErrorCode::Unavailable)),
                None => {
                    let conn = self.app.pool.of_hotel(self.actor.hotel.id).await;
                    self.unavailable.fetch_or(conn.is_err(), Ordering::Relaxed);
                    conn?
                }
            };
            Source::Pool(Some(conn), permit)
        };
        Ok(Session { context: self, source, unfinished: false })
    }

    /// A session for a mutation. Unless the mutation says [`Session::done`], the request has failed.
    ///
    /// # Errors
    /// `UNAVAILABLE`; `NOT_RUN` when the request has already failed.
    pub async fn write(&self) -> Result<Session<'_>> {
        let mut session = self.write_keys().await?;
        session.write_out().await?;
        Ok(session)
    }

    /// A session for a mutation of keys, which adds to what is unwritten ([`crate::room_stays::Unwritten`]).
    ///
    /// # Errors
    /// As those of [`RequestContext::write`].
    pub async fn write_keys(&self) -> Result<Session<'_>> {
        let mut unit = self.open().await?;
        open_tx(&mut unit).begin_act(None);
        Ok(Session { context: self, source: Source::Tx(unit), unfinished: true })
    }

    async fn open(&self) -> Result<MutexGuard<'_, Unit>> {
        let mut unit = self.unit.lock().await;
        if matches!(*unit, Unit::Idle) {
            let mut tx = Tx::begin(&self.app, &self.actor, self.now).await?.counted(&self.statements);
            tx.unwritten.announce(self.announced.clone());
            *unit = Unit::Open(tx);
        }
        if matches!(*unit, Unit::Failed(_) | Unit::Poisoned) {
            return Err(Error::of(ErrorCode::NotRun));
        }
        Ok(unit)
    }

    /// Waits until no other request of the hotel is being run again. Those that met in a deadlock then pass one by one.
    ///
    /// # Errors
    /// `UNAVAILABLE`
    pub async fn wait_for_turn(&self) -> Result<()> {
        let mut unit = self.open().await?;
        open_tx(&mut unit).wait_for_turn().await
    }

    /// Claims the request's idempotency key, before anything else happens in it.
    ///
    /// # Errors
    /// `IDEMPOTENCY_KEY_IN_USE`, `IDEMPOTENCY_KEY_REUSED`, `UNAVAILABLE`
    pub async fn claim(&self, request: &Idempotency, again: bool) -> Result<Claim> {
        let mut unit = self.open().await?;
        idempotency::claim_in(open_tx(&mut unit), request, again).await
    }

    /// Keeps the answer to the request, if it is kept itself.
    ///
    /// # Errors
    /// `UNAVAILABLE`; `NOT_RUN` when the request has already failed.
    pub async fn keep(&self, request: &Idempotency, answer: &KeptAnswer) -> Result<()> {
        let mut unit = self.open().await?;
        let tx = open_tx(&mut unit);
        tx.write_out().await?;
        idempotency::keep_in(tx, request, answer).await
    }

    /// Makes sure that nothing of the request is kept and that nothing more is run.
    pub async fn poison(&self) {
        let mut unit = self.unit.lock().await;
        if let Unit::Open(tx) | Unit::Failed(tx) = std::mem::replace(&mut *unit, Unit::Poisoned) {
            tx.rollback().await;
        }
    }

    /// Keeps what the request changed, if it changed anything and nothing failed.
    pub async fn finish(&self) -> Result<()> {
        match std::mem::replace(&mut *self.unit.lock().await, Unit::Poisoned) {
            Unit::Open(tx) => tx.commit().await,
            Unit::Idle | Unit::Failed(_) | Unit::Poisoned => Ok(()),
        }
    }
}

impl Drop for RequestContext {
    /// A connection that nobody has read from is as it was.
    fn drop(&mut self) {
        if let Some(conn) = self.admitted.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            conn.give_back();
        }
    }
}

/// The database, for one field of a query or a mutation.
pub struct Session<'a> {
    /// The request.
    pub context: &'a RequestContext,
    source: Source<'a>,
    unfinished: bool,
}

enum Source<'a> {
    /// The permit goes back after the connection.
    Pool(Option<PooledConnection>, #[expect(dead_code, reason = "held")] SemaphorePermit<'a>),
    Tx(MutexGuard<'a, Unit>),
}

impl Session<'_> {
    /// The connection, for one statement.
    pub fn conn(&mut self) -> &mut PgConnection {
        match &mut self.source {
            Source::Pool(connection, _) => {
                self.context.statements.add(1);
                connection.as_mut().expect("it is there until the session ends")
            }
            Source::Tx(unit) => open_tx(unit).conn(),
        }
    }

    /// The transaction of the request's mutations.
    ///
    /// # Panics
    /// In a session for a query.
    pub fn tx(&mut self) -> &mut Tx {
        match &mut self.source {
            Source::Tx(unit) => open_tx(unit),
            Source::Pool(..) => panic!("only a mutation has the transaction"),
        }
    }

    /// Writes what is unwritten, before anything is read that it may concern.
    pub async fn write_out(&mut self) -> Result<()> {
        match &mut self.source {
            Source::Tx(unit) => open_tx(unit).write_out().await,
            Source::Pool(..) => Ok(()),
        }
    }

    /// Ends a session for a query whose statements were all answered.
    pub fn end(mut self) {
        if let Source::Pool(conn, _) = &mut self.source
            && let Some(conn) = conn.take()
        {
            conn.give_back();
        }
    }

    /// The mutation succeeded with this answer.
    pub fn done<T>(mut self, answer: T) -> T {
        self.unfinished = false;
        answer
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        if let Source::Tx(unit) = &mut self.source
            && self.unfinished
            && let Unit::Open(tx) = std::mem::replace(&mut **unit, Unit::Poisoned)
        {
            **unit = Unit::Failed(tx);
        }
    }
}

fn open_tx(unit: &mut Unit) -> &mut Tx {
    match unit {
        Unit::Open(tx) => tx,
        Unit::Idle | Unit::Failed(_) | Unit::Poisoned => unreachable!("the unit of a session is open"),
    }
}
