//! A hotel's own bookings: one line a room stay, lines of one code are one reservation (docs/IMPORT.md).
//!
//! `columns` and `dates` find out how the file writes things, `line` reads, `rooms` finds what lines name, `plan` compares
//! with what is there; only `store` touches the database. A reservation is known by its code.

mod columns;
mod dates;
mod line;
mod plan;
mod rooms;
mod store;

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

pub use dates::DateOrder;

use super::file::{self, BadLine, Table};
use super::{BATCH, Done, Imported, Options, Progress, Summary};
use crate::audit::{Entry, ObjectType};
use crate::error::Result;
use crate::hotels::{self, Hotel};
use crate::id::IdSource;
use crate::{clients, room_stays, text};
use columns::{Column, Columns};
use line::{Line, Reader, State};
use plan::{Plan, Planner};
use rooms::Placed;

/// Most rooms of one reservation.
const ROOMS_MAX: usize = 100;
/// Lines that are named as sharing a room; the others are counted.
const SHARED_NAMED: usize = 10;

/// Bookings that were read, and what there is to say about them.
pub struct Bookings {
    columns: Columns,
    lines: Vec<Line>,
    bad_lines: Vec<BadLine>,
    remarks: Vec<String>,
}

/// Reads the lines of a file.
///
/// # Errors
/// `INVALID_ARGUMENT` when needed columns are missing, when the order of day and month is not clear, and when the file
/// holds no line.
pub fn parse(hotel: &Hotel, now: DateTime<Utc>, table: Table, options: &Options) -> Result<Bookings> {
    let columns = Columns::find(&table.header, &options.columns)?;
    let order = options.dates.map_or_else(|| order_of(&table, &columns), Ok)?;
    let mut bad_lines = table.bad_lines;
    let mut lines = Vec::with_capacity(table.lines.len());
    let mut reader = Reader::new(hotel.id, &columns, order);
    let today = hotel.today(now);
    let mut rooms: HashMap<String, usize> = HashMap::new();
    for file::Line { number, fields } in &table.lines {
        let read = reader.line(*number, fields).and_then(|line| {
            let arrived = matches!(line.state, State::CheckedIn | State::CheckedOut | State::Invoiced);
            if arrived && line.arrival > today {
                let (status, arrival) = (columns.header(Column::Status), line.arrival);
                return Err(format!("{status}: says that the guest has arrived, and the arrival is on {arrival}"));
            }
            let of_code = rooms.entry(text::fold(&line.code)).or_default();
            *of_code += 1;
            if *of_code > ROOMS_MAX {
                let (code, name) = (columns.header(Column::Code), &line.code);
                return Err(format!("{code}: more than {ROOMS_MAX} lines have {name:?}"));
            }
            Ok(line)
        });
        match read {
            Ok(line) => lines.push(line),
            Err(reason) => bad_lines.push(BadLine { number: *number, reason }),
        }
    }
    if lines.is_empty() && bad_lines.is_empty() {
        return Err(file::no_lines());
    }
    let remarks = table.remarks.into_iter().chain(columns.remarks()).collect();
    Ok(Bookings { columns, lines, bad_lines, remarks })
}

fn order_of(table: &Table, columns: &Columns) -> Result<DateOrder> {
    let days = table.lines.iter().flat_map(|line| {
        let day = |column| Some((line.number, columns.text(&line.fields, column)?));
        [Column::Arrival, Column::Departure].map(day).into_iter().flatten()
    });
    let days: Vec<(usize, String)> = days.collect();
    dates::order_of(days.iter().map(|(number, text)| (*number, text.as_str())))
}

/// Writes bookings into `hotel`, in the caller's transaction, and tells what changed.
pub async fn import_in(
    conn: &mut PgConnection,
    ids: &IdSource,
    hotel: &Hotel,
    now: DateTime<Utc>,
    bookings: Bookings,
    options: &Options,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Imported> {
    super::store::lock_imports(conn, hotel.id).await?;
    let Bookings { columns, lines, bad_lines, remarks } = bookings;
    let mut summary = Summary { bad_lines, remarks, ..Summary::default() };
    let mut done = Done::default();
    let (placed, made) =
        rooms::place(conn, hotel.id, (ids, now), (&columns, lines), options.create_rooms, &mut summary.bad_lines)
            .await?;
    let clients = count_clients(&placed);
    note_shared_rooms(&placed, &mut summary);
    summary.categories_created = made.categories.len();
    summary.rooms_created = made.rooms.len();
    let of_categories = made.categories.iter().map(|id| Entry::created(ObjectType::Category, *id));
    let of_rooms = made.rooms.iter().map(|room| Entry::created(ObjectType::RoomSetup, room.id));
    let mut entries: Vec<Entry> = of_categories.chain(of_rooms).collect();

    let plan = plan(conn, ids, hotel, now, &columns, placed).await?;
    summary.bad_lines.extend(plan.bad_lines.iter().cloned());
    summary.bad_lines.sort_by_key(|line| line.number);
    summary.cancelled_rooms = plan.cancelled_rooms;
    let written = super::write(conn, hotel, now, &plan.records, &mut summary, progress).await?;
    summary.room_stays.unchanged += plan.unchanged_stays;
    summary.reservations.unchanged += plan.unchanged_reservations;
    done.new_clients = written.new_clients;
    done.changes = written.changes;
    write_rest(conn, hotel, now, &plan, &mut summary, &mut done).await?;
    summary.clients.unchanged = clients.saturating_sub(summary.clients.created + summary.clients.changed);
    entries.extend(done.new_clients.into_iter().map(|id| Entry::created(ObjectType::Client, id)));
    entries.extend(done.changes.iter().map(Entry::from));
    hotels::raise_longest_stay(conn, hotel.id, plan.longest_stay).await?;
    super::renew_keys(conn, hotel, &summary).await?;
    Ok(Imported { summary, changes: done.changes, entries })
}

async fn plan(
    conn: &mut PgConnection,
    ids: &IdSource,
    hotel: &Hotel,
    now: DateTime<Utc>,
    columns: &Columns,
    mut placed: Vec<Placed>,
) -> Result<Plan> {
    spell_codes(conn, hotel, &mut placed).await?;
    let mut by_code: HashMap<String, Vec<Placed>> = HashMap::new();
    let mut seen = HashSet::new();
    let order: Vec<String> = placed.iter().map(|placed| placed.line.code.clone()).collect();
    let order: Vec<String> = order.into_iter().filter(|code| seen.insert(code.clone())).collect();
    for placed in placed {
        by_code.entry(placed.line.code.clone()).or_default().push(placed);
    }
    let codes: Vec<&str> = order.iter().map(String::as_str).collect();
    let digests = store::digests(conn, hotel.id, &codes).await?;
    let mut plan = Plan::default();
    let mut changed = Vec::new();
    for code in codes {
        let lines = by_code.get(code).map_or(&[][..], Vec::as_slice);
        if lines.iter().all(|placed| digests.contains(&placed.line.digest)) {
            plan.unchanged_stays += lines.len() as u64;
            plan.unchanged_reservations += 1;
        } else {
            changed.push(code);
        }
    }
    let known = store::lock_known(conn, hotel.id, &changed).await?;
    let mut planner = Planner { hotel, now, ids, columns, known, plan };
    for code in changed {
        planner.reservation(by_code.remove(code).unwrap_or_default());
    }
    Ok(planner.plan)
}

/// Spells the code of each line as the hotel does, else as the first line that has it.
async fn spell_codes(conn: &mut PgConnection, hotel: &Hotel, placed: &mut [Placed]) -> Result<()> {
    let codes: Vec<&str> = placed.iter().map(|placed| placed.line.code.as_str()).collect();
    let known = store::codes_like(conn, hotel.id, &codes).await?;
    let exact: HashSet<&str> = known.iter().map(String::as_str).collect();
    let mut spelled: HashMap<String, String> = HashMap::new();
    for code in &known {
        spelled.entry(text::fold(code)).or_insert_with(|| code.clone());
    }
    for Placed { line, .. } in placed {
        if !exact.contains(line.code.as_str()) {
            line.code.clone_from(spelled.entry(text::fold(&line.code)).or_insert_with(|| line.code.clone()));
        }
    }
    Ok(())
}

/// Writes what other imports do not: details of known clients, guests of known stays, and which line made what.
async fn write_rest(
    conn: &mut PgConnection,
    hotel: &Hotel,
    now: DateTime<Utc>,
    plan: &Plan,
    summary: &mut Summary,
    done: &mut Done,
) -> Result<()> {
    for batch in plan.clients.chunks(BATCH) {
        store::update_clients(conn, hotel.id, batch, now).await?;
        summary.clients.changed += batch.len() as u64;
        done.changes.extend(batch.iter().map(|client| clients::UPDATED.of(client.id)));
    }
    let mut of_stay: HashMap<Uuid, usize> =
        done.changes.iter().enumerate().map(|(at, change)| (change.id, at)).collect();
    for batch in plan.guests.chunks(BATCH) {
        store::write_first_guests(conn, hotel.id, batch, now).await?;
        for guest in batch {
            let known = of_stay.get(&guest.room_stay_id).and_then(|at| done.changes.get_mut(*at));
            if let Some(update) = known.filter(|change| change.kind == &room_stays::UPDATED) {
                update.fields.push("guests".into());
                continue;
            }
            of_stay.insert(guest.room_stay_id, done.changes.len());
            done.changes.push(room_stays::UPDATED.of(guest.room_stay_id).with_fields(["guests"]));
            // Nothing else of the stay was different.
            summary.room_stays.changed += 1;
            summary.room_stays.unchanged -= 1;
        }
    }
    for batch in plan.origins.chunks(BATCH) {
        store::write_origins(conn, hotel.id, batch).await?;
    }
    Ok(())
}

/// Persons and organisations whom the lines name, each once in a reservation.
fn count_clients(placed: &[Placed]) -> u64 {
    let named = placed.iter().flat_map(|Placed { line, .. }| {
        let name = format!("{} {}", line.guest.firstname.as_deref().unwrap_or_default(), line.guest.lastname);
        [Some(name), line.company.clone()].into_iter().flatten().map(|name| (line.code.as_str(), text::fold(&name)))
    });
    named.collect::<HashSet<_>>().len() as u64
}

/// Says which lines put two stays into one room for a night: the file is believed, and somebody should know.
fn note_shared_rooms(placed: &[Placed], summary: &mut Summary) {
    let mut held: Vec<_> = placed
        .iter()
        .filter(|placed| placed.line.stands())
        .filter_map(|placed| Some((placed.room?.0, placed.line.arrival, placed)))
        .collect();
    held.sort_by_key(|(room, arrival, placed)| (*room, *arrival, placed.line.number));
    let mut shared = Vec::new();
    // In each room the stay that lasts longest so far.
    let mut longest: Option<(Uuid, &Placed)> = None;
    for (room, arrival, placed) in held {
        let meets = longest.filter(|(other, before)| *other == room && before.line.departure > arrival);
        if let Some((_, before)) = meets {
            let room = placed.line.room.as_deref().unwrap_or_default();
            shared.push(format!(
                "lines {} and {} both have room {room} on {arrival}",
                before.line.number, placed.line.number
            ));
        }
        if longest.is_none_or(|(other, before)| other != room || before.line.departure < placed.line.departure) {
            longest = Some((room, placed));
        }
    }
    summary.double_booked = shared.len() as u64;
    let more = shared.len().saturating_sub(SHARED_NAMED);
    shared.truncate(SHARED_NAMED);
    summary.remarks.extend(shared);
    if more > 0 {
        summary.remarks.push(format!("{more} more lines share their room with another one"));
    }
}
