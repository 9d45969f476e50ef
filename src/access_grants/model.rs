//! What an identity, a grant and a method are, and the state of a method.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{IdentityKind, TimeFrame};
use crate::clients::Client;
use crate::integrations::Integration;
use crate::locks::{Entrance, Mode};

/// Somebody to whom access is granted, as far as the rules look at them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Id.
    pub id: Uuid,
    /// Kind.
    pub kind: IdentityKind,
}

/// Somebody to whom access is granted, as clients know them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserIdentity {
    /// Id.
    pub id: Uuid,
    /// Name by which its integration finds it.
    pub key: Option<String>,
    /// Kind.
    pub kind: IdentityKind,
    /// How they are called and reached.
    pub details: IdentityDetails,
    /// The client of the hotel that they are.
    pub client_id: Option<Uuid>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// How an identity is called and reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityDetails {
    /// Name.
    pub full_name: Option<String>,
    /// E-mail address.
    pub email_address: Option<String>,
    /// Telephone number.
    pub phone_number: Option<String>,
}

/// An identity with what was asked for along with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityView {
    /// The identity.
    pub identity: UserIdentity,
    /// The client that it is; `None` where it was not asked for, too.
    pub client: Option<Client>,
}

/// A grant as clients know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Id.
    pub id: Uuid,
    /// The integration that made it.
    pub integration: Integration,
    /// Whom it is for.
    pub user_identity_id: Uuid,
    /// Name by which its integration finds it.
    pub key: Option<String>,
    /// Name that people read.
    pub name: Option<String>,
    /// The key of the reservation that it belongs to.
    pub reservation_key: Option<String>,
    /// The stay that it follows.
    pub room_stay_id: Option<Uuid>,
    /// Its time.
    pub frame: TimeFrame,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// What the grants of a reservation have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReservationOf {
    /// A key that an integration made up.
    Key {
        /// The integration.
        integration: Uuid,
        /// The key.
        key: String,
    },
    /// A room stay, for the grants of all integrations.
    RoomStay(Uuid),
}

impl ReservationOf {
    /// The key by which clients find the reservation.
    pub fn key(&self) -> String {
        match self {
            Self::Key { key, .. } => key.clone(),
            Self::RoomStay(stay) => stay.to_string(),
        }
    }
}

/// A grant that is held until the transaction ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedGrant {
    /// Id.
    pub id: Uuid,
    /// The integration that made it.
    pub integration_id: Uuid,
    /// Whom it is for.
    pub identity: Identity,
    /// Name by which its integration finds it.
    pub key: Option<String>,
    /// Name that people read.
    pub name: Option<String>,
    /// The reservation on doors that it belongs to.
    pub reservation_id: Option<Uuid>,
    /// The stay that it follows.
    pub room_stay_id: Option<Uuid>,
    /// Its time.
    pub frame: TimeFrame,
    /// Whether it was not deleted. One that was is given back when its stay gives access again.
    pub live: bool,
    /// Its doors: those of the room of its stay, and the others.
    pub doors: GrantDoors,
    /// The spaces that it was made for.
    pub space_ids: Vec<Uuid>,
    /// What was asked for and not taken away since, in the order of asking.
    pub modes: Vec<Mode>,
}

/// The ids of the doors of a grant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantDoors {
    /// Those of the room of its stay, which change with the room.
    pub of_stay: Vec<Uuid>,
    /// Those that it was made for by name or by space.
    pub named: Vec<Uuid>,
}

impl GrantDoors {
    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = Uuid> {
        self.of_stay.iter().chain(&self.named).copied()
    }
}

/// A grant that was checked and is to be written.
#[derive(Clone, Debug)]
pub struct CheckedGrant {
    /// Id.
    pub id: Uuid,
    /// The integration that makes it.
    pub integration_id: Uuid,
    /// Whom it is for.
    pub user_identity_id: Uuid,
    /// Name by which its integration finds it.
    pub key: Option<String>,
    /// Name that people read.
    pub name: Option<String>,
    /// The reservation on doors that it belongs to: its id and its key.
    pub reservation: Option<(Uuid, String)>,
    /// The stay that it follows.
    pub room_stay_id: Option<Uuid>,
    /// Its time.
    pub frame: TimeFrame,
    /// The doors of the room of its stay.
    pub of_stay: Vec<Entrance>,
    /// The other doors, none of which is one of the room's.
    pub named: Vec<Entrance>,
    /// The spaces that it was made for.
    pub space_ids: Vec<Uuid>,
    /// Its methods.
    pub methods: Vec<CheckedMethod>,
    /// Whether its cards take the place of others, so that somebody is to be told to encode them.
    pub replaces: bool,
}

/// A method that is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckedMethod {
    /// Id.
    pub id: Uuid,
    /// What it is.
    pub mode: Mode,
    /// Whether it cannot be made for the doors of its grant.
    pub refused: bool,
}

impl CheckedMethod {
    /// A method of that mode for these doors. None opens by what Latchkey cannot make: codes and mobile keys.
    pub fn of(id: Uuid, mode: Mode, doors: &[Entrance]) -> Self {
        let makes = matches!(mode, Mode::Card | Mode::CloudKey);
        Self { id, mode, refused: !(makes && doors.iter().any(|door| door.modes.contains(&mode))) }
    }
}

/// What is known of a means of entry. An offline lock tells nothing by itself, so much of it is expected, and is said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodState {
    /// It has to be written, or written again: what it bears is not what the grant says.
    EncodingRequired,
    /// It was written as the grant says.
    Encoded,
    /// It works without being written.
    Issued,
    /// A credential of a later reservation of the door was written, and shuts it out once it is used.
    OverrideExpected,
    /// A lock was seen to refuse it for a later reservation.
    OverrideSeen,
    /// Its time has ended.
    Expired,
    /// It was taken away. An offline lock may still open to it until it is overridden or its time ends.
    Revoked,
}

/// What somebody has to do about a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodWarning {
    /// What its card bears is not what the grant says any more, or it takes the place of another one.
    EncodingRequired,
    /// It was taken away, and an offline lock opens to its card until it is overridden or its time ends (checklist B30).
    CardCollectionRequired,
}

/// A means of entry, or one that was asked for and could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// Id.
    pub id: Uuid,
    /// Its grant.
    pub grant_id: Uuid,
    /// What it is.
    pub mode: Mode,
    /// Whether nothing of its mode can be made for the doors of its grant: it is no means of entry, and an error of the grant.
    pub refused: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it began to work: when its card was first written.
    pub issued_at: Option<DateTime<Utc>>,
    /// When it was last written.
    pub encoded_at: Option<DateTime<Utc>>,
    /// Whether somebody is to be told to write it: its times or its order on a door changed since it was made, or it takes the place
    /// of another one.
    pub encoding_required: bool,
    /// When a lock was seen to refuse it for a later reservation.
    pub overridden_at: Option<DateTime<Utc>>,
    /// When it was taken away.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Whether a credential of a later reservation that has begun was issued for one of its doors, as long as it works itself.
    pub override_expected: bool,
    /// The time of its grant.
    pub frame: TimeFrame,
}

impl Method {
    /// What is known of it at that time. What can be seen comes before what is expected, and what cannot be undone before what can.
    pub fn state(&self, now: DateTime<Utc>) -> MethodState {
        if self.revoked_at.is_some() {
            MethodState::Revoked
        } else if self.frame.has_ended(now) {
            MethodState::Expired
        } else if self.overridden_at.is_some() {
            MethodState::OverrideSeen
        } else if self.override_expected {
            MethodState::OverrideExpected
        } else if self.is_encoding_required(now) {
            MethodState::EncodingRequired
        } else if self.mode == Mode::Card {
            MethodState::Encoded
        } else {
            MethodState::Issued
        }
    }

    /// Whether its card has to be written, for the first time or again.
    pub fn is_encoding_required(&self, now: DateTime<Utc>) -> bool {
        self.is_live(now) && self.mode == Mode::Card && (self.encoding_required || self.encoded_at.is_none())
    }

    /// What somebody has to do about it. A card that was never written and takes the place of none is new, and no reason to warn.
    pub fn warnings(&self, now: DateTime<Utc>) -> Vec<MethodWarning> {
        let mut warnings = Vec::new();
        if self.is_live(now) && self.encoding_required {
            warnings.push(MethodWarning::EncodingRequired);
        }
        if self.card_is_left_behind(now) {
            warnings.push(MethodWarning::CardCollectionRequired);
        }
        warnings
    }

    /// Whether it was not taken away and its time has not ended.
    fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && !self.frame.has_ended(now)
    }

    /// Whether a card is still somewhere that opens an offline lock until it is overridden or its time ends.
    fn card_is_left_behind(&self, now: DateTime<Utc>) -> bool {
        let was_written = self.mode == Mode::Card && self.encoded_at.is_some();
        was_written && self.revoked_at.is_some() && !self.frame.has_ended(now)
    }
}
