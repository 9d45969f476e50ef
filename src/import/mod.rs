//! Bookings from a file: the format of the public hotel booking data, read into one hotel (docs/IMPORT.md).
//!
//! Reading (`format`, `booking`), telling bookings apart (`identity`), finding rooms (`rooms`) and mapping (`mapping`) are
//! pure; only `store` touches the database. Everything that the file does not tell is derived from what it
//! does tell, so that a second run makes the same records and changes nothing.
//!
//! An import is one transaction: a crash or an error leaves nothing behind. It writes only what differs, so it gets in the
//! way of requests only where it changes something. It never touches room access keys, and what the front desk adds to a
//! record (notes, a late check-out, more guests) stays.

mod booking;
mod columns;
pub(crate) mod derive;
pub(crate) mod format;
mod identity;
mod mapping;
mod people;
pub(crate) mod records;
pub(crate) mod rooms;
pub(crate) mod store;

use std::collections::{BTreeSet, HashMap};
use std::io::Read;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::app::App;
use crate::audit::{Entry, Journal, ObjectType};
use crate::error::{Error, Result};
use crate::events::{self, Change, EventActor};
use crate::hotels::{self, Hotel};
use crate::room_stays;
use crate::text;
use booking::{Booking, Outcome};
use derive::Derived;
pub use format::BadLine;
use identity::Identified;
use mapping::Records;
use records::CategoryRecord;
use rooms::RoomPlan;
use store::Written;

/// Rooms of one type that an import makes at most, unless told otherwise.
pub const MAX_ROOMS_PER_TYPE: usize = 250;
/// Records that one statement writes.
const BATCH: usize = 1_000;

/// What to read, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The hotel whose lines are read, by its name in the column `hotel`; needed when the file holds several.
    pub hotel: Option<String>,
    /// Weeks by which all dates are moved; negative moves them back.
    pub shift_weeks: i32,
    /// Beyond so many rooms of a type, stays share rooms.
    pub max_rooms_per_type: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { hotel: None, shift_weeks: 0, max_rooms_per_type: MAX_ROOMS_PER_TYPE }
    }
}

/// How far an import is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Records written or found unchanged.
    pub done: usize,
    /// Records of the whole file.
    pub total: usize,
}

/// What happened to the records of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// New.
    pub created: u64,
    /// Different from before.
    pub changed: u64,
    /// As before.
    pub unchanged: u64,
}

impl Counts {
    fn add(&mut self, batch: usize, written: &[Written]) {
        let created = written.iter().filter(|record| record.created).count();
        self.created += created as u64;
        self.changed += (written.len() - created) as u64;
        self.unchanged += (batch - written.len()) as u64;
    }
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Lines that were left out.
    pub bad_lines: Vec<BadLine>,
    /// Room stays: one per line.
    pub room_stays: Counts,
    /// Reservations.
    pub reservations: Counts,
    /// Guests, agencies and companies.
    pub clients: Counts,
    /// Rooms that were added.
    pub rooms_created: usize,
    /// Stays that share their room with another one because the cap was reached.
    pub double_booked: u64,
}

/// Reads a file into `hotel`, in a transaction of its own that ends with the events of what it changed.
///
/// # Errors
/// `INVALID_ARGUMENT` when the file as a whole cannot be used. A bad line is no error; it is in the summary.
pub async fn import(
    app: &App,
    hotel: &Hotel,
    reader: impl Read,
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Summary> {
    let file = format::read(reader, options)?;
    let mut transaction = app.worker_pool.begin().await?;
    store::lift_time_limits(&mut transaction).await?;
    let now = app.clock.now();
    let Imported { summary, changes, entries } =
        import_in(&mut transaction, hotel, now, file, options, progress).await?;
    let (ids, actor, journal) = (&app.ids, EventActor::Import, Journal::of(entries));
    let written = events::write_with_in(&mut transaction, ids, hotel.id, actor, now, &changes, &journal);
    let deliveries = written.await?;
    transaction.commit().await?;
    if deliveries > 0 {
        app.deliveries_wake.notify_one();
    }
    Ok(summary)
}

/// What an import did: what changed is for the caller to tell.
pub(crate) struct Imported {
    summary: Summary,
    changes: Vec<Change>,
    /// For the audit trail: one for each record.
    entries: Vec<Entry>,
}

/// Writes the bookings of a file into `hotel`, in the caller's transaction, and tells what changed.
pub(crate) async fn import_in(
    conn: &mut PgConnection,
    hotel: &Hotel,
    now: DateTime<Utc>,
    file: format::Bookings,
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Imported> {
    // One import per hotel at a time: two would give the same rooms away.
    store::lock_imports(conn, hotel.id).await?;
    let mut summary = Summary { bad_lines: file.bad_lines, ..Summary::default() };
    let mut entries = Vec::new();
    let categories = categories(conn, hotel, now, &file.bookings, &mut entries).await?;
    let identities = identity::identify(hotel.id, &file.bookings);
    let mut plan = RoomPlan::new(hotel.id, store::rooms(conn, hotel.id).await?, options.max_rooms_per_type.max(1));
    let rooms = assign_rooms(conn, hotel, &mut plan, &identities.bookings, &categories).await?;
    store::insert_rooms(conn, hotel.id, &plan.added, now).await?;
    entries.extend(plan.added.iter().map(|room| Entry::created(ObjectType::RoomSetup, room.id)));
    summary.rooms_created = plan.added.len();
    summary.double_booked = plan.double_booked;

    let records = mapping::map(hotel, now, &identities.bookings, &categories, &rooms);
    let written = write(conn, hotel, now, &records, &mut summary, progress).await?;
    entries.extend(written.new_clients.into_iter().map(|id| Entry::created(ObjectType::Client, id)));
    entries.extend(written.changes.iter().map(Entry::from));
    let deleted = store::delete_empty_reservations(conn, hotel.id, &identities.unneeded_reservations).await?;
    entries.extend(deleted.into_iter().map(|id| Entry::deleted(ObjectType::Reservation, id)));
    let longest = file.bookings.iter().map(Booking::nights).max().unwrap_or_default();
    hotels::store::raise_longest_stay(conn, hotel.id, longest).await?;
    if summary.room_stays.changed > 0 {
        // Keys come off stays by their dates, and by the hotel's times as they are now.
        let hotel = hotels::store::lock(conn, hotel.id).await?;
        room_stays::store::renew_key_due(conn, &hotel).await?;
    }
    Ok(Imported { summary, changes: written.changes, entries })
}

/// Makes the categories of the file's room types. Room types by name.
async fn categories(
    conn: &mut PgConnection,
    hotel: &Hotel,
    now: DateTime<Utc>,
    bookings: &[Booking],
    entries: &mut Vec<Entry>,
) -> Result<HashMap<String, Uuid>> {
    let types: BTreeSet<&str> =
        bookings.iter().flat_map(|booking| [booking.reserved_type.as_str(), booking.assigned_type.as_str()]).collect();
    let category = |room_type: &&str| CategoryRecord {
        id: Derived::of(hotel.id, &["category", room_type]).uuid(),
        name: format!("Room type {room_type}"),
        description: format!("Rooms of type {room_type} of the imported bookings"),
    };
    let wanted: Vec<CategoryRecord> = types.iter().map(category).collect();
    let (known, made) = store::ensure_categories(conn, hotel.id, &wanted, now).await?;
    entries.extend(made.into_iter().map(|id| Entry::created(ObjectType::Category, id)));
    let found = |category: &CategoryRecord| {
        // The front desk may have given it another name, or another category its name.
        let by_id = known.iter().find(|(_, id)| *id == category.id);
        by_id.or_else(|| known.iter().find(|(name, _)| text::same(name, &category.name))).map(|(_, id)| *id)
    };
    types
        .into_iter()
        .zip(&wanted)
        .map(|(room_type, category)| {
            let id = found(category).ok_or_else(|| Error::internal("a category was neither made nor found"))?;
            Ok((room_type.to_owned(), id))
        })
        .collect()
}

/// Gives every booking that is not cancelled a room. A stay keeps the room it has as long as type and dates are the same,
/// so one changed line does not send other guests to other rooms.
async fn assign_rooms(
    conn: &mut PgConnection,
    hotel: &Hotel,
    plan: &mut RoomPlan,
    bookings: &[Identified<'_>],
    categories: &HashMap<String, Uuid>,
) -> Result<Vec<Option<Uuid>>> {
    let Some(first_arrival) = bookings.iter().map(|one| one.booking.arrival).min() else { return Ok(Vec::new()) };
    let mut present: HashMap<Uuid, store::Occupied> =
        store::occupied(conn, hotel.id, first_arrival).await?.into_iter().map(|stay| (stay.stay_id, stay)).collect();
    let before: Vec<Option<store::Occupied>> = bookings.iter().map(|one| present.remove(&one.stay_id)).collect();
    for other in present.into_values() {
        plan.occupy(other.room_id, other.from, other.to);
    }

    let mut rooms = vec![None; bookings.len()];
    let mut waiting = Vec::new();
    for (index, Identified { booking, .. }) in bookings.iter().enumerate() {
        if booking.outcome == Outcome::Cancelled {
            continue;
        }
        let kept = before[index].as_ref().filter(|stay| {
            (stay.from, stay.to) == (booking.arrival, booking.departure)
                && plan.is_of(stay.room_id, categories[&booking.assigned_type])
        });
        if let Some(stay) = kept {
            plan.occupy(stay.room_id, stay.from, stay.to);
            rooms[index] = Some(stay.room_id);
        } else {
            waiting.push(index);
        }
    }
    waiting.sort_by_key(|index| bookings[*index].booking.arrival);
    for index in waiting {
        let booking = bookings[index].booking;
        let preferred = before[index].as_ref().map(|stay| stay.room_id);
        let room_type = (booking.assigned_type.as_str(), categories[&booking.assigned_type]);
        rooms[index] = Some(plan.assign(room_type, preferred, booking.arrival, booking.departure));
    }
    Ok(rooms)
}

/// What was written: new clients, which are no event, and changes.
#[derive(Default)]
struct Done {
    new_clients: Vec<Uuid>,
    changes: Vec<Change>,
}

async fn write(
    conn: &mut PgConnection,
    hotel: &Hotel,
    now: DateTime<Utc>,
    records: &Records,
    summary: &mut Summary,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Done> {
    let mut all = Done::default();
    let total = records.clients.len() + records.reservations.len() + records.stays.len();
    let mut done = 0;
    let mut step = |written: usize| {
        done += written;
        progress(Progress { done, total });
    };
    for batch in records.clients.chunks(BATCH) {
        store::forget_plans(conn).await?;
        let written = store::write_clients(conn, hotel.id, batch, now).await?;
        summary.clients.add(batch.len(), &written);
        for Written { id, created, .. } in written {
            if created { all.new_clients.push(id) } else { all.changes.push(Change::ClientUpdated { id }) }
        }
        step(batch.len());
    }
    for batch in records.reservations.chunks(BATCH) {
        store::forget_plans(conn).await?;
        let written = store::write_reservations(conn, hotel.id, batch, now).await.map_err(code_taken)?;
        summary.reservations.add(batch.len(), &written);
        all.changes.extend(written.into_iter().map(|Written { id, created, fields }| {
            if created { Change::ReservationCreated { id } } else { Change::reservation_updated(id, fields) }
        }));
        step(batch.len());
    }
    for batch in records.stays.chunks(BATCH) {
        store::forget_plans(conn).await?;
        let written = store::write_stays(conn, hotel.id, batch, now).await?;
        summary.room_stays.add(batch.len(), &written);
        all.changes.extend(written.into_iter().map(|Written { id, created, fields }| {
            if created { Change::RoomStayCreated { id } } else { Change::room_stay_updated(id, fields) }
        }));
        step(batch.len());
    }
    Ok(all)
}

fn code_taken(error: sqlx::Error) -> Error {
    match crate::error::violated_constraint(&error) {
        Some("reservations_hotel_id_code_key" | "reservations_hotel_id_code_folded_key") => {
            Error { source: Some(Box::new(error)), ..Error::of(crate::error::ErrorCode::CodeTaken) }
        }
        _ => error.into(),
    }
}
