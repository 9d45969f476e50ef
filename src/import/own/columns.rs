//! The columns of a hotel's own bookings, and by which names other systems export them.

use csv::StringRecord;

use crate::error::Result;
use crate::import::refused;
use crate::text;

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Code,
    GuestName,
    FirstName,
    LastName,
    Company,
    Email,
    Phone,
    Mobile,
    Language,
    Country,
    Room,
    Category,
    Arrival,
    Departure,
    Status,
    Adults,
    Children,
    ChannelCode,
    Source,
    Group,
    Notes,
}

use Column::{
    Adults, Arrival, Category, ChannelCode, Children, Code, Company, Country, Departure, Email, FirstName, Group,
    GuestName, Language, LastName, Mobile, Notes, Phone, Room, Source, Status,
};

/// Each column with its name and with the names that other systems give it, as [`plain`] makes them.
const COLUMNS: [(Column, &str, &[&str]); 21] = [
    (
        Code,
        "code",
        &[
            "reservationcode",
            "reservationnumber",
            "reservationno",
            "reservationid",
            "resno",
            "reservation",
            "confirmationnumber",
            "confirmationno",
            "confirmationcode",
            "confirmation",
            "confno",
            "confnumber",
            "bookingnumber",
            "bookingno",
            "bookingid",
            "bookingcode",
            "bookingreference",
            "bookingref",
            "booking",
            "buchungsnummer",
            "buchungsnr",
            "buchung",
            "reservierungsnummer",
            "reservierungsnr",
            "reservierung",
        ],
    ),
    (GuestName, "guest_name", &["guest", "name", "fullname", "primaryguest", "gast", "gastname"]),
    (FirstName, "first_name", &["givenname", "forename", "guestfirstname", "vorname"]),
    (LastName, "last_name", &["surname", "familyname", "guestlastname", "nachname", "familienname"]),
    (Company, "company", &["companyname", "firma"]),
    (Email, "email", &["emailaddress", "mail", "guestemail"]),
    (Phone, "phone", &["phonenumber", "telephone", "telephonenumber", "tel", "telefon", "guestphone"]),
    (Mobile, "mobile", &["mobilephone", "mobilenumber", "cell", "cellphone", "mobil", "handy"]),
    (Language, "language", &["lang", "languagecode", "guestlanguage", "sprache"]),
    (Country, "country", &["countrycode", "guestcountry", "land"]),
    (Room, "room", &["roomnumber", "roomno", "roomnr", "roomname", "unit", "zimmer", "zimmernummer", "zimmernr"]),
    (
        Category,
        "category",
        &[
            "roomtype",
            "roomcategory",
            "roomclass",
            "unittype",
            "zimmertyp",
            "zimmerkategorie",
            "zimmerart",
            "kategorie",
        ],
    ),
    (
        Arrival,
        "arrival",
        &["arrivaldate", "checkin", "checkindate", "datein", "startdate", "from", "anreise", "anreisedatum", "ankunft"],
    ),
    (
        Departure,
        "departure",
        &["departuredate", "checkout", "checkoutdate", "dateout", "enddate", "to", "until", "abreise", "abreisedatum"],
    ),
    (Status, "status", &["reservationstatus", "bookingstatus", "state"]),
    (Adults, "adults", &["noofadults", "numberofadults", "erwachsene"]),
    (Children, "children", &["noofchildren", "numberofchildren", "kids", "kinder"]),
    (ChannelCode, "channel_code", &["channelreference", "channelconfirmation", "otareference", "externalreference"]),
    (Source, "source", &["bookingsource", "channel", "bookingchannel", "marketsegment", "quelle"]),
    (Group, "group", &["groupname", "gruppe"]),
    (Notes, "notes", &["note", "comments", "comment", "remarks", "bemerkung", "bemerkungen"]),
];

impl Column {
    /// Its name in the documentation and in `--column`.
    pub const fn name(self) -> &'static str {
        COLUMNS[self as usize].1
    }
}

/// Where each column stands in a file.
pub struct Columns {
    /// By `Column as usize`.
    positions: [Option<usize>; COLUMNS.len()],
    header: Vec<String>,
}

impl Columns {
    /// Finds the columns by the names in the header row. `mapped` pairs names of columns with what the header row says
    /// instead; an empty text says that the file lacks the column.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when a needed column is missing or a name could mean two.
    pub fn find(header: &StringRecord, mapped: &[(String, String)]) -> Result<Self> {
        let mut columns = Self { positions: [None; COLUMNS.len()], header: header.iter().map(str::to_owned).collect() };
        let mut decided = [false; COLUMNS.len()];
        for (name, text) in mapped {
            let column = named(name)?;
            columns.positions[column as usize] = columns.position_of(column, text)?;
            decided[column as usize] = true;
        }
        for (column, name, others) in COLUMNS.iter().filter(|(column, ..)| !decided[*column as usize]) {
            let own = columns.free(|text| text == plain(name));
            let found = if own.is_empty() { columns.free(|text| others.contains(&text)) } else { own };
            if let [first, second, ..] = found[..] {
                let (first, second) = (&columns.header[first], &columns.header[second]);
                return Err(refused(format!(
                    "Both {first:?} and {second:?} can be the column {name}: say which with --column {name}={first:?}"
                )));
            }
            columns.positions[*column as usize] = found.first().copied();
        }
        // Beside a given name, a name is the family's.
        if columns.has(FirstName) && !columns.has(LastName) {
            columns.positions[LastName as usize] = columns.positions[GuestName as usize].take();
        }
        columns.require()?;
        Ok(columns)
    }

    fn position_of(&self, column: Column, text: &str) -> Result<Option<usize>> {
        if text.is_empty() {
            return Ok(None);
        }
        let exact = self.header.iter().position(|header| header == text);
        let found = exact.or_else(|| self.header.iter().position(|header| plain(header) == plain(text)));
        found.map(Some).ok_or_else(|| {
            let name = column.name();
            refused(format!("--column {name}: the header row has no {text:?}; it has: {}", self.listed()))
        })
    }

    /// The headers that no column has taken and that `is_meant`.
    fn free(&self, is_meant: impl Fn(&str) -> bool) -> Vec<usize> {
        let is_free = |at: &usize| !self.positions.contains(&Some(*at));
        (0..self.header.len()).filter(is_free).filter(|at| is_meant(&plain(&self.header[*at]))).collect()
    }

    fn require(&self) -> Result<()> {
        let mut missing: Vec<&str> =
            [Code, Arrival, Departure].into_iter().filter(|column| !self.has(*column)).map(Column::name).collect();
        if !self.has(GuestName) && !self.has(LastName) {
            missing.push("last_name or guest_name");
        }
        let Some(first) = missing.first() else { return Ok(()) };
        let first = first.split(' ').next().unwrap_or_default();
        let example = self.header.first().map_or("Booking No", String::as_str);
        Err(refused(format!(
            "The header row has no column that is known as: {}. It has: {}. If one of these is meant, name it, as in \
             --column {first}={example:?}",
            missing.join(", "),
            self.listed(),
        )))
    }

    fn listed(&self) -> String {
        self.header.iter().map(|header| format!("{header:?}")).collect::<Vec<_>>().join(", ")
    }

    /// Whether the file has the column.
    pub fn has(&self, column: Column) -> bool {
        self.positions[column as usize].is_some()
    }

    /// The column as the file calls it.
    pub fn header(&self, column: Column) -> &str {
        self.positions[column as usize].map_or(column.name(), |at| self.header[at].as_str())
    }

    /// Which headers were taken for which columns, and which are not read.
    pub fn remarks(&self) -> Vec<String> {
        let mapped: Vec<String> = COLUMNS
            .iter()
            .filter(|(column, name, _)| self.has(*column) && plain(self.header(*column)) != plain(name))
            .map(|(column, name, _)| format!("{name} from {:?}", self.header(*column)))
            .collect();
        let unread: Vec<String> =
            self.free(|text| !text.is_empty()).iter().map(|at| format!("{:?}", self.header[*at])).collect();
        let mut remarks = Vec::new();
        if !mapped.is_empty() {
            remarks.push(format!("Columns: {}", mapped.join(", ")));
        }
        if !unread.is_empty() {
            remarks.push(format!("Columns that are not read: {}", unread.join(", ")));
        }
        remarks
    }

    /// The text of a field, its spaces collapsed; `None` when it is blank or the file lacks the column.
    pub fn text(&self, fields: &StringRecord, column: Column) -> Option<String> {
        let text = self.positions[column as usize].and_then(|at| fields.get(at))?;
        let text = text::tidy(text).split_whitespace().collect::<Vec<_>>().join(" ");
        let blank = match text.as_str() {
            "" => true,
            // There are people who are called Null and Na.
            "-" | "NULL" | "NA" | "N/A" | "n/a" => !matches!(column, GuestName | FirstName | LastName),
            _ => false,
        };
        (!blank).then_some(text)
    }
}

fn named(name: &str) -> Result<Column> {
    let found = COLUMNS.iter().find(|(_, own, _)| plain(own) == plain(name)).map(|(column, ..)| *column);
    found.ok_or_else(|| {
        let names = COLUMNS.map(|(_, name, _)| name).join(", ");
        refused(format!("--column: {name:?} is none of the columns {names}"))
    })
}

/// A name of a column without what differs between systems: case, spaces and punctuation.
fn plain(name: &str) -> String {
    name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn find(header: &str, mapped: &[(&str, &str)]) -> Result<Columns, String> {
        let mapped: Vec<(String, String)> =
            mapped.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        Columns::find(&header.split(',').collect(), &mapped).map_err(|error| error.message.english())
    }

    #[test]
    fn every_name_means_one_column() {
        let names: Vec<String> = COLUMNS
            .iter()
            .flat_map(|(_, name, others)| {
                std::iter::once(plain(name)).chain(others.iter().map(|other| (*other).to_owned()))
            })
            .collect();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
        assert!(names.iter().all(|name| *name == plain(name)));
        assert!(COLUMNS.iter().enumerate().all(|(at, (column, ..))| *column as usize == at));
    }

    #[test]
    fn names_of_usual_exports_are_known() {
        let columns = find("Confirmation Number,Guest Name,Check-in,Check-Out,Room No.,Room Type,E-Mail,Rate", &[]);
        let columns = columns.unwrap_or_else(|message| panic!("{message}"));
        assert_eq!((columns.header(Code), columns.header(Email)), ("Confirmation Number", "E-Mail"));
        assert_eq!((columns.header(Room), columns.header(Category)), ("Room No.", "Room Type"));
        assert_eq!(columns.remarks()[1], "Columns that are not read: \"Rate\"");
        let german =
            find("Buchungsnr.,Name,Vorname,Anreise,Abreise", &[]).unwrap_or_else(|message| panic!("{message}"));
        assert_eq!(german.header(LastName), "Name");
        assert!(!german.has(GuestName));
    }

    #[test]
    fn a_mapped_column_wins_and_frees_a_name_that_could_mean_two() {
        let header = "Confirmation,Booking ID,Name,From,To";
        let refused = find(header, &[]).err().expect("refused");
        assert!(refused.starts_with("Both \"Confirmation\" and \"Booking ID\" can be the column code"), "{refused}");
        let columns = find(header, &[("code", "booking id"), ("Guest Name", "")]);
        assert!(columns.err().expect("refused").contains("known as: last_name or guest_name"));
        let columns = find(header, &[("code", "booking id")]).unwrap_or_else(|message| panic!("{message}"));
        assert_eq!(columns.header(Code), "Booking ID");
    }

    #[test]
    fn what_is_missing_is_said_with_what_there_is() {
        let refused = find("Ref,Name,From,To", &[]).err().expect("refused");
        assert!(refused.contains("known as: code. It has: \"Ref\", \"Name\""), "{refused}");
        assert!(refused.ends_with("--column code=\"Ref\""), "{refused}");
        let refused = find("Ref,Name,From,To", &[("cod", "Ref")]).err().expect("refused");
        assert!(refused.starts_with("--column: \"cod\" is none of the columns code, guest_name"), "{refused}");
        let refused = find("Ref,Name,From,To", &[("code", "Reference")]).err().expect("refused");
        assert!(refused.contains("has no \"Reference\"; it has: \"Ref\""), "{refused}");
    }
}
