//! What a door, a space and an encoder are.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Provider;
use crate::error::{Error, Message, Result};
use crate::integrations::Integration;

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
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
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
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
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
    /// Whose bridge takes its commands; a simulated one has none, and neither has one whose integration was disconnected.
    pub integration: Option<Integration>,
    /// Failed attempts in a row; 0 while it works.
    pub failures: i32,
    /// Until when it is left alone after failures.
    pub backoff_until: Option<DateTime<Utc>>,
    /// When it last wrote a card.
    pub last_success_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// The modes of a door as they are kept: each once, in the order of [`Mode::ALL`].
///
/// # Errors
/// `INVALID_ARGUMENT` unless there is one.
pub(super) fn checked_modes(modes: &[Mode]) -> Result<Vec<Mode>> {
    if modes.is_empty() {
        return Err(Error::new(Message::EntranceHasNoMode));
    }
    Ok(Mode::ALL.into_iter().filter(|mode| modes.contains(mode)).collect())
}

/// Names of the fields in which two states of a door differ.
pub(super) fn changed_fields_of_entrance(before: &Entrance, after: &Entrance) -> Vec<&'static str> {
    named([
        (before.key != after.key, "entranceKey"),
        (before.name != after.name, "name"),
        (before.provider != after.provider, "provider"),
        (before.can_belong_to_reservation != after.can_belong_to_reservation, "canBelongToReservation"),
        (before.modes != after.modes, "modes"),
    ])
}

/// Names of the fields in which two states of a space differ.
pub(super) fn changed_fields_of_space(before: &Space, after: &Space) -> Vec<&'static str> {
    named([(before.key != after.key, "spaceKey"), (before.name != after.name, "name")])
}

/// Names of those fields that changed.
pub(super) fn named<const N: usize>(changes: [(bool, &'static str); N]) -> Vec<&'static str> {
    changes.into_iter().filter_map(|(changed, name)| changed.then_some(name)).collect()
}
