//! Authentication: API keys, whom they stand for, and how much they are used.
//!
//! A key is looked up by the SHA-256 of its text, so no comparison in our code depends on a secret. Every failure but one
//! gives the same answer; only the holder of a revoked key's full text learns that it was revoked.

mod api_key;
mod lifecycle;
pub mod store;
mod supposed;
mod usage;

use axum::http::HeaderValue;

pub use api_key::{ApiKey, ApiKeyPair};
pub use lifecycle::{
    ApiKeyChange, ApiKeyInfo, NewApiKey, change_api_key, change_in, create_api_key, create_in, extent, get,
    list_api_keys, page, regenerate_api_key, regenerate_in,
};
pub use supposed::{Claim, Credentials, Supposed};
pub use usage::{Usage, run_usage, write_usage};

use crate::actor::Actor;
use crate::app::App;
use crate::db::{PATIENCE, PooledConnection, answered_within};
use crate::error::{Error, ErrorCode, Result};

/// An authenticated request.
#[derive(Debug)]
pub struct Admission {
    /// Who makes it.
    pub actor: Actor,
    /// The connection that knows it, which sees the rows of its hotel.
    pub conn: PooledConnection,
}

/// Tells who sends the request, and counts it when it is authenticated. One statement each time: what is revoked is refused
/// from the next request on.
///
/// # Errors
/// `UNAUTHORIZED`, or `KEY_REVOKED` for the full text of a revoked key.
pub async fn authenticate(app: &App, authorization: Option<&HeaderValue>) -> Result<Admission> {
    let token = bearer_token(authorization).ok_or_else(|| {
        let message = "Missing or malformed Authorization header. Use: Bearer pms_live_xxx";
        Error::new(ErrorCode::Unauthorized, message)
    })?;
    let invalid = || Error::new(ErrorCode::Unauthorized, "Invalid credentials");
    let hash = ApiKey::hash_of(token);
    let looking = async {
        let mut conn = app.pool.of_nobody().await?;
        let found = store::find_by_hash(&mut conn, &hash).await?;
        Ok::<_, Error>((found, conn))
    };
    let (found, conn) = answered_within(PATIENCE, looking).await?;
    let found = found.ok_or_else(invalid)?;
    if found.revoked {
        return Err(Error::new(ErrorCode::KeyRevoked, "API key has been revoked. Contact hotel admin for a new key."));
    }
    if found.disabled {
        return Err(invalid());
    }
    app.credentials.remember(Supposed { actor: found.actor.clone(), claim: Claim { hash, known: found.known } });
    count(app, &found.actor);
    Ok(Admission { actor: found.actor, conn })
}

/// Counts an authenticated request.
pub fn count(app: &App, actor: &Actor) {
    app.key_usage.note(actor, app.clock.now());
}

/// Who sends the request if nothing has changed since [`authenticate`] told it last. To be confirmed by the statement that reads
/// for it ([`store::push_confirmation`]), before anything is answered.
pub fn suppose(app: &App, authorization: Option<&HeaderValue>) -> Option<Supposed> {
    app.credentials.recall(&ApiKey::hash_of(bearer_token(authorization)?))
}

fn bearer_token(authorization: Option<&HeaderValue>) -> Option<&str> {
    let (scheme, token) = authorization?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
