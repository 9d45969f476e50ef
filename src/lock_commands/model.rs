//! What a lock command is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Failure;
use crate::error::{Error, Result};
use crate::hotels::HotelId;

/// What an encoder or a door is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandKind {
    /// To write a card.
    EncodeCard,
    /// To open.
    UnlockDoor,
}

impl CommandKind {
    const ALL: [Self; 2] = [Self::EncodeCard, Self::UnlockDoor];

    /// Name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EncodeCard => "ENCODE_CARD",
            Self::UnlockDoor => "UNLOCK_DOOR",
        }
    }

    /// From its name in the database.
    ///
    /// # Errors
    /// `INTERNAL` for a kind that this binary does not know.
    pub fn parse(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == name);
        known.ok_or_else(|| Error::internal(format!("unknown kind of lock commands {name:?}")))
    }
}

/// How far a command has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum CommandStatus {
    /// It is to be done, or is being done.
    Pending,
    /// It is done.
    Succeeded,
    /// Nobody tries it any more.
    Failed,
}

impl CommandStatus {
    const ALL: [Self; 3] = [Self::Pending, Self::Succeeded, Self::Failed];

    /// Name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
        }
    }

    /// From its name in the database.
    ///
    /// # Errors
    /// `INTERNAL` for a status that this binary does not know.
    pub fn parse(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|status| status.as_str() == name);
        known.ok_or_else(|| Error::internal(format!("unknown status of lock commands {name:?}")))
    }
}

/// What an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The card was written.
    Succeeded,
    /// It was not.
    Failed(Failure),
}

/// Names an encoder, among those of all hotels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EncoderKey {
    /// Its hotel.
    pub hotel: HotelId,
    /// Its id.
    pub id: Uuid,
}

impl EncoderKey {
    /// Hotels and ids, column by column.
    pub(super) fn columns(keys: &[Self]) -> (Vec<HotelId>, Vec<Uuid>) {
        keys.iter().map(|key| (key.hotel, key.id)).unzip()
    }
}

/// An encoder, as far as commands go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncoderRef {
    /// Its id.
    pub id: Uuid,
    /// Whose cards it writes.
    pub provider: String,
    /// Whether Latchkey plays it itself.
    pub simulated: bool,
    /// The integration whose bridge takes its commands.
    pub integration_id: Option<Uuid>,
}

/// A command that its claimer alone may complete until the lease ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Its id.
    pub id: Uuid,
    /// Names the claim.
    pub claim_id: Uuid,
    /// What is to be done.
    pub kind: CommandKind,
    /// The encoder.
    pub encoder: EncoderKey,
    /// Name of the encoder by which clients find it.
    pub encoder_key: Option<String>,
    /// Name of the encoder that people read.
    pub encoder_name: String,
    /// Whether the last attempt at the encoder had failed.
    pub failing: bool,
    /// The access method that the card is of.
    pub subject_id: Uuid,
    /// What is written.
    pub card: Card,
    /// Number of the attempt, from 1.
    pub attempt: i32,
    /// End of the lease.
    pub leased_until: DateTime<Utc>,
}

/// A door to be opened.
pub struct NewUnlock {
    /// The access method that opens it.
    pub subject_id: Uuid,
    /// The door.
    pub entrance_id: Uuid,
}

/// What is written on a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// Whether it is of the type that overrides and is overridden, which guests have (checklist B17).
    pub credential: Credential,
    /// First instant at which it opens.
    pub starts_at: DateTime<Utc>,
    /// First instant at which it does not open any more; `None`: it is open.
    pub ends_at: Option<DateTime<Utc>>,
    /// The doors that it opens.
    pub doors: Vec<CardDoor>,
}

/// The type of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Credential {
    /// Of a guest or a resident.
    Guest,
    /// Of staff: outside of all reservations.
    Staff,
}

/// A door that a card opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardDoor {
    /// The entrance.
    pub entrance_id: Uuid,
    /// The place of its reservation in the door's order; `None`: the card opens it as staff or as everybody's door.
    pub reservation: Option<DoorOrder>,
}

/// The place of a reservation in the order of a door: a lock refuses cards of lesser ones than the greatest that it has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DoorOrder {
    /// Start of the reservation on this door.
    pub starts_at: DateTime<Utc>,
    /// Number of the reservation on this door. It rises with each one that is established.
    pub sequence: i64,
}
