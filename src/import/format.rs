//! From bytes to bookings: compression, encoding, delimiter, header row, lines.

use std::collections::BTreeSet;
use std::io::Read;

use chrono::TimeDelta;
use csv::StringRecord;
use flate2::read::MultiGzDecoder;

use super::Options;
use super::booking::Booking;
use super::columns::{Column, Columns, Fields};
use crate::error::{Error, Result};

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A line that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Its number in the file, from 1; the header row is line 1.
    pub number: usize,
    /// What is wrong with it, for people.
    pub reason: String,
}

/// What a file holds.
pub struct Bookings {
    /// The bookings, in the order of their lines.
    pub bookings: Vec<Booking>,
    /// The lines that were left out.
    pub bad_lines: Vec<BadLine>,
}

/// Reads a file.
///
/// # Errors
/// `INVALID_ARGUMENT` when it is no such file at all, or when it is not clear which hotel of the file is meant.
pub fn read(mut reader: impl Read, options: &Options) -> Result<Bookings> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.starts_with(&GZIP) {
        let mut plain = Vec::new();
        MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain).map_err(unreadable)?;
        bytes = plain;
    }
    parse(&decode(bytes), options)
}

fn unreadable(error: std::io::Error) -> Error {
    Error { source: Some(Box::new(error)), ..Error::invalid("The file cannot be read, or its compression is damaged") }
}

/// UTF-8, or UTF-16 with a byte order mark, or else Latin-1, in which every byte is a character.
fn decode(bytes: Vec<u8>) -> String {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    match &bytes[..] {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => {
            let text = String::from_utf8(bytes)
                .unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect());
            text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)
        }
    }
}

fn parse(text: &str, options: &Options) -> Result<Bookings> {
    // Line by line: a stray quote spoils its own line and no other.
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let (_, header) = lines.next().ok_or_else(|| Error::invalid("The file is empty"))?;
    let delimiter = delimiter(header);
    let columns = Columns::find(&split(header, delimiter)).map_err(Error::invalid)?;
    let records: Vec<(usize, StringRecord)> = lines.map(|(index, line)| (index + 1, split(line, delimiter))).collect();

    let mut bad_lines = Vec::new();
    let mut complete = Vec::with_capacity(records.len());
    for (number, record) in &records {
        match columns.fields(record) {
            Ok(fields) => complete.push((*number, fields)),
            Err(reason) => bad_lines.push(BadLine { number: *number, reason }),
        }
    }
    let hotel = choose_hotel(&complete, options.hotel.as_deref())?;
    let shift = TimeDelta::weeks(options.shift_weeks.into());
    let mut bookings = Vec::with_capacity(complete.len());
    for (number, fields) in complete {
        if hotel.as_deref().is_some_and(|hotel| !hotel_of(&fields).eq_ignore_ascii_case(hotel)) {
            continue;
        }
        match Booking::parse(&fields, shift) {
            Ok(booking) => bookings.push(booking),
            Err(reason) => bad_lines.push(BadLine { number, reason }),
        }
    }
    bad_lines.sort_by_key(|line| line.number);
    Ok(Bookings { bookings, bad_lines })
}

/// Spreadsheets of half of Europe separate by semicolons.
fn delimiter(header: &str) -> u8 {
    let count = |delimiter: &u8| header.bytes().filter(|byte| byte == delimiter).count();
    [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

fn split(line: &str, delimiter: u8) -> StringRecord {
    if !line.contains('"') {
        return line.split(char::from(delimiter)).map(str::trim).collect();
    }
    let mut record = StringRecord::new();
    // The line is valid UTF-8 and may have any number of fields, so nothing is left that could fail.
    let _ = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .trim(csv::Trim::All)
        .from_reader(line.as_bytes())
        .read_record(&mut record);
    record
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
            Err(Error::invalid(format!("The file holds several hotels; choose one with --hotel: {}", choices())))
        }
        None => Ok(None),
        Some(wanted) if hotels.iter().any(|name| name.eq_ignore_ascii_case(wanted)) => Ok(Some(wanted.to_owned())),
        Some(wanted) if hotels.is_empty() => {
            Err(Error::invalid(format!("The file does not name hotels, so {wanted:?} cannot be chosen")))
        }
        Some(wanted) => Err(Error::invalid(format!("The file has no hotel {wanted:?}; it holds: {}", choices()))),
    }
}
