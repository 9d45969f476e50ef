//! The table of fields: what has to be read for each field of a page of stays, and how the fast path writes it.
//!
//! It has every field of its types, those that are left to the executor included; a test holds it against the schema. What a
//! field is written from is what is read for it, on the fast path and by the executor alike: neither can forget it.

use std::io::Write as _;

use async_graphql::{ScalarType as _, Value};
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::super::events;
use super::super::scalars::{Datetime, LocalTime};
use super::super::selection::Selection;
use super::page::{Needs, Page, Row, Source};
use crate::error::{Error, Result};
use crate::room_access_keys::{self, KeyKind};
use crate::room_stays::{StayDetails, StayJoins, StayView};
use crate::rooms::{Category, RoomSetup};

/// A type of the schema, and its fields by name.
pub(super) struct Type {
    pub name: &'static str,
    pub fields: &'static [(&'static str, Field)],
}

/// What a field is.
pub(super) enum Field {
    /// A scalar.
    Leaf(Leaf),
    /// An object, which is there when its source is read.
    Object(Source, &'static Type),
    /// An object, or `null` for stays that have none.
    Optional(&'static Type, fn(&StayView) -> bool),
    /// A list with an object for each row of the page.
    Rows(&'static Type),
    /// A key, of one of the types of [`KEYS`], or `null`.
    Key,
    /// Whatever it is, the executor answers it. Statements beside that of the page are its own to plan.
    Executor(Source),
}

/// A scalar, by what it is written from.
pub(super) enum Leaf {
    Page(Source, fn(&Page<'_>, &mut Vec<u8>) -> Result<()>),
    Stay(Write<StayView>),
    Details(Write<StayDetails>),
    Room(Write<RoomSetup>),
    Booked(Write<Category>),
    Secret(Write<StayView>),
    KeyEnd(Write<StayView>),
}

type Write<T> = fn(&T, &Page<'_>, &mut Vec<u8>) -> Result<()>;

use Field::{Executor, Key, Leaf as L, Object, Optional, Rows};
use Leaf::{Booked, Details, KeyEnd, Page as OfPage, Room, Secret, Stay};

/// The page itself.
pub(super) static CONNECTION: Type = Type {
    name: "RoomStayConnection",
    fields: &[
        ("edges", Rows(&EDGE)),
        ("pageInfo", Object(Source::Stay, &PAGE_INFO)),
        ("totalCount", L(OfPage(Source::Total, |page, out| plain(out, page.bounds.total)))),
        (
            "eventCursor",
            L(OfPage(Source::EventPosition, |page, out| {
                text(out, &events::cursor(page.context.actor.hotel.id, read(page.event_position)?))
            })),
        ),
    ],
};

static PAGE_INFO: Type = Type {
    name: "PageInfo",
    fields: &[
        ("hasNextPage", L(OfPage(Source::NextPage, |page, out| plain(out, page.has_next_page())))),
        ("hasPreviousPage", L(OfPage(Source::PreviousPage, |page, out| plain(out, page.has_previous_page())))),
        ("startCursor", L(OfPage(Source::Stay, |page, out| cursor(out, page, page.stays.items.first())))),
        ("endCursor", L(OfPage(Source::Stay, |page, out| cursor(out, page, page.stays.items.last())))),
    ],
};

static EDGE: Type = Type {
    name: "RoomStayEdge",
    fields: &[
        ("cursor", L(Stay(|view, page, out| text(out, &page.cursor(view))))),
        ("node", Object(Source::Stay, &STAY)),
    ],
};

static STAY: Type = Type {
    name: "RoomStay",
    fields: &[
        ("id", L(Stay(|view, _, out| id(out, view.stay.id)))),
        ("reservation", Executor(Source::Stay)),
        ("room_setup", Optional(&ROOM_SETUP, |view| view.stay.room_setup_id.is_some())),
        ("roomName", L(Room(|room, _, out| text(out, &room.name)))),
        ("category", Object(Source::Booked, &BOOKED_CATEGORY)),
        ("guests", Executor(Source::Stay)),
        ("first_guest", Executor(Source::FirstGuest)),
        ("reservation_from", L(Stay(|view, _, out| date(out, view.stay.reservation_from)))),
        ("reservation_to", L(Stay(|view, _, out| date(out, view.stay.reservation_to)))),
        (
            "departureTime",
            L(Stay(|view, _, out| {
                optional(out, view.stay.departure_time, |out, at| value(out, &LocalTime(at).to_value()))
            })),
        ),
        ("check_in", L(Stay(|view, page, out| optional(out, view.stay.check_in, |out, at| instant(out, page, at))))),
        ("check_out", L(Stay(|view, page, out| optional(out, view.stay.check_out, |out, at| instant(out, page, at))))),
        ("roomAccessKey", Key),
        ("overlappingRoomStays", Executor(Source::Stay)),
        ("guestMessage", L(Details(|details, _, out| optional(out, details.guest_message.as_deref(), text)))),
        ("maidNotes", L(Details(|details, _, out| optional(out, details.maid_notes.as_deref(), text)))),
        ("mealNotes", L(Details(|details, _, out| optional(out, details.meal_notes.as_deref(), text)))),
        ("rateCode", L(Details(|details, _, out| optional(out, details.rate_code.as_deref(), text)))),
        ("ageGroups", Object(Source::Details, &AGE_GROUPS)),
        ("auditTrail", Executor(Source::Stay)),
        ("createdAt", L(Details(|details, page, out| instant(out, page, details.created_at)))),
        ("updatedAt", L(Details(|details, page, out| instant(out, page, details.updated_at)))),
    ],
};

static ROOM_SETUP: Type = Type {
    name: "RoomSetup",
    fields: &[
        ("id", L(Stay(|view, _, out| id(out, read(view.stay.room_setup_id)?)))),
        ("name", L(Room(|room, _, out| text(out, &room.name)))),
        ("areaName", L(Room(|room, _, out| optional(out, room.area_name.as_deref(), text)))),
        ("category", Object(Source::Room, &ROOM_CATEGORY)),
        ("cleaningStatus", L(Room(|room, _, out| text(out, room.cleaning_status.as_str())))),
    ],
};

static ROOM_CATEGORY: Type = Type {
    name: "Category",
    fields: &[
        ("id", L(Room(|room, _, out| id(out, room.category.id)))),
        ("name", L(Room(|room, _, out| text(out, &room.category.name)))),
        ("description", L(Room(|room, _, out| optional(out, room.category.description.as_deref(), text)))),
    ],
};

static BOOKED_CATEGORY: Type = Type {
    name: "Category",
    fields: &[
        ("id", L(Booked(|category, _, out| id(out, category.id)))),
        ("name", L(Booked(|category, _, out| text(out, &category.name)))),
        ("description", L(Booked(|category, _, out| optional(out, category.description.as_deref(), text)))),
    ],
};

static AGE_GROUPS: Type = Type {
    name: "AgeGroups",
    fields: &[
        ("adults", L(Details(|details, _, out| plain(out, details.age_groups.adults)))),
        ("child1", L(Details(|details, _, out| plain(out, details.age_groups.child1)))),
        ("child2", L(Details(|details, _, out| plain(out, details.age_groups.child2)))),
        ("free", L(Details(|details, _, out| plain(out, details.age_groups.free)))),
    ],
};

const KEY_ID: (&str, Field) = ("id", L(Stay(|view, _, out| id(out, read(view.stay.room_access_key)?.id))));
const KEY_TRAIL: (&str, Field) = ("auditTrail", Executor(Source::Stay));
const DELETES_AT: (&str, Field) = (
    "deletesAt",
    L(KeyEnd(|view, page, out| {
        let end = view.key_end.and_then(|end| end.visible_to(page.context.actor.principal.integration_id()));
        optional(out, end, |out, at| instant(out, page, at))
    })),
);
const OPENED: Field = L(Secret(|view, page, out| {
    let (keys, hotel) = (&page.context.app.secret_keys, page.context.actor.hotel.id);
    let (key, sealed) = (read(view.stay.room_access_key)?, read(view.secret.as_deref())?);
    text(out, room_access_keys::open_secret(keys, hotel, key.id, sealed)?.expose())
}));
const COMPARTMENT: Field = L(Secret(|view, _, out| text(out, view.compartment.as_deref().unwrap_or_default())));

/// The types of keys, all of the interface `RoomAccessKey`.
pub(super) static KEYS: [(KeyKind, Type); 3] = [
    (KeyKind::Pin, Type { name: "RoomAccessPin", fields: &[KEY_ID, DELETES_AT, KEY_TRAIL, ("pin", OPENED)] }),
    (
        KeyKind::KeyStorage,
        Type {
            name: "RoomAccessKeyStorage",
            fields: &[KEY_ID, DELETES_AT, KEY_TRAIL, ("pin", OPENED), ("compartment", COMPARTMENT)],
        },
    ),
    (KeyKind::Qr, Type { name: "RoomAccessQR", fields: &[KEY_ID, DELETES_AT, KEY_TRAIL, ("qrData", OPENED)] }),
];

/// What to read along with stays of which this is selected.
pub fn joins_of(stays: &Selection<'_>) -> StayJoins {
    let mut needs = Needs::default();
    STAY.add_needs(stays, &mut needs);
    needs.joins
}

impl Type {
    fn add_needs(&self, selection: &Selection<'_>, needs: &mut Needs) {
        for (name, field) in self.fields.iter().filter(|(name, _)| selection.has(name)) {
            needs.add(field.source());
            match field {
                Object(_, of) | Optional(of, _) | Rows(of) => of.add_needs(&selection.field(name), needs),
                Key => KEYS.iter().for_each(|(_, of)| of.add_needs(&selection.field(name), needs)),
                L(_) | Executor(_) => {}
            }
        }
    }
}

impl Field {
    /// What has to be read for the field itself; what is selected below it may need more.
    pub fn source(&self) -> Source {
        match self {
            L(leaf) => leaf.source(),
            Object(source, _) | Executor(source) => *source,
            Optional(..) | Rows(_) | Key => Source::Stay,
        }
    }
}

impl Leaf {
    fn source(&self) -> Source {
        match self {
            OfPage(source, _) => *source,
            Stay(_) => Source::Stay,
            Details(_) => Source::Details,
            Room(_) => Source::Room,
            Booked(_) => Source::Booked,
            Secret(_) => Source::Secret,
            KeyEnd(_) => Source::KeyEnd,
        }
    }

    /// Writes the scalar of a row.
    pub fn write(&self, row: &Row<'_>, out: &mut Vec<u8>) -> Result<()> {
        let page = row.page;
        match self {
            OfPage(_, write) => write(page, out),
            Stay(write) | Secret(write) | KeyEnd(write) => write(row.view()?, page, out),
            Details(write) => write(read(row.view()?.details.as_ref())?, page, out),
            Room(_) if row.view()?.stay.room_setup_id.is_none() => plain(out, "null"),
            Room(write) => write(read(row.view()?.room_setup.as_ref())?, page, out),
            Booked(write) => write(read(row.view()?.category.as_ref())?, page, out),
        }
    }
}

/// What the statement had to read along.
fn read<T>(value: Option<T>) -> Result<T> {
    value.ok_or_else(|| Error::internal("a selected field was not read ahead"))
}

fn optional<T>(out: &mut Vec<u8>, value: Option<T>, write: impl FnOnce(&mut Vec<u8>, T) -> Result<()>) -> Result<()> {
    match value {
        Some(value) => write(out, value),
        None => plain(out, "null"),
    }
}

fn cursor(out: &mut Vec<u8>, page: &Page<'_>, stay: Option<&StayView>) -> Result<()> {
    optional(out, stay, |out, stay| text(out, &page.cursor(stay)))
}

fn value(out: &mut Vec<u8>, value: &Value) -> Result<()> {
    serde_json::to_writer(out, value).map_err(Error::internal)
}

fn instant(out: &mut Vec<u8>, page: &Page<'_>, at: DateTime<Utc>) -> Result<()> {
    value(out, &Datetime::local(at, page.context.actor.hotel.time_zone).to_value())
}

fn text(out: &mut Vec<u8>, text: &str) -> Result<()> {
    serde_json::to_writer(out, text).map_err(Error::internal)
}

fn id(out: &mut Vec<u8>, id: Uuid) -> Result<()> {
    text(out, id.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
}

fn date(out: &mut Vec<u8>, date: NaiveDate) -> Result<()> {
    write!(out, "\"{date}\"").map_err(Error::internal)
}

/// What looks the same in JSON.
fn plain(out: &mut Vec<u8>, value: impl std::fmt::Display) -> Result<()> {
    write!(out, "{value}").map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::graphql::Schema;

    /// The types of the table, each once for each place that it is found at.
    fn types(of: &'static Type, found: &mut Vec<&'static Type>) {
        found.push(of);
        for (_, field) in of.fields {
            match field {
                Object(_, of) | Optional(of, _) | Rows(of) => types(of, found),
                Key => KEYS.iter().for_each(|(_, of)| types(of, found)),
                L(_) | Executor(_) => {}
            }
        }
    }

    #[test]
    fn the_table_has_every_field_of_its_types() {
        let schema = Schema::new();
        let mut found = Vec::new();
        types(&CONNECTION, &mut found);
        for of in found {
            let known: BTreeSet<&str> = of.fields.iter().map(|(name, _)| *name).collect();
            let object = schema.definition.get_object(of.name).expect("a type of the schema");
            let fields: BTreeSet<&str> = object.fields.keys().map(apollo_compiler::Name::as_str).collect();
            assert_eq!(known, fields, "{}", of.name);
        }
    }
}
