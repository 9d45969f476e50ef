//! The bodies of answers.

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use serde_json::{Value, json};

use super::is_sandbox;
use super::store::Guest;
use crate::auth::Mode;
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

/// The field at fault, by its name in the body. Services name it as GraphQL does.
fn field(path: &[PathSegment]) -> Option<String> {
    let name = path.iter().rev().find_map(|segment| match segment {
        PathSegment::Name(name) => Some(name.as_ref()),
        PathSegment::Index(_) => None,
    })?;
    let name = match name {
        "reservation_from" => "checkInDate",
        "reservation_to" => "checkOutDate",
        "firstname" => "firstName",
        "lastname" => "lastName",
        "telephone" => "phone",
        "roomSetupId" => "roomNumber",
        // Ids and codes of the services' own arguments mean the guest as a whole.
        "externalId" | "code" | "id" | "roomStayId" | "clientId" | "status" => "pmsGuestId",
        own => own,
    };
    match path {
        [PathSegment::Name(list), PathSegment::Index(index), ..] if list == "guests" => {
            Some(format!("guests[{index}].{name}"))
        }
        _ => Some(name.to_owned()),
    }
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
