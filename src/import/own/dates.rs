//! Days as people and programs write them, and which order of day and month a file means.

use chrono::{Datelike as _, NaiveDate};

use crate::error::Result;
use crate::import::refused;

/// Years that a day may lie in.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=2199;
/// Days with the name of the month, short or long, which nobody can misread.
const NAMED: [&str; 4] = ["%d-%B-%Y", "%d %B %Y", "%B %d, %Y", "%B %d %Y"];

/// The order of day and month where both are numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// 31/12/2026.
    DayFirst,
    /// 12/31/2026.
    MonthFirst,
    /// 2026-12-31, and no other.
    YearFirst,
}

/// Finds the order that all days of a file fit. Days that are written with points, or with the year first, fit any.
///
/// # Errors
/// `INVALID_ARGUMENT` when every day fits two orders, or some fit one alone and some the other.
pub fn order_of<'a>(days: impl Iterator<Item = (usize, &'a str)>) -> Result<DateOrder> {
    let (mut day_first, mut month_first, mut either) = (None, None, None);
    for (line, text) in days {
        let Some((first, second, _)) = numbers(text).filter(|_| !text.contains('.')) else { continue };
        let seen = match (first > 12, second > 12) {
            (true, false) => &mut day_first,
            (false, true) => &mut month_first,
            (false, false) if first != second => &mut either,
            _ => continue,
        };
        seen.get_or_insert((line, text));
    }
    match (day_first, month_first, either) {
        (Some((one, day)), Some((other, month)), _) => Err(refused(format!(
            "The dates contradict each other: line {one} has {day:?}, which puts the day first, and line {other} has \
             {month:?}, which puts the month first. Say what is meant with --dates, and the other lines are reported"
        ))),
        (None, None, Some((line, text))) => Err(refused(format!(
            "Nothing in the file tells whether days or months come first: line {line} has {text:?}. Say it with --dates \
             DD/MM/YYYY or --dates MM/DD/YYYY"
        ))),
        (None, Some(_), _) => Ok(DateOrder::MonthFirst),
        _ => Ok(DateOrder::DayFirst),
    }
}

/// Reads a day. What follows it after a space or a `T` is a time of day, which does not matter.
///
/// # Errors
/// A reason for people.
pub fn parse(text: &str, order: DateOrder) -> Result<NaiveDate, String> {
    let date = text.parse().ok().or_else(|| year_first(text)).or_else(|| in_order(text, order)).or_else(|| named(text));
    let date = date.filter(|date: &NaiveDate| YEARS.contains(&date.year()));
    date.ok_or_else(|| {
        let form = match order {
            DateOrder::DayFirst => "31/12/2026, 31.12.2026",
            DateOrder::MonthFirst => "12/31/2026",
            DateOrder::YearFirst => "2026-12-31, and no other order",
        };
        let (first, last) = (YEARS.start(), YEARS.end());
        format!("{text:?} is not a date such as {form} or 2026-12-31, from {first} to {last}")
    })
}

/// `2026-12-31T14:00:00Z`, `2026/12/31`.
fn year_first(text: &str) -> Option<NaiveDate> {
    let day = text.split(['T', ' ']).next()?;
    NaiveDate::parse_from_str(&day.replace('/', "-"), "%Y-%m-%d").ok().filter(|date| date.year() >= 1000)
}

fn in_order(text: &str, order: DateOrder) -> Option<NaiveDate> {
    let (first, second, year) = numbers(text)?;
    match order {
        DateOrder::DayFirst => NaiveDate::from_ymd_opt(year, second, first),
        // Nobody writes the month first with points.
        DateOrder::MonthFirst if text.contains('.') => NaiveDate::from_ymd_opt(year, second, first),
        DateOrder::MonthFirst => NaiveDate::from_ymd_opt(year, first, second),
        DateOrder::YearFirst => None,
    }
}

fn named(text: &str) -> Option<NaiveDate> {
    let full = NAMED.iter().find_map(|form| NaiveDate::parse_from_str(text, form).ok());
    let full = full.filter(|date| date.year() >= 1000);
    full.or_else(|| NAMED.iter().find_map(|form| NaiveDate::parse_from_str(text, &form.replace("%Y", "%y")).ok()))
}

/// The two numbers before the year, and the year. Two digits are a year of this century.
fn numbers(text: &str) -> Option<(u32, u32, i32)> {
    let day = text.split(' ').next()?;
    let parts: Vec<&str> = day.split(['/', '.', '-']).collect();
    let [first, second, year] = parts[..] else { return None };
    let short = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit());
    let year = match year.len() {
        2 => 2000 + year.parse::<i32>().ok()?,
        4 => year.parse().ok()?,
        _ => return None,
    };
    if !short(first) || !short(second) {
        return None;
    }
    Some((first.parse().ok()?, second.parse().ok()?, year))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(days: &[&str]) -> Result<DateOrder, String> {
        order_of(days.iter().enumerate().map(|(at, day)| (at + 2, *day))).map_err(|error| error.message.english())
    }

    #[test]
    fn the_order_is_found_across_the_file() {
        assert_eq!(order(&["01/02/2027", "03/04/2027", "31/12/2026"]), Ok(DateOrder::DayFirst));
        assert_eq!(order(&["01/02/2027", "12-31-2026"]), Ok(DateOrder::MonthFirst));
        assert_eq!(order(&["01.02.2027", "2027-03-04", "05/05/2027", "1-Feb-2027"]), Ok(DateOrder::DayFirst));
        let refused = order(&["2027-01-01", "01/02/2027"]).expect_err("refused");
        assert!(refused.contains("line 3 has \"01/02/2027\"") && refused.contains("--dates"), "{refused}");
        let refused = order(&["31/12/2026", "12/31/2026"]).expect_err("refused");
        assert!(refused.contains("line 2 has") && refused.contains("line 3 has"), "{refused}");
    }

    #[test]
    fn days_are_read_as_they_are_usually_written() {
        let expected = NaiveDate::from_ymd_opt(2027, 2, 1);
        for text in [
            "2027-02-01",
            "2027/02/01",
            "2027-02-01T14:00:00Z",
            "2027-02-01 14:00",
            "01/02/2027",
            "1/2/2027",
            "01.02.2027",
            "1.2.27",
            "01-02-2027",
            "01/02/27",
            "01-FEB-2027",
            "01-Feb-27",
            "1 Feb 2027",
            "1 February 2027",
            "Feb 1, 2027",
            "01/02/2027 14:00",
        ] {
            assert_eq!(parse(text, DateOrder::DayFirst).ok(), expected, "{text}");
        }
        assert_eq!(parse("02/01/2027", DateOrder::MonthFirst).ok(), expected);
        assert_eq!(parse("01.02.2027", DateOrder::MonthFirst).ok(), expected);
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in ["31/02/2027", "2027-02-30", "tomorrow", "1/2", "01/02/027", "0001-01-01", "2500-01-01", "20270201"]
        {
            assert!(parse(text, DateOrder::DayFirst).is_err(), "{text}");
        }
        assert!(parse("01/02/2027", DateOrder::YearFirst).is_err());
    }
}
