//! Simulated encoders as parties of a queue.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::store;
use crate::actor::{Principal, SIMULATED_ENCODERS};
use crate::error::{ErrorCode, Result};
use crate::hotels;
use crate::lock_commands::{self, CHANNEL, Claimed, EncoderKey, LEASE, Outcome};
use crate::queue::{self, ByParty, Limits, Places, Queue, Share};
use crate::unit::{Transactions, Tx};

/// The queue of commands for simulated encoders.
pub struct SimulatedEncoders {
    transactions: Transactions,
}

impl SimulatedEncoders {
    /// Of all hotels.
    pub const fn new(transactions: Transactions) -> Self {
        Self { transactions }
    }

    /// Completes a command, unless somebody has taken it over.
    async fn complete(&self, claimed: &Claimed, outcome: Outcome) -> Result<()> {
        let transactions = &self.transactions;
        let hotel = hotels::find(&mut *transactions.worker_pool.acquire().await?, claimed.encoder.hotel).await?;
        let Some(hotel) = hotel else { return Ok(()) };
        let (principal, now) = (Principal::Worker(SIMULATED_ENCODERS), transactions.clock.now());
        let mut tx = Tx::begin_worker(transactions, Arc::new(hotel), principal, now).await?;
        match lock_commands::complete_simulated_in(&mut tx, claimed.id, claimed.claim_id, outcome).await {
            Ok(_) => tx.commit().await,
            Err(error) if matches!(error.code, ErrorCode::LeaseLost | ErrorCode::NotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Queue for SimulatedEncoders {
    type Party = EncoderKey;
    type Job = Claimed;
    type Outcome = Outcome;

    const NAME: &'static str = "lock commands";
    /// One card at a time at an encoder.
    const LIMITS: Limits =
        Limits { working: Share { places: 64, per_party: 1 }, failing: Share { places: 16, per_party: 1 } };
    const LEASE: Duration = LEASE;

    fn party(job: &Claimed) -> EncoderKey {
        job.encoder
    }

    fn is_failing(job: &Claimed) -> bool {
        job.failing
    }

    async fn claim(&self, places: &Places<EncoderKey>) -> Result<Vec<Claimed>> {
        lock_commands::claim_simulated(&self.transactions, places).await
    }

    async fn attempt(&self, claimed: &Claimed) -> Result<Outcome> {
        let mut tx = self.transactions.worker_pool.begin().await?;
        let failure = store::take_failure(&mut tx, claimed.encoder).await?;
        if failure.is_none() {
            store::write_card(&mut tx, claimed.encoder, &claimed.card).await?;
        }
        tx.commit().await?;
        Ok(failure.map_or(Outcome::Succeeded, Outcome::Failed))
    }

    async fn settle(&self, ended: &ByParty<'_, Self>) -> Result<Vec<EncoderKey>> {
        for one in ended.values().flatten() {
            self.complete(&one.job, one.outcome).await?;
        }
        Ok(Vec::new())
    }

    async fn release(&self, jobs: &[Arc<Claimed>]) -> Result<()> {
        lock_commands::release(&self.transactions, jobs).await
    }

    fn wake(&self) -> &Notify {
        &self.transactions.simulated_encoders_wake
    }

    async fn call_for_help(&self) -> Result<()> {
        queue::call(&self.transactions.worker_pool, CHANNEL).await
    }

    fn measure_leases(&self, working: usize, failing: usize) {
        self.transactions.metrics.lock_command_leases(working + failing);
    }
}
