//! One error for every layer: a code from the closed table below, a message that is safe to show, by its id and arguments,
//! and, kept apart, the cause that only the log sees.
//!
//! [`Error`] has no `Display`, so it cannot be turned into an answer by accident: a facade encodes its code, message and
//! argument path, and nothing else.

mod database;
mod messages;

use std::borrow::Cow;

use serde::Serialize;

pub use database::{is_away_in_connecting, is_passing, violated_constraint};
pub use messages::{Counted, Message, Nested, Record, ScalarForm, Seconds};

/// What a category promises to a program that shows the error (3RPMS).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// Missing, wrong, disabled or revoked credential, or an operation that the credential does not permit.
    Auth,
    /// The hotel has to change a setting. Never shown to guests.
    Configuration,
    /// What was asked for cannot be done. Safe to show to guests.
    Validation,
}

/// Who has to look into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The caller's to put right.
    Caller,
    /// Passes by itself; worth a warning when it lasts.
    Passing,
    /// Ours to put right.
    Fault,
}

/// One row of the table of error codes.
#[derive(Clone, Copy, Debug)]
pub struct ErrorSpec {
    /// The code on the wire: `extensions.code` in GraphQL, `code` in REST.
    pub wire: &'static str,
    /// `extensions.category`; plain GraphQL errors have none.
    pub category: Option<Category>,
    /// Status of a whole answer that consists of this error.
    pub http_status: u16,
    /// Decides the log level.
    pub severity: Severity,
    /// Whether the same request can succeed later without being changed.
    pub retryable: bool,
    /// When it happens, for docs/ERRORS.md.
    pub meaning: &'static str,
}

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $wire:literal, $category:expr, $status:literal, $severity:ident, $retryable:literal, $meaning:literal;)*) => {
        /// Every error code that Latchkey answers with.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $(#[doc = $meaning] $name,)*
        }

        impl ErrorCode {
            /// All codes, in the order of docs/ERRORS.md.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code's row of the table.
            pub const fn spec(self) -> ErrorSpec {
                match self {
                    $(Self::$name => ErrorSpec {
                        wire: $wire,
                        category: $category,
                        http_status: $status,
                        severity: Severity::$severity,
                        retryable: $retryable,
                        meaning: $meaning,
                    },)*
                }
            }
        }
    };
}

const AUTH: Option<Category> = Some(Category::Auth);
const CONFIGURATION: Option<Category> = Some(Category::Configuration);
const VALIDATION: Option<Category> = Some(Category::Validation);

error_codes! {
    Unauthorized = "UNAUTHORIZED", AUTH, 401, Caller, false, "The API key is missing, malformed, unknown or disabled.";
    KeyRevoked = "KEY_REVOKED", AUTH, 401, Caller, false, "The API key was revoked.";
    Forbidden = "FORBIDDEN", AUTH, 403, Caller, false, "The API key's permission does not cover the operation.";

    RoomAccessKeysDisabled = "ROOM_ACCESS_KEYS_DISABLED", CONFIGURATION, 409, Caller, false, "The hotel has not enabled the Room Access Key API.";

    NotFound = "NOT_FOUND", VALIDATION, 404, Caller, false, "The record does not exist, or is not yours to see.";
    InvalidArgument = "INVALID_ARGUMENT", VALIDATION, 400, Caller, false, "An argument is out of range or breaks a rule.";
    InvalidCursor = "INVALID_CURSOR", VALIDATION, 400, Caller, false, "The cursor does not belong to this connection with this filter.";
    EventsExpired = "EVENTS_EXPIRED", VALIDATION, 410, Caller, false, "Events behind this cursor are not kept any more; read the room stays anew and follow from their event cursor.";
    KeyAlreadyAssigned = "KEY_ALREADY_ASSIGNED", VALIDATION, 409, Caller, false, "The room stay has another room access key, which has to be removed first.";
    KeyNotAssigned = "KEY_NOT_ASSIGNED", VALIDATION, 409, Caller, false, "The room access key is not on this room stay.";
    KeyStillAssigned = "KEY_STILL_ASSIGNED", VALIDATION, 409, Caller, false, "The room access key is still on a room stay and cannot be deleted.";
    ReservationCancelled = "RESERVATION_CANCELLED", VALIDATION, 409, Caller, false, "The reservation was cancelled.";
    ReservationNotCancelled = "RESERVATION_NOT_CANCELLED", VALIDATION, 409, Caller, false, "Only a cancelled reservation can be re-activated.";
    ReservationInvoiced = "RESERVATION_INVOICED", VALIDATION, 409, Caller, false, "The reservation was invoiced and can no longer be cancelled.";
    RoomStayDeparted = "ROOM_STAY_DEPARTED", VALIDATION, 409, Caller, false, "The room stay's departure has passed.";
    ReservationKeyNotSupported = "RESERVATION_KEY_NOT_SUPPORTED", VALIDATION, 400, Caller, false, "A reservation key was given, and none of the entrances can belong to a reservation.";
    ReservationKeyRequired = "RESERVATION_KEY_REQUIRED", VALIDATION, 400, Caller, false, "The provider of an entrance needs a reservation key for guests, and none was given.";
    ReservationEntranceChangeRequiresCleanup = "RESERVATION_ENTRANCE_CHANGE_REQUIRES_CLEANUP", VALIDATION, 409, Caller, false, "The reservation has access grants to other entrances, which have to be deleted first.";
    ReservationJoinerEntranceSetConflict = "RESERVATION_JOINER_ENTRANCE_SET_CONFLICT", VALIDATION, 409, Caller, false, "The access grant wants more entrances than its reservation has.";
    ReservationTimeFramesMustOverlap = "RESERVATION_TIME_FRAMES_MUST_OVERLAP", VALIDATION, 409, Caller, false, "The times of an access grant do not overlap those of another one of its reservation.";
    LeaseLost = "LEASE_LOST", VALIDATION, 409, Caller, false, "The claim has ended: its lease ran out, or what was claimed is finished.";
    CodeTaken = "CODE_TAKEN", VALIDATION, 409, Caller, false, "Another reservation of the hotel has this code.";
    NameTaken = "NAME_TAKEN", VALIDATION, 409, Caller, false, "Another record of the hotel has this name.";

    BadRequest = "BAD_REQUEST", None, 400, Caller, false, "The request body is not a GraphQL request.";
    MethodNotAllowed = "METHOD_NOT_ALLOWED", None, 405, Caller, false, "GraphQL is served by POST only.";
    NotAcceptable = "NOT_ACCEPTABLE", None, 406, Caller, false, "None of the accepted media types can be served.";
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", None, 415, Caller, false, "The request body is not JSON, or is compressed.";
    PayloadTooLarge = "PAYLOAD_TOO_LARGE", None, 413, Caller, false, "The request body is larger than 1 MiB.";
    RequestTimeout = "REQUEST_TIMEOUT", None, 408, Caller, true, "The request body did not arrive in time.";
    BatchTooLarge = "BATCH_TOO_LARGE", None, 400, Caller, false, "A batch holds between 1 and 100 operations.";
    DocumentTooLarge = "DOCUMENT_TOO_LARGE", None, 400, Caller, false, "A GraphQL document is larger than 16 KiB.";
    DocumentTooDeep = "DOCUMENT_TOO_DEEP", None, 400, Caller, false, "A GraphQL document nests brackets or selections too deeply.";
    DocumentTooComplex = "DOCUMENT_TOO_COMPLEX", None, 400, Caller, false, "A GraphQL document selects too many fields, aliases, directives or fragments, or asks for too many records.";
    ParseFailed = "GRAPHQL_PARSE_FAILED", None, 400, Caller, false, "The document is not GraphQL.";
    ValidationFailed = "GRAPHQL_VALIDATION_FAILED", None, 400, Caller, false, "The document does not fit the schema.";
    PersistedQueryNotSupported = "PERSISTED_QUERY_NOT_SUPPORTED", None, 400, Caller, false, "A request has the hash of a document in the place of the document, and none is kept: send the document.";
    OperationNotFound = "OPERATION_NOT_FOUND", None, 400, Caller, false, "The document holds no operation of that name, or several and none was named.";
    InvalidVariable = "INVALID_VARIABLE", None, 400, Caller, false, "A variable is missing or does not fit its type.";
    ChainBelowList = "CHAIN_BELOW_LIST", None, 400, Caller, false, "@chain stands on a field below a list.";
    ChainVariableTwice = "CHAIN_VARIABLE_TWICE", None, 400, Caller, false, "Two @chain directives of one operation name the same variable.";
    ChainOverridesVariable = "CHAIN_OVERRIDES_VARIABLE", None, 400, Caller, false, "A chained variable is also sent by the client.";
    NotRun = "NOT_RUN", None, 409, Caller, false, "Not run, because an operation before it failed; mutations of one request succeed or fail together.";

    IdempotencyKeyRequired = "IDEMPOTENCY_KEY_REQUIRED", None, 400, Caller, false, "The request needs a header Idempotency-Key.";
    IdempotencyKeyInUse = "IDEMPOTENCY_KEY_IN_USE", None, 409, Caller, true, "The request that bears this idempotency key is still running.";
    IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED", None, 422, Caller, false, "Another request was sent with this idempotency key in the last 48 hours.";

    RateLimited = "RATE_LIMITED", None, 429, Caller, true, "Too many requests, too costly ones, or too many without a valid API key; Retry-After tells when to try again.";

    DeadlineExceeded = "DEADLINE_EXCEEDED", None, 503, Passing, true, "The request took longer than 5 seconds and was given up; nothing was changed.";
    OutcomeUnknown = "OUTCOME_UNKNOWN", None, 503, Passing, false, "The database went away while it was committing: read what was to be changed before you send the request again.";
    Overloaded = "OVERLOADED", None, 503, Passing, true, "More requests arrive than can be served. This one was not begun; Retry-After says when to send it again.";
    Unavailable = "UNAVAILABLE", None, 503, Passing, true, "The database is busy or cannot be reached.";
    SecretUnreadable = "SECRET_UNREADABLE", None, 500, Fault, false, "A stored PIN, QR text or answer cannot be decrypted: whoever runs the service has to bring back the secret key. Nothing else of the answer is affected.";
    Internal = "INTERNAL", None, 500, Fault, false, "A fault of the service. The request id finds it in the log.";
}

impl ErrorCode {
    /// The title that the error has where Seam prints one (seed 001, checklist B35).
    pub const fn title(self) -> Option<&'static str> {
        match self {
            Self::ReservationKeyNotSupported => Some("reservation_key not supported."),
            Self::ReservationKeyRequired => Some("reservation_key required for guest cards."),
            Self::ReservationEntranceChangeRequiresCleanup => Some("Reservation entrance change requires cleanup."),
            Self::ReservationJoinerEntranceSetConflict => Some("Reservation joiner entrance set conflict."),
            Self::ReservationTimeFramesMustOverlap => Some("Reservation time frames must overlap."),
            _ => None,
        }
    }
}

/// A step of an argument path: a name or a list index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum PathSegment {
    /// Name of an argument or an input field, as in the schema.
    Name(Cow<'static, str>),
    /// Position in a list, from 0.
    Index(usize),
}

impl From<&'static str> for PathSegment {
    fn from(name: &'static str) -> Self {
        Self::Name(Cow::Borrowed(name))
    }
}

impl From<usize> for PathSegment {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// Why something was refused or failed.
#[derive(Debug)]
pub struct Error {
    /// The row of the table.
    pub code: ErrorCode,
    /// Safe to show: no SQL, no path, no secret, nothing of another tenant.
    pub message: Box<Message>,
    /// Where the argument at fault stands, outermost first; empty when no single argument is.
    pub argument_path: Vec<PathSegment>,
    /// For the log alone.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
    /// Seconds after which the same request can succeed, where that is known.
    pub retry_after_seconds: Option<u64>,
    /// The database rolled the transaction back for a reason that a fresh attempt may not meet again.
    pub retry: bool,
}

/// Result of everything that can be refused.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The error that says `message`.
    pub fn new(message: Message) -> Self {
        Self {
            code: message.code(),
            message: Box::new(message),
            argument_path: Vec::new(),
            source: None,
            retry_after_seconds: None,
            retry: false,
        }
    }

    /// An error of `code` that says what the table says.
    pub fn of(code: ErrorCode) -> Self {
        Self::new(Message::Of(code))
    }

    /// A record that does not exist or is not the caller's to see; both give the same answer.
    pub fn not_found(record: Record) -> Self {
        Self::new(Message::NotFound { record })
    }

    /// A fault of the service, with its cause for the log.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..Self::new(Message::Internal) }
    }

    /// Says that the error lies below `segment` of the argument path.
    #[must_use]
    pub fn at(mut self, segment: impl Into<PathSegment>) -> Self {
        self.argument_path.insert(0, segment.into());
        self
    }
}

/// Adds the place of an argument to the error of its check.
pub trait ErrorAt<T> {
    /// Says that an error lies below `segment` of the argument path.
    fn at(self, segment: impl Into<PathSegment>) -> Result<T>;
}

impl<T> ErrorAt<T> for Result<T> {
    fn at(self, segment: impl Into<PathSegment>) -> Result<T> {
        self.map_err(|error| error.at(segment))
    }
}
