//! Who sees which identities, grants and methods.

use serde::Serialize;
use uuid::Uuid;

use crate::actor::{Actor, Permission};
use crate::db::Filter;
use crate::error::Result;
use crate::locks::Reference;

/// Records that belong to integrations, as one reader sees them. What it is serialized to is part of cursors.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OwnedList<F> {
    /// Those of this integration; `None`: those of the whole hotel.
    pub integration: Option<Uuid>,
    /// Which of them.
    pub filter: Filter<F>,
}

/// The integration among whose records one that is named is looked for: keys are those of the integration that acts.
///
/// # Errors
/// `FORBIDDEN` for a principal that sees no records.
pub fn named_by(actor: &Actor, name: &Reference) -> Result<Option<Uuid>> {
    match name {
        Reference::Id(_) => visible_to(actor),
        Reference::Key(_) => actor.integration().map(Some),
    }
}

/// The integration whose records are seen; `None` at the front desk, which sees everybody's.
///
/// # Errors
/// `FORBIDDEN` for a principal that is neither.
pub fn visible_to(actor: &Actor) -> Result<Option<Uuid>> {
    if actor.permission >= Permission::FrontDesk { Ok(None) } else { actor.integration().map(Some) }
}
