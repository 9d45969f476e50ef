//! The SQL of room stays.

mod nested;
mod pages;
mod writes;

pub(crate) use nested::{extents_of_reservations, overlapping, pages_of_reservations};
pub use pages::{KeyEnd, StayField, StayJoins, StayKey, StayPage, StayView};
pub(super) use pages::{extent, find, page};
pub(super) use writes::*;
pub(crate) use writes::{lock_assigned, renew_key_due};
