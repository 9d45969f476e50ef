//! The columns that are read, and where the file has them.

use csv::StringRecord;

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

/// Where each column stands in this file.
pub struct Columns {
    /// Indexed by `Column as usize`.
    positions: Vec<Option<usize>>,
    /// Fields of a complete line.
    width: usize,
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
        Ok(Self { positions, width: header.len() })
    }

    /// Looks at `record` through the columns.
    ///
    /// # Errors
    /// When it has more or fewer fields than the header row.
    pub fn fields<'a>(&'a self, record: &'a StringRecord) -> Result<Fields<'a>, String> {
        if record.len() == self.width {
            return Ok(Fields { columns: self, record });
        }
        Err(format!("{} fields where the header row has {}", record.len(), self.width))
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

    /// A whole number from 0 to `max`; 0 when it is absent.
    pub fn number(&self, column: Column, max: u32) -> Result<u32, String> {
        let Some(text) = self.text(column)? else { return Ok(0) };
        let whole = text.strip_suffix(".0").unwrap_or(text);
        whole
            .parse()
            .ok()
            .filter(|number| *number <= max)
            .ok_or_else(|| format!("{}: {text:?} is not a whole number from 0 to {max}", column.header()))
    }
}
