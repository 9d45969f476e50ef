//! Connections, and whose rows they see.
//!
//! PostgreSQL itself keeps hotels apart (row level security): a connection for requests sees the rows of the hotel that it
//! was last told, so none is handed out without being told one. Workers and the command line see all hotels.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _, PgPool, Postgres, Transaction};

use super::roles;
use crate::hotels::HotelId;

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
pub struct RequestPool(PgPool);

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
        Self(pool)
    }

    /// Most connections at the same time.
    pub fn connections(&self) -> usize {
        self.0.options().get_max_connections() as usize
    }

    /// A connection that sees the rows of a hotel.
    pub async fn of_hotel(&self, hotel: HotelId) -> sqlx::Result<PoolConnection<Postgres>> {
        let mut conn = self.0.acquire().await?;
        sqlx::query!("SELECT set_config('latchkey.hotel_id', $1, false)", hotel.to_string())
            .fetch_one(&mut *conn)
            .await?;
        Ok(conn)
    }

    /// A connection that may still see the rows of whichever hotel it worked for last: for the one statement that tells it
    /// which hotel is next.
    pub(crate) async fn of_nobody(&self) -> sqlx::Result<PoolConnection<Postgres>> {
        self.0.acquire().await
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
        self.0.begin_with(AssertSqlSafe(statement)).await
    }

    /// Asks the server for an answer.
    pub async fn ping(&self) -> sqlx::Result<()> {
        self.0.acquire().await?.ping().await
    }

    /// Closes all connections, once they are given back.
    pub async fn close(&self) {
        self.0.close().await;
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
        // Short statements on few rows never win back the time that compiling them takes.
        ("jit", "off"),
        ("TimeZone", "UTC"),
    ])
}
