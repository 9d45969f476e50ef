//! Metrics: what a server counts and measures, in the text format of Prometheus.
//!
//! Each server has a registry of its own. Labels come from closed sets: routes by their template, codes, kinds; never a hotel, a
//! key, a guest or anything that a client sends. docs/OPERATIONS.md explains each series.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, prometheus_text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry};

use crate::error::ErrorCode;

/// Seconds that requests and webhooks are told apart by.
const DURATIONS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0];
/// Seconds between a commit and the first attempt to deliver what it left.
const LAGS: [f64; 12] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0, 3600.0];
/// Statements of one request.
const STATEMENTS: [f64; 9] = [0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 34.0, 89.0];

/// Outcome of an attempt that did not fail.
const DELIVERED: &str = "delivered";
/// Limits that requests are refused for.
const LIMITS: [&str; 3] = ["requests", "cost", "auth_failures"];
/// Route of what is asked for at paths that nothing is served at.
const OTHER: &str = "other";

/// The metrics of a server.
pub struct Metrics {
    registry: Registry,
    http: Http,
    admission: Places,
    observed_admission: Mutex<Option<Box<dyn Fn() -> Admission + Send + Sync>>>,
    limit_refusals: LimitRefusals,
    database: Database,
    webhooks: Webhooks,
    pruner: Pruner,
    lock_command_leases: Gauge,
    unreadable: Counter,
}

struct Http {
    requests: Family<RouteAndStatus, Counter>,
    durations: Histograms<Route>,
    statements: Histograms<Route>,
    errors: Family<Code, Counter>,
    running: Gauge,
    connections: Gauge,
}

struct Places {
    all: Gauge,
    taken: Gauge,
    waiting: Gauge,
    refused: Counter,
}

struct Database {
    up: Gauge,
    connections: Family<ConnectionState, Gauge>,
    most: Family<Pool, Gauge>,
    wanted: Gauge,
}

struct Webhooks {
    attempts: Family<OutcomeLabel, Counter>,
    durations: Histogram,
    lags: Histogram,
    leases: Family<Endpoints, Gauge>,
    disabled: Counter,
    waiting: Family<Endpoints, Gauge>,
    oldest_due: Family<Endpoints, Seconds>,
}

struct Pruner {
    keys: Family<Action, Counter>,
    batches: Histogram,
    runs: Family<OutcomeLabel, Counter>,
    oldest_due: Seconds,
}

/// Histograms by labels.
type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// A gauge of seconds.
type Seconds = Gauge<f64, AtomicU64>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteAndStatus {
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Code {
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Pool {
    pool: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ConnectionState {
    pool: &'static str,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitName {
    limit: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Endpoints {
    endpoints: &'static str,
}

impl Endpoints {
    fn that_fail(failing: bool) -> Self {
        Self { endpoints: if failing { "failing" } else { "working" } }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Action {
    action: &'static str,
}

/// How many requests have a place, and how many wait for one.
#[derive(Clone, Copy, Debug)]
pub struct Admission {
    /// All places.
    pub places: usize,
    /// Those that are taken.
    pub taken: usize,
    /// Requests that wait.
    pub waiting: usize,
}

/// What is not counted as it happens, but looked at when it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct State {
    /// The connections for requests.
    pub requests: PoolState,
    /// The connections for workers.
    pub workers: PoolState,
    /// What waits in the database, where that is known.
    pub backlog: Option<Backlog>,
    /// Sealed values that did not open.
    pub unreadable: u64,
}

/// The connections of a pool.
#[derive(Clone, Copy, Debug)]
pub struct PoolState {
    /// Most that there may be.
    pub most: usize,
    /// Those that are open.
    pub open: usize,
    /// Those of them that nobody uses.
    pub idle: usize,
    /// How many wait for one.
    pub waiting: usize,
}

/// What waits in the database.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backlog {
    /// Deliveries to endpoints that work.
    pub working: DueDeliveries,
    /// Deliveries to endpoints whose last attempt failed.
    pub failing: DueDeliveries,
    /// For how long the room access key has been due that has been so for longest.
    pub keys: Duration,
}

/// Deliveries that are due.
#[derive(Clone, Copy, Debug, Default)]
pub struct DueDeliveries {
    /// Endpoints that they are for.
    pub endpoints: i64,
    /// For how long the oldest of them has been due.
    pub oldest: Duration,
}

/// Requests that were refused for a limit. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct LimitRefusals(Family<LimitName, Counter>);

impl LimitRefusals {
    fn registered(r: &mut Registry) -> Self {
        let refusals = Self(registered(r, "limit_refusals", "Requests that were refused, by limit"));
        for limit in LIMITS {
            refusals.0.get_or_create_owned(&LimitName { limit });
        }
        refusals
    }

    /// Counts a refusal.
    pub fn count(&self, limit: &'static str) {
        self.0.get_or_create(&LimitName { limit }).inc();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Metrics of a server that has done nothing yet. What is counted by labels of a closed list begins at 0 for each, so
    /// that a rate sees the first increase.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("latchkey");
        let r = &mut registry;
        r.register("build", "The release that runs", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        Self {
            http: Http::registered(r),
            admission: Places {
                all: registered(r, "admission_places", "Requests that may run at a time"),
                taken: registered(r, "admission_places_taken", "Requests that run"),
                waiting: registered(r, "admission_waiting", "Requests that wait for a place"),
                refused: registered(r, "admission_refused", "Requests that found no place in time"),
            },
            observed_admission: Mutex::new(None),
            limit_refusals: LimitRefusals::registered(r),
            database: Database {
                up: registered(r, "database_up", "Whether the database told in time what these metrics ask it"),
                connections: registered(r, "database_connections", "Connections by pool and state"),
                most: registered(r, "database_connections_max", "Most connections of each pool"),
                wanted: registered(r, "database_connections_waiting", "Requests that wait for a connection"),
            },
            webhooks: Webhooks::registered(r),
            pruner: Pruner::registered(r),
            lock_command_leases: registered(
                r,
                "lock_command_leases",
                "Lock commands that this process has claimed for simulated encoders and not settled yet",
            ),
            unreadable: registered(r, "sealed_values_unreadable", "Sealed values that did not open"),
            registry,
        }
    }

    /// Counts a request that was answered. Without a `route`, nothing is served at its path.
    pub fn request(&self, route: Option<&str>, status: u16, took: Duration, statements: u32) {
        let route = route.unwrap_or(OTHER);
        self.http.requests.get_or_create(&RouteAndStatus { route: route.to_owned(), status }).inc();
        let route = Route { route: route.to_owned() };
        self.http.durations.get_or_create(&route).observe(took.as_secs_f64());
        self.http.statements.get_or_create(&route).observe(f64::from(statements));
    }

    /// Counts an error that a request was answered with.
    pub fn error(&self, code: &'static str) {
        self.http.errors.get_or_create(&Code { code }).inc();
    }

    /// Counts the requests that are being served.
    pub fn running(&self) -> &Gauge {
        &self.http.running
    }

    /// Counts the connections that are open.
    pub fn connections(&self) -> &Gauge {
        &self.http.connections
    }

    /// Counts a request that found no place in time.
    pub fn admission_refused(&self) {
        self.admission.refused.inc();
    }

    /// Has `admission` tell, whenever it is asked, how things stand.
    pub fn observe_admission(&self, admission: impl Fn() -> Admission + Send + Sync + 'static) {
        *self.observed_admission.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(admission));
    }

    /// Where refusals are counted.
    pub fn limit_refusals(&self) -> LimitRefusals {
        self.limit_refusals.clone()
    }

    /// Shows attempts that failed in these ways, of which there are none yet. `failures` as in the delivery log.
    pub fn show_webhook_failures(&self, failures: impl IntoIterator<Item = &'static str>) {
        for outcome in failures {
            self.webhooks.attempts.get_or_create_owned(&OutcomeLabel { outcome });
        }
    }

    /// Counts an attempt to deliver a webhook. `failure` as in the delivery log.
    pub fn webhook_attempt(&self, failure: Option<&'static str>, took: Duration) {
        self.webhooks.attempts.get_or_create(&OutcomeLabel { outcome: failure.unwrap_or(DELIVERED) }).inc();
        self.webhooks.durations.observe(took.as_secs_f64());
    }

    /// Notes how long an event had waited for the first attempt to deliver it.
    pub fn webhook_first_attempt(&self, lag: Duration) {
        self.webhooks.lags.observe(lag.as_secs_f64());
    }

    /// Notes how many deliveries are leased, for endpoints that work and for those that fail.
    pub fn webhook_leases(&self, working: usize, failing: usize) {
        for (leases, is_failing) in [(working, false), (failing, true)] {
            self.webhooks.leases.get_or_create(&Endpoints::that_fail(is_failing)).set(number(leases));
        }
    }

    /// Notes how many lock commands are leased for simulated encoders.
    pub fn lock_command_leases(&self, leases: usize) {
        self.lock_command_leases.set(number(leases));
    }

    /// Counts an endpoint that Latchkey has disabled.
    pub fn webhook_endpoint_disabled(&self) {
        self.webhooks.disabled.inc();
    }

    /// Counts what one transaction of the pruner did.
    pub fn pruned(&self, revoked: usize, deleted: usize, took: Duration) {
        for (keys, action) in [(revoked, "revoked"), (deleted, "deleted")] {
            let keys = u64::try_from(keys).unwrap_or(u64::MAX);
            self.pruner.keys.get_or_create(&Action { action }).inc_by(keys);
        }
        self.pruner.batches.observe(took.as_secs_f64());
    }

    /// Counts a run of the pruner.
    pub fn pruner_run(&self, succeeded: bool) {
        let outcome = if succeeded { "done" } else { "failed" };
        self.pruner.runs.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// Everything as text, with the state of this moment; `None` while it is being started.
    pub fn text(&self, state: Option<&State>) -> String {
        if let Some(state) = state {
            self.database.measure(state);
            self.unreadable.inner().store(state.unreadable, Ordering::Relaxed);
        }
        if let Some(admission) = &*self.observed_admission.lock().unwrap_or_else(PoisonError::into_inner) {
            let Admission { places, taken, waiting } = admission();
            self.admission.all.set(number(places));
            self.admission.taken.set(number(taken));
            self.admission.waiting.set(number(waiting));
        }
        let backlog = state.and_then(|state| state.backlog);
        self.webhooks.measure(backlog.as_ref());
        // What is not known is no number, so that no rule takes it for one.
        self.pruner.oldest_due.set(backlog.map_or(f64::NAN, |known| known.keys.as_secs_f64()));
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.registry).expect("a string takes everything");
        text
    }
}

impl Http {
    fn registered(r: &mut Registry) -> Self {
        let durations: Histograms<Route> = Family::new_with_constructor(|| Histogram::new(DURATIONS));
        let statements: Histograms<Route> = Family::new_with_constructor(|| Histogram::new(STATEMENTS));
        let http = Self {
            requests: registered(r, "http_requests", "Requests by route and status"),
            durations: with(r, "http_request_duration_seconds", "From the head of a request to its answer", durations),
            statements: with(r, "http_request_statements", "Statements that a request took", statements),
            errors: registered(r, "http_errors", "Requests by the codes of their errors"),
            running: registered(r, "http_requests_running", "Requests that are being served"),
            connections: registered(r, "http_connections", "Open connections of clients"),
        };
        for code in ErrorCode::ALL {
            http.errors.get_or_create_owned(&Code { code: code.spec().wire });
        }
        http
    }
}

impl Database {
    fn measure(&self, state: &State) {
        self.up.set(i64::from(state.backlog.is_some()));
        self.wanted.set(number(state.requests.waiting));
        for (pool, of_pool) in [("requests", state.requests), ("workers", state.workers)] {
            let gauge = |state| self.connections.get_or_create_owned(&ConnectionState { pool, state });
            gauge("idle").set(number(of_pool.idle));
            gauge("used").set(number(of_pool.open.saturating_sub(of_pool.idle)));
            self.most.get_or_create(&Pool { pool }).set(number(of_pool.most));
        }
    }
}

impl Webhooks {
    fn registered(r: &mut Registry) -> Self {
        let lags = Histogram::new(LAGS);
        let webhooks = Self {
            attempts: registered(r, "webhook_attempts", "Attempts to deliver webhooks, by outcome"),
            durations: with(r, "webhook_attempt_duration_seconds", "How long attempts took", Histogram::new(DURATIONS)),
            lags: with(
                r,
                "webhook_first_attempt_lag_seconds",
                "From an event to the first attempt to deliver it",
                lags,
            ),
            leases: registered(r, "webhook_leases", "Deliveries that this process has claimed and not recorded yet"),
            disabled: registered(r, "webhook_endpoints_disabled", "Endpoints that Latchkey has disabled"),
            waiting: registered(r, "webhook_endpoints_waiting", "Endpoints that have a delivery due"),
            oldest_due: registered(r, "webhook_oldest_due_seconds", "For how long the oldest delivery has been due"),
        };
        webhooks.attempts.get_or_create_owned(&OutcomeLabel { outcome: DELIVERED });
        webhooks
    }

    fn measure(&self, backlog: Option<&Backlog>) {
        for failing in [false, true] {
            let due = backlog.map(|backlog| if failing { backlog.failing } else { backlog.working });
            let endpoints = Endpoints::that_fail(failing);
            self.oldest_due.get_or_create(&endpoints).set(due.map_or(f64::NAN, |due| due.oldest.as_secs_f64()));
            if let Some(due) = due {
                self.waiting.get_or_create(&endpoints).set(due.endpoints);
            } else {
                self.waiting.remove(&endpoints);
            }
        }
    }
}

impl Pruner {
    fn registered(r: &mut Registry) -> Self {
        let batches = Histogram::new(DURATIONS);
        let pruner = Self {
            keys: registered(r, "pruner_keys", "Room access keys that the pruner dealt with"),
            batches: with(r, "pruner_batch_duration_seconds", "How long transactions of the pruner took", batches),
            runs: registered(r, "pruner_runs", "Runs of the pruner, by outcome"),
            oldest_due: registered(
                r,
                "pruner_oldest_due_seconds",
                "For how long the oldest room access key has been due",
            ),
        };
        for outcome in ["done", "failed"] {
            pruner.runs.get_or_create_owned(&OutcomeLabel { outcome });
        }
        for action in ["revoked", "deleted"] {
            pruner.keys.get_or_create_owned(&Action { action });
        }
        pruner
    }
}

/// A metric that begins empty.
fn registered<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    with(registry, name, help, M::default())
}

fn with<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
