//! An event as Seam's API has it.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use uuid::{Builder, Uuid};

use crate::hotels::HotelId;

/// Id of an event in Seam's API, which wants UUIDs: the event's position, so that it is found by that, and as many of the bytes of its
/// own id as there is room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct EventId(Uuid);

impl EventId {
    /// The id of the event at that position with that id.
    pub fn new(position: i64, id: &[u8]) -> Self {
        let mut bytes = [0; 16];
        let (place, rest) = bytes.split_at_mut(6);
        place.copy_from_slice(&position.to_be_bytes()[2..]);
        rest.iter_mut().zip(id).for_each(|(byte, of_id)| *byte = *of_id);
        Self(Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// The position of the event, if there is one with this id.
    pub fn position(self) -> i64 {
        let mut bytes = [0; 8];
        bytes[2..].copy_from_slice(&self.0.as_bytes()[..6]);
        i64::from_be_bytes(bytes)
    }
}

/// Any id: whether there is an event with it is told by reading.
impl From<Uuid> for EventId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// An event. Its JSON is the body of webhooks and the element of lists.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// Its id.
    pub event_id: EventId,
    /// Its type.
    pub event_type: String,
    /// The hotel.
    pub workspace_id: HotelId,
    /// When it was written.
    #[serde(serialize_with = "milliseconds")]
    pub created_at: DateTime<Utc>,
    /// When it happened, which is the same instant.
    #[serde(serialize_with = "milliseconds")]
    pub occurred_at: DateTime<Utc>,
    /// What it happened to.
    #[serde(flatten)]
    pub subject: Subject,
}

/// What an event happened to.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Subject {
    /// An access grant.
    AccessGrant {
        /// Its id.
        access_grant_id: Uuid,
    },
    /// An access method.
    AccessMethod {
        /// Its id.
        access_method_id: Uuid,
        /// The grant that it was made for.
        access_grant_ids: [Uuid; 1],
    },
    /// A webhook endpoint, which was tried out.
    Webhook {
        /// Its id.
        webhook_id: Uuid,
    },
}

/// What is read of an event to tell it in Seam's form.
pub struct Row {
    /// The hotel.
    pub hotel: HotelId,
    /// Position in the hotel's events.
    pub position: i64,
    /// Its own id.
    pub id: Vec<u8>,
    /// Its type in Seam's API; `None` = that has none.
    pub seam_type: Option<String>,
    /// Its type.
    pub event_type: String,
    /// When it happened.
    pub created_at: DateTime<Utc>,
    /// What it happened to.
    pub object_id: Uuid,
    /// If that is an access method, the grant that it was made for.
    pub grant_id: Option<Uuid>,
}

impl From<Row> for Event {
    fn from(row: Row) -> Self {
        let subject = match (row.grant_id, &row.seam_type) {
            (Some(grant), _) => Subject::AccessMethod { access_method_id: row.object_id, access_grant_ids: [grant] },
            (None, Some(_)) => Subject::AccessGrant { access_grant_id: row.object_id },
            // An endpoint is told what happens to itself, which Seam's API has no name for.
            (None, None) => Subject::Webhook { webhook_id: row.object_id },
        };
        Self {
            event_id: EventId::new(row.position, &row.id),
            event_type: row.seam_type.unwrap_or(row.event_type),
            workspace_id: row.hotel,
            created_at: row.created_at,
            occurred_at: row.created_at,
            subject,
        }
    }
}

fn milliseconds<S: Serializer>(instant: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&instant.to_rfc3339_opts(SecondsFormat::Millis, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_uuid_that_tells_the_position_and_nothing_else_has_it() {
        for position in [1, 42, (1 << 48) - 1] {
            let id = EventId::new(position, &[7; 32]);
            assert_eq!((id.position(), id.0.get_version_num()), (position, 8));
            assert_eq!(id, EventId::from(id.0));
            assert_ne!(id, EventId::new(position, &[8; 32]));
        }
    }
}
