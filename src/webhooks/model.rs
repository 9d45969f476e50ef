//! Endpoints, deliveries and attempts.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::address::AllowedNetworks;
use super::schedule::{DEFAULT, Schedule};
use crate::error::{Error, Result};
use crate::hotels::HotelId;

/// How webhooks are sent.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    /// When a delivery is tried again.
    pub schedule: Schedule,
    /// Networks that are reached although they are not public, and without TLS.
    pub allowed_networks: AllowedNetworks,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        let schedule = Schedule::parse(DEFAULT).expect("the default is a schedule");
        Self { schedule, allowed_networks: AllowedNetworks::default() }
    }
}

/// Names an endpoint among those of all hotels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointKey {
    /// Its hotel.
    pub hotel: HotelId,
    /// Its id.
    pub id: Uuid,
}

impl EndpointKey {
    /// The hotels and the ids, each as a column.
    pub(super) fn columns(endpoints: &[Self]) -> (Vec<HotelId>, Vec<Uuid>) {
        endpoints.iter().map(|endpoint| (endpoint.hotel, endpoint.id)).unzip()
    }
}

/// Whether an endpoint is sent anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointStatus {
    /// It is told what happens.
    Enabled,
    /// It is sent nothing. What Latchkey disabled by itself is told later what it missed; what was disabled by hand is not.
    Disabled,
}

impl EndpointStatus {
    /// As in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "ENABLED",
            Self::Disabled => "DISABLED",
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        let found = [Self::Enabled, Self::Disabled].into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| Error::internal(format!("unknown status of an endpoint: {text}")))
    }
}

/// In whose names and form an endpoint is told what happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Latchkey's own, which are those of 3RPMS.
    Latchkey,
    /// Those of Seam's API: for clients that were written for it.
    Seam,
}

impl Format {
    /// As in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Latchkey => "LATCHKEY",
            Self::Seam => "SEAM",
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        let found = [Self::Latchkey, Self::Seam].into_iter().find(|format| format.as_str() == text);
        found.ok_or_else(|| Error::internal(format!("unknown format of webhooks: {text}")))
    }
}

/// Where an integration wants to be told what happens.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Id.
    pub id: Uuid,
    /// As it was given.
    pub url: String,
    /// Whether it is sent anything.
    pub status: EndpointStatus,
    /// In whose names and form.
    pub format: Format,
    /// Types of events, in the names of the format.
    pub events: Vec<String>,
    /// Why Latchkey disabled it by itself.
    pub disabled_reason: Option<String>,
    /// When Latchkey disabled it by itself.
    pub disabled_at: Option<DateTime<Utc>>,
    /// When it last accepted something.
    pub last_success_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When its integration last changed it, or Latchkey its status.
    pub updated_at: DateTime<Utc>,
}

/// Names of the fields in which two states of an endpoint differ that its integration decides on.
pub(super) fn changed_fields(before: &Endpoint, after: &Endpoint) -> Vec<&'static str> {
    [
        (before.url != after.url, "url"),
        (before.status != after.status, "status"),
        (before.events != after.events, "events"),
    ]
    .into_iter()
    .filter_map(|(changed, name)| changed.then_some(name))
    .collect()
}

/// How far an event has got on its way to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeliveryStatus {
    /// It is sent when it is due.
    Pending,
    /// The endpoint accepted it.
    Delivered,
    /// Its schedule is used up. `resendWebhook` sends it again.
    Failed,
    /// The endpoint is disabled. It is sent when the endpoint is enabled.
    Held,
}

impl DeliveryStatus {
    /// As in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Delivered => "DELIVERED",
            Self::Failed => "FAILED",
            Self::Held => "HELD",
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        let all = [Self::Pending, Self::Delivered, Self::Failed, Self::Held];
        let found = all.into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| Error::internal(format!("unknown status of a delivery: {text}")))
    }
}

/// What went wrong with an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The URL leads to an address that webhooks are not sent to.
    AddressRefused,
    /// The host's name was not found.
    NameNotFound,
    /// No connection could be made.
    ConnectionFailed,
    /// TLS failed: most often the certificate is not valid for the name, or has expired.
    TlsFailed,
    /// There was no complete answer within 15 seconds.
    TimedOut,
    /// The connection ended within the answer, or the answer was not HTTP.
    AnswerBroken,
    /// The answer's status was not 2xx. Redirects are not followed.
    StatusRefused,
    /// Nothing was sent, because Latchkey cannot read the endpoint's secret. `rotateWebhookSecret` gives it a new one.
    SecretUnreadable,
}

impl Failure {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::AddressRefused,
        Self::NameNotFound,
        Self::ConnectionFailed,
        Self::TlsFailed,
        Self::TimedOut,
        Self::AnswerBroken,
        Self::StatusRefused,
        Self::SecretUnreadable,
    ];

    /// As in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AddressRefused => "ADDRESS_REFUSED",
            Self::NameNotFound => "NAME_NOT_FOUND",
            Self::ConnectionFailed => "CONNECTION_FAILED",
            Self::TlsFailed => "TLS_FAILED",
            Self::TimedOut => "TIMED_OUT",
            Self::AnswerBroken => "ANSWER_BROKEN",
            Self::StatusRefused => "STATUS_REFUSED",
            Self::SecretUnreadable => "SECRET_UNREADABLE",
        }
    }

    /// In a sentence after "The last attempt: ".
    pub const fn words(self) -> &'static str {
        match self {
            Self::AddressRefused => "the URL leads to an address that webhooks are not sent to",
            Self::NameNotFound => "the host's name was not found",
            Self::ConnectionFailed => "no connection could be made",
            Self::TlsFailed => "TLS failed",
            Self::TimedOut => "there was no complete answer in time",
            Self::AnswerBroken => "the answer was broken off or was not HTTP",
            Self::StatusRefused => "the answer's status was not 2xx",
            Self::SecretUnreadable => {
                "Latchkey cannot read the endpoint's secret: `rotateWebhookSecret` gives it a new one"
            }
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|failure| failure.as_str() == text);
        found.ok_or_else(|| Error::internal(format!("unknown failure of an attempt: {text}")))
    }
}

/// Names a delivery: its endpoint and the position of its event. On the wire as 32 hexadecimal digits, a hyphen and a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeliveryId {
    /// The endpoint.
    pub endpoint: Uuid,
    /// Position of the event among those of the hotel.
    pub position: i64,
}

impl DeliveryId {
    /// The id that a client sent; `None` for a text that is none of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let (endpoint, position) = text.split_once('-')?;
        let id = Self { endpoint: Uuid::try_parse(endpoint).ok()?, position: position.parse().ok()? };
        (id.to_string() == text).then_some(id)
    }
}

impl std::fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.endpoint.simple(), self.position)
    }
}

/// An event on its way to an endpoint.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its name.
    pub id: DeliveryId,
    /// Id of the event, as the endpoint reads it.
    pub event_id: String,
    /// Type of the event.
    pub event_type: String,
    /// What it happened to.
    pub object_id: Uuid,
    /// When it happened.
    pub created_at: DateTime<Utc>,
    /// How far it has got.
    pub status: DeliveryStatus,
    /// When it is sent next.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When it was delivered or given up.
    pub finished_at: Option<DateTime<Utc>>,
}

/// One attempt to deliver.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Its number, from 1.
    pub number: i32,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// How long it took.
    pub duration_ms: i32,
    /// HTTP status of the answer, if there was one.
    pub status_code: Option<i16>,
    /// What went wrong; `None` when nothing did.
    pub failure: Option<Failure>,
    /// The start of the answer's body.
    pub answer: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_delivery_is_read_back_and_nothing_else_is() {
        let id = DeliveryId { endpoint: Uuid::from_u128(0xabc), position: 42 };
        let text = id.to_string();
        assert_eq!(text, "00000000000000000000000000000abc-42");
        assert_eq!(DeliveryId::parse(&text), Some(id));
        for bad in ["", "-", "abc-42", &text.to_uppercase(), &text.replace("-42", "-042"), &text.replace("-42", "-+42")]
        {
            assert_eq!(DeliveryId::parse(bad), None, "{bad}");
        }
    }
}
