//! Letting a request in: its address, its API key, its rate, in this order and before its body is read.

use std::net::IpAddr;

use axum::http::HeaderValue;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::answer::Outcome;
use crate::app::App;
use crate::auth::{self, Actor, Admission, CachedCredential};
use crate::error::{Category, Error, ErrorCode, Result};
use crate::throttle::Stranger;

/// The address of the connection that a request came on. It rides in the request's extensions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// A request that was not let in.
pub(super) struct Refused {
    /// Why.
    pub(super) error: Error,
    /// What is known of it.
    pub(super) outcome: Outcome,
}

/// The cached credential of a request; `None` where [`enter`] has to look it up. Nothing is to be answered before it is confirmed.
pub(super) fn look_up_cached(app: &App, head: &Parts) -> Option<CachedCredential> {
    let cached = auth::look_up_cached(&app.credentials, head.headers.get(AUTHORIZATION))?;
    let may_ask = stranger(app, head).is_none_or(|stranger| app.throttle.check_stranger(&stranger).is_ok());
    (may_ask && app.throttle.has_left(&cached.actor)).then_some(cached)
}

/// Counts a request whose cached credential was confirmed.
pub(super) fn count_confirmed(app: &App, head: &Parts, actor: &Actor) {
    if let Some(stranger) = stranger(app, head) {
        app.throttle.let_in(&stranger);
    }
    app.key_usage.note(actor, app.clock.now());
}

/// Tells who sends a request. Whoever is not `wanted` here is answered like a stranger.
pub(super) async fn enter(app: &App, head: &Parts, wanted: impl Fn(&Actor) -> bool) -> Result<Admission, Refused> {
    let stranger = stranger(app, head);
    let admission = match authenticate(app, head, stranger.as_ref(), wanted).await {
        Ok(admission) => admission,
        Err(error) => {
            let address = stranger.map(|stranger| stranger.address);
            return Err(Refused { error, outcome: Outcome { address, ..Outcome::default() } });
        }
    };
    match app.throttle.admit_request(&admission.actor) {
        Ok(()) => Ok(admission),
        Err(error) => Err(Refused { error, outcome: Outcome::of(admission.actor) }),
    }
}

/// Who asks, before it is known. Only a router without a listener knows no peer.
fn stranger(app: &App, head: &Parts) -> Option<Stranger> {
    let Peer(peer) = head.extensions.get()?;
    let sent = head.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    Some(app.throttle.stranger(*peer, &head.headers, sent))
}

async fn authenticate(
    app: &App,
    head: &Parts,
    stranger: Option<&Stranger>,
    wanted: impl Fn(&Actor) -> bool,
) -> Result<Admission> {
    if let Some(stranger) = stranger {
        app.throttle.check_stranger(stranger)?;
    }
    let found = app.authenticate(head.headers.get(AUTHORIZATION)).await.and_then(|admission| {
        let invalid = || Error::new(ErrorCode::Unauthorized, "Invalid credentials");
        if wanted(&admission.actor) { Ok(admission) } else { Err(invalid()) }
    });
    match (stranger, &found) {
        (Some(stranger), Ok(_)) => app.throttle.let_in(stranger),
        (Some(stranger), Err(error)) if error.code.spec().category == Some(Category::Auth) => {
            app.throttle.failed(stranger);
        }
        _ => {}
    }
    found
}
