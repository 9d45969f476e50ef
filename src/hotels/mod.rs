//! Hotels are the tenants: every record of Latchkey belongs to exactly one.

mod model;
pub mod store;

use chrono::NaiveTime;
use chrono_tz::Tz;

pub use model::{Hotel, HotelId, end_instant};

use crate::app::App;
use crate::error::{Error, ErrorCode, Result, violated_constraint};

/// What a new hotel is made of.
#[derive(Clone, Debug)]
pub struct NewHotel {
    /// Name in addresses: 1 to 64 lower-case letters, digits and inner hyphens.
    pub slug: String,
    /// Name that people read, 1 to 200 characters.
    pub name: String,
    /// The hotel's zone.
    pub time_zone: Tz,
    /// Local time from which rooms are handed out.
    pub check_in_time: NaiveTime,
    /// Local time by which rooms are given back.
    pub check_out_time: NaiveTime,
}

/// Adds a hotel, with the Room Access Key API enabled.
///
/// # Errors
/// `INVALID_ARGUMENT` for a slug or a name that breaks its rule, `NAME_TAKEN` for a slug that another hotel has.
pub async fn create(app: &App, new: NewHotel) -> Result<Hotel> {
    let now = app.clock.now();
    let hotel = Hotel {
        id: app.ids.uuid(now),
        slug: new.slug,
        name: new.name,
        time_zone: new.time_zone,
        check_in_time: new.check_in_time,
        check_out_time: new.check_out_time,
        room_access_keys_enabled: true,
    };
    let mut conn = app.pool.acquire().await?;
    match store::insert(&mut conn, &hotel, now).await {
        Ok(()) => Ok(hotel),
        Err(error) => Err(match violated_constraint(&error) {
            Some("hotels_slug_key") => Error::new(ErrorCode::NameTaken, "Another hotel has this slug"),
            Some("hotels_slug_check") => Error::invalid(
                "A slug has 1 to 64 lower-case letters, digits and hyphens, and starts and ends with a letter or digit",
            ),
            Some("hotels_name_check") => Error::invalid("A hotel's name has 1 to 200 characters"),
            _ => error.into(),
        }),
    }
}

/// The hotel with that slug.
///
/// # Errors
/// `NOT_FOUND`
pub async fn get_by_slug(app: &App, slug: &str) -> Result<Hotel> {
    let mut conn = app.pool.acquire().await?;
    store::find_by_slug(&mut conn, slug).await?.ok_or_else(|| Error::not_found("Hotel"))
}

/// All hotels, by slug. For whoever runs the service.
pub async fn list(app: &App) -> Result<Vec<Hotel>> {
    let mut conn = app.pool.acquire().await?;
    store::list(&mut conn).await
}
