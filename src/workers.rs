//! Workers, which run beside the requests: deliveries, the pruner, the upkeep of lock commands, the simulated encoders, the clean-up of
//! kept answers, the upkeep of the partitions, the use of API keys and their limits. Every replica runs them; they share their work. Beside them it shows that it lives, from before
//! the first of them begins until the last one has ended: what they have leased stays theirs for as long.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::app::App;
use crate::webhooks::{self, Sender};
use crate::{auth, events, idempotency, liveness, lock_commands, pruner, simulated_encoder, throttle};

/// Longest wait for workers that were asked to stop. What they leave undone is taken up at the next start.
const PATIENCE: Duration = Duration::from_secs(12);

/// The running workers.
pub struct Workers {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    living: Living,
}

/// The task that shows that this process lives, until it is dropped.
struct Living(JoinHandle<()>);

impl Drop for Living {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Workers {
    /// Starts them.
    pub fn start(app: &App) -> Self {
        let context = app.context.clone();
        let living = Living(tokio::spawn(async move {
            liveness::run(&context.liveness, &context.worker_pool, &context.deliveries_wake).await;
        }));
        let (stop, stopping) = watch::channel(false);
        let stopped = || {
            let mut stopping = stopping.clone();
            async move {
                // An error means that the sender is gone, which is a stop as well.
                let _ = stopping.wait_for(|stop| *stop).await;
            }
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(webhooks::run(app.context.clone(), app.webhooks.clone(), Sender::default(), stopped()));
        tasks.spawn(events::run_maintenance(app.context.clone(), stopped()));
        tasks.spawn(idempotency::run_clean_up(app.context.clone(), stopped()));
        tasks.spawn(pruner::run(app.transactions.clone(), stopped()));
        tasks.spawn(lock_commands::run_upkeep(app.transactions.clone(), stopped()));
        tasks.spawn(simulated_encoder::run(app.transactions.clone(), stopped()));
        let (counting, stop_counting) = (app.clone(), stopped());
        tasks.spawn(async move { auth::run_usage(&counting, &counting.key_usage, stop_counting).await });
        let (limiting, stop_limiting) = (app.clone(), stopped());
        tasks.spawn(async move { throttle::run_exchange(&limiting, &limiting.throttle, stop_limiting).await });
        Self { stop, tasks, living }
    }

    /// Resolves when one of them has ended by itself, which none does but by a fault.
    pub async fn failed(&mut self) {
        tokio::select! {
            _ = self.tasks.join_next() => {}
            _ = &mut self.living.0 => {}
        }
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
