//! Commands under a lease, and what changes when it ends.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::lock_commands::{CommandOf, CommandStatus, Failure, Outcome};
use crate::queue::Health;

/// An encoder that is held before an attempt at it is settled.
pub struct HeldEncoder {
    /// Its id.
    pub id: Uuid,
    /// How it is doing.
    pub health: Health,
}

/// A command that is held before an attempt at it is settled.
pub struct HeldCommand {
    /// Its id.
    pub id: Uuid,
    /// Its encoder.
    pub encoder_id: Uuid,
    /// The access method that the card is of.
    pub subject_id: Uuid,
    /// How far it has got.
    pub status: CommandStatus,
    /// How its last attempt failed, or why it was given up.
    pub error: Option<Failure>,
    /// Failed attempts so far.
    pub failed_attempts: i32,
    /// Nobody waits for it any longer than that.
    pub expires_at: DateTime<Utc>,
    /// The last claim.
    pub claim_id: Option<Uuid>,
    /// End of the lease, while it has not been settled.
    pub leased_until: Option<DateTime<Utc>>,
}

impl HeldCommand {
    /// With the access method that the card is of.
    pub const fn of(&self) -> CommandOf {
        CommandOf { id: self.id, subject_id: self.subject_id }
    }

    /// Whether its last attempt came to this.
    pub fn ended_with(&self, outcome: Outcome) -> bool {
        match outcome {
            Outcome::Succeeded => self.status == CommandStatus::Succeeded,
            Outcome::Failed(failure) => self.status != CommandStatus::Succeeded && self.error == Some(failure),
        }
    }
}

/// An attempt that has ended.
pub struct Ended {
    /// The encoder.
    pub encoder: HeldEncoder,
    /// The command.
    pub command: HeldCommand,
    /// What it came to.
    pub outcome: Outcome,
}

/// What an attempt changes of its command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandChange {
    /// How far it has got.
    pub status: CommandStatus,
    /// How the attempt failed.
    pub error: Option<Failure>,
    /// Failed attempts so far.
    pub failed_attempts: i32,
    /// When it is tried again.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When it was done or given up.
    pub finished_at: Option<DateTime<Utc>>,
}
