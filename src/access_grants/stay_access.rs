//! What a stay gives access to, and when.

use uuid::Uuid;

use super::TimeFrame;
use crate::error::{Error, Message, Result};
use crate::locks::{self, Entrance};
use crate::room_stays::{self, RoomStay};
use crate::unit::Tx;

/// The access that a stay gives.
pub(super) struct StayAccess {
    /// When.
    pub(super) frame: TimeFrame,
    /// The doors of its room.
    pub(super) doors: Vec<Entrance>,
}

/// When a stay gives access: from its arrival, or from when the guest came before that, until its departure. `None`: it ends when it
/// begins, as a stay without a night can.
pub(super) fn frame(tx: &Tx, stay: &RoomStay) -> Option<TimeFrame> {
    let hotel = &tx.actor.hotel;
    let departure = hotel.departure(stay.reservation_from, stay.reservation_to, stay.departure_time);
    let arrival = hotel.arrival(stay.reservation_from, departure);
    let starts_at = stay.check_in.map_or(arrival, |came| came.min(arrival));
    (starts_at < departure).then_some(TimeFrame { starts_at, ends_at: Some(departure) })
}

/// What a stay that is held gives access to.
pub(super) async fn stay_access_in(tx: &mut Tx, stay: Uuid) -> Result<StayAccess> {
    let locked = room_stays::lock_all_in(tx, &[stay]).await?.pop().ok_or_else(room_stays::not_found)?;
    room_stays::require_not_cancelled(&locked)?;
    room_stays::require_not_departed(tx, &locked.stay)?;
    if locked.stay.check_out.is_some() {
        return Err(Error::new(Message::GuestCheckedOut));
    }
    let room = locked.stay.room_setup_id.ok_or_else(|| Error::new(Message::StayWithoutRoom))?;
    let doors = locks::entrances_of_room_in(tx, room).await?;
    if doors.is_empty() {
        return Err(Error::new(Message::RoomWithoutEntrance));
    }
    let frame = frame(tx, &locked.stay).ok_or_else(|| Error::new(Message::StayWithoutTime))?;
    Ok(StayAccess { frame, doors })
}
