//! One HTTP request: one operation, or a batch of them in order.
//!
//! Without a mutation, each operation stands alone. With one, the whole request is one transaction: the first error of any
//! operation ends it, what comes after is not run, and nothing is kept. A request that lost to another one in the database
//! (deadlock, serialization) is run again as a whole, with a fresh context.
//!
//! A request with an idempotency key has its whole answer written down before its commit ([`crate::idempotency`]).

use std::sync::Arc;

use serde_json::{Map, json};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::chain::{self, Chained};
use super::context::RequestContext;
use super::error::GraphQlError;
use super::fast_path;
use super::lock_hints;
use super::prepare::{Prepared, Refused};
use super::request::GraphQlRequest;
use super::response::GraphQlResponse;
use crate::actor::{Actor, Mode, Permission};
use crate::app::App;
use crate::db::PooledConnection;
use crate::error::{Error, ErrorCode, Message, Result};
use crate::idempotency::{self, Claim, Idempotency, KeptAnswer};
use crate::telemetry::traces;
use crate::unit::{self, Attempt, DEADLINE, Failure, Statements, Unit};

/// What a request came to.
#[derive(Debug, Default)]
pub struct Execution {
    /// One answer per operation, in order.
    pub responses: Vec<GraphQlResponse>,
    /// Names of the operations, for the log line.
    pub operations: String,
    /// Statements that it took, for the log line.
    pub statements: u32,
    /// Operations that the fast path answered.
    pub fast_path: u32,
    /// Causes of its errors, for the log alone.
    pub causes: Vec<String>,
    /// The whole answer of a request with an idempotency key that had its effect, in place of `responses`.
    pub kept: Option<String>,
    /// Whether it had its effect before.
    pub replayed: bool,
    /// Why it was not run at all.
    pub refusal: Option<Error>,
}

/// A request with an idempotency key.
pub struct Keyed {
    /// The key and the request.
    pub idempotency: Idempotency,
    /// How its answer is written.
    pub encode: fn(&[GraphQlResponse]) -> serde_json::Result<String>,
}

type Operations = Vec<Result<Prepared, Refused>>;

/// Runs the operations of one request. Never fails: what went wrong is in the answers.
///
/// Must not be dropped before it is done when the request has a mutation: run it in a task of its own.
pub async fn execute(app: &App, actor: &Actor, requests: Vec<GraphQlRequest>) -> Execution {
    execute_keyed(app, actor, None, requests, None, Instant::now() + DEADLINE).await
}

/// Like [`execute`], for a request that may have an idempotency key, and a connection that sees the rows of its hotel.
/// Without a mutation, the key means nothing.
pub async fn execute_keyed(
    app: &App,
    actor: &Actor,
    mut conn: Option<PooledConnection>,
    requests: Vec<GraphQlRequest>,
    keyed: Option<&Keyed>,
    deadline: Instant,
) -> Execution {
    let operations = prepare(requests, deadline).await;
    let mutates = operations.iter().any(mutates);
    if mutates && actor.permission == Permission::ReadOnly {
        return read_only(&operations);
    }
    let names = names(&operations);
    // Before any statement, once for the whole request.
    if let Err(error) = app.throttle.admit_cost(actor, cost(&operations)) {
        return Execution { refusal: Some(error), operations: names, ..Execution::default() };
    }
    let lock_hints = lock_hints::stays(operations.iter().flatten());
    let keyed = keyed.filter(|_| mutates && actor.mode == Mode::Live);
    let statements = Statements::default();
    let ran = unit::run(app, actor, &statements, deadline, |unit| {
        let context = RequestContext::in_unit(app.clone(), Arc::clone(&unit), conn.take(), mutates);
        let context = Arc::new(context.with_lock_hints(lock_hints.clone()));
        attempt(unit, context, &operations, keyed)
    });
    let mut execution = ran.await.unwrap_or_else(|failure| match failure {
        Failure::Deadline => Execution {
            responses: of_all(&operations, GraphQlResponse::refused, &Error::of(ErrorCode::DeadlineExceeded)),
            ..Execution::default()
        },
        Failure::Commit(error) => Execution::not_kept(&operations, &error),
    });
    (execution.operations, execution.statements) = (names, statements.count());
    price(&mut execution.responses, &operations);
    mark(&mut execution.responses, actor, mutates);
    execution
}

impl Execution {
    /// What a request came to that went well and could not be kept.
    fn not_kept(operations: &Operations, error: &Error) -> Self {
        let causes = error.source.as_ref().map(ToString::to_string).into_iter().collect();
        Self { responses: of_all(operations, GraphQlResponse::failed, error), causes, ..Self::default() }
    }
}

/// One answer for all operations.
fn of_all(operations: &Operations, answer: fn(GraphQlError) -> GraphQlResponse, error: &Error) -> Vec<GraphQlResponse> {
    operations.iter().map(|_| answer(GraphQlError::of(error))).collect()
}

fn mutates(operation: &Result<Prepared, Refused>) -> bool {
    match operation {
        Ok(prepared) => prepared.mutates,
        Err(refused) => refused.mutates,
    }
}

/// Each document takes a while to bound and to parse; a batch of them lets other requests run in between.
async fn prepare(requests: Vec<GraphQlRequest>, deadline: Instant) -> Operations {
    let mut values = 0_u64;
    let mut operations: Operations = Vec::with_capacity(requests.len());
    for request in requests {
        let chained = match operations.last() {
            Some(Ok(before)) => before.document.chains.as_slice(),
            _ => &[],
        };
        let prepare = || {
            if Instant::now() >= deadline {
                return Err(Error::of(ErrorCode::DeadlineExceeded).into());
            }
            let prepared = Prepared::new(super::schema(), request, chained)?;
            values = values.saturating_add(prepared.cost.values);
            let mutates = prepared.mutates;
            super::limits::check_values(values).map_err(|error| Refused { mutates, ..error.into() })?;
            Ok(prepared)
        };
        let prepared = prepare();
        operations.push(prepared);
        tokio::task::yield_now().await;
    }
    operations
}

/// Runs the operations once. The answer to a request with an idempotency key is kept with its effect.
async fn attempt(
    unit: Arc<Unit>,
    context: Arc<RequestContext>,
    operations: &Operations,
    keyed: Option<&Keyed>,
) -> Attempt<Execution> {
    if let Some(Keyed { idempotency, .. }) = keyed {
        let claim = async { idempotency::claim_in(&mut *unit.lock().await?, idempotency, unit.again).await };
        match claim.await {
            Ok(Claim::New) => {}
            Ok(Claim::Answered(KeptAnswer { body, .. })) => {
                return Attempt::Rollback(Execution { kept: Some(body), replayed: true, ..Execution::default() });
            }
            Err(error) => {
                let retry = error.retry;
                return Attempt::failed(Execution { refusal: Some(error), ..Execution::default() }, retry);
            }
        }
    }
    let mut execution = Execution::default();
    let retry = run(&context, operations, &mut execution).await;
    if !context.mutates || execution.responses.iter().any(|response| !response.errors.is_empty()) {
        return Attempt::failed(execution, retry && context.mutates);
    }
    match keep(&unit, &execution.responses, keyed).await {
        Ok(kept) => Attempt::Commit(Execution { kept, ..execution }),
        Err(error) => Attempt::failed(Execution::not_kept(operations, &error), error.retry),
    }
}

/// Runs the operations in order. Tells whether the database asks to try again.
async fn run(context: &Arc<RequestContext>, operations: &Operations, execution: &mut Execution) -> bool {
    let (mut failed, mut retry) = (false, false);
    let mut chained = chain::Values::new();
    for operation in operations {
        if context.mutates && failed {
            execution.responses.push(GraphQlResponse::refused(Error::of(ErrorCode::NotRun)));
            continue;
        }
        // For this operation or for none: a chained value does not wait for a later one.
        let values = std::mem::take(&mut chained);
        let response = match operation {
            Err(refused) => GraphQlResponse::refused_for(refused.errors.clone()),
            Ok(prepared) => {
                let sink = Arc::new(Chained::default());
                let (response, again) = run_one(context, prepared, values, &sink, execution)
                    .instrument(traces::operation(prepared.kind(), prepared.document.name.as_deref()))
                    .await;
                retry |= again;
                chained = sink.take();
                response
            }
        };
        failed |= !response.errors.is_empty();
        execution.responses.push(response);
    }
    // Part of the answer that is kept.
    price(&mut execution.responses, operations);
    retry
}

async fn run_one(
    context: &Arc<RequestContext>,
    prepared: &Prepared,
    chained: chain::Values,
    sink: &Arc<Chained>,
    execution: &mut Execution,
) -> (GraphQlResponse, bool) {
    let schema = super::schema();
    let document = &prepared.document;
    let variables = match prepared.complete(schema, chained) {
        Ok(variables) => variables,
        Err(error) => return (GraphQlResponse::refused(error), false),
    };
    // In a transaction, a statement that failed would leave nothing for the executor to tell of.
    if let Some(data) = fast_path::answer(context, document.fast_path(), None, &variables).await {
        execution.fast_path += 1;
        return (GraphQlResponse::of_json(data), false);
    }
    let run = document.with(&variables);
    let mut request = async_graphql::Request::new(String::new())
        .variables(variables)
        .data(Arc::clone(context))
        .data(Arc::clone(sink));
    request.set_parsed_query(run);
    let response = schema.executable.execute(request).await;
    let mut retry = false;
    for error in &response.errors {
        if let Some(error) = error.source::<Error>() {
            retry |= error.retry;
            execution.causes.extend(error.source.as_ref().map(ToString::to_string));
        }
    }
    (GraphQlResponse::of(response, prepared), retry)
}

/// Writes the answer down and keeps it, where it has a key.
async fn keep(unit: &Unit, responses: &[GraphQlResponse], keyed: Option<&Keyed>) -> Result<Option<String>> {
    let Some(Keyed { idempotency, encode }) = keyed else { return Ok(None) };
    let answer = KeptAnswer { status: 200, body: encode(responses).map_err(Error::internal)? };
    idempotency::keep_in(&mut *unit.lock().await?, idempotency, &answer).await?;
    Ok(Some(answer.body))
}

/// A mutation with a read-only key: nothing is run.
fn read_only(operations: &Operations) -> Execution {
    let error = Error::new(Message::MutationNotAllowed);
    let responses = operations
        .iter()
        .map(|operation| match operation {
            operation if mutates(operation) => GraphQlResponse::failed(GraphQlError::of(&error)),
            Ok(_) => GraphQlResponse::refused(Error::of(ErrorCode::NotRun)),
            Err(refused) => GraphQlResponse::refused_for(refused.errors.clone()),
        })
        .collect();
    Execution { responses, operations: names(operations), ..Execution::default() }
}

/// Names of the operations, for the log line.
pub(super) fn names(operations: &Operations) -> String {
    let name = |operation: &Result<Prepared, Refused>| match operation {
        Ok(prepared) => prepared.document.name.clone().unwrap_or_else(|| "-".to_owned()),
        Err(_) => "!".to_owned(),
    };
    operations.iter().take(10).map(name).collect::<Vec<_>>().join(",")
}

/// What the operations cost together.
fn cost(operations: &Operations) -> u64 {
    operations.iter().flatten().map(|prepared| prepared.cost.values).fold(0, u64::saturating_add)
}

/// Says beside the data what each operation cost. It depends on the document and its variables alone, so that an answer can
/// be given again.
pub(super) fn price(responses: &mut [GraphQlResponse], operations: &Operations) {
    for (response, operation) in responses.iter_mut().zip(operations) {
        if let Ok(prepared) = operation {
            response.extensions.insert("cost".into(), json!(prepared.cost.values));
        }
    }
}

/// Says beside the data what became of it.
pub(super) fn mark(responses: &mut [GraphQlResponse], actor: &Actor, mutates: bool) {
    let mut extensions = Map::new();
    let failed = |code: Option<ErrorCode>| {
        let mut errors = responses.iter().flat_map(|response| &response.errors);
        errors.any(|error| code.is_none_or(|code| error.code == code))
    };
    if mutates && failed(None) && !failed(Some(ErrorCode::OutcomeUnknown)) {
        extensions.insert("rolledBack".into(), json!(true));
    }
    if actor.mode == Mode::Test {
        extensions.insert("sandbox".into(), json!(true));
    }
    for response in responses {
        response.extensions.extend(extensions.clone());
    }
}
