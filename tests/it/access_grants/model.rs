//! A plain model of reservations on doors: the rules of access grants written down a second time, as simply as they are read.

use std::collections::{BTreeMap, BTreeSet};

/// Seconds since the clock of the test began.
pub type Instant = i64;

/// An hour, in seconds.
pub const HOUR: Instant = 3600;
/// The hour of its first day at which the clock of the test begins.
const BEGINS_AT: Instant = 9;

/// Doors by name.
pub type Doors = BTreeSet<&'static str>;

/// The rooms with their doors, which can all belong to a reservation.
pub const ROOMS: [(&str, &[&str]); 3] = [("101", &["101"]), ("102", &["102"]), ("suite", &["suite-a", "suite-b"])];
/// A door that cannot.
pub const GYM: &str = "gym";

/// A time frame: the first instant, and the first one after it.
pub type Frame = (Instant, Option<Instant>);

/// Something that somebody does.
#[derive(Clone, Debug)]
pub enum Act {
    /// Access is granted to doors.
    Grant { by: usize, to: &'static str, doors: Doors, key: Option<&'static str>, frame: Frame },
    /// Access is granted for a stay.
    GrantByStay { by: usize, to: &'static str, stay: usize },
    /// A grant is given other times.
    Redate { by: usize, grant: String, frame: Frame },
    /// A grant is given other doors.
    ChangeDoors { by: usize, grant: String, doors: Doors },
    /// A grant is deleted.
    Delete { by: usize, grant: String },
    /// A stay is moved to a room, or loses its room.
    MoveStay { stay: usize, room: Option<usize> },
    /// A stay is given other days.
    RedateStay { stay: usize, from: i64, nights: i64 },
    /// The reservation of a stay is cancelled, or re-activated.
    CancelStay { stay: usize, cancelled: bool },
    /// The guest checks out, or that is taken back.
    CheckOut { stay: usize, out: bool },
    /// A stay is deleted.
    DeleteStay { stay: usize },
    /// Hours pass.
    Wait(i64),
}

/// A rule that can be broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    KeyNeedsCapableDoor,
    GuestsNeedKey,
    DoorsAreFixed,
    SupersetIsJoinerConflict,
    FramesOverlap,
    TouchingIsNotOverlapping,
    EveryGrantIsCompared,
    EndedGrantsDoNotCount,
    SetOutlivesFirstGrant,
    StaffHasNoKey,
    GymIsOutside,
    OrderIsByStart,
    OrderNeverFalls,
    NumberRises,
    MoveClears,
    NewDatesMoveGrants,
    CancellationClears,
    ReactivationGivesBack,
    CheckOutClears,
    DeletionOfStayClears,
    KeysAreOfOneIntegration,
}

impl Rule {
    pub const ALL: [Self; 21] = [
        Self::KeyNeedsCapableDoor,
        Self::GuestsNeedKey,
        Self::DoorsAreFixed,
        Self::SupersetIsJoinerConflict,
        Self::FramesOverlap,
        Self::TouchingIsNotOverlapping,
        Self::EveryGrantIsCompared,
        Self::EndedGrantsDoNotCount,
        Self::SetOutlivesFirstGrant,
        Self::StaffHasNoKey,
        Self::GymIsOutside,
        Self::OrderIsByStart,
        Self::OrderNeverFalls,
        Self::NumberRises,
        Self::MoveClears,
        Self::NewDatesMoveGrants,
        Self::CancellationClears,
        Self::ReactivationGivesBack,
        Self::CheckOutClears,
        Self::DeletionOfStayClears,
        Self::KeysAreOfOneIntegration,
    ];
}

/// A live grant, as its integration reads it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeenGrant {
    pub label: String,
    pub by: usize,
    pub of_reservation: bool,
    pub doors: Doors,
    pub frame: Frame,
}

/// The place of a reservation that has not ended in the order of a door: door, start, number.
pub type SeenOrder = (&'static str, Instant, i64);

/// What can be seen after an act: how it was answered, the live grants, the orders of doors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub answer: &'static str,
    pub grants: Vec<SeenGrant>,
    pub orders: Vec<SeenOrder>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Of {
    Key(usize, &'static str),
    Stay(usize),
}

#[derive(Clone, Debug)]
struct Reservation {
    of: Of,
    doors: Doors,
    orders: BTreeMap<&'static str, (Instant, i64)>,
    ended: bool,
}

#[derive(Clone, Debug)]
struct Grant {
    label: String,
    by: usize,
    to: &'static str,
    reservation: Option<usize>,
    stay: Option<usize>,
    of_stay: Doors,
    named: Doors,
    frame: Frame,
    live: bool,
    waits: bool,
}

#[derive(Clone, Debug)]
struct Stay {
    room: Option<usize>,
    days: (i64, i64),
    cancelled: bool,
    out: bool,
    deleted: bool,
}

/// The model.
pub struct Model {
    broken: Option<Rule>,
    now: Instant,
    /// In the order in which they were made.
    grants: Vec<Grant>,
    reservations: Vec<Reservation>,
    stays: Vec<Stay>,
    numbers: BTreeMap<&'static str, i64>,
    labels: usize,
}

const FINE: &str = "no error";
const INVALID: &str = "INVALID_ARGUMENT";

fn overlap((start, end): Frame, (other_start, other_end): Frame, touching: bool) -> bool {
    let before = |one: Instant, end: Option<Instant>| end.is_none_or(|end| one < end || (touching && one == end));
    before(start, other_end) && before(other_start, end)
}

fn capable(doors: &Doors) -> Doors {
    doors.iter().copied().filter(|door| *door != GYM).collect()
}

impl Model {
    /// One in which a rule does not hold, if one is named. `stays`: the room and the days of each.
    pub fn new(broken: Option<Rule>, stays: &[(usize, i64, i64)]) -> Self {
        let stay = |(room, from, to): &(usize, i64, i64)| Stay {
            room: Some(*room),
            days: (*from, *to),
            cancelled: false,
            out: false,
            deleted: false,
        };
        Self {
            broken,
            now: 0,
            grants: Vec::new(),
            reservations: Vec::new(),
            stays: stays.iter().map(stay).collect(),
            numbers: BTreeMap::new(),
            labels: 0,
        }
    }

    /// Has an act aim at a live grant: the label of a grant is its number among those that are live until then.
    pub fn aim(&self, act: &mut Act) {
        let (Act::Redate { by, grant, .. } | Act::ChangeDoors { by, grant, .. } | Act::Delete { by, grant }) = act
        else {
            return;
        };
        let live: BTreeSet<&String> =
            self.grants.iter().filter(|one| one.live && one.by == *by).map(|one| &one.label).collect();
        let number: usize = grant.parse().expect("a number");
        if let Some(label) = live.iter().nth(number % live.len().max(1)) {
            grant.clone_from(label);
        }
    }

    /// The label that the next grant will have.
    pub fn next_label(&self) -> String {
        format!("grant {:03}", self.labels)
    }

    fn keeps(&self, rule: Rule) -> bool {
        self.broken != Some(rule)
    }

    fn ended(&self, frame: Frame) -> bool {
        frame.1.is_some_and(|end| end <= self.now)
    }

    /// Does something, and tells what can be seen then.
    pub fn act(&mut self, act: &Act) -> Seen {
        // Each act takes a second, so that no two happen at once.
        self.now += 1;
        let answer = match act {
            Act::Grant { by, to, doors, key, frame } => {
                let key = key.map(|key| Of::Key(if self.keeps(Rule::KeysAreOfOneIntegration) { *by } else { 0 }, key));
                self.grant(*by, to, None, &Doors::new(), doors, key, *frame)
            }
            Act::GrantByStay { by, to, stay } => self.grant_by_stay(*by, to, *stay),
            Act::Redate { by, grant, frame } => self.redate(*by, grant, *frame),
            Act::ChangeDoors { by, grant, doors } => self.change_doors(*by, grant, doors),
            Act::Delete { by, grant } => match self.find(*by, grant) {
                Some(at) => {
                    self.clear(at, false);
                    FINE
                }
                None => "NOT_FOUND",
            },
            Act::Wait(hours) => {
                self.now += hours * HOUR;
                FINE
            }
            _ => self.act_on_stay(act),
        };
        let mut grants: Vec<SeenGrant> = self
            .grants
            .iter()
            .filter(|grant| grant.live)
            .map(|grant| SeenGrant {
                label: grant.label.clone(),
                by: grant.by,
                of_reservation: grant.reservation.is_some(),
                doors: grant.of_stay.union(&grant.named).copied().collect(),
                frame: grant.frame,
            })
            .collect();
        grants.sort();
        let open = self.reservations.iter().filter(|reservation| !reservation.ended);
        let mut orders: Vec<SeenOrder> =
            open.flat_map(|one| one.orders.iter().map(|(door, (start, number))| (*door, *start, *number))).collect();
        orders.sort_unstable();
        Seen { answer, grants, orders }
    }

    fn find(&self, by: usize, label: &str) -> Option<usize> {
        self.grants.iter().position(|grant| grant.live && grant.by == by && grant.label == label)
    }

    /// The frames of the live grants of a reservation that have not ended, but for one.
    fn frames(&self, reservation: usize, but_for: Option<usize>) -> Vec<Frame> {
        let of = self.grants.iter().enumerate().filter(|(at, grant)| {
            grant.live
                && grant.reservation == Some(reservation)
                && Some(*at) != but_for
                && (!self.ended(grant.frame) || !self.keeps(Rule::EndedGrantsDoNotCount))
        });
        of.map(|(_, grant)| grant.frame).collect()
    }

    fn overlaps_all(&self, frame: Frame, others: &[Frame]) -> bool {
        let touching = !self.keeps(Rule::TouchingIsNotOverlapping);
        let compared = if self.keeps(Rule::EveryGrantIsCompared) { others } else { &others[..others.len().min(1)] };
        !self.keeps(Rule::FramesOverlap) || compared.iter().all(|other| overlap(frame, *other, touching))
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a grant")]
    fn grant(
        &mut self,
        by: usize,
        to: &'static str,
        stay: Option<usize>,
        of_stay: &Doors,
        named: &Doors,
        of: Option<Of>,
        frame: Frame,
    ) -> &'static str {
        if self.ended(frame) {
            return INVALID;
        }
        let doors: Doors = of_stay.union(named).copied().collect();
        if doors.is_empty() {
            return INVALID;
        }
        let capable = capable(&doors);
        let mut reservation = None;
        match of {
            None if to != "STAFF" && !capable.is_empty() && self.keeps(Rule::GuestsNeedKey) => {
                return "RESERVATION_KEY_REQUIRED";
            }
            None => {}
            Some(_) if to == "STAFF" && self.keeps(Rule::StaffHasNoKey) => return INVALID,
            Some(_) if capable.is_empty() && self.keeps(Rule::KeyNeedsCapableDoor) => {
                return "RESERVATION_KEY_NOT_SUPPORTED";
            }
            Some(_) if capable.is_empty() => {}
            Some(of) => {
                let open = self.reservations.iter().position(|one| one.of == of && !one.ended);
                let established = open.filter(|open| !self.frames(*open, None).is_empty());
                if let Some(established) = established {
                    let fixed = self.reservations[established].doors.clone();
                    let asked = if self.keeps(Rule::GymIsOutside) { &capable } else { &doors };
                    if !asked.is_subset(&fixed) {
                        let superset = asked.is_superset(&fixed) == self.keeps(Rule::SupersetIsJoinerConflict);
                        if superset {
                            return "RESERVATION_JOINER_ENTRANCE_SET_CONFLICT";
                        }
                        if self.keeps(Rule::DoorsAreFixed) {
                            return "RESERVATION_ENTRANCE_CHANGE_REQUIRES_CLEANUP";
                        }
                    }
                    if !self.overlaps_all(frame, &self.frames(established, None)) {
                        return "RESERVATION_TIME_FRAMES_MUST_OVERLAP";
                    }
                    reservation = Some(established);
                } else {
                    if let Some(open) = open {
                        self.reservations[open].ended = true;
                    }
                    reservation = Some(self.establish(of, &capable, frame.0));
                }
            }
        }
        let (of_stay, named) = (of_stay.clone(), named.difference(of_stay).copied().collect());
        let label = self.next_label();
        self.labels += 1;
        self.grants.push(Grant { label, by, to, reservation, stay, of_stay, named, frame, live: true, waits: false });
        FINE
    }

    fn establish(&mut self, of: Of, doors: &Doors, start: Instant) -> usize {
        let start = if self.keeps(Rule::OrderIsByStart) { start } else { self.now };
        let mut orders = BTreeMap::new();
        for door in doors {
            let number = self.numbers.entry(door).or_default();
            if self.broken != Some(Rule::NumberRises) || *number == 0 {
                *number += 1;
            }
            orders.insert(*door, (start, *number));
        }
        self.reservations.push(Reservation { of, doors: doors.clone(), orders, ended: false });
        self.reservations.len() - 1
    }

    fn grant_by_stay(&mut self, by: usize, to: &'static str, number: usize) -> &'static str {
        let stay = self.stays[number].clone();
        let frame = Self::frame_of(&stay);
        let Some(room) = stay.room else {
            return if stay.deleted {
                "NOT_FOUND"
            } else if stay.cancelled {
                "RESERVATION_CANCELLED"
            } else if self.ended(frame) {
                "ROOM_STAY_DEPARTED"
            } else {
                INVALID
            };
        };
        if stay.deleted {
            return "NOT_FOUND";
        }
        if stay.cancelled {
            return "RESERVATION_CANCELLED";
        }
        if self.ended(frame) {
            return "ROOM_STAY_DEPARTED";
        }
        if stay.out {
            return INVALID;
        }
        let doors: Doors = ROOMS[room].1.iter().copied().collect();
        self.grant(by, to, Some(number), &doors, &Doors::new(), Some(Of::Stay(number)), frame)
    }

    fn redate(&mut self, by: usize, label: &str, frame: Frame) -> &'static str {
        let Some(at) = self.find(by, label) else { return "NOT_FOUND" };
        let grant = self.grants[at].clone();
        if frame == grant.frame {
            return FINE;
        }
        if grant.stay.is_some() || self.ended(frame) {
            return INVALID;
        }
        if let Some(reservation) = grant.reservation {
            if self.reservations[reservation].ended {
                return INVALID;
            }
            if !self.overlaps_all(frame, &self.frames(reservation, Some(at))) {
                return "RESERVATION_TIME_FRAMES_MUST_OVERLAP";
            }
        }
        self.set_frames(&[at], frame);
        FINE
    }

    /// Gives grants of one reservation another time. Its order on a door follows a new start of the oldest of its live grants there, but
    /// never falls once the reservation has begun, since a lock may have seen it.
    fn set_frames(&mut self, grants: &[usize], frame: Frame) {
        let Some(first) = grants.first() else { return };
        let reservation = self.grants[*first].reservation;
        let renewed: Vec<usize> = grants.iter().copied().filter(|at| self.grants[*at].frame.0 != frame.0).collect();
        let has_begun = self.grants.iter().any(|grant| grant.reservation == reservation && grant.frame.0 <= self.now);
        for at in grants {
            self.grants[*at].frame = frame;
        }
        let Some(reservation) = reservation else { return };
        let doors: Vec<&'static str> = self.reservations[reservation].doors.iter().copied().collect();
        for door in doors {
            let oldest = self.grants.iter().position(|grant| {
                grant.live
                    && grant.reservation == Some(reservation)
                    && (grant.of_stay.contains(door) || grant.named.contains(door))
            });
            let begins_anew = oldest.is_some_and(|oldest| renewed.contains(&oldest));
            let now = self.now;
            let keeps_what_was_seen = self.keeps(Rule::OrderNeverFalls);
            if begins_anew && self.keeps(Rule::OrderIsByStart) {
                let order = self.reservations[reservation].orders.get_mut(door).expect("a door of the reservation");
                if frame.0 > order.0 || !keeps_what_was_seen || (order.0 > now && !has_begun) {
                    order.0 = frame.0;
                }
            }
        }
    }

    fn change_doors(&mut self, by: usize, label: &str, doors: &Doors) -> &'static str {
        let Some(at) = self.find(by, label) else { return "NOT_FOUND" };
        let grant = &self.grants[at];
        let named: Doors = doors.difference(&grant.of_stay).copied().collect();
        if named.is_empty() && grant.of_stay.is_empty() {
            return INVALID;
        }
        if grant.reservation.is_some() {
            if capable(&named) != capable(&grant.named) && self.keeps(Rule::DoorsAreFixed) {
                return "RESERVATION_ENTRANCE_CHANGE_REQUIRES_CLEANUP";
            }
        } else if grant.to != "STAFF" && !capable(&named).is_empty() && self.keeps(Rule::GuestsNeedKey) {
            return "RESERVATION_KEY_REQUIRED";
        }
        self.grants[at].named = named;
        FINE
    }

    fn clear(&mut self, at: usize, waits: bool) {
        self.grants[at].live = false;
        self.grants[at].waits = waits;
        let Some(reservation) = self.grants[at].reservation else { return };
        let left: Vec<&Grant> =
            self.grants.iter().filter(|grant| grant.live && grant.reservation == Some(reservation)).collect();
        if left.is_empty() {
            self.reservations[reservation].ended = true;
        } else if !self.keeps(Rule::SetOutlivesFirstGrant) {
            let doors = left.iter().flat_map(|grant| grant.of_stay.union(&grant.named).copied()).collect();
            self.reservations[reservation].doors = capable(&doors);
        }
    }

    fn frame_of(stay: &Stay) -> Frame {
        let at = |day: i64, hour: i64| (day * 24 + hour - BEGINS_AT) * HOUR;
        (at(stay.days.0, 15), Some(at(stay.days.1, 11)))
    }

    fn act_on_stay(&mut self, act: &Act) -> &'static str {
        let (number, before) = match act {
            Act::MoveStay { stay, .. }
            | Act::RedateStay { stay, .. }
            | Act::CancelStay { stay, .. }
            | Act::CheckOut { stay, .. }
            | Act::DeleteStay { stay } => (*stay, self.stays[*stay].clone()),
            _ => unreachable!("it is an act on a stay"),
        };
        let departed = self.ended(Self::frame_of(&before));
        let stay = &mut self.stays[number];
        let rule = match act {
            Act::CancelStay { cancelled, .. } => {
                if !*cancelled && !stay.cancelled {
                    return "RESERVATION_NOT_CANCELLED";
                }
                if *cancelled == stay.cancelled {
                    return FINE;
                }
                stay.cancelled = *cancelled;
                if *cancelled { Rule::CancellationClears } else { Rule::ReactivationGivesBack }
            }
            _ if stay.deleted => return "NOT_FOUND",
            Act::DeleteStay { .. } => {
                stay.deleted = true;
                Rule::DeletionOfStayClears
            }
            _ if stay.cancelled => return "RESERVATION_CANCELLED",
            Act::MoveStay { .. } if departed => return "ROOM_STAY_DEPARTED",
            Act::MoveStay { room, .. } => {
                stay.room = *room;
                Rule::MoveClears
            }
            Act::RedateStay { from, nights, .. } => {
                stay.days = (*from, from + nights);
                Rule::NewDatesMoveGrants
            }
            Act::CheckOut { out, .. } => {
                stay.out = *out;
                Rule::CheckOutClears
            }
            _ => unreachable!("it is an act on a stay"),
        };
        if self.keeps(rule) {
            self.follow(number, before.room != self.stays[number].room);
        }
        FINE
    }

    /// Grants follow their stay: those that are live keep what it still gives, and those that wait are given back.
    fn follow(&mut self, number: usize, moved: bool) {
        let stay = self.stays[number].clone();
        let frame = Self::frame_of(&stay);
        let gives = stay.room.filter(|_| !stay.cancelled && !stay.out && !stay.deleted);
        let doors: Option<Doors> = gives.map(|room| ROOMS[room].1.iter().copied().collect());
        let of_stay = |grant: &Grant| grant.stay == Some(number);
        let live: Vec<usize> =
            (0..self.grants.len()).filter(|at| of_stay(&self.grants[*at]) && self.grants[*at].live).collect();
        let waiting: Vec<usize> =
            (0..self.grants.len()).filter(|at| of_stay(&self.grants[*at]) && self.grants[*at].waits).collect();
        let mut again = Vec::new();
        let mut kept = Vec::new();
        for at in live {
            match &doors {
                Some(doors) if !moved || *doors == self.grants[at].of_stay => kept.push(at),
                _ => {
                    self.clear(at, !stay.deleted);
                    again.push(at);
                }
            }
        }
        self.set_frames(&kept, frame);
        again.extend(waiting);
        if !kept.is_empty() || stay.deleted {
            for at in again {
                self.grants[at].waits = false;
            }
            return;
        }
        let Some(doors) = doors.filter(|_| !self.ended(frame)) else { return };
        if again.is_empty() {
            return;
        }
        let reservation = self.establish(Of::Stay(number), &capable(&doors), frame.0);
        for at in again {
            self.grants[at].waits = false;
            let mut grant = self.grants[at].clone();
            grant.reservation = Some(reservation);
            grant.named = grant.named.difference(&doors).copied().filter(|door| *door == GYM).collect();
            grant.of_stay.clone_from(&doors);
            grant.frame = frame;
            grant.live = true;
            self.grants.push(grant);
        }
    }
}
