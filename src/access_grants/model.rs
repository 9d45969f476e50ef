//! What a grant, an identity and a method are, and the state of a method.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{IdentityKind, TimeFrame};
use crate::locks::Mode;

/// Somebody to whom access is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Id.
    pub id: Uuid,
    /// Kind.
    pub kind: IdentityKind,
}

/// Leave to open doors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Id.
    pub id: Uuid,
    /// The integration that made it.
    pub integration_id: Uuid,
    /// The reservation on doors that it belongs to.
    pub reservation_id: Option<Uuid>,
    /// The stay that it follows.
    pub room_stay_id: Option<Uuid>,
    /// Its time.
    pub frame: TimeFrame,
}

/// What is known of a means of entry. An offline lock tells nothing by itself, so much of it is expected, and is said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodState {
    /// It has to be written, or written again: what it bears is not what the grant says.
    EncodingRequired,
    /// It was written as the grant says.
    Encoded,
    /// It works without being written.
    Issued,
    /// A credential of a later reservation of the door was written, and shuts it out once it is used.
    OverrideExpected,
    /// A lock was seen to refuse it for a later reservation.
    OverrideSeen,
    /// Its time has ended.
    Expired,
    /// Its grant was deleted. An offline lock may still open until it is overridden or its time ends.
    Revoked,
}

/// A means of entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// Id.
    pub id: Uuid,
    /// What it is.
    pub mode: Mode,
    /// When it was last written.
    pub encoded_at: Option<DateTime<Utc>>,
    /// Whether what it bears is not what the grant says any more.
    pub encoding_required: bool,
    /// When a lock was seen to refuse it for a later reservation.
    pub overridden_at: Option<DateTime<Utc>>,
    /// When its grant was deleted.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Whether a credential of a later reservation of one of its doors was written.
    pub override_expected: bool,
}

impl Method {
    /// What is known of it at that time; `frame` is that of its grant. What can be seen comes before what is expected, and what
    /// cannot be undone before what can.
    pub fn state(&self, frame: TimeFrame, now: DateTime<Utc>) -> MethodState {
        if self.revoked_at.is_some() {
            MethodState::Revoked
        } else if frame.has_ended(now) {
            MethodState::Expired
        } else if self.overridden_at.is_some() {
            MethodState::OverrideSeen
        } else if self.override_expected {
            MethodState::OverrideExpected
        } else if self.mode == Mode::Card && (self.encoding_required || self.encoded_at.is_none()) {
            MethodState::EncodingRequired
        } else if self.encoded_at.is_some() {
            MethodState::Encoded
        } else {
            MethodState::Issued
        }
    }
}
