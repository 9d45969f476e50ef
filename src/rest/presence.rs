//! Presence, who is in the house: `/guests/update`, `/guests/checkout`, `/guests/sync`.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::check_in::{
    CheckedIn, Effect, Meant, check_in_in, fit, guest_in, guests_in, rearrange_in, rename_in, room_id_in,
};
use super::fields::{CheckIn, CheckOut, InHouse, Update};
use super::store::{self, Guest, Which};
use crate::error::{Error, ErrorAt, Message, Record, Result};
use crate::unit::Tx;
use crate::{bookings, reservations, room_stays, text};

/// A guest, and what changed: by field, from what and to what.
pub(super) async fn update_in(tx: &mut Tx, input: &Update) -> Result<(Guest, Map<String, Value>)> {
    let reservation = find_in(tx, &input.id).await?;
    reservations::lock_open_in(tx, reservation).await?;
    let current = |guest: &Guest| (guest.checked_out_at.is_some(), guest.checked_in_at.is_none(), guest.check_in_date);
    let before = guests_in(tx, reservation).await?.into_iter().min_by_key(current).ok_or_else(not_found)?;
    let room = match &input.room_number {
        Some(name) => Some(room_id_in(tx, name).await?),
        None => None,
    };
    let guest = rearrange_in(tx, &before, input.check_in_date, input.check_out_date, room).await?;
    rename_in(tx, &guest, input.last_name.as_deref(), &input.contact).await?;
    let after = guest_in(tx, before.stay).await?;
    let changes = changes(&before, &after);
    Ok((after, changes))
}

fn changes(before: &Guest, after: &Guest) -> Map<String, Value> {
    let texts = |guest: &Guest| {
        [
            ("firstName", guest.first_name.clone()),
            ("lastName", Some(guest.last_name.clone())),
            ("email", guest.email.clone()),
            ("phone", guest.phone.clone()),
            ("language", guest.language.clone()),
            ("roomNumber", guest.room_number.clone()),
            ("checkInDate", Some(text(guest.check_in_date))),
            ("checkOutDate", Some(text(guest.check_out_date))),
        ]
    };
    let pairs = texts(before).into_iter().zip(texts(after)).filter(|(from, to)| from.1 != to.1);
    pairs.map(|((name, from), (_, to))| (name.to_owned(), json!({"from": from, "to": to}))).collect()
}

fn text(date: NaiveDate) -> String {
    date.to_string()
}

/// The guest's rooms that were given back, and whether they had been before.
pub(super) async fn check_out_in(tx: &mut Tx, input: &CheckOut) -> Result<(Vec<Guest>, bool)> {
    let reservation = find_in(tx, &input.id).await?;
    let mut guests = guests_in(tx, reservation).await?;
    if let Some(room) = &input.room_number {
        guests.retain(|guest| guest.room_number.as_deref().is_some_and(|name| text::same(name, room)));
        if guests.is_empty() {
            return Err(Error::not_found(Record::Room).at("roomNumber"));
        }
    }
    let in_house: Vec<Uuid> = guests.iter().filter(|guest| guest.in_house()).map(|guest| guest.stay).collect();
    if in_house.is_empty() {
        guests.retain(|guest| guest.checked_out_at.is_some());
        if guests.is_empty() {
            return Err(Error::new(Message::GuestNotCheckedIn).at("pmsGuestId"));
        }
        return Ok((guests, true));
    }
    let mut gone = Vec::with_capacity(in_house.len());
    for stay in in_house {
        gone.push(leave_in(tx, stay).await?);
    }
    Ok((gone, false))
}

async fn leave_in(tx: &mut Tx, stay: Uuid) -> Result<Guest> {
    let now = tx.now;
    room_stays::record_presence_in(tx, stay, None, Some(Some(now))).await?;
    guest_in(tx, stay).await
}

/// What a synchronisation did.
#[derive(Default)]
pub(super) struct Synchronised {
    /// Guests who were in the house and are not on the list.
    pub checked_out: Vec<Guest>,
    /// Guests who were not in the house and are on the list.
    pub checked_in: Vec<Guest>,
    /// Guests of whom something else changed.
    pub updated: Vec<Guest>,
    /// How many are as they were.
    pub unchanged: usize,
}

/// Brings who is in the house in line with a list: first those leave who are not on it, so that their rooms are free,
/// then those on it arrive or change. Each entry means one stay; a guest in two rooms has two.
pub(super) async fn synchronise_in(tx: &mut Tx, list: &InHouse) -> Result<Synchronised> {
    let entries = entries_in(tx, &list.guests).await?;
    let meant = meant_in(tx, &entries).await?;
    let listed: BTreeSet<Uuid> = meant.values().copied().collect();
    let (hotel, integration) = (tx.actor.hotel.id, tx.actor.integration()?);
    let everybody = Which::InHouse { after: Uuid::nil(), limit: i64::MAX };
    let mut done = Synchronised { unchanged: list.guests.len() - entries.len(), ..Synchronised::default() };
    for guest in store::guests(tx.conn().await?, hotel, integration, everybody).await? {
        if !listed.contains(&guest.stay) {
            done.checked_out.push(leave_in(tx, guest.stay).await?);
        }
    }
    let mut told = BTreeSet::new();
    for ListEntry { index, guest, .. } in entries {
        tx.begin_act(guest.reason.clone().or_else(|| list.reason.clone()));
        let meant = meant.get(&index).map_or(Meant::Another, |stay| Meant::Stay(*stay));
        let checked_in = check_in_in(tx, guest, meant, &mut told).await.at(index).at("guests")?;
        let CheckedIn { guest, effect, .. } = checked_in;
        match effect {
            Effect::Arrived => done.checked_in.push(guest),
            Effect::Changed => done.updated.push(guest),
            Effect::Nothing => done.unchanged += 1,
        }
    }
    Ok(done)
}

/// An entry of a list, and what it is about.
struct ListEntry<'a> {
    /// Its place in the list.
    index: usize,
    guest: &'a CheckIn,
    /// The reservation that its id leads to, where there is one yet.
    reservation: Option<Uuid>,
    room: Uuid,
}

/// The entries of a list; what is said twice counts once. One guest may be called in two ways: by a code in other letters, or
/// by an external id and a code.
///
/// # Errors
/// `INVALID_ARGUMENT` for a guest of whom two things are said about one room: they would take turns for ever. `NOT_FOUND`
/// for a room.
async fn entries_in<'a>(tx: &mut Tx, guests: &'a [CheckIn]) -> Result<Vec<ListEntry<'a>>> {
    let mut said: HashMap<(Option<Uuid>, String, Uuid), &CheckIn> = HashMap::new();
    let mut entries = Vec::with_capacity(guests.len());
    for (index, guest) in guests.iter().enumerate() {
        let room = room_id_in(tx, &guest.room_number).await.at(index).at("guests")?;
        let reservation = bookings::find_in(tx, &guest.id).await?.map(|(reservation, _)| reservation);
        let new = if reservation.is_none() { text::fold(&guest.id) } else { String::new() };
        match said.entry((reservation, new, room)) {
            Entry::Vacant(place) => {
                place.insert(guest);
                entries.push(ListEntry { index, guest, reservation, room });
            }
            Entry::Occupied(earlier) if says_the_same(earlier.get(), guest) => {}
            Entry::Occupied(_) => {
                return Err(Error::new(Message::GuestInRoomTwice).at("roomNumber").at(index).at("guests"));
            }
        }
    }
    Ok(entries)
}

/// Whether two entries about one guest and room say the same, however they call both.
fn says_the_same(one: &CheckIn, other: &CheckIn) -> bool {
    let CheckIn { id, room_number, .. } = one.clone();
    *one == CheckIn { id, room_number, ..other.clone() }
}

/// The stays that entries of a list mean, by their places in it. Of a reservation, the stays in the rooms that are told come first;
/// other entries move one that is left. An entry without a stay means one that is still to be made.
async fn meant_in(tx: &mut Tx, entries: &[ListEntry<'_>]) -> Result<BTreeMap<usize, Uuid>> {
    let today = tx.actor.hotel.today(tx.now);
    let mut of_reservation: BTreeMap<Uuid, Vec<(usize, Uuid)>> = BTreeMap::new();
    for ListEntry { index, reservation, room, .. } in entries {
        if let Some(reservation) = reservation {
            of_reservation.entry(*reservation).or_default().push((*index, *room));
        }
    }
    let mut meant = BTreeMap::new();
    for (reservation, entries) in of_reservation {
        let mut stays = guests_in(tx, reservation).await?;
        for in_its_room in [true, false] {
            for (index, room) in &entries {
                let fits = |place: &usize| !in_its_room || stays[*place].room == Some(*room);
                let best = (0..stays.len()).filter(fits).min_by_key(|place| fit(&stays[*place], *room, today));
                if !meant.contains_key(index)
                    && let Some(place) = best
                {
                    meant.insert(*index, stays.remove(place).stay);
                }
            }
        }
    }
    Ok(meant)
}

async fn find_in(tx: &mut Tx, id: &str) -> Result<Uuid> {
    Ok(bookings::find_in(tx, id).await?.ok_or_else(not_found)?.0)
}

fn not_found() -> Error {
    Error::not_found(Record::Guest).at("pmsGuestId")
}
