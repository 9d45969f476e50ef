//! The SQL of room stays.

mod detail_columns;
mod nested;
mod pages;
mod writes;

pub use nested::pages_of_reservations;
pub(crate) use nested::{bounds_of_reservations, overlapping};
pub use pages::{KeyEnd, StayField, StayJoins, StayKey, StayPage, StayView};
pub(super) use pages::{bounds, find, page};
pub(super) use writes::*;
pub(crate) use writes::{LockedStay, key_due, lock_assigned, lock_unconfirmed, renew_key_due, revoke_keys};
