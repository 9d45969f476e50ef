//! A pool of connections that are given up when they do not answer.
//!
//! A host that vanishes resets nothing: to us its connections look as if they were waiting for an answer, for a quarter of an
//! hour and more. The driver lets nobody set `TCP_USER_TIMEOUT`, so whatever is asked on a connection is asked for a limited
//! time, and a connection that lets it pass is closed and replaced. So are those that have been idle for longer.

use std::io;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use deadpool::Status;
use deadpool::managed::{Manager, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult};
use futures_util::future::join_all;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgConnection, SqlSafeStr, raw_sql};
use tokio::time::{Instant, sleep, timeout};

use super::outage::Outage;
use super::silence::{SIGN_OF_LIFE, answered_within};
use crate::error::is_away_in_connecting;
use crate::telemetry::metrics::PoolState;

/// A connection that was idle for longer is asked whether it still is one. PostgreSQL is never back so soon, so a request
/// meets no connection from before its restart; and where there is load, no connection is idle for so long.
pub const IDLE_UNCHECKED: Duration = Duration::from_millis(100);
/// Pause before a server that has too many connections is asked for one again.
const RETRY_EVERY: Duration = Duration::from_millis(50);
/// Ends a transaction that is not to be kept.
const ROLLBACK: &str = "ROLLBACK";

/// The pool. Cheap to clone.
#[derive(Clone)]
pub struct Pool {
    connections: deadpool::managed::Pool<Opener>,
    acquire_timeout: Duration,
    patience: Duration,
}

/// How connections are opened and kept.
struct Opener {
    options: PgConnectOptions,
    outage: Outage,
}

/// An open connection.
struct Open {
    conn: PgConnection,
    /// When it was last known to answer.
    heard: Instant,
}

impl Manager for Opener {
    type Type = Open;
    type Error = sqlx::Error;

    async fn create(&self) -> sqlx::Result<Open> {
        loop {
            self.outage.over().await?;
            // Rare and large: every future that may open a connection would hold one that opens it.
            match Box::pin(answered_within(SIGN_OF_LIFE, self.options.connect())).await {
                Ok(conn) => return Ok(Open { conn, heard: Instant::now() }),
                Err(error) if is_away_in_connecting(&error) => self.outage.begin(&error),
                Err(sqlx::Error::Database(error)) if error.is_transient_in_connect_phase() => sleep(RETRY_EVERY).await,
                Err(error) => return Err(error),
            }
        }
    }

    async fn recycle(&self, open: &mut Open, _: &Metrics) -> RecycleResult<sqlx::Error> {
        if open.heard <= self.outage.last_silence() {
            return Err(RecycleError::message("another one has fallen silent since"));
        }
        if open.heard.elapsed() < IDLE_UNCHECKED {
            return Ok(());
        }
        answered_within(SIGN_OF_LIFE, open.conn.ping()).await.inspect_err(|error| {
            if is_silence(error) {
                self.outage.note_silence(open.heard);
            }
        })?;
        Ok(())
    }
}

fn is_silence(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut)
}

impl Pool {
    /// Opens up to `most` connections, as they are needed. A caller waits at most for `acquire_timeout`;
    /// `patience` is longer than a statement may take.
    pub(super) fn new(
        options: PgConnectOptions,
        most: usize,
        acquire_timeout: Duration,
        patience: Duration,
        outage: Outage,
    ) -> Self {
        let connections = deadpool::managed::Pool::builder(Opener { options, outage })
            .max_size(most)
            .queue_mode(QueueMode::Lifo)
            .build()
            .expect("it has no time-outs of its own");
        Self { connections, acquire_timeout, patience }
    }

    /// A connection of its own, until it is dropped.
    pub async fn acquire(&self) -> sqlx::Result<PooledConnection> {
        match timeout(self.acquire_timeout, self.connections.get()).await {
            Ok(Ok(object)) => Ok(PooledConnection::new(object)),
            Ok(Err(PoolError::Backend(error))) => Err(error),
            Ok(Err(PoolError::Closed)) => Err(sqlx::Error::PoolClosed),
            Ok(Err(_)) | Err(_) => Err(sqlx::Error::PoolTimedOut),
        }
    }

    /// A transaction.
    pub async fn begin(&self) -> sqlx::Result<Transaction> {
        self.begin_with("BEGIN").await
    }

    /// A transaction that begins with a statement of its own.
    pub(super) async fn begin_with(&self, statement: impl SqlSafeStr) -> sqlx::Result<Transaction> {
        let mut conn = self.acquire().await?;
        conn.in_transaction = true;
        answered_within(self.patience, conn.execute(raw_sql(statement))).await?;
        Ok(Transaction { conn, patience: self.patience })
    }

    /// How connections are opened.
    pub fn connect_options(&self) -> &PgConnectOptions {
        &self.connections.manager().options
    }

    /// The connections at this moment.
    pub fn state(&self) -> PoolState {
        let Status { max_size, size, available, waiting } = self.connections.status();
        PoolState { most: max_size, open: size, idle: available, waiting }
    }

    /// Whether the database is known to be away.
    pub fn is_away(&self) -> bool {
        self.connections.manager().outage.is_on()
    }

    /// Closes idle connections at once and those that are in use when they are dropped.
    pub async fn close(&self) {
        let idle = self.connections.retain(|_, _| false).removed;
        self.connections.close();
        // Without the farewell the server learns it from the operating system.
        let _ = timeout(SIGN_OF_LIFE, join_all(idle.into_iter().map(|open| open.conn.close()))).await;
    }
}

/// A connection of a [`Pool`].
///
/// Dropping it gives it back once the server has confirmed that nothing is left of what was asked on it; if the server does
/// not, it is closed.
pub struct PooledConnection {
    /// There until it is dropped.
    object: Option<Object<Opener>>,
    taken: Instant,
    in_transaction: bool,
}

impl PooledConnection {
    fn new(object: Object<Opener>) -> Self {
        Self { object: Some(object), taken: Instant::now(), in_transaction: false }
    }

    /// Gives back a connection whose statements were all answered, without asking it again.
    pub fn give_back(mut self) {
        if let Some(mut object) = self.object.take() {
            object.heard = Instant::now();
        }
    }
}

impl Drop for PooledConnection {
    fn drop(&mut self) {
        let Some(mut object) = self.object.take() else { return };
        let (taken, in_transaction) = (self.taken, self.in_transaction);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            drop(Object::take(object));
            return;
        };
        runtime.spawn(async move {
            let cleaned = async {
                if in_transaction { object.conn.execute(ROLLBACK).await.map(drop) } else { object.conn.ping().await }
            };
            match answered_within(SIGN_OF_LIFE, cleaned).await {
                Ok(()) => object.heard = Instant::now(),
                Err(error) => {
                    if is_silence(&error)
                        && let Some(pool) = Object::pool(&object)
                    {
                        pool.manager().outage.note_silence(taken);
                    }
                    drop(Object::take(object));
                }
            }
        });
    }
}

impl Deref for PooledConnection {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.object.as_ref().expect("it is there until it is dropped").conn
    }
}

impl DerefMut for PooledConnection {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.object.as_mut().expect("it is there until it is dropped").conn
    }
}

impl std::fmt::Debug for PooledConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PooledConnection").finish_non_exhaustive()
    }
}

/// A transaction on a connection of a [`Pool`]. Dropping it rolls it back. None is begun within it: the driver, which counts
/// them, does not know of this one.
pub struct Transaction {
    conn: PooledConnection,
    patience: Duration,
}

impl Transaction {
    /// Keeps what was done in it.
    pub async fn commit(self) -> sqlx::Result<()> {
        let patience = self.patience;
        self.end("COMMIT", patience).await
    }

    /// Undoes what was done in it, and waits until that is so.
    pub async fn rollback(self) -> sqlx::Result<()> {
        self.end(ROLLBACK, SIGN_OF_LIFE).await
    }

    async fn end(mut self, statement: &'static str, patience: Duration) -> sqlx::Result<()> {
        answered_within(patience, self.conn.execute(statement)).await?;
        self.conn.in_transaction = false;
        self.conn.give_back();
        Ok(())
    }
}

impl Deref for Transaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.conn
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.conn
    }
}
