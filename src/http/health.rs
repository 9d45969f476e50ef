//! Whether the process is up, and whether it can serve.

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

/// Where it is told.
pub(super) const PATHS: [&str; 2] = ["/healthz", "/readyz"];

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// `GET /healthz`: the process answers.
pub(super) async fn alive() -> Response {
    answer::json(MediaType::Json, StatusCode::OK, &json!({ "status": "alive" }), Outcome::default())
}

/// `GET /readyz`: everything is started and the database answers.
pub(super) async fn ready(State(app): State<App>) -> Response {
    let reason = if !app.ready.load(Ordering::Acquire) {
        "starting"
    } else if !database_answers(&app).await {
        "database"
    } else {
        return answer::json(MediaType::Json, StatusCode::OK, &json!({ "status": "ready" }), Outcome::default());
    };
    let body = json!({ "status": "unavailable", "reason": reason });
    answer::json(MediaType::Json, StatusCode::SERVICE_UNAVAILABLE, &body, Outcome::default())
}

async fn database_answers(app: &App) -> bool {
    let answered = timeout(PATIENCE, app.pool.ping());
    matches!(answered.await, Ok(Ok(())))
}
