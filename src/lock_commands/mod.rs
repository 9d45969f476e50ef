//! Lock commands: what encoders and doors are told to do. For encoders they are a queue ([`crate::queue`]) that the bridges of
//! integrations, and the simulated encoder, take from and answer. Doors are opened, or not, at once ([`unlock_in`]).
//!
//! **Command**: `PENDING`, and from there `SUCCEEDED` or `FAILED`. It is due at once and nobody waits for it longer than
//! [`PATIENCE`]. What it writes can be replaced while it is pending; a claim fixes what its claimer writes.
//!
//! **Lease**: who claims a command ([`claim_in`], [`claim_simulated`]) has it for [`LEASE`], an encoder one command at a time.
//! Only the last claim completes it ([`complete_in`]). A lease that ran out, or whose holder has died, is a failed attempt
//! ([`keep_up`]), so that all that follows from failures follows from silence, too: attempts by a schedule, and an encoder that is
//! left alone for a while.
//!
//! **Action attempt**: how those who asked for a command read how it goes ([`ActionAttempt`]). Kept for 30 days.

mod attempts;
mod failure;
mod lease;
mod model;
mod store;
mod unlock;

use chrono::TimeDelta;
use uuid::Uuid;

pub use attempts::{ActionAttempt, AttemptField, bounds, page};
pub use failure::{Failure, FailureTraits};
pub use lease::{
    CHANNEL, LEASE, MOST_CLAIMED, claim_in, claim_simulated, complete_in, complete_simulated_in, keep_up, release,
    run_upkeep,
};
pub use model::{
    Card, CardDoor, Claimed, CommandKind, CommandStatus, Credential, DoorOrder, EncoderKey, EncoderRef, NewUnlock,
    Outcome,
};
pub use store::{entrance_keys, finished};
pub use unlock::unlock_in;

use crate::audit::{Action, Entry, ObjectType};
use crate::error::{Error, Record, Result};
use crate::events::{Audience, ChangeKind};
use crate::locks::Reference;
use crate::unit::Tx;

/// A command was made.
pub static CREATED: ChangeKind = ChangeKind {
    event_type: "lock_command.created",
    action: Action::Created,
    object: ObjectType::LockCommand,
    audience: Audience::Owner,
    names_fields: false,
    meaning: "an encoder whose bridge is the integration's has something to do: `claimLockCommands` takes it",
    seam: &[],
};
/// A command is done, or nobody tries it any more.
pub static FINISHED: ChangeKind = ChangeKind {
    event_type: "lock_command.finished",
    action: Action::Updated,
    object: ObjectType::LockCommand,
    audience: Audience::Nobody,
    names_fields: true,
    meaning: "it was done, or nobody tries it any more",
    seam: &[],
};

/// How long somebody waits for a command.
pub const PATIENCE: TimeDelta = TimeDelta::minutes(2);

/// A command to an encoder to be made.
pub struct NewCommand {
    /// The encoder.
    pub encoder: Reference,
    /// The access method that the card is of.
    pub subject_id: Uuid,
    /// What is written.
    pub card: Card,
    /// Which state of the access method that is.
    pub revision: i64,
}

/// A command that has finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The access method that it is about.
    pub subject_id: Uuid,
    /// Whether it was done.
    pub succeeded: bool,
    /// Which state of the access method was written, if a card was.
    pub revision: Option<i64>,
}

/// The encoder that a client names.
///
/// # Errors
/// `NOT_FOUND` at `encoderId`
pub async fn encoder_in(tx: &mut Tx, encoder: &Reference) -> Result<EncoderRef> {
    let hotel = tx.actor.hotel.id;
    let found = store::encoder(tx.conn().await?, hotel, encoder).await?;
    found.ok_or_else(|| Error::not_found(Record::Encoder).at("encoderId"))
}

/// Tells an encoder to write a card, in the name of the integration that acts. Answers with the command's id.
///
/// # Errors
/// `NOT_FOUND` at `encoderId`; `FORBIDDEN` for who is no integration.
pub async fn request_in(tx: &mut Tx, new: NewCommand) -> Result<Uuid> {
    let (hotel, integration, now) = (tx.actor.hotel.id, tx.actor.integration()?, tx.now);
    let encoder = encoder_in(tx, &new.encoder).await?;
    let id = tx.context.ids.uuid(now);
    store::insert(tx.conn().await?, hotel, integration, id, encoder.id, &new, now).await?;
    let created = CREATED.of(id);
    tx.emit(match encoder.integration_id {
        Some(bridge) => created.owned_by(bridge),
        None => created,
    });
    tx.audit(Entry::created(ObjectType::LockCommand, id).with(ObjectType::AccessMethod, new.subject_id));
    if encoder.simulated {
        tx.wake_on_commit(|context| &context.simulated_encoders_wake);
    }
    Ok(id)
}

/// Replaces what the pending commands of access methods write: (subject, card, revision). What somebody has claimed already is
/// written as it was, unless that fails.
pub async fn renew_in(tx: &mut Tx, cards: &[(Uuid, Card, i64)]) -> Result<()> {
    if cards.is_empty() {
        return Ok(());
    }
    let hotel = tx.actor.hotel.id;
    store::renew(tx.conn().await?, hotel, cards).await
}

/// Gives up the pending commands of access methods that nobody is doing. What is being done may still succeed.
pub async fn cancel_in(tx: &mut Tx, subjects: &[Uuid]) -> Result<()> {
    if subjects.is_empty() {
        return Ok(());
    }
    let (hotel, now, living) = (tx.actor.hotel.id, tx.now, tx.context.liveness.living());
    let cancelled = store::cancel(tx.conn().await?, hotel, subjects, now, living.as_deref()).await?;
    for command in cancelled {
        emit_finished(tx, command, Some(Failure::CredentialDeleted));
    }
    Ok(())
}

/// A command and the access method that it is about.
#[derive(Clone, Copy, Debug)]
struct CommandOf {
    id: Uuid,
    subject_id: Uuid,
}

/// Says that a command has finished, and how.
fn emit_finished(tx: &mut Tx, command: CommandOf, failure: Option<Failure>) {
    let fields = ["status"].into_iter().chain(failure.map(|_| "error"));
    tx.emit(FINISHED.of(command.id).with_fields(fields.clone()));
    tx.audit(updated(command, fields));
}

/// The entry of the audit trail that says that fields of a command were changed.
fn updated(command: CommandOf, fields: impl IntoIterator<Item = &'static str>) -> Entry {
    let entry = Entry::updated(ObjectType::LockCommand, command.id, fields);
    entry.with(ObjectType::AccessMethod, command.subject_id)
}
