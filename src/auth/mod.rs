//! Who asks: API keys, and what they permit.
//!
//! A key is looked up by the SHA-256 of its text, so no comparison in our code depends on a secret. Every failure but one
//! gives the same answer; only the holder of a revoked key's full text learns that it was revoked.

mod api_key;
pub mod store;

use axum::http::HeaderValue;
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

pub use api_key::{ApiKey, ApiKeyPair, Mode};

use crate::app::App;
use crate::error::{Error, ErrorCode, Result, violated_constraint};
use crate::hotels::{Hotel, HotelId};

/// What an API key permits. Each includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[value(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Permission {
    /// Queries.
    ReadOnly,
    /// Also room access keys, physical check-in and check-out, cleaning status.
    Write,
    /// Also what a hotel does at its front desk: rooms, reservations and stays.
    FrontDesk,
}

impl Permission {
    /// As in the schema, the database and `demo.json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "READ_ONLY",
            Self::Write => "WRITE",
            Self::FrontDesk => "FRONT_DESK",
        }
    }
}

impl std::str::FromStr for Permission {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::ReadOnly, Self::Write, Self::FrontDesk]
            .into_iter()
            .find(|permission| permission.as_str() == text)
            .ok_or_else(|| format!("no permission is called {text}"))
    }
}

/// Who makes a request, and for which hotel.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The hotel that everything in the request is about.
    pub hotel: Hotel,
    /// The integration that the key belongs to; it owns the room access keys.
    pub integration_id: Uuid,
    /// The API key.
    pub api_key_id: Uuid,
    /// Live or test.
    pub mode: Mode,
    /// What the key permits.
    pub permission: Permission,
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

/// A new credential. Its texts are shown now and never again.
pub struct NewApiKey {
    /// Id of the pair.
    pub id: Uuid,
    /// The integration that it belongs to.
    pub integration_id: Uuid,
    /// The pair itself.
    pub pair: ApiKeyPair,
}

/// Makes a key pair for the hotel's integration of that name, and the integration where it is missing.
///
/// # Errors
/// `INVALID_ARGUMENT` for a name that is empty or longer than 200 characters.
pub async fn create_api_key(app: &App, hotel: HotelId, integration: &str, permission: Permission) -> Result<NewApiKey> {
    let now = app.clock.now();
    let mut tx = app.pool.begin().await?;
    store::insert_integration_if_absent(&mut tx, hotel, app.ids.uuid(now), integration, now).await.map_err(
        |error| match violated_constraint(&error) {
            Some("integrations_name_check") => Error::invalid("An integration's name has 1 to 200 characters"),
            _ => error.into(),
        },
    )?;
    let integration_id =
        store::find_integration(&mut tx, hotel, integration).await?.ok_or_else(|| Error::not_found("Integration"))?;
    let (id, pair) = (app.ids.uuid(now), ApiKeyPair::generate(&app.ids));
    store::insert_api_key(&mut tx, id, hotel, integration_id, permission, &pair, now).await?;
    tx.commit().await?;
    Ok(NewApiKey { id, integration_id, pair })
}

/// What can be told of a credential.
#[derive(Clone, Debug)]
pub struct ApiKeyInfo {
    /// Id of the pair.
    pub id: Uuid,
    /// Name of the integration that it belongs to.
    pub integration: String,
    /// What it permits.
    pub permission: Permission,
    /// Masked text of the live key.
    pub live_preview: String,
    /// Masked text of the test key.
    pub test_preview: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Since when it is refused, until it is enabled again.
    pub disabled_at: Option<DateTime<Utc>>,
    /// Since when it is refused for good.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// The hotel's credentials, oldest first.
pub async fn list_api_keys(app: &App, hotel: HotelId) -> Result<Vec<ApiKeyInfo>> {
    store::list_api_keys(&app.pool, hotel).await
}

/// What can happen to a credential after it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKeyChange {
    /// Refuse it until it is enabled again.
    Disable,
    /// Accept it again.
    Enable,
    /// Refuse it for good.
    Revoke,
}

/// Changes a credential from the next request on. Doing it twice changes nothing, a revoked one stays revoked.
///
/// # Errors
/// `NOT_FOUND`; `KEY_REVOKED` when a revoked one is to be enabled or disabled.
pub async fn change_api_key(app: &App, id: Uuid, change: ApiKeyChange) -> Result<()> {
    let now = app.clock.now();
    let changed = match change {
        ApiKeyChange::Disable => store::set_disabled(&app.pool, id, Some(now)).await?,
        ApiKeyChange::Enable => store::set_disabled(&app.pool, id, None).await?,
        ApiKeyChange::Revoke => store::revoke(&app.pool, id, now).await?,
    };
    if changed {
        return Ok(());
    }
    if store::api_key_exists(&app.pool, id).await? {
        return Err(Error::new(ErrorCode::KeyRevoked, "A revoked API key stays revoked"));
    }
    Err(Error::not_found("API key"))
}

/// Tells who sends the request.
///
/// # Errors
/// `UNAUTHORIZED`, or `KEY_REVOKED` for the full text of a revoked key.
pub async fn authenticate(pool: &PgPool, authorization: Option<&HeaderValue>) -> Result<Actor> {
    let malformed =
        || Error::new(ErrorCode::Unauthorized, "Missing or malformed Authorization header. Use: Bearer pms_live_xxx");
    let text = authorization.and_then(|value| value.to_str().ok()).ok_or_else(malformed)?;
    let (scheme, token) = text.split_once(' ').ok_or_else(malformed)?;
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(malformed());
    }
    let invalid = || Error::new(ErrorCode::Unauthorized, "Invalid credentials");
    let found = store::find_by_hash(pool, &ApiKey::hash_of(token)).await?.ok_or_else(invalid)?;
    if found.revoked {
        return Err(Error::new(ErrorCode::KeyRevoked, "API key has been revoked. Contact hotel admin for a new key."));
    }
    if found.disabled {
        return Err(invalid());
    }
    Ok(found.actor)
}
