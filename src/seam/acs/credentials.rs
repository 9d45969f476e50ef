//! Credentials: the cards of access methods.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::systems::{account_id, system_id};
use crate::access_grants::Method;
use crate::hotels::HotelId;
use crate::locks::Provider;
use crate::seam::access_mode::AccessMode;

/// A card. Its id is that of its access method.
#[derive(Serialize, ToSchema)]
pub struct AcsCredential {
    acs_credential_id: Uuid,
    acs_system_id: Uuid,
    connected_account_id: Uuid,
    access_method: AccessMode,
    display_name: &'static str,
    is_managed: bool,
    is_issued: bool,
    issued_at: Option<DateTime<Utc>>,
    starts_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<DateTime<Utc>>,
    #[schema(value_type = Vec<Object>)]
    errors: Vec<Value>,
    #[schema(value_type = Vec<Object>)]
    warnings: Vec<Value>,
    created_at: DateTime<Utc>,
    workspace_id: Uuid,
}

impl AcsCredential {
    pub fn new(method: &Method, hotel: HotelId, provider: Provider) -> Self {
        let mode = AccessMode::from(method.mode);
        Self {
            acs_credential_id: method.id,
            acs_system_id: system_id(hotel, provider),
            connected_account_id: account_id(hotel, provider),
            access_method: mode,
            display_name: mode.title(),
            is_managed: true,
            is_issued: method.issued_at.is_some(),
            issued_at: method.issued_at,
            starts_at: method.frame.starts_at,
            ends_at: method.frame.ends_at,
            errors: Vec::new(),
            warnings: Vec::new(),
            created_at: method.created_at,
            workspace_id: hotel,
        }
    }
}
