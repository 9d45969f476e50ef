//! A page of stays for an actor who is confirmed by the statement that reads it: one round trip instead of two.

use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;

use super::context::RequestContext;
use super::execute::{Execution, mark, names, price};
use super::fast_path;
use super::prepare::Prepared;
use super::request::GraphQlRequest;
use super::response::GraphQlResponse;
use crate::app::App;
use crate::auth::CachedCredential;
use crate::telemetry::traces;

/// Answers an operation by the fast path alone, for the actor of a cached credential.
///
/// `None` leaves it to [`execute_keyed`](super::execute_keyed), as if nothing had happened: whatever takes more, whatever would
/// be refused, and whatever the actor turns out not to be any more. Where that shows as late as in the database, the request has
/// been taken from the limits of the API key already, and is taken from them once more.
pub async fn execute_cached(
    app: &App,
    cached: &CachedCredential,
    request: &GraphQlRequest,
    deadline: Instant,
) -> Option<Execution> {
    let prepared = Prepared::known(super::schema(), request)?;
    let document = &prepared.document;
    let page = document.fast_path().filter(|_| fast_path::is_on(app))?;
    let CachedCredential { actor, fingerprint } = cached;
    if !app.throttle.admits(actor, prepared.cost.values) {
        return None;
    }
    let read = async {
        let conn = app.pool.untenanted().await.ok()?;
        let context = RequestContext::new(app.clone(), actor.clone(), Some(conn), false);
        let data = fast_path::answer(&context, Some(page), Some(fingerprint), &prepared.variables).await?;
        Some((data, context.statements()))
    };
    let span = traces::operation(prepared.kind(), document.name.as_deref());
    let Ok(Some((data, statements))) = timeout_at(deadline, read).instrument(span).await else {
        app.credentials.remove(fingerprint);
        return None;
    };
    let (mut responses, operations) = (vec![GraphQlResponse::of_json(data)], vec![Ok(prepared)]);
    price(&mut responses, &operations);
    mark(&mut responses, actor, false);
    Some(Execution { responses, operations: names(&operations), statements, fast_path: 1, ..Execution::default() })
}
