//! Action attempts: commands, as those see them who asked for them.

mod store;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

pub use store::{bounds, page};

use super::{CommandKind, CommandStatus, Failure};
use crate::db::Condition;
use crate::locks::Provider;

/// How a command goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionAttempt {
    /// Id of the command.
    pub id: Uuid,
    /// What is to be done.
    pub kind: CommandKind,
    /// How far it has got.
    pub status: CommandStatus,
    /// Why it failed, once it has.
    pub error: Option<Failure>,
    /// The access method that it is about: that of the card, or that opens the door.
    pub subject_id: Uuid,
    /// Whose encoder or door it is.
    pub provider: Provider,
    /// The encoder, of a card.
    pub encoder_id: Option<Uuid>,
    /// Name of the encoder by which clients find it.
    pub encoder_key: Option<String>,
    /// The door, of one that is opened.
    pub entrance_id: Option<Uuid>,
    /// Name of the door by which clients find it.
    pub entrance_key: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it was done or given up.
    pub finished_at: Option<DateTime<Utc>>,
}

/// What action attempts are found by.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptField {
    /// Id.
    Id(Condition<Uuid>),
    /// How far it has got, as in the database.
    Status(Condition<String>),
    /// The access method that it is about.
    Subject(Condition<Uuid>),
}
