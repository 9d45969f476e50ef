//! Connections, and whose rows they see.
//!
//! PostgreSQL itself keeps hotels apart (row level security): a connection for requests sees the rows of the hotel that it
//! was last told, so none is handed out without being told one. Workers and the command line see all hotels.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _, PgPool, Postgres, SqlSafeStr as _, Transaction};

use super::roles;
use crate::hotels::HotelId;
use crate::telemetry::metrics::PoolState;

/// Longest that one statement of a request may take; below the request's deadline of 5 s.
const STATEMENT_TIMEOUT: &str = "4s";
/// Longest that a request waits for a lock that another one holds.
const LOCK_TIMEOUT: &str = "3s";
/// Longest that a request waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection that was idle for longer is asked whether it still is one. PostgreSQL is never back so soon, so a request
/// meets no connection from before its restart; and where there is load, no connection is idle for so long.
const IDLE_UNCHECKED: Duration = Duration::from_millis(100);

/// Connections for what runs beside the requests.
const WORKER_CONNECTIONS: u32 = 4;
/// Longest that a worker waits for one of them.
const WORKER_ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);

/// The connections that requests are served from. Cheap to clone.
#[derive(Clone)]
pub struct RequestPool {
    pool: PgPool,
    kept: Arc<Mutex<Kept>>,
}

/// Connections that are known to be as they were. `sqlx` asks the server about each one that comes back to its pool, which
/// is a round trip for every request.
#[derive(Default)]
struct Kept {
    idle: Vec<(PoolConnection<Postgres>, Instant)>,
    /// How many wait for one from `sqlx`.
    wanted: usize,
}

impl Drop for Kept {
    /// A connection that is dropped goes back to its pool in a task, and there may be no runtime any more.
    fn drop(&mut self) {
        self.idle.drain(..).for_each(|(conn, _)| drop(conn.detach()));
    }
}

/// Somebody waits for a connection.
struct Wanted<'a>(&'a RequestPool);

impl Drop for Wanted<'_> {
    fn drop(&mut self) {
        self.0.kept().wanted -= 1;
    }
}

impl RequestPool {
    /// Opens it. Connections are opened as they are needed, up to `max_connections`.
    pub fn new(options: PgConnectOptions, max_connections: u32) -> Self {
        let options = tuned(options).application_name("latchkey").options([
            ("role", roles::APP),
            ("statement_timeout", STATEMENT_TIMEOUT),
            ("lock_timeout", LOCK_TIMEOUT),
            ("idle_in_transaction_session_timeout", "30s"),
            // Plans are kept. One that was made while a table was small would read all of it for each row that is looked
            // up, or checked by a foreign key, long after it has grown.
            ("enable_seqscan", "off"),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            // It would be a ping per request.
            .test_before_acquire(false)
            .before_acquire(|conn, idle| {
                Box::pin(async move { Ok(idle.idle_for < IDLE_UNCHECKED || conn.ping().await.is_ok()) })
            })
            .connect_lazy_with(options);
        Self { pool, kept: Arc::default() }
    }

    /// Most connections at the same time.
    pub fn connections(&self) -> usize {
        self.pool.options().get_max_connections() as usize
    }

    /// The connections at this moment.
    pub fn state(&self) -> PoolState {
        let idle = self.kept().idle.len() + self.pool.num_idle();
        PoolState { most: self.pool.options().get_max_connections(), open: self.pool.size(), idle }
    }

    /// How many wait for a connection.
    pub fn wanted(&self) -> usize {
        self.kept().wanted
    }

    /// A connection that sees the rows of a hotel.
    pub async fn of_hotel(&self, hotel: HotelId) -> sqlx::Result<PoolConnection<Postgres>> {
        let mut conn = self.acquire().await?;
        sqlx::query!("SELECT set_config('latchkey.hotel_id', $1, false)", hotel.to_string())
            .fetch_one(&mut *conn)
            .await?;
        Ok(conn)
    }

    /// A connection that may still see the rows of whichever hotel it worked for last: for the one statement that tells it
    /// which hotel is next.
    pub(crate) async fn of_nobody(&self) -> sqlx::Result<PoolConnection<Postgres>> {
        self.acquire().await
    }

    /// Takes a connection back whose statements were all answered. One that is dropped instead is asked first whether it
    /// still is one.
    pub fn give_back(&self, conn: PoolConnection<Postgres>) {
        let mut kept = self.kept();
        if kept.wanted == 0 && !self.pool.is_closed() {
            kept.idle.push((conn, Instant::now()));
        }
    }

    async fn acquire(&self) -> sqlx::Result<PoolConnection<Postgres>> {
        while let Some((mut conn, since)) = self.take_kept() {
            if since.elapsed() < IDLE_UNCHECKED || conn.ping().await.is_ok() {
                return Ok(conn);
            }
        }
        let _wanted = Wanted(self);
        self.pool.acquire().await
    }

    /// A connection that was kept, the last one first; else one is wanted from then on.
    fn take_kept(&self) -> Option<(PoolConnection<Postgres>, Instant)> {
        let mut kept = self.kept();
        let last = kept.idle.pop();
        kept.wanted += usize::from(last.is_none());
        last
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A transaction that sees the rows of a hotel, and waits for locks no longer than `lock_timeout` where one is given.
    pub async fn begin(
        &self,
        hotel: HotelId,
        lock_timeout: Option<&str>,
    ) -> sqlx::Result<Transaction<'static, Postgres>> {
        // One round trip; a UUID and our own constants need no escaping.
        let bound = format!("BEGIN; SET LOCAL latchkey.hotel_id = '{hotel}'");
        let statement = match lock_timeout {
            Some(timeout) => format!("{bound}; SET LOCAL lock_timeout = '{timeout}'"),
            None => bound,
        };
        Transaction::begin(self.acquire().await?, Some(AssertSqlSafe(statement).into_sql_str())).await
    }

    /// Asks the server for an answer.
    pub async fn ping(&self) -> sqlx::Result<()> {
        self.acquire().await?.ping().await
    }

    /// Closes all connections, once they are given back.
    pub async fn close(&self) {
        let closing = self.pool.close();
        self.kept().idle.clear();
        closing.await;
    }
}

/// A few connections of their own for what runs beside the requests: work in bulk may take longer than a request, and does
/// not take connections from requests.
pub fn for_workers(options: PgConnectOptions) -> PgPool {
    let options = tuned(options).application_name("latchkey workers").options([
        ("role", roles::WORKER),
        ("statement_timeout", "60s"),
        ("lock_timeout", "10s"),
        ("idle_in_transaction_session_timeout", "60s"),
        // What work in bulk changes goes to the disk bit by bit. Otherwise the operating system keeps it and writes a lot at
        // once, while commits wait for the disk.
        ("backend_flush_after", "256kB"),
    ]);
    PgPoolOptions::new()
        .max_connections(WORKER_CONNECTIONS)
        .acquire_timeout(WORKER_ACQUIRE_TIMEOUT)
        .connect_lazy_with(options)
}

fn tuned(options: PgConnectOptions) -> PgConnectOptions {
    options.options([
        // A custom plan per execution costs 25 to 55 % more than the generic one, which fits these statements.
        ("plan_cache_mode", "force_generic_plan"),
        // With the default, made for disks with heads, small tables are read whole again and again: the keys of 200 hotels for
        // each request.
        ("random_page_cost", "1.1"),
        // Short statements on few rows never win back the time that compiling them takes.
        ("jit", "off"),
        ("TimeZone", "UTC"),
    ])
}
