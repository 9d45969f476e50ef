//! One line of the file, read and checked.

use chrono::{Days, NaiveDate, TimeDelta};

use super::columns::{Column, Fields};
use super::file;

/// Longest stay that is believed, in nights.
const NIGHTS_MAX: u32 = 1_000;
/// Longest time between booking and arrival that is believed, in days.
const LEAD_DAYS_MAX: u32 = 3_650;
/// Most people of one age group in one room. A conference booked in one line does reach 55.
const PEOPLE_MAX: u32 = 1_000;
/// Years that an arrival may lie in, after shifting.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=2199;
/// Last year that a date can be of.
const YEAR_MAX: u32 = 9_999;
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The status of a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookingStatus {
    /// The guest came and left, or, seen from an earlier clock, will come.
    Stayed,
    /// Cancelled before arrival.
    Cancelled,
    /// The guest never came.
    NoShow,
}

/// A booking of one room.
#[derive(Clone, Debug)]
pub struct Booking {
    /// What was fixed when it was booked: arrival (before shifting), lead time, agent, company, segment, channel and kind of
    /// customer. Bookings that agree in it are told apart by their order in the file.
    pub key: String,
    /// First night.
    pub arrival: NaiveDate,
    /// Day of departure; the day of arrival for day use.
    pub departure: NaiveDate,
    /// Day on which it was booked.
    pub booked_on: NaiveDate,
    /// Room type that was booked.
    pub reserved_type: String,
    /// Room type that was given.
    pub assigned_type: String,
    /// Adults.
    pub adults: i16,
    /// Children.
    pub children: i16,
    /// Babies.
    pub babies: i16,
    /// What became of it.
    pub status: BookingStatus,
    /// Day of the cancellation, or of the physical departure.
    pub status_on: Option<NaiveDate>,
    /// Country of the guest, as the file has it.
    pub country: Option<String>,
    /// Market segment, such as `Online TA`.
    pub segment: Option<String>,
    /// Distribution channel, such as `TA/TO`.
    pub channel: Option<String>,
    /// Number of the travel agency.
    pub agent: Option<String>,
    /// Number of the company that pays.
    pub company: Option<String>,
    /// Kind of customer, such as `Transient-Party`.
    pub customer_type: Option<String>,
    /// Meal plan: `BB`, `HB`, `FB` or `SC`.
    pub meal: Option<String>,
}

impl Booking {
    /// Reads one line; `shift` moves all its dates.
    ///
    /// # Errors
    /// A reason for people, which names the column.
    pub fn parse(fields: &Fields, shift: TimeDelta) -> Result<Self, String> {
        let text = |column| fields.text(column);
        let defined = |column| Ok::<_, String>(text(column)?.filter(|value| *value != "Undefined"));
        let owned = |value: Option<&str>| value.map(str::to_owned);

        let unshifted = arrival(fields)?;
        let nights =
            fields.number(Column::WeekendNights, NIGHTS_MAX)? + fields.number(Column::WeekNights, NIGHTS_MAX)?;
        let lead_days = fields.number(Column::LeadTime, LEAD_DAYS_MAX)?;
        let arrival = shifted(unshifted, shift)?;
        let reserved_type = fields.required(Column::ReservedRoomType)?;
        let status = status(fields)?;
        let status_on = match text(Column::ReservationStatusDate)? {
            Some(value) => Some(shifted(status_date(value)?, shift)?),
            None => None,
        };
        let (segment, channel) = (defined(Column::MarketSegment)?, defined(Column::DistributionChannel)?);
        let (agent, company) = (fields.reference(Column::Agent)?, fields.reference(Column::Company)?);
        let customer_type = text(Column::CustomerType)?;
        let facts = [agent, company, segment, channel, customer_type].map(Option::unwrap_or_default);

        Ok(Self {
            key: format!("{unshifted}|{lead_days}|{}", facts.join("|")),
            arrival,
            departure: arrival + Days::new(nights.into()),
            booked_on: arrival - Days::new(lead_days.into()),
            reserved_type: reserved_type.to_owned(),
            assigned_type: text(Column::AssignedRoomType)?.unwrap_or(reserved_type).to_owned(),
            adults: people(fields, Column::Adults)?,
            children: people(fields, Column::Children)?,
            babies: people(fields, Column::Babies)?,
            status,
            status_on,
            country: owned(text(Column::Country)?),
            segment: owned(segment),
            channel: owned(channel),
            agent: owned(agent),
            company: owned(company),
            customer_type: owned(customer_type),
            meal: owned(defined(Column::Meal)?),
        })
    }

    /// Nights; 0 for day use.
    pub fn nights(&self) -> i32 {
        i32::try_from((self.departure - self.arrival).num_days()).expect("at most twice NIGHTS_MAX")
    }

    /// Whether it is one room of a group that booked together.
    pub fn is_of_a_party(&self) -> bool {
        self.segment.as_deref() == Some("Groups")
            || matches!(self.customer_type.as_deref(), Some("Group" | "Transient-Party"))
    }
}

fn arrival(fields: &Fields) -> Result<NaiveDate, String> {
    let year = fields.number(Column::ArrivalYear, YEAR_MAX)?;
    let month = fields.required(Column::ArrivalMonth)?;
    let day = fields.number(Column::ArrivalDay, 31)?;
    let is_named = |name: &&str| month.eq_ignore_ascii_case(name) || month.eq_ignore_ascii_case(&name[..3]);
    let named = || (1..).zip(MONTHS).find(|(_, name)| is_named(name)).map(|(number, _)| number);
    let date = || {
        let month = file::whole_number(month, 12).ok().or_else(named)?;
        NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
    };
    date().ok_or_else(|| format!("arrival_date: {day} {month} {year} is not a date"))
}

fn shifted(date: NaiveDate, shift: TimeDelta) -> Result<NaiveDate, String> {
    date.checked_add_signed(shift)
        .filter(|date| YEARS.contains(&chrono::Datelike::year(date)))
        .ok_or_else(|| format!("{date} is outside the years {} to {} after shifting", YEARS.start(), YEARS.end()))
}

fn status_date(text: &str) -> Result<NaiveDate, String> {
    NaiveDate::parse_from_str(text, "%m/%d/%Y")
        .or_else(|_| text.parse())
        .map_err(|_| format!("reservation_status_date: {text:?} is not a date (month/day/year)"))
}

fn status(fields: &Fields) -> Result<BookingStatus, String> {
    match fields.text(Column::ReservationStatus)? {
        Some("Check-Out") => Ok(BookingStatus::Stayed),
        Some("Canceled") => Ok(BookingStatus::Cancelled),
        Some("No-Show") => Ok(BookingStatus::NoShow),
        Some(other) => Err(format!("reservation_status: {other:?} is none of Check-Out, Canceled and No-Show")),
        None if fields.number(Column::IsCanceled, 1)? == 1 => Ok(BookingStatus::Cancelled),
        None => Ok(BookingStatus::Stayed),
    }
}

fn people(fields: &Fields, column: Column) -> Result<i16, String> {
    let number = fields.number(column, PEOPLE_MAX)?;
    Ok(i16::try_from(number).expect("PEOPLE_MAX fits"))
}
