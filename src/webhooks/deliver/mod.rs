//! The delivery workers: claim, commit, send, then record.
//!
//! A claim leases due deliveries for longer than an attempt can take, so no transaction is open while something is sent. What a
//! process held that died is taken over as soon as the others know that it did ([`crate::liveness`]), or when its lease runs out;
//! whatever it had sent is then sent again: at least once. A record counts only while nobody has claimed the delivery since.
//!
//! Endpoints do not delay each other. A claim first looks which endpoints have something due and then takes a few deliveries
//! of each, every endpoint in turn. An endpoint whose last attempt failed is left alone for a while that doubles up to a
//! minute, and is then sent one delivery at a time. Endpoints that fail have places of their own: however many of them there
//! are and however long they take, they take none from those that work.

mod rules;
mod run;
mod store;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use tokio::task::{self, JoinSet};
use tokio::time::Instant;
use tracing::Instrument as _;
use uuid::Uuid;

use self::rules::Standing;
use self::store::Waiting;
use super::body::Message;
use super::client::{Answer, Outgoing, Sender};
use super::model::Failure;
use super::{aside, sign};
use crate::actor::{Principal, WEBHOOKS};
use crate::app::App;
use crate::audit::{Action, Entry, Journal, ObjectType};
use crate::error::{Error, ErrorCode, Result};
use crate::events;
use crate::hotels::HotelId;
use crate::secrets::seal_context;
use crate::telemetry::metrics::DueDeliveries;
use crate::telemetry::traces::{self, TRACEPARENT, Traceparent};

pub use run::run;

/// Most deliveries on their way to endpoints that work.
const PLACES: usize = 1024;
/// Most deliveries on their way to endpoints whose last attempt failed.
const FAILING_PLACES: usize = 256;
/// How long a claimed delivery is the claimer's own; the sender gives up long before.
const LEASE: TimeDelta = TimeDelta::seconds(60);

/// Names an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointKey {
    /// Its hotel.
    pub hotel: HotelId,
    /// Its id.
    pub id: Uuid,
}

impl EndpointKey {
    /// The hotels and the ids, each as a column.
    pub(super) fn columns(endpoints: &[Self]) -> (Vec<HotelId>, Vec<Uuid>) {
        endpoints.iter().map(|endpoint| (endpoint.hotel, endpoint.id)).unzip()
    }
}

/// For how long and in whose name deliveries are claimed.
pub struct Lease {
    until: DateTime<Utc>,
    /// `None`: nobody can tell whether this process lives, so nobody takes over before the end.
    holder: Option<i32>,
    /// From everybody else, deliveries are taken over. `None`: from nobody.
    living: Option<Vec<i32>>,
}

/// A delivery that this worker alone may send until its lease ends.
#[derive(Clone)]
pub struct Claimed {
    endpoint: EndpointKey,
    position: i64,
    created_at: DateTime<Utc>,
    attempt: i32,
    failed_attempts: i32,
    run_began_at: DateTime<Utc>,
    leased_until: DateTime<Utc>,
    failing: bool,
    /// Where the request that caused it stands in a trace.
    traceparent: Option<Traceparent>,
    url: String,
    sealed_secret: Vec<u8>,
    /// Of the last day, when the secret was rotated within it.
    sealed_previous: Option<Vec<u8>>,
    message: Message,
}

/// An attempt that has ended.
pub struct Outcome {
    claimed: Claimed,
    began_at: DateTime<Utc>,
    duration_ms: i32,
    answer: Answer,
}

/// Sends everything that is due, until nothing is, and answers how many attempts that took.
///
/// # Errors
/// `UNAVAILABLE`; what was sent but not recorded is sent again later.
pub async fn deliver_due(app: &App, sender: &Arc<Sender>) -> Result<usize> {
    let mut worker = Worker::new(app.clone(), Arc::clone(sender));
    let mut attempts = 0;
    loop {
        while aside::move_batch(app).await > 0 {}
        if worker.claim().await? == 0 {
            return Ok(attempts);
        }
        let kept = worker.ended.len();
        while worker.next_ended().await {}
        attempts += worker.ended.len() - kept;
        worker.record().await?;
    }
}

/// What is due at endpoints that work, and at those that fail.
pub async fn due(app: &App, conn: &mut PgConnection, now: DateTime<Utc>) -> Result<[DueDeliveries; 2]> {
    super::store::go_by_index(conn).await?;
    let mut due = [DueDeliveries::default(); 2];
    for found in store::due(conn, now, app.liveness.living().as_deref()).await? {
        let oldest = (now - found.since).to_std().unwrap_or_default();
        due[usize::from(found.failing)] = DueDeliveries { endpoints: found.endpoints, oldest };
    }
    Ok(due)
}

struct Worker {
    app: App,
    sender: Arc<Sender>,
    flights: JoinSet<Result<Attempted>>,
    /// What is on its way, by the task that it is on its way in.
    aloft: HashMap<task::Id, Claimed>,
    /// Attempts that have ended and are not recorded yet.
    ended: Vec<Outcome>,
}

impl Worker {
    fn new(app: App, sender: Arc<Sender>) -> Self {
        Self { app, sender, flights: JoinSet::new(), aloft: HashMap::new(), ended: Vec::new() }
    }

    /// Takes what is due, as far as there are places, and sends it on its way. Answers how much that was.
    async fn claim(&mut self) -> Result<usize> {
        let mut tx = self.app.worker_pool.begin().await?;
        super::store::go_by_index(&mut tx).await?;
        let now = self.app.clock.now();
        let liveness = &self.app.liveness;
        let lease = Lease { until: now + LEASE, holder: liveness.holder(), living: liveness.living() };
        let mut waiting = store::waiting(&mut tx, now, lease.living.as_deref()).await?;
        self.shuffle(&mut waiting);
        let allotted = self.allot(&waiting);
        let claimed =
            if allotted.is_empty() { Vec::new() } else { store::claim(&mut tx, &allotted, now, &lease).await? };
        tx.commit().await?;
        let count = claimed.len();
        for one in claimed {
            let flight = self.flights.spawn(attempt(self.app.clone(), Arc::clone(&self.sender), one.clone()));
            self.aloft.insert(flight.id(), one);
        }
        self.measure_leases();
        Ok(count)
    }

    fn measure_leases(&self) {
        let leased = self.aloft.values().chain(self.ended.iter().map(|outcome| &outcome.claimed));
        let (failing, working): (Vec<_>, Vec<_>) = leased.partition(|claimed| claimed.failing);
        self.app.metrics.webhook_leases(working.len(), failing.len());
    }

    /// Begins at another endpoint each time, so that none is always the last when places are few.
    fn shuffle(&self, waiting: &mut [Waiting]) {
        let mut random = [0; 4];
        self.app.ids.fill(&mut random);
        if !waiting.is_empty() {
            let middle = usize::try_from(u32::from_be_bytes(random)).unwrap_or(0) % waiting.len();
            waiting.rotate_left(middle);
        }
    }

    /// Places that are taken: by endpoints that work, and by those that fail.
    fn taken(&self) -> (usize, usize) {
        let by_failing = self.aloft.values().filter(|claimed| claimed.failing).count();
        (self.aloft.len() - by_failing, by_failing)
    }

    fn is_full(&self) -> bool {
        self.taken().0 >= PLACES
    }

    fn allot(&self, waiting: &[Waiting]) -> Vec<(EndpointKey, u16)> {
        let mut in_flight: HashMap<EndpointKey, u16> = HashMap::new();
        // An endpoint whose outcomes cannot be recorded yet is sent nothing beyond its limit meanwhile.
        for claimed in self.aloft.values().chain(self.ended.iter().map(|outcome| &outcome.claimed)) {
            *in_flight.entry(claimed.endpoint).or_default() += 1;
        }
        let (taken, taken_by_failing) = self.taken();
        let those = |failing| -> Vec<EndpointKey> {
            waiting.iter().filter(|one| one.failing == failing).map(|one| one.endpoint).collect()
        };
        let (per_endpoint, per_failing) = (rules::PER_ENDPOINT, rules::PER_FAILING_ENDPOINT);
        let mut allotted = rules::allot(&those(false), per_endpoint, &in_flight, taken, PLACES);
        allotted.extend(rules::allot(&those(true), per_failing, &in_flight, taken_by_failing, FAILING_PLACES));
        allotted
    }

    /// Waits until an attempt ends; false when none is on its way.
    async fn next_ended(&mut self) -> bool {
        let Some(joined) = self.flights.join_next_with_id().await else { return false };
        self.land(joined);
        while let Some(joined) = self.flights.try_join_next_with_id() {
            self.land(joined);
        }
        true
    }

    fn land(&mut self, joined: Result<(task::Id, Result<Attempted>), task::JoinError>) {
        let (id, attempted) = match joined {
            Ok((id, attempted)) => (id, attempted),
            // It stays aloft, so that its lease is returned.
            Err(error) if error.is_cancelled() => return,
            Err(error) => (error.id(), Err(Error::internal(error))),
        };
        let Some(claimed) = self.aloft.remove(&id) else { return };
        match attempted {
            Ok(Attempted { began_at, duration_ms, answer }) => {
                self.ended.push(Outcome { claimed, began_at, duration_ms, answer });
            }
            // Nothing to record: the lease runs out.
            Err(error) => {
                tracing::error!(endpoint.id = %claimed.endpoint.id, cause = ?error.source, "a webhook cannot be sent");
            }
        }
    }

    /// Records the attempts that have ended. They are kept for another try when that fails, and while somebody holds their
    /// endpoint.
    async fn record(&mut self) -> Result<()> {
        if self.ended.is_empty() {
            return Ok(());
        }
        let mut by_endpoint: BTreeMap<EndpointKey, Vec<&Outcome>> = BTreeMap::new();
        for outcome in &self.ended {
            by_endpoint.entry(outcome.claimed.endpoint).or_default().push(outcome);
        }
        let endpoints: Vec<EndpointKey> = by_endpoint.keys().copied().collect();
        let mut tx = self.app.worker_pool.begin().await?;
        super::store::go_by_index(&mut tx).await?;
        let standings = store::lock_standings(&mut tx, &endpoints).await?;
        let now = self.app.clock.now();
        let (mut of_endpoints, mut of_deliveries, mut attempts) = (Vec::new(), Vec::new(), Vec::new());
        for standing in &standings {
            let outcomes = &by_endpoint[&standing.endpoint];
            let (change, changes) = self.settle(standing, outcomes, now);
            of_endpoints.extend(change.map(|change| (standing.endpoint, change)));
            of_deliveries.extend(outcomes.iter().map(|outcome| &outcome.claimed).zip(changes));
            attempts.extend(outcomes.iter().copied());
        }
        store::insert_attempts(&mut tx, &attempts).await?;
        store::update_deliveries(&mut tx, &of_deliveries).await?;
        store::update_standings(&mut tx, &of_endpoints, now).await?;
        let disabled = of_endpoints.iter().filter(|(_, change)| change.disabled_reason.is_some());
        for (endpoint, _) in disabled {
            let journal = Journal::of([Entry::new(Action::Disabled, ObjectType::WebhookEndpoint, endpoint.id)]);
            let (ids, principal) = (&self.app.ids, Principal::Worker(WEBHOOKS));
            events::write_with_in(&mut tx, ids, endpoint.hotel, principal, now, &[], &journal).await?;
        }
        let settled: HashSet<EndpointKey> = standings.iter().map(|standing| standing.endpoint).collect();
        let skipped: Vec<EndpointKey> = endpoints.into_iter().filter(|endpoint| !settled.contains(endpoint)).collect();
        // An endpoint that was deleted meanwhile has no standing, and no log either.
        let kept = if skipped.is_empty() { Vec::new() } else { store::existing(&mut tx, &skipped).await? };
        tx.commit().await?;
        self.ended.retain(|outcome| kept.contains(&outcome.claimed.endpoint));
        self.measure_leases();
        Ok(())
    }

    fn settle(
        &self,
        standing: &Standing,
        outcomes: &[&Outcome],
        now: DateTime<Utc>,
    ) -> (Option<rules::EndpointChange>, Vec<rules::DeliveryChange>) {
        let settled = rules::settle(standing, outcomes, &self.app.webhooks.schedule, &self.app.ids, now);
        if let Some(reason) = settled.0.as_ref().and_then(|change| change.disabled_reason.as_ref()) {
            let EndpointKey { hotel, id } = standing.endpoint;
            tracing::warn!(hotel.id = %hotel, endpoint.id = %id, reason, "webhook endpoint disabled");
            self.app.metrics.webhook_endpoint_disabled();
        }
        settled
    }
}

/// How an attempt went.
struct Attempted {
    began_at: DateTime<Utc>,
    duration_ms: i32,
    answer: Answer,
}

/// Sends one delivery.
///
/// # Errors
/// `INTERNAL` when it cannot be signed.
async fn attempt(app: App, sender: Arc<Sender>, claimed: Claimed) -> Result<Attempted> {
    let began_at = app.clock.now();
    let Claimed { endpoint, attempt, traceparent, message, .. } = &claimed;
    let span = traces::delivery(&message.event_type, &endpoint.id, *attempt, traceparent.as_ref());
    let traceparent = Traceparent::of_span(&span).or_else(|| traceparent.clone());
    if *attempt == 1 {
        app.metrics.webhook_first_attempt((began_at - claimed.created_at).to_std().unwrap_or_default());
    }
    let began = Instant::now();
    let answer = match outgoing(&app, &claimed, traceparent, began_at) {
        Ok(outgoing) => sender.send(outgoing, &app.webhooks.allowed_networks).instrument(span.clone()).await,
        // Nothing is sent unsigned. The integration reads why, and can help itself with a new secret.
        Err(error) if error.code == ErrorCode::SecretUnreadable => Answer::none(Failure::SecretUnreadable),
        Err(error) => return Err(error),
    };
    let took = began.elapsed();
    let duration_ms = i32::try_from(took.as_millis()).unwrap_or(i32::MAX);
    let failure = answer.failure.map(Failure::as_str);
    app.metrics.webhook_attempt(failure, took);
    traces::attempted(&span, answer.status, failure);
    tracing::debug!(endpoint.id = %claimed.endpoint.id, status = answer.status, failure, duration_ms, "webhook attempt");
    Ok(Attempted { began_at, duration_ms, answer })
}

fn outgoing(app: &App, claimed: &Claimed, traceparent: Option<Traceparent>, now: DateTime<Utc>) -> Result<Outgoing> {
    let context = seal_context(claimed.endpoint.hotel, claimed.endpoint.id);
    let mut secrets = vec![app.secret_keys.open(&context, &claimed.sealed_secret)?];
    // One that does not open must not keep the present one from signing.
    secrets.extend(claimed.sealed_previous.iter().filter_map(|sealed| app.secret_keys.open(&context, sealed).ok()));
    let body = claimed.message.body();
    let signatures = sign::sign(&secrets, &claimed.message.id, &body, now)?;
    let mut headers = vec![
        ("3rpms-signature", signatures.of_3rpms),
        ("webhook-id", claimed.message.id.clone()),
        ("webhook-timestamp", signatures.timestamp),
        ("webhook-signature", signatures.standard),
    ];
    headers.extend(traceparent.map(|place| (TRACEPARENT, place.to_string())));
    Ok(Outgoing { url: claimed.url.clone(), headers, body: Bytes::from(body), failing: claimed.failing })
}
