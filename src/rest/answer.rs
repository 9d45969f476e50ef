//! The bodies of answers.

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use serde_json::{Value, json};

use super::is_sandbox;
use super::store::Guest;
use crate::actor::Mode;
use crate::error::{Error, PathSegment};

/// The answer that consists of an error.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    status: &'static str,
    code: &'static str,
    message: String,
    request_id: String,
    /// Which field of the body is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
}

impl ErrorBody {
    /// Says what went wrong with a request.
    pub fn new(error: &Error, request_id: &str) -> Self {
        Self {
            status: "error",
            code: error.code.spec().wire,
            message: error.message.to_string(),
            request_id: request_id.to_owned(),
            field: field(&error.argument_path),
        }
    }
}

/// The field at fault, by its place in the body: `guests[1].roomNumber`.
fn field(path: &[PathSegment]) -> Option<String> {
    let (entry, below) = match path {
        [PathSegment::Name(list), PathSegment::Index(index), below @ ..] if list == "guests" => {
            (Some(format!("guests[{index}]")), below)
        }
        below => (None, below),
    };
    match (entry, name(below)) {
        (Some(entry), Some(name)) => Some(format!("{entry}.{name}")),
        (entry, name) => entry.or(name.map(str::to_owned)),
    }
}

/// Name of the field of a guest that a path leads to. Services name it as GraphQL does, and may say in which of their records.
fn name(path: &[PathSegment]) -> Option<&str> {
    let name = path.iter().rev().find_map(|segment| match segment {
        PathSegment::Name(name) => Some(name.as_ref()),
        PathSegment::Index(_) => None,
    })?;
    Some(match name {
        "reservation_from" => "checkInDate",
        "reservation_to" => "checkOutDate",
        "firstname" => "firstName",
        "lastname" => "lastName",
        "telephone" => "phone",
        "roomSetupId" => "roomNumber",
        // Ids and codes of the services' own arguments mean the guest as a whole.
        "externalId" | "code" | "id" | "roomStayId" | "clientId" | "guestIds" | "status" | "check_in" | "check_out" => {
            "pmsGuestId"
        }
        own => own,
    })
}

/// The answer to what succeeded: `body` below `status`.
pub(super) fn success(mut body: Value, mode: Mode) -> Value {
    body["status"] = json!("success");
    if is_sandbox(mode) {
        body["_sandbox"] = json!(true);
    }
    body
}

/// A guest.
pub(super) fn guest(guest: &Guest, zone: Tz) -> Value {
    json!({
        "pmsGuestId": guest.external_id.as_ref().unwrap_or(&guest.code),
        "reservationId": guest.reservation,
        "reservationCode": guest.code,
        "roomStayId": guest.stay,
        "firstName": guest.first_name,
        "lastName": guest.last_name,
        "email": guest.email,
        "phone": guest.phone,
        "language": guest.language,
        "roomNumber": guest.room_number,
        "checkInDate": guest.check_in_date,
        "checkOutDate": guest.check_out_date,
        "checkedInAt": guest.checked_in_at.map(|at| local(at, zone)),
        "checkedOutAt": guest.checked_out_at.map(|at| local(at, zone)),
    })
}

fn local(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::AutoSi, false)
}
