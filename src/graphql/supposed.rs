//! A page of stays for an actor who is confirmed by the statement that reads it: one round trip instead of two.

use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;

use super::context::RequestContext;
use super::execute::{Execution, mark, names, price};
use super::prepare::{GraphQlRequest, Prepared};
use super::response::GraphQlResponse;
use crate::app::App;
use crate::auth::Supposed;
use crate::error::Error;
use crate::telemetry::traces;

/// Answers an operation that is written without the executor ([`stay_writer`](super::stay_writer)).
///
/// `None` leaves it to [`execute_keyed`](super::execute_keyed), as if nothing had happened: whatever takes more, whatever would
/// be refused, and whatever the actor turns out not to be any more. Where that shows as late as in the database, the request has
/// been taken from the limits of the API key already, and is taken from them once more.
pub async fn execute_supposed(
    app: &App,
    supposed: &Supposed,
    request: &GraphQlRequest,
    deadline: Instant,
) -> Option<Execution> {
    let prepared = Prepared::known(&app.schema, request)?;
    let document = &prepared.document;
    let writer = document.writer()?;
    let Supposed { actor, claim } = supposed;
    if !app.throttle.admits(actor, prepared.cost.values) {
        return None;
    }
    let read = async {
        let conn = app.pool.untenanted().await?;
        let context = RequestContext::new(app.clone(), actor.clone(), Some(conn), false);
        let data = writer.write(&context, Some(claim), &prepared.variables).await?;
        Ok::<_, Error>((data, context.statements()))
    };
    let span = traces::operation(prepared.kind(), document.name.as_deref());
    let Ok(Ok((data, statements))) = timeout_at(deadline, read).instrument(span).await else {
        app.credentials.forget(claim);
        return None;
    };
    let (mut responses, operations) = (vec![GraphQlResponse::written(data)], vec![Ok(prepared)]);
    price(&mut responses, &operations);
    mark(&mut responses, actor, false);
    Some(Execution { responses, operations: names(&operations), statements, written: 1, ..Execution::default() })
}
