//! Mutations of doors.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};

use super::entrances::{EntranceNode, entrance_nodes};
use crate::actor::Permission;
use crate::error::Result;
use crate::graphql::changes::irremovable;
use crate::graphql::context::{RequestContext, Session};
use crate::graphql::enums::{AccessMode, LockProvider};
use crate::graphql::error::{InInput, Resolved};
use crate::graphql::selection::Selection;
use crate::locks::{self, Entrance, EntranceChange, Mode, NewEntrance, Reference};

/// A new entrance.
#[derive(InputObject)]
pub struct CreateEntranceInput {
    /// Name by which clients find it, unique in the hotel: 1 to 200 characters, not written like an id.
    entrance_key: Option<String>,
    /// Name that people read: 1 to 200 characters.
    name: String,
    /// Who has made its lock.
    provider: LockProvider,
    /// Whether it can belong to a reservation: the door of a room can, that of the gym cannot.
    can_belong_to_reservation: bool,
    /// What opens it: at least one.
    modes: Vec<AccessMode>,
}

/// What to change of an entrance. What is absent stays as it is.
#[derive(InputObject)]
pub struct UpdateEntranceInput {
    /// The entrance, by its id or by its key.
    id: ID,
    /// Name by which clients find it, unique in the hotel: 1 to 200 characters, not written like an id. `null` takes it away.
    entrance_key: MaybeUndefined<String>,
    /// Name that people read: 1 to 200 characters.
    name: MaybeUndefined<String>,
    /// Who has made its lock. It stays while a reservation has the entrance.
    provider: MaybeUndefined<LockProvider>,
    /// Whether it can belong to a reservation. It stays while a reservation has the entrance.
    can_belong_to_reservation: MaybeUndefined<bool>,
    /// What opens it: at least one.
    modes: MaybeUndefined<Vec<AccessMode>>,
}

/// Which entrance to delete.
#[derive(InputObject)]
pub struct DeleteEntranceInput {
    /// The entrance, by its id or by its key.
    id: ID,
}

/// Answer of `createEntrance` and `updateEntrance`.
#[derive(SimpleObject)]
pub struct EntrancePayload {
    /// The entrance.
    entrance: EntranceNode,
}

/// Answer of `deleteEntrance`.
#[derive(SimpleObject)]
pub struct DeleteEntrancePayload {
    /// Always true; an entrance that cannot be deleted is an error.
    deleted: bool,
}

/// Mutations of doors.
#[derive(Default)]
pub struct EntranceMutation;

#[Object]
impl EntranceMutation {
    /// Adds a door. Needs the permission `FRONT_DESK`.
    ///
    /// Errors: `INVALID_ARGUMENT`, `NAME_TAKEN`.
    async fn create_entrance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The entrance.")] input: CreateEntranceInput,
    ) -> Resolved<Option<EntrancePayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        session.tx().actor.require(Permission::FrontDesk)?;
        let new = NewEntrance {
            key: input.entrance_key,
            name: input.name,
            provider: input.provider.into(),
            can_belong_to_reservation: input.can_belong_to_reservation,
            modes: modes(input.modes),
        };
        let entrance = locks::create_entrance_in(session.tx(), new).await.in_input()?;
        let entrance = node(&mut session, entrance, ctx).await?;
        Ok(Some(session.done(EntrancePayload { entrance })))
    }

    /// Changes a door. Needs the permission `FRONT_DESK`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`, `NAME_TAKEN`.
    async fn update_entrance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateEntranceInput,
    ) -> Resolved<Option<EntrancePayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        session.tx().actor.require(Permission::FrontDesk)?;
        let reference = Reference::parse(&input.id);
        let change = change(input).in_input()?;
        let entrance = locks::update_entrance_in(session.tx(), &reference, change).await.in_input()?;
        let entrance = node(&mut session, entrance, ctx).await?;
        Ok(Some(session.done(EntrancePayload { entrance })))
    }

    /// Deletes a door that no access grant was ever made for, and takes it out of its spaces. Needs the permission `FRONT_DESK`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`.
    async fn delete_entrance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which entrance.")] input: DeleteEntranceInput,
    ) -> Resolved<Option<DeleteEntrancePayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        session.tx().actor.require(Permission::FrontDesk)?;
        locks::delete_entrance_in(session.tx(), &Reference::parse(&input.id)).await.in_input()?;
        Ok(Some(session.done(DeleteEntrancePayload { deleted: true })))
    }
}

fn change(input: UpdateEntranceInput) -> Result<EntranceChange> {
    Ok(EntranceChange {
        key: input.entrance_key.into(),
        name: irremovable(input.name, "name")?,
        provider: irremovable(input.provider, "provider")?.map(Into::into),
        can_belong_to_reservation: irremovable(input.can_belong_to_reservation, "canBelongToReservation")?,
        modes: irremovable(input.modes, "modes")?.map(modes),
    })
}

fn modes(modes: Vec<AccessMode>) -> Vec<Mode> {
    modes.into_iter().map(Into::into).collect()
}

async fn node(session: &mut Session<'_>, entrance: Entrance, ctx: &Context<'_>) -> Result<EntranceNode> {
    Ok(entrance_nodes(session, vec![entrance], &Selection::of(ctx).field("entrance")).await?.remove(0))
}
