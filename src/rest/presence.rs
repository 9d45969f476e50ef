//! Who is in the house: `/guests/update`, `/guests/checkout`, `/guests/sync`.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::check_in::{CheckedIn, Effect, check_in_in, guest_in, guests_in, rearrange_in, rename_in, room_id_in};
use super::fields::{CheckOut, InHouse, Update};
use super::store::{self, Guest, Which};
use crate::db::Tx;
use crate::error::{Error, ErrorAt, Result};
use crate::{reservations, room_stays};

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
        guests.retain(|guest| guest.room_number.as_ref() == Some(room));
        if guests.is_empty() {
            return Err(Error::not_found("Room").at("roomNumber"));
        }
    }
    let in_house: Vec<Uuid> = guests.iter().filter(|guest| guest.in_house()).map(|guest| guest.stay).collect();
    if in_house.is_empty() {
        guests.retain(|guest| guest.checked_out_at.is_some());
        if guests.is_empty() {
            return Err(Error::invalid("The guest has not checked in").at("pmsGuestId"));
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
/// then those on it arrive or change. Of a reservation that is on the list nobody leaves.
pub(super) async fn synchronise_in(tx: &mut Tx, list: &InHouse) -> Result<Synchronised> {
    let mut listed = BTreeSet::new();
    for guest in &list.guests {
        listed.extend(reservations::find_in(tx, &guest.id).await?.map(|(reservation, _)| reservation));
    }
    let (hotel, integration) = (tx.actor.hotel.id, tx.actor.integration_id);
    let everybody = Which::InHouse { after: Uuid::nil(), limit: i64::MAX };
    let mut done = Synchronised::default();
    for guest in store::guests(tx.conn(), hotel, integration, everybody).await? {
        if !listed.contains(&guest.reservation) {
            done.checked_out.push(leave_in(tx, guest.stay).await?);
        }
    }
    for (index, guest) in list.guests.iter().enumerate() {
        tx.begin_act(guest.reason.clone().or_else(|| list.reason.clone()));
        let CheckedIn { guest, effect, .. } = check_in_in(tx, guest).await.at(index).at("guests")?;
        match effect {
            Effect::Arrived => done.checked_in.push(guest),
            Effect::Changed => done.updated.push(guest),
            Effect::Nothing => done.unchanged += 1,
        }
    }
    Ok(done)
}

async fn find_in(tx: &mut Tx, id: &str) -> Result<Uuid> {
    Ok(reservations::find_in(tx, id).await?.ok_or_else(not_found)?.0)
}

fn not_found() -> Error {
    Error::not_found("Guest").at("pmsGuestId")
}
