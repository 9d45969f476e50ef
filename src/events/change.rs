//! Changes, and how several of one object become one.

use std::borrow::Cow;

use uuid::Uuid;

/// Type of the events that try an endpoint out. Nobody subscribes to it.
const TEST_TYPE: &str = "webhook.test";

/// One change that a service made. Names of fields are those of the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// `reservation.created`
    ReservationCreated {
        /// The reservation.
        id: Uuid,
    },
    /// `reservation.updated`
    ReservationUpdated {
        /// The reservation.
        id: Uuid,
        /// What changed of it.
        fields: Vec<Cow<'static, str>>,
    },
    /// `room_stay.created`
    RoomStayCreated {
        /// The stay.
        id: Uuid,
    },
    /// `room_stay.updated`
    RoomStayUpdated {
        /// The stay.
        id: Uuid,
        /// What changed of it.
        fields: Vec<Cow<'static, str>>,
    },
    /// `room_stay.deleted`
    RoomStayDeleted {
        /// The stay.
        id: Uuid,
    },
    /// No event: a key concerns nobody before it is on a stay. It lets a key that is made and deleted in one request be one
    /// that never was.
    RoomAccessKeyCreated {
        /// The key.
        id: Uuid,
    },
    /// `client.updated`
    ClientUpdated {
        /// The client.
        id: Uuid,
    },
    /// `room_access_key.deleted`, for the integration that owned the key.
    RoomAccessKeyDeleted {
        /// The key.
        id: Uuid,
        /// The integration.
        owner: Uuid,
    },
    /// `webhook.test`, for one endpoint.
    WebhookTested {
        /// The endpoint.
        endpoint: Uuid,
        /// Its integration.
        owner: Uuid,
    },
}

impl Change {
    /// An update of a reservation, by the names of its changed fields.
    pub fn reservation_updated(id: Uuid, fields: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        Self::ReservationUpdated { id, fields: fields.into_iter().map(Into::into).collect() }
    }

    /// An update of a stay, by the names of its changed fields.
    pub fn room_stay_updated(id: Uuid, fields: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        Self::RoomStayUpdated { id, fields: fields.into_iter().map(Into::into).collect() }
    }

    /// Id of the object that changed.
    pub fn object(&self) -> Uuid {
        match self {
            Self::ReservationCreated { id }
            | Self::ReservationUpdated { id, .. }
            | Self::RoomStayCreated { id }
            | Self::RoomStayUpdated { id, .. }
            | Self::RoomStayDeleted { id }
            | Self::ClientUpdated { id }
            | Self::RoomAccessKeyCreated { id }
            | Self::RoomAccessKeyDeleted { id, .. }
            | Self::WebhookTested { endpoint: id, .. } => *id,
        }
    }

    /// Type of the event.
    pub fn event_type(&self) -> &'static str {
        match self {
            Self::ReservationCreated { .. } => "reservation.created",
            Self::ReservationUpdated { .. } => "reservation.updated",
            Self::RoomStayCreated { .. } => "room_stay.created",
            Self::RoomStayUpdated { .. } => "room_stay.updated",
            Self::RoomStayDeleted { .. } => "room_stay.deleted",
            Self::ClientUpdated { .. } => "client.updated",
            Self::RoomAccessKeyCreated { .. } => "room_access_key.created",
            Self::RoomAccessKeyDeleted { .. } => "room_access_key.deleted",
            Self::WebhookTested { .. } => TEST_TYPE,
        }
    }

    /// What changed of the object; empty for everything but updates.
    pub fn fields(&self) -> &[Cow<'static, str>] {
        match self {
            Self::ReservationUpdated { fields, .. } | Self::RoomStayUpdated { fields, .. } => fields,
            _ => &[],
        }
    }

    /// The one integration that may learn of it; `None` = all of the hotel.
    pub fn owner(&self) -> Option<Uuid> {
        match self {
            Self::RoomAccessKeyDeleted { owner, .. } | Self::WebhookTested { owner, .. } => Some(*owner),
            _ => None,
        }
    }

    fn fields_mut(&mut self) -> Option<&mut Vec<Cow<'static, str>>> {
        match self {
            Self::ReservationUpdated { fields, .. } | Self::RoomStayUpdated { fields, .. } => Some(fields),
            _ => None,
        }
    }

    fn is_creation(&self) -> bool {
        matches!(
            self,
            Self::ReservationCreated { .. } | Self::RoomStayCreated { .. } | Self::RoomAccessKeyCreated { .. }
        )
    }

    fn is_deletion(&self) -> bool {
        matches!(self, Self::RoomStayDeleted { .. } | Self::RoomAccessKeyDeleted { .. })
    }
}

/// The changes of one request, one per object.
#[derive(Debug, Default)]
pub struct Changes {
    merged: Vec<Change>,
}

impl Changes {
    /// Adds a change: updates unite their fields, an update of something new is part of its creation, and what is made and
    /// deleted in one request never was.
    pub fn push(&mut self, change: Change) {
        let Some(index) = self.merged.iter().position(|earlier| earlier.object() == change.object()) else {
            self.merged.push(change);
            return;
        };
        let earlier = &mut self.merged[index];
        if change.is_deletion() {
            if earlier.is_creation() {
                self.merged.remove(index);
            } else {
                *earlier = change;
            }
        } else if let Some(fields) = earlier.fields_mut() {
            for field in change.fields() {
                if !fields.contains(field) {
                    fields.push(field.clone());
                }
            }
        }
    }

    /// Adds changes of different objects, none of which has changed before.
    pub fn extend(&mut self, changes: impl IntoIterator<Item = Change>) {
        self.merged.extend(changes);
    }

    /// The merged changes that are events, in the order in which their objects first changed.
    pub fn into_inner(mut self) -> Vec<Change> {
        self.merged.retain(|change| !matches!(change, Change::RoomAccessKeyCreated { .. }));
        self.merged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(changes: Vec<Change>) -> Vec<Change> {
        let mut all = Changes::default();
        for change in changes {
            all.push(change);
        }
        all.into_inner()
    }

    #[test]
    fn updates_of_one_object_unite_their_fields() {
        let id = Uuid::from_u128(1);
        let update = |fields: &[&'static str]| Change::room_stay_updated(id, fields.to_vec());
        let all = merged(vec![update(&["roomAccessKey"]), update(&["room_setup", "roomAccessKey"])]);
        assert_eq!(all, [update(&["roomAccessKey", "room_setup"])]);
    }

    #[test]
    fn an_update_of_something_new_is_part_of_its_creation() {
        let id = Uuid::from_u128(1);
        let all = merged(vec![Change::RoomStayCreated { id }, Change::room_stay_updated(id, ["room_setup"])]);
        assert_eq!(all, [Change::RoomStayCreated { id }]);
    }

    #[test]
    fn a_deletion_replaces_updates_and_cancels_a_creation() {
        let id = Uuid::from_u128(1);
        let deleted = Change::RoomStayDeleted { id };
        let updated = Change::room_stay_updated(id, ["room_setup"]);
        assert_eq!(merged(vec![updated, deleted.clone()]), std::slice::from_ref(&deleted));
        assert_eq!(merged(vec![Change::RoomStayCreated { id }, deleted]), []);
    }
}
