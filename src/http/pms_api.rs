//! `/api/pms/v1`: REST for the hotel's own system ([`rest`]).
//!
//! As for GraphQL, the key is checked before the body is read; then the slug, whose mistakes are told like a wrong key,
//! permission, media type, idempotency key and body. Every error is a body of its own form, with the request's id.

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use tokio::time::{Instant, timeout_at};
use url::form_urlencoded;

use super::answer::{self, Outcome};
use super::body;
use super::entry;
use super::negotiate::{self, MediaType};
use super::request_id::{self, RequestId};
use crate::actor::{Actor, Permission};
use crate::app::App;
use crate::auth::Admission;
use crate::error::{Error, ErrorCode, Message, Result};
use crate::idempotency::{self, Claim, Idempotency, KeptAnswer};
use crate::rest::{self, Command, ErrorBody};
use crate::unit::{self, Attempt, DEADLINE, Statements, Unit};

/// What all of its paths begin with.
const PREFIX: &str = "/api/pms/";
/// Whether answers to this path have the form of this interface.
pub(super) fn serves(path: &str) -> bool {
    path.starts_with(PREFIX)
}

/// The answer that consists of an error.
pub(super) fn refusal(error: &Error, id: &RequestId, mut outcome: Outcome) -> Response {
    let body = ErrorBody::new(error, &id.0);
    outcome.fail(error);
    let mut response = answer::json(MediaType::Json, answer::status_of(error), &body, outcome);
    answer::mark_retry(&mut response, answer::retry_after(error));
    response
}

/// `GET /api/pms/v1/openapi.json`
pub(super) async fn document() -> Response {
    answer::json(MediaType::Json, StatusCode::OK, &rest::openapi::document(), Outcome::default())
}

/// `GET /api/pms/v1/{hotel}/guests`
pub(super) async fn list(
    State(app): State<App>,
    slug: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    body::discard(body).await;
    let id = RequestId::of(&head.extensions);
    let Admission { actor, mut conn } = match entry::enter(&app, &head, |actor| is_of(actor, &slug)).await {
        Ok(admission) => admission,
        Err(refused) => return refusal(&refused.error, &id, refused.outcome),
    };
    let mut outcome = Outcome::of(actor.clone());
    let parameters = form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
    let parameter = |wanted: &str| parameters.clone().find(|(name, _)| name == wanted).map(|(_, value)| value);
    let (limit, after) = (parameter("limit"), parameter("after"));
    let read = async {
        app.throttle.admit_cost(&actor, rest::list_cost(limit.as_deref()))?;
        rest::in_house(&mut conn, &actor, limit.as_deref(), after.as_deref()).await
    };
    match within(Instant::now() + DEADLINE, read).await {
        Ok(body) => {
            outcome.statements = rest::IN_HOUSE_STATEMENTS;
            answer::json(MediaType::Json, StatusCode::OK, &body, outcome)
        }
        Err(error) => refusal(&error, &id, outcome),
    }
}

/// `POST /api/pms/v1/{hotel}/guests/...`, for each of [`Command::NAMES`].
pub(super) async fn command(
    State(app): State<App>,
    slug: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let name = head.uri.path().rsplit('/').next().unwrap_or_default();
    let id = RequestId::of(&head.extensions);
    let mut actor = match entry::enter(&app, &head, |actor| is_of(actor, &slug)).await {
        // Its transaction opens a connection of its own, once the body is there.
        Ok(admission) => admission.actor,
        Err(refused) => {
            body::discard(body).await;
            return refusal(&refused.error, &id, refused.outcome);
        }
    };
    request_id::mark(&mut actor, &head.extensions);
    let mut outcome = Outcome::of(actor.clone());
    let statements = Statements::default();
    let done = async {
        let (command, key) = read(&actor, &head.headers, name, body).await?;
        app.throttle.admit_cost(&actor, command.cost())?;
        run(&app, &actor, &command, &key, &statements).await
    };
    let done = done.await;
    outcome.statements = statements.count();
    match done {
        Ok((KeptAnswer { status, body }, replayed)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            let mut response = answer::written(MediaType::Json, status, body, outcome);
            if replayed {
                answer::mark_replayed(&mut response);
            }
            response
        }
        Err(error) => refusal(&error, &id, outcome),
    }
}

/// The slug has to be that of the key's hotel: which others there are is nobody's business.
fn is_of(actor: &Actor, slug: &Result<Path<String>, PathRejection>) -> bool {
    matches!(slug, Ok(Path(slug)) if *slug == actor.hotel.slug)
}

async fn read(actor: &Actor, headers: &HeaderMap, name: &str, body: Body) -> Result<(Command, Idempotency)> {
    let key = actor.require(Permission::Write).and_then(|()| {
        negotiate::check_body(headers)?;
        idempotency::key_of(headers)?.ok_or_else(|| Error::of(ErrorCode::IdempotencyKeyRequired))
    });
    let key = match key {
        Ok(key) => key,
        Err(error) => {
            body::discard(body).await;
            return Err(error);
        }
    };
    let body = body::read(body).await?;
    let json = serde_json::from_slice(&body).map_err(|_| Error::new(Message::BodyNotJson))?;
    let command = Command::read(name, &json)?;
    Ok((command, Idempotency::new(key, &format!("POST /api/pms/v1/guests/{name}"), &body)))
}

/// Does it once, in one transaction. Tells whether it was done before.
async fn run(
    app: &App,
    actor: &Actor,
    command: &Command,
    key: &Idempotency,
    statements: &Statements,
) -> Result<(KeptAnswer, bool)> {
    let deadline = Instant::now() + DEADLINE;
    let ran = unit::run(app, actor, statements, deadline, |unit| async move {
        match perform(&unit, command, key).await {
            Ok((answer, false)) => Attempt::Commit(Ok((answer, false))),
            Ok(replayed) => Attempt::Rollback(Ok(replayed)),
            Err(error) => {
                let retry = error.retry;
                Attempt::failed(Err(error), retry)
            }
        }
    });
    ran.await?
}

async fn perform(unit: &Unit, command: &Command, key: &Idempotency) -> Result<(KeptAnswer, bool)> {
    let mut tx = unit.lock().await?;
    if let Claim::Answered(answer) = idempotency::claim_in(&mut tx, key, unit.again).await? {
        return Ok((answer, true));
    }
    let body = command.perform_in(&mut tx).await?;
    let answer = KeptAnswer { status: 200, body: body.to_string() };
    idempotency::keep_in(&mut tx, key, &answer).await?;
    Ok((answer, false))
}

/// Gives up at the deadline what only reads.
async fn within<T>(deadline: Instant, work: impl Future<Output = Result<T>>) -> Result<T> {
    timeout_at(deadline, work).await.unwrap_or_else(|_| Err(Error::of(ErrorCode::DeadlineExceeded)))
}
