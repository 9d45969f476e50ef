//! Lock commands in the schema: how the bridge of an integration takes what its encoders are to do, and answers.

use std::collections::HashMap;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono_tz::Tz;

use super::context::{RequestContext, Session};
use super::enums::{ActionAttemptStatus, CredentialType, LockCommandError, LockCommandKind};
use super::error::{InInput, Resolved};
use super::scalars::{Datetime, uuid};
use crate::actor::Permission;
use crate::error::Result;
use crate::lock_commands::{self, Card, CardDoor, Claimed, Outcome};
use crate::locks::Reference;
use crate::simulated_encoder;

/// Something that an encoder is to do, leased to its claimer.
#[derive(SimpleObject)]
pub struct LockCommand {
    /// Opaque, at most 64 letters, digits and hyphens.
    id: ID,
    /// Names the claim: `completeLockCommand` wants it.
    claim_id: ID,
    /// What is to be done.
    kind: LockCommandKind,
    /// The encoder.
    encoder: LockCommandEncoder,
    /// The access method that the card is of.
    access_method_id: ID,
    /// What is written.
    card: LockCommandCard,
    /// Until when the claim holds: a command that is not completed by then has failed.
    leased_until: Datetime,
    /// Number of the attempt, from 1.
    attempt: i32,
}

/// The encoder of a lock command.
#[derive(SimpleObject)]
pub struct LockCommandEncoder {
    /// Opaque, at most 64 letters, digits and hyphens.
    id: ID,
    /// Its key.
    encoder_key: Option<String>,
    /// Name that people read.
    name: String,
}

/// What is written on a card.
#[derive(SimpleObject)]
pub struct LockCommandCard {
    /// Whether it is of the type that overrides and is overridden.
    credential: CredentialType,
    /// First instant at which it opens.
    starts_at: Datetime,
    /// First instant at which it does not open any more; `null`: it is open.
    ends_at: Option<Datetime>,
    /// The doors that it opens.
    doors: Vec<LockCommandDoor>,
}

/// A door that a card opens.
#[derive(SimpleObject)]
pub struct LockCommandDoor {
    /// The entrance.
    entrance_id: ID,
    /// Key of the entrance.
    entrance_key: Option<String>,
    /// Start of the card's reservation on this door; `null`: it opens the door outside of reservations. A lock refuses cards of
    /// reservations with a lesser start, or an equal one and a lesser sequence number, than the greatest that it has seen.
    reservation_starts_at: Option<Datetime>,
    /// Sequence number of the card's reservation on this door.
    sequence: Option<i64>,
}

impl LockCommand {
    fn new(claimed: Claimed, keys: &HashMap<uuid::Uuid, String>, zone: Tz) -> Self {
        Self {
            id: ID(claimed.id.to_string()),
            claim_id: ID(claimed.claim_id.to_string()),
            kind: claimed.kind.into(),
            encoder: LockCommandEncoder {
                id: ID(claimed.encoder.id.to_string()),
                encoder_key: claimed.encoder_key,
                name: claimed.encoder_name,
            },
            access_method_id: ID(claimed.subject_id.to_string()),
            card: LockCommandCard::new(claimed.card, keys, zone),
            leased_until: Datetime::local(claimed.leased_until, zone),
            attempt: claimed.attempt,
        }
    }
}

impl LockCommandCard {
    fn new(card: Card, keys: &HashMap<uuid::Uuid, String>, zone: Tz) -> Self {
        let door = |door: CardDoor| LockCommandDoor {
            entrance_id: ID(door.entrance_id.to_string()),
            entrance_key: keys.get(&door.entrance_id).cloned(),
            reservation_starts_at: door.reservation.map(|order| Datetime::local(order.starts_at, zone)),
            sequence: door.reservation.map(|order| order.sequence),
        };
        Self {
            credential: card.credential.into(),
            starts_at: Datetime::local(card.starts_at, zone),
            ends_at: card.ends_at.map(|instant| Datetime::local(instant, zone)),
            doors: card.doors.into_iter().map(door).collect(),
        }
    }
}

/// How many lock commands to claim.
#[derive(InputObject)]
pub struct ClaimLockCommandsInput {
    /// At most so many, 1 to 50.
    first: i32,
}

/// How a lock command went.
#[derive(InputObject)]
pub struct CompleteLockCommandInput {
    /// The command.
    id: ID,
    /// The claim.
    claim_id: ID,
    /// Why the card was not written; absent: it was.
    error: Option<LockCommandError>,
}

/// How the next card goes at a simulated encoder.
#[derive(InputObject)]
pub struct SimulateNextEncodingInput {
    /// The encoder, by its id or its key.
    encoder_id: ID,
    /// How the next attempt fails; `null`: it succeeds. What is tried again, succeeds then.
    fails_with: Option<LockCommandError>,
}

/// Answer of `claimLockCommands`.
#[derive(SimpleObject)]
pub struct ClaimLockCommandsPayload {
    /// The commands; none when there is nothing to do.
    commands: Vec<LockCommand>,
}

/// Answer of `completeLockCommand`.
#[derive(SimpleObject)]
pub struct CompleteLockCommandPayload {
    /// What becomes of the command. `PENDING`: it will be tried again, under another claim.
    status: ActionAttemptStatus,
}

/// Answer of `simulateNextEncoding`.
#[derive(SimpleObject)]
pub struct SimulateNextEncodingPayload {
    /// The encoder.
    encoder_id: ID,
}

/// Mutations of lock commands.
#[derive(Default)]
pub struct LockCommandMutation;

#[Object]
impl LockCommandMutation {
    /// Takes what the encoders of this integration are to do, for 30 seconds: one card at a time for each encoder. Nobody else is
    /// given the same meanwhile. An encoder that has just failed is left alone for a while.
    ///
    /// Errors: `INVALID_ARGUMENT`.
    async fn claim_lock_commands(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many.")] input: ClaimLockCommandsInput,
    ) -> Resolved<Option<ClaimLockCommandsPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        let claimed = lock_commands::claim_in(session.tx(), input.first).await.in_input()?;
        let keys = entrance_keys(&mut session, &claimed).await?;
        let zone = session.context.actor.hotel.time_zone;
        let commands = claimed.into_iter().map(|one| LockCommand::new(one, &keys, zone)).collect();
        Ok(Some(session.done(ClaimLockCommandsPayload { commands })))
    }

    /// Says how a lock command went that this integration has claimed. Only the last claim of a command counts; to say the same
    /// again is no error.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`, `LEASE_LOST`.
    async fn complete_lock_command(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How it went.")] input: CompleteLockCommandInput,
    ) -> Resolved<Option<CompleteLockCommandPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        let outcome = input.error.map_or(Outcome::Succeeded, |error| Outcome::Failed(error.into()));
        let (id, claim) = (uuid(&input.id), uuid(&input.claim_id));
        let status = lock_commands::complete_in(session.tx(), id, claim, outcome).await.in_input()?;
        Ok(Some(session.done(CompleteLockCommandPayload { status: status.into() })))
    }

    /// Tells a simulated encoder how its next card goes. Needs the permission `FRONT_DESK`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`.
    async fn simulate_next_encoding(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How it goes.")] input: SimulateNextEncodingInput,
    ) -> Resolved<Option<SimulateNextEncodingPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        session.context.actor.require(Permission::FrontDesk)?;
        let (encoder, failure) = (Reference::parse(&input.encoder_id), input.fails_with.map(Into::into));
        let id = simulated_encoder::simulate_next_in(session.tx(), &encoder, failure).await.in_input()?;
        Ok(Some(session.done(SimulateNextEncodingPayload { encoder_id: ID(id.to_string()) })))
    }
}

/// Keys of the entrances that cards open, read for all of them at once.
async fn entrance_keys(session: &mut Session<'_>, claimed: &[Claimed]) -> Result<HashMap<uuid::Uuid, String>> {
    let mut entrances: Vec<_> = claimed.iter().flat_map(|one| &one.card.doors).map(|door| door.entrance_id).collect();
    if entrances.is_empty() {
        return Ok(HashMap::new());
    }
    entrances.sort_unstable();
    entrances.dedup();
    let hotel = session.context.actor.hotel.id;
    Ok(lock_commands::entrance_keys(session.conn().await?, hotel, &entrances).await?.into_iter().collect())
}
