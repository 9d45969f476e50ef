//! The edge: what is served where, and what every answer carries.
//!
//! - `POST /graphql` is GraphQL over HTTP ([`graphql`]), `GET /graphql/ide` a page to try it ([`graphiql`]).
//! - `/api/pms/v1` is REST for the hotel's own system ([`pms`]).
//! - `GET /metrics` is for Prometheus, on a listener of its own ([`metrics`]).
//! - `GET /healthz` and `GET /readyz` tell whether the process is up and whether it can serve ([`health`]).
//!
//! Every request runs in a task of its own, gets an id and one log line ([`requests`]); what needs the database waits for a
//! place ([`admission`]); every answer is small, complete and never an escaped panic. [`server`] cuts off whoever is slow. It speaks HTTP/1.1: HTTP/2 belongs to the proxy in
//! front that holds the certificate.

mod admission;
mod answer;
mod body;
mod entry;
mod graphiql;
mod graphql;
mod health;
mod metrics;
mod negotiate;
mod operations;
mod panics;
mod pms;
mod rate_limit;
mod requests;
mod server;

use axum::extract::Request;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Router, middleware};

pub use server::{serve, serve_metrics};

use self::admission::Gate;
use self::answer::Outcome;
use self::negotiate::MediaType;
use self::requests::{InFlight, RequestId};
use crate::app::App;
use crate::error::{Error, ErrorCode};
use crate::rest::Act;

/// Everything that is served.
pub fn router(app: App) -> Router {
    routes(app, InFlight::default())
}

fn routes(app: App, in_flight: InFlight) -> Router {
    let gate = Gate::new(app.pool.connections());
    let observed = gate.clone();
    app.metrics.observe_admission(move || observed.state());
    let pms = Act::NAMES.iter().fold(Router::new(), |router, name| {
        router.route(&format!("/api/pms/v1/{{hotel}}/guests/{name}"), post(pms::act))
    });
    let admitted = pms
        .route("/api/pms/v1/{hotel}/guests", get(pms::list))
        .route("/graphql", post(graphql::handle))
        .route_layer(middleware::from_fn_with_state((app.clone(), gate), admission::run));
    Router::new()
        .merge(admitted)
        .route("/graphql/ide", get(graphiql::page))
        .route("/graphql/ide/{file}", get(graphiql::file))
        .route("/api/pms/v1/openapi.json", get(pms::document))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state((app.clone(), in_flight), requests::run))
        .with_state(app)
}

async fn not_found(request: Request) -> Response {
    let error = Error::new(ErrorCode::NotFound, "Nothing is served at this path");
    if pms::serves(request.uri().path()) {
        return pms::refusal(&error, &RequestId::of(request.extensions()), Outcome::default());
    }
    answer::refusal(MediaType::Json, error)
}

/// The router adds the `Allow` header.
async fn method_not_allowed(request: Request) -> Response {
    refused_unread(request, Error::new(ErrorCode::MethodNotAllowed, "This path does not serve this method")).await
}

/// The answer to a request that is refused whatever its body says.
async fn refused_unread(request: Request, error: Error) -> Response {
    let media_type = negotiate::answer_type(request.headers()).unwrap_or(MediaType::Json);
    let (head, body) = request.into_parts();
    body::discard(body).await;
    if pms::serves(head.uri.path()) {
        return pms::refusal(&error, &RequestId::of(&head.extensions), Outcome::default());
    }
    answer::refusal(media_type, error)
}
