//! The context of a request, which its operations share: who asks, when, and the one transaction of its mutations.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

use async_graphql::Context;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use tokio::sync::{Semaphore, SemaphorePermit};
use uuid::Uuid;

use super::error::{InInput, Resolved};
use crate::actor::Actor;
use crate::app::App;
use crate::audit::Reason;
use crate::db::PooledConnection;
use crate::error::{Error, ErrorAt, ErrorCode, Result};
use crate::key_assignments::PendingKeys;
use crate::unit::{OpenTx, Statements, Tx, Unit};

/// Connections that one request reads from at the same time.
const MOST_READERS: usize = 2;

/// The context of one request, or of one attempt at a request that changes something.
pub struct RequestContext {
    /// The parts of Latchkey.
    pub app: App,
    /// Who asks.
    pub actor: Actor,
    /// The instant of the request.
    pub now: DateTime<Utc>,
    /// Whether the request has a mutation: then its queries read inside the transaction, too.
    pub mutates: bool,
    /// Stays that its mutations of keys will lock, until its transaction has them.
    lock_hints: std::sync::Mutex<Vec<Uuid>>,
    /// The connection that the actor was found on, for the first that reads.
    admitted: std::sync::Mutex<Option<PooledConnection>>,
    /// Whether it has waited for a connection in vain. It does so once, not again for each field and each way to answer.
    unavailable: AtomicBool,
    unit: Arc<Unit>,
    /// Root fields of a query run at the same time; one request does not take all connections for them.
    readers: Semaphore,
}

impl RequestContext {
    /// A context for a request of its own that has not begun.
    pub fn new(app: App, actor: Actor, conn: Option<PooledConnection>, mutates: bool) -> Self {
        let unit = Unit::new(&app, actor, Statements::default(), false);
        Self::in_unit(app, Arc::new(unit), conn, mutates)
    }

    /// A context for an attempt at a request that has not begun.
    ///
    /// `conn` is a connection that sees the rows of the actor's hotel, where there is one already, or will be told by the first
    /// statement on it. It is of no use to a transaction, which opens its own.
    pub fn in_unit(app: App, unit: Arc<Unit>, conn: Option<PooledConnection>, mutates: bool) -> Self {
        let conn = match conn {
            Some(conn) if mutates => {
                conn.give_back();
                None
            }
            conn => conn,
        };
        Self {
            app,
            actor: unit.actor.clone(),
            now: unit.now,
            mutates,
            lock_hints: std::sync::Mutex::default(),
            admitted: std::sync::Mutex::new(conn),
            unavailable: AtomicBool::new(false),
            unit,
            readers: Semaphore::new(MOST_READERS),
        }
    }

    /// Says which stays the mutations of keys will lock, so that they are locked together with the first of them.
    #[must_use]
    pub fn with_lock_hints(mut self, stays: Vec<Uuid>) -> Self {
        self.lock_hints = std::sync::Mutex::new(stays);
        self
    }

    /// The context of the field that is being resolved.
    pub fn of<'a>(ctx: &'a Context<'_>) -> &'a Self {
        ctx.data_unchecked::<Arc<Self>>()
    }

    /// Statements so far.
    pub fn statements(&self) -> u32 {
        self.unit.statements().count()
    }

    /// A session for a query.
    ///
    /// # Errors
    /// `UNAVAILABLE`; `NOT_RUN` when the request has already failed.
    pub async fn read(&self) -> Result<Session<'_>> {
        let source = if self.mutates {
            Source::Tx(self.unit.lock().await?)
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
        let mut tx = self.unit.lock().await?;
        tx.begin_act(None);
        let hints = std::mem::take(&mut *self.lock_hints.lock().unwrap_or_else(PoisonError::into_inner));
        if !hints.is_empty() {
            tx.pending::<PendingKeys>().hint(hints);
        }
        Ok(Session { context: self, source: Source::Tx(tx), unfinished: true })
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
    Tx(OpenTx<'a>),
}

impl Session<'_> {
    /// The connection, for one statement.
    ///
    /// # Errors
    /// Those of what the transaction has pending, which is written first.
    pub async fn conn(&mut self) -> Result<&mut PgConnection> {
        match &mut self.source {
            Source::Pool(connection, _) => {
                self.context.unit.statements().add(1);
                Ok(connection.as_mut().expect("it is there until the session ends"))
            }
            Source::Tx(tx) => tx.conn().await,
        }
    }

    /// Has everything follow what the request's mutations have changed so far, for queries of what follows others.
    ///
    /// # Errors
    /// Those of the followers.
    pub async fn follow(&mut self) -> Result<()> {
        match &mut self.source {
            Source::Pool(..) => Ok(()),
            Source::Tx(tx) => tx.follow().await,
        }
    }

    /// The transaction of the request's mutations.
    ///
    /// # Panics
    /// In a session for a query.
    pub fn tx(&mut self) -> &mut Tx {
        match &mut self.source {
            Source::Tx(tx) => tx,
            Source::Pool(..) => panic!("only a mutation has the transaction"),
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
        if self.unfinished
            && let Source::Tx(tx) = &mut self.source
        {
            tx.fail();
        }
    }
}

/// Says why the mutation of this session does what it does, where its input says so.
///
/// # Errors
/// `INVALID_ARGUMENT` at `input.reason`
pub fn with_reason(session: &mut Session<'_>, reason: Option<&str>) -> Resolved<()> {
    let reason = reason.map(Reason::parse).transpose().at("reason").in_input()?;
    session.tx().begin_act(reason);
    Ok(())
}
