//! What belongs to grants, methods and spaces, in one answer: `get_related`.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::access_grants::{self as seam_grants, AccessGrant};
use super::access_methods::{self, AccessMethod};
use super::acs::credentials::AcsCredential;
use super::acs::entrances::{self, AcsEntrance};
use super::acs::systems::{self, AcsSystem, ConnectedAccount};
use super::answer::{One, Resource};
use super::operation::{Query, Reader, Spec};
use super::parameters::{Named, list, one_of, references, some_list};
use super::spaces::{self, Space};
use super::user_identities::UserIdentity;
use crate::access_grants::{self, Grant, GrantField, Method, MethodField, OwnedList, visible_to};
use crate::db::{Condition, Filter, PageRequest};
use crate::error::Result;
use crate::locks::{self, Entrance, Mode, Provider, SpaceField};

/// Most records whose relations are answered.
const MOST: u16 = 1000;

/// Records of several kinds; of a kind that is not asked for there is no list.
#[derive(Default, Serialize, ToSchema)]
pub struct Batch {
    #[serde(skip_serializing_if = "Option::is_none")]
    access_grants: Option<Vec<AccessGrant>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_methods: Option<Vec<AccessMethod>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acs_credentials: Option<Vec<AcsCredential>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acs_entrances: Option<Vec<AcsEntrance>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acs_systems: Option<Vec<AcsSystem>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connected_accounts: Option<Vec<ConnectedAccount>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spaces: Option<Vec<Space>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_identities: Option<Vec<UserIdentity>>,
    /// Of what a hotel has none of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    devices: Option<[Value; 0]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    acs_access_groups: Option<[Value; 0]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    client_sessions: Option<[Value; 0]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    instant_keys: Option<[Value; 0]>,
}

impl Resource for Batch {
    const ONE: &'static str = "batch";
    const MANY: &'static str = "batches";
}

/// What belongs to an access grant.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "snake_case")]
enum OfGrant {
    Spaces,
    Devices,
    AcsEntrances,
    ConnectedAccounts,
    AcsSystems,
    UserIdentities,
    AcsAccessGroups,
    AccessMethods,
}

/// What belongs to an access method.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "snake_case")]
enum OfMethod {
    Spaces,
    Devices,
    AcsEntrances,
    AccessGrants,
    AccessMethods,
    InstantKeys,
    ClientSessions,
    AcsCredentials,
}

/// What belongs to a space.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "snake_case")]
enum OfSpace {
    Spaces,
    Devices,
    AcsEntrances,
    ConnectedAccounts,
    AcsSystems,
    AccessMethods,
}

/// Whether a kind is asked for: all are that are not excluded, unless some are named.
fn is_wanted<K: PartialEq>(kind: &K, include: Option<&[K]>, exclude: Option<&[K]>) -> bool {
    include.is_none_or(|kinds| kinds.contains(kind)) && !exclude.is_some_and(|kinds| kinds.contains(kind))
}

/// Access grants, by their ids or their keys.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfAccessGrants {
    #[serde(default, deserialize_with = "some_list")]
    access_grant_ids: Option<Vec<Named>>,
    #[serde(default, deserialize_with = "some_list")]
    access_grant_keys: Option<Vec<Named>>,
    /// Only these kinds.
    #[serde(default, deserialize_with = "some_list")]
    include: Option<Vec<OfGrant>>,
    /// All but these kinds.
    #[serde(default, deserialize_with = "some_list")]
    exclude: Option<Vec<OfGrant>>,
}

impl Query for OfAccessGrants {
    const SPEC: Spec = Spec {
        path: "/access_grants/get_related",
        id: "access_grant_ids",
        about: "Answers what belongs to access grants.",
    };
    const STATEMENTS: u32 = 10;
    type Answer = One<Batch>;

    async fn read(&self, mut reader: Reader<'_>) -> Result<One<Batch>> {
        let wants = |kind| is_wanted(&kind, self.include.as_deref(), self.exclude.as_deref());
        let names: Vec<Named> =
            self.access_grant_ids.iter().chain(&self.access_grant_keys).flatten().cloned().collect();
        let ids = |ids| GrantField::Id(Condition::In(ids));
        let grants = grants(&mut reader, one_of(&names, ids, |keys| GrantField::Key(Condition::In(keys)))).await?;
        let ids: Vec<Uuid> = grants.iter().map(|grant| grant.id).collect();
        let doors = entrances_of(&mut reader, &ids).await?;
        let mut batch = Batch {
            devices: wants(OfGrant::Devices).then_some([]),
            acs_access_groups: wants(OfGrant::AcsAccessGroups).then_some([]),
            ..Batch::default()
        };
        if wants(OfGrant::UserIdentities) {
            batch.user_identities = Some(identities(&mut reader, &grants).await?);
        }
        if wants(OfGrant::AccessMethods) {
            let of_grants = Filter::Field(MethodField::GrantId(Condition::In(ids.clone())));
            batch.access_methods = Some(live_methods(&mut reader, of_grants).await?);
        }
        if wants(OfGrant::Spaces) {
            batch.spaces = Some(spaces_of(&mut reader, &ids).await?);
        }
        let (accounts, systems) = (wants(OfGrant::ConnectedAccounts), wants(OfGrant::AcsSystems));
        add_systems(&mut reader, &mut batch, &doors, accounts, systems).await?;
        if wants(OfGrant::AcsEntrances) {
            batch.acs_entrances = Some(entrances::complete(&mut reader, doors).await?);
        }
        Ok(One(batch))
    }
}

/// Access methods.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfAccessMethods {
    #[serde(deserialize_with = "list")]
    access_method_ids: Vec<Uuid>,
    /// Only these kinds.
    #[serde(default, deserialize_with = "some_list")]
    include: Option<Vec<OfMethod>>,
    /// All but these kinds.
    #[serde(default, deserialize_with = "some_list")]
    exclude: Option<Vec<OfMethod>>,
}

impl Query for OfAccessMethods {
    const SPEC: Spec = Spec {
        path: "/access_methods/get_related",
        id: "access_method_ids",
        about: "Answers what belongs to means of entry: their access grants, the other means of those, the doors.",
    };
    const STATEMENTS: u32 = 12;
    type Answer = One<Batch>;

    async fn read(&self, mut reader: Reader<'_>) -> Result<One<Batch>> {
        let wants = |kind| is_wanted(&kind, self.include.as_deref(), self.exclude.as_deref());
        let of_ids = Filter::Field(MethodField::Id(Condition::In(self.access_method_ids.clone())));
        let methods = access_methods::methods(&mut reader, vec![of_ids]).await?;
        let ids: Vec<Uuid> = methods.iter().map(|method| method.grant_id).collect();
        let mut batch = Batch {
            devices: wants(OfMethod::Devices).then_some([]),
            client_sessions: wants(OfMethod::ClientSessions).then_some([]),
            instant_keys: wants(OfMethod::InstantKeys).then_some([]),
            ..Batch::default()
        };
        if wants(OfMethod::AccessGrants) {
            let of_ids = Filter::Field(GrantField::Id(Condition::In(ids.clone())));
            let grants = grants(&mut reader, of_ids).await?;
            batch.access_grants = Some(seam_grants::complete(&mut reader, grants).await?);
        }
        if wants(OfMethod::AccessMethods) {
            let others =
                Filter::Not(Box::new(Filter::Field(MethodField::Id(Condition::In(self.access_method_ids.clone())))));
            let of_grants = Filter::Field(MethodField::GrantId(Condition::In(ids.clone())));
            batch.access_methods = Some(live_methods(&mut reader, Filter::All(vec![of_grants, others])).await?);
        }
        if wants(OfMethod::Spaces) {
            batch.spaces = Some(spaces_of(&mut reader, &ids).await?);
        }
        if wants(OfMethod::AcsCredentials) {
            batch.acs_credentials = Some(credentials(&mut reader, &methods).await?);
        }
        if wants(OfMethod::AcsEntrances) {
            let doors = entrances_of(&mut reader, &ids).await?;
            batch.acs_entrances = Some(entrances::complete(&mut reader, doors).await?);
        }
        Ok(One(batch))
    }
}

/// Spaces, by their ids or their keys.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfSpaces {
    #[serde(default, deserialize_with = "some_list")]
    space_ids: Option<Vec<Named>>,
    #[serde(default, deserialize_with = "some_list")]
    space_keys: Option<Vec<Named>>,
    /// Only these kinds.
    #[serde(default, deserialize_with = "some_list")]
    include: Option<Vec<OfSpace>>,
    /// All but these kinds.
    #[serde(default, deserialize_with = "some_list")]
    exclude: Option<Vec<OfSpace>>,
}

impl Query for OfSpaces {
    const SPEC: Spec = Spec { path: "/spaces/get_related", id: "space_ids", about: "Answers what belongs to spaces." };
    const STATEMENTS: u32 = 6;
    type Answer = One<Batch>;

    async fn read(&self, mut reader: Reader<'_>) -> Result<One<Batch>> {
        let wants = |kind| is_wanted(&kind, self.include.as_deref(), self.exclude.as_deref());
        let hotel = reader.actor.hotel.id;
        let names: Vec<Named> = self.space_ids.iter().chain(&self.space_keys).flatten().cloned().collect();
        let filter =
            one_of(&names, |ids| SpaceField::Id(Condition::In(ids)), |keys| SpaceField::Key(Condition::In(keys)));
        let found = locks::space_page(reader.conn, hotel, &filter, &PageRequest::first(MOST)).await?.items;
        let ids: Vec<Uuid> = found.iter().map(|space| space.id).collect();
        let mut doors = locks::entrances_of_spaces(reader.conn, hotel, &ids).await?.concat();
        doors.sort_by_key(|door| door.id);
        doors.dedup_by_key(|door| door.id);
        let mut batch = Batch { devices: wants(OfSpace::Devices).then_some([]), ..Batch::default() };
        if wants(OfSpace::AccessMethods) {
            let spaces = references(&names).into_iter().map(|space| Filter::Field(MethodField::Space(space)));
            batch.access_methods = Some(live_methods(&mut reader, Filter::Any(spaces.collect())).await?);
        }
        if wants(OfSpace::Spaces) {
            batch.spaces = Some(spaces::complete(&mut reader, found).await?);
        }
        let (accounts, systems) = (wants(OfSpace::ConnectedAccounts), wants(OfSpace::AcsSystems));
        add_systems(&mut reader, &mut batch, &doors, accounts, systems).await?;
        if wants(OfSpace::AcsEntrances) {
            batch.acs_entrances = Some(entrances::complete(&mut reader, doors).await?);
        }
        Ok(One(batch))
    }
}

async fn grants(reader: &mut Reader<'_>, filter: Filter<GrantField>) -> Result<Vec<Grant>> {
    let list = OwnedList { integration: visible_to(&reader.actor)?, filter };
    let hotel = reader.actor.hotel.id;
    Ok(access_grants::grant_page(reader.conn, hotel, &list, &PageRequest::first(MOST)).await?.items)
}

/// The doors of grants, each once.
async fn entrances_of(reader: &mut Reader<'_>, grants: &[Uuid]) -> Result<Vec<Entrance>> {
    let hotel = reader.actor.hotel.id;
    let ids = access_grants::entrances_of_grants(reader.conn, hotel, grants).await?.concat();
    locks::entrances_by_ids(reader.conn, hotel, &ids).await
}

/// The cards among methods, each of the provider of the first of its doors.
async fn credentials(reader: &mut Reader<'_>, methods: &[Method]) -> Result<Vec<AcsCredential>> {
    let hotel = reader.actor.hotel.id;
    let grants: Vec<Uuid> = methods.iter().map(|method| method.grant_id).collect();
    let lists = access_grants::entrances_of_grants(reader.conn, hotel, &grants).await?;
    let known = locks::entrances_by_ids(reader.conn, hotel, &lists.concat()).await?;
    let provider = |doors: &[Uuid]| known.iter().find(|door| doors.contains(&door.id)).map(|door| door.provider);
    let cards = methods.iter().zip(&lists).filter(|(method, _)| method.mode == Mode::Card);
    Ok(cards.filter_map(|(method, doors)| Some(AcsCredential::new(method, hotel, provider(doors)?))).collect())
}

/// The spaces that grants were made for, each once.
async fn spaces_of(reader: &mut Reader<'_>, grants: &[Uuid]) -> Result<Vec<Space>> {
    let hotel = reader.actor.hotel.id;
    let ids = access_grants::spaces_of_grants(reader.conn, hotel, grants).await?.concat();
    let found = locks::spaces_by_ids(reader.conn, hotel, &ids).await?;
    spaces::complete(reader, found).await
}

async fn identities(reader: &mut Reader<'_>, grants: &[Grant]) -> Result<Vec<UserIdentity>> {
    let hotel = reader.actor.hotel.id;
    let ids: Vec<Uuid> = grants.iter().map(|grant| grant.user_identity_id).collect();
    let found = access_grants::identities_by_ids(reader.conn, hotel, &ids, false).await?;
    Ok(found.into_iter().map(|view| UserIdentity::new(view.identity, hotel)).collect())
}

async fn live_methods(reader: &mut Reader<'_>, filter: Filter<MethodField>) -> Result<Vec<AccessMethod>> {
    let (hotel, now) = (reader.actor.hotel.id, reader.now);
    let found = access_methods::methods(reader, vec![filter, Filter::Field(MethodField::IsLive)]).await?;
    Ok(found.iter().map(|method| AccessMethod::new(method, hotel, now)).collect())
}

/// Adds the systems of doors, and the accounts that they are connected by, as far as they are wanted.
async fn add_systems(
    reader: &mut Reader<'_>,
    batch: &mut Batch,
    doors: &[Entrance],
    accounts: bool,
    systems: bool,
) -> Result<()> {
    let has = |provider: &Provider| doors.iter().any(|door| door.provider == *provider);
    let providers: Vec<Provider> = Provider::ALL.into_iter().filter(has).collect();
    let hotel = reader.actor.hotel.id;
    if accounts {
        batch.connected_accounts =
            Some(providers.iter().map(|provider| ConnectedAccount::new(hotel, *provider)).collect());
    }
    if systems {
        batch.acs_systems = Some(systems::systems(reader, &providers).await?);
    }
    Ok(())
}
