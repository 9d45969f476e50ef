//! What a door, a space and an encoder are.

use uuid::Uuid;

use super::Provider;
use crate::error::{Error, Result};

/// A means of entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// A card that an encoder writes.
    Card,
    /// A guest's phone.
    MobileKey,
    /// A PIN on a keypad.
    Code,
    /// A button in an app that opens the door from afar.
    CloudKey,
}

impl Mode {
    /// All modes.
    pub const ALL: [Self; 4] = [Self::Card, Self::MobileKey, Self::Code, Self::CloudKey];

    /// Name in the database and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Card => "CARD",
            Self::MobileKey => "MOBILE_KEY",
            Self::Code => "CODE",
            Self::CloudKey => "CLOUD_KEY",
        }
    }

    /// From its name in the database.
    ///
    /// # Errors
    /// `INTERNAL` for a mode that this binary does not know.
    pub fn parse(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|mode| mode.name() == name);
        known.ok_or_else(|| Error::internal(format!("unknown mode {name:?}")))
    }
}

/// A door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entrance {
    /// Id.
    pub id: Uuid,
    /// Name by which clients find it, unique in the hotel.
    pub key: Option<String>,
    /// Name that people read.
    pub name: String,
    /// Whose lock it has.
    pub provider: Provider,
    /// Whether it can belong to a reservation (checklist B13): a guest's own door and not one of all guests.
    pub can_belong_to_reservation: bool,
    /// What opens it, at least one.
    pub modes: Vec<Mode>,
}

/// A named set of doors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Space {
    /// Id.
    pub id: Uuid,
    /// Name by which clients find it, unique in the hotel.
    pub key: Option<String>,
    /// Name that people read: that of the room, where it is one.
    pub name: String,
    /// The room that it is.
    pub room_setup_id: Option<Uuid>,
}

/// What writes cards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoder {
    /// Id.
    pub id: Uuid,
    /// Name by which clients find it, unique in the hotel.
    pub key: Option<String>,
    /// Name that people read.
    pub name: String,
    /// Whose cards it writes.
    pub provider: Provider,
    /// Whether it is one that Latchkey plays itself, for demonstrations and tests.
    pub simulated: bool,
}
