//! The upkeep of commands: takes leases back from the silent, gives up what nobody waits for, and forgets what is long over.
//!
//! Every process runs it. It skips what others hold, so that they share the work, and does a hotel at a time in small transactions.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use super::model::Ended;
use super::{settle_in, store};
use crate::actor::{LOCK_COMMANDS, Principal};
use crate::context::Context;
use crate::db::{WORKER_PATIENCE, answered_within};
use crate::error::Result;
use crate::hotels::{self, Hotel, HotelId};
use crate::lock_commands::{Failure, Outcome, emit_finished};
use crate::periodic;
use crate::queue;
use crate::telemetry::{error_of_retry, warn_of_retry};
use crate::unit::{Transactions, Tx};

/// How often to look for what is overdue.
const EVERY: Duration = Duration::from_secs(1);
/// How often to look for what is long over.
const DELETE_EVERY: Duration = Duration::from_hours(1);
/// Most encoders, and most commands that nobody waits for, of one transaction.
const BATCH: i64 = 100;
/// Most commands that one statement deletes.
const DELETE_BATCH: i64 = 1000;
/// How long finished commands are kept.
const RETENTION: TimeDelta = TimeDelta::days(30);

/// Keeps up until `shutdown` ends. A transaction that is cut off is rolled back.
pub async fn run_upkeep(transactions: Transactions, shutdown: impl Future<Output = ()>) {
    let look = || async {
        if let Err(error) = keep_up(&transactions).await {
            warn_of_retry(&error, "lock commands are not kept up");
        }
    };
    let delete = || async {
        if let Err(error) = delete_finished(&transactions).await {
            error_of_retry(&error, "finished lock commands were not deleted");
        }
    };
    tokio::select! {
        () = periodic::repeat(EVERY, shutdown, look) => {}
        () = periodic::repeat(DELETE_EVERY, std::future::pending(), delete) => {}
    }
}

/// Settles leases that ended without a word, and gives up what nobody waits for, except what others hold at this moment. Answers how
/// many commands that were.
///
/// # Errors
/// The first one that a hotel met. The other hotels are kept up all the same.
pub async fn keep_up(transactions: &Transactions) -> Result<usize> {
    let (mut done, mut failure) = (0, None);
    for hotel in answered_within(WORKER_PATIENCE, hotels_with_overdue(transactions)).await? {
        match keep_up_hotel(transactions, hotel).await {
            Ok(count) => done += count,
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    failure.map_or(Ok(done), Err)
}

async fn hotels_with_overdue(context: &Context) -> Result<Vec<HotelId>> {
    let mut tx = context.worker_pool.begin().await?;
    queue::go_by_index(&mut tx).await?;
    let living = context.liveness.living();
    let hotels = store::hotels_with_overdue(&mut tx, context.clock.now(), living.as_deref()).await?;
    tx.commit().await?;
    Ok(hotels)
}

async fn keep_up_hotel(transactions: &Transactions, id: HotelId) -> Result<usize> {
    let finding = async { hotels::find(&mut *transactions.worker_pool.acquire().await?, id).await };
    let Some(hotel) = answered_within(WORKER_PATIENCE, finding).await? else { return Ok(0) };
    let (hotel, mut done) = (Arc::new(hotel), 0);
    loop {
        let count = answered_within(WORKER_PATIENCE, keep_up_batch(transactions, &hotel)).await?;
        done += count;
        if count == 0 {
            return Ok(done);
        }
    }
}

/// One transaction of a hotel.
async fn keep_up_batch(transactions: &Transactions, hotel: &Arc<Hotel>) -> Result<usize> {
    let (id, now) = (hotel.id, transactions.clock.now());
    let living = transactions.liveness.living();
    let mut tx = Tx::begin_worker(transactions, Arc::clone(hotel), Principal::Worker(LOCK_COMMANDS), now).await?;
    let encoders = store::lock_silent_encoders(tx.conn().await?, id, now, living.as_deref(), BATCH).await?;
    let ids: Vec<_> = encoders.iter().map(|encoder| encoder.id).collect();
    let mut commands = store::lock_silent(tx.conn().await?, id, &ids, now, living.as_deref()).await?;
    let ended: Vec<Ended> = encoders
        .into_iter()
        .filter_map(|encoder| {
            // One at most: an encoder is at one card at a time.
            let at = commands.iter().position(|command| command.encoder_id == encoder.id)?;
            let outcome = Outcome::Failed(Failure::EncoderCommunicationTimeout);
            Some(Ended { encoder, command: commands.swap_remove(at), outcome })
        })
        .collect();
    if !ended.is_empty() {
        settle_in(&mut tx, &ended).await?;
    }
    let expired = store::expire(tx.conn().await?, id, now, BATCH).await?;
    for (command, failure) in &expired {
        emit_finished(&mut tx, *command, Some(*failure));
    }
    tx.commit().await?;
    Ok(ended.len() + expired.len())
}

/// Deletes what finished long ago.
async fn delete_finished(context: &Context) -> Result<()> {
    let until = context.clock.now() - RETENTION;
    loop {
        let mut conn = context.worker_pool.acquire().await?;
        let deleting = store::delete_finished(&mut conn, until, DELETE_BATCH);
        if answered_within(WORKER_PATIENCE, deleting).await? < DELETE_BATCH.unsigned_abs() {
            conn.give_back();
            return Ok(());
        }
    }
}
