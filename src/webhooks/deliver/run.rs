//! The worker of a process: when it looks for work, and how it ends.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sqlx::Executor as _;
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{Worker, store};
use crate::app::App;
use crate::db::answered_within;
use crate::error::ErrorCode;
use crate::telemetry::warn_of_retry;
use crate::webhooks::aside;
use crate::webhooks::client::Sender;

/// How often to look for work that nobody told of: retries that fall due, and what a wake-up got lost for.
const POLL: Duration = Duration::from_secs(1);
/// How long attempts may go on after the process was asked to end.
const GRACE: Duration = Duration::from_secs(5);
/// Longest wait for the database: for a lock 10 s, and for the statements.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long the connection that other processes are heard on may be silent before it is asked whether it still is one.
const SILENCE: Duration = Duration::from_secs(15);
/// Where workers of other processes ask for help.
const CHANNEL: &str = "latchkey_deliveries";

/// Delivers webhooks until `shutdown`, then lets attempts end, and returns the leases of those that do not in time.
///
/// A process delivers what its own requests commit, told by [`crate::app::Parts::deliveries_wake`]. When all its places are
/// taken, it calls the workers of other processes with a NOTIFY: at most one per turn, and never within a request.
pub async fn run(app: App, sender: Sender, shutdown: impl Future<Output = ()>) {
    raise_file_limit();
    let mut worker = Worker::new(app.clone(), Arc::new(sender));
    let mut beside = JoinSet::new();
    beside.spawn(listen(app.clone()));
    beside.spawn(aside::run(app.clone()));
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let rest = worker.turn().await;
        tokio::select! {
            () = &mut shutdown => break,
            () = sleep(rest) => {}
        }
        tokio::select! {
            () = &mut shutdown => break,
            () = app.deliveries_wake.notified() => {}
            true = worker.next_ended() => {}
            () = sleep(POLL) => {}
        }
    }
    drop(beside);
    worker.wind_up().await;
}

impl Worker {
    /// Records what has ended and takes on what is due. Answers how long to rest: as long as looking for work took, so that
    /// it never is most of what the database does, however many endpoints fail.
    async fn turn(&mut self) -> Duration {
        match answered_within(PATIENCE, self.record()).await {
            Ok(()) => {}
            // The outcomes are kept; while the database is away there is nothing to claim either.
            Err(error) if error.code == ErrorCode::Unavailable => {
                warn_of_retry(&error, "attempts to deliver webhooks cannot be recorded yet");
                return POLL;
            }
            // They must not stand in the way of everything else. Their leases run out, and they are sent again.
            Err(error) => {
                tracing::error!(cause = ?error.source, "attempts to deliver webhooks cannot be recorded");
                self.ended.clear();
            }
        }
        let began = Instant::now();
        if let Err(error) = answered_within(PATIENCE, self.claim()).await {
            warn_of_retry(&error, "no webhooks can be claimed");
            return POLL;
        }
        let rest = began.elapsed().min(POLL / 2);
        if self.is_full() {
            self.call_for_help().await;
        }
        rest
    }

    async fn call_for_help(&self) {
        let called = async {
            let mut conn = self.app.worker_pool.acquire().await?;
            store::notify(&mut conn).await
        };
        if let Err(error) = called.await {
            tracing::debug!(cause = ?error.source, "other workers cannot be called");
        }
    }

    async fn wind_up(mut self) {
        let deadline = Instant::now() + GRACE;
        while let Ok(true) = timeout_at(deadline, self.next_ended()).await {}
        self.flights.abort_all();
        while self.next_ended().await {}
        let unfinished: Vec<_> = std::mem::take(&mut self.aloft).into_values().collect();
        let returned = async {
            self.record().await?;
            let mut conn = self.app.worker_pool.acquire().await?;
            store::release(&mut conn, &unfinished).await
        };
        if let Err(error) = answered_within(GRACE, returned).await {
            warn_of_retry(&error, "leases of webhooks cannot be returned; they run out within a minute");
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

/// Wakes the worker when another process calls. Without the connection the poll remains.
async fn listen(app: App) {
    loop {
        if let Err(error) = hear(&app).await {
            tracing::debug!(cause = %error, "the workers of other processes cannot be heard");
        }
        sleep(POLL).await;
    }
}

async fn hear(app: &App) -> sqlx::Result<()> {
    // Its own connection: the pool's are for work.
    let options = app.worker_pool.connect_options().clone();
    let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        match timeout(SILENCE, listener.try_recv()).await {
            Ok(heard) => match heard? {
                Some(_) => app.deliveries_wake.notify_one(),
                None => return Ok(()),
            },
            // Nothing is asked: any answer shows that it still is one.
            Err(_) => {
                answered_within(PATIENCE, listener.execute("")).await?;
            }
        }
    }
}
