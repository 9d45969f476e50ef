//! Access grants in the schema: whom they are for, what they open and when, and their means of entry.
//!
//! What has a key is named by its id or by its key, wherever an argument takes an id of it.

mod filters;
mod grant_mutations;
mod grants;
mod identities;
mod identity_mutations;
mod inputs;
mod method_mutations;
mod methods;

pub use grant_mutations::AccessGrantMutation;
pub use grants::AccessGrantQuery;
pub use identities::UserIdentityQuery;
pub use identity_mutations::UserIdentityMutation;
pub use method_mutations::AccessMethodMutation;
pub use methods::AccessMethodQuery;
