//! Who asks: API keys, and what they permit.
//!
//! A key is looked up by the SHA-256 of its text, so no comparison in our code depends on a secret. Every failure but one
//! gives the same answer; only the holder of a revoked key's full text learns that it was revoked.

mod api_key;
mod cached;
mod lifecycle;
mod model;
mod store;
mod usage;

use std::sync::Arc;

use http::HeaderValue;
use uuid::Uuid;

pub use api_key::{ApiKey, ApiKeyPair, Mode};
pub use cached::{CachedCredential, CredentialCache, CredentialFingerprint};
pub use lifecycle::{ApiKeyChange, bounds, change_in, create_in, get, hotel_of, list_api_keys, page, regenerate_in};
pub use model::{ApiKeyInfo, NewApiKey};
pub(crate) use store::{insert_api_key, revoke_of_integration};
pub use usage::{Usage, run_usage, write_usage};

use crate::context::Context;
use crate::db::{PATIENCE, PooledConnection, answered_within};
use crate::error::{Error, ErrorCode, Result};
use crate::hotels::Hotel;
use crate::telemetry::traces::Traceparent;

/// What an API key permits. Each includes the ones before it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, async_graphql::Enum, clap::ValueEnum, serde::Serialize,
)]
#[graphql(name = "ApiKeyPermission")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[value(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Permission {
    /// Queries.
    ReadOnly,
    /// Also room access keys, physical check-in and check-out, cleaning status.
    Write,
    /// Also what a hotel does at its front desk: rooms, reservations and stays.
    FrontDesk,
    /// Also what its administrator does: API keys, integrations, the hotel's switches.
    Admin,
}

impl Permission {
    const ALL: [Self; 4] = [Self::ReadOnly, Self::Write, Self::FrontDesk, Self::Admin];

    /// As in the schema, the database and `demo.json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "READ_ONLY",
            Self::Write => "WRITE",
            Self::FrontDesk => "FRONT_DESK",
            Self::Admin => "ADMIN",
        }
    }
}

impl std::str::FromStr for Permission {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|permission| permission.as_str() == text)
            .ok_or_else(|| format!("no permission is called {text}"))
    }
}

/// Who makes a request, and for which hotel.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The hotel that everything in the request is about.
    pub hotel: Arc<Hotel>,
    /// The integration that the key belongs to; it owns the room access keys.
    pub integration_id: Uuid,
    /// The API key.
    pub api_key_id: Uuid,
    /// Live or test.
    pub mode: Mode,
    /// What the key permits.
    pub permission: Permission,
    /// `X-Request-Id` of the request, for the audit trail.
    pub request_id: Option<Arc<str>>,
    /// Where the request stands in a trace, for the webhooks that it causes.
    pub traceparent: Option<Traceparent>,
}

impl Actor {
    /// Refuses what needs more than the key permits.
    ///
    /// # Errors
    /// `FORBIDDEN`
    pub fn require(&self, permission: Permission) -> Result<()> {
        if self.permission >= permission {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::Forbidden,
            format!("This needs an API key with the permission {}", permission.as_str()),
        ))
    }
}

/// A request that is let in.
#[derive(Debug)]
pub struct Admission {
    /// Who makes it.
    pub actor: Actor,
    /// The connection that knows it, which sees the rows of its hotel.
    pub conn: PooledConnection,
}

/// Tells who sends the request, and counts it when it is let in. One statement each time: what is revoked is refused from the
/// next request on.
///
/// # Errors
/// `UNAUTHORIZED`, or `KEY_REVOKED` for the full text of a revoked key.
pub async fn authenticate(
    context: &Context,
    credentials: &CredentialCache,
    usage: &Usage,
    authorization: Option<&HeaderValue>,
) -> Result<Admission> {
    let token = bearer_token(authorization).ok_or_else(|| {
        let message = "Missing or malformed Authorization header. Use: Bearer pms_live_xxx";
        Error::new(ErrorCode::Unauthorized, message)
    })?;
    let invalid = || Error::new(ErrorCode::Unauthorized, "Invalid credentials");
    let hash = ApiKey::hash_of(token);
    let looking = async {
        let mut conn = context.pool.untenanted().await?;
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
