//! The thirty rooms of the Grand Hotel.

use crate::demo::house::{Category, Rooms};

pub const SINGLE: Category = ("Single room", "14 m², a bed of 1.20 m, to the courtyard");
pub const DOUBLE: Category = ("Double room", "22 m², a double bed, to the street");
pub const BALCONY: Category = ("Double room with balcony", "24 m², a double bed, a balcony to the park");
pub const FAMILY: Category = ("Family room", "36 m², a double bed and two single beds");
pub const SUITE: Category = ("Suite", "58 m², living room and bedroom, above the roofs");

/// All categories.
pub const CATEGORIES: [Category; 5] = [SINGLE, DOUBLE, BALCONY, FAMILY, SUITE];

/// Area, category and names of the rooms.
pub const ROOMS: [Rooms; 7] = [
    ("First floor", SINGLE, &["101", "102"]),
    ("First floor", DOUBLE, &["103", "104", "105", "106", "107", "108"]),
    ("Second floor", SINGLE, &["201", "202"]),
    ("Second floor", DOUBLE, &["203", "204", "205", "206", "207", "208", "209", "210"]),
    ("Third floor", BALCONY, &["301", "302", "303", "304"]),
    ("Third floor", FAMILY, &["305", "306", "307", "308"]),
    ("Roof", SUITE, &["401", "402", "403", "404"]),
];

/// Category of a room.
pub fn category_of(room: &str) -> Category {
    let found = ROOMS.iter().find(|(_, _, names)| names.contains(&room));
    found.expect("bookings name rooms of the house").1
}
