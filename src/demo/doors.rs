//! Doors, spaces and an encoder of a hand-made hotel, and guests of each of its integrations: under the keys that examples of access
//! grants name.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::store::{self, DoorRecord, EncoderRecord, IdentityRecord};
use crate::derive::Derived;
use crate::error::Result;
use crate::hotels::HotelId;
use crate::locks::{Mode, Provider};

/// Rooms whose space has a key and a door.
const ROOMS: [&str; 3] = ["101", "102", "203"];
/// Key and name of the doors of all guests.
const COMMON: [(&str, &str); 3] = [("gym-id", "Gym"), ("lobby-id", "Lobby"), ("pool-id", "Pool")];
/// Key and name of the encoder.
const ENCODER: (&str, &str) = ("encoder-1", "Front desk");
/// Keys of the guests.
const GUESTS: [&str; 5] = ["guest-1", "guest-2", "guest-3", "g1", "g2"];
const MODES: [Mode; 2] = [Mode::Card, Mode::MobileKey];

/// Makes all of it. `rooms`: ids of the rooms by name.
pub async fn load(
    conn: &mut PgConnection,
    hotel: HotelId,
    rooms: &HashMap<String, Uuid>,
    now: DateTime<Utc>,
) -> Result<()> {
    let door = |key: String, name: String, space_id: Option<Uuid>| DoorRecord {
        id: Derived::of(hotel, &["entrance", &key]).uuid(),
        key,
        name,
        provider: Provider::Visionline.traits().name,
        can_belong_to_reservation: space_id.is_some(),
        modes: MODES.map(Mode::name),
        space_id,
        space_key: None,
    };
    let of_rooms = ROOMS.iter().map(|room| DoorRecord {
        space_key: Some(format!("room-{room}")),
        ..door(format!("room-{room}-id"), format!("Room {room}"), Some(rooms[*room]))
    });
    let common = COMMON.iter().map(|(key, name)| door((*key).to_owned(), (*name).to_owned(), None));
    store::hang_doors(conn, hotel, &of_rooms.chain(common).collect::<Vec<_>>(), now).await?;

    let (key, name) = ENCODER;
    let id = Derived::of(hotel, &["encoder", key]).uuid();
    store::place_encoder(
        conn,
        hotel,
        &EncoderRecord { id, key, name, provider: Provider::Visionline.traits().name },
        now,
    )
    .await?;

    let mut guests = Vec::new();
    for integration_id in store::integrations_of(conn, hotel).await? {
        guests.extend(GUESTS.map(|key| IdentityRecord {
            id: Derived::of(hotel, &["user identity", &integration_id.to_string(), key]).uuid(),
            integration_id,
            key,
        }));
    }
    Ok(store::add_guests(conn, hotel, &guests, now).await?)
}
