//! The front desk's work on stays: add, move, swap, re-date, split, delete, late check-out, presence.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use uuid::Uuid;

use super::model::{AgeGroups, Nights, RoomStay, StayDetails};
use super::{
    CREATED, DELETED, LockedStay, UPDATED, key_entry, lock_in, not_found, require_not_cancelled, require_not_departed,
    store,
};
use crate::audit::{Entry, ObjectType};
use crate::error::{Error, ErrorAt, Message, Record, Result};
use crate::unit::Tx;
use crate::{hotels, room_access_keys, rooms};

/// A stay to be added to a reservation.
pub struct NewStay {
    /// What is booked.
    pub category_id: Uuid,
    /// The room, if it is known already.
    pub room_setup_id: Option<Uuid>,
    /// Day of arrival.
    pub reservation_from: NaiveDate,
    /// Day of departure.
    pub reservation_to: NaiveDate,
    /// Who sleeps there, in order; each client once.
    pub guest_ids: Vec<Uuid>,
    /// Guests by age.
    pub age_groups: AgeGroups,
    /// Message for the guest.
    pub guest_message: Option<String>,
    /// Notes for housekeeping.
    pub maid_notes: Option<String>,
    /// Notes for the kitchen.
    pub meal_notes: Option<String>,
    /// Code of the rate.
    pub rate_code: Option<String>,
}

/// Where to split a stay.
pub struct SplitStay {
    /// First day of the second part: behind the arrival and before the departure.
    pub date: NaiveDate,
    /// Room of the second part, if it has one; an outer `None` = the same as of the first.
    pub room_setup_id: Option<Option<Uuid>>,
}

/// Adds a stay to a reservation that is not cancelled.
///
/// # Errors
/// `NOT_FOUND`, `INVALID_ARGUMENT`, `RESERVATION_CANCELLED`
pub async fn add_in(tx: &mut Tx, reservation: Uuid, new: NewStay) -> Result<Uuid> {
    crate::reservations::lock_open_in(tx, reservation).await.at("reservationId")?;
    insert_in(tx, reservation, new).await
}

/// Adds a stay to a reservation that the caller holds.
pub(crate) async fn insert_in(tx: &mut Tx, reservation_id: Uuid, new: NewStay) -> Result<Uuid> {
    let nights = Nights::new(new.reservation_from, new.reservation_to)?;
    rooms::require_category_in(tx, new.category_id).await?;
    if let Some(room) = new.room_setup_id {
        rooms::require_room_setup_in(tx, room).await?;
    }
    require_clients_in(tx, &new.guest_ids).await.at("guestIds")?;
    let (hotel, now) = (tx.actor.hotel.clone(), tx.now);
    let id = tx.context.ids.uuid(now);
    let stay = RoomStay {
        id,
        reservation_id,
        category_id: new.category_id,
        room_setup_id: new.room_setup_id,
        reservation_from: nights.from,
        reservation_to: nights.to,
        departure_time: None,
        check_in: None,
        check_out: None,
        room_access_key: None,
    };
    let details = StayDetails {
        guest_message: new.guest_message,
        maid_notes: new.maid_notes,
        meal_notes: new.meal_notes,
        rate_code: new.rate_code,
        age_groups: new.age_groups,
        ..StayDetails::new(now)
    };
    hotels::raise_longest_stay(tx.conn().await?, hotel.id, nights.count()).await?;
    store::insert(tx.conn().await?, &hotel, &stay, &details).await?;
    store::insert_guests(tx.conn().await?, hotel.id, id, &new.guest_ids).await?;
    tx.emit(CREATED.of(id));
    tx.audit(Entry::created(ObjectType::RoomStay, id).with(ObjectType::Reservation, reservation_id));
    Ok(id)
}

async fn require_clients_in(tx: &mut Tx, clients: &[Uuid]) -> Result<()> {
    let mut distinct = clients.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() != clients.len() {
        return Err(Error::new(Message::GuestListedTwice));
    }
    let hotel = tx.actor.hotel.id;
    let known = store::count_clients(tx.conn().await?, hotel, &distinct).await?;
    if usize::try_from(known) == Ok(distinct.len()) { Ok(()) } else { Err(Error::not_found(Record::Client)) }
}

/// Moves a stay to another room; an outer `None` leaves its room as it is, an inner one takes it away.
///
/// # Errors
/// `NOT_FOUND`, `RESERVATION_CANCELLED`, `ROOM_STAY_DEPARTED`
pub async fn move_in(tx: &mut Tx, stay: Uuid, room: Option<Option<Uuid>>) -> Result<()> {
    let LockedStay { stay, .. } = lock_open_in(tx, stay, "roomStayId").await?;
    if let Some(room) = room.flatten() {
        rooms::require_room_setup_in(tx, room).await?;
    }
    let room = room.unwrap_or(stay.room_setup_id);
    let changed = if stay.room_setup_id == room { vec![] } else { vec!["room_setup"] };
    write(tx, &RoomStay { room_setup_id: room, ..stay }, changed).await
}

/// Lets two stays swap their rooms.
///
/// # Errors
/// `NOT_FOUND`, `INVALID_ARGUMENT` for a stay and itself, `RESERVATION_CANCELLED`, `ROOM_STAY_DEPARTED`
pub async fn swap_in(tx: &mut Tx, first: Uuid, second: Uuid) -> Result<()> {
    if first == second {
        return Err(Error::new(Message::SwapWithItself).at("secondRoomStayId"));
    }
    let hotel = tx.actor.hotel.id;
    let mut locked = store::lock(tx.conn().await?, hotel, &[first, second]).await?;
    let mut take = |id: Uuid, argument: &'static str| {
        let index = locked.iter().position(|locked| locked.stay.id == id);
        index.map(|index| locked.swap_remove(index)).ok_or_else(|| not_found().at(argument))
    };
    let (first, second) = (take(first, "firstRoomStayId")?, take(second, "secondRoomStayId")?);
    for locked in [&first, &second] {
        require_not_cancelled(locked)?;
        require_not_departed(tx, &locked.stay)?;
    }
    let rooms = (first.stay.room_setup_id, second.stay.room_setup_id);
    let changed = if rooms.0 == rooms.1 { vec![] } else { vec!["room_setup"] };
    write(tx, &RoomStay { room_setup_id: rooms.1, ..first.stay }, changed.clone()).await?;
    write(tx, &RoomStay { room_setup_id: rooms.0, ..second.stay }, changed).await
}

/// Changes arrival and departure; what is `None` stays as it is. A departed stay can be extended.
///
/// # Errors
/// `NOT_FOUND`, `INVALID_ARGUMENT`, `RESERVATION_CANCELLED`
pub async fn change_dates_in(tx: &mut Tx, stay: Uuid, from: Option<NaiveDate>, to: Option<NaiveDate>) -> Result<()> {
    let locked = lock_in(tx, stay, "roomStayId").await?;
    require_not_cancelled(&locked)?;
    let stay = locked.stay;
    let nights = Nights::new(from.unwrap_or(stay.reservation_from), to.unwrap_or(stay.reservation_to))?;
    let mut changed = Vec::new();
    if nights.from != stay.reservation_from {
        changed.push("reservation_from");
    }
    if nights.to != stay.reservation_to {
        changed.push("reservation_to");
    }
    let hotel = tx.actor.hotel.id;
    hotels::raise_longest_stay(tx.conn().await?, hotel, nights.count()).await?;
    write(tx, &RoomStay { reservation_from: nights.from, reservation_to: nights.to, ..stay }, changed).await
}

/// Splits a stay in two that meet on a day. The first part keeps id and presence; the second gets the same key, the same
/// guests, and a late check-out if one was agreed on.
///
/// # Errors
/// `NOT_FOUND`, `INVALID_ARGUMENT`, `RESERVATION_CANCELLED`, `ROOM_STAY_DEPARTED`
pub async fn split_in(tx: &mut Tx, stay: Uuid, split: SplitStay) -> Result<Uuid> {
    let LockedStay { stay, .. } = lock_open_in(tx, stay, "roomStayId").await?;
    if split.date <= stay.reservation_from || split.date >= stay.reservation_to {
        return Err(Error::new(Message::SplitDateOutOfRange).at("date"));
    }
    if stay.check_out.is_some() {
        return Err(Error::new(Message::GuestCheckedOut).at("roomStayId"));
    }
    if let Some(room) = split.room_setup_id.flatten() {
        rooms::require_room_setup_in(tx, room).await?;
    }
    let (hotel, now) = (tx.actor.hotel.clone(), tx.now);
    let id = tx.context.ids.uuid(now);
    let second = RoomStay {
        id,
        room_setup_id: split.room_setup_id.unwrap_or(stay.room_setup_id),
        reservation_from: split.date,
        check_in: None,
        ..stay.clone()
    };
    let details = store::details(tx.conn().await?, hotel.id, stay.id).await?;
    let details = StayDetails { created_at: now, updated_at: now, ..details };
    store::insert(tx.conn().await?, &hotel, &second, &details).await?;
    store::copy_guests(tx.conn().await?, hotel.id, stay.id, id).await?;
    let (first, key) = (stay.id, stay.room_access_key);
    let mut changed = vec!["reservation_to"];
    if stay.departure_time.is_some() {
        changed.push("departureTime");
    }
    write(tx, &RoomStay { reservation_to: split.date, departure_time: None, ..stay }, changed).await?;
    tx.emit(CREATED.of(id).split_from(first));
    tx.audit(Entry::created(ObjectType::RoomStay, id).with(ObjectType::RoomStay, first));
    if let Some(key) = key {
        tx.audit(key_entry(id, key.id));
    }
    Ok(id)
}

/// Deletes a stay. Its key is unassigned and, if that was the key's last stay, deleted two days later.
///
/// # Errors
/// `NOT_FOUND`
pub async fn delete_in(tx: &mut Tx, stay: Uuid) -> Result<()> {
    let LockedStay { stay, .. } = lock_in(tx, stay, "roomStayId").await?;
    let hotel = tx.actor.hotel.id;
    store::delete(tx.conn().await?, hotel, stay.id).await?;
    tx.emit(DELETED.of(stay.id));
    if let Some(key) = stay.room_access_key {
        room_access_keys::unassigned_in(tx, key.id).await?;
        tx.audit(Entry::deleted(ObjectType::RoomStay, stay.id).with(ObjectType::RoomAccessKey, key.id));
    }
    Ok(())
}

/// Agrees on a late check-out at a local time of the day of departure; an outer `None` leaves it as it is, an inner one takes
/// it back.
///
/// # Errors
/// `NOT_FOUND`, `RESERVATION_CANCELLED`
pub async fn set_departure_time_in(tx: &mut Tx, stay: Uuid, departure_time: Option<Option<NaiveTime>>) -> Result<()> {
    let locked = lock_in(tx, stay, "roomStayId").await?;
    require_not_cancelled(&locked)?;
    let departure_time = departure_time.unwrap_or(locked.stay.departure_time);
    let changed = if locked.stay.departure_time == departure_time { vec![] } else { vec!["departureTime"] };
    write(tx, &RoomStay { departure_time, ..locked.stay }, changed).await
}

/// Records or corrects physical arrival and departure; an outer `None` leaves it as it is, an inner one takes it back.
///
/// # Errors
/// `NOT_FOUND`, `INVALID_ARGUMENT` when the departure lies before the arrival or there is no arrival, `RESERVATION_CANCELLED`
pub async fn record_presence_in(
    tx: &mut Tx,
    stay: Uuid,
    check_in: Option<Option<DateTime<Utc>>>,
    check_out: Option<Option<DateTime<Utc>>>,
) -> Result<()> {
    let locked = lock_in(tx, stay, "id").await?;
    require_not_cancelled(&locked)?;
    let stay = locked.stay;
    for (given, name) in [(check_in, "check_in"), (check_out, "check_out")] {
        given.flatten().map_or(Ok(()), |instant| tx.actor.hotel.require_within_years(instant)).at(name)?;
    }
    let takes_arrival_back = check_in == Some(None);
    let check_in = check_in.unwrap_or(stay.check_in);
    let check_out = check_out.unwrap_or(stay.check_out);
    match (check_in, check_out) {
        (None, Some(_)) if takes_arrival_back => {
            return Err(Error::new(Message::ArrivalHasDeparture).at("check_in"));
        }
        (None, Some(_)) => {
            return Err(Error::new(Message::DepartureWithoutArrival).at("check_out"));
        }
        (Some(arrival), Some(departure)) if departure < arrival => {
            return Err(Error::new(Message::DepartureBeforeArrival).at("check_out"));
        }
        _ => {}
    }
    let mut changed = Vec::new();
    if check_in != stay.check_in {
        changed.push("check_in");
    }
    if check_out != stay.check_out {
        changed.push("check_out");
    }
    write(tx, &RoomStay { check_in, check_out, ..stay }, changed).await
}

async fn lock_open_in(tx: &mut Tx, stay: Uuid, argument: &'static str) -> Result<LockedStay> {
    let locked = lock_in(tx, stay, argument).await?;
    require_not_cancelled(&locked)?;
    require_not_departed(tx, &locked.stay)?;
    Ok(locked)
}

/// Writes a stay of which the named fields changed, if any did.
async fn write(tx: &mut Tx, stay: &RoomStay, changed: Vec<&'static str>) -> Result<()> {
    if changed.is_empty() {
        return Ok(());
    }
    let (hotel, now) = (tx.actor.hotel.clone(), tx.now);
    store::update(tx.conn().await?, &hotel, stay, now).await?;
    tx.emit(UPDATED.of(stay.id).with_fields(changed));
    Ok(())
}
