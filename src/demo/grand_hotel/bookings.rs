//! The bookings of the Grand Hotel, in days from today. Examples and tests rely on some of them: `RES-001` of guest Doe
//! arrives today in room 301, and nobody sleeps in room 203 tonight.

use super::rooms::{DOUBLE, SINGLE};
use crate::demo::house::Category;
use crate::demo::keys::Kind;

/// A guest: given name, family name, language, country.
pub type Guest = (&'static str, &'static str, &'static str, &'static str);

/// What became of a booking.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The guests came, or will come, as booked.
    Kept,
    /// Cancelled two days ago.
    Cancelled,
    /// Nobody came.
    NoShow,
}

/// One room of a booking.
pub struct Stay {
    /// Name of the room; `None` when it is not decided.
    pub room: Option<&'static str>,
    /// Arrival, in days from today.
    pub arrives: i64,
    /// Nights; 0 for day use.
    pub nights: u64,
    /// Category that was booked, when it is not the room's.
    pub booked: Option<Category>,
    /// Hour of a late check-out.
    pub leaves_at: Option<u32>,
}

/// A booking.
pub struct Booking {
    /// Code.
    pub code: &'static str,
    /// The first one booked, unless a company did.
    pub guests: &'static [Guest],
    /// The company that booked.
    pub company: Option<&'static str>,
    /// Name of the group.
    pub group: Option<&'static str>,
    /// Where it was booked: channel and source.
    pub source: (&'static str, &'static str),
    /// What became of it.
    pub fate: Fate,
    /// Kind of the one key that all of its stays share.
    pub key: Option<Kind>,
    /// For the front desk.
    pub notes: Option<&'static str>,
    /// Its rooms.
    pub stays: &'static [Stay],
}

const WEBSITE: (&str, &str) = ("DIRECT", "Hotel website");
const PORTAL: (&str, &str) = ("OTA", "Travel portal");
const SALES: (&str, &str) = ("CORPORATE", "Sales office");

const PLAIN: Booking = Booking {
    code: "",
    guests: &[],
    company: None,
    group: None,
    source: WEBSITE,
    fate: Fate::Kept,
    key: None,
    notes: None,
    stays: &[],
};

const fn stay(room: &'static str, arrives: i64, nights: u64) -> Stay {
    Stay { room: Some(room), arrives, nights, booked: None, leaves_at: None }
}

const fn conference(room: &'static str) -> Stay {
    stay(room, 9, 2)
}

/// All of them, the arrivals of today first.
#[rustfmt::skip]
pub const BOOKINGS: &[Booking] = &[
    Booking { code: "RES-001", guests: &[("John", "Doe", "en", "US"), ("Jane", "Doe", "en", "US")], stays: &[stay("301", 0, 3)], ..PLAIN },
    Booking { code: "RES-002", guests: &[("Hannah", "Weber", "de", "DE")], source: PORTAL, key: Some(Kind::Pin), notes: Some("Upgraded for her birthday"),
        stays: &[Stay { booked: Some(SINGLE), ..stay("303", 0, 2) }], ..PLAIN },
    Booking { code: "RES-003", guests: &[("Mikkel", "Larsen", "da", "DK")], source: PORTAL, key: Some(Kind::Qr), stays: &[stay("108", 0, 1)], ..PLAIN },
    Booking { code: "RES-004", guests: &[("Camille", "Dubois", "fr", "FR"), ("Louis", "Dubois", "fr", "FR")], stays: &[stay("204", 0, 4)], ..PLAIN },
    Booking { code: "RES-005", guests: &[("Daniel", "Shaw", "en", "GB")], source: SALES, notes: Some("Day use, needs a quiet room"), stays: &[stay("205", 0, 0)], ..PLAIN },
    Booking { code: "RES-006", guests: &[("Giulia", "Ferrari", "it", "IT"), ("Paolo", "Ferrari", "it", "IT")], key: Some(Kind::Storage), stays: &[stay("402", 0, 2)], ..PLAIN },

    // In the house, or leaving today.
    Booking { code: "RES-101", guests: &[("Anna", "Keller", "de", "DE")], key: Some(Kind::Pin), stays: &[stay("101", -2, 4)], ..PLAIN },
    Booking { code: "RES-102", guests: &[("Marco", "Rossi", "it", "IT")], source: PORTAL, key: Some(Kind::Storage), stays: &[stay("102", -1, 3)], ..PLAIN },
    Booking { code: "RES-103", guests: &[("Sophie", "Lambert", "fr", "BE")], key: Some(Kind::Pin), notes: Some("Late check-out agreed on"),
        stays: &[Stay { leaves_at: Some(14), ..stay("104", -3, 4) }], ..PLAIN },
    Booking { code: "RES-104", guests: &[("Emma", "Johansson", "sv", "SE")], source: PORTAL, key: Some(Kind::Qr), stays: &[stay("201", -1, 2)], ..PLAIN },
    Booking { code: "RES-105", guests: &[("Zofia", "Mazur", "pl", "PL"), ("Jakub", "Mazur", "pl", "PL")], key: Some(Kind::Pin), notes: Some("Grandparents and children next door, one PIN for all"),
        stays: &[stay("209", -2, 5), stay("210", -2, 5)], ..PLAIN },
    Booking { code: "RES-106", guests: &[("Charlotte", "Wright", "en", "GB")], stays: &[stay("401", -4, 7)], ..PLAIN },
    Booking { code: "RES-107", guests: &[("James", "Carter", "en", "IE")], key: Some(Kind::Pin), notes: Some("Moves to the room next door today and keeps the PIN"),
        stays: &[stay("105", -2, 2), stay("106", 0, 3)], ..PLAIN },
    Booking { code: "RES-108", guests: &[("Piotr", "Nowak", "pl", "PL")], source: PORTAL, key: Some(Kind::Pin), stays: &[stay("202", -3, 3)], ..PLAIN },
    Booking { code: "RES-112", guests: &[("Victor", "Popescu", "ro", "RO")], source: PORTAL, fate: Fate::NoShow, stays: &[stay("107", -1, 2)], ..PLAIN },

    // Gone.
    Booking { code: "RES-109", guests: &[("Lars", "Hansen", "nb", "NO")], stays: &[stay("203", -4, 3)], ..PLAIN },
    Booking { code: "RES-110", guests: &[("Ana", "Silva", "pt", "PT")], source: PORTAL, stays: &[stay("103", -6, 4)], ..PLAIN },
    Booking { code: "RES-111", guests: &[("Thijs", "de Boer", "nl", "NL")], stays: &[stay("302", -9, 4)], ..PLAIN },
    Booking { code: "RES-113", guests: &[("Lucy", "Evans", "en", "GB")], fate: Fate::Cancelled, stays: &[stay("106", -1, 2)], ..PLAIN },

    // To come.
    Booking { code: "RES-201", guests: &[("Katharina", "Huber", "de", "AT")], stays: &[stay("203", 1, 3)], ..PLAIN },
    Booking { code: "RES-202", guests: &[("Diego", "Navarro", "es", "ES")], source: PORTAL, notes: Some("Wants a high floor, room to be decided"),
        stays: &[Stay { room: None, booked: Some(DOUBLE), ..stay("", 2, 3) }], ..PLAIN },
    Booking { code: "RES-203", guests: &[("Oliver", "Hughes", "en", "GB")], source: PORTAL, fate: Fate::Cancelled, stays: &[stay("304", 3, 3)], ..PLAIN },
    Booking { code: "RES-204", guests: &[("Mei", "Chen", "zh", "CN")], source: PORTAL, stays: &[stay("101", 2, 2)], ..PLAIN },
    Booking { code: "RES-205", guests: &[("Nicolas", "Moreau", "fr", "FR"), ("Manon", "Moreau", "fr", "FR")], stays: &[stay("104", 1, 5)], ..PLAIN },
    Booking { code: "RES-206", guests: &[("Ingrid", "Dahl", "nb", "NO")], stays: &[stay("201", 1, 2)], ..PLAIN },
    Booking { code: "RES-207", guests: &[("Markus", "Becker", "de", "DE"), ("Sabine", "Koch", "de", "DE")], company: Some("Nordwind Logistik GmbH"), source: SALES,
        stays: &[stay("206", 4, 2), stay("207", 4, 2)], ..PLAIN },
    Booking { code: "RES-208", guests: &[("Elena", "Ricci", "it", "IT")], stays: &[stay("301", 3, 4)], ..PLAIN },
    Booking { code: "RES-209", guests: &[("Rory", "Walsh", "en", "IE")], source: PORTAL, stays: &[stay("107", 1, 4)], ..PLAIN },
    Booking { code: "RES-210", guests: &[("Beatriz", "Carvalho", "pt", "PT"), ("Rui", "Carvalho", "pt", "PT")], stays: &[stay("403", 5, 4)], ..PLAIN },
    Booking { code: "RES-211", guests: &[("Felix", "Bauer", "de", "DE")], key: Some(Kind::Pin), stays: &[stay("302", 1, 1)], ..PLAIN },
    Booking { code: "RES-212", guests: &[("Astrid", "Lindqvist", "sv", "SE")], source: PORTAL, key: Some(Kind::Pin), stays: &[stay("103", 2, 3)], ..PLAIN },
    Booking { code: "RES-213", guests: &[("Pablo", "Moreno", "es", "ES")], key: Some(Kind::Storage), stays: &[stay("208", 1, 6)], ..PLAIN },
    Booking { code: "RES-214", guests: &[("Emily", "Baker", "en", "AU"), ("Thomas", "Baker", "en", "AU"), ("Grace", "Reid", "en", "AU")], group: Some("Baker family reunion"),
        stays: &[stay("305", 2, 5), stay("306", 2, 5)], ..PLAIN },
    Booking { code: "RES-215", guests: &[("Bram", "Visser", "nl", "NL")], source: PORTAL, stays: &[stay("202", 3, 2)], ..PLAIN },
    Booking { code: "RES-216", guests: &[("Alice", "Taylor", "en", "GB"), ("Jack", "Taylor", "en", "GB")], stays: &[stay("304", 3, 3)], ..PLAIN },
    Booking { code: "RES-217", guests: &[("Jonas", "Fischer", "de", "DE")], source: PORTAL, stays: &[stay("108", 6, 2)], ..PLAIN },
    Booking { code: "RES-218", guests: &[("Chiara", "Greco", "it", "CH")], stays: &[stay("205", 2, 3)], ..PLAIN },
    Booking { code: "RES-219", guests: &[("Antoine", "Girard", "fr", "LU"), ("Amandine", "Girard", "fr", "LU")], stays: &[stay("404", 8, 5)], ..PLAIN },
    Booking { code: "RES-220", guests: &[("Lena", "Wagner", "de", "DE")], source: PORTAL, stays: &[stay("209", 9, 3)], ..PLAIN },
    Booking { code: "RES-221", guests: &[("Jeroen", "Bakker", "nl", "NL")], stays: &[stay("203", 11, 4)], ..PLAIN },
    Booking { code: "RES-222", guests: &[("Sara", "Costa", "it", "IT")], source: PORTAL, stays: &[stay("301", 12, 2)], ..PLAIN },
    Booking { code: "RES-223", guests: &[("Tiago", "Santos", "pt", "BR")], stays: &[stay("102", 13, 4)], ..PLAIN },
    Booking { code: "RES-224", guests: &[("Sergio", "Ruiz", "es", "ES")], source: PORTAL, stays: &[stay("402", 14, 3)], ..PLAIN },
    Booking { code: "RES-225", guests: &[("Uwe", "Schmidt", "de", "DE")], notes: Some("Overbooked: shares a night in room 402 with RES-224"), stays: &[stay("402", 16, 2)], ..PLAIN },
    Booking { code: "RES-226", guests: &[("Signe", "Nielsen", "da", "DK"), ("Emil", "Nielsen", "da", "DK")], stays: &[stay("307", 12, 7)], ..PLAIN },
    Booking { code: "RES-227", guests: &[("Harry", "Clarke", "en", "GB")], stays: &[stay("401", 18, 5)], ..PLAIN },
    Booking { code: "RES-228", guests: &[("Marek", "Wojcik", "pl", "PL")], source: PORTAL, stays: &[stay("104", 19, 2)], ..PLAIN },
    Booking { code: "RES-229", guests: &[("Laura", "Ortega", "es", "ES")], stays: &[stay("210", 25, 4)], ..PLAIN },
    Booking { code: "RES-230", guests: &[("Mathieu", "Bernard", "fr", "FR")], source: PORTAL, stays: &[stay("302", 40, 7)], ..PLAIN },
    Booking { code: "RES-300", guests: &[("Sabrina", "Vogt", "de", "DE")], company: Some("Lichtblick Tagungen GmbH"), group: Some("Lichtblick annual meeting"), source: SALES,
        notes: Some("24 rooms; the list of names follows"),
        stays: &[
            conference("101"), conference("102"), conference("103"), conference("104"), conference("105"), conference("106"),
            conference("107"), conference("108"), conference("201"), conference("202"), conference("203"), conference("204"),
            conference("205"), conference("206"), conference("207"), conference("208"), conference("301"), conference("302"),
            conference("303"), conference("304"), conference("305"), conference("306"), conference("307"), conference("308"),
        ], ..PLAIN },
];

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Who sleeps where: codes by room and night.
    fn nights() -> BTreeMap<(&'static str, i64), Vec<&'static str>> {
        let mut nights: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for booking in BOOKINGS.iter().filter(|booking| booking.fate != Fate::Cancelled) {
            for stay in booking.stays {
                let Some(room) = stay.room else { continue };
                for night in 0..i64::try_from(stay.nights.max(1)).expect("few nights") {
                    nights.entry((room, stay.arrives + night)).or_default().push(booking.code);
                }
            }
        }
        nights
    }

    #[test]
    fn one_room_is_overbooked_for_one_night_and_no_other_is() {
        let shared: Vec<_> = nights().into_iter().filter(|(_, codes)| codes.len() > 1).collect();
        assert_eq!(shared, [(("402", 16), vec!["RES-224", "RES-225"])]);
    }

    #[test]
    fn room_203_is_free_tonight() {
        assert!(!nights().contains_key(&("203", 0)));
    }

    #[test]
    fn codes_are_unique_and_every_booking_has_a_guest_and_a_room() {
        let codes: BTreeSet<_> = BOOKINGS.iter().map(|booking| booking.code).collect();
        assert_eq!(codes.len(), BOOKINGS.len());
        assert!(BOOKINGS.iter().all(|booking| !booking.guests.is_empty() && !booking.stays.is_empty()));
    }
}
