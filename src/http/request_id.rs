//! Request ids: what tells a request apart, in its answer, its log line, the audit trail and traces.

use axum::http::Extensions;

use crate::actor::Actor;
use crate::telemetry::traces::Traceparent;

/// The request's id. It rides in the request's extensions, for answers that repeat it.
#[derive(Clone)]
pub(super) struct RequestId(pub(super) String);

/// Notes which request an actor makes: its id, and where it stands in a trace.
pub(super) fn mark(actor: &mut Actor, extensions: &Extensions) {
    actor.request_id = Some(RequestId::of(extensions).0.into());
    actor.traceparent = extensions.get::<Traceparent>().cloned();
}

impl RequestId {
    /// The id of a request that went through `requests::run`.
    pub(super) fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().expect("every request is given an id")
    }
}
