//! `GET /metrics` for Prometheus, on a listener of its own that answers nothing else.
//!
//! What has to be asked of the database is asked once in a while and not for each scrape, and never by a request.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::encoding::prometheus_text;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::app::App;
use crate::db;
use crate::error::{Error, ErrorCode, Result};
use crate::pruner;
use crate::telemetry::metrics::{Backlog, Metrics, State as Measured};
use crate::webhooks::{self, Failure};

/// For how long answers of the database are repeated.
const FRESH: Duration = Duration::from_secs(10);
/// How long the database may take for them, the wait for a connection included.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the database was asked last, and when.
type Known = Arc<Mutex<Option<(Duration, Option<Backlog>)>>>;

/// Everything that the listener serves.
pub(super) fn routes(app: App) -> Router {
    Router::new().route("/metrics", get(scrape)).with_state((app, Known::default()))
}

/// Everything that the listener serves while the service is being started: what is known without a database.
pub(super) fn starting_routes() -> Router {
    let metrics = Arc::new(Metrics::new());
    metrics.show_webhook_failures(Failure::ALL.map(Failure::as_str));
    Router::new().route("/metrics", get(async move || answer(metrics.text(None))))
}

async fn scrape(State((app, known)): State<(App, Known)>) -> impl IntoResponse {
    let measured = Measured {
        requests: app.pool.state(),
        workers: app.worker_pool.state(),
        backlog: backlog(&app, &known).await,
        unreadable: app.secret_keys.unreadable(),
    };
    answer(app.metrics.text(Some(&measured)))
}

fn answer(text: String) -> impl IntoResponse {
    ([(CONTENT_TYPE, prometheus_text::CONTENT_TYPE)], text)
}

/// What waits in the database; `None` when it did not tell.
async fn backlog(app: &App, known: &Known) -> Option<Backlog> {
    let mut known = known.lock().await;
    let now = app.clock.monotonic();
    if let Some((asked, answer)) = *known
        && now.saturating_sub(asked) < FRESH
    {
        return answer;
    }
    let asked = timeout(PATIENCE, ask(app)).await.unwrap_or_else(|_| Err(Error::of(ErrorCode::DeadlineExceeded)));
    if let Err(error) = &asked {
        tracing::debug!(code = error.code.spec().wire, cause = ?error.source, "the database was not measured");
    }
    let answer = asked.ok();
    *known = Some((now, answer));
    answer
}

async fn ask(app: &App) -> Result<Backlog> {
    let now = app.clock.now();
    let mut tx = app.worker_pool.begin().await?;
    db::limit_statements(&mut tx, PATIENCE).await?;
    let keys = pruner::oldest_due(&mut tx, now).await?;
    let [working, failing] = webhooks::due(app, &mut tx, now).await?;
    tx.commit().await?;
    Ok(Backlog { working, failing, keys })
}
