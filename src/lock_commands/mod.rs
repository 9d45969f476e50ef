//! Lock commands: what encoders are told to do. A queue that bridges, and the simulated encoder, take from and answer.

mod model;

use uuid::Uuid;

pub use model::{Card, CardDoor, Credential, DoorOrder};

use crate::audit::{Action, ObjectType};
use crate::error::Result;
use crate::events::{Audience, ChangeKind};
use crate::hotels::HotelId;
use crate::locks::Reference;
use crate::unit::Tx;

/// A command was made.
pub static CREATED: ChangeKind = ChangeKind {
    event_type: "lock_command.created",
    action: Action::Created,
    object: ObjectType::LockCommand,
    audience: Audience::Owner,
    names_fields: false,
    meaning: "an encoder whose bridge is the integration's has something to do: `claimLockCommands` takes it",
};
/// A command is done, or nobody tries it any more.
pub static FINISHED: ChangeKind = ChangeKind {
    event_type: "lock_command.finished",
    action: Action::Updated,
    object: ObjectType::LockCommand,
    audience: Audience::Nobody,
    names_fields: true,
    meaning: "it was done, or nobody tries it any more",
};

/// A command to be made.
pub struct NewCommand {
    /// The encoder.
    pub encoder: Reference,
    /// The access method that the card is of.
    pub subject_id: Uuid,
    /// What is written.
    pub card: Card,
    /// Which state of the access method that is.
    pub revision: i64,
}

/// A command that has finished.
pub struct Finished {
    /// The access method that the card is of.
    pub subject_id: Uuid,
    /// Whether the card was written.
    pub succeeded: bool,
    /// Which state of the access method was written.
    pub revision: Option<i64>,
}

/// Tells an encoder to write a card.
pub async fn request_in(_tx: &mut Tx, _new: NewCommand) -> Result<Uuid> {
    todo!()
}

/// Replaces what the pending commands of access methods write: (subject, card, revision).
pub async fn renew_in(_tx: &mut Tx, _cards: &[(Uuid, Card, i64)]) -> Result<()> {
    todo!()
}

/// Gives up the pending commands of access methods that nobody has claimed.
pub async fn cancel_in(_tx: &mut Tx, _subjects: &[Uuid]) -> Result<()> {
    todo!()
}

/// Those of these commands that have finished.
pub async fn finished(_conn: &mut sqlx::PgConnection, _hotel: HotelId, _ids: &[Uuid]) -> Result<Vec<Finished>> {
    todo!()
}
