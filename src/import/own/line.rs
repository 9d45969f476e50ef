//! One line of a hotel's own bookings, read and checked: one room stay of a reservation.

use std::collections::HashMap;

use chrono::{NaiveDate, TimeDelta};
use csv::StringRecord;
use uuid::Uuid;

use super::super::file;
use super::columns::{Column, Columns};
use super::dates::{self, DateOrder};
use crate::clients;
use crate::derive::Derived;
use crate::hotels::HotelId;

/// Longest stay that is believed.
const STAY_MAX: TimeDelta = TimeDelta::days(1_000);
/// Most people of one age group in one room.
const PEOPLE_MAX: u32 = 1_000;
/// Longest texts, in characters, as the database and the API have them.
const CODE_MAX: usize = 64;
const NAME_MAX: usize = 200;
const ROOM_MAX: usize = 50;
const DETAIL_MAX: usize = 320;
const NOTES_MAX: usize = 10_000;

/// What has become of a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The guest is still to come.
    Booked,
    /// The guest has arrived.
    CheckedIn,
    /// The guest has left.
    CheckedOut,
    /// The guest has left and paid.
    Invoiced,
    /// The guest never came.
    NoShow,
    /// It was cancelled.
    Cancelled,
}

/// The words for each state, as [`State::parse`] makes them plain; the documented one first.
const STATES: [(State, &[&str]); 6] = [
    (
        State::Booked,
        &[
            "active",
            "booked",
            "confirmed",
            "reserved",
            "guaranteed",
            "definite",
            "new",
            "ok",
            "duein",
            "expected",
            "arriving",
            "upcoming",
            "bestätigt",
            "gebucht",
            "reserviert",
        ],
    ),
    (
        State::CheckedIn,
        &["checkedin", "inhouse", "arrived", "stayover", "dueout", "occupied", "eingecheckt", "angereist", "imhaus"],
    ),
    (State::CheckedOut, &["checkedout", "departed", "left", "completed", "ausgecheckt", "abgereist"]),
    (State::Invoiced, &["invoiced", "paid", "closed", "abgerechnet", "bezahlt"]),
    (State::NoShow, &["noshow", "nichtangereist"]),
    (State::Cancelled, &["cancelled", "canceled", "cancellation", "cxl", "storniert", "storno"]),
];

impl State {
    fn parse(text: &str) -> Option<Self> {
        let plain: String =
            text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        STATES.iter().find(|(_, words)| words.contains(&plain.as_str())).map(|(state, _)| *state)
    }
}

/// A person as a line names them.
#[derive(Clone, Debug)]
pub struct Person {
    pub firstname: Option<String>,
    pub lastname: String,
    pub email: Option<String>,
    pub telephone: Option<String>,
    pub mobile: Option<String>,
    pub language: Option<String>,
    pub country: Option<String>,
}

/// A line. What is `None` it does not say.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its number in the file.
    pub number: usize,
    pub code: String,
    pub guest: Person,
    pub company: Option<String>,
    pub room: Option<String>,
    pub category: Option<String>,
    pub arrival: NaiveDate,
    pub departure: NaiveDate,
    pub state: State,
    pub adults: Option<i16>,
    pub children: Option<i16>,
    pub channel_code: Option<String>,
    pub source: Option<String>,
    pub group: Option<String>,
    pub notes: Option<String>,
    /// Hash of all that it says, and of how many lines before it say the same.
    pub digest: Uuid,
}

/// Reads lines.
pub struct Reader<'a> {
    hotel: HotelId,
    columns: &'a Columns,
    order: DateOrder,
    seen: HashMap<String, u32>,
}

impl<'a> Reader<'a> {
    /// For one file; whether days or months come first is known.
    pub fn new(hotel: HotelId, columns: &'a Columns, order: DateOrder) -> Self {
        Self { hotel, columns, order, seen: HashMap::new() }
    }

    /// Reads one line.
    ///
    /// # Errors
    /// A reason for people, which begins with the column as the file calls it.
    pub fn line(&mut self, number: usize, fields: &StringRecord) -> Result<Line, String> {
        let row = Row { columns: self.columns, fields };
        let (arrival, departure) = (row.day(Column::Arrival, self.order)?, row.day(Column::Departure, self.order)?);
        if departure < arrival {
            return Err(row.wrong(Column::Departure, format!("{departure} is before the arrival, {arrival}")));
        }
        if departure - arrival > STAY_MAX {
            let nights = (departure - arrival).num_days();
            return Err(row.wrong(Column::Departure, format!("{nights} nights are more than {}", STAY_MAX.num_days())));
        }
        let mut line = Line {
            number,
            code: row.required(Column::Code, CODE_MAX)?,
            guest: row.guest()?,
            company: row.text(Column::Company, NAME_MAX)?,
            room: row.text(Column::Room, ROOM_MAX)?,
            category: row.text(Column::Category, NAME_MAX)?,
            arrival,
            departure,
            state: row.state()?,
            adults: row.people(Column::Adults)?,
            children: row.people(Column::Children)?,
            channel_code: row.text(Column::ChannelCode, DETAIL_MAX)?,
            source: row.text(Column::Source, DETAIL_MAX)?,
            group: row.text(Column::Group, DETAIL_MAX)?,
            notes: row.text(Column::Notes, NOTES_MAX)?,
            digest: Uuid::nil(),
        };
        // Debug would do, but what is kept in the database must not hang on it.
        let said = line.said();
        let place = self.seen.entry(said.clone()).or_default();
        *place += 1;
        line.digest = Derived::of(self.hotel, &["line", &said, &place.to_string()]).uuid();
        Ok(line)
    }
}

impl Line {
    /// All that it says, as one text.
    fn said(&self) -> String {
        let Person { firstname, lastname, email, telephone, mobile, language, country } = &self.guest;
        let people = |count: Option<i16>| count.map(|count| count.to_string());
        let state = STATES.iter().find(|(state, _)| *state == self.state).map_or("", |(_, words)| words[0]);
        let parts = [
            Some(self.code.clone()),
            firstname.clone(),
            Some(lastname.clone()),
            email.clone(),
            telephone.clone(),
            mobile.clone(),
            language.clone(),
            country.clone(),
            self.company.clone(),
            self.room.clone(),
            self.category.clone(),
            Some(self.arrival.to_string()),
            Some(self.departure.to_string()),
            Some(state.to_owned()),
            people(self.adults),
            people(self.children),
            self.channel_code.clone(),
            self.source.clone(),
            self.group.clone(),
            self.notes.clone(),
        ];
        // A field holds no line break.
        parts.map(Option::unwrap_or_default).join("\n")
    }

    /// Whether it counts as a guest who was there or is to come.
    pub fn stands(&self) -> bool {
        self.state != State::Cancelled
    }
}

struct Row<'a> {
    columns: &'a Columns,
    fields: &'a StringRecord,
}

impl Row<'_> {
    fn wrong(&self, column: Column, reason: impl std::fmt::Display) -> String {
        format!("{}: {reason}", self.columns.header(column))
    }

    fn text(&self, column: Column, most: usize) -> Result<Option<String>, String> {
        let Some(text) = self.columns.text(self.fields, column) else { return Ok(None) };
        if text.chars().count() > most {
            return Err(self.wrong(column, format!("longer than {most} characters")));
        }
        if text.contains(char::is_control) {
            return Err(self.wrong(column, "holds a character that is no text"));
        }
        Ok(Some(text))
    }

    fn required(&self, column: Column, most: usize) -> Result<String, String> {
        self.text(column, most)?.ok_or_else(|| self.wrong(column, "is blank"))
    }

    fn day(&self, column: Column, order: DateOrder) -> Result<NaiveDate, String> {
        let text = self.required(column, DETAIL_MAX)?;
        dates::parse(&text, order).map_err(|reason| self.wrong(column, reason))
    }

    fn guest(&self) -> Result<Person, String> {
        let (firstname, lastname) = if self.columns.has(Column::LastName) {
            (self.text(Column::FirstName, NAME_MAX)?, self.required(Column::LastName, NAME_MAX)?)
        } else {
            divided(&self.required(Column::GuestName, NAME_MAX)?)
        };
        if lastname.is_empty() {
            return Err(self.wrong(Column::GuestName, "names no family"));
        }
        Ok(Person {
            firstname,
            lastname,
            email: self.text(Column::Email, DETAIL_MAX)?,
            telephone: self.text(Column::Phone, DETAIL_MAX)?,
            mobile: self.text(Column::Mobile, DETAIL_MAX)?,
            language: self.language()?,
            country: self.country()?,
        })
    }

    /// `de` of `de`, `DE`, `de-AT` and `German`.
    fn language(&self) -> Result<Option<String>, String> {
        let Some(text) = self.text(Column::Language, DETAIL_MAX)? else { return Ok(None) };
        let reason = |_| format!("{text:?} is not a language of ISO 639-1, such as de, en-GB or German");
        clients::language(&text).map(Some).map_err(|error| self.wrong(Column::Language, reason(error)))
    }

    fn country(&self) -> Result<Option<String>, String> {
        let Some(text) = self.text(Column::Country, DETAIL_MAX)? else { return Ok(None) };
        let reason = |_| format!("{text:?} is not a country of ISO 3166-1, such as DE, DEU or Germany");
        clients::country(&text).map(Some).map_err(|error| self.wrong(Column::Country, reason(error)))
    }

    fn state(&self) -> Result<State, String> {
        let Some(text) = self.text(Column::Status, DETAIL_MAX)? else { return Ok(State::Booked) };
        State::parse(&text).ok_or_else(|| {
            let reason =
                "is none of active, checked_in, checked_out, invoiced, no_show and cancelled, nor a usual word for one";
            self.wrong(Column::Status, format!("{text:?} {reason}"))
        })
    }

    fn people(&self, column: Column) -> Result<Option<i16>, String> {
        let Some(text) = self.text(column, DETAIL_MAX)? else { return Ok(None) };
        let number = file::whole_number(&text, PEOPLE_MAX).map_err(|reason| self.wrong(column, reason))?;
        Ok(i16::try_from(number).ok())
    }
}

/// Given and family name of `Doe, Jane`, `Jane Doe` and `Doe`.
fn divided(name: &str) -> (Option<String>, String) {
    let parts = name.split_once(',').map(|(last, first)| (first, last)).or_else(|| name.rsplit_once(' '));
    let (first, last) = parts.unwrap_or(("", name));
    let first = Some(first.trim().to_owned()).filter(|first| !first.is_empty());
    (first, last.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Line, String> {
        let header = "code,guest_name,room,category,arrival,departure,status,language,country,adults";
        let columns = Columns::find(&header.split(',').collect(), &[]).unwrap_or_else(|error| panic!("{error:?}"));
        Reader::new(Uuid::nil(), &columns, DateOrder::DayFirst).line(2, &line.split(';').collect())
    }

    #[test]
    fn a_line_is_read_with_its_blanks() {
        let line = read("R1;Doe, Jane;101;;1.2.2027;3.2.2027;;en-GB;;").unwrap_or_else(|reason| panic!("{reason}"));
        assert_eq!(
            (line.code.as_str(), line.guest.firstname.as_deref(), line.guest.lastname.as_str()),
            ("R1", Some("Jane"), "Doe")
        );
        assert_eq!((line.state, line.guest.language.as_deref(), line.adults), (State::Booked, Some("en"), None));
        assert_eq!((line.departure - line.arrival).num_days(), 2);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_column() {
        for (line, said) in [
            (";Doe;101;;1.2.2027;3.2.2027;;;;", "code: is blank"),
            ("R1;;101;;1.2.2027;3.2.2027;;;;", "guest_name: is blank"),
            ("R1;, Jane;101;;1.2.2027;3.2.2027;;;;", "guest_name: names no family"),
            ("R1;Doe;101;;;3.2.2027;;;;", "arrival: is blank"),
            ("R1;Doe;101;;31.2.2027;3.3.2027;;;;", "arrival: \"31.2.2027\" is not a date"),
            ("R1;Doe;101;;3.2.2027;1.2.2027;;;;", "departure: 2027-02-01 is before the arrival, 2027-02-03"),
            ("R1;Doe;101;;3.2.2027;1.2.2031;;;;", "departure: 1459 nights are more than 1000"),
            ("R1;Doe;101;;1.2.2027;3.2.2027;maybe;;;", "status: \"maybe\" is none of active"),
            ("R1;Doe;101;;1.2.2027;3.2.2027;;Klingon;;", "language: \"Klingon\" is not a language of ISO 639-1"),
            ("R1;Doe;101;;1.2.2027;3.2.2027;;;Narnia;", "country: \"Narnia\" is not a country of ISO 3166-1"),
            ("R1;Doe;101;;1.2.2027;3.2.2027;;;;two", "adults: \"two\" is not a whole number from 0 to 1000"),
        ] {
            let reason = read(line).expect_err(said);
            assert!(reason.starts_with(said), "{reason}");
        }
    }

    #[test]
    fn states_have_usual_words() {
        for (word, state) in [
            ("Checked In", State::CheckedIn),
            ("IN-HOUSE", State::CheckedIn),
            ("checked_out", State::CheckedOut),
            ("No Show", State::NoShow),
            ("Canceled", State::Cancelled),
            ("Due In", State::Booked),
            ("Bestätigt", State::Booked),
        ] {
            assert_eq!(State::parse(word), Some(state), "{word}");
        }
        assert_eq!(State::parse("tentative"), None);
    }

    #[test]
    fn names_in_one_field_are_divided() {
        let divided = |name| divided(name);
        assert_eq!(divided("Doe, Jane Ann"), (Some("Jane Ann".into()), "Doe".into()));
        assert_eq!(divided("Jane Ann Doe"), (Some("Jane Ann".into()), "Doe".into()));
        assert_eq!(divided("Doe"), (None, "Doe".into()));
        assert_eq!(divided("Doe,"), (None, "Doe".into()));
    }

    #[test]
    fn equal_lines_have_digests_of_their_own() {
        let header = "code,guest_name,arrival,departure";
        let columns = Columns::find(&header.split(',').collect(), &[]).unwrap_or_else(|error| panic!("{error:?}"));
        let digests = || {
            let mut reader = Reader::new(Uuid::nil(), &columns, DateOrder::DayFirst);
            let fields = ["G1", "Doe", "1.2.2027", "3.2.2027"].into_iter().collect();
            [2, 3].map(|number| reader.line(number, &fields).unwrap_or_else(|reason| panic!("{reason}")).digest)
        };
        assert_eq!(digests(), digests());
        assert_ne!(digests()[0], digests()[1]);
    }
}
