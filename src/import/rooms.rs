//! Assignment of rooms to imported stays.
//!
//! First fit: the first room of the type that is free for all nights. When there is none, the hotel gets one more room of
//! the type, so that a first import ends with as many rooms of a type as its busiest night needs. Beyond the cap a stay
//! shares the room in which it meets the fewest taken nights. Day use takes the night that follows it, which leaves the
//! room to it for the whole day after the morning's departure.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::NaiveDate;
use uuid::Uuid;

use crate::derive::Derived;
use crate::hotels::HotelId;
use crate::text;

/// Rooms on one floor, in the numbering of rooms that the import adds.
const ROOMS_PER_FLOOR: usize = 20;

/// A room that the hotel has.
pub struct ExistingRoom {
    /// Id.
    pub id: Uuid,
    /// Name.
    pub name: String,
    /// Category.
    pub category_id: Uuid,
}

/// A room that has to be added.
#[derive(serde::Serialize)]
pub struct NewRoom {
    /// Id.
    pub id: Uuid,
    /// Name, unique in the hotel.
    pub name: String,
    /// Floor; empty when it is not known.
    pub area_name: String,
    /// Category.
    pub category_id: Uuid,
}

/// What is booked and what may be booked.
pub struct RoomPlan {
    hotel: HotelId,
    max_per_type: usize,
    /// Per room, how many stays have each night.
    taken: HashMap<Uuid, BTreeMap<NaiveDate, usize>>,
    by_category: HashMap<Uuid, Vec<Uuid>>,
    category_of: HashMap<Uuid, Uuid>,
    /// As they are compared.
    names: HashSet<String>,
    /// Rooms that have to be added, in the order in which they were found missing.
    pub added: Vec<NewRoom>,
    /// Stays that share a room with another one because the cap was reached.
    pub double_booked: u64,
}

impl RoomPlan {
    /// Starts from the rooms that the hotel has, all of them free.
    pub fn new(hotel: HotelId, rooms: Vec<ExistingRoom>, max_per_type: usize) -> Self {
        let mut plan = Self {
            hotel,
            max_per_type,
            taken: HashMap::new(),
            by_category: HashMap::new(),
            category_of: HashMap::new(),
            names: HashSet::new(),
            added: Vec::new(),
            double_booked: 0,
        };
        for room in rooms {
            plan.insert(room.id, &room.name, room.category_id);
        }
        plan
    }

    fn insert(&mut self, id: Uuid, name: &str, category: Uuid) {
        self.taken.insert(id, BTreeMap::new());
        self.by_category.entry(category).or_default().push(id);
        self.category_of.insert(id, category);
        self.names.insert(text::fold(name));
    }

    /// Whether the room is of that category.
    pub fn is_of(&self, room: Uuid, category: Uuid) -> bool {
        self.category_of.get(&room) == Some(&category)
    }

    /// Takes the nights in the room, whether or not they are free.
    pub fn occupy(&mut self, room: Uuid, from: NaiveDate, to: NaiveDate) {
        let taken = self.taken.entry(room).or_default();
        for night in nights(from, to) {
            *taken.entry(night).or_default() += 1;
        }
    }

    /// Finds a room, `preferred` before all others, and takes the nights in it.
    pub fn assign(
        &mut self,
        (room_type, category): (&str, Uuid),
        preferred: Option<Uuid>,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Uuid {
        let preferred = preferred.filter(|room| self.is_of(*room, category));
        let rooms = self.by_category.get(&category).map_or(&[][..], Vec::as_slice);
        let taken = |room: &&Uuid| self.taken_nights(**room, from, to);
        let free = preferred.iter().chain(rooms).find(|room| taken(room) == 0);
        let room = match (free, rooms.iter().min_by_key(taken)) {
            (Some(free), _) => *free,
            (None, Some(fewest)) if rooms.len() >= self.max_per_type => {
                self.double_booked += 1;
                *fewest
            }
            (None, _) => self.add(room_type, category),
        };
        self.occupy(room, from, to);
        room
    }

    fn taken_nights(&self, room: Uuid, from: NaiveDate, to: NaiveDate) -> usize {
        self.taken[&room].range(from..end(from, to)).map(|(_, stays)| stays).sum()
    }

    fn add(&mut self, room_type: &str, category: Uuid) -> Uuid {
        let count = self.by_category.get(&category).map_or(0, Vec::len);
        let (name, floor) = (count..=count + self.names.len())
            .map(|index| (index / ROOMS_PER_FLOOR + 1, index % ROOMS_PER_FLOOR + 1))
            .map(|(floor, number)| (format!("{room_type}{floor}{number:02}"), floor))
            .find(|(name, _)| !self.names.contains(&text::fold(name)))
            .expect("more names than are taken");
        let id = Derived::of(self.hotel, &["room", &name]).uuid();
        self.insert(id, &name, category);
        self.added.push(NewRoom { id, name, area_name: format!("Floor {floor}"), category_id: category });
        id
    }
}

fn end(from: NaiveDate, to: NaiveDate) -> NaiveDate {
    to.max(from.succ_opt().unwrap_or(from))
}

fn nights(from: NaiveDate, to: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    let end = end(from, to);
    from.iter_days().take_while(move |night| *night < end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CATEGORY: Uuid = Uuid::from_u128(1);

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 2, day).expect("a date")
    }

    fn assign(plan: &mut RoomPlan, from: u32, to: u32) -> String {
        let room = plan.assign(("A", CATEGORY), None, day(from), day(to));
        plan.added.iter().find(|added| added.id == room).expect("an added room").name.clone()
    }

    #[test]
    fn a_room_is_free_again_on_the_day_of_departure() {
        let mut plan = RoomPlan::new(Uuid::nil(), Vec::new(), 10);
        let rooms: Vec<String> = [(1, 3), (2, 4), (3, 5), (4, 5)].map(|(from, to)| assign(&mut plan, from, to)).into();
        assert_eq!(rooms, ["A101", "A102", "A101", "A102"]);
    }

    #[test]
    fn day_use_has_the_room_for_itself_until_the_next_day() {
        let mut plan = RoomPlan::new(Uuid::nil(), Vec::new(), 10);
        let rooms: Vec<String> = [(1, 2), (2, 2), (2, 3), (3, 3)].map(|(from, to)| assign(&mut plan, from, to)).into();
        assert_eq!(rooms, ["A101", "A101", "A102", "A101"]);
    }

    #[test]
    fn beyond_the_cap_a_stay_shares_the_room_with_the_fewest_taken_nights() {
        let mut plan = RoomPlan::new(Uuid::nil(), Vec::new(), 2);
        let rooms: Vec<String> = [(1, 9), (1, 3), (2, 9)].map(|(from, to)| assign(&mut plan, from, to)).into();
        assert_eq!(rooms, ["A101", "A102", "A102"]);
        assert_eq!(plan.double_booked, 1);
    }

    #[test]
    fn rooms_of_the_hotel_are_used_first_and_names_that_are_taken_are_skipped() {
        let own = ExistingRoom { id: Uuid::from_u128(7), name: "A102".into(), category_id: CATEGORY };
        let mut plan = RoomPlan::new(Uuid::nil(), vec![own], 10);
        assert_eq!(plan.assign(("A", CATEGORY), None, day(1), day(2)), Uuid::from_u128(7));
        assert_eq!(assign(&mut plan, 1, 2), "A103");
    }
}
