//! The edge: what is served where, and what every answer carries.
//!
//! - `POST /graphql` is GraphQL over HTTP ([`graphql`]), `GET /graphql/ide` a page to try it ([`graphiql`]), `GET /` a page that says what is
//!   here ([`home`]).
//! - `/api/pms/v1` is REST for the hotel's own system ([`pms_api`]).
//! - `/seam` is Seam's interface, for its official SDKs ([`seam`]).
//! - `GET /metrics` is for Prometheus, on a listener of its own ([`metrics`]).
//! - `GET /healthz` and `GET /readyz` tell whether the process is up and whether it can serve ([`health`]).
//!
//! Every request runs in a task of its own, gets an id and one log line ([`requests`]); what needs the database waits for a
//! place ([`admission`]); every answer is small, complete and never an escaped panic. [`server`] cuts off slow clients.
//! It speaks HTTP/1.1: HTTP/2 belongs to the proxy in front that holds the certificate.

mod admission;
mod answer;
mod body;
mod entry;
mod graphiql;
mod graphql;
mod health;
mod home;
mod metrics;
mod negotiate;
mod operations;
mod panics;
mod pms_api;
mod rate_limit;
mod refusals;
mod refused_batch;
mod request_id;
mod requests;
mod seam;
mod seats;
mod server;

use axum::extract::Request;
use axum::response::Response;
use axum::routing::{any, get, post};
use axum::{Router, middleware};

pub use seats::IDLE as SEAT_IDLE;
pub use server::{WRITE_STALL, serve, serve_metrics, serve_starting, serve_starting_metrics};

use self::admission::Gate;
use self::answer::Outcome;
use self::negotiate::MediaType;
use self::request_id::RequestId;
use self::requests::Edge;
use crate::app::App;
use crate::error::{Error, Message};
use crate::rest::Command;

/// Where GraphQL is served.
const GRAPHQL: &str = "/graphql";

/// Everything that is served.
pub fn router(app: App) -> Router {
    let edge = Edge::new(app.ids.clone(), Some(app.clone()));
    routes(app, edge)
}

fn routes(app: App, edge: Edge) -> Router {
    // Built now, not by the first request.
    crate::graphql::schema();
    let pool = app.pool.clone();
    let gate = Gate::new(pool.connections(), move || pool.is_away());
    let observed = gate.clone();
    app.metrics.observe_admission(move || observed.state());
    let pms = Command::NAMES.iter().fold(Router::new(), |router, name| {
        router.route(&format!("/api/pms/v1/{{hotel}}/guests/{name}"), post(pms_api::command))
    });
    let admitted = crate::seam::ROUTES
        .iter()
        .fold(pms, |router, route| router.route(&seam::path(route), any(seam::call)))
        .route("/api/pms/v1/{hotel}/guests", get(pms_api::list))
        .route(GRAPHQL, post(graphql::handle))
        .route_layer(middleware::from_fn_with_state((app.clone(), gate), admission::run))
        .route_layer(middleware::from_fn(refused_batch::run));
    Router::new()
        .merge(admitted)
        .route("/", get(home::page))
        .route("/home.css", get(home::style))
        .route("/favicon.ico", get(home::icon))
        .route("/schema.graphql", get(home::schema))
        .route("/docs/{file}", get(home::document))
        .route("/graphql/ide", get(graphiql::page))
        .route("/graphql/ide/{file}", get(graphiql::file))
        .route("/api/pms/v1/openapi.json", get(pms_api::document))
        .route(seam::DOCUMENT, get(seam::document))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(edge, requests::run))
        .with_state(app)
}

/// What is served before there is anything to serve.
fn starting_routes(edge: Edge) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::starting))
        .fallback(async |request| refused_unread(request, Error::new(Message::Starting)).await)
        .layer(middleware::from_fn(refused_batch::run))
        .layer(middleware::from_fn_with_state(edge, requests::run))
}

async fn not_found(request: Request) -> Response {
    let own = refusal_of_interface(request.uri().path(), &unserved_path(), &RequestId::of(request.extensions()));
    own.unwrap_or_else(nothing_here)
}

/// The answer that consists of an error, at the path of an interface whose errors have a form of their own.
fn refusal_of_interface(path: &str, error: &Error, id: &RequestId) -> Option<Response> {
    if pms_api::serves(path) {
        return Some(pms_api::refusal(error, id, Outcome::default()));
    }
    seam::serves(path).then(|| seam::refusal(error, id, None, Outcome::default()))
}

/// The answer outside REST when nothing is served at a path.
fn nothing_here() -> Response {
    answer::refusal(MediaType::Json, unserved_path())
}

fn unserved_path() -> Error {
    Error::new(Message::PathNotServed)
}

/// The answer to another method than a path has. The router adds the `Allow` header.
async fn method_not_allowed(request: Request) -> Response {
    let (head, body) = request.into_parts();
    let graphql = head.uri.path() == GRAPHQL;
    if graphql && home::is_for_a_person(&head) {
        body::discard(body).await;
        return home::graphql_is_served_by_post();
    }
    let message = if graphql { Message::PostOnly } else { Message::MethodNotServed };
    refused_unread(Request::from_parts(head, body), Error::new(message)).await
}

/// The answer to a request that is refused whatever its body says.
async fn refused_unread(request: Request, error: Error) -> Response {
    let media_type = negotiate::answer_type(request.headers()).unwrap_or(MediaType::Json);
    let (head, body) = request.into_parts();
    body::discard(body).await;
    let own = refusal_of_interface(head.uri.path(), &error, &RequestId::of(&head.extensions));
    own.unwrap_or_else(|| answer::refusal(media_type, error))
}
