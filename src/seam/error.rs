//! The bodies of errors.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::operation::Spec;
use super::parameters::Parameters;
use crate::error::{Error, ErrorCode, Message, PathSegment, Record};

/// The answer that consists of an error.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    error: ErrorContent,
    ok: bool,
}

#[derive(Debug, Serialize, ToSchema)]
struct ErrorContent {
    /// Decide by it. More may be added.
    #[serde(rename = "type")]
    code: String,
    /// For people; it may change.
    message: String,
    /// `title` of a refusal that Seam's guide gives one; the id of what was not found.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    data: Option<Value>,
    /// What is wrong, by parameter; only of `invalid_input`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    validation_errors: Option<Value>,
    /// Name it when you ask for help.
    request_id: String,
}

impl ErrorBody {
    /// Says what went wrong with a request; `asked`: with which operation, as far as that is known.
    pub fn new(error: &Error, request_id: &str, asked: Option<(&Spec, &Parameters)>) -> Self {
        let id = asked.map_or("id", |(spec, _)| spec.id);
        let code = code(error);
        let message = message(error, id);
        let place = Place::of(error, id);
        let validation_errors = (code == "invalid_input").then_some(place).map(|place| match place {
            Some(Place { parameter, below, .. }) => {
                let said = if below.is_empty() { message.clone() } else { format!("{below}: {message}") };
                json!({"_errors": [], parameter: {"_errors": [said]}})
            }
            None => json!({"_errors": [message]}),
        });
        let content = ErrorContent {
            data: data(error, asked),
            code,
            message,
            validation_errors,
            request_id: request_id.to_owned(),
        };
        Self { error: content, ok: false }
    }
}

fn code(error: &Error) -> String {
    match error.code {
        ErrorCode::InvalidArgument if matches!(*error.message, Message::SeamEventTypeUnknown { .. }) => {
            "invalid_event_types".to_owned()
        }
        ErrorCode::Unauthorized | ErrorCode::KeyRevoked => "unauthorized".to_owned(),
        ErrorCode::InvalidArgument | ErrorCode::InvalidCursor | ErrorCode::BadRequest => "invalid_input".to_owned(),
        ErrorCode::Internal => "internal_server_error".to_owned(),
        ErrorCode::NotFound => match record(error) {
            Some(record) => format!("{record}_not_found"),
            None => "not_found".to_owned(),
        },
        code => code.spec().wire.to_ascii_lowercase(),
    }
}

/// Seam's name of what was not found.
fn record(error: &Error) -> Option<&'static str> {
    let Message::NotFound { record } = *error.message else { return None };
    Some(match record {
        Record::AccessGrant => "access_grant",
        Record::AccessMethod => "access_method",
        Record::AcsSystem => "acs_system",
        Record::Device => "device",
        Record::Encoder => "acs_encoder",
        Record::Entrance => "acs_entrance",
        Record::Event => "event",
        Record::ActionAttempt => "action_attempt",
        Record::Space => "space",
        Record::UserIdentity => "user_identity",
        Record::WebhookEndpoint => "webhook",
        _ => return None,
    })
}

fn data(error: &Error, asked: Option<(&Spec, &Parameters)>) -> Option<Value> {
    if let Some(title) = error.code.title() {
        return Some(json!({"title": title}));
    }
    record(error)?;
    let (spec, parameters) = asked?;
    let Place { parameter, index, .. } = Place::of(error, spec.id)?;
    // What has an id may have been named by its key.
    let sent = |name: &str| {
        let value = parameters.value(name, index)?;
        Some(json!({name.strip_suffix('s').unwrap_or(name): value}))
    };
    sent(&parameter).or_else(|| sent(&format!("{}_key", parameter.strip_suffix("_id")?)))
}

/// What an error says, in the words of this interface.
fn message(error: &Error, id: &str) -> String {
    match &*error.message {
        // What was sent is told as it was sent.
        Message::ParameterInvalid { reason } => reason.clone(),
        Message::AuthorizationMalformed => error.message.english().replace("pms_live_", "seam_live_"),
        Message::CursorForeign => "This cursor does not belong to this list with these parameters".to_owned(),
        other => in_own_names(&other.english(), id),
    }
}

/// Where an error lies.
struct Place {
    /// The parameter.
    parameter: String,
    /// Place in it, where it is a list.
    index: usize,
    /// The way on from there, such as `[0].mode`.
    below: String,
}

impl Place {
    fn of(error: &Error, id: &str) -> Option<Self> {
        let as_sent =
            matches!(*error.message, Message::ParameterInvalid { .. } | Message::TextHasNull | Message::EmptyName);
        let own_name = |name: &str| if as_sent { name.to_owned() } else { own_name(name, id) };
        let (PathSegment::Name(name), rest) = error.argument_path.split_first()? else { return None };
        let index = match rest.first() {
            Some(PathSegment::Index(index)) => *index,
            _ => 0,
        };
        let below = rest.iter().fold(String::new(), |below, segment| match segment {
            PathSegment::Index(index) => format!("{below}[{index}]"),
            PathSegment::Name(name) if below.is_empty() => own_name(name),
            PathSegment::Name(name) => format!("{below}.{}", own_name(name)),
        });
        Some(Self { parameter: own_name(name), index, below })
    }
}

/// The name that a parameter has here. Services name it as GraphQL does.
fn own_name(name: &str, id: &str) -> String {
    match name {
        "id" => id.to_owned(),
        "encoderId" => "acs_encoder_id".to_owned(),
        "entranceId" => "acs_entrance_id".to_owned(),
        "entranceIds" => "acs_entrance_ids".to_owned(),
        "events" => "event_types".to_owned(),
        "failsWith" => "error_code".to_owned(),
        name => name.chars().fold(String::new(), |mut text, c| {
            if c.is_ascii_uppercase() {
                text.push('_');
            }
            text.push(c.to_ascii_lowercase());
            text
        }),
    }
}

/// A message with the names that parameters have here.
fn in_own_names(message: &str, id: &str) -> String {
    let is_parameter = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase()) && word.contains(|c: char| c.is_ascii_uppercase())
    };
    let words = message.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    words
        .map(|part| {
            let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            if is_parameter(word) { part.replacen(word, &own_name(word, id), 1) } else { part.to_owned() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_parameters_as_the_sdks_do() {
        let said = |message: &str| in_own_names(message, "access_grant_id");
        assert_eq!(said("endsAt must be after startsAt"), "ends_at must be after starts_at");
        assert_eq!(said("leave reservationKey out. GraphQL"), "leave reservation_key out. GraphQL");
        assert_eq!(said("Remove reservation_key"), "Remove reservation_key");
    }
}
