//! Categories and rooms in the schema.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use uuid::Uuid;

use super::changes::irremovable;
use super::context::RequestContext;
use super::enums::CleaningStatus;
use super::error::{InInput, Resolved, read_ahead};
use super::scalars::uuid;
use super::selection::Selection;
use crate::actor::Permission;
use crate::error::Result;
use crate::hotels;
use crate::rooms::{self, Category, CategoryChange, RoomSetup, RoomSetupChange};

/// A kind of room that guests book.
#[derive(SimpleObject)]
#[graphql(name = "Category")]
pub struct CategoryNode {
    /// Opaque, at most 64 letters, digits and hyphens.
    id: ID,
    /// Name, unique in the hotel.
    name: String,
    /// What guests read about it.
    description: Option<String>,
}

/// A physical room.
pub struct RoomSetupNode {
    id: Uuid,
    /// All of it; `None` where nothing but its id was selected.
    room: Option<RoomSetup>,
}

impl RoomSetupNode {
    /// A room of which nothing but its id was selected.
    pub fn of_id(id: Uuid) -> Self {
        Self { id, room: None }
    }

    /// Name of the room.
    pub fn door_name(&self) -> Resolved<&str> {
        self.read().map(|room| room.name.as_str())
    }

    fn read(&self) -> Resolved<&RoomSetup> {
        read_ahead(self.room.as_ref())
    }
}

/// A physical room.
#[Object(name = "RoomSetup")]
impl RoomSetupNode {
    /// Opaque, at most 64 letters, digits and hyphens.
    #[graphql(name = "id")]
    async fn graphql_id(&self) -> ID {
        ID(self.id.to_string())
    }

    /// What is on its door; unique in the hotel.
    async fn name(&self) -> Resolved<&str> {
        self.door_name()
    }

    /// Part of the house.
    async fn area_name(&self) -> Resolved<Option<&str>> {
        Ok(self.read()?.area_name.as_deref())
    }

    /// What it is sold as.
    async fn category(&self) -> Resolved<CategoryNode> {
        Ok(self.read()?.category.clone().into())
    }

    /// Whether it is ready for a guest.
    async fn cleaning_status(&self) -> Resolved<CleaningStatus> {
        Ok(self.read()?.cleaning_status.into())
    }
}

impl From<Category> for CategoryNode {
    fn from(Category { id, name, description }: Category) -> Self {
        Self { id: ID(id.to_string()), name, description }
    }
}

impl From<RoomSetup> for RoomSetupNode {
    fn from(room: RoomSetup) -> Self {
        Self { id: room.id, room: Some(room) }
    }
}

/// What a hotel has set up.
#[derive(SimpleObject)]
pub struct Settings {
    /// All categories, by name.
    categories: Vec<CategoryNode>,
    /// All rooms, by name.
    room_setups: Vec<RoomSetupNode>,
    /// Whether lock vendors may write room access keys: the hotel's switch "Room Access Key API enabled".
    room_access_keys_enabled: bool,
    /// Whether this is a sandbox: a hotel to try things in, whose records persist, and where what guests and locks do can be simulated.
    is_sandbox: bool,
}

/// Queries for settings.
#[derive(Default)]
pub struct SettingsQuery;

#[Object]
impl SettingsQuery {
    /// What the hotel has set up.
    async fn settings(&self, ctx: &Context<'_>) -> Resolved<Option<Settings>> {
        Ok(Some(settings(RequestContext::of(ctx), &Selection::of(ctx)).await?))
    }
}

async fn settings(context: &RequestContext, selection: &Selection<'_>) -> Result<Settings> {
    let hotel = context.actor.hotel.id;
    let mut session = context.read().await?;
    let categories =
        if selection.has("categories") { rooms::categories(session.conn().await?, hotel).await? } else { Vec::new() };
    let room_setups =
        if selection.has("roomSetups") { rooms::room_setups(session.conn().await?, hotel).await? } else { Vec::new() };
    let room_access_keys_enabled = if selection.has("roomAccessKeysEnabled") {
        // Read again: a mutation of the same request may have switched it.
        hotels::get(session.conn().await?, &context.actor.hotel.slug).await?.room_access_keys_enabled
    } else {
        context.actor.hotel.room_access_keys_enabled
    };
    Ok(Settings {
        categories: categories.into_iter().map(CategoryNode::from).collect(),
        room_setups: room_setups.into_iter().map(RoomSetupNode::from).collect(),
        room_access_keys_enabled,
        is_sandbox: context.actor.hotel.is_sandbox,
    })
}

/// A new category.
#[derive(InputObject)]
pub struct CreateCategoryInput {
    /// Unique in the hotel; 1 to 200 characters.
    name: String,
    /// What guests read about it.
    description: Option<String>,
}

/// What to change of a category. What is absent stays as it is.
#[derive(InputObject)]
pub struct UpdateCategoryInput {
    /// The category.
    id: ID,
    /// Unique in the hotel; 1 to 200 characters.
    name: MaybeUndefined<String>,
    /// What guests read about it; `null` takes it away.
    description: MaybeUndefined<String>,
}

/// A new room.
#[derive(InputObject)]
pub struct CreateRoomSetupInput {
    /// What is on its door; unique in the hotel; 1 to 50 characters.
    name: String,
    /// Part of the house.
    area_name: Option<String>,
    /// What it is sold as.
    category_id: ID,
}

/// What to change of a room. What is absent stays as it is.
#[derive(InputObject)]
pub struct UpdateRoomSetupInput {
    /// The room.
    id: ID,
    /// Whether it is ready for a guest. The one field that needs no more than the permission `WRITE`.
    cleaning_status: MaybeUndefined<CleaningStatus>,
    /// What is on its door; unique in the hotel; 1 to 50 characters. Needs the permission `FRONT_DESK`.
    name: MaybeUndefined<String>,
    /// Part of the house; `null` takes it away. Needs the permission `FRONT_DESK`.
    area_name: MaybeUndefined<String>,
    /// What it is sold as. Needs the permission `FRONT_DESK`.
    category_id: MaybeUndefined<ID>,
}

/// Answer of `createCategory` and `updateCategory`.
#[derive(SimpleObject)]
pub struct CategoryPayload {
    /// The category.
    category: CategoryNode,
}

/// Answer of `createRoomSetup` and `updateRoomSetup`.
#[derive(SimpleObject)]
pub struct RoomSetupPayload {
    /// The room.
    room_setup: RoomSetupNode,
}

/// Mutations of categories and rooms.
#[derive(Default)]
pub struct RoomMutation;

#[Object]
impl RoomMutation {
    /// Adds a category. Needs the permission `FRONT_DESK`.
    ///
    /// Errors: `INVALID_ARGUMENT`, `NAME_TAKEN`.
    async fn create_category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The category.")] input: CreateCategoryInput,
    ) -> Resolved<Option<CategoryPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        session.tx().actor.require(Permission::FrontDesk)?;
        let category = rooms::create_category_in(session.tx(), input.name, input.description).await.in_input()?;
        Ok(Some(session.done(CategoryPayload { category: category.into() })))
    }

    /// Changes a category. Needs the permission `FRONT_DESK`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`, `NAME_TAKEN`.
    async fn update_category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateCategoryInput,
    ) -> Resolved<Option<CategoryPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        session.tx().actor.require(Permission::FrontDesk)?;
        let change =
            CategoryChange { name: irremovable(input.name, "name").in_input()?, description: input.description.into() };
        let category = rooms::update_category_in(session.tx(), uuid(&input.id), change).await.in_input()?;
        Ok(Some(session.done(CategoryPayload { category: category.into() })))
    }

    /// Adds a room. Needs the permission `FRONT_DESK`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`, `NAME_TAKEN`.
    async fn create_room_setup(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The room.")] input: CreateRoomSetupInput,
    ) -> Resolved<Option<RoomSetupPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        session.tx().actor.require(Permission::FrontDesk)?;
        let category = uuid(&input.category_id);
        let room = rooms::create_room_setup_in(session.tx(), input.name, input.area_name, category).await.in_input()?;
        Ok(Some(session.done(RoomSetupPayload { room_setup: room.into() })))
    }

    /// Changes a room. `cleaningStatus` needs the permission `WRITE`, everything else `FRONT_DESK`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`, `NAME_TAKEN`.
    async fn update_room_setup(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateRoomSetupInput,
    ) -> Resolved<Option<RoomSetupPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        if !(input.name.is_undefined() && input.area_name.is_undefined() && input.category_id.is_undefined()) {
            session.tx().actor.require(Permission::FrontDesk)?;
        }
        let change = RoomSetupChange {
            name: irremovable(input.name, "name").in_input()?,
            area_name: input.area_name.into(),
            category_id: irremovable(input.category_id, "categoryId").in_input()?.as_ref().map(uuid),
            cleaning_status: irremovable(input.cleaning_status, "cleaningStatus").in_input()?.map(Into::into),
        };
        let room = rooms::update_room_setup_in(session.tx(), uuid(&input.id), change).await.in_input()?;
        Ok(Some(session.done(RoomSetupPayload { room_setup: room.into() })))
    }
}
