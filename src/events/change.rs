//! Changes, and how several of one record merge.

use std::borrow::Cow;
use std::collections::HashMap;

use uuid::Uuid;

use super::{Audience, ChangeKind};
use crate::audit::{Action, Entry};

/// A change of one record that a service made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What kind of change.
    pub kind: &'static ChangeKind,
    /// The record.
    pub id: Uuid,
    /// The one integration that may learn of it; `None` = all of the hotel.
    pub owner: Option<Uuid>,
    /// Names of the fields that changed, as in the schema; empty for everything but updates.
    pub fields: Vec<Cow<'static, str>>,
    /// The record that it was split from, for those who follow. No event tells it.
    pub split_from: Option<Uuid>,
}

impl ChangeKind {
    /// A change of this kind of the record with that id.
    pub const fn of(&'static self, id: Uuid) -> Change {
        Change { kind: self, id, owner: None, fields: Vec::new(), split_from: None }
    }
}

impl Change {
    /// Names the fields that changed.
    #[must_use]
    pub fn with_fields(mut self, fields: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        self.fields = fields.into_iter().map(Into::into).collect();
        self
    }

    /// Names the integration that owns the record. A change whose kind is for owners and that has none is no event.
    #[must_use]
    pub const fn owned_by(mut self, integration: Uuid) -> Self {
        self.owner = Some(integration);
        self
    }

    /// Names the record that it was split from.
    #[must_use]
    pub const fn split_from(mut self, other: Uuid) -> Self {
        self.split_from = Some(other);
        self
    }

    /// Its type in Seam's API, where that has one.
    pub(super) fn seam_type(&self) -> Option<&'static str> {
        self.kind.seam_type(&self.fields)
    }

    fn is_event(&self) -> bool {
        match self.kind.audience {
            Audience::Hotel => true,
            Audience::Owner | Audience::Endpoint => self.owner.is_some(),
            Audience::Nobody => false,
        }
    }
}

impl From<&Change> for Entry {
    fn from(change: &Change) -> Self {
        let ChangeKind { action, object, .. } = change.kind;
        Self { fields: change.fields.clone(), ..Self::new(*action, *object, change.id) }
    }
}

/// The changes of one request, merged by record.
#[derive(Debug, Default)]
pub struct Changes {
    /// The records, in the order in which they first changed.
    records: Vec<Uuid>,
    of_record: HashMap<Uuid, Vec<Change>>,
}

impl Changes {
    /// Adds a change. Changes of one kind unite their fields, an update of something new is part of its creation, a
    /// deletion or revocation replaces what was done before, and what is created and deleted in one request never was.
    pub fn push(&mut self, change: Change) {
        let earlier = self.of_record.entry(change.id).or_insert_with(|| {
            self.records.push(change.id);
            Vec::new()
        });
        let was = |action: Action| earlier.iter().any(|one| one.kind.action == action);
        let (was_created, has_ended) = (was(Action::Created), was(Action::Deleted) || was(Action::Revoked));
        if matches!(change.kind.action, Action::Deleted | Action::Revoked) {
            earlier.clear();
            if !was_created {
                earlier.push(change);
            }
        } else if let Some(alike) = earlier.iter_mut().find(|one| one.kind == change.kind) {
            for field in change.fields {
                if !alike.fields.contains(&field) {
                    alike.fields.push(field);
                }
            }
        } else if change.kind.action != Action::Updated || !(was_created || has_ended) {
            earlier.push(change);
        }
    }

    /// The merged changes, by record.
    pub fn into_merged(mut self) -> Vec<Change> {
        self.records.iter().flat_map(|record| self.of_record.remove(record).unwrap_or_default()).collect()
    }

    /// The merged changes that are events for somebody, by record.
    pub fn into_events(self) -> Vec<Change> {
        self.into_merged().into_iter().filter(Change::is_event).collect()
    }
}

impl Extend<Change> for Changes {
    fn extend<T: IntoIterator<Item = Change>>(&mut self, changes: T) {
        for change in changes {
            self.push(change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::ObjectType;

    const fn kind(event_type: &'static str, action: Action, audience: Audience) -> ChangeKind {
        ChangeKind {
            event_type,
            action,
            object: ObjectType::RoomStay,
            audience,
            names_fields: true,
            meaning: "",
            seam: &[],
        }
    }

    static CREATED: ChangeKind = kind("room_stay.created", Action::Created, Audience::Hotel);
    static UPDATED: ChangeKind = kind("room_stay.updated", Action::Updated, Audience::Hotel);
    static DELETED: ChangeKind = kind("room_stay.deleted", Action::Deleted, Audience::Hotel);
    static DISABLED: ChangeKind = kind("room_stay.disabled", Action::Disabled, Audience::Hotel);
    static CREATED_UNSEEN: ChangeKind = kind("room_stay.created", Action::Created, Audience::Nobody);
    static DELETED_FOR_OWNER: ChangeKind = kind("room_stay.deleted", Action::Deleted, Audience::Owner);

    const ID: Uuid = Uuid::from_u128(1);

    #[track_caller]
    fn expect<const N: usize>(changes: [Change; N], events: &[Change]) {
        let mut all = Changes::default();
        all.extend(changes);
        assert_eq!(all.into_events(), events);
    }

    fn updated(fields: &[&'static str]) -> Change {
        UPDATED.of(ID).with_fields(fields.to_vec())
    }

    #[test]
    fn updates_of_one_record_unite_their_fields() {
        expect(
            [updated(&["roomAccessKey"]), updated(&["room_setup", "roomAccessKey"])],
            &[updated(&["roomAccessKey", "room_setup"])],
        );
    }

    #[test]
    fn an_update_of_something_new_is_part_of_its_creation() {
        expect([CREATED.of(ID), updated(&["room_setup"])], &[CREATED.of(ID)]);
    }

    #[test]
    fn a_deletion_replaces_updates_and_cancels_a_creation() {
        expect([updated(&["room_setup"]), DELETED.of(ID)], &[DELETED.of(ID)]);
        expect([DELETED.of(ID), updated(&["room_setup"])], &[DELETED.of(ID)]);
        expect([CREATED.of(ID), DELETED.of(ID)], &[]);
    }

    #[test]
    fn what_is_neither_of_them_stands_beside_them_once() {
        let all = [CREATED.of(ID), DISABLED.of(ID), updated(&["room_setup"]), DISABLED.of(ID)];
        expect(all, &[CREATED.of(ID), DISABLED.of(ID)]);
        expect([updated(&["room_setup"]), DISABLED.of(ID)], &[updated(&["room_setup"]), DISABLED.of(ID)]);
    }

    #[test]
    fn records_keep_the_order_in_which_they_first_changed() {
        let other = Uuid::from_u128(2);
        expect([CREATED.of(other), updated(&["a"]), UPDATED.of(other)], &[CREATED.of(other), updated(&["a"])]);
    }

    #[test]
    fn nobody_is_told_what_is_for_nobody_or_for_an_owner_who_is_not_named() {
        let owned = DELETED_FOR_OWNER.of(ID).owned_by(Uuid::from_u128(2));
        expect([owned.clone()], std::slice::from_ref(&owned));
        expect([DELETED_FOR_OWNER.of(ID)], &[]);
        expect([CREATED_UNSEEN.of(ID)], &[]);
        expect([CREATED_UNSEEN.of(ID), owned], &[]);
    }
}
