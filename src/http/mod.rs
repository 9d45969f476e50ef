//! The edge: what is served where, and what every answer carries.
//!
//! - `POST /graphql` is GraphQL over HTTP ([`graphql`]), `GET /graphql/ide` a page to try it ([`graphiql`]).
//! - `GET /healthz` and `GET /readyz` tell whether the process is up and whether it can serve ([`health`]).
//!
//! Every request runs in a task of its own, gets an id and one log line ([`requests`]); every answer is small, complete
//! and never an escaped panic. [`server`] cuts off whoever is slow. It speaks HTTP/1.1: HTTP/2 belongs to the proxy in
//! front that holds the certificate.

mod answer;
mod body;
mod graphiql;
mod graphql;
mod health;
mod negotiate;
mod operations;
mod panics;
mod requests;
mod server;

use axum::extract::Request;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Router, middleware};

pub use server::serve;

use self::negotiate::MediaType;
use self::requests::InFlight;
use crate::app::App;
use crate::error::{Error, ErrorCode};

/// Everything that is served.
pub fn router(app: App) -> Router {
    routes(app, InFlight::default())
}

fn routes(app: App, in_flight: InFlight) -> Router {
    Router::new()
        .route("/graphql", post(graphql::handle))
        .route("/graphql/ide", get(graphiql::page))
        .route("/graphql/ide/{file}", get(graphiql::file))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state((app.clone(), in_flight), requests::run))
        .with_state(app)
}

async fn not_found() -> Response {
    answer::refusal(MediaType::Json, Error::new(ErrorCode::NotFound, "Nothing is served at this path"))
}

/// The router adds the `Allow` header.
async fn method_not_allowed(request: Request) -> Response {
    let media_type = negotiate::answer_type(request.headers()).unwrap_or(MediaType::Json);
    body::discard(request.into_body()).await;
    answer::refusal(media_type, Error::new(ErrorCode::MethodNotAllowed, "This path does not serve this method"))
}
