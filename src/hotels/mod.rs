//! Hotels are the tenants: every record of Latchkey belongs to exactly one.

mod delete;
mod model;
pub mod store;

use std::sync::Arc;

use chrono::NaiveTime;
use chrono_tz::Tz;
use sqlx::PgConnection;

pub use delete::delete;
pub use model::{Contents, Hotel, HotelId, YEARS, civil_date, end_instant};

use crate::audit::{self, Entry, ObjectType};
use crate::context::Context;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::room_stays;

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
pub async fn create(context: &Context, new: NewHotel) -> Result<Hotel> {
    let now = context.clock.now();
    let hotel = Hotel {
        id: context.ids.uuid(now),
        slug: new.slug,
        name: new.name,
        time_zone: new.time_zone,
        check_in_time: new.check_in_time,
        check_out_time: new.check_out_time,
        room_access_keys_enabled: true,
    };
    let mut tx = context.worker_pool.begin().await?;
    store::insert(&mut tx, &hotel, now).await.map_err(store::refused)?;
    audit::write_in(&mut tx, &context.ids, hotel.id, now, [Entry::created(ObjectType::Hotel, hotel.id)]).await?;
    tx.commit().await?;
    Ok(hotel)
}

/// What to change of a hotel; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct HotelChange {
    /// New name, 1 to 200 characters.
    pub name: Option<String>,
    /// New zone. The instants of all departures move with it.
    pub time_zone: Option<Tz>,
    /// New local time from which rooms are handed out.
    pub check_in_time: Option<NaiveTime>,
    /// New local time by which rooms are given back. The instants of all departures without a time of their own move
    /// with it.
    pub check_out_time: Option<NaiveTime>,
    /// Whether lock vendors may write room access keys.
    pub room_access_keys_enabled: Option<bool>,
}

/// Changes a hotel. Requests that begin afterwards go by the new settings, and so do the days on which the keys that
/// are on its stays come off them. A request under way may still put a key on a stay by the old settings; such a key
/// comes off by them, or by the new ones after the next change of its stay.
///
/// # Errors
/// `NOT_FOUND`, `INVALID_ARGUMENT` for a name that breaks its rule.
pub async fn update(context: &Context, slug: &str, change: HotelChange) -> Result<Hotel> {
    let mut tx = context.worker_pool.begin().await?;
    let before = get(&mut tx, slug).await?;
    let hotel = update_on(&mut tx, slug, &change).await?;
    audit::write_in(&mut tx, &context.ids, hotel.id, context.clock.now(), updated(&before, &hotel)).await?;
    tx.commit().await?;
    Ok(hotel)
}

/// The same for the hotel of a request, whose further mutations go by the new settings.
///
/// # Errors
/// Those of [`update`].
pub async fn update_in(tx: &mut Tx, change: &HotelChange) -> Result<()> {
    let slug = tx.actor.hotel.slug.clone();
    let after = update_on(tx.conn(), &slug, change).await?;
    let before = std::mem::replace(&mut tx.actor.hotel, Arc::new(after));
    if let Some(entry) = updated(&before, &tx.actor.hotel) {
        tx.audit(entry);
    }
    Ok(())
}

/// What the audit trail says of a change that changed something.
fn updated(before: &Hotel, after: &Hotel) -> Option<Entry> {
    let changed = model::changed_fields(before, after);
    (!changed.is_empty()).then(|| Entry::updated(ObjectType::Hotel, after.id, changed))
}

async fn update_on(conn: &mut PgConnection, slug: &str, change: &HotelChange) -> Result<Hotel> {
    let not_found = || Error::not_found("Hotel");
    let moves_departures = change.time_zone.is_some() || change.check_out_time.is_some();
    if moves_departures {
        // Stays before the hotel, as everywhere: re-dating a stay may raise the hotel's longest stay.
        let id = store::find_by_slug(conn, slug).await?.ok_or_else(not_found)?.id;
        room_stays::store::lock_assigned(conn, id).await?;
    }
    let hotel = store::update(conn, slug, change).await?.ok_or_else(not_found)?;
    if moves_departures {
        room_stays::store::renew_key_due(conn, &hotel).await?;
    }
    Ok(hotel)
}

/// The hotel with that slug.
///
/// # Errors
/// `NOT_FOUND`
pub async fn get_by_slug(context: &Context, slug: &str) -> Result<Hotel> {
    let mut conn = context.worker_pool.acquire().await?;
    get(&mut conn, slug).await
}

/// The same on a connection.
///
/// # Errors
/// `NOT_FOUND`
pub async fn get(conn: &mut PgConnection, slug: &str) -> Result<Hotel> {
    store::find_by_slug(conn, slug).await?.ok_or_else(|| Error::not_found("Hotel"))
}

/// All hotels, by slug. For whoever runs the service.
pub async fn list(context: &Context) -> Result<Vec<Hotel>> {
    let mut conn = context.worker_pool.acquire().await?;
    store::list(&mut conn).await
}

/// How much belongs to a hotel.
pub async fn contents(context: &Context, hotel: HotelId) -> Result<Contents> {
    let mut conn = context.worker_pool.acquire().await?;
    Ok(store::contents(&mut conn, hotel).await?)
}
