//! Answers, and what they leave for the log line.

use std::net::IpAddr;

use axum::body::Body;
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use serde::Serialize;

use super::negotiate::MediaType;
use super::refused_batch::Refusal;
use crate::actor::Actor;
use crate::error::{Error, ErrorCode, Severity};
use crate::graphql::GraphQlResponse;

/// When a client may try again after a 503, or after its own request that still runs, in seconds.
pub(super) const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// Marks an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// What a request came to, for its log line. It rides in the response's extensions.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    /// Who made it.
    pub(super) actor: Option<Actor>,
    /// Where it came from, if it was not authenticated.
    pub(super) address: Option<IpAddr>,
    /// Names of its GraphQL operations.
    pub(super) operations: String,
    /// Codes of its errors, each once.
    pub(super) codes: Vec<ErrorCode>,
    /// What lies behind the errors that are not the caller's.
    pub(super) causes: Vec<String>,
    /// Statements that it took.
    pub(super) statements: u32,
}

impl Outcome {
    /// A request of `actor` that has not run yet.
    pub(super) fn of(actor: Actor) -> Self {
        Self { actor: Some(actor), ..Self::default() }
    }

    /// Notes the error that an answer consists of.
    pub(super) fn fail(&mut self, error: &Error) {
        self.note(error.code);
        self.causes.extend(error.source.as_deref().map(|cause| chain(cause)));
    }

    /// Notes an error.
    pub(super) fn note(&mut self, code: ErrorCode) {
        if !self.codes.contains(&code) {
            self.codes.push(code);
        }
    }
}

/// The answer that consists of `error`.
pub(super) fn refusal(media_type: MediaType, error: Error) -> Response {
    refusal_with(media_type, error, Outcome::default())
}

/// Like [`refusal`], when more is known of the request.
pub(super) fn refusal_with(media_type: MediaType, error: Error, mut outcome: Outcome) -> Response {
    outcome.fail(&error);
    let (status, retry_after) = (status_of(&error), retry_after(&error));
    let refused = serde_json::to_vec(&GraphQlResponse::refused(error)).map(Bytes::from);
    let body = refused.expect("an error without data is JSON");
    let mut response = written(media_type, status, body.clone(), outcome);
    response.extensions_mut().insert(Refusal(body));
    mark_retry(&mut response, retry_after);
    response
}

/// Status of an answer that consists of `error`.
pub(super) fn status_of(error: &Error) -> StatusCode {
    StatusCode::from_u16(error.code.spec().http_status).expect("the table holds statuses")
}

/// When the same request can succeed, where that is known.
pub(super) fn retry_after(error: &Error) -> Option<HeaderValue> {
    let spec = error.code.spec();
    let soon = error.code == ErrorCode::IdempotencyKeyInUse || spec.severity == Severity::Passing && spec.retryable;
    error.retry_after_seconds.map(HeaderValue::from).or(soon.then_some(RETRY_AFTER_SECONDS))
}

/// Says when to try again.
pub(super) fn mark_retry(response: &mut Response, after: Option<HeaderValue>) {
    if let Some(after) = after {
        response.headers_mut().insert(RETRY_AFTER, after);
    }
}

/// An answer in JSON.
pub(super) fn json(media_type: MediaType, status: StatusCode, content: &impl Serialize, outcome: Outcome) -> Response {
    match serde_json::to_vec(content) {
        Ok(content) => written(media_type, status, content, outcome),
        Err(error) => refusal_with(media_type, Error::internal(error), outcome),
    }
}

/// An answer that is written in JSON already.
pub(super) fn written(
    media_type: MediaType,
    status: StatusCode,
    content: impl Into<Body>,
    outcome: Outcome,
) -> Response {
    let content: Body = content.into();
    let mut response = (status, content).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, media_type.header());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match status {
        StatusCode::UNAUTHORIZED => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // Which it would have taken.
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        // What was not read of the body would be taken for the next request.
        StatusCode::REQUEST_TIMEOUT | StatusCode::PAYLOAD_TOO_LARGE => {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    response.extensions_mut().insert(outcome);
    response
}

/// Says that the answer was given before, to the same request.
pub(super) fn mark_replayed(response: &mut Response) {
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_for_the_log_and_not_for_the_answer() {
        let cause = std::io::Error::other("the disk of the database");
        let response = refusal(MediaType::Json, Error::internal(cause));
        let outcome = response.extensions().get::<Outcome>().expect("an outcome").clone();
        assert_eq!(outcome.codes, [ErrorCode::Internal]);
        assert_eq!(outcome.causes, ["the disk of the database"]);
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[test]
    fn a_code_is_noted_once() {
        let mut outcome = Outcome::default();
        for code in [ErrorCode::NotRun, ErrorCode::NotFound, ErrorCode::NotRun] {
            outcome.note(code);
        }
        assert_eq!(outcome.codes, [ErrorCode::NotRun, ErrorCode::NotFound]);
    }
}
