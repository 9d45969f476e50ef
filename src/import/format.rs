//! The format of the public hotel booking data: its lines, for the hotel that is meant.

use std::collections::BTreeSet;
use std::io::Read;

use chrono::TimeDelta;

use super::Options;
use super::booking::Booking;
use super::columns::{Column, Columns, Fields};
use super::file::{self, BadLine, Table};
use super::refused;
use crate::error::Result;

/// What a file holds.
pub struct Bookings {
    /// The bookings, in the order of their lines.
    pub all: Vec<Booking>,
    /// The lines that were left out.
    pub bad_lines: Vec<BadLine>,
    /// What there is to say about how the file was read.
    pub remarks: Vec<String>,
}

/// Reads a file.
///
/// # Errors
/// `INVALID_ARGUMENT` when it is no such file at all, when it is not clear which hotel of the file is meant, and when it
/// holds no line.
pub fn read(reader: impl Read, options: &Options) -> Result<Bookings> {
    parse(file::read(reader)?, options)
}

/// Reads the lines of a file.
///
/// # Errors
/// As [`read`].
pub(super) fn parse(table: Table, options: &Options) -> Result<Bookings> {
    let columns = Columns::find(&table.header).map_err(refused)?;
    let lines: Vec<(usize, Fields)> =
        table.lines.iter().map(|line| (line.number, columns.fields(&line.fields))).collect();
    let hotel = choose_hotel(&lines, options.hotel.as_deref())?;
    let shift = TimeDelta::weeks(options.shift_weeks.into());
    let mut bad_lines = table.bad_lines;
    let mut bookings = Vec::with_capacity(lines.len());
    for (number, fields) in lines {
        if hotel.as_deref().is_some_and(|hotel| !hotel_of(&fields).eq_ignore_ascii_case(hotel)) {
            continue;
        }
        match Booking::parse(&fields, shift) {
            Ok(booking) => bookings.push(booking),
            Err(reason) => bad_lines.push(BadLine { number, reason }),
        }
    }
    if bookings.is_empty() && bad_lines.is_empty() {
        return Err(file::no_lines());
    }
    bad_lines.sort_by_key(|line| line.number);
    Ok(Bookings { all: bookings, bad_lines, remarks: table.remarks })
}

fn hotel_of<'a>(fields: &Fields<'a>) -> &'a str {
    fields.text(Column::Hotel).ok().flatten().unwrap_or_default()
}

/// The hotel of the file whose lines are meant; `None` takes them all.
fn choose_hotel(lines: &[(usize, Fields)], wanted: Option<&str>) -> Result<Option<String>> {
    let hotels: BTreeSet<&str> =
        lines.iter().map(|(_, fields)| hotel_of(fields)).filter(|name| !name.is_empty()).collect();
    let choices = || hotels.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    match wanted {
        None if hotels.len() > 1 => {
            Err(refused(format!("The file holds several hotels; choose one with --hotel: {}", choices())))
        }
        None => Ok(None),
        Some(wanted) if hotels.iter().any(|name| name.eq_ignore_ascii_case(wanted)) => Ok(Some(wanted.to_owned())),
        Some(wanted) if hotels.is_empty() => {
            Err(refused(format!("The file does not name hotels, so {wanted:?} cannot be chosen")))
        }
        Some(wanted) => Err(refused(format!("The file has no hotel {wanted:?}; it holds: {}", choices()))),
    }
}
