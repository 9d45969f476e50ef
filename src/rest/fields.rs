//! The bodies of requests: one table per body, which both the reader and the OpenAPI document go by.

use chrono::NaiveDate;
use serde_json::{Map, Value};

use crate::audit::{REASON_MAX, Reason};
use crate::bookings::EXTERNAL_ID_MAX;
use crate::clients::{DETAIL_MAX, NAME_MAX};
use crate::error::{Error, ErrorAt, Message, Result};
use crate::hotels;
use crate::rooms::ROOM_NAME_MAX;

/// Most guests in one synchronisation.
pub const MOST_GUESTS: usize = 500;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text of at most so many characters, not only spaces and without control characters.
    Text(usize),
    /// A language of ISO 639-1, or a tag that begins with one.
    Language,
    /// `YYYY-MM-DD`, in the years 1900 to 9999.
    Date,
    /// A list of guests, each with the fields of a check-in.
    Guests,
}

/// One field of a body.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Name in JSON.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it has to be there.
    pub required: bool,
    /// What it means.
    pub about: &'static str,
}

const fn needed(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, required: true, about }
}

const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, required: false, about }
}

const ID: Field = needed(
    "pmsGuestId",
    Kind::Text(EXTERNAL_ID_MAX),
    "The guest's id in the sending system, 1 to 64 characters: an external id of this integration, or the code of a reservation.",
);
const FIRST_NAME: Field = optional("firstName", Kind::Text(NAME_MAX), "Given name.");
const EMAIL: Field = optional("email", Kind::Text(DETAIL_MAX), "E-mail address.");
const PHONE: Field = optional("phone", Kind::Text(DETAIL_MAX), "Telephone number.");
const LANGUAGE: Field = optional("language", Kind::Language, "ISO 639-1 code; a tag such as de-DE is taken for it.");

const REASON: Field = optional(
    "reason",
    Kind::Text(REASON_MAX),
    "Why, for the audit trail: 1 to 500 characters, without line breaks. No names: it outlives the guest's data.",
);

/// Body of `/guests/checkin`.
pub const CHECK_IN: &[Field] = &[
    ID,
    needed("lastName", Kind::Text(NAME_MAX), "Family name."),
    needed("roomNumber", Kind::Text(ROOM_NAME_MAX), "Name of the room."),
    needed("checkOutDate", Kind::Date, "Day of departure: today or later, in the hotel's zone."),
    optional("checkInDate", Kind::Date, "Day of arrival; as booked, or today, when absent."),
    FIRST_NAME,
    EMAIL,
    PHONE,
    LANGUAGE,
    REASON,
];

/// Body of `/guests/update`.
pub const UPDATE: &[Field] = &[
    ID,
    optional("lastName", Kind::Text(NAME_MAX), "New family name."),
    optional("roomNumber", Kind::Text(ROOM_NAME_MAX), "Name of the new room."),
    optional("checkOutDate", Kind::Date, "New day of departure."),
    optional("checkInDate", Kind::Date, "New day of arrival."),
    FIRST_NAME,
    EMAIL,
    PHONE,
    LANGUAGE,
    REASON,
];

/// Body of `/guests/checkout`.
pub const CHECK_OUT: &[Field] = &[
    ID,
    optional(
        "roomNumber",
        Kind::Text(ROOM_NAME_MAX),
        "The room that is given back; all of the guest's rooms when absent.",
    ),
    REASON,
];

/// Body of `/guests/sync`.
pub const SYNC: &[Field] =
    &[needed("guests", Kind::Guests, "Everybody who is in the house, at most 500 guests."), REASON];

/// A guest arrives.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_field_names, reason = "the trade's name of the date")]
pub struct CheckIn {
    /// The guest's id in the sending system.
    pub id: String,
    /// Family name.
    pub last_name: String,
    /// Name of the room.
    pub room_number: String,
    /// Day of departure.
    pub check_out_date: NaiveDate,
    /// Day of arrival.
    pub check_in_date: Option<NaiveDate>,
    /// How to reach the guest.
    pub contact: Contact,
    /// Why, for the audit trail.
    pub reason: Option<Reason>,
}

/// What is known of a guest changes.
#[derive(Clone, Debug)]
pub struct Update {
    /// The guest's id in the sending system.
    pub id: String,
    /// New family name.
    pub last_name: Option<String>,
    /// Name of the new room.
    pub room_number: Option<String>,
    /// New day of departure.
    pub check_out_date: Option<NaiveDate>,
    /// New day of arrival.
    pub check_in_date: Option<NaiveDate>,
    /// How to reach the guest.
    pub contact: Contact,
    /// Why, for the audit trail.
    pub reason: Option<Reason>,
}

/// How to reach a guest, as far as the body says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contact {
    /// Given name.
    pub first_name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
    /// Language.
    pub language: Option<String>,
}

/// A guest leaves.
#[derive(Clone, Debug)]
pub struct CheckOut {
    /// The guest's id in the sending system.
    pub id: String,
    /// The one room that is given back.
    pub room_number: Option<String>,
    /// Why, for the audit trail.
    pub reason: Option<Reason>,
}

/// Who is in the house.
#[derive(Clone, Debug)]
pub struct InHouse {
    /// Everybody.
    pub guests: Vec<CheckIn>,
    /// Why, for the audit trail, as far as a guest's entry does not say it.
    pub reason: Option<Reason>,
}

impl CheckIn {
    /// Reads the body.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`
    pub fn read(body: &Value) -> Result<Self> {
        let body = Body::new(body, CHECK_IN)?;
        Ok(Self {
            id: body.needed_text("pmsGuestId")?,
            last_name: body.needed_text("lastName")?,
            room_number: body.needed_text("roomNumber")?,
            check_out_date: body.date("checkOutDate")?.ok_or_else(|| missing("checkOutDate"))?,
            check_in_date: body.date("checkInDate")?,
            contact: body.contact()?,
            reason: body.reason()?,
        })
    }
}

impl InHouse {
    /// Reads the list of a synchronisation.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`
    pub fn read(body: &Value) -> Result<Self> {
        let body = Body::new(body, SYNC)?;
        let guests = match body.value("guests") {
            Some(Value::Array(guests)) if guests.len() <= MOST_GUESTS => guests,
            Some(Value::Array(_)) => {
                return Err(Error::new(Message::TooManyGuests { most: MOST_GUESTS }).at("guests"));
            }
            Some(_) => return Err(Error::new(Message::GuestsNotAList).at("guests")),
            None => return Err(missing("guests")),
        };
        let guests = guests.iter().enumerate().map(|(index, guest)| CheckIn::read(guest).at(index).at("guests"));
        Ok(Self { guests: guests.collect::<Result<_>>()?, reason: body.reason()? })
    }
}

impl Update {
    /// Reads the body.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`
    pub fn read(body: &Value) -> Result<Self> {
        let body = Body::new(body, UPDATE)?;
        Ok(Self {
            id: body.needed_text("pmsGuestId")?,
            last_name: body.text("lastName")?,
            room_number: body.text("roomNumber")?,
            check_out_date: body.date("checkOutDate")?,
            check_in_date: body.date("checkInDate")?,
            contact: body.contact()?,
            reason: body.reason()?,
        })
    }
}

impl CheckOut {
    /// Reads the body.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`
    pub fn read(body: &Value) -> Result<Self> {
        let body = Body::new(body, CHECK_OUT)?;
        Ok(Self { id: body.needed_text("pmsGuestId")?, room_number: body.text("roomNumber")?, reason: body.reason()? })
    }
}

fn missing(name: &'static str) -> Error {
    Error::new(Message::FieldMissing { name }).at(name)
}

/// A body and the table of its fields. What is not in the table is left alone; `null` is the same as absent.
struct Body<'a> {
    object: &'a Map<String, Value>,
    fields: &'static [Field],
}

impl<'a> Body<'a> {
    fn new(body: &'a Value, fields: &'static [Field]) -> Result<Self> {
        let object = body.as_object().ok_or_else(|| Error::new(Message::BodyNotAnObject))?;
        let body = Self { object, fields };
        let absent = fields.iter().find(|field| field.required && body.value(field.name).is_none());
        match absent {
            Some(field) => Err(missing(field.name)),
            None => Ok(body),
        }
    }

    fn value(&self, name: &'static str) -> Option<&'a Value> {
        debug_assert!(self.fields.iter().any(|field| field.name == name), "{name} is in the table");
        self.object.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &'static str) -> Result<Option<String>> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let longest = self.fields.iter().find_map(|field| match field.kind {
            Kind::Text(longest) if field.name == name => Some(longest),
            _ => None,
        });
        let longest = longest.unwrap_or(DETAIL_MAX);
        // Counted before it is trimmed, as JSON Schema does.
        let fits = |text: &&str| {
            text.chars().count() <= longest && !text.chars().any(char::is_control) && !text.trim().is_empty()
        };
        let text = value.as_str().filter(fits).map(|text| Some(text.trim().to_owned()));
        text.ok_or_else(|| Error::new(Message::FieldTextInvalid { name, most: longest }).at(name))
    }

    fn needed_text(&self, name: &'static str) -> Result<String> {
        self.text(name)?.ok_or_else(|| missing(name))
    }

    fn date(&self, name: &'static str) -> Result<Option<NaiveDate>> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let date = value.as_str().and_then(hotels::civil_date);
        date.map(Some).ok_or_else(|| Error::new(Message::DateInvalid { name }).at(name))
    }

    fn reason(&self) -> Result<Option<Reason>> {
        self.text("reason")?.map(|text| Reason::parse(&text)).transpose().at("reason")
    }

    fn contact(&self) -> Result<Contact> {
        Ok(Contact {
            first_name: self.text("firstName")?,
            email: self.text("email")?,
            phone: self.text("phone")?,
            language: self.text("language")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_missing_or_of_the_wrong_kind_is_named() {
        let good =
            json!({"pmsGuestId": "RES-001", "lastName": "Doe", "roomNumber": "301", "checkOutDate": "2026-02-22"});
        assert!(CheckIn::read(&good).is_ok());
        for (name, value) in [
            ("pmsGuestId", json!(null)),
            ("lastName", json!(" ")),
            ("lastName", json!("Do\ne")),
            ("lastName", json!("x".repeat(201))),
            ("roomNumber", json!(301)),
            ("checkOutDate", json!("2026-02-30")),
            ("checkInDate", json!("18.02.2026")),
            ("checkInDate", json!("+2026-2-18")),
            ("checkInDate", json!("1899-12-31")),
            ("email", json!([])),
            ("phone", json!("+49\u{0}")),
            ("reason", json!("x".repeat(501))),
        ] {
            let mut bad = good.clone();
            bad[name] = value;
            assert_eq!(CheckIn::read(&bad).expect_err(name).argument_path, [name.into()]);
        }
        assert!(CheckIn::read(&json!([])).is_err());
        let error = InHouse::read(&json!({"guests": [good, {}]})).expect_err("refused");
        assert_eq!(error.argument_path, ["guests".into(), 1.into(), "pmsGuestId".into()]);
        let error = InHouse::read(&json!({"guests": [null]})).expect_err("refused");
        assert_eq!(error.argument_path, ["guests".into(), 0.into()]);
    }
}
