//! Spaces: named sets of doors. Each room is one. Changing them needs the permission `FRONT_DESK`, as everywhere.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::{Done, List, One, Resource, page_request};
use super::operation::{Act, Query, Reader, Spec};
use super::parameters::{Named, either, limit, list, references, some_list};
use crate::actor::Permission;
use crate::app::App;
use crate::db::{Condition, CursorScope, Filter, Page, PageRequest};
use crate::error::{Error, ErrorAt as _, Record, Result};
use crate::hotels::HotelId;
use crate::locks::{self, NewSpace, Reference, SpaceChange, SpaceField};
use crate::unit::Tx;

/// Spaces of a page where no limit is given.
const LIMIT: u16 = 500;

/// A named set of doors.
#[derive(Serialize, ToSchema)]
pub struct Space {
    space_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    space_key: Option<String>,
    name: String,
    display_name: String,
    acs_entrance_count: usize,
    device_count: usize,
    created_at: DateTime<Utc>,
    workspace_id: Uuid,
}

impl Resource for Space {
    const ONE: &'static str = "space";
    const MANY: &'static str = "spaces";
}

impl Space {
    fn new(space: locks::Space, hotel: HotelId, acs_entrance_count: usize) -> Self {
        Self {
            space_id: space.id,
            space_key: space.key,
            display_name: space.name.clone(),
            name: space.name,
            acs_entrance_count,
            device_count: 0,
            created_at: space.created_at,
            workspace_id: hotel,
        }
    }
}

/// Completes spaces with how many doors they hold, in one statement.
pub async fn complete(reader: &mut Reader<'_>, spaces: Vec<locks::Space>) -> Result<Vec<Space>> {
    let (hotel, ids) = (reader.actor.hotel.id, spaces.iter().map(|space| space.id).collect::<Vec<_>>());
    let doors = locks::entrances_of_spaces(reader.conn, hotel, &ids).await?;
    Ok(spaces.into_iter().zip(doors).map(|(space, doors)| Space::new(space, hotel, doors.len())).collect())
}

async fn one(mut reader: Reader<'_>, space: locks::Space) -> Result<One<Space>> {
    let space = complete(&mut reader, vec![space]).await?.pop();
    space.map(One).ok_or_else(|| Error::internal("a space is complete"))
}

/// A space beside those that are rooms.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateSpace {
    name: String,
    /// Name by which it is found, which no other space of the hotel has.
    space_key: Option<String>,
    /// The doors that it holds.
    #[serde(default, deserialize_with = "some_list")]
    acs_entrance_ids: Option<Vec<Named>>,
}

impl Act for CreateSpace {
    const SPEC: Spec = Spec { path: "/spaces/create", id: "space_id", about: "Adds a space." };
    const PERMISSION: Permission = Permission::FrontDesk;
    type Answer = One<Space>;

    async fn perform_in(&self, tx: &mut Tx, _: &App) -> Result<One<Space>> {
        let entrances = references(self.acs_entrance_ids.as_deref().unwrap_or_default());
        let new = NewSpace { key: self.space_key.clone(), name: self.name.clone(), entrances };
        let space = locks::create_space_in(tx, new).await?;
        one(Reader::of(tx).await?, space).await
    }
}

/// Which one, by its id or its key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetSpace {
    space_id: Option<Named>,
    space_key: Option<Named>,
}

impl Query for GetSpace {
    const SPEC: Spec = Spec { path: "/spaces/get", id: "space_id", about: "Answers one space." };
    const STATEMENTS: u32 = 2;
    type Answer = One<Space>;

    async fn read(&self, mut reader: Reader<'_>) -> Result<One<Space>> {
        let found = find(&mut reader, space_named(self.space_id.as_ref(), self.space_key.as_ref())?).await?;
        one(reader, found).await
    }
}

async fn find(reader: &mut Reader<'_>, space: Reference) -> Result<locks::Space> {
    let field = match space {
        Reference::Id(id) => SpaceField::Id(Condition::Eq(Some(id))),
        Reference::Key(key) => SpaceField::Key(Condition::Eq(Some(key))),
    };
    let hotel = reader.actor.hotel.id;
    let page = locks::space_page(reader.conn, hotel, &Filter::Field(field), &PageRequest::first(1)).await?;
    page.items.into_iter().next().ok_or_else(|| Error::not_found(Record::Space)).at("id")
}

/// Which of them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListSpaces {
    /// Only that with this key.
    space_key: Option<String>,
    /// 1 to 1,000.
    #[serde(default, deserialize_with = "limit")]
    limit: Option<u16>,
    /// `next_page_cursor` of the page before.
    page_cursor: Option<String>,
}

impl Query for ListSpaces {
    const SPEC: Spec = Spec {
        path: "/spaces/list",
        id: "space_id",
        about: "Answers the spaces of the hotel, rooms included, in the order in which they were made.",
    };
    const STATEMENTS: u32 = 2;
    type Answer = List<Space>;

    async fn read(&self, mut reader: Reader<'_>) -> Result<List<Space>> {
        let hotel = reader.actor.hotel.id;
        let of_key = self.space_key.clone().map(|key| Filter::Field(SpaceField::Key(Condition::Eq(Some(key)))));
        let filter = of_key.unwrap_or_default();
        let scope = CursorScope::new(hotel, Self::SPEC.path, &filter);
        let request = page_request(scope, self.limit.unwrap_or(LIMIT), self.page_cursor.as_deref())?;
        let Page { items, more } = locks::space_page(reader.conn, hotel, &filter, &request).await?;
        let items = complete(&mut reader, items).await?;
        Ok(List::page(Page { items, more }, scope, |space| space.space_id, |space| space))
    }
}

/// What to change; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateSpace {
    space_id: Option<Named>,
    space_key: Option<Named>,
    /// New name; that of a room is changed with the room.
    name: Option<String>,
    /// Doors in the place of those that it holds.
    #[serde(default, deserialize_with = "some_list")]
    acs_entrance_ids: Option<Vec<Named>>,
}

impl Act for UpdateSpace {
    const SPEC: Spec = Spec { path: "/spaces/update", id: "space_id", about: "Changes a space." };
    const PERMISSION: Permission = Permission::FrontDesk;
    type Answer = One<Space>;

    async fn perform_in(&self, tx: &mut Tx, _: &App) -> Result<One<Space>> {
        let space = space_named(self.space_id.as_ref(), self.space_key.as_ref())?;
        let entrances = self.acs_entrance_ids.as_deref().map(references);
        let change = SpaceChange { key: None, name: self.name.clone(), entrances };
        let space = locks::update_space_in(tx, &space, change).await?;
        one(Reader::of(tx).await?, space).await
    }
}

/// Which one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteSpace {
    space_id: Named,
}

impl Act for DeleteSpace {
    const SPEC: Spec =
        Spec { path: "/spaces/delete", id: "space_id", about: "Deletes a space that is no room. Its doors stay." };
    const PERMISSION: Permission = Permission::FrontDesk;
    type Answer = Done;

    async fn perform_in(&self, tx: &mut Tx, _: &App) -> Result<Done> {
        locks::delete_space_in(tx, &self.space_id.0).await?;
        Ok(Done)
    }
}

/// Doors to put into a space.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddAcsEntrances {
    space_id: Named,
    acs_entrance_ids: Vec<Named>,
}

impl Act for AddAcsEntrances {
    const SPEC: Spec = Spec { path: "/spaces/add_acs_entrances", id: "space_id", about: "Puts doors into a space." };
    const PERMISSION: Permission = Permission::FrontDesk;
    type Answer = Done;

    async fn perform_in(&self, tx: &mut Tx, _: &App) -> Result<Done> {
        locks::add_space_entrances_in(tx, &self.space_id.0, &references(&self.acs_entrance_ids)).await?;
        Ok(Done)
    }
}

/// Doors to take out of a space.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveAcsEntrances {
    space_id: Named,
    #[serde(deserialize_with = "list")]
    acs_entrance_ids: Vec<Named>,
}

impl Act for RemoveAcsEntrances {
    const SPEC: Spec =
        Spec { path: "/spaces/remove_acs_entrances", id: "space_id", about: "Takes doors out of a space." };
    const PERMISSION: Permission = Permission::FrontDesk;
    type Answer = Done;

    async fn perform_in(&self, tx: &mut Tx, _: &App) -> Result<Done> {
        locks::remove_space_entrances_in(tx, &self.space_id.0, &references(&self.acs_entrance_ids)).await?;
        Ok(Done)
    }
}

/// Devices to put into a space. The hotel has none, so each is unknown.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddDevices {
    space_id: Named,
    device_ids: Vec<Named>,
}

impl Act for AddDevices {
    const SPEC: Spec = Spec { path: "/spaces/add_devices", id: "space_id", about: "Puts devices into a space." };
    const PERMISSION: Permission = Permission::FrontDesk;
    type Answer = Done;

    async fn perform_in(&self, tx: &mut Tx, _: &App) -> Result<Done> {
        no_devices_in(tx, &self.space_id, &self.device_ids).await
    }
}

/// Devices to take out of a space. The hotel has none, so each is unknown.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveDevices {
    space_id: Named,
    #[serde(deserialize_with = "list")]
    device_ids: Vec<Named>,
}

impl Act for RemoveDevices {
    const SPEC: Spec = Spec { path: "/spaces/remove_devices", id: "space_id", about: "Takes devices out of a space." };
    const PERMISSION: Permission = Permission::FrontDesk;
    type Answer = Done;

    async fn perform_in(&self, tx: &mut Tx, _: &App) -> Result<Done> {
        no_devices_in(tx, &self.space_id, &self.device_ids).await
    }
}

async fn no_devices_in(tx: &mut Tx, Named(space): &Named, devices: &[Named]) -> Result<Done> {
    find(&mut Reader::of(tx).await?, space.clone()).await?;
    if devices.is_empty() { Ok(Done) } else { Err(Error::not_found(Record::Device).at(0).at("device_ids")) }
}

fn space_named(id: Option<&Named>, key: Option<&Named>) -> Result<Reference> {
    either(id, key, "space_id and space_key")
}
