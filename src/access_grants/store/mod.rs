//! The SQL of access grants. The number of statements depends neither on how many doors and methods a grant has nor on how many
//! grants are written together.

pub(super) mod grant_pages;
mod grants;
pub(super) mod identities;
pub(super) mod identity_pages;
pub(super) mod method_pages;
mod methods;
mod reservations;

pub(super) use grants::*;
pub(super) use methods::*;
pub(super) use reservations::*;
