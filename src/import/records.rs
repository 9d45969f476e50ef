//! The records that an import writes, as the database wants them.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::Serialize;
use uuid::Uuid;

/// Status of a reservation whose guests are still to come or in the house.
pub const ACTIVE: &str = "ACTIVE";
/// Status of a cancelled reservation.
pub const CANCELLED: &str = "CANCELLED";
/// Status of a reservation that is over.
pub const INVOICED: &str = "INVOICED";

/// A kind of room.
#[derive(Serialize)]
pub struct CategoryRecord {
    /// Id, unless the hotel has a category of that name.
    pub id: Uuid,
    /// Name.
    pub name: String,
    /// For people; empty when there is nothing to say.
    pub description: String,
}

/// A person or a company.
#[derive(Clone, Default, Serialize)]
pub struct ClientRecord {
    /// Id.
    pub id: Uuid,
    /// `PERSON` or `COMPANY`.
    pub kind: &'static str,
    /// Given name of a person. Set when the client is created, then left alone.
    pub firstname: Option<String>,
    /// Family name of a person. Set when the client is created, then left alone.
    pub lastname: Option<String>,
    /// Name of a company. Set when the client is created, then left alone.
    pub company: Option<String>,
    /// ISO 639-1.
    pub language: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Set when the client is created, then left alone.
    pub email: Option<String>,
    /// Set when the client is created, then left alone.
    pub telephone: Option<String>,
    /// Set when the client is created, then left alone.
    pub mobile: Option<String>,
}

/// A reservation.
#[derive(Serialize)]
pub struct ReservationRecord {
    /// Id.
    pub id: Uuid,
    /// Code.
    pub code: String,
    /// [`ACTIVE`], [`CANCELLED`] or [`INVOICED`].
    pub status: &'static str,
    /// Who booked.
    pub client_id: Uuid,
    /// The person to talk to when a company booked.
    pub contact_id: Option<Uuid>,
    /// Set when the reservation is created, then left alone.
    pub group_name: Option<String>,
    /// Through which channel.
    pub booking_channel_code: Option<String>,
    /// From which market segment.
    pub booking_source: Option<String>,
    /// Set when the reservation is created, then left alone.
    pub notes: Option<String>,
    /// Set when the reservation is created, then left alone.
    pub created_at: DateTime<Utc>,
    /// Only when it is cancelled. May lie ahead of the clock; then the cancellation counts from the import.
    pub cancelled_at: Option<DateTime<Utc>>,
}

/// A room stay and the guests in it.
#[derive(Serialize)]
pub struct StayRecord {
    /// Id.
    pub id: Uuid,
    /// Reservation.
    pub reservation_id: Uuid,
    /// Category that was booked.
    pub category_id: Uuid,
    /// Room that was given.
    pub room_setup_id: Option<Uuid>,
    /// First night.
    pub reservation_from: NaiveDate,
    /// Day of departure.
    pub reservation_to: NaiveDate,
    /// Set when the stay is created, then left alone.
    pub departure_time: Option<NaiveTime>,
    /// Physical arrival.
    pub check_in: Option<DateTime<Utc>>,
    /// Physical departure.
    pub check_out: Option<DateTime<Utc>>,
    /// Set when the stay is created, then left alone.
    pub guest_message: Option<String>,
    /// Set when the stay is created, then left alone.
    pub maid_notes: Option<String>,
    /// Meal plan.
    pub meal_notes: Option<String>,
    /// Adults.
    pub adults: i16,
    /// Children.
    pub child1: i16,
    /// Babies.
    pub free: i16,
    /// Set when the stay is created, then left alone.
    pub created_at: DateTime<Utc>,
    /// Added, in this order, while the stay has no guest.
    pub guest_ids: Vec<Uuid>,
}
