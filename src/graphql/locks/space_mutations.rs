//! Mutations of spaces.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};

use super::references;
use super::spaces::{SpaceNode, space_nodes};
use crate::actor::Permission;
use crate::error::Result;
use crate::graphql::changes::irremovable;
use crate::graphql::context::{RequestContext, Session};
use crate::graphql::error::{InInput, Resolved};
use crate::graphql::selection::Selection;
use crate::locks::{self, NewSpace, Reference, Space, SpaceChange};

/// A new space.
#[derive(InputObject)]
pub struct CreateSpaceInput {
    /// Name by which clients find it, unique in the hotel: 1 to 200 characters, not written like an id.
    space_key: Option<String>,
    /// Name that people read: 1 to 200 characters.
    name: String,
    /// The entrances that it holds, each by its id or by its key.
    entrance_ids: Option<Vec<ID>>,
}

/// What to change of a space. What is absent stays as it is.
#[derive(InputObject)]
pub struct UpdateSpaceInput {
    /// The space, by its id or by its key.
    id: ID,
    /// Name by which clients find it, unique in the hotel: 1 to 200 characters, not written like an id. `null` takes it away.
    space_key: MaybeUndefined<String>,
    /// Name that people read: 1 to 200 characters. That of a room is changed with the room.
    name: MaybeUndefined<String>,
}

/// Which space to delete.
#[derive(InputObject)]
pub struct DeleteSpaceInput {
    /// The space, by its id or by its key.
    id: ID,
}

/// Entrances to put into a space.
#[derive(InputObject)]
pub struct AddSpaceEntrancesInput {
    /// The space, by its id or by its key.
    space_id: ID,
    /// The entrances, each by its id or by its key.
    entrance_ids: Vec<ID>,
}

/// Entrances to take out of a space.
#[derive(InputObject)]
pub struct RemoveSpaceEntrancesInput {
    /// The space, by its id or by its key.
    space_id: ID,
    /// The entrances, each by its id or by its key.
    entrance_ids: Vec<ID>,
}

/// Answer of the mutations that make and change spaces.
#[derive(SimpleObject)]
pub struct SpacePayload {
    /// The space.
    space: SpaceNode,
}

/// Answer of `deleteSpace`.
#[derive(SimpleObject)]
pub struct DeleteSpacePayload {
    /// Always true; a space that cannot be deleted is an error.
    deleted: bool,
}

/// Mutations of spaces.
#[derive(Default)]
pub struct SpaceMutation;

#[Object]
impl SpaceMutation {
    /// Adds a space beside those that are rooms. Needs the permission `FRONT_DESK`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`, `NAME_TAKEN`.
    async fn create_space(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The space.")] input: CreateSpaceInput,
    ) -> Resolved<Option<SpacePayload>> {
        let mut session = begin(ctx).await?;
        let entrances = references(&input.entrance_ids.unwrap_or_default());
        let new = NewSpace { key: input.space_key, name: input.name, entrances };
        let space = locks::create_space_in(session.tx(), new).await.in_input()?;
        Ok(Some(done(session, space, ctx).await?))
    }

    /// Changes the key or the name of a space. Needs the permission `FRONT_DESK`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`, `NAME_TAKEN`.
    async fn update_space(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateSpaceInput,
    ) -> Resolved<Option<SpacePayload>> {
        let mut session = begin(ctx).await?;
        let name = irremovable(input.name, "name").in_input()?;
        let change = SpaceChange { key: input.space_key.into(), name, ..SpaceChange::default() };
        let space = locks::update_space_in(session.tx(), &Reference::parse(&input.id), change).await.in_input()?;
        Ok(Some(done(session, space, ctx).await?))
    }

    /// Deletes a space that is no room. Its entrances stay, and so do access grants that were made for it. Needs the permission
    /// `FRONT_DESK`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`.
    async fn delete_space(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which space.")] input: DeleteSpaceInput,
    ) -> Resolved<Option<DeleteSpacePayload>> {
        let mut session = begin(ctx).await?;
        locks::delete_space_in(session.tx(), &Reference::parse(&input.id)).await.in_input()?;
        Ok(Some(session.done(DeleteSpacePayload { deleted: true })))
    }

    /// Puts entrances into a space; those that are in it already stay. Access grants that were made for it keep their entrances.
    /// Needs the permission `FRONT_DESK`.
    ///
    /// Errors: `NOT_FOUND`.
    async fn add_space_entrances(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which entrances.")] input: AddSpaceEntrancesInput,
    ) -> Resolved<Option<SpacePayload>> {
        let mut session = begin(ctx).await?;
        let (space, entrances) = (Reference::parse(&input.space_id), references(&input.entrance_ids));
        let space = locks::add_space_entrances_in(session.tx(), &space, &entrances).await.in_input()?;
        Ok(Some(done(session, space, ctx).await?))
    }

    /// Takes entrances out of a space; those that are not in it stay out. Access grants that were made for it keep their
    /// entrances. Needs the permission `FRONT_DESK`.
    ///
    /// Errors: `NOT_FOUND`.
    async fn remove_space_entrances(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which entrances.")] input: RemoveSpaceEntrancesInput,
    ) -> Resolved<Option<SpacePayload>> {
        let mut session = begin(ctx).await?;
        let (space, entrances) = (Reference::parse(&input.space_id), references(&input.entrance_ids));
        let space = locks::remove_space_entrances_in(session.tx(), &space, &entrances).await.in_input()?;
        Ok(Some(done(session, space, ctx).await?))
    }
}

async fn begin<'a>(ctx: &'a Context<'_>) -> Resolved<Session<'a>> {
    let session = RequestContext::of(ctx).write().await?;
    session.context.actor.require(Permission::FrontDesk)?;
    Ok(session)
}

async fn done(mut session: Session<'_>, space: Space, ctx: &Context<'_>) -> Result<SpacePayload> {
    let space = space_nodes(&mut session, vec![space], &Selection::of(ctx).field("space")).await?.remove(0);
    Ok(session.done(SpacePayload { space }))
}
