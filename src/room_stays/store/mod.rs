//! The SQL of room stays.

mod assignments;
mod nested;
mod pages;
mod writes;

pub(super) use assignments::write_assignments;
pub use nested::pages_of_reservations;
pub(crate) use nested::{bounds_of_reservations, overlapping};
pub use pages::{KeyEnd, StayField, StayJoins, StayKey, StayPage, StayView};
pub(super) use pages::{bounds, find, page};
pub(super) use writes::*;
pub(crate) use writes::{lock_assigned, renew_key_due, revoke_keys};
