//! Mutations of access methods.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use uuid::Uuid;

use super::methods::AccessMethodNode;
use crate::access_grants;
use crate::db::{Condition, Filter, PageRequest};
use crate::error::{Error, Result};
use crate::graphql::action_attempts::ActionAttemptNode;
use crate::graphql::context::{RequestContext, Session};
use crate::graphql::error::{InInput, Resolved};
use crate::graphql::scalars::{Datetime, uuid};
use crate::lock_commands::{self, AttemptField};
use crate::locks::Reference;

/// Which access method to take away.
#[derive(InputObject)]
pub struct DeleteAccessMethodInput {
    /// The access method.
    access_method_id: ID,
}

/// Which card to write, and where.
#[derive(InputObject)]
pub struct EncodeAccessMethodInput {
    /// The access method, whose mode is `CARD`.
    access_method_id: ID,
    /// The encoder, by its id or by its key.
    encoder_id: ID,
}

/// Which door to open, and by what.
#[derive(InputObject)]
pub struct UnlockDoorInput {
    /// The access method, whose mode is `CLOUD_KEY`.
    access_method_id: ID,
    /// The entrance, by its id or by its key: one of its grant's whose modes have `CLOUD_KEY`.
    entrance_id: ID,
}

/// What a lock was seen to do.
#[derive(InputObject)]
pub struct ReportAccessMethodOverrideInput {
    /// The access method that the lock refused.
    access_method_id: ID,
    /// When it did: between the start of the access grant and now. Now when it is not said.
    seen_at: Option<Datetime>,
}

/// Answer of `deleteAccessMethod` and `reportAccessMethodOverride`.
#[derive(SimpleObject)]
pub struct AccessMethodPayload {
    /// The access method.
    access_method: AccessMethodNode,
}

/// Answer of `encodeAccessMethod`.
#[derive(SimpleObject)]
pub struct EncodeAccessMethodPayload {
    /// How the encoder gets on with it: see `actionAttempts`.
    action_attempt: ActionAttemptNode,
}

/// Answer of `unlockDoor`.
#[derive(SimpleObject)]
pub struct UnlockDoorPayload {
    /// What came of it.
    action_attempt: ActionAttemptNode,
}

/// Mutations of access methods.
#[derive(Default)]
pub struct AccessMethodMutation;

#[Object]
impl AccessMethodMutation {
    /// Takes an access method of this integration away, such as a card that was lost. It stays listed as `REVOKED`. Needs the
    /// permission `WRITE`.
    ///
    /// Errors: `NOT_FOUND`.
    async fn delete_access_method(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which access method.")] input: DeleteAccessMethodInput,
    ) -> Resolved<Option<AccessMethodPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        let id = uuid(&input.access_method_id);
        access_grants::delete_method_in(session.tx(), id).await.in_input()?;
        let access_method = node(&mut session, id).await?;
        Ok(Some(session.done(AccessMethodPayload { access_method })))
    }

    /// Tells an encoder to write the card of an access method, for the first time or again. Needs the permission `WRITE`; with
    /// `FRONT_DESK` the card may be that of another integration.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`.
    async fn encode_access_method(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which card, and where.")] input: EncodeAccessMethodInput,
    ) -> Resolved<Option<EncodeAccessMethodPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        let (id, encoder) = (uuid(&input.access_method_id), Reference::parse(&input.encoder_id));
        let attempt = access_grants::encode_in(session.tx(), id, encoder).await.in_input()?;
        let action_attempt = attempt_node(&mut session, attempt).await?;
        Ok(Some(session.done(EncodeAccessMethodPayload { action_attempt })))
    }

    /// Opens a door from afar, by an access method of the mode `CLOUD_KEY` whose access grant has begun and has not ended. The answer
    /// says what came of it. In a sandbox hotel the door is simulated, and opens; elsewhere nothing is connected to doors yet, and the
    /// attempt has failed with `DEVICE_NOT_CONNECTED`. Needs the permission `WRITE`; with `FRONT_DESK` the access method may be that of
    /// another integration.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`.
    async fn unlock_door(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which door, and by what.")] input: UnlockDoorInput,
    ) -> Resolved<Option<UnlockDoorPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        let (id, entrance) = (uuid(&input.access_method_id), Reference::parse(&input.entrance_id));
        let attempt = access_grants::unlock_in(session.tx(), id, &entrance).await.in_input()?;
        let action_attempt = attempt_node(&mut session, attempt).await?;
        Ok(Some(session.done(UnlockDoorPayload { action_attempt })))
    }

    /// Takes note that a lock was seen to refuse an access method for a later reservation, as the audit of the lock says. The first
    /// report counts. Needs the permission `WRITE`; with `FRONT_DESK` the access method may be that of another integration.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`.
    async fn report_access_method_override(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What was seen.")] input: ReportAccessMethodOverrideInput,
    ) -> Resolved<Option<AccessMethodPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        let (id, seen_at) = (uuid(&input.access_method_id), input.seen_at.map(|at| at.0.to_utc()));
        access_grants::report_override_in(session.tx(), id, seen_at).await.in_input()?;
        let access_method = node(&mut session, id).await?;
        Ok(Some(session.done(AccessMethodPayload { access_method })))
    }
}

async fn node(session: &mut Session<'_>, id: Uuid) -> Result<AccessMethodNode> {
    let (hotel, now) = (session.context.actor.hotel.id, session.context.now);
    let method = access_grants::method(session.conn().await?, hotel, id, now).await?;
    Ok(AccessMethodNode::new(&method, now, session.context.actor.hotel.time_zone))
}

async fn attempt_node(session: &mut Session<'_>, id: Uuid) -> Result<ActionAttemptNode> {
    let hotel = session.context.actor.hotel.id;
    let filter = Filter::Field(AttemptField::Id(Condition::Eq(Some(id))));
    let page = lock_commands::page(session.conn().await?, hotel, None, &filter, &PageRequest::first(1)).await?;
    let attempt =
        page.items.into_iter().next().ok_or_else(|| Error::internal("a command that was made is not there"))?;
    Ok(ActionAttemptNode::new(attempt, session.context.actor.hotel.time_zone))
}
