//! Seam's interface: what its official SDKs ask for, answered by the services that GraphQL uses (`docs/SEAM.md`).
//!
//! An operation is a type of parameters ([`operation`]), in the file of its resource; [`ROUTES`] lists them all. A hotel is a
//! workspace, a provider in it an access system; records are named by their ids or their keys.

#![expect(
    clippy::option_option,
    clippy::struct_excessive_bools,
    clippy::struct_field_names,
    reason = "parameters and answers have Seam's names and forms"
)]

mod access_grants;
mod access_methods;
mod access_mode;
mod acs;
mod action_attempts;
mod answer;
mod error;
mod events;
pub mod openapi;
mod operation;
mod parameters;
mod related;
mod routes;
mod schemas;
mod spaces;
mod user_identities;
mod webhooks;
mod workspaces;

pub use error::ErrorBody;
pub use operation::{Prepared, PreparedAct, PreparedQuery, Reader, Spec, answer_cost};
pub use parameters::Parameters;
pub use routes::{ROUTES, Route};
