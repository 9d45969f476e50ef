//! Kinds of change: what can happen to a record, and who learns of it.

use crate::audit::{Action, ObjectType};
use crate::error::{Error, Message, Result};

/// A kind of change, such as an update of a room stay. A capability has one `static` for each of its kinds, beside what
/// emits them; the [`Catalogue`] has all of them.
#[derive(Debug, PartialEq, Eq)]
pub struct ChangeKind {
    /// Type of the event: `room_stay.updated` and so on. No other kind has it.
    pub event_type: &'static str,
    /// What was done, in the words of the audit trail. It also decides how changes of one record merge ([`super::Changes`]).
    pub action: Action,
    /// What kind of record it was done to.
    pub object: ObjectType,
    /// Who learns of it.
    pub audience: Audience,
    /// Whether the event names the fields that changed; the audit trail does so in any case.
    pub names_fields: bool,
    /// When it happens, for docs/EVENTS.md.
    pub meaning: &'static str,
}

/// The receivers of events of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Every integration of the hotel.
    Hotel,
    /// The integration that owns the record.
    Owner,
    /// The webhook endpoint that the change is of, which needs no subscription. Nobody can subscribe to such a kind.
    Endpoint,
    /// Nobody: such a change is in the audit trail alone.
    Nobody,
}

impl Audience {
    /// Whether integrations can subscribe to such events, and ask the feed for them.
    const fn subscribes(self) -> bool {
        match self {
            Self::Hotel | Self::Owner => true,
            Self::Endpoint | Self::Nobody => false,
        }
    }
}

/// Every kind of change that there is, in the order in which they are documented. Put together above the capabilities, since
/// events know none of them.
#[derive(Clone, Copy, Debug)]
pub struct Catalogue(&'static [&'static ChangeKind]);

impl Catalogue {
    /// The catalogue of these kinds.
    pub const fn new(kinds: &'static [&'static ChangeKind]) -> Self {
        Self(kinds)
    }

    /// The kinds.
    pub const fn kinds(self) -> &'static [&'static ChangeKind] {
        self.0
    }

    /// The types of events that integrations can subscribe to.
    pub fn types(self) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter(|kind| kind.audience.subscribes()).map(|kind| kind.event_type)
    }

    /// The types that are named, each once and in the order of the catalogue.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` at the first name of which there is no type.
    pub fn types_named(self, names: &[String]) -> Result<Vec<&'static str>> {
        let types: Vec<&str> = self.types().collect();
        if let Some(index) = names.iter().position(|name| !types.contains(&name.as_str())) {
            return Err(Error::new(Message::EventTypeUnknown { types: types.join(", ") }).at(index));
        }
        Ok(types.into_iter().filter(|known| names.iter().any(|name| name == known)).collect())
    }
}
