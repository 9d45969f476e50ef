//! Check-in: `/guests/checkin`, and each entry of `/guests/sync`.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use uuid::Uuid;

use super::fields::{CheckIn, Contact};
use super::store::{self, Guest, Which};
use crate::bookings::{self, Booker, ImportedReservation, NewReservation};
use crate::clients::{self, ClientChange, ClientDetails, ClientKind, DetailsChange};
use crate::error::{Error, ErrorCode, Message, Record, Result};
use crate::reservations::{self, ReservationChange, ReservationStatus};
use crate::room_stays::{self, AgeGroups, NewStay};
use crate::unit::Tx;
use crate::{rooms, text};

/// What came of a check-in.
pub(super) struct CheckedIn {
    /// The guest, as it is now.
    pub guest: Guest,
    /// Whether the reservation was made for it.
    pub created: bool,
    /// What it did.
    pub effect: Effect,
    /// Whether somebody else is in the room.
    pub room_occupied: bool,
}

/// What a check-in did.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// The guest was not in the house before.
    Arrived,
    /// The guest was, and something else changed.
    Changed,
    /// All was so already.
    Nothing,
}

/// Which stay of a reservation a guest checks in to.
#[derive(Clone, Copy)]
pub(super) enum Meant {
    /// The one that fits best.
    Best,
    /// That one.
    Stay(Uuid),
    /// One that the reservation does not have yet.
    Another,
}

/// A room of the hotel.
struct Room {
    id: Uuid,
    category: Uuid,
}

/// Finds or makes the reservation and its stay, brings dates, room and guest in line, and records the arrival. Checking
/// in a guest who is in the house changes only what differs; one who was checked out is back in the house. Clients that are
/// `told` already keep their name and contact; others are told now.
pub(super) async fn check_in_in(
    tx: &mut Tx,
    input: &CheckIn,
    meant: Meant,
    told: &mut BTreeSet<Uuid>,
) -> Result<CheckedIn> {
    let room = find_room_in(tx, &input.room_number).await?;
    let today = tx.actor.hotel.today(tx.now);
    if input.check_out_date < today {
        return Err(Error::new(Message::CheckOutDatePassed).at("checkOutDate"));
    }
    if input.check_in_date.is_some_and(|from| from > input.check_out_date) {
        return Err(Error::new(Message::CheckOutDateBeforeCheckIn).at("checkOutDate"));
    }
    let (before, created) = match bookings::find_in(tx, &input.id).await? {
        Some((reservation, imported)) => {
            (find_stay_in(tx, reservation, imported, &room, input, (meant, today)).await?, false)
        }
        None => (create_in(tx, &room, input, today).await?, true),
    };
    let from = input.check_in_date.or((input.check_out_date < before.check_in_date).then_some(today));
    let guest = rearrange_in(tx, &before, from, Some(input.check_out_date), Some(room.id)).await?;
    if guest.is_company || told.insert(guest.client) {
        rename_in(tx, &guest, Some(&input.last_name), &input.contact).await?;
    }
    let arrives = guest.checked_in_at.is_none().then_some(Some(tx.now));
    let back = guest.checked_out_at.is_some().then_some(None);
    room_stays::record_presence_in(tx, guest.stay, arrives, back).await?;
    let guest = guest_in(tx, before.stay).await?;
    let hotel = tx.actor.hotel.id;
    let room_occupied = store::is_occupied(tx.conn().await?, hotel, room.id, guest.stay).await?;
    let effect = match (before.in_house(), guest == before) {
        (false, _) => Effect::Arrived,
        (true, false) => Effect::Changed,
        (true, true) => Effect::Nothing,
    };
    Ok(CheckedIn { guest, created, effect, room_occupied })
}

/// The stay of a reservation that a guest checks in to: the one that is meant, which is added where there is none.
async fn find_stay_in(
    tx: &mut Tx,
    reservation: Uuid,
    imported: bool,
    room: &Room,
    input: &CheckIn,
    (meant, today): (Meant, NaiveDate),
) -> Result<Guest> {
    reservations::lock_open_in(tx, reservation).await?;
    if !imported {
        require_name_in(tx, reservation, &input.last_name).await?;
    }
    let mut guests = guests_in(tx, reservation).await?;
    let found = match meant {
        Meant::Best => (0..guests.len()).min_by_key(|index| fit(&guests[*index], room.id, today)),
        Meant::Stay(stay) => guests.iter().position(|guest| guest.stay == stay),
        Meant::Another => None,
    };
    if let Some(index) = found {
        return Ok(guests.swap_remove(index));
    }
    let client = match guests.iter().find(|guest| is_who(guest, input)) {
        Some(guest) => guest.client,
        None => new_client_in(tx, &input.last_name, &input.contact).await?,
    };
    let stay = room_stays::add_in(tx, reservation, new_stay(room, input, today, client)).await?;
    guest_in(tx, stay).await
}

/// How well a stay fits a guest who checks in to a room; the least fits best: not checked out, in that room, and about now.
pub(super) fn fit(guest: &Guest, room: Uuid, today: NaiveDate) -> (bool, bool, i64) {
    (guest.checked_out_at.is_some(), guest.room != Some(room), (guest.check_in_date - today).num_days().abs())
}

/// Whether somebody who checks in is the guest of another room, as far as the body says.
fn is_who(guest: &Guest, input: &CheckIn) -> bool {
    let Contact { first_name, email, phone, language } = &input.contact;
    let agrees = |told: &Option<String>, known: &Option<String>| told.is_none() || told == known;
    !guest.is_company
        && text::same(&guest.last_name, &input.last_name)
        && agrees(first_name, &guest.first_name)
        && agrees(email, &guest.email)
        && agrees(phone, &guest.phone)
        && (language.is_none() || language.as_deref().and_then(|given| clients::language(given).ok()) == guest.language)
}

/// A code is no secret: the guest has to be the reservation's.
async fn require_name_in(tx: &mut Tx, reservation: Uuid, last_name: &str) -> Result<()> {
    let hotel = tx.actor.hotel.id;
    let names = store::last_names(tx.conn().await?, hotel, reservation).await?;
    if names.iter().any(|name| text::same(name, last_name)) {
        return Ok(());
    }
    Err(Error::new(Message::NameNotOfReservation).at("lastName"))
}

async fn create_in(tx: &mut Tx, room: &Room, input: &CheckIn, today: NaiveDate) -> Result<Guest> {
    let client = new_client_in(tx, &input.last_name, &input.contact).await?;
    let new = NewReservation {
        code: Some(input.id.clone()),
        client: Booker::Existing(client),
        stays: vec![new_stay(room, input, today, client)],
        booker_stays: false,
        details: ReservationChange::default(),
    };
    let status = ReservationStatus::Active;
    let import = ImportedReservation { external_id: input.id.clone(), status, new };
    let made = bookings::import_in(tx, import).await;
    let id = made.map_err(|error| match error.code {
        // Somebody else made it since it was looked for. Run again, it is found.
        ErrorCode::CodeTaken => Error { retry: true, ..Error::of(ErrorCode::Unavailable) },
        _ => error,
    })?;
    guests_in(tx, id).await?.pop().ok_or_else(|| Error::internal("a reservation was made without a stay"))
}

fn new_stay(room: &Room, input: &CheckIn, today: NaiveDate, client: Uuid) -> NewStay {
    NewStay {
        category_id: room.category,
        room_setup_id: Some(room.id),
        reservation_from: input.check_in_date.unwrap_or(today),
        reservation_to: input.check_out_date,
        guest_ids: vec![client],
        age_groups: AgeGroups { adults: 1, child1: 0, child2: 0, free: 0 },
        guest_message: None,
        maid_notes: None,
        meal_notes: None,
        rate_code: None,
    }
}

async fn new_client_in(tx: &mut Tx, last_name: &str, contact: &Contact) -> Result<Uuid> {
    let Contact { first_name, email, phone, language } = contact.clone();
    let kind = ClientKind::Person { firstname: first_name, lastname: last_name.to_owned(), birthday: None };
    let details = ClientDetails { email, telephone: phone, language, ..ClientDetails::default() };
    Ok(clients::create_in(tx, kind, details).await?.id)
}

/// Brings dates and room of a stay in line, as far as they are given. The dates first: a stay that is extended may move.
pub(super) async fn rearrange_in(
    tx: &mut Tx,
    guest: &Guest,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    room: Option<Uuid>,
) -> Result<Guest> {
    if from.is_some() || to.is_some() {
        room_stays::change_dates_in(tx, guest.stay, from, to).await?;
    }
    if room.is_some() && room != guest.room {
        room_stays::move_in(tx, guest.stay, Some(room)).await?;
    }
    guest_in(tx, guest.stay).await
}

/// Brings name and contact of a guest in line, as far as they are given. Where a company booked and nobody is on the
/// guest list, the guest is put on it.
pub(super) async fn rename_in(tx: &mut Tx, guest: &Guest, last_name: Option<&str>, contact: &Contact) -> Result<()> {
    if guest.is_company {
        let Some(last_name) = last_name else { return Ok(()) };
        let client = new_client_in(tx, last_name, contact).await?;
        return room_stays::add_guest_in(tx, guest.stay, client).await;
    }
    // Capital letters are often a matter of the sending system alone.
    let other_name = |name: &&str| !text::same(name, &guest.last_name);
    let change = ClientChange {
        firstname: contact.first_name.clone().map(Some),
        lastname: last_name.filter(other_name).map(str::to_owned),
        details: DetailsChange {
            email: contact.email.clone().map(Some),
            telephone: contact.phone.clone().map(Some),
            language: contact.language.clone().map(Some),
            ..DetailsChange::default()
        },
        ..ClientChange::default()
    };
    clients::update_in(tx, guest.client, change).await.map(|_| ())
}

/// The room with that name.
async fn find_room_in(tx: &mut Tx, name: &str) -> Result<Room> {
    let hotel = tx.actor.hotel.id;
    let found = rooms::find_room_setup_called(tx.conn().await?, hotel, name).await?;
    let (id, category) = found.ok_or_else(|| Error::not_found(Record::Room).at("roomNumber"))?;
    Ok(Room { id, category })
}

/// Id of the room with that name.
pub(super) async fn room_id_in(tx: &mut Tx, name: &str) -> Result<Uuid> {
    Ok(find_room_in(tx, name).await?.id)
}

/// Guests of a reservation.
pub(super) async fn guests_in(tx: &mut Tx, reservation: Uuid) -> Result<Vec<Guest>> {
    let (hotel, integration) = (tx.actor.hotel.id, tx.actor.integration()?);
    store::guests(tx.conn().await?, hotel, integration, Which::OfReservation(reservation)).await
}

/// The guest of a stay.
pub(super) async fn guest_in(tx: &mut Tx, stay: Uuid) -> Result<Guest> {
    let (hotel, integration) = (tx.actor.hotel.id, tx.actor.integration()?);
    let guest = store::guests(tx.conn().await?, hotel, integration, Which::OfStay(stay)).await?.pop();
    guest.ok_or_else(|| Error::not_found(Record::RoomStay))
}
