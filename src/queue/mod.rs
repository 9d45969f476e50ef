//! Work for outside parties: jobs that wait in PostgreSQL for an endpoint, a lock or anything else that may be slow, refuse, or
//! never answer.
//!
//! **Claim**: a job is leased ([`Lease`]) for longer than an attempt can take, so no transaction is open while a party is asked.
//! What a process held that died is taken over as soon as the others know that it did ([`crate::liveness`]), or when its lease
//! runs out, and is then attempted again: at least once. An outcome counts only while nobody has claimed the job since.
//!
//! **Fairness** ([`Places`]): parties do not delay each other. A claim first looks which parties have something due, and then takes
//! a few jobs of each, every party in turn. Parties that fail have places of their own: however many of them there are and
//! however long they take, they take none from those that work.
//!
//! **Settle** ([`settle`]): what follows from attempts for the jobs, by their [`Schedule`], and for the [`Health`] of the party. One
//! whose last attempt failed is left alone for a while that doubles up to a minute, and is then given one job at a time.
//!
//! **[`Worker`]** does all of it for a [`Queue`]: wakes up, claims, attempts, settles, and returns leases at the end. Where a party
//! fetches its jobs itself, what answers it claims and settles by the same `Places`, `Lease` and `settle`, without a worker; a
//! lease that ran out is then a failed attempt.
//!
//! The module knows no table: each queue brings its statements, one for each step.

mod calls;
mod fairness;
mod health;
pub mod schedule;
mod store;
#[cfg(test)]
mod tests;
mod worker;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::Notify;

pub use calls::{call, listen};
pub use fairness::{Limits, Places, Share, Waiting};
pub use health::{Attempt, Health, JobChange, Next, Settled, Verdict, settle};
pub use schedule::Schedule;
pub use store::go_by_index;
pub use worker::Worker;

use crate::error::Result;
use crate::liveness::Liveness;

/// Jobs of one kind, and how they are claimed, attempted and settled.
pub trait Queue: Sized + Send + Sync + 'static {
    /// Names a party.
    type Party: Copy + Debug + Ord + Hash + Send + Sync;
    /// A claimed job, with all that an attempt needs.
    type Job: Send + Sync + 'static;
    /// What an attempt came to.
    type Outcome: Send + Sync + 'static;

    /// What the jobs are called in the log, in the plural.
    const NAME: &'static str;
    /// How many jobs one process attempts at a time.
    const LIMITS: Limits;
    /// How long a claimed job is the claimer's own. An attempt that takes so long is given up.
    const LEASE: Duration;

    /// The party that a job is for.
    fn party(job: &Self::Job) -> Self::Party;

    /// Whether the last attempt at the party of a job had failed when the job was claimed.
    fn is_failing(job: &Self::Job) -> bool;

    /// Finds the parties that have something due, asks [`Places::allot`] how much each may have, and leases that.
    fn claim(&self, places: &Places<Self::Party>) -> impl Future<Output = Result<Vec<Self::Job>>> + Send;

    /// Attempts a job. A failure of the party is an outcome. An error is a fault of ours: there is nothing to settle, and the
    /// lease runs out.
    fn attempt(&self, job: &Self::Job) -> impl Future<Output = Result<Self::Outcome>> + Send;

    /// Writes what follows from outcomes, as far as nobody has claimed their jobs since. Answers the parties that could not be
    /// settled, because somebody else has locked them: their outcomes are settled later.
    fn settle(&self, ended: &ByParty<'_, Self>) -> impl Future<Output = Result<Vec<Self::Party>>> + Send;

    /// Returns the leases of jobs whose attempts were cut off.
    fn release(&self, jobs: &[Arc<Self::Job>]) -> impl Future<Output = Result<()>> + Send;

    /// Wakes the worker of this process: there may be something to do.
    fn wake(&self) -> &Notify;

    /// Tells the workers of other processes that there is more to do than this one can ([`call`]).
    fn call_for_help(&self) -> impl Future<Output = Result<()>> + Send;

    /// Takes note of how many jobs this process has claimed and not settled yet, for parties that work and for those that fail.
    fn measure_leases(&self, working: usize, failing: usize);
}

/// A job whose attempt has ended.
pub struct Ended<J, O> {
    /// The job.
    pub job: Arc<J>,
    /// What the attempt came to.
    pub outcome: O,
}

/// Jobs of a queue whose attempts have ended, by their parties.
pub type ByParty<'a, Q> = BTreeMap<<Q as Queue>::Party, Vec<&'a Ended<<Q as Queue>::Job, <Q as Queue>::Outcome>>>;

/// How long and in whose name jobs are claimed.
pub struct Lease {
    /// Its end.
    pub until: DateTime<Utc>,
    /// The process that holds it. `None`: nobody can tell whether that lives, so nobody takes over before the end.
    pub holder: Option<i32>,
    /// The processes that live: jobs are taken over from everybody else. `None`: from nobody.
    pub living: Option<Vec<i32>>,
}

impl Lease {
    /// A lease of this process that begins now.
    pub fn beginning(now: DateTime<Utc>, term: Duration, liveness: &Liveness) -> Self {
        Self { until: now + term, holder: liveness.holder(), living: liveness.living() }
    }
}
