//! The fields that are written: what each needs to be read, and its value.

use std::io::Write as _;

use async_graphql::{ScalarType as _, Value};
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::super::events;
use super::super::scalars::{Datetime, LocalTime};
use super::{Needs, Row};
use crate::error::{Error, Result};
use crate::room_access_keys::{self, KeyKind};
use crate::room_stays::{AssignedKey, StayDetails, StayView};
use crate::rooms::{Category, RoomSetup};

/// A type of the schema, and those of its fields that are written.
pub(super) struct Type {
    pub name: &'static str,
    pub fields: &'static [Field],
}

/// A field: its name, what it needs, and what it is.
pub(super) type Field = (&'static str, fn(&mut Needs), Kind);

/// What a field is.
pub(super) enum Kind {
    /// A scalar.
    Leaf(Leaf),
    /// An object.
    Object(&'static Type),
    /// An object, or `null` where the row has none.
    Optional(&'static Type, fn(&Row<'_>) -> bool),
    /// A list with an object for each row of the page.
    Rows(&'static Type),
    /// A key, of one of the types of [`KEYS`], or `null`.
    Key,
}

/// Writes a scalar.
pub(super) type Leaf = fn(&Row<'_>, &mut Vec<u8>) -> Result<()>;

use Kind::{Key, Leaf as L, Object, Optional, Rows};

const NOTHING: fn(&mut Needs) = |_| {};
const DETAILS: fn(&mut Needs) = |needs| needs.joins.details = true;
const ROOM: fn(&mut Needs) = |needs| needs.joins.room_setup = true;
const BOOKED: fn(&mut Needs) = |needs| needs.joins.category = true;
const SECRET: fn(&mut Needs) = |needs| needs.joins.secret = true;
const KEY_END: fn(&mut Needs) = |needs| needs.joins.key_end = true;

pub(super) static CONNECTION: Type = Type {
    name: "RoomStayConnection",
    fields: &[
        ("edges", NOTHING, Rows(&EDGE)),
        ("pageInfo", NOTHING, Object(&PAGE_INFO)),
        ("totalCount", |needs| needs.total = true, L(|row, out| plain(out, row.page.extent.total))),
        (
            "eventCursor",
            |needs| needs.joins.event_position = true,
            L(|row, out| {
                let position = read(row.page.event_position)?;
                text(out, &events::cursor(row.page.context.actor.hotel.id, position))
            }),
        ),
    ],
};

static PAGE_INFO: Type = Type {
    name: "PageInfo",
    fields: &[
        ("hasNextPage", |needs| needs.has_next_page = true, L(|row, out| plain(out, row.page.has_next_page()))),
        (
            "hasPreviousPage",
            |needs| needs.has_previous_page = true,
            L(|row, out| plain(out, row.page.has_previous_page())),
        ),
        (
            "startCursor",
            NOTHING,
            L(|row, out| optional(out, row.page.stays.items.first(), |out, stay| text(out, &row.page.cursor(stay)))),
        ),
        (
            "endCursor",
            NOTHING,
            L(|row, out| optional(out, row.page.stays.items.last(), |out, stay| text(out, &row.page.cursor(stay)))),
        ),
    ],
};

static EDGE: Type = Type {
    name: "RoomStayEdge",
    fields: &[
        ("cursor", NOTHING, L(|row, out| text(out, &row.page.cursor(row.view()?)))),
        ("node", NOTHING, Object(&STAY)),
    ],
};

static STAY: Type = Type {
    name: "RoomStay",
    fields: &[
        ("id", NOTHING, L(|row, out| id(out, row.view()?.stay.id))),
        ("reservation_from", NOTHING, L(|row, out| date(out, row.view()?.stay.reservation_from))),
        ("reservation_to", NOTHING, L(|row, out| date(out, row.view()?.stay.reservation_to))),
        (
            "departureTime",
            NOTHING,
            L(|row, out| {
                optional(out, row.view()?.stay.departure_time, |out, time| value(out, &LocalTime(time).to_value()))
            }),
        ),
        ("check_in", NOTHING, L(|row, out| optional(out, row.view()?.stay.check_in, |out, at| instant(row, out, at)))),
        (
            "check_out",
            NOTHING,
            L(|row, out| optional(out, row.view()?.stay.check_out, |out, at| instant(row, out, at))),
        ),
        (
            "room_setup",
            NOTHING,
            Optional(&ROOM_SETUP, |row| row.view.is_some_and(|view| view.stay.room_setup_id.is_some())),
        ),
        (
            "roomName",
            ROOM,
            L(|row, out| optional(out, row.view()?.room_setup.as_ref(), |out, room| text(out, &room.name))),
        ),
        ("category", BOOKED, Object(&BOOKED_CATEGORY)),
        ("roomAccessKey", NOTHING, Key),
        ("guestMessage", DETAILS, L(|row, out| optional(out, row.details()?.guest_message.as_deref(), text))),
        ("maidNotes", DETAILS, L(|row, out| optional(out, row.details()?.maid_notes.as_deref(), text))),
        ("mealNotes", DETAILS, L(|row, out| optional(out, row.details()?.meal_notes.as_deref(), text))),
        ("rateCode", DETAILS, L(|row, out| optional(out, row.details()?.rate_code.as_deref(), text))),
        ("ageGroups", DETAILS, Object(&AGE_GROUPS)),
        ("createdAt", DETAILS, L(|row, out| instant(row, out, row.details()?.created_at))),
        ("updatedAt", DETAILS, L(|row, out| instant(row, out, row.details()?.updated_at))),
    ],
};

static ROOM_SETUP: Type = Type {
    name: "RoomSetup",
    fields: &[
        ("id", NOTHING, L(|row, out| id(out, read(row.view()?.stay.room_setup_id)?))),
        ("name", ROOM, L(|row, out| text(out, &row.room()?.name))),
        ("areaName", ROOM, L(|row, out| optional(out, row.room()?.area_name.as_deref(), text))),
        ("cleaningStatus", ROOM, L(|row, out| text(out, row.room()?.cleaning_status.as_str()))),
        ("category", ROOM, Object(&ROOM_CATEGORY)),
    ],
};

static ROOM_CATEGORY: Type = Type {
    name: "Category",
    fields: &[
        ("id", NOTHING, L(|row, out| id(out, row.room()?.category.id))),
        ("name", NOTHING, L(|row, out| text(out, &row.room()?.category.name))),
        ("description", NOTHING, L(|row, out| optional(out, row.room()?.category.description.as_deref(), text))),
    ],
};

static BOOKED_CATEGORY: Type = Type {
    name: "Category",
    fields: &[
        ("id", NOTHING, L(|row, out| id(out, row.booked()?.id))),
        ("name", NOTHING, L(|row, out| text(out, &row.booked()?.name))),
        ("description", NOTHING, L(|row, out| optional(out, row.booked()?.description.as_deref(), text))),
    ],
};

static AGE_GROUPS: Type = Type {
    name: "AgeGroups",
    fields: &[
        ("adults", NOTHING, L(|row, out| plain(out, row.details()?.age_groups.adults))),
        ("child1", NOTHING, L(|row, out| plain(out, row.details()?.age_groups.child1))),
        ("child2", NOTHING, L(|row, out| plain(out, row.details()?.age_groups.child2))),
        ("free", NOTHING, L(|row, out| plain(out, row.details()?.age_groups.free))),
    ],
};

const KEY_ID: Field = ("id", NOTHING, L(|row, out| id(out, row.key()?.id)));
const DELETES_AT: Field = (
    "deletesAt",
    KEY_END,
    L(|row, out| {
        let end = row.view()?.key_end.and_then(|end| end.told_to(row.page.context.actor.principal.integration_id()));
        optional(out, end, |out, at| instant(row, out, at))
    }),
);
const OPENED: Leaf = |row, out| {
    let context = row.page.context;
    let sealed = read(row.view()?.secret.as_deref())?;
    let (keys, hotel) = (&context.app.secret_keys, context.actor.hotel.id);
    text(out, room_access_keys::open_secret(keys, hotel, row.key()?.id, sealed)?.expose())
};
const COMPARTMENT: Leaf = |row, out| text(out, row.view()?.compartment.as_deref().unwrap_or_default());

/// The types of keys, all of the interface `RoomAccessKey`.
pub(super) static KEYS: [(KeyKind, Type); 3] = [
    (KeyKind::Pin, Type { name: "RoomAccessPin", fields: &[KEY_ID, DELETES_AT, ("pin", SECRET, L(OPENED))] }),
    (
        KeyKind::KeyStorage,
        Type {
            name: "RoomAccessKeyStorage",
            fields: &[KEY_ID, DELETES_AT, ("pin", SECRET, L(OPENED)), ("compartment", SECRET, L(COMPARTMENT))],
        },
    ),
    (KeyKind::Qr, Type { name: "RoomAccessQR", fields: &[KEY_ID, DELETES_AT, ("qrData", SECRET, L(OPENED))] }),
];

impl<'a> Row<'a> {
    fn view(&self) -> Result<&'a StayView> {
        read(self.view)
    }

    fn details(&self) -> Result<&'a StayDetails> {
        read(self.view()?.details.as_ref())
    }

    fn room(&self) -> Result<&'a RoomSetup> {
        read(self.view()?.room_setup.as_ref())
    }

    fn booked(&self) -> Result<&'a Category> {
        read(self.view()?.category.as_ref())
    }

    fn key(&self) -> Result<AssignedKey> {
        read(self.view()?.stay.room_access_key)
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

fn value(out: &mut Vec<u8>, value: &Value) -> Result<()> {
    serde_json::to_writer(out, value).map_err(Error::internal)
}

fn instant(row: &Row<'_>, out: &mut Vec<u8>, at: DateTime<Utc>) -> Result<()> {
    value(out, &Datetime::local(at, row.page.context.actor.hotel.time_zone).to_value())
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
