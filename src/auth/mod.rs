//! Authentication: API keys, whom they stand for, and how much they are used.
//!
//! A key is looked up by the SHA-256 of its text, so no comparison in our code depends on a secret. Every failure but one
//! gives the same answer; only the holder of a revoked key's full text learns that it was revoked.

mod api_key;
mod cached;
mod lifecycle;
mod model;
mod store;
mod usage;

use http::HeaderValue;

pub use api_key::{ApiKey, ApiKeyPair};
pub use cached::{CachedCredential, CredentialCache, CredentialFingerprint};
pub use lifecycle::{ApiKeyChange, bounds, change_in, create_in, get, hotel_of, list_api_keys, page, regenerate_in};
pub use model::{ApiKeyInfo, NewApiKey};
pub(crate) use store::{insert_api_key, revoke_of_integration};
pub use usage::{Usage, run_usage, write_usage};

use crate::actor::Actor;
use crate::context::Context;
use crate::db::{PATIENCE, PooledConnection, answered_within};
use crate::error::{Error, Message, Result};

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
pub async fn authenticate(
    context: &Context,
    credentials: &CredentialCache,
    usage: &Usage,
    authorization: Option<&HeaderValue>,
) -> Result<Admission> {
    let token = bearer_token(authorization).ok_or_else(|| Error::new(Message::AuthorizationMalformed))?;
    let invalid = || Error::new(Message::CredentialsInvalid);
    let hash = ApiKey::hash_of(token);
    let looking = async {
        let mut conn = context.pool.untenanted().await?;
        let found = store::find_by_hash(&mut conn, &hash).await?;
        Ok::<_, Error>((found, conn))
    };
    let (found, conn) = answered_within(PATIENCE, looking).await?;
    let found = found.ok_or_else(invalid)?;
    if found.revoked {
        return Err(Error::new(Message::ApiKeyRevoked));
    }
    if found.disabled {
        return Err(invalid());
    }
    let fingerprint = CredentialFingerprint { key_hash: hash, record_hash: found.record_hash };
    credentials.insert(CachedCredential { actor: found.actor.clone(), fingerprint });
    usage.note(&found.actor, context.clock.now());
    Ok(Admission { actor: found.actor, conn })
}

/// The sender of a request as [`authenticate`] found it last. The statement that reads for it has to confirm it
/// ([`CredentialFingerprint::push_confirmation`]) before anything is answered.
pub fn look_up_cached(credentials: &CredentialCache, authorization: Option<&HeaderValue>) -> Option<CachedCredential> {
    credentials.get(&ApiKey::hash_of(bearer_token(authorization)?))
}

fn bearer_token(authorization: Option<&HeaderValue>) -> Option<&str> {
    let (scheme, token) = authorization?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
