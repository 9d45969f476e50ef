//! Failures: why a command was not done. How they are told and what follows from each is data, so a new one is a row.

use crate::error::{Error, Result};

/// Why a command was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// None of the others.
    UncategorizedError,
    /// Nobody did it in time.
    ActionAttemptExpired,
    /// Nobody put a card on the encoder.
    NoCredentialOnEncoder,
    /// The card is of another kind.
    IncompatibleCardFormat,
    /// The card is taken.
    CredentialCannotBeReissued,
    /// The encoder is not there.
    EncoderNotOnline,
    /// The encoder does not answer.
    EncoderCommunicationTimeout,
    /// The bridge does not reach the access system.
    BridgeDisconnected,
    /// The card was taken away too early.
    EncodingInterrupted,
    /// There is nothing to be written any more.
    CredentialDeleted,
    /// Nothing is connected to the door.
    DeviceNotConnected,
}

/// What there is to know about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureTraits {
    /// Name in the database and for clients of Seam's libraries.
    pub name: &'static str,
    /// What people are told.
    pub message: &'static str,
    /// Whether another attempt may succeed, so that one is made.
    pub is_retried: bool,
    /// Whether encoders report it. The others are found out by Latchkey.
    pub is_reported: bool,
}

impl Failure {
    /// All failures.
    pub const ALL: [Self; 11] = [
        Self::UncategorizedError,
        Self::ActionAttemptExpired,
        Self::NoCredentialOnEncoder,
        Self::IncompatibleCardFormat,
        Self::CredentialCannotBeReissued,
        Self::EncoderNotOnline,
        Self::EncoderCommunicationTimeout,
        Self::BridgeDisconnected,
        Self::EncodingInterrupted,
        Self::CredentialDeleted,
        Self::DeviceNotConnected,
    ];

    /// The row of the table.
    pub const fn traits(self) -> FailureTraits {
        const fn passing(name: &'static str, message: &'static str) -> FailureTraits {
            FailureTraits { name, message, is_retried: true, is_reported: true }
        }
        const fn lasting(name: &'static str, message: &'static str) -> FailureTraits {
            FailureTraits { name, message, is_retried: false, is_reported: true }
        }
        const fn ours(name: &'static str, message: &'static str) -> FailureTraits {
            FailureTraits { name, message, is_retried: false, is_reported: false }
        }
        match self {
            Self::UncategorizedError => lasting("uncategorized_error", "The card could not be written"),
            Self::ActionAttemptExpired => ours("action_attempt_expired", "The card was not written in time"),
            Self::NoCredentialOnEncoder => lasting("no_credential_on_encoder", "There was no card on the encoder"),
            Self::IncompatibleCardFormat => {
                lasting("incompatible_card_format", "The card is of a kind that the encoder does not write")
            }
            Self::CredentialCannotBeReissued => lasting(
                "credential_cannot_be_reissued",
                "The card bears what must not be overwritten; take another one",
            ),
            Self::EncoderNotOnline => passing("encoder_not_online", "The encoder is not online"),
            Self::EncoderCommunicationTimeout => {
                passing("encoder_communication_timeout", "The encoder did not answer in time")
            }
            Self::BridgeDisconnected => passing("bridge_disconnected", "The encoder's bridge is disconnected"),
            Self::EncodingInterrupted => {
                passing("encoding_interrupted", "The card was taken off the encoder before it was written")
            }
            Self::CredentialDeleted => {
                ours("credential_deleted", "The card's access was deleted before it was written")
            }
            Self::DeviceNotConnected => {
                ours("device_not_connected", "Nothing is connected to this door: it was not opened")
            }
        }
    }

    /// From its name in the database.
    ///
    /// # Errors
    /// `INTERNAL` for a failure that this binary does not know.
    pub fn parse(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|failure| failure.traits().name == name);
        known.ok_or_else(|| Error::internal(format!("unknown failure {name:?}")))
    }
}
