//! Deliveries that are being attempted, and what changes afterwards.

use chrono::{DateTime, Utc};

use crate::queue::{self, Health};
use crate::telemetry::traces::Traceparent;
use crate::webhooks::body::Message;
use crate::webhooks::client::Answer;
use crate::webhooks::model::{DeliveryStatus, EndpointKey, EndpointStatus};

/// A delivery that its worker alone may send until its lease ends.
pub struct Claimed {
    /// The endpoint.
    pub endpoint: EndpointKey,
    /// Position of the event.
    pub position: i64,
    /// When the event happened.
    pub created_at: DateTime<Utc>,
    /// Number of the attempt.
    pub attempt: i32,
    /// Failed attempts of the present run through the schedule.
    pub failed_attempts: i32,
    /// When that run began.
    pub run_began_at: DateTime<Utc>,
    /// End of the lease.
    pub leased_until: DateTime<Utc>,
    /// Whether the last attempt at the endpoint had failed.
    pub failing: bool,
    /// Where the request that caused it stands in a trace.
    pub traceparent: Option<Traceparent>,
    /// Where the endpoint was.
    pub url: String,
    /// Its secret.
    pub sealed_secret: Vec<u8>,
    /// Its secret of the last day, when that was rotated within it.
    pub sealed_previous: Option<Vec<u8>>,
    /// What is sent.
    pub message: Message,
}

/// An attempt, as the delivery log shows it.
pub struct Exchange {
    /// When it began.
    pub began_at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub duration_ms: i32,
    /// What came back.
    pub answer: Answer,
}

/// A delivery whose attempt has ended.
pub type Ended = queue::Ended<Claimed, Exchange>;

/// An endpoint before attempts at it are settled. It may have been changed since they began.
#[derive(Clone, Debug)]
pub struct EndpointHealth {
    /// The endpoint.
    pub endpoint: EndpointKey,
    /// Where it is.
    pub url: String,
    /// Whether it is sent anything.
    pub status: EndpointStatus,
    /// How it is doing.
    pub health: Health,
}

/// What attempts change of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointChange {
    /// How it is doing.
    pub health: Health,
    /// Why it is disabled now, if it is.
    pub disabled_reason: Option<String>,
}

/// What an attempt changes of its delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryChange {
    /// How far it has got.
    pub status: DeliveryStatus,
    /// Failed attempts of the present run through the schedule.
    pub failed_attempts: i32,
    /// When it is tried again.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When it was delivered or given up.
    pub finished_at: Option<DateTime<Utc>>,
}
