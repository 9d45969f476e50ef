//! The OpenAPI 3.1 document, made of the tables that the reader of the bodies goes by and of the table of error codes.

use serde_json::{Map, Value, json};

use super::MOST_PER_PAGE;
use super::fields::{CHECK_IN, CHECK_OUT, Field, Kind, MOST_GUESTS, SYNC, UPDATE};
use crate::clients::{DETAIL_MAX, languages};
use crate::error::ErrorCode;
use crate::idempotency;

/// Errors that every request can be answered with.
const CODES: &[ErrorCode] = &[
    ErrorCode::Unauthorized,
    ErrorCode::KeyRevoked,
    ErrorCode::InvalidArgument,
    ErrorCode::RateLimited,
    ErrorCode::Internal,
    ErrorCode::Overloaded,
    ErrorCode::Unavailable,
];

/// Errors of requests that write.
const CODES_OF_ACTS: &[ErrorCode] = &[
    ErrorCode::Forbidden,
    ErrorCode::BadRequest,
    ErrorCode::IdempotencyKeyRequired,
    ErrorCode::IdempotencyKeyInUse,
    ErrorCode::IdempotencyKeyReused,
    ErrorCode::NotFound,
    ErrorCode::ReservationCancelled,
    ErrorCode::RoomStayDeparted,
    ErrorCode::RequestTimeout,
    ErrorCode::PayloadTooLarge,
    ErrorCode::UnsupportedMediaType,
    ErrorCode::DeadlineExceeded,
    ErrorCode::OutcomeUnknown,
];

/// A text that is not only white space and has no control characters, as regular expressions of all languages write it.
const TEXT: &str = concat!(
    r"^[^\u0000-\u001f\u007f-\u009f]*",
    r"[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]",
    r"[^\u0000-\u001f\u007f-\u009f]*$"
);
/// A date of the years 1900 to 9999.
const DATE: &str = "^(19|[2-9][0-9])[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$";

/// Fields of a guest in answers: name, kind in JSON Schema, meaning.
pub(super) const GUEST: &[(&str, &str, &str)] = &[
    ("pmsGuestId", "string", "This integration's external id of the reservation, else its code."),
    ("reservationId", "uuid", "Id of the reservation in GraphQL."),
    ("reservationCode", "string", "Code of the reservation."),
    ("roomStayId", "uuid", "Id of the room stay in GraphQL."),
    ("firstName", "string?", "Given name."),
    ("lastName", "string", "Family name, or the name of the company that booked."),
    ("email", "string?", "E-mail address."),
    ("phone", "string?", "Telephone number."),
    ("language", "string?", "ISO 639-1 code."),
    ("roomNumber", "string?", "Name of the room."),
    ("checkInDate", "date", "Day of arrival."),
    ("checkOutDate", "date", "Day of departure."),
    ("checkedInAt", "date-time?", "Physical arrival, with the offset of the hotel's zone."),
    ("checkedOutAt", "date-time?", "Physical departure, with the offset of the hotel's zone."),
];

/// The document.
pub fn document() -> Value {
    let guests = json!({"type": "array", "items": {"$ref": "#/components/schemas/Guest"}});
    let guest = json!({"$ref": "#/components/schemas/Guest"});
    let flag = |about: &str| json!({"type": "boolean", "description": about});
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Latchkey for hotel systems",
            "version": "1",
            "description": "Who arrives, who changes, who leaves, who is in the house. A test key has everything checked and nothing kept.",
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "Where this document is served."}],
        "security": [{"apiKey": []}],
        "tags": [{"name": "guests", "description": "Guests of the hotel."}],
        "paths": {
            "/api/pms/v1/{hotel}/guests": {"get": list(&guests)},
            "/api/pms/v1/{hotel}/guests/checkin": {"post": act(
                "checkin", "A guest arrives. Makes the reservation where there is none.", "CheckIn",
                json!({"guest": guest, "created": flag("Whether the reservation was made."),
                    "roomOccupied": flag("Whether somebody else is in the room.")}))},
            "/api/pms/v1/{hotel}/guests/update": {"post": act(
                "update", "Moves, re-dates or renames a guest.", "Update",
                json!({"guest": guest, "changes": {"type": "object", "description": "By field, what changed.",
                    "additionalProperties": {"type": "object", "required": ["from", "to"],
                        "properties": {"from": {"type": ["string", "null"]}, "to": {"type": ["string", "null"]}}}}}))},
            "/api/pms/v1/{hotel}/guests/checkout": {"post": act(
                "checkout", "A guest leaves. Checking out again succeeds.", "CheckOut",
                json!({"guests": guests, "alreadyCheckedOut": flag("Whether the guest had left before.")}))},
            "/api/pms/v1/{hotel}/guests/sync": {"post": act(
                "sync", "This is who is in the house: who is not on the list leaves, then who is on it arrives or changes.", "Sync",
                json!({"checkedOut": guests, "checkedIn": guests, "updated": guests,
                    "unchanged": {"type": "integer", "minimum": 0}}))},
        },
        "components": {
            "securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer",
                "description": "pms_live_ or pms_test_ and 32 hexadecimal digits."}},
            "parameters": {
                "hotel": {"name": "hotel", "in": "path", "required": true, "description": "Slug of the key's hotel.",
                    "schema": {"type": "string", "maxLength": 64, "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"}},
                "idempotencyKey": {"name": "Idempotency-Key", "in": "header", "required": true,
                    "schema": {"type": "string", "maxLength": idempotency::KEY_MAX, "pattern": "^[!-~]([ -~]*[!-~])?$"},
                    "description": "The same for the same request: it then has its effect once."},
            },
            "headers": {
                "RequestId": {"description": "Name it when you ask for help.",
                    "schema": {"type": "string", "pattern": "^req_[0-9a-f]{8}$"}},
                "RetryAfter": {"description": "Seconds after which the same request can succeed.",
                    "schema": {"type": "integer", "minimum": 0}},
                "IdempotentReplayed": {"description": "The answer was given before.",
                    "schema": {"type": "string", "const": "true"}},
            },
            "schemas": {
                "CheckIn": object(CHECK_IN),
                "Update": object(UPDATE),
                "CheckOut": object(CHECK_OUT),
                "Sync": object(SYNC),
                "Guest": guest_schema(),
                "Error": error_schema(),
            },
        },
    })
}

fn list(guests: &Value) -> Value {
    let parameter = |name: &str, schema: Value, about: &str| json!({"name": name, "in": "query", "required": false, "schema": schema, "description": about});
    let answer = json!({"guests": guests, "next": {"type": ["string", "null"], "format": "uuid",
        "description": "Give it to `after` to read on; null on the last page."}});
    json!({
        "operationId": "guests",
        "tags": ["guests"],
        "summary": "Who is in the house, page by page.",
        "parameters": [
            {"$ref": "#/components/parameters/hotel"},
            parameter("limit", json!({"type": "integer", "minimum": 1, "maximum": MOST_PER_PAGE, "default": MOST_PER_PAGE}), "Most guests."),
            parameter("after", json!({"type": "string", "format": "uuid"}), "`next` of the page before."),
        ],
        "responses": responses(answer, json!({}), &[]),
    })
}

fn act(id: &str, summary: &str, body: &str, answer: Value) -> Value {
    let replayed = json!({"Idempotent-Replayed": {"$ref": "#/components/headers/IdempotentReplayed"}});
    json!({
        "operationId": id,
        "tags": ["guests"],
        "summary": summary,
        "parameters": [{"$ref": "#/components/parameters/hotel"}, {"$ref": "#/components/parameters/idempotencyKey"}],
        "requestBody": {"required": true, "content": {"application/json": {
            "schema": {"$ref": format!("#/components/schemas/{body}")}}}},
        "responses": responses(answer, replayed, CODES_OF_ACTS),
    })
}

/// The answers of an operation: what succeeds, and by status what can go wrong.
fn responses(mut properties: Value, mut headers: Value, codes: &[ErrorCode]) -> Value {
    let mut required: Vec<String> = properties.as_object().into_iter().flat_map(Map::keys).cloned().collect();
    required.push("status".to_owned());
    properties["status"] = json!({"type": "string", "const": "success"});
    properties["_sandbox"] = json!({"type": "boolean", "const": true, "description": "Only in answers to a test key."});
    let schema = json!({"type": "object", "required": required, "properties": properties});
    headers["X-Request-Id"] = json!({"$ref": "#/components/headers/RequestId"});
    let mut responses = Map::new();
    let done = json!({"description": "Done.", "headers": headers, "content": {"application/json": {"schema": schema}}});
    responses.insert("200".to_owned(), done);
    for code in CODES.iter().chain(codes) {
        let spec = code.spec();
        let meaning = format!("`{}`: {}", spec.wire, spec.meaning);
        let response = responses.entry(spec.http_status.to_string()).or_insert_with(refusal);
        if spec.retryable {
            response["headers"]["Retry-After"] = json!({"$ref": "#/components/headers/RetryAfter"});
        }
        let meanings = response["description"].as_str().unwrap_or_default();
        response["description"] = json!(if meanings.is_empty() { meaning } else { format!("{meanings}\n\n{meaning}") });
    }
    Value::Object(responses)
}

fn refusal() -> Value {
    json!({
        "description": "",
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}},
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    })
}

fn object(fields: &[Field]) -> Value {
    let properties: Map<String, Value> =
        fields.iter().map(|field| (field.name.to_owned(), field_schema(field))).collect();
    let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    json!({"type": "object", "required": required, "properties": properties})
}

fn field_schema(field: &Field) -> Value {
    let kind = |name: &str| if field.required { json!(name) } else { json!([name, "null"]) };
    let mut schema = match field.kind {
        Kind::Text(longest) => json!({"type": kind("string"), "minLength": 1, "maxLength": longest, "pattern": TEXT}),
        Kind::Language => {
            let codes: Vec<&str> = languages().collect();
            let pattern = format!("^({})([-_][A-Za-z0-9]{{1,8}})*$", codes.join("|"));
            json!({"type": kind("string"), "maxLength": DETAIL_MAX, "pattern": pattern})
        }
        Kind::Date => json!({"type": kind("string"), "format": "date", "pattern": DATE}),
        Kind::Guests => json!({"type": kind("array"), "maxItems": MOST_GUESTS,
            "items": {"$ref": "#/components/schemas/CheckIn"}}),
    };
    schema["description"] = json!(field.about);
    schema
}

fn guest_schema() -> Value {
    let schema = |kind: &str, about: &str| {
        let (name, nullable) = kind.strip_suffix('?').map_or((kind, false), |name| (name, true));
        let mut schema = json!({"type": if nullable { json!(["string", "null"]) } else { json!("string") },
            "description": about});
        if name != "string" {
            schema["format"] = json!(name);
        }
        schema
    };
    let properties: Map<String, Value> =
        GUEST.iter().map(|(name, kind, about)| ((*name).to_owned(), schema(kind, about))).collect();
    let required: Vec<&str> = GUEST.iter().map(|(name, ..)| *name).collect();
    json!({"type": "object", "required": required, "properties": properties})
}

fn error_schema() -> Value {
    let codes: Vec<&str> = CODES.iter().chain(CODES_OF_ACTS).map(|code| code.spec().wire).collect();
    json!({
        "type": "object",
        "required": ["status", "code", "message", "requestId"],
        "properties": {
            "status": {"type": "string", "const": "error"},
            "code": {"type": "string", "examples": codes, "description": "Decide by it. More may be added."},
            "message": {"type": "string", "description": "For people; it may change."},
            "requestId": {"type": "string", "pattern": "^req_[0-9a-f]{8}$"},
            "field": {"type": "string",
                "description": "The field of the body at fault, where one is: `roomNumber`, `guests[1].roomNumber`."},
        },
    })
}
