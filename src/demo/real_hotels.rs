//! The two hotels of the real bookings, moved to the present.

use chrono::{DateTime, Datelike as _, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use sqlx::PgConnection;

use super::file::DemoHotel;
use super::keys::{self, Kind, Wanted};
use super::{integrations, store};
use crate::context::Context;
use crate::error::Result;
use crate::hotels::{self, Hotel};
use crate::import::{self, Options, format};

/// See `data/ATTRIBUTION.md`.
const BOOKINGS: &[u8] = include_bytes!("data/hotel_bookings.csv.gz");
/// Monday of the week of the file that becomes the current week: late summer, with the city hotel at its fullest.
const WEEK_OF_THE_FILE: NaiveDate = NaiveDate::from_ymd_opt(2015, 9, 14).expect("a date");
/// Vendors prepare keys that many days ahead.
const PREPARED_DAYS: u64 = 7;
const TIME_ZONE: Tz = Tz::Europe__Lisbon;

/// A hotel of the file.
pub struct RealHotel {
    /// Slug in the demo.
    pub slug: &'static str,
    name: &'static str,
    name_in_file: &'static str,
}

/// Both of them.
pub const REAL_HOTELS: [RealHotel; 2] = [
    RealHotel { slug: "city-hotel", name: "City Hotel Lisbon", name_in_file: "City Hotel" },
    RealHotel { slug: "resort-hotel", name: "Algarve Resort Hotel", name_in_file: "Resort Hotel" },
];

/// Weeks by which the file has to be moved for a hotel whose date is `today`.
fn shift_weeks(today: NaiveDate) -> i32 {
    let monday = today - Days::new(today.weekday().num_days_from_monday().into());
    i32::try_from((monday - WEEK_OF_THE_FILE).num_weeks()).expect("a few thousand weeks")
}

/// Makes the hotel, imports its bookings, and gives every other stay of the coming days a key.
pub async fn load(
    conn: &mut PgConnection,
    context: &Context,
    real: &RealHotel,
    now: DateTime<Utc>,
) -> Result<DemoHotel> {
    let hotel = Hotel {
        id: context.ids.uuid(now),
        slug: real.slug.to_owned(),
        name: real.name.to_owned(),
        time_zone: TIME_ZONE,
        check_in_time: super::time(14, 0),
        check_out_time: super::time(12, 0),
        room_access_keys_enabled: true,
        is_sandbox: false,
    };
    hotels::insert(conn, &hotel, now).await?;
    let (vendors, entry) = integrations::create(conn, context, hotel.id, &hotel.slug, now).await?;

    let today = hotel.today(now);
    let options =
        Options { hotel: Some(real.name_in_file.to_owned()), shift_weeks: shift_weeks(today), ..Options::default() };
    let file = format::read(BOOKINGS, &options)?;
    import::import_in(conn, &hotel, now, file, &options, &|_| ()).await?;

    let stays = store::stays_to_prepare(conn, hotel.id, today, today + Days::new(PREPARED_DAYS)).await?;
    let kinds = [Kind::Pin, Kind::Storage, Kind::Pin, Kind::Qr].into_iter().cycle();
    let prepared = stays.into_iter().skip(1).step_by(2).zip(kinds);
    let wanted = prepared.map(|(stay, kind)| Wanted { kind, stay_ids: vec![stay] }).collect();
    keys::hand_out(conn, context, &hotel, vendors, wanted, now).await?;
    Ok(entry)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn the_week_of_the_file_becomes_the_week_of_today() {
        let date = |text: &str| text.parse::<NaiveDate>().expect("a date");
        assert_eq!(shift_weeks(date("2015-09-14")), 0);
        assert_eq!(shift_weeks(date("2015-09-20")), 0);
        assert_eq!(shift_weeks(date("2015-09-21")), 1);
        assert_eq!(shift_weeks(date("2015-09-13")), -1);
        assert_eq!(WEEK_OF_THE_FILE + TimeDelta::weeks(shift_weeks(date("2026-01-01")).into()), date("2025-12-29"));
    }
}
