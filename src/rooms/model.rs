//! Categories and rooms.

use uuid::Uuid;

use crate::error::{Error, Message, Result};
use crate::text;

/// Whether a room is ready for a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CleaningStatus {
    /// Ready.
    Clean,
    /// To be cleaned.
    Dirty,
}

impl CleaningStatus {
    /// As in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "CLEAN",
            Self::Dirty => "DIRTY",
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        match text {
            "CLEAN" => Ok(Self::Clean),
            "DIRTY" => Ok(Self::Dirty),
            _ => Err(Error::internal(format!("unknown cleaning status {text}"))),
        }
    }
}

/// A kind of room that a guest books.
#[derive(Clone, Debug)]
pub struct Category {
    /// Id.
    pub id: Uuid,
    /// Unique in the hotel.
    pub name: String,
    /// What guests read about it.
    pub description: Option<String>,
}

/// A physical room.
#[derive(Clone, Debug)]
pub struct RoomSetup {
    /// Id.
    pub id: Uuid,
    /// What is on its door; unique in the hotel.
    pub name: String,
    /// Part of the house.
    pub area_name: Option<String>,
    /// Its category.
    pub category: Category,
    /// Whether it is ready.
    pub cleaning_status: CleaningStatus,
}

/// Names of the fields in which two states of a category differ.
pub(super) fn changed_fields_of_category(before: &Category, after: &Category) -> Vec<&'static str> {
    named([(before.name != after.name, "name"), (before.description != after.description, "description")])
}

/// Names of the fields in which two states of a room differ.
pub(super) fn changed_fields_of_room(before: &RoomSetup, after: &RoomSetup) -> Vec<&'static str> {
    named([
        (before.name != after.name, "name"),
        (before.area_name != after.area_name, "areaName"),
        (before.category.id != after.category.id, "category"),
        (before.cleaning_status != after.cleaning_status, "cleaningStatus"),
    ])
}

fn named<const N: usize>(changes: [(bool, &'static str); N]) -> Vec<&'static str> {
    changes.into_iter().filter_map(|(changed, name)| changed.then_some(name)).collect()
}

/// A name that people give to a record, such as a room, as it is kept.
///
/// # Errors
/// `INVALID_ARGUMENT` at `name`
pub(crate) fn checked_name(name: &str, max: usize) -> Result<String> {
    let name = text::tidy(name);
    if (1..=max).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        return Ok(name);
    }
    Err(Error::new(Message::LineInvalid { name: "name", most: max }).at("name"))
}
