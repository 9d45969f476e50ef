//! Hotel settings: hotels as operators add, change, count and delete them.

mod delete;
mod store;

use std::sync::Arc;

use chrono::NaiveTime;
use chrono_tz::Tz;

pub use delete::delete;
pub use store::TENANT_TABLES;

use crate::actor::Principal;
use crate::audit::{Action, Entry, ObjectType};
use crate::context::Context;
use crate::error::Result;
use crate::events::{Audience, ChangeKind};
use crate::hotels::{self, Hotel, HotelId};
use crate::room_stays;
use crate::unit::{Transactions, Tx};

/// The settings of a hotel were changed.
pub static UPDATED: ChangeKind = ChangeKind {
    event_type: "hotel.updated",
    action: Action::Updated,
    object: ObjectType::Hotel,
    audience: Audience::Nobody,
    names_fields: true,
    meaning: "its settings were changed",
    seam: &[],
};

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
    /// Whether it is there to try things in, for as long as it exists.
    pub is_sandbox: bool,
}

/// How much belongs to a hotel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// Kinds of room.
    pub categories: i64,
    /// Rooms.
    pub rooms: i64,
    /// Persons and companies.
    pub clients: i64,
    /// Reservations.
    pub reservations: i64,
    /// Room stays.
    pub room_stays: i64,
    /// Room access keys.
    pub room_access_keys: i64,
    /// Integrations that are connected.
    pub integrations: i64,
    /// Pairs of API keys that are not revoked.
    pub api_keys: i64,
    /// Webhook endpoints.
    pub webhook_endpoints: i64,
}

/// Adds a hotel, with the Room Access Key API enabled.
///
/// # Errors
/// `INVALID_ARGUMENT` for a slug or a name that breaks its rule, `NAME_TAKEN` for a slug that another hotel has.
pub async fn create(transactions: &Transactions, new: NewHotel) -> Result<Hotel> {
    let now = transactions.clock.now();
    let hotel = Hotel {
        id: transactions.ids.uuid(now),
        slug: new.slug,
        name: new.name,
        time_zone: new.time_zone,
        check_in_time: new.check_in_time,
        check_out_time: new.check_out_time,
        room_access_keys_enabled: true,
        is_sandbox: new.is_sandbox,
    };
    let mut tx = Tx::begin_worker(transactions, Arc::new(hotel.clone()), Principal::Operator, now).await?;
    hotels::insert(tx.conn().await?, &hotel, now).await.map_err(store::refused)?;
    tx.audit(Entry::created(ObjectType::Hotel, hotel.id));
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

/// Changes the hotel of a transaction, whose further changes go by the new settings. So do requests that begin after its commit,
/// and the days on which the keys of its stays are taken off them. A request under way may still put a key on a stay by the
/// old settings; such a key is taken off by them, or by the new ones after the next change of its stay.
///
/// # Errors
/// `NOT_FOUND`, `INVALID_ARGUMENT` for a name that breaks its rule.
pub async fn update_in(tx: &mut Tx, change: &HotelChange) -> Result<()> {
    let id = tx.actor.hotel.id;
    let moves_departures = change.time_zone.is_some() || change.check_out_time.is_some();
    if moves_departures {
        // Stays before the hotel, as everywhere: re-dating a stay may raise the hotel's longest stay.
        room_stays::lock_assigned(tx.conn().await?, id).await?;
    }
    let before = hotels::lock(tx.conn().await?, id).await?;
    let after = store::update(tx.conn().await?, id, change).await?;
    if moves_departures {
        room_stays::renew_key_due(tx.conn().await?, &after).await?;
    }
    let changed = changed_fields(&before, &after);
    if !changed.is_empty() {
        tx.emit(UPDATED.of(id).with_fields(changed));
    }
    tx.actor.hotel = Arc::new(after);
    Ok(())
}

/// The hotel with that slug.
///
/// # Errors
/// `NOT_FOUND`
pub async fn get_by_slug(context: &Context, slug: &str) -> Result<Hotel> {
    let mut conn = context.worker_pool.acquire().await?;
    hotels::get(&mut conn, slug).await
}

/// All hotels, by slug. For operators.
pub async fn list(context: &Context) -> Result<Vec<Hotel>> {
    let mut conn = context.worker_pool.acquire().await?;
    hotels::find_all(&mut conn).await
}

/// How much belongs to a hotel.
pub async fn contents(context: &Context, hotel: HotelId) -> Result<Contents> {
    let mut conn = context.worker_pool.acquire().await?;
    Ok(store::contents(&mut conn, hotel).await?)
}

/// Names of the settings in which two states of a hotel differ.
fn changed_fields(before: &Hotel, after: &Hotel) -> Vec<&'static str> {
    [
        (before.name != after.name, "name"),
        (before.time_zone != after.time_zone, "timeZone"),
        (before.check_in_time != after.check_in_time, "checkInTime"),
        (before.check_out_time != after.check_out_time, "checkOutTime"),
        (before.room_access_keys_enabled != after.room_access_keys_enabled, "roomAccessKeysEnabled"),
    ]
    .into_iter()
    .filter_map(|(changed, name)| changed.then_some(name))
    .collect()
}
