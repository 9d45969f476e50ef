//! The SQL of access grants. The number of statements depends neither on how many doors and methods a grant has nor on how many
//! grants are written together.

mod grants;
mod methods;
mod reservations;

pub(super) use grants::*;
pub(super) use methods::*;
pub(super) use reservations::*;
