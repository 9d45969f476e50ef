//! Access grants: who may open which doors and when, by which access methods, and how grants share a reservation
//! (docs/ACCESS_GRANTS.md).

mod grants;
mod model;
mod rules;
mod store;

pub use grants::{NewGrant, ReservationOf, create_in, delete_in, update_frame_in};
pub use model::{Grant, Identity, Method, MethodState};
pub use rules::{IdentityKind, TimeFrame};

use crate::audit::{Action, ObjectType};
use crate::events::{Audience, ChangeKind};

/// A grant was made.
pub static GRANT_CREATED: ChangeKind = ChangeKind {
    event_type: "access_grant.created",
    action: Action::Created,
    object: ObjectType::AccessGrant,
    audience: Audience::Owner,
    names_fields: false,
    meaning: "access was granted",
};
/// A grant was changed.
pub static GRANT_UPDATED: ChangeKind = ChangeKind {
    event_type: "access_grant.updated",
    action: Action::Updated,
    object: ObjectType::AccessGrant,
    audience: Audience::Owner,
    names_fields: true,
    meaning: r#"its times (`["starts_at"]`, `["ends_at"]`) or its doors (`["entrances"]`) changed, also because its stay did"#,
};
/// A grant was deleted.
pub static GRANT_DELETED: ChangeKind = ChangeKind {
    event_type: "access_grant.deleted",
    action: Action::Deleted,
    object: ObjectType::AccessGrant,
    audience: Audience::Owner,
    names_fields: false,
    meaning: "it was deleted, also because its stay was cancelled, deleted or moved",
};
/// A method was changed.
pub static METHOD_UPDATED: ChangeKind = ChangeKind {
    event_type: "access_method.updated",
    action: Action::Updated,
    object: ObjectType::AccessMethod,
    audience: Audience::Owner,
    names_fields: true,
    meaning: r#"it was encoded (`["encodedAt"]`), has to be encoded again (`["encodingRequired"]`) or was revoked (`["revokedAt"]`)"#,
};
