//! Workspaces: the hotel of the key.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::{One, Resource};
use super::operation::{Query, Reader, Spec};
use crate::error::Result;

/// A hotel.
#[derive(Serialize, ToSchema)]
pub struct Workspace {
    workspace_id: Uuid,
    /// Name of the hotel.
    name: String,
    /// Name of the hotel, too.
    company_name: String,
    connect_partner_name: Option<String>,
    connect_webview_customization: WebviewCustomization,
    is_publishable_key_auth_enabled: bool,
    /// Whether it is one to try things out in: its data are kept, and what goes wrong can be simulated.
    is_sandbox: bool,
    is_suspended: bool,
    organization_id: Option<Uuid>,
}

impl Resource for Workspace {
    const ONE: &'static str = "workspace";
    const MANY: &'static str = "workspaces";
}

/// Of pages that there are none of.
#[derive(Serialize, ToSchema)]
struct WebviewCustomization {}

/// Takes nothing.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetWorkspace {}

impl Query for GetWorkspace {
    const SPEC: Spec = Spec { path: "/workspaces/get", id: "workspace_id", about: "Answers the hotel of the key." };
    const STATEMENTS: u32 = 0;
    type Answer = One<Workspace>;

    async fn read(&self, reader: Reader<'_>) -> Result<One<Workspace>> {
        let hotel = &reader.actor.hotel;
        Ok(One(Workspace {
            workspace_id: hotel.id,
            name: hotel.name.clone(),
            company_name: hotel.name.clone(),
            connect_partner_name: None,
            connect_webview_customization: WebviewCustomization {},
            is_publishable_key_auth_enabled: false,
            is_sandbox: hotel.is_sandbox,
            is_suspended: false,
            organization_id: None,
        }))
    }
}
