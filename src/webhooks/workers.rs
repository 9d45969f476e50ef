//! The workers of webhooks, put together: one that delivers, one that moves deliveries after their endpoints.

use std::sync::Arc;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::task::JoinSet;

use super::client::Sender;
use super::deliver::{CHANNEL, Deliveries};
use super::model::WebhookSettings;
use super::reconcile;
use crate::context::Context;
use crate::error::Result;
use crate::queue::{self, Worker};

/// Delivers webhooks until `shutdown`, then lets attempts end, and returns the leases of those that do not in time.
///
/// A process delivers what its own requests commit, told by [`crate::context::ContextParts::deliveries_wake`]. When all its places are
/// taken, it calls the workers of other processes.
pub async fn run(context: Context, settings: WebhookSettings, sender: Sender, shutdown: impl Future<Output = ()>) {
    raise_file_limit();
    let mut beside = JoinSet::new();
    let (pool, woken) = (context.worker_pool.clone(), context.clone());
    beside.spawn(queue::listen(pool, CHANNEL, move || woken.deliveries_wake.notify_one()));
    beside.spawn(reconcile::run(context.clone()));
    let mut worker = Worker::new(Deliveries::new(context, settings, Arc::new(sender)));
    worker.work(shutdown).await;
    drop(beside);
    worker.wind_up().await;
}

/// Sends everything that is due, until nothing is, and answers how many attempts that took.
///
/// # Errors
/// `UNAVAILABLE`; what was sent but not recorded is sent again later.
pub async fn deliver_due(context: &Context, settings: &WebhookSettings, sender: &Arc<Sender>) -> Result<usize> {
    let mut worker = Worker::new(Deliveries::new(context.clone(), settings.clone(), Arc::clone(sender)));
    let mut attempts = 0;
    loop {
        while reconcile::move_batch(context).await > 0 {}
        match worker.round().await? {
            Some(more) => attempts += more,
            None => return Ok(attempts),
        }
    }
}

/// Allows the process as many open files as it may have: the usual 1024 are fewer than there are places for attempts.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::debug!(cause = %error, "the limit of open files stays as it is");
    }
}
