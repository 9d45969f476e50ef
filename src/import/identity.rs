//! Identity of lines: which stay and which reservation one is about, the same ones in every run.
//!
//! The file numbers nothing, so a booking is known by what was fixed when it was booked ([`Booking::key`]) and, among
//! bookings that agree in that, by its place in the file. Whatever changes later (nights, room type, guests, outcome)
//! changes the records of the same booking. All bookings made on one day for one arrival are in the file as soon as one of
//! them can be, so a newer export keeps their places.
//!
//! Bookings of a party that share the key are the rooms of one reservation. A reservation is cancelled as a whole, so the
//! cancelled rooms of a party that otherwise came make up a second reservation. A room that changes sides keeps its stay.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::booking::{Booking, BookingStatus};
use crate::derive::Derived;
use crate::hotels::HotelId;

/// A booking and the records that it is about.
pub struct Identified<'a> {
    /// The line.
    pub booking: &'a Booking,
    /// Its own number: everything made up about the guest and the times comes from it.
    pub derived: Derived,
    /// Its room stay.
    pub stay_id: Uuid,
    /// The reservation that the stay is part of.
    pub reservation_id: Uuid,
}

/// All bookings of a file.
pub struct Identities<'a> {
    /// In the order of the file.
    pub bookings: Vec<Identified<'a>>,
    /// Second reservations that parties do not need, or no longer.
    pub unneeded_reservations: Vec<Uuid>,
}

/// Tells the bookings of a file apart.
pub fn identify(hotel: HotelId, bookings: &[Booking]) -> Identities<'_> {
    let held: HashSet<&str> = bookings
        .iter()
        .filter(|booking| booking.status != BookingStatus::Cancelled)
        .map(|booking| booking.key.as_str())
        .collect();
    let party = |key: &str, half: &str| Derived::of(hotel, &["party", key, half]).uuid();

    let mut seen: HashMap<&str, u32> = HashMap::new();
    let mut second_halves = HashMap::new();
    let mut identified = Vec::with_capacity(bookings.len());
    for booking in bookings {
        let key = booking.key.as_str();
        let place = seen.entry(key).or_default();
        *place += 1;
        let derived = Derived::of(hotel, &["booking", key, &place.to_string()]);
        let reservation_id = if booking.is_of_a_party() {
            let apart = booking.status == BookingStatus::Cancelled && held.contains(key);
            *second_halves.entry(key).or_insert(false) |= apart;
            party(key, if apart { "2" } else { "1" })
        } else {
            Derived::of(hotel, &["reservation", key, &place.to_string()]).uuid()
        };
        identified.push(Identified { booking, stay_id: derived.uuid(), derived, reservation_id });
    }
    let unneeded = second_halves.into_iter().filter(|(_, needed)| !needed);
    Identities { bookings: identified, unneeded_reservations: unneeded.map(|(key, _)| party(key, "2")).collect() }
}
