//! The Grand Hotel in Berlin: thirty rooms, hand-made bookings around today.

mod bookings;
mod rooms;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use sqlx::PgConnection;
use uuid::Uuid;

use super::file::DemoHotel;
use super::house::{self, House};
use super::keys::{self, Wanted};
use super::{doors, integrations};
use crate::context::Context;
use crate::derive::Derived;
use crate::error::Result;
use crate::hotels::{self, Hotel, end_instant};
use crate::import;
use crate::import::records::{ACTIVE, CANCELLED, ClientRecord, INVOICED, ReservationRecord, StayRecord};
use bookings::{BOOKINGS, Booking, Fate, Stay};
use rooms::{CATEGORIES, ROOMS, category_of};

/// Slug of the hotel.
pub const SLUG: &str = "grand-hotel";
/// Its zone.
pub const TIME_ZONE: Tz = Tz::Europe__Berlin;

/// Records of the hotel.
#[derive(Default)]
struct Records {
    clients: Vec<ClientRecord>,
    reservations: Vec<ReservationRecord>,
    stays: Vec<StayRecord>,
    keys: Vec<Wanted>,
}

/// Makes the hotel.
pub async fn load(conn: &mut PgConnection, context: &Context, now: DateTime<Utc>) -> Result<DemoHotel> {
    let hotel = Hotel {
        id: context.ids.uuid(now),
        slug: SLUG.to_owned(),
        name: "Grand Hotel Berlin".to_owned(),
        time_zone: TIME_ZONE,
        check_in_time: super::time(15, 0),
        check_out_time: super::time(11, 0),
        room_access_keys_enabled: true,
        is_sandbox: false,
    };
    hotels::insert(conn, &hotel, now).await?;
    let (vendors, entry) = integrations::create(conn, context, hotel.id, SLUG, now).await?;
    let house = house::build(conn, hotel.id, &CATEGORIES, &ROOMS, now).await?;
    doors::load(conn, hotel.id, &house.rooms, now).await?;

    let mut records = Records::default();
    for booking in BOOKINGS {
        records.add(&hotel, &house, booking, now);
    }
    import::write_clients(conn, hotel.id, &records.clients, now).await?;
    import::write_reservations(conn, hotel.id, &records.reservations, now).await?;
    import::write_stays(conn, hotel.id, &records.stays, now).await?;
    keys::hand_out(conn, context, &hotel, vendors, records.keys, now).await?;
    let nights = BOOKINGS.iter().flat_map(|booking| booking.stays).map(|stay| stay.nights).max().unwrap_or_default();
    hotels::raise_longest_stay(conn, hotel.id, i32::try_from(nights).expect("few nights")).await?;
    Ok(entry)
}

impl Records {
    fn add(&mut self, hotel: &Hotel, house: &House, booking: &Booking, now: DateTime<Utc>) {
        let id = |part: &str| Derived::of(hotel.id, &[booking.code, part]).uuid();
        let guests: Vec<Uuid> = (0..booking.guests.len()).map(|number| id(&format!("guest {number}"))).collect();
        self.add_guests(booking, &guests);
        let company = booking.company.map(|name| {
            let company = ClientRecord {
                id: id("company"),
                kind: "COMPANY",
                company: Some(name.to_owned()),
                ..ClientRecord::default()
            };
            self.clients.push(company);
            id("company")
        });

        let today = hotel.today(now);
        let created_at = at(hotel, first_day(booking, today).min(today) - Days::new(20), 10);
        let owned = |text: Option<&str>| text.map(str::to_owned);
        self.reservations.push(ReservationRecord {
            id: id("reservation"),
            code: booking.code.to_owned(),
            status: status(booking),
            client_id: company.unwrap_or(guests[0]),
            contact_id: company.map(|_| guests[0]),
            group_name: owned(booking.group),
            booking_channel_code: Some(booking.source.0.to_owned()),
            booking_source: Some(booking.source.1.to_owned()),
            notes: owned(booking.notes),
            created_at,
            cancelled_at: (booking.fate == Fate::Cancelled).then(|| at(hotel, today - Days::new(2), 12)),
        });

        let mut stay_ids = Vec::with_capacity(booking.stays.len());
        for (number, stay) in booking.stays.iter().enumerate() {
            let (check_in, check_out) = presence(hotel, booking, stay, today);
            // Guests are spread over the rooms; who has a room alone has all of them.
            let rooms = booking.stays.len();
            let guest_ids = guests.iter().enumerate().filter(|(guest, _)| guest % rooms == number || guests.len() == 1);
            let guest_ids: Vec<Uuid> = guest_ids.map(|(_, id)| *id).collect();
            let category = stay.booked.unwrap_or_else(|| category_of(stay.room.unwrap_or_default())).0;
            stay_ids.push(id(&format!("stay {number}")));
            self.stays.push(StayRecord {
                id: id(&format!("stay {number}")),
                reservation_id: id("reservation"),
                category_id: house.categories[category],
                room_setup_id: stay.room.map(|room| house.rooms[room]),
                reservation_from: today + TimeDelta::days(stay.arrives),
                reservation_to: today + TimeDelta::days(stay.arrives) + Days::new(stay.nights),
                departure_time: stay.leaves_at.map(|hour| super::time(hour, 0)),
                check_in,
                check_out,
                guest_message: None,
                maid_notes: None,
                meal_notes: Some("Breakfast".to_owned()),
                adults: i16::try_from(guest_ids.len().max(1)).expect("few guests"),
                child1: 0,
                free: 0,
                created_at,
                // The conference has not sent its list of names yet.
                guest_ids: if booking.group.is_some() && booking.company.is_some() { Vec::new() } else { guest_ids },
            });
        }
        if let Some(kind) = booking.key {
            self.keys.push(Wanted { kind, stay_ids });
        }
    }

    fn add_guests(&mut self, booking: &Booking, ids: &[Uuid]) {
        for (number, (id, (firstname, lastname, language, country))) in ids.iter().zip(booking.guests).enumerate() {
            let mailbox = booking.code.to_lowercase();
            self.clients.push(ClientRecord {
                id: *id,
                kind: "PERSON",
                firstname: Some((*firstname).to_owned()),
                lastname: Some((*lastname).to_owned()),
                company: None,
                language: Some((*language).to_owned()),
                country: Some((*country).to_owned()),
                // Reserved for examples: nobody gets mail or calls.
                email: Some(format!("{mailbox}-{}@guests.example", number + 1)),
                telephone: None,
                mobile: (number == 0).then(|| format!("+49 171 39200{:02}", self.clients.len() % 100)),
            });
        }
    }
}

fn first_day(booking: &Booking, today: NaiveDate) -> NaiveDate {
    let arrivals = booking.stays.iter().map(|stay| today + TimeDelta::days(stay.arrives));
    arrivals.min().unwrap_or(today)
}

/// Guests who leave today have not paid yet.
fn status(booking: &Booking) -> &'static str {
    let gone = |stay: &Stay| stay.arrives + i64::try_from(stay.nights).expect("few nights") < 0;
    match booking.fate {
        Fate::Cancelled => CANCELLED,
        Fate::Kept | Fate::NoShow if booking.stays.iter().all(gone) => INVOICED,
        Fate::Kept | Fate::NoShow => ACTIVE,
    }
}

/// Physical arrival and departure: those who were to come before today came, those who were to leave before today left.
fn presence(
    hotel: &Hotel,
    booking: &Booking,
    stay: &Stay,
    today: NaiveDate,
) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
    let arrival = today + TimeDelta::days(stay.arrives);
    let departure = arrival + Days::new(stay.nights);
    let came = booking.fate == Fate::Kept && arrival < today;
    let left = came && departure < today;
    (came.then(|| at(hotel, arrival, 16)), left.then(|| at(hotel, departure, 10)))
}

fn at(hotel: &Hotel, day: NaiveDate, hour: u32) -> DateTime<Utc> {
    end_instant(hotel.time_zone, day.and_time(super::time(hour, 0)))
}
