//! Rules of reservations on doors: whether a grant starts a reservation, joins one or stands outside of all (checklist B04 to
//! B27), decided from what is known of the reservation and without a database.
//!
//! A reservation is what grants with one reservation key share. Its *door set* is fixed by its first grant and lives until its
//! last grant has ended, whichever that is. Doors that cannot belong to a reservation are outside of all rules.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::error::{Error, Message, Result};

/// The time for which a grant opens doors: half-open, so that one that ends when another one begins does not overlap it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeFrame {
    /// First instant.
    pub starts_at: DateTime<Utc>,
    /// First instant after it; `None`: it is open.
    pub ends_at: Option<DateTime<Utc>>,
}

impl TimeFrame {
    /// Whether both have an instant in common.
    pub fn overlaps(self, other: Self) -> bool {
        let begins_before_end = |one: Self, other: Self| other.ends_at.is_none_or(|end| one.starts_at < end);
        begins_before_end(self, other) && begins_before_end(other, self)
    }

    /// Whether it has ended by then.
    pub fn has_ended(self, now: DateTime<Utc>) -> bool {
        self.ends_at.is_some_and(|end| end <= now)
    }
}

/// Kind of a user identity (checklist B05, B07). Those that client libraries make are guests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdentityKind {
    /// Somebody who stays for some nights.
    Guest,
    /// Somebody who lives there. The rules are those of guests.
    Resident,
    /// Somebody who works there: their credentials neither override those of guests nor are overridden.
    Staff,
}

impl IdentityKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Guest, Self::Resident, Self::Staff];

    /// Name in the database and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Guest => "GUEST",
            Self::Resident => "RESIDENT",
            Self::Staff => "STAFF",
        }
    }

    /// From its name in the database.
    ///
    /// # Errors
    /// `INTERNAL` for a kind that this binary does not know.
    pub fn parse(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|kind| kind.name() == name);
        known.ok_or_else(|| Error::internal(format!("unknown kind of identity {name:?}")))
    }
}

/// A door that a grant asks for, as far as the rules look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskedDoor {
    /// Id of the entrance.
    pub entrance: Uuid,
    /// Whether it can belong to a reservation (checklist B13).
    pub can_belong_to_reservation: bool,
    /// Whether its provider needs a reservation key for guests (checklist B21).
    pub guests_need_reservation_key: bool,
}

/// A grant that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct AskedGrant<'a> {
    /// Whom it is for.
    pub identity: IdentityKind,
    /// Whether it has a reservation key.
    pub has_reservation_key: bool,
    /// Its doors, each once.
    pub doors: &'a [AskedDoor],
    /// Its time.
    pub frame: TimeFrame,
}

/// A reservation that has grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Established {
    /// The doors that its first grant has fixed.
    pub doors: BTreeSet<Uuid>,
    /// The times of its live grants.
    pub frames: Vec<TimeFrame>,
}

/// How a grant stands to reservations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Outside of all: none of its doors can belong to a reservation, or its identity is of the staff.
    Standard,
    /// The first of its reservation, with these doors. It overrides what others have on them (checklist B09, B11).
    First(BTreeSet<Uuid>),
    /// It joins its reservation on these doors (checklist B10, B24).
    Joiner(BTreeSet<Uuid>),
}

/// Decides on a new grant; `established` is the reservation of its key, if that has live grants.
///
/// # Errors
/// `INVALID_ARGUMENT` for a reservation key with a staff identity, and the five of the rules: `RESERVATION_KEY_NOT_SUPPORTED`,
/// `RESERVATION_KEY_REQUIRED`, `RESERVATION_ENTRANCE_CHANGE_REQUIRES_CLEANUP`, `RESERVATION_JOINER_ENTRANCE_SET_CONFLICT`,
/// `RESERVATION_TIME_FRAMES_MUST_OVERLAP`.
pub fn decide(asked: AskedGrant<'_>, established: Option<&Established>) -> Result<Standing> {
    let capable: BTreeSet<Uuid> =
        asked.doors.iter().filter(|door| door.can_belong_to_reservation).map(|door| door.entrance).collect();
    if !asked.has_reservation_key {
        let needs_key = |door: &AskedDoor| door.can_belong_to_reservation && door.guests_need_reservation_key;
        return match asked.identity {
            IdentityKind::Guest | IdentityKind::Resident if asked.doors.iter().any(needs_key) => {
                Err(Error::new(Message::ReservationKeyRequired))
            }
            _ => Ok(Standing::Standard),
        };
    }
    if asked.identity == IdentityKind::Staff {
        return Err(Error::new(Message::ReservationKeyOfStaff).at("reservationKey"));
    }
    if capable.is_empty() {
        return Err(Error::new(Message::ReservationKeyNotSupported).at("reservationKey"));
    }
    let Some(established) = established else { return Ok(Standing::First(capable)) };
    if !capable.is_subset(&established.doors) {
        let message = if capable.is_superset(&established.doors) {
            Message::ReservationJoinerEntranceSetConflict
        } else {
            Message::ReservationEntranceChangeRequiresCleanup
        };
        return Err(Error::new(message));
    }
    check_frame(asked.frame, &established.frames)?;
    Ok(Standing::Joiner(capable))
}

/// Rule 4, for a new grant and for new times of one: there is an instant in common with each of the `others` of the
/// reservation (checklist B26).
///
/// # Errors
/// `RESERVATION_TIME_FRAMES_MUST_OVERLAP`
pub fn check_frame(frame: TimeFrame, others: &[TimeFrame]) -> Result<()> {
    if others.iter().all(|other| other.overlaps(frame)) {
        return Ok(());
    }
    Err(Error::new(Message::ReservationTimeFramesMustOverlap))
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone as _;

    use super::*;
    use crate::error::ErrorCode;

    fn at(day: u32, hour: u32) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2025, 5, day, hour, 0, 0).single().expect("an instant")
    }

    fn frame(from: DateTime<Utc>, to: DateTime<Utc>) -> TimeFrame {
        TimeFrame { starts_at: from, ends_at: Some(to) }
    }

    fn stay() -> TimeFrame {
        frame(at(10, 15), at(14, 11))
    }

    fn room(number: u128) -> AskedDoor {
        AskedDoor {
            entrance: Uuid::from_u128(number),
            can_belong_to_reservation: true,
            guests_need_reservation_key: true,
        }
    }

    fn gym() -> AskedDoor {
        AskedDoor { entrance: Uuid::from_u128(1), can_belong_to_reservation: false, guests_need_reservation_key: true }
    }

    fn established(doors: &[AskedDoor], frames: &[TimeFrame]) -> Established {
        Established { doors: set(doors), frames: frames.to_vec() }
    }

    fn set(doors: &[AskedDoor]) -> BTreeSet<Uuid> {
        doors.iter().map(|door| door.entrance).collect()
    }

    fn guest(doors: &[AskedDoor], frame: TimeFrame) -> AskedGrant<'_> {
        AskedGrant { identity: IdentityKind::Guest, has_reservation_key: true, doors, frame }
    }

    fn refusal(asked: AskedGrant<'_>, established: Option<&Established>) -> ErrorCode {
        decide(asked, established).expect_err("refused").code
    }

    #[test]
    fn the_first_grant_fixes_the_doors_that_can_belong() {
        let doors = [room(101), gym()];
        assert_eq!(decide(guest(&doors, stay()), None).expect("granted"), Standing::First(set(&[room(101)])));
    }

    #[test]
    fn a_key_needs_a_door_that_can_belong_and_a_guest() {
        assert_eq!(refusal(guest(&[gym()], stay()), None), ErrorCode::ReservationKeyNotSupported);
        let doors = [room(101)];
        let staff = AskedGrant { identity: IdentityKind::Staff, ..guest(&doors, stay()) };
        assert_eq!(refusal(staff, None), ErrorCode::InvalidArgument);
    }

    #[test]
    fn guests_need_a_key_where_locks_override_and_staff_do_not() {
        let doors = [room(101)];
        let without = AskedGrant { has_reservation_key: false, ..guest(&doors, stay()) };
        assert_eq!(refusal(without, None), ErrorCode::ReservationKeyRequired);
        let resident = AskedGrant { identity: IdentityKind::Resident, ..without };
        assert_eq!(refusal(resident, None), ErrorCode::ReservationKeyRequired);
        let staff = AskedGrant { identity: IdentityKind::Staff, ..without };
        assert_eq!(decide(staff, None).expect("granted"), Standing::Standard);
        let common = AskedGrant { doors: &[gym()], ..without };
        assert_eq!(decide(common, None).expect("granted"), Standing::Standard);
    }

    #[test]
    fn joiners_have_a_subset_and_whoever_wants_other_doors_cleans_up_first() {
        let both = established(&[room(101), room(102)], &[stay()]);
        for doors in [&[room(101)][..], &[room(102), gym()], &[room(101), room(102)]] {
            assert!(matches!(decide(guest(doors, stay()), Some(&both)), Ok(Standing::Joiner(_))));
        }
        let superset = [room(101), room(102), room(203)];
        assert_eq!(refusal(guest(&superset, stay()), Some(&both)), ErrorCode::ReservationJoinerEntranceSetConflict);
        for doors in [&[room(203)][..], &[room(101), room(203)]] {
            assert_eq!(refusal(guest(doors, stay()), Some(&both)), ErrorCode::ReservationEntranceChangeRequiresCleanup);
        }
    }

    #[test]
    fn frames_overlap_each_of_the_others_and_touching_is_not_overlapping() {
        let open = TimeFrame { starts_at: at(13, 0), ends_at: None };
        let one = established(&[room(101)], &[stay(), open]);
        let joins = |frame| decide(guest(&[room(101)], frame), Some(&one)).map_err(|error| error.code);
        assert!(joins(frame(at(11, 11), at(14, 11))).is_ok());
        for alone in [frame(at(14, 11), at(15, 11)), frame(at(9, 0), at(10, 15)), frame(at(11, 0), at(13, 0))] {
            assert_eq!(joins(alone), Err(ErrorCode::ReservationTimeFramesMustOverlap), "{alone:?}");
        }
        assert!(!stay().has_ended(at(14, 10)) && stay().has_ended(at(14, 11)) && !open.has_ended(at(30, 0)));
    }
}
