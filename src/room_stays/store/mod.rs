//! The SQL of room stays.

mod pages;
mod writes;

pub use pages::{StayField, StayJoins, StayKey, StayView, pages_of_reservations};
pub(super) use pages::{extent, find, page};
pub(crate) use pages::{extents_of_reservations, overlapping};
pub(super) use writes::*;
