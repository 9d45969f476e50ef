//! Connections, and whose rows they see.
//!
//! PostgreSQL itself keeps hotels apart (row level security): a connection for requests sees the rows of the hotel that it
//! was last told, so none is handed out without being told one. Workers and the command line see all hotels.

use std::time::Duration;

use log::LevelFilter;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use super::connections::{Pool, PooledConnection, Transaction};
use super::outage::Outage;
use super::roles;
use super::silence::answered_within;
use crate::hotels::HotelId;
use crate::telemetry::metrics::PoolState;

/// Longest that one statement of a request may take; below the request's deadline of 5 s.
const STATEMENT_TIMEOUT: &str = "4s";
/// Longest that a request waits for the answer to one of its statements, or to its commit.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// Longest that a request waits for a lock that another one holds.
const LOCK_TIMEOUT: &str = "3s";
/// Longest that a request waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// Connections for what runs beside the requests.
const WORKER_CONNECTIONS: usize = 4;
/// Longest that a worker waits for one of them.
const WORKER_ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest that one statement of a worker may take.
const WORKER_STATEMENT_TIMEOUT: &str = "60s";
/// Longest that a worker waits for the answer to one of its statements, or to its commit.
pub const WORKER_PATIENCE: Duration = Duration::from_secs(65);

/// The connections that requests are served from. Cheap to clone.
#[derive(Clone)]
pub struct RequestPool(Pool);

impl RequestPool {
    /// Opens it. Connections are opened as they are needed, up to `max_connections`.
    pub fn new(options: PgConnectOptions, max_connections: u32, outage: Outage) -> Self {
        let options = tuned(options).application_name("latchkey").options([
            ("role", roles::APP),
            ("statement_timeout", STATEMENT_TIMEOUT),
            ("lock_timeout", LOCK_TIMEOUT),
            ("idle_in_transaction_session_timeout", "30s"),
            // Plans are kept. One that was made while a table was small would read all of it for each row that is looked
            // up, or checked by a foreign key, long after it has grown.
            ("enable_seqscan", "off"),
        ]);
        let most = usize::try_from(max_connections).unwrap_or(usize::MAX);
        Self(Pool::new(options, most, ACQUIRE_TIMEOUT, PATIENCE, outage))
    }

    /// Most connections at the same time.
    pub fn connections(&self) -> usize {
        self.0.state().most
    }

    /// Whether the database is known to be away.
    pub fn is_away(&self) -> bool {
        self.0.is_away()
    }

    /// The connections at this moment.
    pub fn state(&self) -> PoolState {
        self.0.state()
    }

    /// A connection that sees the rows of a hotel.
    pub async fn of_hotel(&self, hotel: HotelId) -> sqlx::Result<PooledConnection> {
        let mut conn = self.0.acquire().await?;
        let hotel = hotel.to_string();
        let binding = sqlx::query!("SELECT set_config('latchkey.hotel_id', $1, false)", hotel);
        answered_within(PATIENCE, binding.fetch_one(&mut *conn)).await?;
        Ok(conn)
    }

    /// A connection that may still see the rows of whichever hotel it worked for last: for the one statement that tells it
    /// which hotel is next.
    pub(crate) async fn untenanted(&self) -> sqlx::Result<PooledConnection> {
        self.0.acquire().await
    }

    /// A transaction that sees the rows of a hotel, and waits for locks no longer than `lock_timeout` where one is given.
    pub async fn begin(&self, hotel: HotelId, lock_timeout: Option<&str>) -> sqlx::Result<Transaction> {
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
        let mut conn = self.0.acquire().await?;
        answered_within(PATIENCE, conn.ping()).await?;
        conn.give_back();
        Ok(())
    }

    /// Closes all connections, those that are in use once they are given back.
    pub async fn close(&self) {
        self.0.close().await;
    }
}

/// A few connections of their own for what runs beside the requests: work in bulk may take longer than a request, and does
/// not take connections from requests.
pub fn for_workers(options: PgConnectOptions, outage: Outage) -> Pool {
    let options = tuned(options).application_name("latchkey workers").options([
        ("role", roles::WORKER),
        ("statement_timeout", WORKER_STATEMENT_TIMEOUT),
        ("lock_timeout", "10s"),
        ("idle_in_transaction_session_timeout", "60s"),
        // What work in bulk changes goes to the disk bit by bit. Otherwise the operating system keeps it and writes a lot at
        // once, while commits wait for the disk.
        ("backend_flush_after", "256kB"),
    ]);
    Pool::new(options, WORKER_CONNECTIONS, WORKER_ACQUIRE_TIMEOUT, WORKER_PATIENCE, outage)
}

fn tuned(options: PgConnectOptions) -> PgConnectOptions {
    // Those that are slow, too: while the database is away, all are.
    let options = options.log_slow_statements(LevelFilter::Debug, Duration::from_secs(1));
    options.options([
        // A custom plan per execution costs 25 to 55 % more than the generic one, which fits these statements.
        ("plan_cache_mode", "force_generic_plan"),
        // With the default, made for disks with heads, small tables are read whole again and again: the keys of 200 hotels for
        // each request.
        ("random_page_cost", "1.1"),
        // Short statements on few rows never win back the time that compiling them takes.
        ("jit", "off"),
        ("TimeZone", "UTC"),
        // The server ends sessions whose client has vanished; until then they count as connections and hold their locks.
        ("tcp_keepalives_idle", "15"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_keepalives_count", "3"),
    ])
}
