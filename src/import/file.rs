//! Files of bookings, from bytes to lines: compression, encoding, delimiter, header row.

use std::io::Read;

use csv::StringRecord;
use encoding_rs::{Encoding, WINDOWS_1252};
use flate2::read::MultiGzDecoder;

use super::refused;
use crate::error::{Error, Result};

const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Beginnings of workbooks: today's and those of Excel before 2007.
const WORKBOOKS: [&[u8]; 2] = [b"PK\x03\x04", &[0xd0, 0xcf, 0x11, 0xe0]];
/// Lines over which one record extends at most, by line breaks within quotes.
const RECORD_LINES: usize = 50;

/// A line that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Its number in the file, from 1; the header row is line 1.
    pub number: usize,
    /// What is wrong with it, for people.
    pub reason: String,
}

/// A line with as many fields as the header row.
pub struct Line {
    /// Number of its first line in the file, from 1.
    pub number: usize,
    /// Its fields, trimmed.
    pub fields: StringRecord,
}

/// The lines of a file.
pub struct Table {
    /// The header row.
    pub header: StringRecord,
    /// What follows it.
    pub lines: Vec<Line>,
    /// What could not be divided into fields.
    pub bad_lines: Vec<BadLine>,
    /// What there is to say about how the file was read.
    pub remarks: Vec<String>,
}

/// Reads a file.
///
/// # Errors
/// `INVALID_ARGUMENT` when it is no text or is empty.
pub fn read(mut reader: impl Read) -> Result<Table> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.starts_with(&GZIP) {
        let mut plain = Vec::new();
        MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain).map_err(unreadable)?;
        bytes = plain;
    }
    let mut remarks = Vec::new();
    let text = decode(&bytes, &mut remarks)?;
    Ok(Table { remarks, ..table(&text)? })
}

fn unreadable(error: std::io::Error) -> Error {
    Error { source: Some(Box::new(error)), ..refused("The file cannot be read, or its compression is damaged") }
}

/// What a file is refused with that yields nothing at all.
pub fn no_lines() -> Error {
    refused("The file holds a header row and no bookings; nothing was imported")
}

/// UTF-8, or what its byte order mark says, or else Windows-1252, which every spreadsheet of western Europe can write.
fn decode(bytes: &[u8], remarks: &mut Vec<String>) -> Result<String> {
    if WORKBOOKS.iter().any(|start| bytes.starts_with(start)) {
        return Err(refused("The file is a workbook or an archive: save the sheet as CSV (UTF-8) and import that"));
    }
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        let (text, damaged) = encoding.decode_without_bom_handling(&bytes[mark..]);
        if damaged {
            return Err(refused(format!("The file is not what its first bytes say, {}", encoding.name())));
        }
        return Ok(text.into_owned());
    }
    let (text, utf8) = match std::str::from_utf8(bytes) {
        Ok(text) => (text.into(), true),
        Err(_) => (WINDOWS_1252.decode_without_bom_handling(bytes).0, false),
    };
    let is_text = |character: char| !character.is_control() || matches!(character, '\t' | '\n' | '\r');
    if let Some(line) = text.split('\n').position(|line| !line.chars().all(is_text)) {
        let reason = format!(
            "The file is neither UTF-8 nor Windows-1252 text, as line {} shows: save it as CSV (UTF-8) and import that",
            line + 1
        );
        return Err(refused(reason));
    }
    if !utf8 {
        remarks.push(
            "The file is not UTF-8 and was read as Windows-1252: look whether names with accents are right".into(),
        );
    }
    Ok(text.into_owned())
}

fn table(text: &str) -> Result<Table> {
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.iter().position(|line| !line.trim().is_empty()).ok_or_else(|| refused("The file is empty"))?;
    let delimiter = delimiter(lines[first]);
    let mut table =
        Table { header: split(lines[first], delimiter), lines: Vec::new(), bad_lines: Vec::new(), remarks: Vec::new() };
    let width = table.header.len();
    let mut at = first + 1;
    while at < lines.len() {
        let number = at + 1;
        let taken = extent(&lines[at..], delimiter);
        let fields = taken.map(|taken| split(&lines[at..at + taken].join("\n"), delimiter));
        match (fields, taken) {
            _ if lines[at].trim().is_empty() => {}
            (Some(fields), Some(taken)) if fields.len() == width => {
                table.lines.push(Line { number, fields });
                at += taken - 1;
            }
            (Some(fields), Some(1)) => {
                let reason = format!("{} fields where the header row has {width}", fields.len());
                table.bad_lines.push(BadLine { number, reason });
            }
            // A stray quotation mark spoils its own line and no other.
            _ => table.bad_lines.push(BadLine { number, reason: "a quotation mark is opened and not closed".into() }),
        }
        at += 1;
    }
    Ok(table)
}

/// Spreadsheets of half of Europe separate by semicolons.
fn delimiter(header: &str) -> u8 {
    let count = |delimiter: &u8| header.bytes().filter(|byte| byte == delimiter).count();
    [b'\t', b';', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

/// How many of the lines the first record takes; `None` when a quotation mark of it is not closed.
fn extent(lines: &[&str], delimiter: u8) -> Option<usize> {
    let mut quoted = false;
    lines
        .iter()
        .take(RECORD_LINES)
        .position(|line| {
            quoted = ends_quoted(line, delimiter, quoted);
            !quoted
        })
        .map(|last| last + 1)
}

/// Whether the end of a line is within quotes, when its start is or is not.
fn ends_quoted(line: &str, delimiter: u8, mut quoted: bool) -> bool {
    let mut field_begins = !quoted;
    let mut bytes = line.bytes().peekable();
    while let Some(byte) = bytes.next() {
        if quoted {
            // Two of them stand for one.
            quoted = byte != b'"' || bytes.next_if_eq(&b'"').is_some();
        } else {
            quoted = byte == b'"' && field_begins;
        }
        field_begins = !quoted && byte == delimiter;
    }
    quoted
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

/// A whole number from 0 to `max`, in every column alike: programs write `1.0` where a column has gaps.
///
/// # Errors
/// A reason for people.
pub fn whole_number(text: &str, max: u32) -> Result<u32, String> {
    let digits = strip_zero_fraction(text).unwrap_or(text);
    let number = digits.parse().ok().filter(|number| *number <= max && !digits.starts_with('+'));
    number.ok_or_else(|| format!("{text:?} is not a whole number from 0 to {max}"))
}

/// `9` of `9.0`.
pub fn strip_zero_fraction(text: &str) -> Option<&str> {
    let (whole, fraction) = text.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    (digits(whole) && digits(fraction) && fraction.bytes().all(|digit| digit == b'0')).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<(usize, Vec<String>)> {
        let table = table(text).unwrap_or_else(|error| panic!("{error:?}"));
        table.lines.iter().map(|line| (line.number, line.fields.iter().map(str::to_owned).collect())).collect()
    }

    #[test]
    fn a_quoted_field_may_hold_delimiters_quotes_and_line_breaks() {
        let read = lines("a,b\n\"x, \"\"y\"\"\",1\n\"two\nlines\",2\n3,4");
        let expected = [(2, ["x, \"y\"", "1"]), (3, ["two\nlines", "2"]), (5, ["3", "4"])];
        assert_eq!(read, expected.map(|(number, fields)| (number, fields.map(str::to_owned).to_vec())));
    }

    #[test]
    fn a_stray_quote_spoils_its_own_line_alone() {
        let table = table("a,b\n\"x,1\n5,2\n3,4").unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!(table.lines.iter().map(|line| line.number).collect::<Vec<_>>(), [3, 4]);
        let reason = "a quotation mark is opened and not closed".to_owned();
        assert_eq!(table.bad_lines, [BadLine { number: 2, reason }]);
    }

    #[test]
    fn what_is_no_text_is_refused_with_what_to_do() {
        for (bytes, said) in [
            (&b"PK\x03\x04..."[..], "save the sheet as CSV"),
            (b"c\0o\0d\0e\0", "neither UTF-8 nor Windows-1252 text, as line 1 shows"),
            (b"code\nM\x81ller", "as line 2 shows"),
            (b"\xff\xfea", "UTF-16LE"),
        ] {
            let error = read(bytes).err().expect("refused");
            let message = error.message.english();
            assert!(message.contains(said), "{message}");
        }
    }

    #[test]
    fn windows_1252_is_read_and_said() {
        let table = read(&b"name\nM\xfcller \x80"[..]).unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!(table.lines[0].fields.get(0), Some("Müller €"));
        assert!(table.remarks[0].contains("Windows-1252"));
    }

    #[test]
    fn a_number_with_an_empty_fraction_is_a_whole_one() {
        for (text, number) in [("1", Ok(1)), ("1.0", Ok(1)), ("12.00", Ok(12)), ("0", Ok(0))] {
            assert_eq!(whole_number(text, 12), number);
        }
        for text in ["13", "1.5", "-1", "+1", "1.", ".0", "", "one", "1,0"] {
            assert!(whole_number(text, 12).is_err(), "{text}");
        }
    }
}
