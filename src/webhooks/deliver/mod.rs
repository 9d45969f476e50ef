//! Deliveries as a queue of jobs for endpoints: how they are claimed, sent and settled ([`crate::queue`]).

mod model;
mod rules;
mod store;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::Instrument as _;

use self::model::{Claimed, Exchange};
use super::client::{Answer, Outgoing, Sender};
use super::model::{EndpointKey, Failure, WebhookSettings};
use super::sign;
use crate::actor::{Principal, WEBHOOKS};
use crate::audit::{Action, Entry, Journal, ObjectType};
use crate::context::Context;
use crate::error::{ErrorCode, Result};
use crate::events;
use crate::queue::{self, ByParty, Lease, Limits, Places, Queue, Share};
use crate::secrets::seal_context;
use crate::telemetry::metrics::DueDeliveries;
use crate::telemetry::traces::{self, TRACEPARENT, Traceparent};

/// Where workers of other processes ask for help.
pub const CHANNEL: &str = "latchkey_deliveries";

/// What is due at endpoints that work, and at those that fail.
pub async fn due(context: &Context, conn: &mut PgConnection, now: DateTime<Utc>) -> Result<[DueDeliveries; 2]> {
    queue::go_by_index(conn).await?;
    let mut due = [DueDeliveries::default(); 2];
    for found in store::due(conn, now, context.liveness.living().as_deref()).await? {
        let oldest = (now - found.since).to_std().unwrap_or_default();
        due[usize::from(found.failing)] = DueDeliveries { endpoints: found.endpoints, oldest };
    }
    Ok(due)
}

/// The queue of deliveries.
pub struct Deliveries {
    context: Context,
    settings: WebhookSettings,
    sender: Arc<Sender>,
}

impl Deliveries {
    /// Deliveries that `sender` sends.
    pub fn new(context: Context, settings: WebhookSettings, sender: Arc<Sender>) -> Self {
        Self { context, settings, sender }
    }

    /// The request of a delivery, signed.
    fn outgoing(&self, claimed: &Claimed, traceparent: Option<Traceparent>, now: DateTime<Utc>) -> Result<Outgoing> {
        let keys = &self.context.secret_keys;
        let row = seal_context(claimed.endpoint.hotel, claimed.endpoint.id);
        let mut secrets = vec![keys.open(&row, &claimed.sealed_secret)?];
        // One that does not open must not keep the present one from signing.
        secrets.extend(claimed.sealed_previous.iter().filter_map(|sealed| keys.open(&row, sealed).ok()));
        let body = claimed.message.body.clone();
        let signatures = sign::sign(&secrets, &claimed.message.id, &body, now)?;
        let mut headers = vec![
            ("3rpms-signature", signatures.of_3rpms),
            ("webhook-id", claimed.message.id.clone()),
            ("webhook-timestamp", signatures.timestamp),
            ("webhook-signature", signatures.standard),
        ];
        headers.extend(traceparent.map(|place| (TRACEPARENT, place.to_string())));
        Ok(Outgoing { url: claimed.url.clone(), headers, body, failing: claimed.failing })
    }
}

impl Queue for Deliveries {
    type Party = EndpointKey;
    type Job = Claimed;
    type Outcome = Exchange;

    const NAME: &'static str = "webhooks";
    /// Four at a time to an endpoint; one while it fails, to see whether it is well again.
    const LIMITS: Limits =
        Limits { working: Share { places: 1024, per_party: 4 }, failing: Share { places: 256, per_party: 1 } };
    /// The sender gives up long before.
    const LEASE: Duration = Duration::from_mins(1);

    fn party(job: &Claimed) -> EndpointKey {
        job.endpoint
    }

    fn is_failing(job: &Claimed) -> bool {
        job.failing
    }

    async fn claim(&self, places: &Places<EndpointKey>) -> Result<Vec<Claimed>> {
        let mut tx = self.context.worker_pool.begin().await?;
        queue::go_by_index(&mut tx).await?;
        let now = self.context.clock.now();
        let lease = Lease::beginning(now, Self::LEASE, &self.context.liveness);
        let waiting = store::waiting(&mut tx, now, lease.living.as_deref()).await?;
        let allotted = places.allot(waiting, &self.context.ids);
        let claimed =
            if allotted.is_empty() { Vec::new() } else { store::claim(&mut tx, &allotted, now, &lease).await? };
        tx.commit().await?;
        Ok(claimed)
    }

    async fn attempt(&self, claimed: &Claimed) -> Result<Exchange> {
        let context = &self.context;
        let began_at = context.clock.now();
        let Claimed { endpoint, attempt, traceparent, message, .. } = claimed;
        let span = traces::delivery(&message.event_type, &endpoint.id, *attempt, traceparent.as_ref());
        let traceparent = Traceparent::of_span(&span).or_else(|| traceparent.clone());
        if *attempt == 1 {
            context.metrics.webhook_first_attempt((began_at - claimed.created_at).to_std().unwrap_or_default());
        }
        let began = Instant::now();
        let answer = match self.outgoing(claimed, traceparent, began_at) {
            Ok(outgoing) => self.sender.send(outgoing, &self.settings.allowed_networks).instrument(span.clone()).await,
            // Nothing is sent unsigned. The integration reads why, and can help itself with a new secret.
            Err(error) if error.code == ErrorCode::SecretUnreadable => Answer::none(Failure::SecretUnreadable),
            Err(error) => return Err(error),
        };
        let took = began.elapsed();
        let failure = answer.failure.map(Failure::as_str);
        context.metrics.webhook_attempt(failure, took);
        traces::attempted(&span, answer.status, failure);
        let duration_ms = i32::try_from(took.as_millis()).unwrap_or(i32::MAX);
        tracing::debug!(endpoint.id = %endpoint.id, status = answer.status, failure, duration_ms, "webhook attempt");
        Ok(Exchange { began_at, duration_ms, answer })
    }

    async fn settle(&self, ended: &ByParty<'_, Self>) -> Result<Vec<EndpointKey>> {
        let endpoints: Vec<EndpointKey> = ended.keys().copied().collect();
        let mut tx = self.context.worker_pool.begin().await?;
        queue::go_by_index(&mut tx).await?;
        let locked = store::lock_health(&mut tx, &endpoints).await?;
        let (ids, now) = (&self.context.ids, self.context.clock.now());
        let (mut of_endpoints, mut of_deliveries, mut attempts) = (Vec::new(), Vec::new(), Vec::new());
        for endpoint in &locked {
            let ended = &ended[&endpoint.endpoint];
            let (change, changes) = rules::settle(endpoint, ended, &self.settings.schedule, ids, now);
            of_endpoints.extend(change.map(|change| (endpoint.endpoint, change)));
            of_deliveries.extend(ended.iter().map(|one| &*one.job).zip(changes));
            attempts.extend(ended.iter().copied());
        }
        store::insert_attempts(&mut tx, &attempts).await?;
        store::update_deliveries(&mut tx, &of_deliveries).await?;
        store::update_health(&mut tx, &of_endpoints, now).await?;
        for (EndpointKey { hotel, id }, change) in &of_endpoints {
            let Some(reason) = &change.disabled_reason else { continue };
            tracing::warn!(hotel.id = %hotel, endpoint.id = %id, reason, "webhook endpoint disabled");
            self.context.metrics.webhook_endpoint_disabled();
            let journal = Journal::of([Entry::new(Action::Disabled, ObjectType::WebhookEndpoint, *id)]);
            events::write_in(&mut tx, ids, *hotel, Principal::Worker(WEBHOOKS), now, &[], &journal).await?;
        }
        let settled: HashSet<EndpointKey> = locked.iter().map(|endpoint| endpoint.endpoint).collect();
        let skipped: Vec<EndpointKey> = endpoints.into_iter().filter(|endpoint| !settled.contains(endpoint)).collect();
        // An endpoint that was deleted meanwhile has no health, and no log either.
        let kept = if skipped.is_empty() { Vec::new() } else { store::existing(&mut tx, &skipped).await? };
        tx.commit().await?;
        Ok(kept)
    }

    async fn release(&self, jobs: &[Arc<Claimed>]) -> Result<()> {
        let mut conn = self.context.worker_pool.acquire().await?;
        store::release(&mut conn, jobs).await
    }

    fn wake(&self) -> &Notify {
        &self.context.deliveries_wake
    }

    async fn call_for_help(&self) -> Result<()> {
        queue::call(&self.context.worker_pool, CHANNEL).await
    }

    fn measure_leases(&self, working: usize, failing: usize) {
        self.context.metrics.webhook_leases(working, failing);
    }
}
