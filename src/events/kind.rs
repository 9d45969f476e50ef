//! Kinds of change: what can happen to a record, and who learns of it.

use std::borrow::Cow;

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
    /// What it is called in Seam's API. The first name that fits what changed is the one; without one that does, Seam's API has no
    /// such event.
    pub seam: &'static [SeamType],
}

impl ChangeKind {
    /// The type that a change of these fields has in Seam's API.
    pub(super) fn seam_type(&self, changed: &[Cow<'static, str>]) -> Option<&'static str> {
        self.seam.iter().find(|seam| seam.fits(changed)).map(|seam| seam.name)
    }
}

/// A type of events in Seam's API, and which changes of a kind are of it.
#[derive(Debug, PartialEq, Eq)]
pub struct SeamType {
    /// Its name: `access_method.issued` and so on.
    pub name: &'static str,
    /// The fields of which one has to have changed; none = whatever changed.
    pub fields: &'static [&'static str],
}

impl SeamType {
    /// The type of every change of a kind.
    pub const fn of_all(name: &'static str) -> Self {
        Self { name, fields: &[] }
    }

    /// The type of changes of one of these fields.
    pub const fn of(fields: &'static [&'static str], name: &'static str) -> Self {
        Self { name, fields }
    }

    fn fits(&self, changed: &[Cow<'static, str>]) -> bool {
        self.fields.is_empty() || changed.iter().any(|field| self.fields.contains(&&**field))
    }
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

    /// The types of events that Seam's API knows and Latchkey tells of.
    pub fn seam_types(self) -> impl Iterator<Item = &'static str> {
        self.0.iter().flat_map(|kind| kind.seam).map(|seam| seam.name)
    }

    /// The types that are named, each once and in the order of the catalogue.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` at the first name of which there is no type.
    pub fn types_named(self, names: &[String]) -> Result<Vec<&'static str>> {
        named(names, self.types().collect(), |types| Message::EventTypeUnknown { types })
    }

    /// The types of Seam's API that are named, each once and in the order of the catalogue.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` at the first name of which there is no type.
    pub fn seam_types_named(self, names: &[String]) -> Result<Vec<&'static str>> {
        named(names, self.seam_types().collect(), |types| Message::SeamEventTypeUnknown { types })
    }
}

fn named(
    names: &[String],
    types: Vec<&'static str>,
    unknown: impl FnOnce(String) -> Message,
) -> Result<Vec<&'static str>> {
    if let Some(index) = names.iter().position(|name| !types.contains(&name.as_str())) {
        return Err(Error::new(unknown(types.join(", "))).at(index));
    }
    Ok(types.into_iter().filter(|known| names.iter().any(|name| name == known)).collect())
}
