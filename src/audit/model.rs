//! Entries: what was done to what.

use std::borrow::Cow;
use std::sync::Arc;

use uuid::Uuid;

use crate::error::{Error, Message, Result};

/// Longest reason, in characters.
pub const REASON_MAX: usize = 500;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It was made.
    Created,
    /// It was changed.
    Updated,
    /// It was deleted.
    Deleted,
    /// It is refused, or sent nothing, until it is enabled again.
    Disabled,
    /// It is accepted again.
    Enabled,
    /// It is refused for good.
    Revoked,
    /// A vendor was connected.
    Connected,
    /// A vendor was let go.
    Disconnected,
    /// A webhook endpoint was sent a trial.
    Tested,
    /// A webhook endpoint was sent something again.
    Resent,
}

impl Action {
    const ALL: [Self; 10] = [
        Self::Created,
        Self::Updated,
        Self::Deleted,
        Self::Disabled,
        Self::Enabled,
        Self::Revoked,
        Self::Connected,
        Self::Disconnected,
        Self::Tested,
        Self::Resent,
    ];

    /// As in the schema and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Updated => "UPDATED",
            Self::Deleted => "DELETED",
            Self::Disabled => "DISABLED",
            Self::Enabled => "ENABLED",
            Self::Revoked => "REVOKED",
            Self::Connected => "CONNECTED",
            Self::Disconnected => "DISCONNECTED",
            Self::Tested => "TESTED",
            Self::Resent => "RESENT",
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        known(&Self::ALL, text, Self::as_str)
    }
}

/// What kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectType {
    /// A reservation.
    Reservation,
    /// A room stay.
    RoomStay,
    /// A person or an organisation.
    Client,
    /// A room access key.
    RoomAccessKey,
    /// A room.
    RoomSetup,
    /// A category.
    Category,
    /// Somebody to whom access is granted.
    UserIdentity,
    /// Leave to open doors.
    AccessGrant,
    /// A card or another means of entry.
    AccessMethod,
    /// A door.
    Entrance,
    /// A set of doors.
    Space,
    /// What writes cards.
    Encoder,
    /// What a lock or an encoder was told to do.
    LockCommand,
    /// A webhook endpoint.
    WebhookEndpoint,
    /// A pair of API keys.
    ApiKey,
    /// A vendor's connection to the hotel.
    Integration,
    /// The hotel itself.
    Hotel,
}

impl ObjectType {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Reservation,
        Self::RoomStay,
        Self::Client,
        Self::RoomAccessKey,
        Self::RoomSetup,
        Self::Category,
        Self::UserIdentity,
        Self::AccessGrant,
        Self::AccessMethod,
        Self::Entrance,
        Self::Space,
        Self::Encoder,
        Self::LockCommand,
        Self::WebhookEndpoint,
        Self::ApiKey,
        Self::Integration,
        Self::Hotel,
    ];
    /// Those that a front desk sees.
    pub const OF_FRONT_DESK: &[Self] = &[
        Self::Reservation,
        Self::RoomStay,
        Self::Client,
        Self::RoomAccessKey,
        Self::RoomSetup,
        Self::Category,
        Self::UserIdentity,
        Self::AccessGrant,
        Self::AccessMethod,
        Self::Entrance,
        Self::Space,
        Self::Encoder,
        Self::LockCommand,
    ];

    /// As in the schema and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reservation => "RESERVATION",
            Self::RoomStay => "ROOM_STAY",
            Self::Client => "CLIENT",
            Self::RoomAccessKey => "ROOM_ACCESS_KEY",
            Self::RoomSetup => "ROOM_SETUP",
            Self::Category => "CATEGORY",
            Self::UserIdentity => "USER_IDENTITY",
            Self::AccessGrant => "ACCESS_GRANT",
            Self::AccessMethod => "ACCESS_METHOD",
            Self::Entrance => "ENTRANCE",
            Self::Space => "SPACE",
            Self::Encoder => "ENCODER",
            Self::LockCommand => "LOCK_COMMAND",
            Self::WebhookEndpoint => "WEBHOOK_ENDPOINT",
            Self::ApiKey => "API_KEY",
            Self::Integration => "INTEGRATION",
            Self::Hotel => "HOTEL",
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        known(Self::ALL, text, Self::as_str)
    }
}

/// What kind of actor did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorType {
    /// An integration, with one of its API keys.
    Integration,
    /// The import of bookings from a file.
    Import,
    /// The clean-up of room access keys that outlived their stay.
    Pruner,
    /// Whoever runs the service, on the command line.
    CommandLine,
    /// Latchkey itself.
    System,
    /// A member of the hotel's staff.
    Staff,
    /// A guest.
    Guest,
}

impl ActorType {
    const ALL: [Self; 7] =
        [Self::Integration, Self::Import, Self::Pruner, Self::CommandLine, Self::System, Self::Staff, Self::Guest];

    /// As in the schema and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Integration => "INTEGRATION",
            Self::Import => "IMPORT",
            Self::Pruner => "PRUNER",
            Self::CommandLine => "COMMAND_LINE",
            Self::System => "SYSTEM",
            Self::Staff => "STAFF",
            Self::Guest => "GUEST",
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        known(&Self::ALL, text, Self::as_str)
    }
}

fn known<T: Copy>(all: &[T], text: &str, name: fn(T) -> &'static str) -> Result<T> {
    let found = all.iter().copied().find(|one| name(*one) == text);
    found.ok_or_else(|| Error::internal(format!("the audit trail knows no {text}")))
}

/// A record that an entry is about. It may be gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    /// What kind of record.
    pub object_type: ObjectType,
    /// Its id.
    pub id: Uuid,
}

/// An entry to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What was done.
    pub action: Action,
    /// To what.
    pub object: Object,
    /// Names of the fields that changed, as in the schema; empty for everything but updates.
    pub fields: Vec<Cow<'static, str>>,
    /// Another record that it concerns.
    pub related: Option<Object>,
}

impl Entry {
    /// Something was done to a record.
    pub const fn new(action: Action, object_type: ObjectType, id: Uuid) -> Self {
        Self { action, object: Object { object_type, id }, fields: Vec::new(), related: None }
    }

    /// A record was made.
    pub const fn created(object_type: ObjectType, id: Uuid) -> Self {
        Self::new(Action::Created, object_type, id)
    }

    /// A record was deleted.
    pub const fn deleted(object_type: ObjectType, id: Uuid) -> Self {
        Self::new(Action::Deleted, object_type, id)
    }

    /// Fields of a record were changed.
    pub fn updated(
        object_type: ObjectType,
        id: Uuid,
        fields: impl IntoIterator<Item = impl Into<Cow<'static, str>>>,
    ) -> Self {
        let fields = fields.into_iter().map(Into::into).collect();
        Self { fields, ..Self::new(Action::Updated, object_type, id) }
    }

    /// It concerns another record, too.
    #[must_use]
    pub const fn with(mut self, object_type: ObjectType, id: Uuid) -> Self {
        self.related = Some(Object { object_type, id });
        self
    }
}

/// Why something was done, in the words of staff: 1 to 500 characters, without line breaks or spaces at its ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(Arc<str>);

impl Reason {
    /// Takes a reason as it was given; spaces at its ends are dropped.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if (1..=REASON_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
            return Ok(Self(text.into()));
        }
        Err(Error::new(Message::ReasonInvalid { most: REASON_MAX }))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_trimmed_and_bounded() {
        assert_eq!(
            Reason::parse("  double booking \n").map(|reason| reason.as_str().to_owned()).ok().as_deref(),
            Some("double booking")
        );
        assert!(Reason::parse(&"é".repeat(500)).is_ok());
        for bad in ["", "   ", "a\nb", "a\0b", &"é".repeat(501)] {
            assert!(Reason::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for action in Action::ALL {
            assert_eq!(Action::parse(action.as_str()).ok(), Some(action));
        }
        for object_type in ObjectType::ALL {
            assert_eq!(ObjectType::parse(object_type.as_str()).ok(), Some(*object_type));
        }
        for actor_type in ActorType::ALL {
            assert_eq!(ActorType::parse(actor_type.as_str()).ok(), Some(actor_type));
        }
        assert!(Action::parse("created").is_err());
    }
}
