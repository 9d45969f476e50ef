//! Credentials: pairs of API keys as they are made, and as they are told of.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::ApiKeyPair;
use crate::actor::Permission;
use crate::hotels::HotelId;
use crate::integrations::Integration;

/// A new credential. Its texts are shown now and never again.
pub struct NewApiKey {
    /// Id of the pair.
    pub id: Uuid,
    /// Its hotel.
    pub hotel_id: HotelId,
    /// The integration that it belongs to.
    pub integration_id: Uuid,
    /// What people call it, 1 to 200 characters.
    pub name: String,
    /// What it permits.
    pub permission: Permission,
    /// The pair itself.
    pub pair: ApiKeyPair,
}

/// What can be told of a credential.
#[derive(Clone, Debug)]
pub struct ApiKeyInfo {
    /// Id of the pair.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// The integration that it belongs to.
    pub integration: Integration,
    /// What it permits.
    pub permission: Permission,
    /// Masked text of the live key.
    pub live_preview: String,
    /// Masked text of the test key.
    pub test_preview: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When a request with one of its keys was last admitted; a few seconds late.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Requests that were admitted with one of its keys; a few seconds late.
    pub request_count: i64,
    /// Since when it is refused, until it is enabled again.
    pub disabled_at: Option<DateTime<Utc>>,
    /// Since when it is refused for good.
    pub revoked_at: Option<DateTime<Utc>>,
}
