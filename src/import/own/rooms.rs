//! The rooms and categories that lines name: found in the hotel, or made where that is asked for.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::super::file::BadLine;
use super::super::records::CategoryRecord;
use super::super::rooms::{ExistingRoom, NewRoom};
use super::super::store;
use super::columns::{Column, Columns};
use super::line::Line;
use crate::error::Result;
use crate::hotels::HotelId;
use crate::id::IdSource;
use crate::text;

/// A line with the records of the hotel that it names.
pub struct Placed {
    pub line: Line,
    /// The room and its category.
    pub room: Option<(Uuid, Uuid)>,
    /// What was booked, if the line says so.
    pub category: Option<Uuid>,
}

/// What was made for the lines.
#[derive(Default)]
pub struct Made {
    pub categories: Vec<Uuid>,
    pub rooms: Vec<NewRoom>,
}

/// Records of the hotel by name. The exact name wins over one in other letters.
struct Names<T>(HashMap<String, T>, HashMap<String, T>);

impl<T: Copy> Names<T> {
    fn of<'a>(records: impl Iterator<Item = (&'a str, T)>) -> Self {
        let mut names = Self(HashMap::new(), HashMap::new());
        for (name, record) in records {
            names.insert(name, record);
        }
        names
    }

    fn insert(&mut self, name: &str, record: T) {
        self.0.insert(name.to_owned(), record);
        self.1.insert(text::fold(name), record);
    }

    fn find(&self, name: &str) -> Option<T> {
        self.0.get(name).or_else(|| self.1.get(&text::fold(name))).copied()
    }
}

/// Finds the rooms and categories of `lines`. With `create`, those that the hotel lacks are made; without, the lines that
/// name them are bad.
pub async fn place(
    conn: &mut PgConnection,
    hotel: HotelId,
    (ids, now): (&IdSource, DateTime<Utc>),
    (columns, lines): (&Columns, Vec<Line>),
    create: bool,
    bad_lines: &mut Vec<BadLine>,
) -> Result<(Vec<Placed>, Made)> {
    let rooms = store::rooms(conn, hotel).await?;
    let mut rooms =
        Names::of(rooms.iter().map(|ExistingRoom { id, name, category_id }| (name.as_str(), (*id, *category_id))));
    let mut made = Made::default();
    let mut wanted = Vec::new();
    if create {
        let (known, _) = store::ensure_categories(conn, hotel, &[], now).await?;
        wanted = new_categories(&Names::of(known.iter().map(|(name, id)| (name.as_str(), *id))), ids, now, &lines);
    }
    let (known, created) = store::ensure_categories(conn, hotel, &wanted, now).await?;
    made.categories = created;
    let categories = Names::of(known.iter().map(|(name, id)| (name.as_str(), *id)));
    if create {
        made.rooms = new_rooms(&rooms, &categories, ids, now, &lines);
        store::insert_rooms(conn, hotel, &made.rooms, now).await?;
        for room in &made.rooms {
            rooms.insert(&room.name, (room.id, room.category_id));
        }
    }
    let mut placed = Vec::with_capacity(lines.len());
    for line in lines {
        let number = line.number;
        match find(columns, line, &rooms, &categories, create) {
            Ok(found) => placed.push(found),
            Err(reason) => bad_lines.push(BadLine { number, reason }),
        }
    }
    Ok((placed, made))
}

fn find(
    columns: &Columns,
    line: Line,
    rooms: &Names<(Uuid, Uuid)>,
    categories: &Names<Uuid>,
    create: bool,
) -> Result<Placed, String> {
    let none = |column, name: &str| {
        let column = columns.header(column);
        format!("{column}: the hotel has none that is called {name:?}; make it, or import with --create-rooms")
    };
    let category = match &line.category {
        None => None,
        Some(name) => Some(categories.find(name).ok_or_else(|| none(Column::Category, name))?),
    };
    let room = match &line.room {
        None => None,
        Some(name) => Some(rooms.find(name).ok_or_else(|| {
            if create {
                let column = columns.header(Column::Room);
                return format!("{column}: {name:?} cannot be made, because no line says its category");
            }
            none(Column::Room, name)
        })?),
    };
    Ok(Placed { line, room, category })
}

fn new_categories(known: &Names<Uuid>, ids: &IdSource, now: DateTime<Utc>, lines: &[Line]) -> Vec<CategoryRecord> {
    let mut found: HashMap<String, CategoryRecord> = HashMap::new();
    for name in lines.iter().filter_map(|line| line.category.as_ref()).filter(|name| known.find(name).is_none()) {
        let category = || CategoryRecord { id: ids.uuid(now), name: name.clone(), description: String::new() };
        found.entry(text::fold(name)).or_insert_with(category);
    }
    found.into_values().collect()
}

/// A room is of the category that most of its lines were booked in: a few may be upgrades.
fn new_rooms(
    known: &Names<(Uuid, Uuid)>,
    categories: &Names<Uuid>,
    ids: &IdSource,
    now: DateTime<Utc>,
    lines: &[Line],
) -> Vec<NewRoom> {
    /// How often each category was booked with a room, in the order of the lines.
    type Booked = Vec<(Uuid, usize)>;
    // By folded name.
    let mut wanted: HashMap<String, (&str, Booked)> = HashMap::new();
    for line in lines {
        let Some(name) = line.room.as_deref().filter(|name| known.find(name).is_none()) else { continue };
        let Some(category) = line.category.as_deref().and_then(|name| categories.find(name)) else { continue };
        let (_, booked) = wanted.entry(text::fold(name)).or_insert_with(|| (name, Vec::new()));
        match booked.iter_mut().find(|(id, _)| *id == category) {
            Some((_, count)) => *count += 1,
            None => booked.push((category, 1)),
        }
    }
    let room = |(name, booked): (&str, Booked)| {
        // Of equals `max_by_key` takes the last.
        let (category_id, _) = booked.into_iter().rev().max_by_key(|(_, count)| *count)?;
        Some(NewRoom { id: ids.uuid(now), name: name.to_owned(), area_name: String::new(), category_id })
    };
    wanted.into_values().filter_map(room).collect()
}
