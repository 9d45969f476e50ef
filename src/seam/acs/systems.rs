//! Access systems. Their ids, and those of the accounts that they are connected by, are derived: what there is of a provider in a
//! hotel is one system.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::derive::Derived;
use crate::error::{Error, ErrorAt as _, Record, Result};
use crate::hotels::{Hotel, HotelId};
use crate::locks::{self, Provider};
use crate::seam::answer::{List, One, Resource};
use crate::seam::operation::{Query, Reader, Spec};

/// Id of the system of a provider.
pub fn system_id(hotel: HotelId, provider: Provider) -> Uuid {
    Derived::of(hotel, &["acs_system", provider.traits().name]).uuid()
}

/// Id of the account that the system of a provider is connected by.
pub fn account_id(hotel: HotelId, provider: Provider) -> Uuid {
    Derived::of(hotel, &["connected_account", provider.traits().name]).uuid()
}

/// The providers with a system or an account of that id, of which there is at most one.
pub fn providers_of(hotel: HotelId, system: Option<Uuid>, account: Option<Uuid>) -> Vec<Provider> {
    let is_wanted = |provider: &Provider| {
        system.is_none_or(|id| id == system_id(hotel, *provider))
            && account.is_none_or(|id| id == account_id(hotel, *provider))
    };
    Provider::ALL.into_iter().filter(is_wanted).collect()
}

/// What there is of a provider in the hotel.
#[derive(Serialize, ToSchema)]
pub struct AcsSystem {
    acs_system_id: Uuid,
    connected_account_id: Uuid,
    connected_account_ids: Vec<Uuid>,
    /// What makes of system Seam's own API knows.
    external_type: &'static str,
    external_type_display_name: &'static str,
    system_type: &'static str,
    system_type_display_name: &'static str,
    name: String,
    is_credential_manager: bool,
    location: Location,
    /// Empty: there are no pictures.
    image_url: &'static str,
    image_alt_text: &'static str,
    #[schema(value_type = Vec<Object>)]
    errors: Vec<Value>,
    #[schema(value_type = Vec<Object>)]
    warnings: Vec<Value>,
    created_at: DateTime<Utc>,
    workspace_id: Uuid,
}

#[derive(Serialize, ToSchema)]
struct Location {
    /// IANA name of the hotel's zone.
    time_zone: &'static str,
}

impl Resource for AcsSystem {
    const ONE: &'static str = "acs_system";
    const MANY: &'static str = "acs_systems";
}

impl AcsSystem {
    pub fn new(hotel: &Hotel, provider: Provider, created_at: DateTime<Utc>) -> Self {
        let (external_type, name) = external_type(provider);
        let account = account_id(hotel.id, provider);
        Self {
            acs_system_id: system_id(hotel.id, provider),
            connected_account_id: account,
            connected_account_ids: vec![account],
            external_type,
            external_type_display_name: name,
            system_type: external_type,
            system_type_display_name: name,
            name: name.to_owned(),
            is_credential_manager: false,
            location: Location { time_zone: hotel.time_zone.name() },
            image_url: "",
            image_alt_text: name,
            errors: Vec::new(),
            warnings: Vec::new(),
            created_at,
            workspace_id: hotel.id,
        }
    }
}

/// Seam's type of a provider's system, and the name of its make.
const fn external_type(provider: Provider) -> (&'static str, &'static str) {
    match provider {
        Provider::Visionline => ("visionline_system", "ASSA ABLOY Visionline"),
        Provider::Vostio => ("assa_abloy_vostio", "ASSA ABLOY Vostio"),
        Provider::DormakabaAmbiance => ("dormakaba_ambiance_site", "dormakaba Ambiance"),
        Provider::DormakabaCommunity => ("dormakaba_community_site", "dormakaba Community"),
        Provider::SaltoSpace => ("salto_space_system", "Salto Space"),
        Provider::Brivo => ("brivo_account", "Brivo"),
        Provider::AvigilonAlta => ("avigilon_alta_org", "Avigilon Alta"),
    }
}

/// The account that a system is connected by.
#[derive(Serialize, ToSchema)]
pub struct ConnectedAccount {
    connected_account_id: Uuid,
    account_type_display_name: &'static str,
    display_name: &'static str,
    accepted_capabilities: [&'static str; 1],
    automatically_manage_new_devices: bool,
    #[schema(value_type = Object)]
    custom_metadata: Value,
    #[schema(value_type = Vec<Object>)]
    errors: Vec<Value>,
    #[schema(value_type = Vec<Object>)]
    warnings: Vec<Value>,
}

impl ConnectedAccount {
    pub fn new(hotel: HotelId, provider: Provider) -> Self {
        let (_, name) = external_type(provider);
        Self {
            connected_account_id: account_id(hotel, provider),
            account_type_display_name: name,
            display_name: name,
            accepted_capabilities: ["access_control"],
            automatically_manage_new_devices: true,
            custom_metadata: json!({}),
            errors: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

/// Those of the hotel among these providers, in the order in which they came to it.
pub async fn systems(reader: &mut Reader<'_>, wanted: &[Provider]) -> Result<Vec<AcsSystem>> {
    let hotel = &reader.actor.hotel;
    let present = locks::providers(reader.conn, hotel.id).await?;
    let wanted = present.into_iter().filter(|(provider, _)| wanted.contains(provider));
    Ok(wanted.map(|(provider, since)| AcsSystem::new(hotel, provider, since)).collect())
}

/// Which of them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAcsSystems {
    /// Only that of this account.
    connected_account_id: Option<Uuid>,
}

impl Query for ListAcsSystems {
    const SPEC: Spec = Spec {
        path: "/acs/systems/list",
        id: "acs_system_id",
        about: "Answers the access systems of the hotel: one for each provider of its doors and encoders.",
    };
    type Answer = List<AcsSystem>;

    async fn read(&self, mut reader: Reader<'_>) -> Result<List<AcsSystem>> {
        let wanted = providers_of(reader.actor.hotel.id, None, self.connected_account_id);
        Ok(List::all(systems(&mut reader, &wanted).await?))
    }
}

/// Which one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetAcsSystem {
    acs_system_id: Uuid,
}

impl Query for GetAcsSystem {
    const SPEC: Spec =
        Spec { path: "/acs/systems/get", id: "acs_system_id", about: "Answers one access system of the hotel." };
    type Answer = One<AcsSystem>;

    async fn read(&self, mut reader: Reader<'_>) -> Result<One<AcsSystem>> {
        let wanted = providers_of(reader.actor.hotel.id, Some(self.acs_system_id), None);
        let found = systems(&mut reader, &wanted).await?.pop();
        found.map(One).ok_or_else(|| Error::not_found(Record::AcsSystem)).at("id")
    }
}
