//! Leases of commands: how they are claimed, completed, and taken back from the silent.

mod model;
mod rules;
mod store;
mod upkeep;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

pub use upkeep::{keep_up, run_upkeep};

use self::model::{CommandChange, Ended};
use super::{Claimed, CommandOf, CommandStatus, EncoderKey, Outcome, emit_finished, updated};
use crate::context::Context;
use crate::error::{Error, ErrorAt as _, ErrorCode, Message, Record, Result};
use crate::id::IdSource;
use crate::queue::{self, Lease, Limits, Places, Schedule, Share};
use crate::unit::Tx;

/// How long a claimed command is the claimer's own.
pub const LEASE: Duration = Duration::from_secs(30);
/// Most commands that a bridge claims at a time.
pub const MOST_CLAIMED: usize = 50;
/// Where workers of simulated encoders of other processes ask for help.
pub const CHANNEL: &str = "latchkey_lock_commands";

/// When a command is attempted again, as long as somebody waits for it.
static SCHEDULE: LazyLock<Schedule> = LazyLock::new(|| Schedule::parse("2s,5s,15s").expect("a schedule"));

/// Leases to the integration that acts what its encoders are to do: at most `first` commands, one of an encoder, none of those
/// that are at a card or are left alone for a while, and those of encoders that work before those of others.
///
/// # Errors
/// `INVALID_ARGUMENT` at `first`; `FORBIDDEN` for who is no integration.
pub async fn claim_in(tx: &mut Tx, first: i32) -> Result<Vec<Claimed>> {
    let first = usize::try_from(first).ok().filter(|first| (1..=MOST_CLAIMED).contains(first));
    let first = first.ok_or_else(|| Error::new(Message::ClaimSizeOutOfRange { most: MOST_CLAIMED }).at("first"))?;
    let (hotel, integration, now) = (tx.actor.hotel.id, tx.actor.integration()?, tx.now);
    let context = tx.context.clone();
    let waiting = store::waiting_for_bridge(tx.conn().await?, hotel, integration, now).await?;
    let share = Share { places: first, per_party: 1 };
    let mut allotted = Places::new(Limits { working: share, failing: share }).allot(waiting, &context.ids);
    allotted.truncate(first);
    // Nobody can tell whether a bridge lives.
    let lease = Lease { until: now + LEASE, holder: None, living: None };
    let claimed = take(tx.conn().await?, &context.ids, &allotted, now, &lease).await?;
    for command in &claimed {
        tx.audit(updated(CommandOf { id: command.id, subject_id: command.subject_id }, ["claimId"]));
    }
    Ok(claimed)
}

/// Leases to this process what simulated encoders, of whatever hotel, are to do.
pub async fn claim_simulated(context: &Context, places: &Places<EncoderKey>) -> Result<Vec<Claimed>> {
    let mut tx = context.worker_pool.begin().await?;
    queue::go_by_index(&mut tx).await?;
    let now = context.clock.now();
    let waiting = store::waiting_for_simulation(&mut tx, now).await?;
    let allotted = places.allot(waiting, &context.ids);
    let lease = Lease::beginning(now, LEASE, &context.liveness);
    let claimed = take(&mut tx, &context.ids, &allotted, now, &lease).await?;
    tx.commit().await?;
    Ok(claimed)
}

/// Claims one command of each encoder that it is allotted. Who claims of an encoder holds it, so that it is never at two cards.
async fn take(
    conn: &mut PgConnection,
    ids: &IdSource,
    allotted: &[(EncoderKey, u16)],
    now: DateTime<Utc>,
    lease: &Lease,
) -> Result<Vec<Claimed>> {
    if allotted.is_empty() {
        return Ok(Vec::new());
    }
    let encoders: Vec<EncoderKey> = allotted.iter().map(|(encoder, _)| *encoder).collect();
    let held = store::hold_free(conn, &encoders).await?;
    let claims: Vec<Uuid> = held.iter().map(|_| ids.uuid(now)).collect();
    store::claim(conn, &held, &claims, now, lease).await
}

/// Completes a command of an encoder of the integration that acts, by the claim that it is leased to. Answers what becomes of it:
/// a failure may be followed by another attempt. To say the same again is no error.
///
/// # Errors
/// `NOT_FOUND` at `id`, `INVALID_ARGUMENT` at `error` for a failure that encoders do not report, `LEASE_LOST`; `FORBIDDEN` for
/// who is no integration.
pub async fn complete_in(tx: &mut Tx, id: Uuid, claim_id: Uuid, outcome: Outcome) -> Result<CommandStatus> {
    let integration = tx.actor.integration()?;
    if let Outcome::Failed(failure) = outcome
        && !failure.traits().is_reported
    {
        return Err(Error::new(Message::FailureNotReported { name: failure.traits().name }).at("error"));
    }
    complete(tx, id, claim_id, outcome, Some(integration)).await
}

/// Completes a command of a simulated encoder, as [`complete_in`] does.
///
/// # Errors
/// `NOT_FOUND`, `LEASE_LOST`
pub async fn complete_simulated_in(tx: &mut Tx, id: Uuid, claim_id: Uuid, outcome: Outcome) -> Result<CommandStatus> {
    complete(tx, id, claim_id, outcome, None).await
}

/// Of encoders of an integration, or of simulated ones.
async fn complete(
    tx: &mut Tx,
    id: Uuid,
    claim_id: Uuid,
    outcome: Outcome,
    integration: Option<Uuid>,
) -> Result<CommandStatus> {
    let hotel = tx.actor.hotel.id;
    // The encoder first, as claims and the upkeep do.
    let encoder = store::lock_encoder_of(tx.conn().await?, hotel, id, integration).await?;
    let not_found = || Error::not_found(Record::LockCommand);
    let encoder = encoder.ok_or_else(not_found).at("id")?;
    let command = store::lock(tx.conn().await?, hotel, id).await?.ok_or_else(not_found).at("id")?;
    if command.claim_id != Some(claim_id) {
        return Err(Error::of(ErrorCode::LeaseLost));
    }
    if command.leased_until.is_none() {
        return if command.ended_with(outcome) { Ok(command.status) } else { Err(Error::of(ErrorCode::LeaseLost)) };
    }
    let changes = settle_in(tx, &[Ended { encoder, command, outcome }]).await?;
    changes.first().map(|change| change.status).ok_or_else(|| Error::internal("a command was not settled"))
}

/// Writes what follows from attempts that have ended, each at an encoder of its own. Encoders and commands are locked.
async fn settle_in(tx: &mut Tx, ended: &[Ended]) -> Result<Vec<CommandChange>> {
    let (hotel, now, context) = (tx.actor.hotel.id, tx.now, tx.context.clone());
    let settle = |one| rules::settle(one, &SCHEDULE, &context.ids, now);
    let (healths, changes): (Vec<_>, Vec<CommandChange>) = ended.iter().map(settle).unzip();
    let commands: Vec<_> = ended.iter().map(|one| one.command.id).zip(&changes).collect();
    store::update(tx.conn().await?, hotel, &commands).await?;
    let of_encoders: Vec<_> =
        ended.iter().zip(healths).filter_map(|(one, health)| Some((one.encoder.id, health?))).collect();
    if !of_encoders.is_empty() {
        store::update_health(tx.conn().await?, hotel, &of_encoders).await?;
    }
    for (one, change) in ended.iter().zip(&changes) {
        if change.status == CommandStatus::Pending {
            tx.audit(updated(one.command.of(), ["error"]));
        } else {
            emit_finished(tx, one.command.of(), change.error);
        }
    }
    Ok(changes)
}

/// Gives leases back that nothing came of.
pub async fn release(context: &Context, claimed: &[Arc<Claimed>]) -> Result<()> {
    store::release(&mut *context.worker_pool.acquire().await?, claimed).await
}
