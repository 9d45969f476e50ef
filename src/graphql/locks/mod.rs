//! Doors, spaces and encoders in the schema.
//!
//! What has a key is named by its id or by its key, wherever an argument takes an id of it.

mod encoders;
mod entrance_mutations;
pub mod entrances;
mod filters;
mod space_mutations;
pub mod spaces;

pub use encoders::{EncoderMutation, EncoderQuery};
pub use entrance_mutations::EntranceMutation;
pub use entrances::EntranceQuery;
pub use space_mutations::SpaceMutation;
pub use spaces::SpaceQuery;

use async_graphql::ID;

use crate::locks::Reference;

/// The records that a client names.
fn references(ids: &[ID]) -> Vec<Reference> {
    ids.iter().map(|id| Reference::parse(id)).collect()
}
