//! The parts of a running Latchkey, put together once.

mod followers;
mod kinds;

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use http::HeaderValue;
use sqlx::postgres::PgConnectOptions;

use crate::auth::{self, Admission, CredentialCache, Usage};
use crate::clock::Clock;
use crate::context::Context;
use crate::error::Result;
use crate::events::Catalogue;
use crate::id::IdSource;
use crate::secrets::SecretKeys;
use crate::throttle::{Throttle, ThrottleSettings};
use crate::unit::{Follower, Transactions};
use crate::webhooks::{Failure, WebhookSettings};

pub use followers::followers;
pub use kinds::KINDS;

/// What the facades, the workers and the command line work with: [`Transactions`] over a [`Context`], which it
/// dereferences to, and what is on top of them. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts of an [`App`].
pub struct Parts {
    /// What everything below the facades works with, and opens transactions with.
    pub transactions: Transactions,
    /// Every kind of change that there is.
    pub kinds: Catalogue,
    /// How webhooks are sent.
    pub webhooks: WebhookSettings,
    /// What API keys stood for when they were looked up last.
    pub credentials: CredentialCache,
    /// Requests by API key that are not written yet.
    pub key_usage: Usage,
    /// Limits of requests.
    pub throttle: Throttle,
    /// Whether pages of stays may be answered without the executor: unless a test wants it otherwise.
    pub fast_path: AtomicBool,
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

    /// Like [`Self::new`], with limits.
    pub fn with_limits(
        database: PgConnectOptions,
        connections: u32,
        clock: Clock,
        ids: IdSource,
        secret_keys: SecretKeys,
        webhooks: WebhookSettings,
        limits: ThrottleSettings,
    ) -> Self {
        let context = Context::new(database, connections, clock, ids, secret_keys);
        Self::assemble(context, webhooks, limits, followers())
    }

    /// Puts the parts together around a context. `followers`: what changes with the changes of others, in this order.
    pub fn assemble(
        context: Context,
        webhooks: WebhookSettings,
        limits: ThrottleSettings,
        followers: Vec<Box<dyn Follower>>,
    ) -> Self {
        context.metrics.show_webhook_failures(Failure::ALL.map(Failure::as_str));
        Self(Arc::new(Parts {
            throttle: Throttle::new(limits, context.clock.clone(), context.metrics.limit_refusals()),
            transactions: Transactions::new(context, followers),
            kinds: KINDS,
            webhooks,
            credentials: CredentialCache::default(),
            key_usage: Usage::default(),
            fast_path: AtomicBool::new(true),
            ready: AtomicBool::new(false),
        }))
    }

    /// Tells who sends a request, and counts it when it is authenticated ([`auth::authenticate`]).
    ///
    /// # Errors
    /// `UNAUTHORIZED`, `KEY_REVOKED`
    pub async fn authenticate(&self, authorization: Option<&HeaderValue>) -> Result<Admission> {
        auth::authenticate(&self.context, &self.credentials, &self.key_usage, authorization).await
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Deref for Parts {
    type Target = Transactions;

    fn deref(&self) -> &Transactions {
        &self.transactions
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
