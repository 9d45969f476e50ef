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

/// Seconds that requests and webhooks are told apart by.
const DURATIONS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0];
/// Seconds between a commit and the first attempt to deliver what it left.
const LAGS: [f64; 12] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0, 3600.0];
/// Statements of one request.
const STATEMENTS: [f64; 9] = [0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 34.0, 89.0];

/// Route of what is asked for at paths that nothing is served at.
const OTHER: &str = "other";

/// The metrics of a server.
pub struct Metrics {
    registry: Registry,
    http_requests: Family<RouteAndStatus, Counter>,
    http_durations: Family<Route, Histogram, fn() -> Histogram>,
    http_statements: Family<Route, Histogram, fn() -> Histogram>,
    http_errors: Family<Code, Counter>,
    /// Requests that are being served.
    pub http_running: Gauge,
    /// Connections that are open.
    pub http_connections: Gauge,
    /// Requests that found no place in time.
    pub admission_refused: Counter,
    admission: AdmissionGauges,
    observed_admission: Mutex<Option<Box<dyn Fn() -> Admission + Send + Sync>>>,
    limit_refusals: LimitRefusals,
    connections: Family<ConnectionState, Gauge>,
    connections_most: Family<Pool, Gauge>,
    connections_wanted: Gauge,
    database_up: Gauge,
    webhook_attempts: Family<Outcome, Counter>,
    webhook_durations: Histogram,
    webhook_lags: Histogram,
    webhook_leases: Family<Endpoints, Gauge>,
    /// Endpoints that Latchkey has disabled.
    pub webhook_disabled: Counter,
    webhook_waiting: Family<Endpoints, Gauge>,
    webhook_oldest_due: Family<Endpoints, Seconds>,
    pruner_keys: Family<Action, Counter>,
    pruner_batches: Histogram,
    pruner_runs: Family<Outcome, Counter>,
    pruner_lag: Seconds,
}

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
struct Outcome {
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

#[derive(Default)]
struct AdmissionGauges {
    places: Gauge,
    taken: Gauge,
    waiting: Gauge,
}

/// The connections of a pool.
#[derive(Clone, Copy, Debug)]
pub struct PoolState {
    /// Most that there may be.
    pub most: u32,
    /// Those that are open.
    pub open: u32,
    /// Those of them that nobody uses.
    pub idle: usize,
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
    /// Metrics of a server that has done nothing yet.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("latchkey");
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The release that runs", build);
        let r = &mut registry;
        let durations: fn() -> Histogram = || Histogram::new(DURATIONS);
        let statements: fn() -> Histogram = || Histogram::new(STATEMENTS);
        let metrics = Self {
            http_requests: registered(r, "http_requests", "Requests by route and status", Family::default()),
            http_durations: registered(
                r,
                "http_request_duration_seconds",
                "From the head of a request to its answer",
                Family::new_with_constructor(durations),
            ),
            http_statements: registered(
                r,
                "http_request_statements",
                "Statements that a request took",
                Family::new_with_constructor(statements),
            ),
            http_errors: registered(r, "http_errors", "Requests by the codes of their errors", Family::default()),
            http_running: registered(r, "http_requests_running", "Requests that are being served", Gauge::default()),
            http_connections: registered(r, "http_connections", "Open connections of clients", Gauge::default()),
            admission_refused: registered(
                r,
                "admission_refused",
                "Requests that found no place in time",
                Counter::default(),
            ),
            admission: AdmissionGauges {
                places: registered(r, "admission_places", "Requests that may run at a time", Gauge::default()),
                taken: registered(r, "admission_places_taken", "Requests that run", Gauge::default()),
                waiting: registered(r, "admission_waiting", "Requests that wait for a place", Gauge::default()),
            },
            observed_admission: Mutex::new(None),
            limit_refusals: LimitRefusals(registered(
                r,
                "limit_refusals",
                "Requests that were refused, by limit",
                Family::default(),
            )),
            connections: registered(r, "database_connections", "Connections by pool and state", Family::default()),
            connections_most: registered(
                r,
                "database_connections_max",
                "Most connections of each pool",
                Family::default(),
            ),
            connections_wanted: registered(
                r,
                "database_connections_waiting",
                "Requests that wait for a connection",
                Gauge::default(),
            ),
            database_up: registered(
                r,
                "database_up",
                "Whether the database answered what these metrics ask it",
                Gauge::default(),
            ),
            webhook_attempts: registered(
                r,
                "webhook_attempts",
                "Attempts to deliver webhooks, by outcome",
                Family::default(),
            ),
            webhook_durations: registered(
                r,
                "webhook_attempt_duration_seconds",
                "How long attempts took",
                Histogram::new(DURATIONS),
            ),
            webhook_lags: registered(
                r,
                "webhook_first_attempt_lag_seconds",
                "From an event to the first attempt to deliver it",
                Histogram::new(LAGS),
            ),
            webhook_leases: registered(
                r,
                "webhook_leases",
                "Deliveries that this process has claimed and not recorded yet",
                Family::default(),
            ),
            webhook_disabled: registered(
                r,
                "webhook_endpoints_disabled",
                "Endpoints that were disabled because they kept failing or are gone",
                Counter::default(),
            ),
            webhook_waiting: registered(
                r,
                "webhook_endpoints_waiting",
                "Endpoints that have a delivery due",
                Family::default(),
            ),
            webhook_oldest_due: registered(
                r,
                "webhook_oldest_due_seconds",
                "For how long the oldest delivery has been due",
                Family::default(),
            ),
            pruner_keys: registered(r, "pruner_keys", "Room access keys that the pruner dealt with", Family::default()),
            pruner_batches: registered(
                r,
                "pruner_batch_duration_seconds",
                "How long the pruner's transactions took",
                Histogram::new(DURATIONS),
            ),
            pruner_runs: registered(r, "pruner_runs", "Runs of the pruner, by outcome", Family::default()),
            pruner_lag: registered(
                r,
                "pruner_oldest_due_seconds",
                "For how long the oldest room access key has been due",
                Seconds::default(),
            ),
            registry,
        };
        metrics.begin_at_zero();
        metrics
    }

    /// Makes the series whose labels are known beforehand: a rate needs the zero that it began at.
    fn begin_at_zero(&self) {
        for outcome in ["done", "failed"] {
            self.pruner_runs.get_or_create_owned(&Outcome { outcome });
        }
        for action in ["revoked", "deleted"] {
            self.pruner_keys.get_or_create_owned(&Action { action });
        }
        for failing in [false, true] {
            self.webhook_leases.get_or_create_owned(&Endpoints::that_fail(failing));
        }
        self.webhook_attempts.get_or_create_owned(&Outcome { outcome: "delivered" });
    }

    /// Counts a request that was answered. Without a `route`, nothing is served at its path.
    pub fn request(&self, route: Option<&str>, status: u16, took: Duration, statements: u32) {
        let route = route.unwrap_or(OTHER);
        self.http_requests.get_or_create(&RouteAndStatus { route: route.to_owned(), status }).inc();
        let route = Route { route: route.to_owned() };
        self.http_durations.get_or_create(&route).observe(took.as_secs_f64());
        self.http_statements.get_or_create(&route).observe(f64::from(statements));
    }

    /// Counts an error that a request was answered with.
    pub fn error(&self, code: &'static str) {
        self.http_errors.get_or_create(&Code { code }).inc();
    }

    /// Where refusals are counted.
    pub fn limit_refusals(&self) -> LimitRefusals {
        self.limit_refusals.clone()
    }

    /// Has `admission` tell, whenever it is asked, how things stand.
    pub fn observe_admission(&self, admission: impl Fn() -> Admission + Send + Sync + 'static) {
        *self.observed_admission.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(admission));
    }

    /// Counts an attempt to deliver a webhook. `failure` as in the delivery log.
    pub fn webhook_attempt(&self, failure: Option<&'static str>, took: Duration) {
        self.webhook_attempts.get_or_create(&Outcome { outcome: failure.unwrap_or("delivered") }).inc();
        self.webhook_durations.observe(took.as_secs_f64());
    }

    /// Notes how long an event had waited for the first attempt to deliver it.
    pub fn webhook_first_attempt(&self, lag: Duration) {
        self.webhook_lags.observe(lag.as_secs_f64());
    }

    /// Notes how many deliveries are leased, for endpoints that work and for those that fail.
    pub fn webhook_leases(&self, working: usize, failing: usize) {
        for (leases, is_failing) in [(working, false), (failing, true)] {
            self.webhook_leases.get_or_create(&Endpoints::that_fail(is_failing)).set(number(leases));
        }
    }

    /// Counts what one transaction of the pruner did.
    pub fn pruned(&self, revoked: usize, deleted: usize, took: Duration) {
        for (keys, action) in [(revoked, "revoked"), (deleted, "deleted")] {
            let keys = u64::try_from(keys).unwrap_or(u64::MAX);
            self.pruner_keys.get_or_create(&Action { action }).inc_by(keys);
        }
        self.pruner_batches.observe(took.as_secs_f64());
    }

    /// Counts a run of the pruner.
    pub fn pruner_run(&self, succeeded: bool) {
        let outcome = if succeeded { "done" } else { "failed" };
        self.pruner_runs.get_or_create(&Outcome { outcome }).inc();
    }

    /// Everything as text, with these states of the pools and with what waits in the database, where that is known.
    pub fn text(&self, requests: PoolState, wanted: usize, workers: PoolState, backlog: Option<Backlog>) -> String {
        for (pool, state) in [("requests", requests), ("workers", workers)] {
            let gauge = |name| self.connections.get_or_create_owned(&ConnectionState { pool, state: name });
            gauge("idle").set(number(state.idle));
            gauge("used").set(i64::from(state.open) - number(state.idle));
            self.connections_most.get_or_create(&Pool { pool }).set(i64::from(state.most));
        }
        self.connections_wanted.set(number(wanted));
        if let Some(admission) = &*self.observed_admission.lock().unwrap_or_else(PoisonError::into_inner) {
            let Admission { places, taken, waiting } = admission();
            self.admission.places.set(number(places));
            self.admission.taken.set(number(taken));
            self.admission.waiting.set(number(waiting));
        }
        self.set_backlog(backlog);
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.registry).expect("a string takes everything");
        text
    }

    /// What is not known is no number, so that no rule takes it for one.
    fn set_backlog(&self, backlog: Option<Backlog>) {
        self.database_up.set(i64::from(backlog.is_some()));
        let seconds = |of: fn(&Backlog) -> Duration| backlog.as_ref().map_or(f64::NAN, |known| of(known).as_secs_f64());
        self.pruner_lag.set(seconds(|known| known.keys));
        let oldest = |failing| self.webhook_oldest_due.get_or_create_owned(&Endpoints::that_fail(failing));
        oldest(false).set(seconds(|known| known.working.oldest));
        oldest(true).set(seconds(|known| known.failing.oldest));
        if let Some(Backlog { working, failing, .. }) = backlog {
            for (due, is_failing) in [(working, false), (failing, true)] {
                self.webhook_waiting.get_or_create(&Endpoints::that_fail(is_failing)).set(due.endpoints);
            }
        } else {
            self.webhook_waiting.clear();
        }
    }
}

fn registered<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
