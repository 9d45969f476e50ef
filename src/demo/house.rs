//! Houses of the demo's hand-made hotels: their rooms, by category and area.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::derive::Derived;
use crate::error::Result;
use crate::hotels::HotelId;
use crate::import::records::CategoryRecord;
use crate::import::rooms::NewRoom;
use crate::import::{ensure_categories, insert_rooms};

/// Name and description of a category.
pub type Category = (&'static str, &'static str);
/// Area, category and names of rooms.
pub type Rooms = (&'static str, Category, &'static [&'static str]);

/// Ids by name.
pub struct House {
    /// Of the categories.
    pub categories: HashMap<String, Uuid>,
    /// Of the rooms.
    pub rooms: HashMap<String, Uuid>,
}

/// Builds a house with these categories and rooms.
pub async fn build(
    conn: &mut PgConnection,
    hotel: HotelId,
    categories: &[Category],
    rooms: &[Rooms],
    now: DateTime<Utc>,
) -> Result<House> {
    let categories: Vec<CategoryRecord> = categories
        .iter()
        .map(|(name, description)| CategoryRecord {
            id: Derived::of(hotel, &["category", name]).uuid(),
            name: (*name).to_owned(),
            description: (*description).to_owned(),
        })
        .collect();
    let categories: HashMap<String, Uuid> =
        ensure_categories(conn, hotel, &categories, now).await?.0.into_iter().collect();
    let rooms: Vec<NewRoom> = rooms
        .iter()
        .flat_map(|(area, (category, _), names)| names.iter().map(move |name| (area, category, name)))
        .map(|(area, category, name)| NewRoom {
            id: Derived::of(hotel, &["room", name]).uuid(),
            name: (*name).to_owned(),
            area_name: (*area).to_owned(),
            category_id: categories[*category],
        })
        .collect();
    insert_rooms(conn, hotel, &rooms, now).await?;
    Ok(House { categories, rooms: rooms.into_iter().map(|room| (room.name, room.id)).collect() })
}
