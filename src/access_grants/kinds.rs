//! What can happen to grants and methods.

use crate::audit::{Action, ObjectType};
use crate::events::{Audience, ChangeKind, SeamType};

/// A grant was made.
pub static GRANT_CREATED: ChangeKind = ChangeKind {
    event_type: "access_grant.created",
    action: Action::Created,
    object: ObjectType::AccessGrant,
    audience: Audience::Owner,
    names_fields: false,
    meaning: "access was granted, also anew because its stay was moved or re-activated",
    seam: &[SeamType::of_all("access_grant.created")],
};
/// A grant was changed.
pub static GRANT_UPDATED: ChangeKind = ChangeKind {
    event_type: "access_grant.updated",
    action: Action::Updated,
    object: ObjectType::AccessGrant,
    audience: Audience::Owner,
    names_fields: true,
    meaning: r#"its times (`["startsAt"]`, `["endsAt"]`), its doors (`["entrances"]`), its methods (`["accessMethods"]`) or its name changed, also because its stay did"#,
    seam: &[SeamType::of(&["startsAt", "endsAt"], "access_grant.access_times_changed")],
};
/// A grant was deleted.
pub static GRANT_DELETED: ChangeKind = ChangeKind {
    event_type: "access_grant.deleted",
    action: Action::Deleted,
    object: ObjectType::AccessGrant,
    audience: Audience::Owner,
    names_fields: false,
    meaning: "it was deleted, also because its stay was moved, cancelled, checked out or deleted",
    seam: &[SeamType::of_all("access_grant.deleted")],
};
/// A method was made.
pub static METHOD_CREATED: ChangeKind = ChangeKind {
    event_type: "access_method.created",
    action: Action::Created,
    object: ObjectType::AccessMethod,
    audience: Audience::Owner,
    names_fields: false,
    meaning: "a means of entry was made; a card has to be encoded",
    seam: &[SeamType::of_all("access_method.created")],
};
/// A method was changed.
pub static METHOD_UPDATED: ChangeKind = ChangeKind {
    event_type: "access_method.updated",
    action: Action::Updated,
    object: ObjectType::AccessMethod,
    audience: Audience::Owner,
    names_fields: true,
    meaning: r#"it was encoded (`["encodedAt"]`, the first time `["issuedAt"]`, too), has to be encoded again (`["isEncodingRequired"]`) or was seen to be overridden (`["overriddenAt"]`)"#,
    seam: &[
        SeamType::of(&["issuedAt"], "access_method.issued"),
        SeamType::of(&["encodedAt"], "access_method.reissued"),
        SeamType::of(&["isEncodingRequired"], "access_method.card_encoding_required"),
    ],
};
/// A method was taken away.
pub static METHOD_REVOKED: ChangeKind = ChangeKind {
    event_type: "access_method.revoked",
    action: Action::Revoked,
    object: ObjectType::AccessMethod,
    audience: Audience::Owner,
    names_fields: false,
    meaning: "it was taken away, or its grant was deleted; a card that was written has to be collected",
    seam: &[SeamType::of_all("access_method.revoked")],
};
