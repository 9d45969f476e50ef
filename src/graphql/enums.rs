//! Enumerations in the schema, each a mirror of one of a capability, whose documentation is for clients.

use async_graphql::Enum;

use crate::{access_grants, audit, lock_commands, locks, reservations, rooms, webhooks};

/// What was done.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "audit::Action")]
pub enum AuditAction {
    /// It was made.
    Created,
    /// It was changed.
    Updated,
    /// It was deleted.
    Deleted,
    /// It is refused, or sent nothing, until it is enabled again.
    Disabled,
    /// It is accepted again.
    Enabled,
    /// It is refused for good.
    Revoked,
    /// A vendor was connected.
    Connected,
    /// A vendor was let go.
    Disconnected,
    /// A webhook endpoint was sent a trial.
    Tested,
    /// A webhook endpoint was sent something again.
    Resent,
}

/// What kind of record.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "audit::ObjectType")]
pub enum AuditObjectType {
    /// A reservation.
    Reservation,
    /// A room stay.
    RoomStay,
    /// A person or an organisation.
    Client,
    /// A room access key.
    RoomAccessKey,
    /// A room.
    RoomSetup,
    /// A category.
    Category,
    /// Somebody to whom access is granted.
    UserIdentity,
    /// Leave to open doors.
    AccessGrant,
    /// A card or another means of entry.
    AccessMethod,
    /// A door.
    Entrance,
    /// A set of doors.
    Space,
    /// What writes cards.
    Encoder,
    /// What a lock or an encoder was told to do.
    LockCommand,
    /// A webhook endpoint.
    WebhookEndpoint,
    /// A pair of API keys.
    ApiKey,
    /// A vendor's connection to the hotel.
    Integration,
    /// The hotel itself.
    Hotel,
}

/// State of a reservation. `ACTIVE` ⇄ `CANCELLED`; `ACTIVE` → `INVOICED`.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "reservations::ReservationStatus")]
pub enum ReservationStatus {
    /// Booked, and not cancelled.
    Active,
    /// Cancelled; can be re-activated.
    Cancelled,
    /// Stayed and billed.
    Invoiced,
}

/// How far a guest is with checking in online.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "reservations::SelfcheckinStatus")]
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

/// Whether a room is ready for a guest.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "rooms::CleaningStatus")]
pub enum CleaningStatus {
    /// Ready.
    Clean,
    /// To be cleaned.
    Dirty,
}

/// The maker of an access system. Locks of the first five decide offline, so that a card of a newer reservation overrides older
/// ones; those of the others ask their server.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "locks::Provider")]
pub enum LockProvider {
    /// ASSA ABLOY Visionline.
    Visionline,
    /// ASSA ABLOY Vostio.
    Vostio,
    /// dormakaba Ambiance.
    DormakabaAmbiance,
    /// dormakaba Community.
    DormakabaCommunity,
    /// Salto Space.
    SaltoSpace,
    /// Brivo.
    Brivo,
    /// Avigilon Alta.
    AvigilonAlta,
}

/// A means of entry.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "locks::Mode")]
pub enum AccessMode {
    /// A card that an encoder writes.
    Card,
    /// A guest's phone.
    MobileKey,
    /// A PIN on a keypad.
    Code,
    /// A button in an app that opens the door from afar.
    CloudKey,
}

/// Kind of a user identity.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "access_grants::IdentityKind")]
pub enum UserIdentityKind {
    /// Somebody who stays for some nights.
    Guest,
    /// Somebody who lives there. The rules are those of guests.
    Resident,
    /// Somebody who works there: their credentials neither override those of guests nor are overridden.
    Staff,
}

/// What is known of an access method. An offline lock tells nothing by itself, so much of it is expected, and is said to be.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "access_grants::MethodState")]
pub enum AccessMethodState {
    /// Its card has to be written, or written again: what it bears is not what the access grant says.
    EncodingRequired,
    /// Its card was written as the access grant says.
    Encoded,
    /// It works without being written.
    Issued,
    /// A credential of a later reservation of the door was issued, and shuts it out once it is used.
    OverrideExpected,
    /// A lock was seen to refuse it for a later reservation.
    OverrideSeen,
    /// The time of its access grant has ended.
    Expired,
    /// It was taken away. An offline lock may still open to its card until it is overridden or its time ends.
    Revoked,
}

/// What somebody has to do about an access method.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "access_grants::MethodWarning")]
pub enum AccessMethodWarningCode {
    /// What its card bears is not what the access grant says any more, or it takes the place of another one: encode it.
    EncodingRequired,
    /// It was taken away, and an offline lock opens to its card until it is overridden or its time ends: collect it.
    CardCollectionRequired,
}

/// Whether an endpoint is sent anything.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "webhooks::EndpointStatus")]
pub enum WebhookEndpointStatus {
    /// It is told what happens.
    Enabled,
    /// It is sent nothing. What Latchkey disabled by itself is told later what it missed; what was disabled by hand is not.
    Disabled,
}

/// In whose names and form an endpoint is told what happens.
#[derive(Clone, Copy, Default, PartialEq, Eq, Enum)]
#[graphql(remote = "webhooks::Format")]
pub enum WebhookFormat {
    /// Latchkey's own.
    #[default]
    Latchkey,
    /// Those of Seam's API: for clients that were written for it. It knows events of access grants and of their methods.
    Seam,
}

/// How far an event has got on its way to an endpoint.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "webhooks::DeliveryStatus")]
pub enum WebhookDeliveryStatus {
    /// It is sent when it is due.
    Pending,
    /// The endpoint accepted it.
    Delivered,
    /// Its schedule is used up. `resendWebhook` sends it again.
    Failed,
    /// The endpoint is disabled. It is sent when the endpoint is enabled.
    Held,
}

/// What went wrong with an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "webhooks::Failure")]
pub enum WebhookFailure {
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

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lock_commands::CommandKind")]
pub enum LockCommandKind {
    /// To write a card.
    EncodeCard,
    /// To open a door from afar.
    UnlockDoor,
}

/// How far it has got.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum ActionAttemptStatus {
    /// It is to be done, or is being done.
    Pending,
    /// It is done.
    Success,
    /// Nobody tries it any more.
    Error,
}

impl From<lock_commands::CommandStatus> for ActionAttemptStatus {
    fn from(status: lock_commands::CommandStatus) -> Self {
        match status {
            lock_commands::CommandStatus::Pending => Self::Pending,
            lock_commands::CommandStatus::Succeeded => Self::Success,
            lock_commands::CommandStatus::Failed => Self::Error,
        }
    }
}

impl From<ActionAttemptStatus> for lock_commands::CommandStatus {
    fn from(status: ActionAttemptStatus) -> Self {
        match status {
            ActionAttemptStatus::Pending => Self::Pending,
            ActionAttemptStatus::Success => Self::Succeeded,
            ActionAttemptStatus::Error => Self::Failed,
        }
    }
}

/// Why a card was not written, or a door not opened.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lock_commands::Failure")]
pub enum LockCommandError {
    /// None of the others. Nobody tries it again.
    UncategorizedError,
    /// It was not done in time. Latchkey alone says so.
    ActionAttemptExpired,
    /// There was no card on the encoder. Nobody tries it again.
    NoCredentialOnEncoder,
    /// The card is of a kind that the encoder does not write. Nobody tries it again.
    IncompatibleCardFormat,
    /// The card bears what must not be overwritten. Nobody tries it again.
    CredentialCannotBeReissued,
    /// The encoder is not online. It is tried again.
    EncoderNotOnline,
    /// The encoder did not answer in time. It is tried again.
    EncoderCommunicationTimeout,
    /// The bridge is disconnected. It is tried again.
    BridgeDisconnected,
    /// The card was taken off the encoder before it was written. It is tried again.
    EncodingInterrupted,
    /// The card's access was deleted before it was written. Latchkey alone says so.
    CredentialDeleted,
    /// Nothing is connected to the door. Latchkey alone says so.
    DeviceNotConnected,
}

/// Whether a card is of the type that overrides and is overridden.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lock_commands::Credential")]
pub enum CredentialType {
    /// A guest's or a resident's.
    Guest,
    /// Of staff: it stands outside of all reservations.
    Staff,
}
