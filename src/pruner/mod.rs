//! The clean-up of room access keys that outlived their stay.
//!
//! An assignment is due two civil days after its own stay's departure ([`crate::hotels::Hotel::key_due`]; kept beside
//! the stay, so it follows every new date). The pruner takes the key off the stay, and deletes it when that was its
//! last stay. A key that has been on no stay for 48 hours is deleted, too. Events: `room_stay.updated` with
//! `roomAccessKey`, and `room_access_key.deleted` for the key's owner.
//!
//! The work is done in short transactions of one hotel each, so a batch needs one event counter. A batch is as large as
//! takes some 50 ms ([`pace`]). It skips what others hold and waits for no row but that counter; what it
//! skipped is done a minute later. So it shares the work with other replicas and cannot be part of a deadlock. Whether
//! something is due is decided under its lock: an extension of the stay or an assignment of the key that comes first
//! wins, and one that comes second finds the key gone.

mod pace;
mod store;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::StreamExt as _;
use futures_util::stream;
use sqlx::PgConnection;
use uuid::Uuid;

use pace::Pace;
use store::Claimed;
pub use store::Due;

use crate::actor::{PRUNER, Principal};
use crate::audit::{Entry, ObjectType};
use crate::context::Context;
use crate::db::{WORKER_PATIENCE, answered_within};
use crate::error::Result;
use crate::hotels::{self, Hotel, HotelId};
use crate::periodic;
use crate::room_access_keys::{self, UNASSIGNED_HOURS};
use crate::room_stays;
use crate::telemetry::error_of_retry;
use crate::unit::{Transactions, Tx};

/// How often the pruner looks for work.
const EVERY: Duration = Duration::from_mins(1);
/// Hotels that one process cleans up at a time.
const HOTELS_AT_A_TIME: usize = 2;

/// What the pruner did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Keys taken off stays; a key on several stays counts for each.
    pub revoked: usize,
    /// Keys deleted.
    pub deleted: usize,
}

impl std::ops::AddAssign for Pruned {
    fn add_assign(&mut self, other: Self) {
        self.revoked += other.revoked;
        self.deleted += other.deleted;
    }
}

/// Revokes and deletes everything that is due by now, except what others hold at this moment.
///
/// # Errors
/// The first one that a hotel met. The other hotels are cleaned up all the same, and what was committed stays done.
pub async fn prune_due(transactions: &Transactions) -> Result<Pruned> {
    let now = transactions.clock.now();
    let mut conn = transactions.worker_pool.acquire().await?;
    let looking = store::hotels_with_due(&mut conn, now, unassigned_before(now));
    let hotels = answered_within(WORKER_PATIENCE, looking).await?;
    conn.give_back();
    let mut done = Pruned::default();
    let mut failure = None;
    let pace = Pace::new();
    let mut results =
        stream::iter(hotels).map(|hotel| prune_hotel(transactions, hotel, &pace)).buffer_unordered(HOTELS_AT_A_TIME);
    while let Some(result) = results.next().await {
        match result {
            Ok(pruned) => done += pruned,
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    failure.map_or(Ok(done), Err)
}

/// What [`prune_due`] would revoke and delete, the longest overdue first.
pub async fn list_due(context: &Context) -> Result<Vec<Due>> {
    let now = context.clock.now();
    store::list_due(&mut *context.worker_pool.acquire().await?, now, unassigned_before(now)).await
}

/// For how long the key has been due that has been so for longest. Nothing is due: not at all.
pub async fn oldest_due(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<Duration> {
    let since = store::oldest_due(conn, now, unassigned_before(now)).await?;
    Ok(since.and_then(|since| (now - since).to_std().ok()).unwrap_or_default())
}

/// Prunes at once and then every minute, until `shutdown` ends. A batch that is cut off is rolled back.
pub async fn run(transactions: Transactions, shutdown: impl Future<Output = ()>) {
    let prune = || async {
        let pruned = prune_due(&transactions).await;
        transactions.metrics.pruner_run(pruned.is_ok());
        match pruned {
            Ok(Pruned { revoked: 0, deleted: 0 }) => {}
            Ok(Pruned { revoked, deleted }) => tracing::info!(revoked, deleted, "pruned room access keys"),
            Err(error) => error_of_retry(&error, "pruning failed"),
        }
    };
    periodic::repeat(EVERY, shutdown, prune).await;
}

fn unassigned_before(now: DateTime<Utc>) -> DateTime<Utc> {
    now - TimeDelta::hours(UNASSIGNED_HOURS)
}

async fn prune_hotel(transactions: &Transactions, id: HotelId, pace: &Pace) -> Result<Pruned> {
    let mut done = Pruned::default();
    let finding = async { hotels::find(&mut *transactions.worker_pool.acquire().await?, id).await };
    let Some(hotel) = answered_within(WORKER_PATIENCE, finding).await? else { return Ok(done) };
    let hotel = Arc::new(hotel);
    loop {
        let now = transactions.clock.now();
        let mut conn = transactions.worker_pool.acquire().await?;
        let looking = store::due_of_hotel(&mut conn, id, now, unassigned_before(now));
        let due = answered_within(WORKER_PATIENCE, looking).await?;
        conn.give_back();
        let pruned = prune_listed(transactions, &hotel, pace, &due.stays, &due.unused).await?;
        done += pruned;
        if !due.is_cut_off() || pruned == Pruned::default() {
            return Ok(done);
        }
    }
}

/// In batches, the stays first.
async fn prune_listed(
    transactions: &Transactions,
    hotel: &Arc<Hotel>,
    pace: &Pace,
    mut stays: &[Uuid],
    mut unused: &[Uuid],
) -> Result<Pruned> {
    let mut done = Pruned::default();
    while !(stays.is_empty() && unused.is_empty()) {
        let batch = pace.batch(stays.len(), unused.len());
        let (of_stays, later_stays) = stays.split_at(batch.stays);
        let (of_unused, later_unused) = unused.split_at(batch.unused);
        let began = Instant::now();
        let pruned = answered_within(WORKER_PATIENCE, prune_batch(transactions, hotel, of_stays, of_unused)).await?;
        let took = began.elapsed();
        transactions.metrics.pruned(pruned.revoked, pruned.deleted, took);
        done += pruned;
        pace.adapt(batch, took);
        (stays, unused) = (later_stays, later_unused);
    }
    Ok(done)
}

/// One transaction: what is still due of these stays and keys.
async fn prune_batch(
    transactions: &Transactions,
    hotel: &Arc<Hotel>,
    stays: &[Uuid],
    unused: &[Uuid],
) -> Result<Pruned> {
    let (id, now) = (hotel.id, transactions.clock.now());
    let mut tx = Tx::begin_worker(transactions, Arc::clone(hotel), Principal::Worker(PRUNER), now).await?;
    let claimed = store::claim_due(tx.conn().await?, id, stays, now).await?;
    let revoked = lock_keys(tx.conn().await?, id, &claimed).await?;
    let mut deleted = Vec::new();
    if !revoked.is_empty() {
        let (stays, keys): (Vec<Uuid>, Vec<Uuid>) = revoked.iter().map(|due| (due.stay, due.key)).unzip();
        room_stays::revoke_keys(tx.conn().await?, id, &stays, now).await?;
        // A statement of its own, behind the one that locks the keys: it sees every stay that they were put on before.
        deleted = store::delete_if_unassigned(tx.conn().await?, id, &keys).await?;
    }
    deleted.extend(store::delete_unassigned(tx.conn().await?, id, unused, unassigned_before(now)).await?);

    let revocations = revoked.iter().map(|due| room_stays::UPDATED.of(due.stay).with_fields(["roomAccessKey"]));
    let deletions = deleted.iter().map(|key| room_access_keys::DELETED.of(key.id).owned_by(key.owner));
    let of_stays = revoked.iter().map(|due| room_stays::key_entry(due.stay, due.key));
    let of_keys = deleted.iter().map(|key| Entry::deleted(ObjectType::RoomAccessKey, key.id));
    tx.record_bulk(revocations.chain(deletions).collect(), of_stays.chain(of_keys));
    tx.commit().await?;
    Ok(Pruned { revoked: revoked.len(), deleted: deleted.len() })
}

/// Those of the claimed assignments whose key can be locked, too.
async fn lock_keys<'a>(conn: &mut PgConnection, hotel: HotelId, claimed: &'a [Claimed]) -> Result<Vec<&'a Claimed>> {
    if claimed.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<Uuid> = claimed.iter().map(|due| due.key).collect();
    let locked: HashSet<Uuid> = store::claim_keys(conn, hotel, &keys).await?.into_iter().collect();
    Ok(claimed.iter().filter(|due| locked.contains(&due.key)).collect())
}
