//! Bookings from a file, read into one hotel (docs/IMPORT.md): its own, or those of the public hotel booking data.
//!
//! `file` divides bytes into lines. What is in them is for `own`, a hotel's own bookings, or for the public data: reading
//! (`format`, `booking`), telling bookings apart (`identity`), finding rooms (`rooms`) and mapping (`mapping`). All of that is
//! pure; only `store` files touch the database. What the public data does not tell is derived from what it
//! does tell, so that a second run makes the same records and changes nothing.
//!
//! An import is one transaction: a crash or an error leaves nothing behind. It writes only what differs, so it gets in the
//! way of requests only where it changes something. It never touches room access keys, and what the front desk adds to a
//! record (notes, a late check-out, more guests) stays.

mod booking;
mod columns;
mod file;
pub(crate) mod format;
mod identity;
mod mapping;
mod own;
mod people;
pub(crate) mod records;
pub(crate) mod rooms;
mod store;

use std::collections::{BTreeSet, HashMap};
use std::io::Read;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use csv::StringRecord;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::actor::{IMPORT, Principal};
use crate::audit::{Entry, ObjectType};
use crate::derive::Derived;
use crate::error::{Error, Message, Result};
use crate::events::Change;
use crate::hotels::{self, Hotel};
use crate::text;
use crate::unit::{Transactions, Tx};
use crate::{clients, reservations, room_stays};
use booking::{Booking, BookingStatus};
pub use file::BadLine;
use identity::Identified;
use mapping::Records;
pub use own::DateOrder;
use records::CategoryRecord;
use rooms::RoomPlan;
use store::Written;
pub(crate) use store::{
    ensure_categories, insert_rooms, lift_time_limits, write_clients, write_reservations, write_stays,
};

/// Rooms of one type that an import makes at most, unless told otherwise.
pub const MAX_ROOMS_PER_TYPE: usize = 250;
/// Records that one statement writes.
const BATCH: usize = 1_000;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A hotel's own bookings.
    Own,
    /// Those of the public hotel booking data.
    HotelBookings,
}

/// What to read, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the file holds; told by its header row when absent.
    pub format: Option<Format>,
    /// Own bookings: columns and how the file calls them, where it does so in its own way.
    pub columns: Vec<(String, String)>,
    /// Own bookings: the order of day and month, where the file does not tell.
    pub dates: Option<DateOrder>,
    /// Own bookings: make the rooms and categories that the hotel lacks.
    pub create_rooms: bool,
    /// Write nothing, and tell what would be written.
    pub dry_run: bool,
    /// Public data: the hotel whose lines are read, by its name in the column `hotel`; needed when the file holds several.
    pub hotel: Option<String>,
    /// Public data: weeks by which all dates are moved; negative moves them back.
    pub shift_weeks: i32,
    /// Public data: beyond so many rooms of a type, stays share rooms.
    pub max_rooms_per_type: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            format: None,
            columns: Vec::new(),
            dates: None,
            create_rooms: false,
            dry_run: false,
            hotel: None,
            shift_weeks: 0,
            max_rooms_per_type: MAX_ROOMS_PER_TYPE,
        }
    }
}

impl Options {
    /// What a file with that header row holds.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when the options are for another format.
    fn format_of(&self, header: &StringRecord) -> Result<Format> {
        let public = columns::are_of(header) || self.hotel.is_some();
        let format = self.format.unwrap_or(if public { Format::HotelBookings } else { Format::Own });
        let foreign = match format {
            Format::Own => [(self.hotel.is_some(), "--hotel"), (self.shift_weeks != 0, "--shift-weeks")].to_vec(),
            Format::HotelBookings => [
                (!self.columns.is_empty(), "--column"),
                (self.dates.is_some(), "--dates"),
                (self.create_rooms, "--create-rooms"),
            ]
            .to_vec(),
        };
        let Some((_, option)) = foreign.into_iter().find(|(given, _)| *given) else { return Ok(format) };
        Err(refused(match format {
            Format::Own => {
                format!("{option} is for the public booking data, and this file holds a hotel's own bookings")
            }
            Format::HotelBookings => format!(
                "{option} is for a hotel's own bookings, and this file is read as the public booking data; --format own \
                 reads it as own bookings"
            ),
        }))
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
    /// Categories that were added.
    pub categories_created: usize,
    /// Rooms that were added.
    pub rooms_created: usize,
    /// Stays that share their room with another one: public data, because the cap was reached; own bookings, because the
    /// file says so.
    pub double_booked: u64,
    /// Own bookings: cancelled rooms of reservations that stand, which are not imported.
    pub cancelled_rooms: usize,
    /// What there is to say about how the file was read.
    pub remarks: Vec<String>,
}

impl Summary {
    /// Whether no line but bad ones was in the file.
    pub fn is_empty(&self) -> bool {
        let Counts { created, changed, unchanged } = self.room_stays;
        created + changed + unchanged == 0 && self.cancelled_rooms == 0
    }
}

/// Reads a file into `hotel`, in a transaction of its own that ends with the events of what it changed.
///
/// # Errors
/// `INVALID_ARGUMENT` when the file as a whole cannot be used. A bad line is no error; it is in the summary.
pub async fn import(
    transactions: &Transactions,
    hotel: &Hotel,
    reader: impl Read,
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Summary> {
    let table = file::read(reader)?;
    let now = transactions.clock.now();
    let file = match options.format_of(&table.header)? {
        Format::Own => Bookings::Own(Box::new(own::parse(hotel, now, table, options)?)),
        Format::HotelBookings => Bookings::Public(format::parse(table, options)?),
    };
    let tx = Tx::begin_worker(transactions, Arc::new(hotel.clone()), Principal::Worker(IMPORT), now).await?;
    let mut tx = tx.patient_for(None);
    let conn = tx.conn().await?;
    if options.dry_run {
        store::write_although_read_only(conn).await?;
    }
    store::lift_time_limits(conn).await?;
    let Imported { summary, changes, entries } = match file {
        Bookings::Own(file) => own::import_in(conn, &transactions.ids, hotel, now, *file, options, progress).await?,
        Bookings::Public(file) => import_in(conn, hotel, now, file, options, progress).await?,
    };
    if options.dry_run {
        tx.rollback().await;
        return Ok(summary);
    }
    tx.record_bulk(changes, entries);
    tx.commit().await?;
    Ok(summary)
}

enum Bookings {
    Own(Box<own::Bookings>),
    Public(format::Bookings),
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
    let mut summary = Summary { bad_lines: file.bad_lines, remarks: file.remarks, ..Summary::default() };
    let mut entries = Vec::new();
    let categories = categories(conn, hotel, now, &file.all, &mut entries).await?;
    summary.categories_created = entries.len();
    let identities = identity::identify(hotel.id, &file.all);
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
    let longest = file.all.iter().map(Booking::nights).max().unwrap_or_default();
    hotels::raise_longest_stay(conn, hotel.id, longest).await?;
    renew_keys(conn, hotel, &summary).await?;
    Ok(Imported { summary, changes: written.changes, entries })
}

/// Keys are taken off stays by their dates, and by the hotel's times as they are now.
async fn renew_keys(conn: &mut PgConnection, hotel: &Hotel, summary: &Summary) -> Result<()> {
    if summary.room_stays.changed > 0 {
        let hotel = hotels::lock(conn, hotel.id).await?;
        room_stays::renew_key_due(conn, &hotel).await?;
    }
    Ok(())
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
        if booking.status == BookingStatus::Cancelled {
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
            if created { all.new_clients.push(id) } else { all.changes.push(clients::UPDATED.of(id)) }
        }
        step(batch.len());
    }
    for batch in records.reservations.chunks(BATCH) {
        store::forget_plans(conn).await?;
        let written = store::write_reservations(conn, hotel.id, batch, now).await.map_err(code_taken)?;
        summary.reservations.add(batch.len(), &written);
        all.changes.extend(written.into_iter().map(|Written { id, created, fields }| {
            if created { reservations::CREATED.of(id) } else { reservations::UPDATED.of(id).with_fields(fields) }
        }));
        step(batch.len());
    }
    for batch in records.stays.chunks(BATCH) {
        store::forget_plans(conn).await?;
        let written = store::write_stays(conn, hotel.id, batch, now).await?;
        summary.room_stays.add(batch.len(), &written);
        all.changes.extend(written.into_iter().map(|Written { id, created, fields }| {
            if created { room_stays::CREATED.of(id) } else { room_stays::UPDATED.of(id).with_fields(fields) }
        }));
        step(batch.len());
    }
    Ok(all)
}

/// The refusal of a file, in the words of the command line.
fn refused(said: impl Into<String>) -> Error {
    Error::new(Message::ImportRefused { said: said.into() })
}

fn code_taken(error: sqlx::Error) -> Error {
    match crate::error::violated_constraint(&error) {
        Some("reservations_hotel_id_code_key" | "reservations_hotel_id_code_folded_key") => {
            Error { source: Some(Box::new(error)), ..Error::of(crate::error::ErrorCode::CodeTaken) }
        }
        _ => error.into(),
    }
}
