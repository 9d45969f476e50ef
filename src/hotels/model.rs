//! A hotel and its rules of time.

use std::ops::RangeInclusive;

use chrono::{
    DateTime, Datelike as _, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;
use uuid::Uuid;

use crate::error::{Error, Message, Result};

/// Civil days after a departure for which a key stays on the stay (checklist A32).
const KEY_DAYS: u64 = 2;

/// Years in which dates and instants lie, by the hotel's own calendar: those that every format of an answer can write and
/// take back.
pub const YEARS: RangeInclusive<i32> = 1900..=9999;

/// Id of a hotel.
pub type HotelId = Uuid;

/// What requests need to know of the hotel they are for.
#[derive(Clone, Debug)]
pub struct Hotel {
    /// Id.
    pub id: HotelId,
    /// Name in addresses, lower case.
    pub slug: String,
    /// Name that people read.
    pub name: String,
    /// The hotel's zone. An IANA name, never an offset.
    pub time_zone: Tz,
    /// Local time from which rooms are handed out.
    pub check_in_time: NaiveTime,
    /// Local time by which rooms are given back.
    pub check_out_time: NaiveTime,
    /// Whether lock vendors may write room access keys.
    pub room_access_keys_enabled: bool,
    /// Whether it is there to try things in: what guests and locks do can be simulated. Fixed when it is made.
    pub is_sandbox: bool,
}

impl Hotel {
    /// The hotel's civil date at `instant`.
    pub fn today(&self, instant: DateTime<Utc>) -> NaiveDate {
        instant.with_timezone(&self.time_zone).date_naive()
    }

    /// Refuses an instant that the hotel's clocks could not show with a year of [`YEARS`].
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`
    pub fn require_within_years(&self, instant: DateTime<Utc>) -> Result<()> {
        if YEARS.contains(&instant.with_timezone(&self.time_zone).year()) {
            return Ok(());
        }
        Err(Error::new(Message::InstantOutOfRange { first: *YEARS.start(), last: *YEARS.end() }))
    }

    /// Refuses what is simulated, unless this is a sandbox.
    ///
    /// # Errors
    /// `FORBIDDEN`
    pub fn require_sandbox(&self) -> Result<()> {
        if self.is_sandbox { Ok(()) } else { Err(Error::new(Message::SandboxRequired)) }
    }

    /// When a stay ends: its last day at the hotel's check-out time, or at the late check-out that was agreed on.
    ///
    /// A stay without a night (day use) that has no time of its own ends with its day: the hotel's check-out time would
    /// lie before its arrival.
    pub fn departure(&self, from: NaiveDate, to: NaiveDate, departure_time: Option<NaiveTime>) -> DateTime<Utc> {
        end_instant(self.time_zone, self.local_departure(from, to, departure_time))
    }

    /// When a stay begins: its first day at the hotel's check-in time. A stay without a night that ends before then begins with its
    /// day.
    pub fn arrival(&self, from: NaiveDate, departure: DateTime<Utc>) -> DateTime<Utc> {
        let at = |time: NaiveTime| start_instant(self.time_zone, from.and_time(time));
        let arrival = at(self.check_in_time);
        if arrival < departure { arrival } else { at(NaiveTime::MIN) }
    }

    /// When the pruner takes a key off such a stay: at the same local time two civil days after the departure. Where a clock
    /// change lies between, that is not 48 hours.
    pub fn key_due(&self, from: NaiveDate, to: NaiveDate, departure_time: Option<NaiveTime>) -> DateTime<Utc> {
        end_instant(self.time_zone, self.local_departure(from, to, departure_time) + Days::new(KEY_DAYS))
    }

    fn local_departure(&self, from: NaiveDate, to: NaiveDate, departure_time: Option<NaiveTime>) -> NaiveDateTime {
        match departure_time {
            Some(time) => to.and_time(time),
            None if from == to => (to + Days::new(1)).and_time(NaiveTime::MIN),
            None => to.and_time(self.check_out_time),
        }
    }
}

/// The date that a text of the form `YYYY-MM-DD` writes, within [`YEARS`].
pub fn civil_date(text: &str) -> Option<NaiveDate> {
    let shape = text.bytes().enumerate().all(|(index, byte)| match index {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    let date: NaiveDate = if text.len() == 10 && shape { text.parse().ok()? } else { return None };
    YEARS.contains(&date.year()).then_some(date)
}

/// The instant at which a period begins that begins at `local`: in the hour that a clock change repeats, the earlier one; in the hour
/// that it skips, the first instant after the gap.
pub fn start_instant(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    let earliest = zone.from_local_datetime(&local).earliest();
    earliest.map_or_else(|| end_instant(zone, local), |instant| instant.to_utc())
}

/// The instant at which a period ends that ends at `local`: in the hour that a clock change repeats, the later one; in
/// the hour that it skips, the first instant after the gap.
pub fn end_instant(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(instant) | LocalResult::Ambiguous(_, instant) => instant.to_utc(),
        LocalResult::None => {
            // Gaps are a few hours at most and start and end on whole minutes.
            let after = (1..=24 * 60)
                .map(|minutes| local + TimeDelta::minutes(minutes))
                .find_map(|later| zone.from_local_datetime(&later).earliest());
            after.map_or_else(|| local.and_utc(), |instant| instant.to_utc())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hotel(zone: Tz) -> Hotel {
        Hotel {
            id: Uuid::nil(),
            slug: "grand-hotel".into(),
            name: "Grand Hotel".into(),
            time_zone: zone,
            check_in_time: NaiveTime::from_hms_opt(15, 0, 0).expect("a time"),
            check_out_time: NaiveTime::from_hms_opt(11, 0, 0).expect("a time"),
            room_access_keys_enabled: true,
            is_sandbox: false,
        }
    }

    fn date(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn time(text: &str) -> NaiveTime {
        text.parse().expect("a time")
    }

    fn departure(zone: Tz, from: &str, to: &str, at: Option<&str>) -> String {
        hotel(zone).departure(date(from), date(to), at.map(time)).to_rfc3339()
    }

    #[test]
    fn one_instant_is_another_day_in_honolulu_and_in_auckland() {
        let instant = "2026-02-18T12:00:00Z".parse().expect("an instant");
        assert_eq!(hotel(Tz::Pacific__Honolulu).today(instant), date("2026-02-18"));
        assert_eq!(hotel(Tz::Pacific__Auckland).today(instant), date("2026-02-19"));
    }

    #[test]
    fn departure_is_the_hotels_check_out_time_or_the_stays_own() {
        assert_eq!(departure(Tz::Europe__Berlin, "2026-02-17", "2026-02-18", None), "2026-02-18T10:00:00+00:00");
        assert_eq!(
            departure(Tz::Europe__Berlin, "2026-02-17", "2026-02-18", Some("14:00:00")),
            "2026-02-18T13:00:00+00:00"
        );
    }

    #[test]
    fn nothing_is_simulated_outside_of_a_sandbox() {
        let ordinary = hotel(Tz::UTC);
        let refused = ordinary.require_sandbox().expect_err("guests sleep there");
        assert_eq!(refused.code, crate::error::ErrorCode::Forbidden);
        assert!(Hotel { is_sandbox: true, ..ordinary }.require_sandbox().is_ok());
    }

    #[test]
    fn day_use_ends_with_its_day() {
        assert_eq!(departure(Tz::Europe__Berlin, "2026-02-18", "2026-02-18", None), "2026-02-18T23:00:00+00:00");
    }

    #[test]
    fn a_key_is_due_at_the_same_local_time_two_civil_days_later() {
        let due = |to: &str| hotel(Tz::Europe__Berlin).key_due(date("2026-01-01"), date(to), None).to_rfc3339();
        assert_eq!(due("2026-02-18"), "2026-02-20T10:00:00+00:00");
        // Summer time begins on 29 March: 47 hours.
        assert_eq!(due("2026-03-28"), "2026-03-30T09:00:00+00:00");
        // And ends on 25 October: 49 hours.
        assert_eq!(due("2026-10-24"), "2026-10-26T10:00:00+00:00");
    }

    #[test]
    fn a_skipped_departure_time_is_the_first_instant_after_the_gap() {
        assert_eq!(
            departure(Tz::Europe__Berlin, "2026-03-27", "2026-03-29", Some("02:30:00")),
            "2026-03-29T01:00:00+00:00"
        );
        assert_eq!(
            departure(Tz::Australia__Lord_Howe, "2026-10-02", "2026-10-04", Some("02:15:00")),
            "2026-10-03T15:30:00+00:00"
        );
    }

    #[test]
    fn a_repeated_departure_time_is_the_later_one() {
        assert_eq!(
            departure(Tz::Europe__Berlin, "2026-10-23", "2026-10-25", Some("02:30:00")),
            "2026-10-25T01:30:00+00:00"
        );
    }
}
