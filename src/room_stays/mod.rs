//! Room stays: one room's part of a reservation, for the half-open range of nights `[reservation_from, reservation_to)`.
//!
//! A stay departs at its last day's check-out time in the hotel's zone, or at the late check-out that was agreed on.
//! Physical check-in and check-out are recorded beside that and end nothing. Moving, re-dating and swapping keep the key;
//! a split gives both halves the same key; deleting takes it off. Every change is an event that names the changed fields.
//!
//! Two stays may hold one room in the same night: real front desks do that, and see it in `overlapping`.

mod front_desk;
mod guests;
mod model;
mod store;

use sqlx::PgConnection;
use uuid::Uuid;

pub use front_desk::{
    NewStay, SplitStay, add_in, change_dates_in, delete_in, move_in, record_presence_in, set_departure_time_in,
    split_in, swap_in,
};
pub use guests::{add_guest_in, remove_guest_in};
pub use model::{AgeGroups, LONGEST_STAY_NIGHTS, Nights, RoomStay, StayDetails};
pub use store::{KeyEnd, StayField, StayJoins, StayKey, StayPage, StayView};

use crate::audit::{Action, Entry, ObjectType};
use crate::auth::CredentialFingerprint;
use crate::db::{Filter, ListBounds, ListBoundsRequest, PageRequest};
use crate::error::{Error, Message, Record, Result};
use crate::events::{Audience, ChangeKind};
use crate::hotels::HotelId;
use crate::reservations::ReservationStatus;
use crate::unit::Tx;

pub(crate) use front_desk::insert_in;
pub use store::pages_of_reservations;
pub(crate) use store::{
    LockedStay, bounds_of_reservations, key_due, lock_assigned, lock_unconfirmed, overlapping, renew_key_due,
    revoke_keys,
};

/// Name of the field that changes with the key of a stay, in `room_stay.updated` and in the audit trail.
pub(crate) const KEY_FIELD: &str = "roomAccessKey";

/// A stay was added.
pub static CREATED: ChangeKind = ChangeKind {
    event_type: "room_stay.created",
    action: Action::Created,
    object: ObjectType::RoomStay,
    audience: Audience::Hotel,
    names_fields: false,
    meaning: "a stay was added, also as the second half of a split one",
    seam: &[],
};
/// A stay was changed.
pub static UPDATED: ChangeKind = ChangeKind {
    event_type: "room_stay.updated",
    action: Action::Updated,
    object: ObjectType::RoomStay,
    audience: Audience::Hotel,
    names_fields: true,
    meaning: r#"its dates, its room (`["room_setup"]`), its key (`["roomAccessKey"]`), its guests (`["guests"]`) or anything else changed"#,
    seam: &[],
};
/// A stay was deleted.
pub static DELETED: ChangeKind = ChangeKind {
    event_type: "room_stay.deleted",
    action: Action::Deleted,
    object: ObjectType::RoomStay,
    audience: Audience::Hotel,
    names_fields: false,
    meaning: "it was deleted",
    seam: &[],
};

/// A page of the hotel's stays, by departure. With a fingerprint, the statement confirms it before it reads anything, and fails
/// if it does not hold any more.
pub async fn page(
    conn: &mut PgConnection,
    fingerprint: Option<&CredentialFingerprint>,
    hotel: HotelId,
    filter: &Filter<StayField>,
    request: &PageRequest<StayKey>,
    joins: StayJoins,
) -> Result<StayPage> {
    store::page(conn, fingerprint, hotel, filter, request, joins).await
}

/// The bounds of the hotel's list of stays.
pub async fn bounds(
    conn: &mut PgConnection,
    hotel: HotelId,
    filter: &Filter<StayField>,
    request: &ListBoundsRequest<StayKey>,
) -> Result<ListBounds> {
    store::bounds(conn, hotel, filter, request).await
}

/// One stay of the hotel, with what belongs to it.
///
/// # Errors
/// `NOT_FOUND`
pub async fn get(conn: &mut PgConnection, hotel: HotelId, id: Uuid, joins: StayJoins) -> Result<StayView> {
    store::find(conn, hotel, id, joins).await?.ok_or_else(not_found)
}

pub(crate) fn not_found() -> Error {
    Error::not_found(Record::RoomStay)
}

/// Holds stays until the transaction ends, in the order of their ids. Answers those that there are.
pub(crate) async fn lock_all_in(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<LockedStay>> {
    let hotel = tx.actor.hotel.id;
    store::lock(tx.conn().await?, hotel, ids).await
}

/// The ids of the stays of reservations.
pub(crate) async fn of_reservations_in(tx: &mut Tx, reservations: &[Uuid]) -> Result<Vec<Uuid>> {
    let hotel = tx.actor.hotel.id;
    store::ids_of_reservations(tx.conn().await?, hotel, reservations).await
}

/// Holds one stay until the transaction ends; `argument` names it in the refusal.
async fn lock_in(tx: &mut Tx, id: Uuid, argument: &'static str) -> Result<LockedStay> {
    let hotel = tx.actor.hotel.id;
    store::lock(tx.conn().await?, hotel, &[id]).await?.pop().ok_or_else(|| not_found().at(argument))
}

/// Refuses what is not done to a stay of a cancelled reservation.
///
/// # Errors
/// `RESERVATION_CANCELLED`
pub(crate) fn require_not_cancelled(locked: &LockedStay) -> Result<()> {
    if locked.reservation_status == ReservationStatus::Cancelled {
        return Err(Error::new(Message::ReservationCancelled));
    }
    Ok(())
}

/// Refuses what is not done to a stay after its departure.
///
/// # Errors
/// `ROOM_STAY_DEPARTED`
pub(crate) fn require_not_departed(tx: &Tx, stay: &RoomStay) -> Result<()> {
    let departure = tx.actor.hotel.departure(stay.reservation_from, stay.reservation_to, stay.departure_time);
    if departure <= tx.now {
        return Err(Error::new(Message::RoomStayDeparted));
    }
    Ok(())
}

/// What the audit trail says when a key was put on a stay or taken off.
pub(crate) fn key_entry(stay: Uuid, key: Uuid) -> Entry {
    Entry::updated(ObjectType::RoomStay, stay, [KEY_FIELD]).with(ObjectType::RoomAccessKey, key)
}
