//! Context: the parts of Latchkey that a worker has as well as a request.

use std::ops::Deref;
use std::sync::Arc;

use sqlx::postgres::PgConnectOptions;
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::db::{self, Outage, Pool, RequestPool};
use crate::id::IdSource;
use crate::liveness::Liveness;
use crate::secrets::SecretKeys;
use crate::telemetry::metrics::Metrics;

/// What everything below the facades works with. Cheap to clone.
#[derive(Clone)]
pub struct Context(Arc<ContextParts>);

/// The parts of a [`Context`].
pub struct ContextParts {
    /// Connections for requests, each for one hotel: time-outs for statements and locks are set on them.
    pub pool: RequestPool,
    /// Connections for what runs beside the requests and goes from hotel to hotel.
    pub worker_pool: Pool,
    /// The time.
    pub clock: Clock,
    /// Ids and secrets.
    pub ids: IdSource,
    /// What seals PINs, QR data and webhook secrets.
    pub secret_keys: SecretKeys,
    /// What is counted and measured.
    pub metrics: Metrics,
    /// Which processes live.
    pub liveness: Liveness,
    /// Notified after each commit that left something to deliver.
    pub deliveries_wake: Notify,
    /// Notified after each commit that left something to do for a simulated encoder.
    pub simulated_encoders_wake: Notify,
}

impl Context {
    /// A context for that database. `connections`: most that requests use at the same time.
    pub fn new(
        database: PgConnectOptions,
        connections: u32,
        clock: Clock,
        ids: IdSource,
        secret_keys: SecretKeys,
    ) -> Self {
        let outage = Outage::new(database.clone());
        Self(Arc::new(ContextParts {
            pool: RequestPool::new(database.clone(), connections, outage.clone()),
            worker_pool: db::for_workers(database, outage),
            clock,
            liveness: Liveness::new(&ids),
            ids,
            secret_keys,
            metrics: Metrics::new(),
            deliveries_wake: Notify::new(),
            simulated_encoders_wake: Notify::new(),
        }))
    }
}

impl Deref for Context {
    type Target = ContextParts;

    fn deref(&self) -> &ContextParts {
        &self.0
    }
}
