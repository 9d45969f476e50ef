//! What runs beside the requests: deliveries, the pruner, the clean-up of kept answers and the upkeep of the partitions.
//! Every replica runs them; they share their work.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::App;
use crate::webhooks::{self, Sender};
use crate::{events, idempotency, pruner};

/// Longest wait for workers that were asked to stop. What they leave undone is taken up at the next start.
const PATIENCE: Duration = Duration::from_secs(20);

/// The running workers.
pub struct Workers {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Workers {
    /// Starts them.
    pub fn start(app: &App) -> Self {
        let (stop, stopping) = watch::channel(false);
        let stopped = || {
            let mut stopping = stopping.clone();
            async move {
                // An error means that the sender is gone, which is a stop as well.
                let _ = stopping.wait_for(|stop| *stop).await;
            }
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(webhooks::run(app.clone(), Sender::default(), stopped()));
        tasks.spawn(events::run_maintenance(app.clone(), stopped()));
        tasks.spawn(idempotency::run_clean_up(app.clone(), stopped()));
        tasks.spawn(pruner::run(app.clone(), stopped()));
        Self { stop, tasks }
    }

    /// Lets them finish what they are at.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(PATIENCE, all).await.is_err() {
            tracing::warn!("workers were stopped at their work");
        }
    }
}
