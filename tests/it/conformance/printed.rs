//! The documents of the guide exactly as it prints them: without commas, with comments, aliases and fragments.

use serde_json::Value;

/// A printed document. Above it, a comment may show its variables.
pub struct Printed(pub &'static str);

pub const ROOM_ACCESS_KEY: Printed = Printed(include_str!("seed/room_access_key.graphql"));
pub const RESERVATION_ROOM_ACCESS_KEYS: Printed = Printed(include_str!("seed/reservation_room_access_keys.graphql"));
pub const ROOM_STAYS: Printed = Printed(include_str!("seed/room_stays.graphql"));
pub const ROOM_STAY: Printed = Printed(include_str!("seed/room_stay.graphql"));
pub const CREATE_ROOM_ACCESS_KEY: Printed = Printed(include_str!("seed/create_room_access_key.graphql"));
pub const ADD_ROOM_ACCESS_KEY: Printed = Printed(include_str!("seed/add_room_access_key.graphql"));
pub const REMOVE_ROOM_ACCESS_KEY: Printed = Printed(include_str!("seed/remove_room_access_key.graphql"));
pub const DELETE_ROOM_ACCESS_KEY: Printed = Printed(include_str!("seed/delete_room_access_key.graphql"));

/// Variables of `CREATE_ROOM_ACCESS_KEY`, one set per kind of key.
pub const CREATE_PIN: &str = include_str!("seed/create_pin.json");
pub const CREATE_KEY_STORAGE: &str = include_str!("seed/create_key_storage.json");
pub const CREATE_QR: &str = include_str!("seed/create_qr.json");

impl Printed {
    /// The variables that the comment shows, with values for what it puts in angle brackets.
    pub fn variables(&self, values: &[(&str, &str)]) -> Value {
        let comment: Vec<&str> = self.0.lines().map_while(|line| line.strip_prefix('#')).skip(1).collect();
        let text = values.iter().fold(comment.concat(), |text, (placeholder, value)| text.replace(placeholder, value));
        assert!(!text.contains('<'), "a value for every placeholder: {text}");
        serde_json::from_str(&text).expect("the comment shows JSON")
    }
}

/// Variables as printed; JSON allows no comma behind the last entry, which the guide prints once.
pub fn printed_json(text: &str) -> Value {
    serde_json::from_str(&text.replace(",\n}", "\n}")).expect("JSON but for that comma")
}
