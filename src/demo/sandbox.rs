//! The Sandbox Hotel: a small house that nobody has booked, with the doors of the Grand Hotel, to try in what guests and locks do.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::file::DemoHotel;
use super::house::{self, Category, Rooms};
use super::{doors, grand_hotel, integrations};
use crate::context::Context;
use crate::error::Result;
use crate::hotels::{self, Hotel};

/// Slug of the hotel.
pub const SLUG: &str = "sandbox";
const DOUBLE: Category = ("Double room", "22 m², a double bed");
const ROOMS: [Rooms; 2] = [("First floor", DOUBLE, &["101", "102"]), ("Second floor", DOUBLE, &["203"])];

/// Makes the hotel.
pub async fn load(conn: &mut PgConnection, context: &Context, now: DateTime<Utc>) -> Result<DemoHotel> {
    let hotel = Hotel {
        id: context.ids.uuid(now),
        slug: SLUG.to_owned(),
        name: "Sandbox Hotel".to_owned(),
        time_zone: grand_hotel::TIME_ZONE,
        check_in_time: super::time(15, 0),
        check_out_time: super::time(11, 0),
        room_access_keys_enabled: true,
        is_sandbox: true,
    };
    hotels::insert(conn, &hotel, now).await?;
    let (_, entry) = integrations::create(conn, context, hotel.id, SLUG, now).await?;
    let house = house::build(conn, hotel.id, &[DOUBLE], &ROOMS, now).await?;
    doors::load(conn, hotel.id, &house.rooms, now).await?;
    Ok(entry)
}
