//! `POST /graphql`: GraphQL over HTTP, and batches.
//!
//! The key and its limit are checked before the body is read, so that a client without one cannot make us hold a megabyte.
//! Then: media types, body, operations, and one call of the executor. For a cached credential the body is read first: a page of
//! stays is then read by the statement that confirms the key, and everything else begins again with a look-up. Statuses:
//!
//! | | `application/graphql-response+json` | `application/json` |
//! |---|---|---|
//! | not a GraphQL request, not admitted | 4xx | 4xx |
//! | refused before it ran | the code's status | 200 |
//! | given up by us, nothing was answered: deadline, database, fault | 503 or 500 | 503 or 500 |
//! | ran, with errors or without | 200 | 200 |
//! | batch of which something was answered, or that is the caller's to put right | 200 | 200 |
//!
//! Whatever can succeed later, a part of an answer included, comes with `Retry-After`. A batch that is not admitted, or no GraphQL
//! request, is answered with an array, too ([`super::refused_batch`]).

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use tokio::time::{Instant, timeout_at};

use super::answer::{self, Outcome};
use super::body;
use super::entry;
use super::negotiate::{self, MediaType};
use super::operations::Operations;
use super::request_id;
use crate::app::App;
use crate::auth::{Admission, CachedCredential};
use crate::db::PooledConnection;
use crate::error::{Error, ErrorCode, Message, Result, Severity};
use crate::graphql::{self, DEADLINE, Execution, GraphQlError, GraphQlRequest, GraphQlResponse, Keyed};
use crate::idempotency::{self, Idempotency};

/// Most errors that an answer lists for an operation that did not run: one mistake can be made a thousand times.
const MAX_ERRORS: usize = 20;
/// Longest message of an error, in characters: a parser likes to show the whole line.
const MAX_MESSAGE: usize = 500;

/// Serves one request.
pub(super) async fn handle(State(app): State<App>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Some(cached) = entry::look_up_cached(&app, &head) else {
        return serve(&app, &head, Content::Coming(body)).await;
    };
    let read = read(&head.headers, body, &mut None).await;
    let deadline = Instant::now() + DEADLINE;
    if let Ok((Operations::One(request), _)) = &read
        && let Some(response) = page(&app, &head, cached, request, deadline).await
    {
        return response;
    }
    serve(&app, &head, Content::Read(read, deadline)).await
}

/// Answers a page of stays in the round trip that confirms the cached credential; `None` leaves the request to [`serve`].
async fn page(
    app: &App,
    head: &Parts,
    mut cached: CachedCredential,
    request: &GraphQlRequest,
    deadline: Instant,
) -> Option<Response> {
    let media_type = negotiate::answer_type(&head.headers)?;
    request_id::mark(&mut cached.actor, &head.extensions);
    let execution = graphql::execute_cached(app, &cached, request, deadline).await?;
    entry::count_confirmed(app, head, &cached.actor);
    Some(one(media_type, execution, Outcome::of(cached.actor)))
}

/// What a request contains.
enum Content {
    Coming(Body),
    Read(Result<Read>, Instant),
}

/// What it asks for, and its idempotency key.
type Read = (Operations, Option<Idempotency>);

async fn serve(app: &App, head: &Parts, content: Content) -> Response {
    let accepted = negotiate::answer_type(&head.headers);
    let media_type = accepted.unwrap_or(MediaType::Json);

    let entering = entry::enter(app, head, |_| true);
    let entered = match &content {
        Content::Coming(_) => Ok(entering.await),
        Content::Read(_, deadline) => timeout_at(*deadline, entering).await,
    };
    let Admission { mut actor, conn } = match entered {
        Ok(Ok(admission)) => admission,
        Ok(Err(refused)) => {
            content.discard().await;
            return answer::refusal_with(media_type, refused.error, refused.outcome);
        }
        Err(_) => return answer::refusal(media_type, Error::of(ErrorCode::DeadlineExceeded)),
    };
    let mut conn = Some(conn);
    request_id::mark(&mut actor, &head.extensions);
    let outcome = Outcome::of(actor.clone());
    if accepted.is_none() {
        drop(conn);
        content.discard().await;
        return answer::refusal_with(media_type, Error::of(ErrorCode::NotAcceptable), outcome);
    }
    let (read, deadline) = match content {
        Content::Coming(body) => {
            let read = read(&head.headers, body, &mut conn).await;
            (read, Instant::now() + DEADLINE)
        }
        Content::Read(read, deadline) => (read, deadline),
    };
    let (operations, idempotency) = match read {
        Ok(read) => read,
        Err(error) => return answer::refusal_with(media_type, error, outcome),
    };
    let (requests, encode, encoded): (_, Encode, Encoded) = match operations {
        Operations::One(request) => (vec![request], |responses| serde_json::to_string(&responses[0]), one),
        Operations::Batch(requests) => (requests, |responses| serde_json::to_string(responses), batch),
        Operations::Hash => return one(media_type, hashes_refused(1), outcome),
        Operations::BatchOfHashes(operations) => return batch(media_type, hashes_refused(operations), outcome),
    };
    let keyed = idempotency.map(|idempotency| Keyed { idempotency, encode });
    let mut execution = graphql::execute_keyed(app, &actor, conn, requests, keyed.as_ref(), deadline).await;
    if let Some(error) = execution.refusal.take() {
        return answer::refusal_with(media_type, error, complete(outcome, &execution));
    }
    let Some(kept) = execution.kept.take() else { return encoded(media_type, execution, outcome) };
    let mut response = answer::written(media_type, StatusCode::OK, kept, complete(outcome, &execution));
    if execution.replayed {
        answer::mark_replayed(&mut response);
    }
    response
}

impl Content {
    /// Lets a body pass that nobody wants to read.
    async fn discard(self) {
        if let Self::Coming(body) = self {
            body::discard(body).await;
        }
    }
}

type Encode = fn(&[GraphQlResponse]) -> serde_json::Result<String>;
type Encoded = fn(MediaType, Execution, Outcome) -> Response;

async fn read(headers: &HeaderMap, body: Body, conn: &mut Option<PooledConnection>) -> Result<Read> {
    if let Err(error) = negotiate::check_body(headers) {
        *conn = None;
        body::discard(body).await;
        return Err(error);
    }
    let key = idempotency::key_of(headers);
    let body = body::read_holding(body, conn).await?;
    let operations = Operations::parse(&body)?;
    Ok((operations, key?.map(|key| Idempotency::new(key, "POST /graphql", &body))))
}

/// No document is kept under its hash. Clients know the message and send the document.
fn hashes_refused(operations: usize) -> Execution {
    let error = GraphQlError::from(Error::new(Message::PersistedQueryNotSupported));
    Execution { responses: vec![GraphQlResponse::refused(error); operations], ..Execution::default() }
}

fn one(media_type: MediaType, mut execution: Execution, outcome: Outcome) -> Response {
    let outcome = complete(outcome, &execution);
    match execution.responses.pop().map(bounded) {
        Some(response) => {
            let status = status(media_type, std::slice::from_ref(&response), false);
            answered(answer::json(media_type, status, &response, outcome), std::slice::from_ref(&response))
        }
        None => answer::refusal_with(media_type, Error::internal("an operation without an answer"), outcome),
    }
}

fn batch(media_type: MediaType, execution: Execution, outcome: Outcome) -> Response {
    let outcome = complete(outcome, &execution);
    let responses: Vec<GraphQlResponse> = execution.responses.into_iter().map(bounded).collect();
    answered(answer::json(media_type, status(media_type, &responses, true), &responses, outcome), &responses)
}

/// Says when to try again where that can help.
fn answered(mut response: Response, responses: &[GraphQlResponse]) -> Response {
    let mut errors = responses.iter().flat_map(|response| &response.errors);
    let again =
        errors.any(|error| matches!(error.code.spec(), spec if spec.severity == Severity::Passing && spec.retryable));
    answer::mark_retry(&mut response, again.then_some(answer::RETRY_AFTER_SECONDS));
    response
}

fn bounded(mut response: GraphQlResponse) -> GraphQlResponse {
    if response.is_request_error() {
        response.errors.truncate(MAX_ERRORS);
    }
    for error in &mut response.errors {
        if let Some((end, _)) = error.message.char_indices().nth(MAX_MESSAGE) {
            error.message.truncate(end);
            error.message.push('…');
        }
    }
    response
}

fn complete(mut outcome: Outcome, execution: &Execution) -> Outcome {
    for error in execution.responses.iter().flat_map(|response| &response.errors) {
        outcome.note(error.code);
    }
    outcome.operations.clone_from(&execution.operations);
    outcome.causes.clone_from(&execution.causes);
    outcome.statements = execution.statements;
    outcome
}

/// Status of an answer. The gravest error decides, where nothing was answered beside it.
fn status(media_type: MediaType, responses: &[GraphQlResponse], batch: bool) -> StatusCode {
    if responses.iter().any(GraphQlResponse::is_of_use) {
        return StatusCode::OK;
    }
    let specs = responses.iter().flat_map(|response| &response.errors).map(|error| error.code.spec());
    // The first of several that are equally grave.
    let Some(spec) = specs.rev().max_by_key(|spec| spec.severity as u8) else { return StatusCode::OK };
    let refused = !batch && media_type == MediaType::GraphQlResponse && responses[0].is_request_error();
    match spec.severity {
        Severity::Caller if !refused => StatusCode::OK,
        _ => StatusCode::from_u16(spec.http_status).expect("the table holds statuses"),
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::Value;

    use super::*;
    use crate::graphql::Data;

    #[test]
    fn an_answer_is_bounded_but_for_what_ran() {
        let error = GraphQlError::from(Error::new(Message::DocumentInvalid { said: "é".repeat(600) }));
        let errors = vec![error; 30];
        let refused = bounded(GraphQlResponse { errors: errors.clone(), ..GraphQlResponse::default() });
        assert_eq!(refused.errors.len(), 20);
        assert_eq!(refused.errors[0].message.chars().count(), 501);
        let ran =
            bounded(GraphQlResponse { data: Some(Data::Value(Value::Null)), errors, ..GraphQlResponse::default() });
        assert_eq!(ran.errors.len(), 30);
    }

    fn refused(code: ErrorCode) -> GraphQlResponse {
        GraphQlResponse::refused(Error::of(code))
    }

    fn failed(code: ErrorCode) -> GraphQlResponse {
        GraphQlResponse::failed(Error::of(code))
    }

    /// A value for one field of the root, `null` for another one.
    fn partial(code: ErrorCode) -> GraphQlResponse {
        let roots = [("a", Value::from(1)), ("b", Value::Null)];
        let roots = roots.into_iter().map(|(name, value)| (async_graphql::Name::new(name), value)).collect();
        GraphQlResponse { data: Some(Data::Value(Value::Object(roots))), ..refused(code) }
    }

    /// Like [`partial`], of a mutation, which was undone.
    fn undone(code: ErrorCode) -> GraphQlResponse {
        let mut response = partial(code);
        response.extensions.insert("rolledBack".into(), true.into());
        response
    }

    #[test]
    fn the_status_follows_the_media_type_only_for_what_did_not_run() {
        use ErrorCode::{DeadlineExceeded, Forbidden, Internal, NotFound, OutcomeUnknown, ParseFailed, Unavailable};
        use MediaType::{GraphQlResponse as New, Json};
        for (response, json, new) in [
            (GraphQlResponse { data: Some(Data::Value(Value::Null)), ..GraphQlResponse::default() }, 200, 200),
            (partial(Unavailable), 200, 200),
            (undone(Unavailable), 503, 503),
            (undone(NotFound), 200, 200),
            (failed(Unavailable), 503, 503),
            (failed(OutcomeUnknown), 503, 503),
            (failed(Internal), 500, 500),
            (failed(NotFound), 200, 200),
            (refused(ParseFailed), 200, 400),
            (refused(Forbidden), 200, 403),
            (refused(DeadlineExceeded), 503, 503),
            (refused(Internal), 500, 500),
        ] {
            let responses = std::slice::from_ref(&response);
            assert_eq!(status(Json, responses, false).as_u16(), json, "{response:?}");
            assert_eq!(status(New, responses, false).as_u16(), new, "{response:?}");
        }
    }

    #[test]
    fn a_batch_is_given_up_only_where_nothing_of_it_was_answered() {
        use ErrorCode::{Internal, NotFound, NotRun, OutcomeUnknown, ParseFailed, Unavailable};
        for (responses, expected) in [
            (vec![partial(NotFound), failed(Unavailable)], 200),
            (vec![refused(ParseFailed), refused(NotRun)], 200),
            (vec![undone(Unavailable), refused(NotRun)], 503),
            (vec![refused(NotRun), failed(Unavailable), failed(Internal)], 500),
            (vec![failed(OutcomeUnknown), failed(OutcomeUnknown)], 503),
        ] {
            for media_type in [MediaType::Json, MediaType::GraphQlResponse] {
                assert_eq!(status(media_type, &responses, true).as_u16(), expected, "{responses:?}");
            }
        }
    }

    #[test]
    fn retry_after_is_said_wherever_sending_it_again_can_help() {
        use ErrorCode::{DeadlineExceeded, Internal, NotFound, OutcomeUnknown, Unavailable};
        for (code, again) in [
            (Unavailable, true),
            (DeadlineExceeded, true),
            (OutcomeUnknown, false),
            (NotFound, false),
            (Internal, false),
        ] {
            for responses in [vec![partial(code)], vec![refused(code)]] {
                let response = answered(Response::new(Body::empty()), &responses);
                assert_eq!(response.headers().contains_key("retry-after"), again, "{responses:?}");
            }
        }
    }
}
