//! Reservations.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::error::{Error, Message, Result};
use crate::text;

/// Longest code, in characters.
const CODE_MAX: usize = 64;

/// State of a reservation. `ACTIVE` ⇄ `CANCELLED`; `ACTIVE` → `INVOICED`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReservationStatus {
    /// Booked, and not cancelled.
    Active,
    /// Cancelled; can be re-activated.
    Cancelled,
    /// Stayed and billed.
    Invoiced,
}

impl ReservationStatus {
    /// As in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Cancelled => "CANCELLED",
            Self::Invoiced => "INVOICED",
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        [Self::Active, Self::Cancelled, Self::Invoiced]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| Error::internal(format!("unknown status of a reservation: {text}")))
    }
}

/// How far a guest is with checking in online.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfcheckinStatus {
    /// Not offered.
    Disabled,
    /// Offered, not open yet.
    Enabled,
    /// Open to the guest.
    Available,
    /// Done.
    Completed,
}

impl SelfcheckinStatus {
    /// As in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "DISABLED",
            Self::Enabled => "ENABLED",
            Self::Available => "AVAILABLE",
            Self::Completed => "COMPLETED",
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        [Self::Disabled, Self::Enabled, Self::Available, Self::Completed]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| Error::internal(format!("unknown status of a self check-in: {text}")))
    }
}

/// A booking of one or more rooms.
#[derive(Clone, Debug, PartialEq)]
pub struct Reservation {
    /// Id.
    pub id: Uuid,
    /// What guest and front desk call it; unique in the hotel; not the id.
    pub code: String,
    /// State.
    pub status: ReservationStatus,
    /// Who booked.
    pub client_id: Uuid,
    /// Whom to talk to, where that is somebody else.
    pub contact_id: Option<Uuid>,
    /// Name of the travelling group.
    pub group_name: Option<String>,
    /// The booking's number at the channel that sold it.
    pub booking_channel_code: Option<String>,
    /// Where the booking came from.
    pub booking_source: Option<String>,
    /// Where staff see it in the hotel's own system.
    pub pms_url: Option<String>,
    /// Notes of the front desk.
    pub notes: Option<String>,
    /// Online check-in.
    pub selfcheckin_status: SelfcheckinStatus,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When it was cancelled, if it is.
    pub cancelled_at: Option<DateTime<Utc>>,
}

/// A code as it is kept.
///
/// # Errors
/// `INVALID_ARGUMENT` at `code`
pub(super) fn checked_code(code: &str) -> Result<String> {
    let code = text::tidy(code);
    if (1..=CODE_MAX).contains(&code.chars().count()) && !code.chars().any(char::is_control) {
        return Ok(code);
    }
    Err(Error::new(Message::LineInvalid { name: "code", most: CODE_MAX }).at("code"))
}
