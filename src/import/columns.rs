//! The columns that are read, and where the file has them.

use csv::StringRecord;

use super::file;

macro_rules! columns {
    ($($name:ident = $header:literal $need:ident,)*) => {
        /// A column of the file.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Column {
            $(#[doc = concat!("`", $header, "`")] $name,)*
        }

        impl Column {
            const ALL: &'static [(Self, Need)] = &[$((Self::$name, Need::$need),)*];

            /// As in the header row.
            pub const fn header(self) -> &'static str {
                match self {
                    $(Self::$name => $header,)*
                }
            }
        }
    };
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Required,
    Optional,
}

columns! {
    ArrivalYear = "arrival_date_year" Required,
    ArrivalMonth = "arrival_date_month" Required,
    ArrivalDay = "arrival_date_day_of_month" Required,
    WeekendNights = "stays_in_weekend_nights" Required,
    WeekNights = "stays_in_week_nights" Required,
    ReservedRoomType = "reserved_room_type" Required,
    Adults = "adults" Required,
    Hotel = "hotel" Optional,
    AssignedRoomType = "assigned_room_type" Optional,
    ReservationStatus = "reservation_status" Optional,
    ReservationStatusDate = "reservation_status_date" Optional,
    IsCanceled = "is_canceled" Optional,
    LeadTime = "lead_time" Optional,
    Children = "children" Optional,
    Babies = "babies" Optional,
    Country = "country" Optional,
    Meal = "meal" Optional,
    MarketSegment = "market_segment" Optional,
    DistributionChannel = "distribution_channel" Optional,
    CustomerType = "customer_type" Optional,
    Agent = "agent" Optional,
    Company = "company" Optional,
}

/// Longest text that a field may hold, in characters.
const TEXT_MAX: usize = 100;
/// Room types end up in names of rooms and categories.
const ROOM_TYPE_MAX: usize = 20;

/// Whether it is the header row of the public booking data: nothing else divides its arrivals into three columns.
pub fn are_of(header: &StringRecord) -> bool {
    let has = |column: Column| header.iter().any(|name| name.eq_ignore_ascii_case(column.header()));
    has(Column::ArrivalYear) && has(Column::ArrivalMonth)
}

/// Where each column stands in this file.
pub struct Columns {
    /// Indexed by `Column as usize`.
    positions: Vec<Option<usize>>,
}

impl Columns {
    /// Finds the columns by the names in the header row; upper and lower case are alike.
    ///
    /// # Errors
    /// A sentence that names the required columns that are missing.
    pub fn find(header: &StringRecord) -> Result<Self, String> {
        let position = |column: Column| header.iter().position(|name| name.eq_ignore_ascii_case(column.header()));
        let missing: Vec<&str> = Column::ALL
            .iter()
            .filter(|(column, need)| *need == Need::Required && position(*column).is_none())
            .map(|(column, _)| column.header())
            .collect();
        if !missing.is_empty() {
            return Err(format!("The header row lacks: {}", missing.join(", ")));
        }
        let positions = Column::ALL.iter().map(|(column, _)| position(*column)).collect();
        Ok(Self { positions })
    }

    /// The fields of `record` by column.
    pub fn fields<'a>(&'a self, record: &'a StringRecord) -> Fields<'a> {
        Fields { columns: self, record }
    }
}

/// The fields of one line.
pub struct Fields<'a> {
    columns: &'a Columns,
    record: &'a StringRecord,
}

impl<'a> Fields<'a> {
    /// The text of a field; `None` when it is empty, `NULL` or `NA`, or when the file lacks the column.
    pub fn text(&self, column: Column) -> Result<Option<&'a str>, String> {
        let text = self.columns.positions[column as usize].and_then(|position| self.record.get(position));
        let Some(text) = text.filter(|text| !matches!(*text, "" | "NULL" | "NA")) else { return Ok(None) };
        let limit = match column {
            Column::ReservedRoomType | Column::AssignedRoomType => ROOM_TYPE_MAX,
            _ => TEXT_MAX,
        };
        if text.chars().count() > limit || text.contains(char::is_control) {
            return Err(format!("{}: longer than {limit} characters, or not plain text", column.header()));
        }
        Ok(Some(text))
    }

    /// The text of a field that must not be absent.
    pub fn required(&self, column: Column) -> Result<&'a str, String> {
        self.text(column)?.ok_or_else(|| format!("{} is absent", column.header()))
    }

    /// A whole number from 0 to `max`. An absent one is 0 in a column that need not be there, and missing in any other.
    pub fn number(&self, column: Column, max: u32) -> Result<u32, String> {
        let text = match Column::ALL[column as usize].1 {
            Need::Required => self.required(column)?,
            Need::Optional => self.text(column)?.unwrap_or("0"),
        };
        file::whole_number(text, max).map_err(|reason| format!("{}: {reason}", column.header()))
    }

    /// The number by which the file knows an agency or a company, as text. `9.0`, which programs make of a column with gaps,
    /// is `9`.
    pub fn reference(&self, column: Column) -> Result<Option<&'a str>, String> {
        Ok(self.text(column)?.map(|text| file::strip_zero_fraction(text).unwrap_or(text)))
    }
}
