//! The parts of a running Latchkey, put together once.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use sqlx::postgres::PgConnectOptions;
use tokio::sync::Notify;

use crate::auth::{Credentials, Usage};
use crate::clock::Clock;
use crate::db::{self, Outage, Pool, RequestPool};
use crate::graphql::Schema;
use crate::id::IdSource;
use crate::liveness::Liveness;
use crate::secrets::SecretKeys;
use crate::telemetry::metrics::Metrics;
use crate::throttle::{Throttle, ThrottleSettings};
use crate::webhooks::WebhookSettings;

/// What every request works with. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// See [`App`].
pub struct Parts {
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
    /// How webhooks are sent.
    pub webhooks: WebhookSettings,
    /// What API keys stood for when they were looked up last.
    pub credentials: Credentials,
    /// Requests by API key that are not written yet.
    pub key_usage: Usage,
    /// Limits of requests.
    pub throttle: Throttle,
    /// What is counted and measured.
    pub metrics: Metrics,
    /// Which processes live.
    pub liveness: Liveness,
    /// Told after each commit that left something to deliver.
    pub deliveries_wake: Notify,
    /// The GraphQL schema.
    pub schema: Schema,
    /// Set once everything is started: `/readyz` says so.
    pub ready: AtomicBool,
}

impl App {
    /// Puts the parts together, without limits on requests. `connections`: most that requests use at the same time.
    pub fn new(
        database: PgConnectOptions,
        connections: u32,
        clock: Clock,
        ids: IdSource,
        secret_keys: SecretKeys,
        webhooks: WebhookSettings,
    ) -> Self {
        let limits = ThrottleSettings::unlimited();
        Self::with_limits(database, connections, clock, ids, secret_keys, webhooks, limits)
    }

    /// The same with limits.
    pub fn with_limits(
        database: PgConnectOptions,
        connections: u32,
        clock: Clock,
        ids: IdSource,
        secret_keys: SecretKeys,
        webhooks: WebhookSettings,
        limits: ThrottleSettings,
    ) -> Self {
        let metrics = Metrics::new();
        let outage = Outage::new(database.clone());
        Self(Arc::new(Parts {
            pool: RequestPool::new(database.clone(), connections, outage.clone()),
            worker_pool: db::for_workers(database, outage),
            throttle: Throttle::new(limits, clock.clone(), metrics.limit_refusals()),
            clock,
            liveness: Liveness::new(&ids),
            ids,
            secret_keys,
            webhooks,
            credentials: Credentials::default(),
            key_usage: Usage::default(),
            metrics,
            deliveries_wake: Notify::new(),
            schema: Schema::new(),
            ready: AtomicBool::new(false),
        }))
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

#[cfg(test)]
impl App {
    /// An application whose database cannot be reached.
    pub(crate) fn without_database() -> Self {
        let nowhere = PgConnectOptions::new_without_pgpass().host("/nonexistent");
        let ids = IdSource::operating_system();
        let secret_keys = SecretKeys::parse(&SecretKeys::generate(&ids)).expect("a generated ring parses");
        Self::new(nowhere, 1, Clock::system(), ids, secret_keys, WebhookSettings::default())
    }
}
