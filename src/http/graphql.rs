//! `POST /graphql`: GraphQL over HTTP, and batches.
//!
//! The key and its limit are checked before the body is read, so strangers cannot make us hold a megabyte. Then: media types, body,
//! operations, and one call of the executor. For a key that was good a moment ago the body is read first: a page of stays is then
//! read by the statement that confirms the key, and everything else begins anew. Statuses:
//!
//! | | `application/graphql-response+json` | `application/json` |
//! |---|---|---|
//! | not a GraphQL request, not let in | 4xx | 4xx |
//! | refused before it ran | the code's status | 200 |
//! | given up by us: deadline, database, fault | 503 or 500 | 503 or 500 |
//! | ran, with errors or without | 200 | 200 |
//! | batch | 200 | 200 |
//!
//! A batch that is not let in, or no GraphQL request, is answered with an array, too ([`super::refused_batch`]).

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use tokio::time::Instant;

use super::answer::{self, Outcome};
use super::body;
use super::entry;
use super::negotiate::{self, MediaType};
use super::operations::Operations;
use super::requests;
use crate::app::App;
use crate::auth::{Admission, Supposed};
use crate::error::{Error, ErrorCode, Result, Severity};
use crate::graphql::{self, DEADLINE, Execution, GraphQlError, GraphQlRequest, GraphQlResponse, Keyed};
use crate::idempotency::{self, Idempotency};

/// Most errors that an answer lists for an operation that did not run: one mistake can be made a thousand times.
const MAX_ERRORS: usize = 20;
/// Longest message of an error, in characters: a parser likes to show the whole line.
const MAX_MESSAGE: usize = 500;

/// Serves one request.
pub(super) async fn handle(State(app): State<App>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Some(supposed) = entry::suppose(&app, &head) else {
        return serve(&app, &head, Content::Coming(body)).await;
    };
    let read = read(&head.headers, body, &mut None).await;
    let deadline = Instant::now() + DEADLINE;
    if let Ok((Operations::One(request), _)) = &read
        && let Some(response) = page(&app, &head, supposed, request, deadline).await
    {
        return response;
    }
    serve(&app, &head, Content::Read(read, deadline)).await
}

/// Answers a page of stays in the round trip that confirms who asks for it; `None` leaves the request to [`serve`].
async fn page(
    app: &App,
    head: &Parts,
    mut supposed: Supposed,
    request: &GraphQlRequest,
    deadline: Instant,
) -> Option<Response> {
    let media_type = negotiate::answer_type(&head.headers)?;
    requests::mark(&mut supposed.actor, &head.extensions);
    let execution = graphql::execute_supposed(app, &supposed, request, deadline).await?;
    entry::confirmed(app, head, &supposed.actor);
    Some(one(media_type, execution, Outcome::of(supposed.actor)))
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

    let Admission { mut actor, conn } = match entry::enter(app, head, |_| true).await {
        Ok(admission) => admission,
        Err(refused) => {
            content.discard().await;
            return answer::refusal_with(media_type, refused.error, refused.outcome);
        }
    };
    let mut conn = Some(conn);
    requests::mark(&mut actor, &head.extensions);
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

async fn read(headers: &HeaderMap, body: Body, conn: &mut Option<PoolConnection<Postgres>>) -> Result<Read> {
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
    let error = GraphQlError::from(Error::new(ErrorCode::PersistedQueryNotSupported, "PersistedQueryNotSupported"));
    Execution { responses: vec![GraphQlResponse::refused(error); operations], ..Execution::default() }
}

fn one(media_type: MediaType, mut execution: Execution, outcome: Outcome) -> Response {
    let outcome = complete(outcome, &execution);
    match execution.responses.pop().map(bounded) {
        Some(response) => answer::json(media_type, status(media_type, &response), &response, outcome),
        None => answer::refusal_with(media_type, Error::internal("an operation without an answer"), outcome),
    }
}

fn batch(media_type: MediaType, execution: Execution, outcome: Outcome) -> Response {
    let outcome = complete(outcome, &execution);
    let responses: Vec<GraphQlResponse> = execution.responses.into_iter().map(bounded).collect();
    answer::json(media_type, StatusCode::OK, &responses, outcome)
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

fn status(media_type: MediaType, response: &GraphQlResponse) -> StatusCode {
    let refused_with = response.errors.first().filter(|_| response.is_request_error());
    let Some(spec) = refused_with.map(|error| error.code.spec()) else { return StatusCode::OK };
    match (media_type, spec.severity) {
        (MediaType::Json, Severity::Caller) => StatusCode::OK,
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
        let error = GraphQlError::from(Error::new(ErrorCode::ParseFailed, "é".repeat(600)));
        let errors = vec![error; 30];
        let refused = bounded(GraphQlResponse { errors: errors.clone(), ..GraphQlResponse::default() });
        assert_eq!(refused.errors.len(), 20);
        assert_eq!(refused.errors[0].message.chars().count(), 501);
        let ran =
            bounded(GraphQlResponse { data: Some(Data::Value(Value::Null)), errors, ..GraphQlResponse::default() });
        assert_eq!(ran.errors.len(), 30);
    }

    #[test]
    fn the_status_follows_the_media_type_only_for_what_did_not_run() {
        use MediaType::{GraphQlResponse as New, Json};
        let refused = |code| GraphQlResponse::refused(Error::of(code));
        let partial = GraphQlResponse { data: Some(Data::Value(Value::Null)), ..refused(ErrorCode::Unavailable) };
        for (response, json, new) in [
            (&GraphQlResponse { data: Some(Data::Value(Value::Null)), ..GraphQlResponse::default() }, 200, 200),
            (&partial, 200, 200),
            (&refused(ErrorCode::ParseFailed), 200, 400),
            (&refused(ErrorCode::Forbidden), 200, 403),
            (&refused(ErrorCode::DeadlineExceeded), 503, 503),
            (&refused(ErrorCode::Internal), 500, 500),
        ] {
            assert_eq!(status(Json, response).as_u16(), json, "{response:?}");
            assert_eq!(status(New, response).as_u16(), new, "{response:?}");
        }
    }
}
