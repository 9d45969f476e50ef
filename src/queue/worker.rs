//! The worker of a process for one queue: when it looks for jobs, what it has in flight, and how it ends.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{self, JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{ByParty, Ended, Places, Queue};
use crate::db::answered_within;
use crate::error::{Error, ErrorCode, Result};
use crate::telemetry::warn_of_retry;

/// How often to look for jobs that nobody told of: retries that fall due, and what a wake-up got lost for.
pub(super) const POLL: Duration = Duration::from_secs(1);
/// Longest wait for the database: for a lock 10 s, and for the statements.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);
/// How long attempts may go on after the process was asked to end.
const GRACE: Duration = Duration::from_secs(5);

/// Does the jobs of a queue, as far as the limits of a process go.
pub struct Worker<Q: Queue> {
    queue: Arc<Q>,
    attempts: JoinSet<Result<Q::Outcome>>,
    /// Jobs that are being attempted, by the tasks that do so.
    in_flight: HashMap<task::Id, Arc<Q::Job>>,
    /// Attempts that have ended and are not settled yet.
    ended: Vec<Ended<Q::Job, Q::Outcome>>,
}

impl<Q: Queue> Worker<Q> {
    /// A worker that has claimed nothing yet.
    pub fn new(queue: Q) -> Self {
        Self { queue: Arc::new(queue), attempts: JoinSet::new(), in_flight: HashMap::new(), ended: Vec::new() }
    }

    /// Works until `shutdown`. What is in flight then is for [`Worker::wind_up`].
    pub async fn work(&mut self, shutdown: impl Future<Output = ()>) {
        let queue = Arc::clone(&self.queue);
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let rest = self.turn().await;
            tokio::select! {
                () = &mut shutdown => return,
                () = sleep(rest) => {}
            }
            tokio::select! {
                () = &mut shutdown => return,
                () = queue.wake().notified() => {}
                true = self.next_ended() => {}
                () = sleep(POLL) => {}
            }
        }
    }

    /// Lets attempts end, settles them, and returns the leases of those that do not end in time.
    pub async fn wind_up(mut self) {
        let deadline = Instant::now() + GRACE;
        while let Ok(true) = timeout_at(deadline, self.next_ended()).await {}
        self.attempts.abort_all();
        while self.next_ended().await {}
        let unfinished: Vec<Arc<Q::Job>> = std::mem::take(&mut self.in_flight).into_values().collect();
        let returned = async {
            self.settle().await?;
            self.queue.release(&unfinished).await
        };
        if let Err(error) = answered_within(GRACE, returned).await {
            warn_of_retry(&error, &format!("leases of {} cannot be returned; they run out by themselves", Q::NAME));
        }
    }

    /// Claims what is due, waits until every attempt has ended, and settles them. Answers how many attempts that were; `None` when
    /// nothing could be claimed.
    pub async fn round(&mut self) -> Result<Option<usize>> {
        if self.claim().await? == 0 {
            return Ok(None);
        }
        let unsettled = self.ended.len();
        while self.next_ended().await {}
        let attempts = self.ended.len() - unsettled;
        self.settle().await?;
        Ok(Some(attempts))
    }

    /// Settles what has ended and takes on what is due. Answers how long to rest: as long as looking for jobs took, so that it
    /// never is most of what the database does, however many parties fail.
    async fn turn(&mut self) -> Duration {
        match answered_within(PATIENCE, self.settle()).await {
            Ok(()) => {}
            // The outcomes are kept; while the database is away there is nothing to claim either.
            Err(error) if error.code == ErrorCode::Unavailable => {
                warn_of_retry(&error, &format!("attempts at {} cannot be recorded yet", Q::NAME));
                return POLL;
            }
            // They must not stand in the way of everything else. Their leases run out, and they are attempted again.
            Err(error) => {
                tracing::error!(cause = ?error.source, "attempts at {} cannot be recorded", Q::NAME);
                self.ended.clear();
            }
        }
        let began = Instant::now();
        if let Err(error) = answered_within(PATIENCE, self.claim()).await {
            warn_of_retry(&error, &format!("no {} can be claimed", Q::NAME));
            return POLL;
        }
        let rest = began.elapsed().min(POLL / 2);
        if self.is_full()
            && let Err(error) = self.queue.call_for_help().await
        {
            tracing::debug!(cause = ?error.source, "other workers cannot be called for {}", Q::NAME);
        }
        rest
    }

    /// Claims what is due, as far as there are places, and begins to attempt it. Answers how much that was.
    async fn claim(&mut self) -> Result<usize> {
        let mut places = Places::new(Q::LIMITS);
        for job in self.in_flight.values() {
            places.take(Q::party(job), Q::is_failing(job));
        }
        for ended in &self.ended {
            places.count(Q::party(&ended.job));
        }
        let claimed = self.queue.claim(&places).await?;
        let count = claimed.len();
        for job in claimed {
            self.begin(job);
        }
        self.measure_leases();
        Ok(count)
    }

    fn begin(&mut self, job: Q::Job) {
        let job = Arc::new(job);
        let (queue, attempted) = (Arc::clone(&self.queue), Arc::clone(&job));
        let attempt = self.attempts.spawn(async move {
            let outlived = |_| Err(Error::internal("the attempt took longer than its lease"));
            timeout(Q::LEASE, queue.attempt(&attempted)).await.unwrap_or_else(outlived)
        });
        self.in_flight.insert(attempt.id(), job);
    }

    fn is_full(&self) -> bool {
        self.in_flight.values().filter(|job| !Q::is_failing(job)).count() >= Q::LIMITS.working.places
    }

    fn measure_leases(&self) {
        let leased = self.in_flight.values().chain(self.ended.iter().map(|ended| &ended.job));
        let (failing, working): (Vec<_>, Vec<_>) = leased.partition(|job| Q::is_failing(job));
        self.queue.measure_leases(working.len(), failing.len());
    }

    /// Waits until an attempt ends; false when none is in flight.
    async fn next_ended(&mut self) -> bool {
        let Some(joined) = self.attempts.join_next_with_id().await else { return false };
        self.complete(joined);
        while let Some(joined) = self.attempts.try_join_next_with_id() {
            self.complete(joined);
        }
        true
    }

    fn complete(&mut self, joined: Result<(task::Id, Result<Q::Outcome>), JoinError>) {
        let (id, attempted) = match joined {
            Ok(ended) => ended,
            // It stays in flight, so that its lease is returned.
            Err(error) if error.is_cancelled() => return,
            Err(error) => (error.id(), Err(Error::internal(error))),
        };
        let Some(job) = self.in_flight.remove(&id) else { return };
        match attempted {
            Ok(outcome) => self.ended.push(Ended { job, outcome }),
            // Nothing to settle: the lease runs out.
            Err(error) => {
                let party = Q::party(&job);
                tracing::error!(?party, cause = ?error.source, "one of the {} cannot be attempted", Q::NAME);
            }
        }
    }

    /// Settles the attempts that have ended. They are kept for another try when that fails, and while somebody has locked their
    /// party.
    async fn settle(&mut self) -> Result<()> {
        if self.ended.is_empty() {
            return Ok(());
        }
        let mut by_party: ByParty<'_, Q> = ByParty::<Q>::new();
        for ended in &self.ended {
            by_party.entry(Q::party(&ended.job)).or_default().push(ended);
        }
        let kept = self.queue.settle(&by_party).await?;
        self.ended.retain(|ended| kept.contains(&Q::party(&ended.job)));
        self.measure_leases();
        Ok(())
    }
}
