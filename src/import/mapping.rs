//! The mapping of bookings to records: everything of docs/IMPORT.md that is not about rooms.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Timelike, Utc};
use uuid::Uuid;

use super::booking::{Booking, BookingStatus};
use super::identity::Identified;
use super::people::{self, Person};
use super::records::{ACTIVE, CANCELLED, ClientRecord, INVOICED, ReservationRecord, StayRecord};
use crate::derive::Derived;
use crate::hotels::{Hotel, end_instant};

/// Records of one import, parents before children.
#[derive(Default)]
pub struct Records {
    /// Guests, agencies and companies.
    pub clients: Vec<ClientRecord>,
    /// Reservations.
    pub reservations: Vec<ReservationRecord>,
    /// Room stays.
    pub stays: Vec<StayRecord>,
}

/// Turns bookings into records. `rooms` holds, for each of them, its room.
pub fn map(
    hotel: &Hotel,
    now: DateTime<Utc>,
    bookings: &[Identified],
    categories: &HashMap<String, Uuid>,
    rooms: &[Option<Uuid>],
) -> Records {
    let mut records = Records::default();
    let mut firms = BTreeMap::new();
    let mut parties: Vec<Vec<&Identified>> = Vec::new();
    let mut party_of = HashMap::new();
    for (booking, room) in bookings.iter().zip(rooms) {
        let guest = guest(hotel, booking);
        records.stays.push(stay(hotel, now, booking, categories[&booking.booking.reserved_type], *room, guest.id));
        records.clients.push(guest);
        if let Some(firm) = firm(hotel, booking.booking) {
            firms.insert(firm.id, firm);
        }
        let party = *party_of.entry(booking.reservation_id).or_insert_with(|| {
            parties.push(Vec::new());
            parties.len() - 1
        });
        parties[party].push(booking);
    }
    records.clients.extend(firms.into_values());
    let mut codes = HashSet::new();
    records.reservations = parties.iter().map(|party| reservation(hotel, now, party, &mut codes)).collect();
    records
}

fn stay(
    hotel: &Hotel,
    now: DateTime<Utc>,
    identified: &Identified,
    category_id: Uuid,
    room_setup_id: Option<Uuid>,
    guest: Uuid,
) -> StayRecord {
    let booking = identified.booking;
    let presence = (booking.status == BookingStatus::Stayed).then(|| presence(hotel, identified));
    let meal_notes = booking.meal.as_deref().map(|meal| match meal {
        "BB" => "Bed and breakfast",
        "HB" => "Half board",
        "FB" => "Full board",
        "SC" => "Self-catering",
        other => other,
    });
    StayRecord {
        id: identified.stay_id,
        reservation_id: identified.reservation_id,
        category_id,
        room_setup_id,
        reservation_from: booking.arrival,
        reservation_to: booking.departure,
        departure_time: None,
        check_in: presence.map(|(arrived, _)| arrived).filter(|instant| *instant <= now),
        check_out: presence.map(|(_, left)| left).filter(|instant| *instant <= now),
        guest_message: None,
        maid_notes: None,
        meal_notes: meal_notes.map(str::to_owned),
        adults: booking.adults,
        child1: booking.children,
        free: booking.babies,
        created_at: booked_at(hotel, identified).min(now),
        guest_ids: vec![guest],
    }
}

fn reservation(
    hotel: &Hotel,
    now: DateTime<Utc>,
    party: &[&Identified],
    codes: &mut HashSet<String>,
) -> ReservationRecord {
    let first = party[0];
    let booking = first.booking;
    let guest = guest(hotel, first);
    let firm = firm(hotel, booking);
    let cancelled = booking.status == BookingStatus::Cancelled;
    let over = |one: &&Identified| hotel.departure(one.booking.arrival, one.booking.departure, None) <= now;
    let status = match cancelled {
        true => CANCELLED,
        false if party.iter().all(over) => INVOICED,
        false => ACTIVE,
    };
    let created_at = booked_at(hotel, first);
    let code = (0..=u16::MAX)
        .map(|attempt| [first.reservation_id.to_string(), attempt.to_string()])
        .map(|[id, attempt]| Derived::of(hotel.id, &["code", &id, &attempt]).code())
        .find(|code| codes.insert(code.clone()))
        .expect("codes do not run out");
    ReservationRecord {
        id: first.reservation_id,
        code,
        status,
        group_name: guest.lastname.as_ref().filter(|_| booking.is_of_a_party()).map(|name| format!("{name} group")),
        client_id: firm.as_ref().map_or(guest.id, |firm| firm.id),
        contact_id: firm.is_some().then_some(guest.id),
        booking_channel_code: booking.channel.clone(),
        booking_source: booking.segment.clone(),
        notes: None,
        created_at: created_at.min(now),
        cancelled_at: cancelled.then(|| party.iter().map(|one| cancelled_at(hotel, one)).max()).flatten(),
    }
}

/// The guest who was made up for the booking.
fn guest(hotel: &Hotel, identified: &Identified) -> ClientRecord {
    let person = Person::derive(&identified.derived, identified.booking.country.as_deref());
    ClientRecord {
        id: Derived::of(hotel.id, &["guest", &identified.stay_id.to_string()]).uuid(),
        kind: "PERSON",
        firstname: Some(person.firstname.to_owned()),
        lastname: Some(person.lastname.to_owned()),
        language: Some(person.language.to_owned()),
        country: person.country,
        ..ClientRecord::default()
    }
}

/// Who booked, when it was not the guest: the company that pays, or a travel agency that is more than a web site.
fn firm(hotel: &Hotel, booking: &Booking) -> Option<ClientRecord> {
    let sold_by_agency =
        booking.is_of_a_party() || matches!(booking.segment.as_deref(), Some("Offline TA/TO" | "Corporate"));
    let (derived, name) = if let Some(number) = &booking.company {
        let derived = Derived::of(hotel.id, &["company", number]);
        let name = people::company(&derived, number);
        (derived, name)
    } else {
        let number = booking.agent.as_ref().filter(|_| sold_by_agency)?;
        let derived = Derived::of(hotel.id, &["agency", number]);
        let name = people::agency(&derived, number);
        (derived, name)
    };
    Some(ClientRecord { id: derived.uuid(), kind: "COMPANY", company: Some(name), ..ClientRecord::default() })
}

fn booked_at(hotel: &Hotel, identified: &Identified) -> DateTime<Utc> {
    at(hotel, identified.booking.booked_on, 8 * 60 + identified.derived.pick(12, 13 * 60))
}

/// On the day that the file names, during office hours, and after the booking.
fn cancelled_at(hotel: &Hotel, identified: &Identified) -> DateTime<Utc> {
    let booking = identified.booking;
    let day = booking.status_on.unwrap_or(booking.arrival);
    at(hotel, day, 9 * 60 + identified.derived.pick(13, 12 * 60)).max(booked_at(hotel, identified))
}

/// When the guest came and left.
fn presence(hotel: &Hotel, identified: &Identified) -> (DateTime<Utc>, DateTime<Utc>) {
    let booking = identified.booking;
    let later = |slot, minutes| identified.derived.pick(slot, minutes);
    if booking.arrival == booking.departure {
        return (
            at(hotel, booking.arrival, 9 * 60 + later(14, 120)),
            at(hotel, booking.arrival, 15 * 60 + later(15, 180)),
        );
    }
    let arrived = at(hotel, booking.arrival, minute_of_day(hotel.check_in_time) + later(14, 6 * 60));
    // The file tells of guests who left before their departure.
    let day = booking.status_on.map_or(booking.departure, |day| day.clamp(booking.arrival, booking.departure));
    let left = at(hotel, day, minute_of_day(hotel.check_out_time).saturating_sub(later(15, 3 * 60)));
    (arrived, left.max(arrived + TimeDelta::hours(1)))
}

fn minute_of_day(time: NaiveTime) -> u16 {
    u16::try_from(time.num_seconds_from_midnight() / 60).expect("a day has 1440 minutes")
}

/// The instant at a local minute of a local day, at the latest the day's last one.
fn at(hotel: &Hotel, day: NaiveDate, minute: u16) -> DateTime<Utc> {
    let minute = u32::from(minute.min(24 * 60 - 1));
    let time = NaiveTime::from_num_seconds_from_midnight_opt(minute * 60, 0).expect("a minute of the day");
    end_instant(hotel.time_zone, day.and_time(time))
}
