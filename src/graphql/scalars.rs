//! Scalars of the 3RPMS schema. A value that none of them takes is refused before anything runs.

use async_graphql::{ID, InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime, Datelike as _, FixedOffset, NaiveDate, NaiveTime, SecondsFormat, SubsecRound, TimeDelta, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use crate::error::ScalarForm;
use crate::hotels::{YEARS, civil_date};

/// How the values of a scalar look.
pub struct Form {
    /// Whether a value is one of the scalar.
    pub takes: fn(&Value) -> bool,
    /// How one is written, for people.
    pub written: ScalarForm,
}

/// The form of a scalar of this schema; `None` for those of the specification.
pub fn form(scalar: &str) -> Option<Form> {
    match scalar {
        "Date" => Some(Form { takes: Date::is_valid, written: ScalarForm::Date }),
        "Datetime" => Some(Form { takes: Datetime::is_valid, written: ScalarForm::Datetime }),
        "LocalTime" => Some(Form { takes: LocalTime::is_valid, written: ScalarForm::LocalTime }),
        _ => None,
    }
}

/// A civil date of the hotel's calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date(pub NaiveDate);

/// A civil date, `YYYY-MM-DD`, in the years 1900 to 9999. Stays are dated in the hotel's own calendar, so a date has no offset.
#[Scalar(name = "Date")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        civil_date(text).map(Self).ok_or_else(|| InputValueError::custom(ScalarForm::Date.english()))
    }

    fn is_valid(value: &Value) -> bool {
        Self::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// Whether an instant lies in the years that answers can write, somewhere on earth. Whether it does in the hotel's zone is for
/// the service to tell that keeps it.
fn is_within_years(at: &DateTime<FixedOffset>) -> bool {
    let (east, west) = (at.to_utc() + TimeDelta::hours(14), at.to_utc() - TimeDelta::hours(12));
    east.year() >= *YEARS.start() && west.year() <= *YEARS.end()
}

/// An instant and the offset that it is told in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datetime(pub DateTime<FixedOffset>);

impl Datetime {
    /// `instant` as a clock in `zone` shows it.
    pub fn local(instant: DateTime<Utc>, zone: Tz) -> Self {
        Self(instant.with_timezone(&zone).fixed_offset())
    }
}

/// An instant with its offset, such as `2026-10-25T14:00:00+02:00`, in the years 1900 to 9999 of the hotel. Answers use the offset of the hotel's zone.
#[Scalar(name = "Datetime")]
impl ScalarType for Datetime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        // Cut to what PostgreSQL keeps, so that the same instant sent again is the same instant.
        let at = DateTime::parse_from_rfc3339(text).ok().filter(is_within_years).map(|at| Self(at.trunc_subsecs(6)));
        at.ok_or_else(|| InputValueError::custom(ScalarForm::Datetime.english()))
    }

    fn is_valid(value: &Value) -> bool {
        Self::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::AutoSi, false))
    }
}

/// A local time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime(pub NaiveTime);

/// A local time of day, `HH:MM`.
#[Scalar(name = "LocalTime")]
impl ScalarType for LocalTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        // The parser would take a space in the place of a digit, too.
        let shape =
            text.bytes().enumerate().all(|(index, byte)| if index == 2 { byte == b':' } else { byte.is_ascii_digit() });
        let time = if text.len() == 5 && shape { NaiveTime::parse_from_str(text, "%H:%M").ok() } else { None };
        time.map(Self).ok_or_else(|| InputValueError::custom(ScalarForm::LocalTime.english()))
    }

    fn is_valid(value: &Value) -> bool {
        Self::parse(value.clone()).is_ok()
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.format("%H:%M").to_string())
    }
}

/// The id that a client sent. A text that is no id of ours becomes one that no record has.
pub fn uuid(id: &ID) -> Uuid {
    Uuid::parse_str(id).ok().filter(|uuid| uuid.to_string() == id.as_str()).unwrap_or(Uuid::nil())
}

/// The ids that a client sent.
pub fn uuids(ids: &[ID]) -> Vec<Uuid> {
    ids.iter().map(uuid).collect()
}
