//! What a lock command is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

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
