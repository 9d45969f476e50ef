//! The frame of every request: an id, a task of its own, a log line.
//!
//! The task makes a request run to its end even when the client hangs up: hyper drops what it polls, and a mutation must
//! not be dropped between two statements. The line holds no key, body, variable or path beyond the route's pattern.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::RwLock;
use tracing::Instrument as _;

use super::answer::{self, Outcome};
use super::negotiate::MediaType;
use super::refusals::Refusals;
use super::request_id::RequestId;
use super::{health, panics, rate_limit, refusal_of_interface, seam};
use crate::actor::Mode;
use crate::app::App;
use crate::error::{Error, Severity};
use crate::id::IdSource;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::traces::{self, Traceparent};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The requests that are running: each holds the lock as a reader.
#[derive(Clone, Default)]
pub(super) struct InFlight(Arc<RwLock<()>>);

impl InFlight {
    /// Waits until no request is running.
    pub(super) async fn ended(&self) {
        drop(self.0.write().await);
    }
}

/// What requests share on their way in and out. Cheap to clone.
#[derive(Clone)]
pub(super) struct Edge {
    ids: IdSource,
    /// `None` while it is being started.
    app: Option<App>,
    pub(super) in_flight: InFlight,
    pub(super) refusals: Refusals,
}

impl Edge {
    /// Of a server that has served nothing yet.
    pub(super) fn new(ids: IdSource, app: Option<App>) -> Self {
        Self { ids, app, in_flight: InFlight::default(), refusals: Refusals::default() }
    }
}

/// Runs a request.
pub(super) async fn run(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    let running = Arc::clone(&edge.in_flight.0).read_owned().await;
    let task = tokio::spawn(async move {
        let response = run_and_log(&edge, request, next).await;
        drop(running);
        response
    });
    // A task ends without an answer only when the runtime is going down, and its clients' connections with it.
    task.await.unwrap_or_else(|error| answer::refusal(MediaType::Json, Error::internal(error)))
}

async fn run_and_log(edge: &Edge, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = new_id(&edge.ids);
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().cloned();
    let request_id = RequestId(id.clone());
    let uri = request.uri().clone();
    request.extensions_mut().insert(request_id.clone());
    let caller = Traceparent::of_headers(request.headers());
    let span = traces::request(method.as_str(), path.as_ref().map(MatchedPath::as_str), &id, caller.as_ref());
    if let Some(traceparent) = Traceparent::of_span(&span).or(caller) {
        request.extensions_mut().insert(traceparent);
    }
    let metrics = edge.app.as_ref().map(|app| &app.metrics);
    if let Some(metrics) = metrics {
        metrics.running().inc();
    }
    let mut response = match panics::caught(next.run(request).instrument(span.clone())).await {
        Ok(response) => response,
        Err(place) => {
            let error = Error::internal(place);
            let own = refusal_of_interface(uri.path(), &error, &request_id);
            own.unwrap_or_else(|| answer::refusal(MediaType::Json, error))
        }
    };
    let outcome = response.extensions_mut().remove::<Outcome>().unwrap_or_default();
    add_headers(&mut response, &id);
    if seam::serves(uri.path()) {
        seam::add_request_id(&mut response, &request_id);
    }
    if let (Some(app), Some(actor)) = (&edge.app, &outcome.actor) {
        rate_limit::add(response.headers_mut(), &app.throttle, actor);
    }
    let refused = edge.refusals.count(&outcome);
    let (status, duration) = (response.status(), started.elapsed());
    let line = Line { id, method, path, status, duration, outcome };
    traces::answered(&span, status.as_u16(), line.codes().as_deref());
    if let Some(metrics) = metrics {
        metrics.running().dec();
        line.count(metrics);
    }
    log(refused, &line);
    response
}

/// `req_` and 8 hexadecimal digits. A client cannot choose it: it would choose what our log says.
fn new_id(ids: &IdSource) -> String {
    let mut random = [0_u8; 4];
    ids.fill(&mut random);
    format!("req_{:08x}", u32::from_be_bytes(random))
}

fn add_headers(response: &mut Response, id: &str) {
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, HeaderValue::from_str(id).expect("letters and digits"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers
        .entry(CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
}

struct Line {
    id: String,
    method: Method,
    path: Option<MatchedPath>,
    status: StatusCode,
    duration: Duration,
    outcome: Outcome,
}

impl Line {
    /// The gravest of the errors.
    fn severity(&self) -> Severity {
        let severities = self.outcome.codes.iter().map(|code| code.spec().severity);
        severities.max_by_key(|severity| *severity as u8).unwrap_or(Severity::Caller)
    }

    fn count(&self, metrics: &Metrics) {
        let route = self.path.as_ref().map(MatchedPath::as_str);
        metrics.request(route, self.status.as_u16(), self.duration, self.outcome.statements);
        self.outcome.codes.iter().for_each(|code| metrics.error(code.spec().wire));
    }

    fn codes(&self) -> Option<String> {
        let codes: Vec<&str> = self.outcome.codes.iter().map(|code| code.spec().wire).collect();
        (!codes.is_empty()).then(|| codes.join(","))
    }
}

/// `refused`: the line is one of many, and counted.
fn log(refused: bool, line: &Line) {
    let integration = line.outcome.actor.as_ref().and_then(|actor| actor.principal.integration_id());
    macro_rules! request {
        ($level:ident) => {
            tracing::$level!(
                http.method = line.method.as_str(),
                http.path = line.path.as_ref().map_or("none", MatchedPath::as_str),
                http.status = line.status.as_u16(),
                request.id = line.id,
                graphql.operations = (!line.outcome.operations.is_empty()).then_some(line.outcome.operations.as_str()),
                actor.hotel = line.outcome.actor.as_ref().map(|actor| actor.hotel.slug.as_str()),
                actor.integration = integration.map(|id| id.to_string()),
                client.address = line.outcome.address.map(|address| address.to_string()),
                // Only where it is so: the lines of live keys are the many.
                actor.test = line.outcome.actor.as_ref().and_then(|actor| (actor.mode == Mode::Test).then_some(true)),
                error.codes = line.codes(),
                error.causes = (!line.outcome.causes.is_empty()).then(|| line.outcome.causes.join("; ")),
                duration_ms = u64::try_from(line.duration.as_millis()).unwrap_or(u64::MAX),
                db.statements = line.outcome.statements,
                "request"
            )
        };
    }
    match line.severity() {
        // Monitoring asks every few seconds.
        Severity::Caller if line.path.as_ref().is_some_and(|path| health::PATHS.contains(&path.as_str())) => {
            request!(debug);
        }
        _ if refused => request!(debug),
        Severity::Fault => request!(error),
        Severity::Passing => request!(warn),
        Severity::Caller => request!(info),
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use axum::body::Body;
    use axum::routing::get;
    use axum::{Router, middleware};
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    #[test]
    fn e18_a_request_id_has_eight_digits() {
        let id = new_id(&IdSource::operating_system());
        let digits = id.strip_prefix("req_").expect("its prefix");
        assert_eq!(digits.len(), 8);
        assert!(digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
    }

    #[tokio::test]
    async fn a_panic_is_answered_as_a_fault_and_nothing_of_it_gets_out() {
        panics::install_hook();
        let app = App::without_database();
        let layer = middleware::from_fn_with_state(Edge::new(app.ids.clone(), Some(app)), run);
        let panicking = get(|| std::future::poll_fn(|_| -> Poll<()> { panic!("Doe, room 301") }));
        let router: Router = Router::new().route("/", panicking).layer(layer);
        let response = router.oneshot(Request::new(Body::empty())).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(response.headers().contains_key(REQUEST_ID));
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        let answer: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(answer["errors"][0]["message"], "Internal error");
        assert_eq!(answer["errors"][0]["extensions"]["code"], "INTERNAL");
    }
}
