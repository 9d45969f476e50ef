//! Access grants: who may open which doors and when, by which access methods, and how grants share a reservation
//! (docs/ACCESS_GRANTS.md).
//!
//! Locks are taken in one order everywhere: the stay, the reservation on doors, the doors by id, grants by id.

mod follow_commands;
mod follow_stays;
mod grants;
mod kinds;
mod methods;
mod model;
mod rules;
mod stay_access;
mod store;
mod write;

pub use follow_commands::CommandFollower;
pub use follow_stays::StayFollower;
pub(crate) use grants::clear_of_integration_in;
pub use grants::{GrantChange, NewGrant, Target, create_in, delete_in, update_in};
pub use kinds::{GRANT_CREATED, GRANT_DELETED, GRANT_UPDATED, METHOD_CREATED, METHOD_UPDATED};
pub use methods::{delete_method_in, encode_in, report_override_in, request_methods_in};
pub use model::{CheckedGrant, CheckedMethod, GrantDoors, Identity, LockedGrant, Method, MethodState, ReservationOf};
pub use rules::{IdentityKind, TimeFrame};
