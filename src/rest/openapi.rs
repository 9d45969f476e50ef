//! The OpenAPI 3.1 document, made of the tables that the reader of the bodies goes by and of the table of error codes.

use serde_json::{Map, Value, json};

use super::MOST_PER_PAGE;
use super::fields::{CHECK_IN, CHECK_OUT, Field, Kind, MOST_GUESTS, SYNC, UPDATE};
use crate::error::ErrorCode;

/// Errors that a request can be answered with, beside those of the service itself.
const CODES: &[ErrorCode] = &[
    ErrorCode::Unauthorized,
    ErrorCode::KeyRevoked,
    ErrorCode::Forbidden,
    ErrorCode::BadRequest,
    ErrorCode::InvalidArgument,
    ErrorCode::IdempotencyKeyRequired,
    ErrorCode::IdempotencyKeyInUse,
    ErrorCode::IdempotencyKeyReused,
    ErrorCode::NotFound,
    ErrorCode::ReservationCancelled,
    ErrorCode::RoomStayDeparted,
    ErrorCode::RequestTimeout,
    ErrorCode::PayloadTooLarge,
    ErrorCode::UnsupportedMediaType,
    ErrorCode::RateLimited,
    ErrorCode::Internal,
    ErrorCode::DeadlineExceeded,
    ErrorCode::Overloaded,
    ErrorCode::Unavailable,
];

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
        },
        "security": [{"apiKey": []}],
        "paths": {
            "/api/pms/v1/{hotel}/guests": {"get": list(&guests)},
            "/api/pms/v1/{hotel}/guests/checkin": {"post": act(
                "checkin", "A guest arrives. Makes the reservation where there is none.", CHECK_IN,
                json!({"guest": guest, "created": flag("Whether the reservation was made."),
                    "roomOccupied": flag("Whether somebody else is in the room.")}))},
            "/api/pms/v1/{hotel}/guests/update": {"post": act(
                "update", "Moves, re-dates or renames a guest.", UPDATE,
                json!({"guest": guest, "changes": {"type": "object", "description": "By field, what changed.",
                    "additionalProperties": {"type": "object", "required": ["from", "to"],
                        "properties": {"from": {"type": ["string", "null"]}, "to": {"type": ["string", "null"]}}}}}))},
            "/api/pms/v1/{hotel}/guests/checkout": {"post": act(
                "checkout", "A guest leaves. Checking out again succeeds.", CHECK_OUT,
                json!({"guests": guests, "alreadyCheckedOut": flag("Whether the guest had left before.")}))},
            "/api/pms/v1/{hotel}/guests/sync": {"post": act(
                "sync", "This is who is in the house: who is not on the list leaves, then who is on it arrives or changes.", SYNC,
                json!({"checkedOut": guests, "checkedIn": guests, "updated": guests,
                    "unchanged": {"type": "integer", "minimum": 0}}))},
        },
        "components": {
            "securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer",
                "description": "pms_live_ or pms_test_ and 32 hexadecimal digits."}},
            "parameters": {
                "hotel": {"name": "hotel", "in": "path", "required": true, "schema": {"type": "string"},
                    "description": "Slug of the key's hotel."},
                "idempotencyKey": {"name": "Idempotency-Key", "in": "header", "required": true,
                    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
                    "description": "The same for the same request: it then has its effect once."},
            },
            "schemas": {
                "CheckIn": object(CHECK_IN),
                "Guest": guest_schema(),
                "Error": error_schema(),
            },
            "responses": {"Error": {"description": "Refused or failed; nothing was changed.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}},
        },
    })
}

fn list(guests: &Value) -> Value {
    let parameter = |name: &str, schema: Value, about: &str| json!({"name": name, "in": "query", "required": false, "schema": schema, "description": about});
    json!({
        "operationId": "guests",
        "summary": "Who is in the house, page by page.",
        "parameters": [
            {"$ref": "#/components/parameters/hotel"},
            parameter("limit", json!({"type": "integer", "minimum": 1, "maximum": MOST_PER_PAGE, "default": MOST_PER_PAGE}), "Most guests."),
            parameter("after", json!({"type": "string"}), "`next` of the page before."),
        ],
        "responses": responses(json!({"guests": guests, "next": {"type": ["string", "null"],
            "description": "Give it to `after` to read on; null on the last page."}})),
    })
}

fn act(id: &str, summary: &str, body: &[Field], answer: Value) -> Value {
    json!({
        "operationId": id,
        "summary": summary,
        "parameters": [{"$ref": "#/components/parameters/hotel"}, {"$ref": "#/components/parameters/idempotencyKey"}],
        "requestBody": {"required": true, "content": {"application/json": {"schema": object(body)}}},
        "responses": responses(answer),
    })
}

fn responses(mut properties: Value) -> Value {
    let mut required: Vec<String> = properties.as_object().into_iter().flat_map(Map::keys).cloned().collect();
    required.push("status".to_owned());
    properties["status"] = json!({"const": "success"});
    properties["_sandbox"] = json!({"const": true, "description": "Only in answers to a test key."});
    let schema = json!({"type": "object", "required": required, "properties": properties});
    json!({
        "200": {"description": "Done.", "content": {"application/json": {"schema": schema}}},
        "default": {"$ref": "#/components/responses/Error"},
    })
}

fn object(fields: &[Field]) -> Value {
    let schema = |field: &Field| match field.kind {
        Kind::Text => json!({"type": "string", "minLength": 1, "description": field.about}),
        Kind::Date => json!({"type": "string", "format": "date", "description": field.about}),
        Kind::Guests => json!({"type": "array", "maxItems": MOST_GUESTS, "description": field.about,
            "items": {"$ref": "#/components/schemas/CheckIn"}}),
    };
    let properties: Map<String, Value> = fields.iter().map(|field| (field.name.to_owned(), schema(field))).collect();
    let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    json!({"type": "object", "required": required, "properties": properties})
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
    let codes: Vec<&str> = CODES.iter().map(|code| code.spec().wire).collect();
    json!({
        "type": "object",
        "required": ["status", "code", "message", "requestId"],
        "properties": {
            "status": {"const": "error"},
            "code": {"type": "string", "examples": codes, "description": "Decide by it. More may be added."},
            "message": {"type": "string", "description": "For people; it may change."},
            "requestId": {"type": "string", "pattern": "^req_[0-9a-f]{8}$"},
            "field": {"type": "string", "description": "The field of the body at fault, where one is."},
        },
    })
}
