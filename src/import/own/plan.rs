//! The plan of an import: what has to be written so that the hotel is as the lines say. Pure.
//!
//! A line that made or last changed a stay is known by its digest, and changes nothing more. Any other line of a
//! reservation is compared with the stays that are there: the file names all rooms of a reservation that it names.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::super::file::BadLine;
use super::super::mapping::Records;
use super::super::records::{ACTIVE, CANCELLED, ClientRecord, INVOICED, ReservationRecord, StayRecord};
use super::columns::{Column, Columns};
use super::line::{Line, Person, State};
use super::rooms::Placed;
use crate::hotels::{Hotel, end_instant};
use crate::id::IdSource;
use crate::text;

/// Guest and a day, or room and day of arrival, agree.
const ALIKE: u32 = 5;
/// A guest keeps the stay, and with it the room access key, also when guests change rooms.
const SAME_GUEST: u32 = 4;

/// A reservation of the hotel, as it is.
pub struct KnownReservation {
    pub id: Uuid,
    pub code: String,
    pub status: &'static str,
    pub client_id: Uuid,
    pub contact_id: Option<Uuid>,
    pub group_name: Option<String>,
    pub booking_channel_code: Option<String>,
    pub booking_source: Option<String>,
    pub cancelled_at: Option<DateTime<Utc>>,
}

/// A stay of the hotel, as it is.
pub struct KnownStay {
    pub id: Uuid,
    pub reservation_id: Uuid,
    pub digest: Option<Uuid>,
    pub category_id: Uuid,
    pub room_setup_id: Option<Uuid>,
    pub reservation_from: NaiveDate,
    pub reservation_to: NaiveDate,
    pub meal_notes: Option<String>,
    pub adults: i16,
    pub child1: i16,
    pub free: i16,
    pub guest_ids: Vec<Uuid>,
}

/// What the hotel has of the reservations that changed lines are about.
#[derive(Default)]
pub struct Known {
    /// By code.
    pub reservations: HashMap<String, KnownReservation>,
    /// By reservation.
    pub stays: HashMap<Uuid, Vec<KnownStay>>,
    /// By id: who booked and who stays.
    pub clients: HashMap<Uuid, ClientRecord>,
}

/// The first guest of a stay that is there.
#[derive(Serialize)]
pub struct FirstGuest {
    pub room_stay_id: Uuid,
    pub client_id: Uuid,
}

/// Which line a stay is from.
#[derive(Serialize)]
pub struct Origin {
    pub room_stay_id: Uuid,
    pub digest: Uuid,
}

/// What has to be written.
#[derive(Default)]
pub struct Plan {
    /// New clients; reservations and stays that are new or may have changed.
    pub records: Records,
    /// Clients whose details changed.
    pub clients: Vec<ClientRecord>,
    pub guests: Vec<FirstGuest>,
    pub origins: Vec<Origin>,
    pub bad_lines: Vec<BadLine>,
    /// Cancelled rooms of reservations that stand, which are not imported.
    pub cancelled_rooms: usize,
    /// Stays and reservations that no line changes.
    pub unchanged_stays: u64,
    pub unchanged_reservations: u64,
    /// Longest stay of the lines that are written, in nights.
    pub longest_stay: i32,
}

/// Plans.
pub struct Planner<'a> {
    pub hotel: &'a Hotel,
    pub now: DateTime<Utc>,
    pub ids: &'a IdSource,
    pub columns: &'a Columns,
    pub known: Known,
    pub plan: Plan,
}

/// A line that counts, and the stay that it is about, if that is there.
type Kept<'a> = (Placed, Option<&'a KnownStay>);

/// Whether it is another line than the one that the stay is from.
fn is_changed((placed, stay): &Kept) -> bool {
    stay.is_none_or(|stay| stay.digest != Some(placed.line.digest))
}

/// The clients of one reservation: those that are there, and those that lines add.
struct People {
    clients: Vec<ClientRecord>,
    /// How many of them are there already.
    known: usize,
    changed: HashSet<Uuid>,
}

impl Planner<'_> {
    /// Adds the lines of one reservation to the plan.
    pub fn reservation(&mut self, lines: Vec<Placed>) {
        let Some(first) = lines.first() else { return };
        let known = self.known.reservations.remove(&first.line.code);
        let stays = known.as_ref().and_then(|known| self.known.stays.remove(&known.id)).unwrap_or_default();
        let mut people = self.people(known.as_ref(), &stays);
        let found = matches(&lines, &stays, &people);
        let kept = self.keep(lines, &found, &stays, known.as_ref());
        if !kept.iter().any(is_changed) {
            self.plan.unchanged_stays += kept.len() as u64;
            self.plan.unchanged_reservations += u64::from(known.is_some() && !kept.is_empty());
            return;
        }
        let reservation = self.record(&kept, known.as_ref(), &mut people);
        for kept in &kept {
            if is_changed(kept) {
                self.stay(reservation.id, kept, &mut people);
            } else {
                self.plan.unchanged_stays += 1;
            }
        }
        self.plan.records.reservations.push(reservation);
        let (known, new) = people.clients.split_at(people.known);
        self.plan.records.clients.extend_from_slice(new);
        self.plan.clients.extend(known.iter().filter(|client| people.changed.contains(&client.id)).cloned());
    }

    fn people(&self, known: Option<&KnownReservation>, stays: &[KnownStay]) -> People {
        let booker = known.into_iter().flat_map(|known| std::iter::once(known.client_id).chain(known.contact_id));
        let mut seen = HashSet::new();
        let ids = booker.chain(stays.iter().flat_map(|stay| stay.guest_ids.iter().copied()));
        let clients: Vec<ClientRecord> =
            ids.filter(|id| seen.insert(*id)).filter_map(|id| self.known.clients.get(&id).cloned()).collect();
        People { known: clients.len(), clients, changed: HashSet::new() }
    }

    /// The lines that count, each with its stay; the others are reported.
    fn keep<'a>(
        &mut self,
        lines: Vec<Placed>,
        found: &[Option<usize>],
        stays: &'a [KnownStay],
        known: Option<&KnownReservation>,
    ) -> Vec<Kept<'a>> {
        let stands = lines.iter().any(|placed| placed.line.stands());
        let invoiced = known.is_some_and(|known| known.status == INVOICED);
        let mut kept = Vec::with_capacity(lines.len());
        for (placed, found) in lines.into_iter().zip(found) {
            let stay = found.map(|at| &stays[at]);
            let number = placed.line.number;
            let columns = self.columns;
            let mut bad = |column, reason: &str| {
                self.plan.bad_lines.push(BadLine { number, reason: format!("{}: {reason}", columns.header(column)) });
            };
            match (placed.line.stands(), stay) {
                (false, None) if stands => self.plan.cancelled_rooms += 1,
                (false, Some(_)) if stands => bad(
                    Column::Status,
                    "the room is cancelled and others of its reservation are not, and a reservation is cancelled as a whole: \
                     delete the room stay (deleteRoomStay), which also takes its room access key off",
                ),
                (false, _) if invoiced => {
                    bad(Column::Status, "the reservation was invoiced and can no longer be cancelled");
                }
                (_, None) if placed.category.is_none() && placed.room.is_none() => {
                    bad(Column::Category, "is blank, and there is no room to take it from");
                }
                _ => kept.push((placed, stay)),
            }
        }
        kept
    }

    fn record(&self, kept: &[Kept], known: Option<&KnownReservation>, people: &mut People) -> ReservationRecord {
        let first = &kept[0].0.line;
        let status = match known.map(|known| known.status) {
            Some(INVOICED) => INVOICED,
            _ => status(&kept.iter().map(|(placed, _)| placed.line.state).collect::<Vec<_>>()),
        };
        // What lines say that have not changed, the front desk may have changed meanwhile.
        let said = |text: fn(&Line) -> Option<&String>| {
            kept.iter().filter(|kept| is_changed(kept)).find_map(|(placed, _)| text(&placed.line)).cloned()
        };
        let (client_id, contact_id) = match (said(|line| line.company.as_ref()), known) {
            (Some(company), known) => {
                let contact = known.and_then(|known| known.contact_id);
                let contact = contact.unwrap_or_else(|| self.person(people, &first.guest));
                (self.company(people, &company), Some(contact))
            }
            (None, Some(known)) if !is_changed(&kept[0]) || people.booked(known.client_id, kept) => {
                (known.client_id, known.contact_id)
            }
            (None, known) => (self.person(people, &first.guest), known.and_then(|known| known.contact_id)),
        };
        let (group_name, channel) = (said(|line| line.group.as_ref()), said(|line| line.channel_code.as_ref()));
        let source = said(|line| line.source.as_ref());
        let before = |text: fn(&KnownReservation) -> &Option<String>| known.and_then(|known| text(known).clone());
        ReservationRecord {
            id: known.map_or_else(|| self.ids.uuid(self.now), |known| known.id),
            code: first.code.clone(),
            status,
            client_id,
            contact_id,
            group_name: group_name.or_else(|| before(|known| &known.group_name)),
            booking_channel_code: channel.or_else(|| before(|known| &known.booking_channel_code)),
            booking_source: source.or_else(|| before(|known| &known.booking_source)),
            notes: said(|line| line.notes.as_ref()),
            created_at: self.now,
            cancelled_at: (status == CANCELLED).then(|| known.and_then(|known| known.cancelled_at).unwrap_or(self.now)),
        }
    }

    fn stay(&mut self, reservation: Uuid, (placed, known): &Kept, people: &mut People) {
        let Placed { line, room, category } = placed;
        let guest = self.person(people, &line.guest);
        let id = known.map_or_else(|| self.ids.uuid(self.now), |known| known.id);
        let of_room = room.map(|(_, category)| category);
        // A stay that is new has one of the two.
        let category = category.or(known.map(|known| known.category_id)).or(of_room).unwrap_or_default();
        let (check_in, check_out) = self.presence(line);
        self.plan.records.stays.push(StayRecord {
            id,
            reservation_id: reservation,
            category_id: category,
            room_setup_id: room.map(|(room, _)| room).or(known.and_then(|known| known.room_setup_id)),
            reservation_from: line.arrival,
            reservation_to: line.departure,
            departure_time: None,
            check_in,
            check_out,
            guest_message: None,
            maid_notes: None,
            meal_notes: known.and_then(|known| known.meal_notes.clone()),
            adults: line.adults.or(known.map(|known| known.adults)).unwrap_or(1),
            child1: line.children.or(known.map(|known| known.child1)).unwrap_or(0),
            free: known.map_or(0, |known| known.free),
            created_at: self.now,
            guest_ids: vec![guest],
        });
        if known.is_some_and(|known| !known.guest_ids.is_empty() && !known.guest_ids.contains(&guest)) {
            self.plan.guests.push(FirstGuest { room_stay_id: id, client_id: guest });
        }
        self.plan.origins.push(Origin { room_stay_id: id, digest: line.digest });
        let nights = i32::try_from((line.departure - line.arrival).num_days()).unwrap_or(i32::MAX);
        self.plan.longest_stay = self.plan.longest_stay.max(nights);
    }

    /// When the guest came and left, as far as the status says that they did: at the hotel's times, as the file tells none.
    fn presence(&self, line: &Line) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
        let at = |day: NaiveDate, time| end_instant(self.hotel.time_zone, day.and_time(time)).min(self.now);
        let arrived = at(line.arrival, self.hotel.check_in_time);
        let left = at(line.departure, self.hotel.check_out_time).max(arrived);
        match line.state {
            State::Booked | State::NoShow | State::Cancelled => (None, None),
            State::CheckedIn => (Some(arrived), None),
            State::CheckedOut | State::Invoiced => (Some(arrived), Some(left)),
        }
    }

    /// The person of that name in the reservation, with the details that the line tells.
    fn person(&self, people: &mut People, guest: &Person) -> Uuid {
        let name = name_of(guest.firstname.as_deref(), &guest.lastname);
        let index = people.clients.iter().position(|client| person_name(client).as_ref() == Some(&name));
        let index = index.unwrap_or_else(|| {
            people.clients.push(ClientRecord {
                id: self.ids.uuid(self.now),
                kind: "PERSON",
                firstname: guest.firstname.clone(),
                lastname: Some(guest.lastname.clone()),
                ..ClientRecord::default()
            });
            people.clients.len() - 1
        });
        let client = &mut people.clients[index];
        let details = [
            (&mut client.email, &guest.email),
            (&mut client.telephone, &guest.telephone),
            (&mut client.mobile, &guest.mobile),
            (&mut client.language, &guest.language),
            (&mut client.country, &guest.country),
        ];
        for (detail, said) in details {
            if said.is_some() && detail != said {
                detail.clone_from(said);
                people.changed.insert(client.id);
            }
        }
        client.id
    }

    fn company(&self, people: &mut People, name: &str) -> Uuid {
        let is_it = |client: &&ClientRecord| {
            client.company.as_deref().is_some_and(|other| text::fold(other) == text::fold(name))
        };
        if let Some(company) = people.clients.iter().find(is_it) {
            return company.id;
        }
        let id = self.ids.uuid(self.now);
        let company = Some(name.to_owned());
        people.clients.push(ClientRecord { id, kind: "COMPANY", company, ..ClientRecord::default() });
        id
    }
}

impl People {
    /// Whether who booked is an organisation, about which the lines say nothing, or one of the guests whom they name.
    fn booked(&self, booker: Uuid, kept: &[Kept]) -> bool {
        let Some(client) = self.clients.iter().find(|client| client.id == booker) else { return false };
        let Some(name) = person_name(client) else { return true };
        kept.iter()
            .any(|(Placed { line, .. }, _)| name_of(line.guest.firstname.as_deref(), &line.guest.lastname) == name)
    }

    fn names_of(&self, ids: &[Uuid]) -> Vec<String> {
        self.clients.iter().filter(|client| ids.contains(&client.id)).filter_map(person_name).collect()
    }
}

fn person_name(client: &ClientRecord) -> Option<String> {
    Some(name_of(client.firstname.as_deref(), client.lastname.as_deref()?))
}

fn name_of(firstname: Option<&str>, lastname: &str) -> String {
    format!("{}\n{}", text::fold(lastname), firstname.map(text::fold).unwrap_or_default())
}

/// A reservation is cancelled when all of its rooms are, and over when all have left.
fn status(states: &[State]) -> &'static str {
    let over = |state: &State| matches!(state, State::CheckedOut | State::Invoiced);
    if states.iter().all(|state| *state == State::Cancelled) {
        CANCELLED
    } else if states.iter().all(|state| over(state) || *state == State::NoShow) && states.iter().any(over) {
        INVOICED
    } else {
        ACTIVE
    }
}

/// For each line the stay that it is about: the one that it has made, else the one that is most like it, else one that
/// another line made which is not there any more.
fn matches(lines: &[Placed], stays: &[KnownStay], people: &People) -> Vec<Option<usize>> {
    let mut found = vec![None; lines.len()];
    let mut free: HashSet<usize> = (0..stays.len()).collect();
    for (line, found) in lines.iter().zip(&mut found) {
        *found = stays.iter().position(|stay| stay.digest == Some(line.line.digest)).filter(|at| free.remove(at));
    }
    let names: Vec<Vec<String>> = stays.iter().map(|stay| people.names_of(&stay.guest_ids)).collect();
    let mut pairs = Vec::new();
    for (line, placed) in lines.iter().enumerate().filter(|(line, _)| found[*line].is_none()) {
        let name = name_of(placed.line.guest.firstname.as_deref(), &placed.line.guest.lastname);
        for &at in &free {
            let likeness = likeness(placed, &stays[at]) + if names[at].contains(&name) { SAME_GUEST } else { 0 };
            if likeness >= ALIKE {
                pairs.push((Reverse(likeness), line, at));
            }
        }
    }
    pairs.sort_unstable();
    for (_, line, at) in pairs {
        if found[line].is_none() && free.remove(&at) {
            found[line] = Some(at);
        }
    }
    let stands = lines.iter().any(|placed| placed.line.stands());
    let mut left: Vec<usize> = free.into_iter().filter(|at| stays[*at].digest.is_some()).collect();
    left.sort_unstable_by_key(|at| Reverse(*at));
    for (placed, found) in lines.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
        if placed.line.stands() == stands {
            *found = left.pop();
        }
    }
    found
}

fn likeness(Placed { line, room, .. }: &Placed, stay: &KnownStay) -> u32 {
    let room = room.is_some() && room.map(|(room, _)| room) == stay.room_setup_id;
    let weights = [(room, 3), (line.arrival == stay.reservation_from, 2), (line.departure == stay.reservation_to, 1)];
    weights.into_iter().filter_map(|(agrees, weight)| agrees.then_some(weight)).sum()
}
