//! Health checks: whether the process is up, and whether it can serve.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use tokio::time::timeout;

use super::answer::{self, Outcome};
use super::negotiate::MediaType;
use crate::app::App;

/// Paths of the checks.
pub(super) const PATHS: [&str; 2] = ["/healthz", "/readyz"];

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// `GET /healthz`: the process answers.
pub(super) async fn alive() -> Response {
    answer::json(MediaType::Json, StatusCode::OK, &json!({ "status": "alive" }), Outcome::default())
}

/// `GET /readyz`: everything is started and the database answers.
pub(super) async fn ready(State(app): State<App>) -> Response {
    if !app.ready.load(Ordering::Acquire) {
        return starting().await;
    }
    if !database_answers(&app).await {
        return not_ready("database");
    }
    answer::json(MediaType::Json, StatusCode::OK, &json!({ "status": "ready" }), Outcome::default())
}

/// `GET /readyz` before anything is started.
pub(super) async fn starting() -> Response {
    not_ready("starting")
}

fn not_ready(reason: &str) -> Response {
    let body = json!({ "status": "unavailable", "reason": reason });
    let mut response = answer::json(MediaType::Json, StatusCode::SERVICE_UNAVAILABLE, &body, Outcome::default());
    answer::mark_retry(&mut response, Some(answer::RETRY_AFTER_SECONDS));
    response
}

async fn database_answers(app: &App) -> bool {
    let answered = timeout(PATIENCE, app.pool.ping());
    matches!(answered.await, Ok(Ok(())))
}
