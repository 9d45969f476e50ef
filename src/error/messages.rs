//! Messages: what callers of the API are told, each by its id with typed arguments, and the one table of their English.
//!
//! Services say *what* is wrong. In which words is said here alone, so a second language is a second `match` over
//! [`Message`], in which the compiler misses every row that is not translated, and touches no service.
//!
//! Names of fields, arguments and types stand in messages as they do in the schema and are not translated.

use std::fmt::Display;

use chrono::NaiveDate;

use super::ErrorCode;

/// How arguments that are the same in every language are written: names, numbers, dates.
trait Argument {
    fn english(&self) -> String;
}

impl<T: Display> Argument for T {
    fn english(&self) -> String {
        self.to_string()
    }
}

/// A span of time as an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seconds(pub u64);

impl Seconds {
    fn english(self) -> String {
        match self.0 {
            1 => "1 second".to_owned(),
            seconds => format!("{seconds} seconds"),
        }
    }
}

macro_rules! nouns {
    ($($(#[$doc:meta])* $noun:ident { $($name:ident = $english:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $noun {
            $(#[doc = $english] $name,)+
        }

        impl $noun {
            /// The English for it.
            pub const fn english(self) -> &'static str {
                match self {
                    $(Self::$name => $english,)+
                }
            }
        }
    )+};
}

nouns! {
    /// What can fail to be found.
    Record {
        AccessGrant = "Access grant",
        AccessMethod = "Access method",
        AcsSystem = "Access system",
        ActionAttempt = "Action attempt",
        ApiKey = "API key",
        Category = "Category",
        Client = "Client",
        Device = "Device",
        Encoder = "Encoder",
        Entrance = "Entrance",
        Event = "Event",
        Guest = "Guest",
        Hotel = "Hotel",
        Integration = "Integration",
        LockCommand = "Lock command",
        Reservation = "Reservation",
        Room = "Room",
        RoomAccessKey = "Room access key",
        RoomStay = "Room stay",
        Space = "Space",
        UserIdentity = "User identity",
        WebhookDelivery = "Webhook delivery",
        WebhookEndpoint = "Webhook endpoint",
    }

    /// What a document can have too many of.
    Counted {
        Aliases = "aliases",
        ArgumentBytes = "bytes of arguments",
        Arguments = "arguments on one field",
        Directives = "directives",
        Fields = "fields",
        Fragments = "fragments",
        IntrospectionFields = "fields of introspection",
        Operations = "operations",
        Spreads = "uses of fragments",
        Values = "values in the answer by its page sizes",
        Variables = "variables",
    }

    /// What a document can nest too deeply.
    Nested {
        Brackets = "brackets",
        Fields = "fields",
        Inputs = "lists and objects in an argument",
        IntrospectionLists = "lists of introspection",
        SelectionSets = "selection sets",
    }

    /// How the values of a scalar are written.
    ScalarForm {
        Date = "a date is written YYYY-MM-DD, in the years 1900 to 9999",
        Datetime = "an instant is written with its offset, like 2026-10-25T14:00:00+02:00, in the years 1900 to 9999",
        LocalTime = "a local time is written HH:MM",
    }
}

macro_rules! messages {
    ($($code:ident { $($name:ident $({ $($argument:ident: $kind:ty),+ })? = $english:literal;)+ })+) => {
        /// What a caller is told. Each message has one error code.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the text shows what each argument is")]
        pub enum Message {
            /// What the table of error codes says about a code.
            Of(ErrorCode),
            $($(#[doc = concat!("`", $english, "`")] $name $({ $($argument: $kind),+ })?,)+)+
        }

        impl Message {
            /// The row of the table of error codes.
            pub const fn code(&self) -> ErrorCode {
                match self {
                    Self::Of(code) => *code,
                    $($(Self::$name { .. } => ErrorCode::$code,)+)+
                }
            }

            /// The message in English.
            pub fn english(&self) -> String {
                match self {
                    Self::Of(code) => code.spec().meaning.to_owned(),
                    $($(Self::$name $({ $($argument),+ })? => {
                        $($(let $argument = $argument.english();)+)?
                        format!($english)
                    })+)+
                }
            }
        }

        #[cfg(test)]
        const TEXTS: &[(ErrorCode, &str)] = &[$($((ErrorCode::$code, $english),)+)+];
    };
}

messages! {
    Unauthorized {
        AuthorizationMalformed = "Missing or malformed Authorization header. Use: Bearer pms_live_xxx";
        CredentialsInvalid = "Invalid credentials";
    }
    KeyRevoked {
        ApiKeyRevoked = "API key has been revoked. Contact hotel admin for a new key.";
    }
    Forbidden {
        ApiKeyPermissionMissing { permission: &'static str } = "This needs an API key with the permission {permission}";
        IntegrationRequired = "This needs the API key of an integration: it is about what an integration owns";
        MutationNotAllowed = "Operation \"mutation\" not allowed";
        PermissionMissing { permission: &'static str } = "This needs the permission {permission}";
        SandboxRequired = "This is simulated, which works in a sandbox hotel alone";
    }

    NotFound {
        NotFound { record: Record } = "{record} not found";
        PathNotServed = "Nothing is served at this path";
    }
    InvalidArgument {
        // Of more than one kind of record.
        CannotBeTakenAway { name: &'static str } = "{name} cannot be taken away: leave it out to keep it";
        InstantOutOfRange { first: i32, last: i32 } = "An instant must lie in the years {first} to {last} of the hotel";
        LineInvalid { name: &'static str, most: usize } =
            "{name} must have 1 to {most} characters, not only spaces and without line breaks";
        ReasonInvalid { most: usize } = "reason must have 1 to {most} characters, without line breaks";
        TextHasNull = "A text must not contain the character U+0000";

        // Filters and pages.
        FilterTooLarge { most: usize } = "A filter holds at most {most} filters below not and or";
        FirstAndLast = "Use either first or last";
        MustNotBeNull { name: &'static str } = "{name} must not be null";
        PageSizeOutOfRange { most: i32 } = "A page has between 0 and {most} records";
        TooManyAlternatives { most: usize } = "in holds at most {most} values";

        // Arguments of the executor, which says itself what is wrong with them.
        ArgumentNotOfItsType = "not a value of the argument's type";
        ArgumentRefused { said: String } = "{said}";

        // Hotels, integrations and their API keys.
        ApiKeyNameInvalid = "An API key's name has 1 to 200 characters";
        ApiKeyStaysRevoked = "A revoked API key stays revoked";
        ApiKeyStaysRevokedCreateNew = "A revoked API key stays revoked. Create a new one";
        HotelNameInvalid = "A hotel's name has 1 to 200 characters";
        HotelSlugInvalid =
            "A slug has 1 to 64 lower-case letters, digits and hyphens, and starts and ends with a letter or digit";
        IntegrationCannotDisconnectItself = "An integration cannot disconnect itself";
        IntegrationDisconnected = "The integration is disconnected";
        IntegrationNameInvalid = "An integration's name has 1 to 200 characters";
        IntegrationsConnected { names: String, slug: String, first: String } =
            "These integrations are still connected: {names}. Disconnect each of them first, which takes its keys off the \
             doors: latchkey integration disconnect {slug} {first}";

        // Clients.
        ClientDetailTooLong { name: &'static str, most: usize } = "{name} must have at most {most} characters";
        ClientKindAmbiguous = "Exactly one of person and company must be given";
        ClientNameInvalid { name: &'static str, most: usize } =
            "{name} must have 1 to {most} characters, not only spaces";
        CountryUnknown =
            "country must be one of the two-letter codes of ISO 3166-1, such as DE; its three-letter codes and English \
             names are taken for them";
        LanguageUnknown =
            "language must be one of the two-letter codes of ISO 639-1, such as de; a tag like de-DE is taken for it";
        OrganisationHasNo { name: &'static str } = "An organisation has no {name}";
        PersonHasNoCompany = "A person has no company name";

        // Reservations and room stays.
        BookerAmbiguous = "Exactly one of id, person and company must be given";
        ArrivalHasDeparture = "check_in cannot be taken back while there is a check_out";
        DepartureBeforeArrival = "check_out must not be before check_in";
        DepartureWithoutArrival = "There is no check-in: who has not come cannot leave";
        GuestCheckedOut = "The guest has checked out of this room stay";
        GuestCountOutOfRange { name: &'static str } = "{name} must be between 0 and 1000";
        GuestListedTwice = "A guest is on the list twice";
        ReservationSizeOutOfRange { most: usize } = "A reservation is made with 1 to {most} room stays";
        SplitDateOutOfRange = "date must be after the arrival and before the departure";
        StayEndsTooLate { last: NaiveDate } = "A stay ends by {last}";
        StayEndsBeforeItBegins = "reservation_to must not be before reservation_from";
        StayTooLong { most: i64 } = "A stay has at most {most} nights";
        SwapWithItself = "A room stay cannot swap rooms with itself";

        // Doors and access grants.
        EncoderBusy = "The encoder has commands that are not finished";
        EntranceHasNoMode = "An entrance has at least one mode";
        EntranceOfGrants = "The entrance belongs to access grants";
        EntranceOfReservation { name: &'static str } = "{name} cannot change while a reservation has the entrance";
        IdentityHasGrants = "The user identity has access grants: delete its access grants first";
        KindOfGrants =
            "kind cannot change between staff and others while the user identity has access grants: delete them first";
        KeyOfRecordInvalid { most: usize } =
            "A key has 1 to {most} characters, none of them a control character, and is not written like an id";
        GrantEndsBeforeItStarts = "endsAt must be after startsAt";
        CardOfGrantOnly = "Only a card is encoded";
        CloudKeyOnly = "Only a cloud key opens an entrance from afar";
        EncoderOfOtherProvider { provider: String } =
            "The encoder writes cards of {provider}, and an entrance of the access method has another provider";
        GrantHasEnded = "endsAt must be in the future";
        GrantHasNotBegun = "The access grant has not begun";
        GrantHasRunOut = "The access grant has ended";
        GrantOfStayHasTimes { name: &'static str } = "{name} is that of the room stay: leave it out";
        GrantWithoutEntrance = "An access grant needs at least one entrance";
        MethodDoesNotOpen = "The access method does not open this entrance";
        MethodRevoked = "The access method was revoked";
        OverrideSeenOutOfTime = "seenAt lies between the start of the access grant and now";
        OverrideOfStandard = "No reservation overrides this access method";
        ReservationHasEnded = "The reservation of this access grant has ended: make another access grant";
        RoomWithoutEntrance = "The room of the room stay has no entrance";
        StayOfStaff = "Access for staff stands outside of room stays: leave roomStayId out";
        StayWithoutRoom = "The room stay has no room yet";
        StayWithoutTime = "The room stay ends when it begins";
        TimesAreThoseOfStay = "The times of this access grant are those of its room stay: change the stay";
        TooManyMethods { most: usize } = "At most {most} access methods can be asked for at once";
        RoomNamesSpace = "The space is a room: it is renamed with the room";
        RoomStaysSpace = "The space is a room and stays one";
        SimulatedEncoderHasNoIntegration = "A simulated encoder has no integration";
        ReservationKeyOfStaff = "Access for staff stands outside of reservations: leave reservationKey out";

        // Lock commands.
        ClaimSizeOutOfRange { most: usize } = "first must be between 1 and {most}";
        EncoderNotSimulated = "The encoder is not a simulated one";
        FailureNotReported { name: &'static str } = "{name} is found out by Latchkey alone: no encoder reports it";

        // Room access keys.
        KeyKindAmbiguous = "Exactly one of roomAccessPin, roomAccessKeyStorage and roomAccessQR must be given";
        PinMixesCase = "pin must not mix upper-case and lower-case letters";
        NotAlphanumeric { name: &'static str, most: usize } =
            "{name} must have 1 to {most} letters and digits (A-Z, a-z, 0-9)";
        QrDataHasNull = "qrData must not contain the character U+0000";
        QrDataInvalid { most: usize } = "qrData must have between 1 and {most} characters";

        // Events and webhooks.
        EventTypeUnknown { types: String } = "There are no events of this type. Types: {types}";
        SeamEventTypeUnknown { types: String } = "There are no events of this type. Types: *, {types}";
        EventTypesMissing = "Subscribe to at least one type of events";
        TooManyEnabledEndpoints { most: i64 } = "An integration has at most {most} enabled webhook endpoints";
        TooManyEndpoints { most: i64 } = "An integration has at most {most} webhook endpoints";
        WebhookEndpointDisabled = "The webhook endpoint is disabled";
        UrlAddressNotAllowed =
            "Webhooks are sent to public addresses and to the networks that the operator allows only";
        UrlAddressNotPublic = "Webhooks are sent to public addresses only";
        UrlHasCredentials = "The URL of a webhook endpoint has no user name and no password";
        UrlHasFragment = "The URL of a webhook endpoint has no fragment";
        UrlHasForbiddenCharacters = "A URL has no white space, control characters and backslashes";
        UrlHasNoHost = "The URL of a webhook endpoint has a host";
        UrlHostMalformed = "The host is not a name: between its dots are 1 to 63 characters, 253 in all";
        UrlHostNeverFound = "The host has a name that nobody finds (RFC 6761, RFC 7686)";
        UrlHostNotPublic =
            "The host has a name that is found in a network of its own only: give its public name, such as \
             hooks.example.com";
        UrlMalformed = "This is not a URL such as https://example.com/webhooks";
        UrlNotHttps = "The URL of a webhook endpoint begins with https://";
        UrlPortOutOfRange = "A port is between 1 and 65535";
        UrlTooLong { most: usize } = "A URL has at most {most} bytes";
        UrlWithoutTls =
            "Without TLS, webhooks are sent to the networks that the operator allows only: begin with https://";

        // REST.
        AfterInvalid = "after must be the next of an answer";
        BodyNotAnObject = "A JSON object is expected";
        CheckOutDateBeforeCheckIn = "checkOutDate must not be before checkInDate";
        CheckOutDatePassed = "checkOutDate has passed";
        DateInvalid { name: &'static str } = "{name} must be a date, YYYY-MM-DD, in the years 1900 to 9999";
        FieldMissing { name: &'static str } = "{name} is missing";
        FieldTextInvalid { name: &'static str, most: usize } =
            "{name} must be a text of 1 to {most} characters, not only spaces and without line breaks";
        GuestInRoomTwice = "The list has another entry of this guest in this room";
        GuestNotCheckedIn = "The guest has not checked in";
        GuestsNotAList = "guests must be a list";
        IdempotencyKeyInvalid { most: usize } =
            "Idempotency-Key must be given once and have 1 to {most} visible ASCII characters";
        LimitOutOfRange { most: i64 } = "limit must be between 1 and {most}";
        NameNotOfReservation = "Nobody of this name belongs to the reservation with this code";
        TooManyGuests { most: usize } = "guests must have at most {most} entries";

        // Seam's interface. What the library that reads its parameters says is the reason.
        ParameterInvalid { reason: String } = "{reason}";
        AccessMethodMissing = "One access method is needed at least";
        EmptyName = "an empty text names nothing";
        BetweenNotTwo = "between has two instants";
        OneNeeded { names: &'static str } = "Exactly one of {names} is needed";
        SomeNeeded { names: &'static str } = "One of {names} is needed at least";
        TooManyValues { most: usize } = "At most {most} values are taken";

        // The command line alone imports files, and says in its own words what is wrong with one.
        ImportRefused { said: String } = "{said}";
    }
    InvalidCursor {
        CursorForeign = "This cursor does not belong to this connection with this filter";
    }
    KeyAlreadyAssigned {
        StayHasKey = "This room stay already has a room access key. Remove it first";
    }
    KeyNotAssigned {
        KeyNotOnStay = "This room access key is not assigned to this room stay";
    }
    KeyStillAssigned {
        KeyOnStay = "This room access key is assigned to a room stay. Remove it from all room stays first";
    }
    ReservationCancelled {
        ReservationCancelled = "This reservation was cancelled";
    }
    RoomStayDeparted {
        RoomStayDeparted = "The departure of this room stay has passed";
    }
    ReservationKeyNotSupported {
        ReservationKeyNotSupported =
            "No targeted entrances support reservation behavior. Remove reservation_key or include at least one \
             reservation-capable entrance.";
    }
    ReservationKeyRequired {
        ReservationKeyRequired =
            "A targeted entrance requires a reservation for guest credentials. Add a reservation_key.";
    }
    ReservationEntranceChangeRequiresCleanup {
        ReservationEntranceChangeRequiresCleanup =
            "To change the doors for this reservation, delete the existing access grants first.";
    }
    ReservationJoinerEntranceSetConflict {
        ReservationJoinerEntranceSetConflict =
            "Joiner access grants must use the same or a subset of the reservation-capable doors.";
    }
    ReservationTimeFramesMustOverlap {
        ReservationTimeFramesMustOverlap =
            "Access grants in the same reservation must have overlapping time frames.";
    }
    NameTaken {
        AccessGrantKeyTaken = "Another access grant of the integration has this key";
        EncoderKeyTaken = "Another encoder of the hotel has this key";
        EntranceKeyTaken = "Another entrance of the hotel has this key";
        HotelSlugTaken = "Another hotel has this slug";
        IntegrationConnected = "An integration of this name is connected";
        SpaceKeyTaken = "Another space of the hotel has this key";
        UserIdentityKeyTaken = "Another user identity of the integration has this key";
    }

    BadRequest {
        BatchedOperationInvalid { index: usize, problem: Box<Message> } = "Operation {index}: {problem}";
        BodyIncomplete = "The request body is incomplete";
        BodyNotJson = "The request body is not JSON, or nests too deeply";
        BodyNotJsonAt { line: usize, column: usize } =
            "The request body is not JSON, or nests too deeply, at line {line} column {column}";
        ParameterNotAnObject { name: &'static str } = "The parameter {name} must be an object";
        ParameterNotAString { name: &'static str } = "The parameter {name} must be a string";
        QueryMissing = "The parameter query is missing";
        RequestNotAnObject = "A GraphQL request is a JSON object";
    }
    MethodNotAllowed {
        MethodNotServed = "This path does not serve this method";
        PostOnly = "GraphQL is served by POST only; GraphiQL, to try it in a browser, is at /graphql/ide";
    }
    UnsupportedMediaType {
        ContentEncoded = "The request body has a Content-Encoding, such as gzip; send it without one";
        ContentTypeMissing = "The header Content-Type is missing; send Content-Type: application/json";
        ContentTypeNotJson =
            "The header Content-Type says that the body is not JSON; send Content-Type: application/json";
        ContentTypeNotUtf8 = "The header Content-Type names another encoding than UTF-8, the only one of JSON";
        ContentTypeTwice = "The header Content-Type is there twice; send it once";
    }
    DocumentTooDeep {
        NestsTooDeeply { most: u64, what: Nested } = "The document nests more than {most} {what}";
    }
    DocumentTooComplex {
        CostOutOfReach { cost: u64, most: u64 } =
            "The request costs {cost}, more than the {most} that an API key may cost a minute";
        HasTooMany { most: u64, what: Counted } = "The document has more than {most} {what}";
        WordTooLong { most: usize } = "A name or number is longer than {most} bytes";
    }
    ParseFailed {
        NotGraphQl { line: usize, column: usize } =
            "The document is not GraphQL from line {line}, column {column} on";
        StringUnterminated = "A string does not end";
    }
    ValidationFailed {
        ChainNeedsName = "@chain needs the name of a variable as a literal text";
        // What the validator of the library says about a document.
        DocumentInvalid { said: String } = "{said}";
        FieldArgumentsDiffer { key: String } = "\"{key}\" is selected twice with different arguments";
        FragmentNameTaken { name: String } = "There can be only one fragment named \"{name}\"";
        FragmentSpreadsItself { name: String } = "Cannot spread fragment \"{name}\" within itself";
        FragmentUnused { name: String } = "Fragment \"{name}\" is never used";
        InputFieldTwice { name: String } = "There can be only one input field named \"{name}\"";
        NotExecutable = "A document holds operations and fragments only";
        OperationNameTaken { name: String } = "There can be only one operation named \"{name}\"";
        OperationUnnamed = "An operation without a name must be the only one of its document";
        ScalarExpected { scalar: String, form: ScalarForm } = "Expected value of type {scalar}: {form}";
        SubscriptionsNotOffered = "Subscriptions are not offered";
        VariableTypeDiffers { name: String, of: String, wanted: String } =
            "Variable \"${name}\" of type \"{of}\" is used where a value of type \"{wanted}\" is expected";
    }
    PersistedQueryNotSupported {
        // Clients look for exactly this, and then send the document.
        PersistedQueryNotSupported = "PersistedQueryNotSupported";
    }
    OperationNotFound {
        OperationAmbiguous = "The document has several operations; operationName must tell which";
        OperationUnknown { name: String } = "Unknown operation named \"{name}\"";
    }
    InvalidVariable {
        RequiredVariableAbsent { name: String, of: String } =
            "Variable \"${name}\" of required type \"{of}\" is not provided";
        RequiredVariableNull { name: String, of: String } = "Variable \"${name}\" of required type \"{of}\" is null";
        VariableInvalid { name: String, problem: Box<Message> } = "Variable \"${name}\" {problem}";
        VariableInvalidAt { name: String, place: String, problem: Box<Message> } =
            "Variable \"${name}\" at \"{place}\" {problem}";
        VariableNull { name: String } =
            "Variable \"${name}\" is null, and is used where a value must not be null";

        // Problems of a value: these continue a sentence that begins with the name of what has it.
        ValueHasUnknownField { field: String, of: String } = "has a field \"{field}\", which {of} does not have";
        ValueMissing = "is required";
        ValueNotAnInt = "must be an Int, a whole number of 32 bits";
        ValueNotAnObject { of: String } = "must be an object of type {of}";
        ValueNotOfEnum { of: String } = "must be a value of the enum {of}";
        ValueNotOfScalar { of: String, form: ScalarForm } = "must be a {of}: {form}";
        ValueNotOfType { of: String } = "must be of type {of}";
        ValueNull = "must not be null";
    }
    ChainVariableTwice {
        ChainedTwice { name: String } = "The variable \"{name}\" is chained twice in one operation";
    }
    ChainOverridesVariable {
        ChainedAndSent { name: String } =
            "The variable \"{name}\" is chained from the operation before and must not be sent";
    }

    RateLimited {
        CostTooHigh { cost: u64, most: u64, wait: Seconds } =
            "The request costs {cost}, and an API key may cost {most} a minute; try again in {wait}";
        TooManyFailures { wait: Seconds } =
            "Too many requests without a valid API key came from this address; try again in {wait}";
        TooManyRequests { most: u64, wait: Seconds } =
            "An API key may send {most} requests a minute; try again in {wait}";
    }

    Unavailable {
        Starting = "The service is starting";
    }
    SecretUnreadable {
        KeptAnswerUnreadable =
            "A request with this idempotency key had its effect before, and the answer that was kept for it cannot be read: \
             read what it was to change";
    }
    Internal {
        Internal = "Internal error";
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every text of the table, and of the codes: their meanings are messages, too.
    fn texts() -> impl Iterator<Item = &'static str> {
        TEXTS.iter().map(|(_, text)| *text).chain(ErrorCode::ALL.iter().map(|code| code.spec().meaning))
    }

    #[test]
    fn no_two_messages_of_a_code_say_the_same() {
        let passed_on = |text: &str| text == "{said}";
        let own = TEXTS.iter().filter(|(_, text)| !passed_on(text));
        let distinct: BTreeSet<_> = own.clone().map(|(code, text)| (code.spec().wire, text)).collect();
        assert_eq!(distinct.len(), own.count());
        assert_eq!(
            TEXTS.iter().filter(|(_, text)| passed_on(text)).count(),
            3,
            "a library or the command line says more"
        );
    }

    #[test]
    fn messages_are_sentences_without_a_full_stop() {
        for (code, text) in TEXTS {
            // As 3RPMS and Seam print them.
            let may_stop = matches!(
                code,
                ErrorCode::KeyRevoked
                    | ErrorCode::ReservationKeyNotSupported
                    | ErrorCode::ReservationKeyRequired
                    | ErrorCode::ReservationEntranceChangeRequiresCleanup
                    | ErrorCode::ReservationJoinerEntranceSetConflict
                    | ErrorCode::ReservationTimeFramesMustOverlap
            );
            assert!(may_stop || !text.ends_with(['.', ' ', '!']), "{text:?}");
            assert!(!text.trim().is_empty() && text.trim_start() == *text && !text.contains("  "), "{text:?}");
        }
    }

    #[test]
    fn messages_tell_nothing_about_the_inside() {
        const MARKS: [&str; 11] =
            ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "sql", "postgres", "/home", "/tmp", "src/", "panicked", "\n"];
        for text in texts() {
            for mark in MARKS {
                assert!(!text.contains(mark), "{text:?} contains {mark:?}");
            }
        }
    }

    #[test]
    fn arguments_stand_in_their_places() {
        let problem = Message::ValueNotOfScalar { of: "Date".to_owned(), form: ScalarForm::Date };
        let (name, place) = ("stay".to_owned(), "from".to_owned());
        let outer = Message::VariableInvalidAt { name, place, problem: Box::new(problem) };
        for (message, code, english) in [
            (Message::NotFound { record: Record::RoomStay }, ErrorCode::NotFound, "Room stay not found"),
            (
                Message::HasTooMany { most: 50, what: Counted::Operations },
                ErrorCode::DocumentTooComplex,
                "The document has more than 50 operations",
            ),
            (
                Message::TooManyRequests { most: 600, wait: Seconds(1) },
                ErrorCode::RateLimited,
                "An API key may send 600 requests a minute; try again in 1 second",
            ),
            (
                Message::TooManyFailures { wait: Seconds(2) },
                ErrorCode::RateLimited,
                "Too many requests without a valid API key came from this address; try again in 2 seconds",
            ),
            (
                outer,
                ErrorCode::InvalidVariable,
                "Variable \"$stay\" at \"from\" must be a Date: a date is written YYYY-MM-DD, in the years 1900 to 9999",
            ),
            (Message::Of(ErrorCode::NameTaken), ErrorCode::NameTaken, ErrorCode::NameTaken.spec().meaning),
        ] {
            assert_eq!((message.code(), message.english().as_str()), (code, english));
        }
    }
}
