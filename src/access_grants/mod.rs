//! Access grants: who may open which doors and when, by which access methods, and how grants share a reservation
//! (`docs/ACCESS_GRANTS.md`).
//!
//! Locks are taken in one order everywhere: the stay, the reservation on doors, the doors by id, grants by id.

mod follow_commands;
mod follow_stays;
mod grants;
mod identities;
mod kinds;
mod methods;
mod model;
mod rules;
mod stay_access;
mod store;
mod visibility;
mod write;

pub use follow_commands::CommandFollower;
pub use follow_stays::StayFollower;
pub(crate) use grants::clear_of_integration_in;
pub use grants::{GrantChange, NewGrant, Target, create_in, delete_in, update_in};
pub(crate) use identities::delete_of_integration_in;
pub use identities::{IdentityChange, NewIdentity, create_identity_in, delete_identity_in, update_identity_in};
pub use kinds::{GRANT_CREATED, GRANT_DELETED, GRANT_UPDATED, METHOD_CREATED, METHOD_REVOKED, METHOD_UPDATED};
pub use methods::{
    GrantsOf, delete_method_in, delete_methods_of_grants_in, encode_in, report_override_in, request_methods_in,
    unlock_in,
};
pub use model::{
    CheckedGrant, CheckedMethod, Grant, GrantDoors, Identity, IdentityDetails, IdentityView, LockedGrant, Method,
    MethodState, MethodWarning, ReservationOf, UserIdentity,
};
pub use rules::{IdentityKind, TimeFrame};
pub(crate) use store::grant_pages::counts_of_integration;
pub use store::grant_pages::{
    GrantField, bounds as grant_bounds, entrances_of as entrances_of_grants, get as grant, page as grant_page,
    spaces_of as spaces_of_grants,
};
pub use store::identity_pages::{
    IdentityField, bounds as identity_bounds, by_ids as identities_by_ids, page as identity_page,
};
pub use store::method_pages::{
    MethodField, bounds as method_bounds, get as method, of_grants as methods_of_grants, page as method_page,
};
pub use visibility::{OwnedList, named_by, visible_to};
