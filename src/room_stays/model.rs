//! Room stays: types and rules.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use uuid::Uuid;

use crate::error::{Error, Message, Result};
use crate::room_access_keys::AssignedKey;

/// Longest stay that can be booked, in nights: three years. It bounds how far the window query has to look.
pub const LONGEST_STAY_NIGHTS: i64 = 1096;

/// Last day on which a stay can end. Its key may stay on it for some days more, still within the years that can be written.
const LAST_DEPARTURE: NaiveDate = NaiveDate::from_ymd_opt(9999, 12, 28).expect("a date");

/// Guests by age group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgeGroups {
    /// Adults.
    pub adults: i16,
    /// Children of the hotel's first age group.
    pub child1: i16,
    /// Children of the hotel's second age group.
    pub child2: i16,
    /// Guests that stay for free.
    pub free: i16,
}

/// One room's part of a reservation.
#[derive(Clone, Debug)]
pub struct RoomStay {
    /// Id.
    pub id: Uuid,
    /// The reservation it is part of.
    pub reservation_id: Uuid,
    /// What was booked.
    pub category_id: Uuid,
    /// The room, once there is one.
    pub room_setup_id: Option<Uuid>,
    /// Day of arrival.
    pub reservation_from: NaiveDate,
    /// Day of departure; equal to the arrival for day use.
    pub reservation_to: NaiveDate,
    /// Late check-out that was agreed on; local time.
    pub departure_time: Option<NaiveTime>,
    /// Physical arrival.
    pub check_in: Option<DateTime<Utc>>,
    /// Physical departure.
    pub check_out: Option<DateTime<Utc>>,
    /// Its key.
    pub room_access_key: Option<AssignedKey>,
}

/// What few readers of a stay want: its notes, and what is known of its record.
#[derive(Clone, Debug)]
pub struct StayDetails {
    /// Message for the guest.
    pub guest_message: Option<String>,
    /// Notes for housekeeping.
    pub maid_notes: Option<String>,
    /// Notes for the kitchen.
    pub meal_notes: Option<String>,
    /// Code of the rate that was sold.
    pub rate_code: Option<String>,
    /// Guests by age.
    pub age_groups: AgeGroups,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl StayDetails {
    /// Details of a stay that is made at `now`, of which nothing else is known.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self {
            guest_message: None,
            maid_notes: None,
            meal_notes: None,
            rate_code: None,
            age_groups: AgeGroups { adults: 0, child1: 0, child2: 0, free: 0 },
            created_at: now,
            updated_at: now,
        }
    }
}

/// A range of nights, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nights {
    /// Day of arrival.
    pub from: NaiveDate,
    /// Day of departure, not included.
    pub to: NaiveDate,
}

impl Nights {
    /// Checks a range: the departure not before the arrival and at most 1,096 nights after it.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` at `reservation_to`.
    pub fn new(from: NaiveDate, to: NaiveDate) -> Result<Self> {
        if to < from {
            return Err(Error::new(Message::StayEndsBeforeItBegins).at("reservation_to"));
        }
        if to > LAST_DEPARTURE {
            return Err(Error::new(Message::StayEndsTooLate { last: LAST_DEPARTURE }).at("reservation_to"));
        }
        if (to - from).num_days() > LONGEST_STAY_NIGHTS {
            return Err(Error::new(Message::StayTooLong { most: LONGEST_STAY_NIGHTS }).at("reservation_to"));
        }
        Ok(Self { from, to })
    }

    /// How many.
    pub fn count(self) -> i32 {
        i32::try_from((self.to - self.from).num_days()).unwrap_or(i32::MAX)
    }
}
