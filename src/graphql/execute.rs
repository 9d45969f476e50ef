//! One HTTP request: one operation, or a batch of them in order.
//!
//! Without a mutation, each operation stands alone. With one, the whole request is one transaction: the first error of any
//! operation ends it, what comes after is not run, and nothing is kept. A request that lost to another one in the database
//! (deadlock, serialization) is run again as a whole, with a fresh context.
//!
//! A request with an idempotency key has its whole answer written down before its commit ([`crate::idempotency`]).

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, json};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::announced;
use super::chain::{self, Chained};
use super::context::RequestContext;
use super::prepare::{GraphQlRequest, Prepared, Refused};
use super::response::{GraphQlError, GraphQlResponse};
use crate::actor::{Actor, Mode, Permission};
use crate::app::App;
use crate::db::{PATIENCE, PooledConnection, answered_within};
use crate::error::{Error, ErrorCode, Result};
use crate::idempotency::{Claim, Idempotency, KeptAnswer};
use crate::telemetry::traces;

/// Longest that a request may take, from its parsing to its commit.
pub const DEADLINE: Duration = Duration::from_secs(5);
/// How often a request is run when others keep it from finishing.
const ATTEMPTS: u32 = 4;

/// What a request came to.
#[derive(Debug, Default)]
pub struct Execution {
    /// One answer per operation, in order.
    pub responses: Vec<GraphQlResponse>,
    /// Names of the operations, for the log line.
    pub operations: String,
    /// Statements that it took, for the log line.
    pub statements: u32,
    /// Operations that were answered without the executor.
    pub written: u32,
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

/// The same for a request that may have an idempotency key, and a connection that sees the rows of its hotel. Without a
/// mutation, the key means nothing.
pub async fn execute_keyed(
    app: &App,
    actor: &Actor,
    mut conn: Option<PooledConnection>,
    requests: Vec<GraphQlRequest>,
    keyed: Option<&Keyed>,
    deadline: Instant,
) -> Execution {
    let operations = prepare(app, requests, deadline).await;
    let mutates = operations.iter().any(mutates);
    if mutates && actor.permission == Permission::ReadOnly {
        return read_only(&operations);
    }
    let names = names(&operations);
    // Before any statement, once for the whole request.
    if let Err(error) = app.throttle.admit_cost(actor, cost(&operations)) {
        return Execution { refusal: Some(error), operations: names, ..Execution::default() };
    }
    let held = announced::stays(operations.iter().flatten());
    let keyed = keyed.filter(|_| mutates && actor.mode == Mode::Live);
    let mut attempt = 1;
    let mut execution = loop {
        let context = RequestContext::new(app.clone(), actor.clone(), conn.take(), mutates);
        let context = Arc::new(context.announcing(held.clone()));
        if let Some(keyed) = keyed {
            let claim = answered_within(PATIENCE, context.claim(&keyed.idempotency, attempt > 1)).await;
            if !matches!(claim, Ok(Claim::New)) {
                // Whoever asks again at once must not find the key still in use.
                context.poison().await;
            }
            match claim {
                Ok(Claim::New) => {}
                Ok(Claim::Answered(KeptAnswer { body, .. })) => {
                    let kept = Some(body);
                    let statements = context.statements();
                    return Execution { kept, replayed: true, statements, operations: names, ..Execution::default() };
                }
                Err(error) => {
                    let (refusal, statements) = (Some(error), context.statements());
                    return Execution { refusal, statements, operations: names, ..Execution::default() };
                }
            }
        }
        let run = run(&context, &operations, mutates, attempt > 1);
        let (execution, retry) = match tokio::time::timeout_at(deadline, run).await {
            // Committing is not part of what can be given up: its outcome would be unknown.
            Ok((execution, failed)) if mutates && !failed => finish(&context, execution, keyed).await,
            Ok((execution, _)) => {
                let retry = mutates && execution.retry;
                (execution, retry)
            }
            Err(_) => (Outcome::refused(&operations, &Error::of(ErrorCode::DeadlineExceeded)), false),
        };
        let statements = context.statements();
        if !retry || attempt == ATTEMPTS {
            break Execution {
                responses: execution.responses,
                operations: names,
                statements,
                written: execution.written,
                causes: execution.causes,
                kept: execution.kept,
                ..Execution::default()
            };
        }
        drop(context);
        tokio::time::sleep(pause(app, attempt)).await;
        attempt += 1;
    };
    price(&mut execution.responses, &operations);
    mark(&mut execution.responses, actor, mutates);
    execution
}

/// Answers, and whether the database asks to try again.
#[derive(Default)]
struct Outcome {
    responses: Vec<GraphQlResponse>,
    causes: Vec<String>,
    kept: Option<String>,
    retry: bool,
    written: u32,
}

impl Outcome {
    fn refused(operations: &Operations, error: &Error) -> Self {
        let responses = operations.iter().map(|_| GraphQlResponse::refused(GraphQlError::of(error))).collect();
        Self { responses, ..Self::default() }
    }
}

fn mutates(operation: &Result<Prepared, Refused>) -> bool {
    match operation {
        Ok(prepared) => prepared.mutates,
        Err(refused) => refused.mutates,
    }
}

/// Each document takes a while to bound and to parse; a batch of them lets other requests run in between.
async fn prepare(app: &App, requests: Vec<GraphQlRequest>, deadline: Instant) -> Operations {
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
            let prepared = Prepared::new(&app.schema, request, chained)?;
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

async fn run(context: &Arc<RequestContext>, operations: &Operations, mutates: bool, again: bool) -> (Outcome, bool) {
    let mut outcome = Outcome::default();
    let mut failed = false;
    if again && let Err(error) = context.wait_for_turn().await {
        return (Outcome::refused(operations, &error), true);
    }
    let mut chained = chain::Values::new();
    for operation in operations {
        if mutates && failed {
            outcome.responses.push(GraphQlResponse::refused(Error::of(ErrorCode::NotRun)));
            continue;
        }
        // For this operation or for none: a chained value does not wait for a later one.
        let values = std::mem::take(&mut chained);
        let response = match operation {
            Err(refused) => GraphQlResponse::refused_for(refused.errors.clone()),
            Ok(prepared) => {
                let sink = Arc::new(Chained::default());
                let response = run_one(context, prepared, values, &sink, &mut outcome)
                    .instrument(traces::operation(prepared.kind(), prepared.document.name.as_deref()))
                    .await;
                chained = sink.take();
                response
            }
        };
        if !response.errors.is_empty() {
            failed = true;
            if mutates {
                context.poison().await;
            }
        }
        outcome.responses.push(response);
    }
    // Part of the answer that is kept.
    price(&mut outcome.responses, operations);
    (outcome, failed)
}

async fn run_one(
    context: &Arc<RequestContext>,
    prepared: &Prepared,
    chained: chain::Values,
    sink: &Arc<Chained>,
    outcome: &mut Outcome,
) -> GraphQlResponse {
    let schema = &context.app.schema;
    let document = &prepared.document;
    let variables = match prepared.complete(schema, chained) {
        Ok(variables) => variables,
        Err(error) => return GraphQlResponse::refused(error),
    };
    // In a transaction, a statement that failed would leave nothing for the executor to tell of.
    if !context.mutates
        && let Some(writer) = document.writer()
        && let Ok(data) = writer.write(context, None, &variables).await
    {
        outcome.written += 1;
        return GraphQlResponse::written(data);
    }
    let run = document.with(&variables);
    let mut request = async_graphql::Request::new(String::new())
        .variables(variables)
        .data(Arc::clone(context))
        .data(Arc::clone(sink));
    request.set_parsed_query(run);
    let response = schema.executable.execute(request).await;
    for error in &response.errors {
        if let Some(error) = error.source::<Error>() {
            outcome.retry |= error.retry;
            outcome.causes.extend(error.source.as_ref().map(ToString::to_string));
        }
    }
    GraphQlResponse::of(response, prepared)
}

async fn finish(context: &RequestContext, outcome: Outcome, keyed: Option<&Keyed>) -> (Outcome, bool) {
    let finished = async {
        let kept = answered_within(PATIENCE, keep(context, &outcome.responses, keyed)).await?;
        context.finish().await?;
        Ok(kept)
    };
    match finished.await {
        Ok(kept) => (Outcome { kept, ..outcome }, false),
        Err(error) => {
            let responses =
                outcome.responses.iter().map(|_| GraphQlResponse::failed(GraphQlError::of(&error))).collect();
            let causes = error.source.as_ref().map(ToString::to_string).into_iter().collect();
            (Outcome { responses, causes, retry: error.retry, ..outcome }, error.retry)
        }
    }
}

/// Writes the answer down and keeps it, where it has a key.
async fn keep(
    context: &RequestContext,
    responses: &[GraphQlResponse],
    keyed: Option<&Keyed>,
) -> Result<Option<String>> {
    let Some(Keyed { idempotency, encode }) = keyed else { return Ok(None) };
    let answer = KeptAnswer { status: 200, body: encode(responses).map_err(Error::internal)? };
    context.keep(idempotency, &answer).await?;
    Ok(Some(answer.body))
}

/// A random time that grows with each attempt, so that those that met once do not meet again.
fn pause(app: &App, attempt: u32) -> Duration {
    let mut random = [0_u8; 2];
    app.ids.fill(&mut random);
    Duration::from_micros(u64::from(u16::from_be_bytes(random)) / 2 * u64::from(attempt))
}

/// A mutation with a read-only key: nothing is run.
fn read_only(operations: &Operations) -> Execution {
    let error = Error::new(ErrorCode::Forbidden, "Operation \"mutation\" not allowed");
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
