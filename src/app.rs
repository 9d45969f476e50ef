//! The parts of a running Latchkey, put together once.

use std::sync::Arc;

use sqlx::PgPool;
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::graphql::Schema;
use crate::id::IdSource;
use crate::secrets::MasterKeys;
use crate::webhooks::WebhookSettings;

/// What every request works with. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// See [`App`].
pub struct Parts {
    /// Connections for requests: time-outs for statements and locks are set on them.
    pub pool: PgPool,
    /// The time.
    pub clock: Clock,
    /// Ids and secrets.
    pub ids: IdSource,
    /// What seals PINs, QR data and webhook secrets.
    pub master_keys: MasterKeys,
    /// How webhooks are sent.
    pub webhooks: WebhookSettings,
    /// Told after each commit that left something to deliver.
    pub deliveries_wake: Notify,
    /// The GraphQL schema.
    pub schema: Schema,
}

impl App {
    /// Puts the parts together.
    pub fn new(pool: PgPool, clock: Clock, ids: IdSource, master_keys: MasterKeys, webhooks: WebhookSettings) -> Self {
        let (deliveries_wake, schema) = (Notify::new(), Schema::new());
        Self(Arc::new(Parts { pool, clock, ids, master_keys, webhooks, deliveries_wake, schema }))
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
