//! `/seam`: Seam's interface ([`seam`]).
//!
//! As for GraphQL, the key is checked before the body is read; then permission, media type and parameters. Every error is a body of
//! its own form. The SDKs read the request's id in a header alone.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::ALLOW;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::answer::{self, Outcome};
use super::negotiate::{self, MediaType};
use super::request_id::{self, RequestId};
use super::{body, entry};
use crate::actor::Actor;
use crate::app::App;
use crate::auth::Admission;
use crate::db::PooledConnection;
use crate::error::{Error, ErrorCode, Message, Result};
use crate::seam::{self, ErrorBody, Parameters, Prepared, PreparedAct, PreparedQuery, Reader, Route, Spec};
use crate::unit::{self, Attempt, DEADLINE, Statements};

/// What all of its paths begin with.
const PREFIX: &str = "/seam";
/// Where its OpenAPI document is.
pub(super) const DOCUMENT: &str = "/seam/openapi.json";
/// Where the SDKs look for the request's id.
const REQUEST_ID: HeaderName = HeaderName::from_static("seam-request-id");
/// Methods of what reads. What else there is would be asked for again by proxies and SDKs.
const READING: [Method; 2] = [Method::GET, Method::POST];
/// Methods of what changes something: each generation of the SDKs has its own for each operation.
const WRITING: [Method; 4] = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// Whether answers to this path have the form of this interface.
pub(super) fn serves(path: &str) -> bool {
    path.strip_prefix(PREFIX).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Path of an operation.
pub(super) fn path(route: &Route) -> String {
    format!("{PREFIX}{}", route.spec.path)
}

/// Writes the request's id where the SDKs look for it.
pub(super) fn add_request_id(response: &mut Response, id: &RequestId) {
    let id = HeaderValue::from_str(&id.0).expect("letters and digits");
    response.headers_mut().insert(REQUEST_ID, id);
}

/// The answer that consists of an error; `asked`: of which operation, as far as that is known.
pub(super) fn refusal(
    error: &Error,
    id: &RequestId,
    asked: Option<(&Spec, &Parameters)>,
    mut outcome: Outcome,
) -> Response {
    outcome.fail(error);
    let body = ErrorBody::new(error, &id.0, asked);
    let mut response = answer::json(MediaType::Json, answer::status_of(error), &body, outcome);
    answer::mark_retry(&mut response, answer::retry_after(error));
    response
}

/// `GET /seam/openapi.json`
pub(super) async fn document() -> Response {
    answer::json(MediaType::Json, StatusCode::OK, &seam::openapi::document(), Outcome::default())
}

/// An operation, by whatever method.
pub(super) async fn call(State(app): State<App>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let id = RequestId::of(&head.extensions);
    let below = head.uri.path().strip_prefix(PREFIX);
    let route = seam::ROUTES.iter().find(|route| Some(route.spec.path) == below).expect("what is routed here is one");
    let methods: &[Method] = if route.is_act { &WRITING } else { &READING };
    if !methods.contains(&head.method) {
        body::discard(body).await;
        let mut response = refusal(&Error::new(Message::MethodNotServed), &id, None, Outcome::default());
        let allowed = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
        response.headers_mut().insert(ALLOW, HeaderValue::from_str(&allowed).expect("names of methods"));
        return response;
    }
    let anybody = |_: &Actor| true;
    let entered = if route.is_polled {
        entry::enter_unlimited(&app, &head, anybody).await
    } else {
        entry::enter(&app, &head, anybody).await
    };
    let Admission { mut actor, conn } = match entered {
        Ok(admission) => admission,
        Err(refused) => {
            body::discard(body).await;
            return refusal(&refused.error, &id, None, refused.outcome);
        }
    };
    request_id::mark(&mut actor, &head.extensions);
    let mut outcome = Outcome::of(actor.clone());
    let mut conn = Some(conn);
    let parameters = match parameters(route, &actor, &head, body, &mut conn).await {
        Ok(parameters) => parameters,
        Err(error) => return refusal(&error, &id, None, outcome),
    };
    let statements = Statements::default();
    let done = async {
        let prepared = (route.prepare)(&parameters)?;
        app.throttle.admit_cost(&actor, prepared.cost())?;
        match prepared {
            Prepared::Query(query) => {
                statements.add(route.statements);
                read(&app, &actor, &*query, conn).await
            }
            Prepared::Act(act) => {
                // Its transaction opens a connection of its own.
                drop(conn);
                perform(&app, &actor, &*act, &statements).await
            }
        }
    };
    let done = done.await;
    outcome.statements = statements.count();
    match done {
        Ok(body) => {
            app.throttle.owe_cost(&actor, seam::answer_cost(&body));
            answer::json(MediaType::Json, StatusCode::OK, &body, outcome)
        }
        Err(error) => refusal(&error, &id, Some((&route.spec, &parameters)), outcome),
    }
}

/// Reads the parameters, and drops the connection while a body is on its way.
async fn parameters(
    route: &Route,
    actor: &Actor,
    head: &Parts,
    body: Body,
    conn: &mut Option<PooledConnection>,
) -> Result<Parameters> {
    if let Err(error) = actor.require(route.permission) {
        body::discard(body).await;
        return Err(error);
    }
    if matches!(head.method, Method::GET | Method::DELETE) {
        body::discard(body).await;
        return Ok(Parameters::of_query(head.uri.query().unwrap_or_default()));
    }
    let body = body::read_holding(body, conn).await?;
    // One SDK says of nothing that it is a form.
    if !body.is_empty() {
        negotiate::check_body(&head.headers)?;
    }
    Parameters::of_body(&body)
}

async fn read(app: &App, actor: &Actor, query: &dyn PreparedQuery, conn: Option<PooledConnection>) -> Result<Value> {
    let deadline = Instant::now() + DEADLINE;
    let read = async {
        let mut conn = match conn {
            Some(conn) => conn,
            None => app.pool.of_hotel(actor.hotel.id).await?,
        };
        let reader = Reader { conn: &mut conn, actor: actor.clone(), now: app.clock.now() };
        let body = query.read(reader).await?;
        conn.give_back();
        Ok(body)
    };
    timeout_at(deadline, read).await.unwrap_or_else(|_| Err(Error::of(ErrorCode::DeadlineExceeded)))
}

async fn perform(app: &App, actor: &Actor, act: &dyn PreparedAct, statements: &Statements) -> Result<Value> {
    let ran = unit::run(app, actor, statements, Instant::now() + DEADLINE, |unit| async move {
        let done = async { act.perform_in(&mut *unit.lock().await?, app).await };
        match done.await {
            Ok(body) => Attempt::Commit(Ok(body)),
            Err(error) => {
                let retry = error.retry;
                Attempt::failed(Err(error), retry)
            }
        }
    });
    ran.await?
}
