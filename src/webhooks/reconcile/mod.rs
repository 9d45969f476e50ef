//! Reconciliation of deliveries with the status of their endpoints: those that wait for an endpoint that is disabled, are kept for
//! one that is enabled again, or were left behind by one that was deleted.
//!
//! Requests change an endpoint alone, however much waits for it. This worker moves its deliveries after it, in batches that
//! are small whatever the backlog is, each in a transaction of its own. It waits for no lock and runs beside the worker that
//! delivers, so that no backlog and no failure of it delays anything else. Nothing depends on how a batch and a change of the
//! endpoint's status cross: whatever one batch moves the wrong way, a later one moves back.

mod store;

use std::time::Duration;

use tokio::time::{Instant, sleep};

use self::store::{Kind, Misplaced};
use super::model::EndpointKey;
use crate::context::Context;
use crate::db::{WORKER_PATIENCE, answered_within};
use crate::error::{Error, Result};
use crate::queue::go_by_index;
use crate::telemetry::warn_of_retry;

/// How often to look.
const POLL: Duration = Duration::from_secs(1);
/// Most deliveries that one statement moves, fairly divided among the endpoints.
const BATCH: usize = 2000;
/// Most endpoints that are looked after at a time.
const MOST_ENDPOINTS: i64 = 500;

/// Moves deliveries until it is dropped.
pub async fn run(context: Context) {
    loop {
        let began = Instant::now();
        let moved =
            answered_within(WORKER_PATIENCE, async { Ok::<_, Error>(move_batch(&context).await) }).await.unwrap_or(0);
        // As long as the batch took, so that a backlog never is most of what the database does.
        sleep(if moved == 0 { POLL } else { began.elapsed().min(POLL) }).await;
    }
}

/// Moves one batch of each kind. Answers how many deliveries that were; a batch that failed counts as none, and the next one
/// tries again.
pub async fn move_batch(context: &Context) -> u64 {
    let misplaced = match find(context).await {
        Ok(misplaced) => misplaced,
        Err(error) => {
            warn_of_retry(&error, "deliveries to move cannot be looked for");
            return 0;
        }
    };
    let mut moved = 0;
    for kind in [Kind::Resume, Kind::Hold, Kind::Orphan] {
        let endpoints: Vec<EndpointKey> =
            misplaced.iter().filter(|one| one.kind == kind).map(|one| one.endpoint).collect();
        if endpoints.is_empty() {
            continue;
        }
        match move_kind(context, kind, &endpoints).await {
            Ok(count) => moved += count,
            Err(error) => warn_of_retry(&error, "deliveries cannot be moved"),
        }
    }
    moved
}

async fn find(context: &Context) -> Result<Vec<Misplaced>> {
    let mut tx = context.worker_pool.begin().await?;
    go_by_index(&mut tx).await?;
    let misplaced = store::misplaced(&mut tx, MOST_ENDPOINTS).await?;
    tx.commit().await?;
    Ok(misplaced)
}

async fn move_kind(context: &Context, kind: Kind, endpoints: &[EndpointKey]) -> Result<u64> {
    let per_endpoint = i64::try_from((BATCH / endpoints.len()).max(1)).unwrap_or(1);
    let now = context.clock.now();
    let mut tx = context.worker_pool.begin().await?;
    go_by_index(&mut tx).await?;
    let count = match kind {
        Kind::Resume => store::resume(&mut tx, endpoints, per_endpoint, now).await?,
        Kind::Hold => store::hold(&mut tx, endpoints, per_endpoint, now, context.liveness.living().as_deref()).await?,
        Kind::Orphan => store::drop_orphans(&mut tx, endpoints, per_endpoint).await?,
    };
    tx.commit().await?;
    if kind == Kind::Resume && count > 0 {
        context.deliveries_wake.notify_one();
    }
    Ok(count)
}
