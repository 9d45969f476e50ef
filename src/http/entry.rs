//! Admission of requests: the address, the API key, the rate, in this order and before the body is read.

use std::net::IpAddr;

use axum::http::HeaderValue;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::answer::Outcome;
use crate::actor::Actor;
use crate::app::App;
use crate::auth::{self, Admission, CachedCredential};
use crate::error::{Category, Error, Message, Result};
use crate::throttle::Unauthenticated;

/// The address of the connection that a request came on. It rides in the request's extensions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// A request that was not admitted.
pub(super) struct Refused {
    /// Why.
    pub(super) error: Error,
    /// What is known of it.
    pub(super) outcome: Outcome,
}

/// The cached credential of a request; `None` where [`enter`] has to look it up. Nothing is to be answered before it is confirmed.
pub(super) fn look_up_cached(app: &App, head: &Parts) -> Option<CachedCredential> {
    let cached = auth::look_up_cached(&app.credentials, head.headers.get(AUTHORIZATION))?;
    let may_ask = unauthenticated(app, head).is_none_or(|client| app.throttle.may_authenticate(&client).is_ok());
    (may_ask && app.throttle.has_left(&cached.actor)).then_some(cached)
}

/// Counts a request whose cached credential was confirmed.
pub(super) fn count_confirmed(app: &App, head: &Parts, actor: &Actor) {
    if let Some(client) = unauthenticated(app, head) {
        app.throttle.authenticated(&client);
    }
    app.key_usage.note(actor, app.clock.now());
}

/// Tells who sends a request, and takes it from the actor's limit. An actor who is not `wanted` here is answered as if the credential
/// were unknown.
pub(super) async fn enter(app: &App, head: &Parts, wanted: impl Fn(&Actor) -> bool) -> Result<Admission, Refused> {
    let admission = enter_unlimited(app, head, wanted).await?;
    match app.throttle.admit_request(&admission.actor) {
        Ok(()) => Ok(admission),
        Err(error) => Err(Refused { error, outcome: Outcome::of(admission.actor) }),
    }
}

/// Like [`enter`], for a request that is not taken from the limit: its cost has to be.
pub(super) async fn enter_unlimited(
    app: &App,
    head: &Parts,
    wanted: impl Fn(&Actor) -> bool,
) -> Result<Admission, Refused> {
    let client = unauthenticated(app, head);
    authenticate(app, head, client.as_ref(), wanted).await.map_err(|error| {
        let address = client.map(|client| client.address);
        Refused { error, outcome: Outcome { address, ..Outcome::default() } }
    })
}

/// The client, before it is authenticated. Only a router without a listener knows no peer.
fn unauthenticated(app: &App, head: &Parts) -> Option<Unauthenticated> {
    let Peer(peer) = head.extensions.get()?;
    let sent = head.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    Some(app.throttle.unauthenticated(*peer, &head.headers, sent))
}

async fn authenticate(
    app: &App,
    head: &Parts,
    client: Option<&Unauthenticated>,
    wanted: impl Fn(&Actor) -> bool,
) -> Result<Admission> {
    if let Some(client) = client {
        app.throttle.may_authenticate(client)?;
    }
    let found = app.authenticate(head.headers.get(AUTHORIZATION)).await.and_then(|admission| {
        if wanted(&admission.actor) { Ok(admission) } else { Err(Error::new(Message::CredentialsInvalid)) }
    });
    match (client, &found) {
        (Some(client), Ok(_)) => app.throttle.authenticated(client),
        (Some(client), Err(error)) if error.code.spec().category == Some(Category::Auth) => {
            app.throttle.failed(client);
        }
        _ => {}
    }
    found
}
