//! Mutations of access grants.

use async_graphql::{Context, Object, SimpleObject};
use uuid::Uuid;

use super::grants::{AccessGrantNode, grant_nodes};
use super::inputs::{
    CreateAccessGrantInput, DeleteAccessGrantInput, RequestAccessMethodsInput, UpdateAccessGrantInput,
};
use super::methods::AccessMethodNode;
use crate::access_grants;
use crate::error::Result;
use crate::graphql::context::{RequestContext, Session};
use crate::graphql::error::{InInput, Resolved, read_ahead};
use crate::graphql::selection::Selection;

/// Answer of `createAccessGrant`, `updateAccessGrant` and `requestAccessMethods`.
#[derive(SimpleObject)]
pub struct AccessGrantPayload {
    /// The access grant.
    access_grant: AccessGrantNode,
}

/// Answer of `deleteAccessGrant`.
pub struct DeleteAccessGrantPayload {
    /// `None` when they were not selected.
    methods: Option<Vec<AccessMethodNode>>,
}

/// Answer of `deleteAccessGrant`.
#[Object]
impl DeleteAccessGrantPayload {
    /// Always true; an access grant that cannot be deleted is an error.
    async fn deleted(&self) -> bool {
        true
    }

    /// The access methods that were taken away with it: their warnings tell which cards have to be collected.
    async fn access_methods(&self) -> Resolved<&[AccessMethodNode]> {
        read_ahead(self.methods.as_deref())
    }
}

/// Mutations of access grants.
#[derive(Default)]
pub struct AccessGrantMutation;

#[Object]
impl AccessGrantMutation {
    /// Grants somebody access to doors, by means of entry that are made for it. Needs the permission `WRITE`.
    ///
    /// The first access grant of a reservation key fixes its doors, and overrides what other reservations have on them once it is
    /// used; those that follow join it. Doors that cannot belong to a reservation are outside of that.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`, `NAME_TAKEN`, `RESERVATION_CANCELLED`, `ROOM_STAY_DEPARTED`,
    /// `RESERVATION_KEY_NOT_SUPPORTED`, `RESERVATION_KEY_REQUIRED`, `RESERVATION_ENTRANCE_CHANGE_REQUIRES_CLEANUP`,
    /// `RESERVATION_JOINER_ENTRANCE_SET_CONFLICT`, `RESERVATION_TIME_FRAMES_MUST_OVERLAP`.
    async fn create_access_grant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The access grant.")] input: CreateAccessGrantInput,
    ) -> Resolved<Option<AccessGrantPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        let new = input.new_grant().in_input()?;
        let id = access_grants::create_in(session.tx(), new).await.in_input()?;
        Ok(Some(answer(session, id, ctx).await?))
    }

    /// Changes an access grant of this integration. After a change of times or doors its cards have to be encoded again: see
    /// `warnings`. Needs the permission `WRITE`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`, `RESERVATION_KEY_REQUIRED`, `RESERVATION_ENTRANCE_CHANGE_REQUIRES_CLEANUP`,
    /// `RESERVATION_TIME_FRAMES_MUST_OVERLAP`.
    async fn update_access_grant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateAccessGrantInput,
    ) -> Resolved<Option<AccessGrantPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        let (grant, change) = input.change().in_input()?;
        let id = access_grants::update_in(session.tx(), &grant, change).await.in_input()?;
        Ok(Some(answer(session, id, ctx).await?))
    }

    /// Deletes an access grant of this integration and takes its access methods away, which stay listed as `REVOKED`. Needs the
    /// permission `WRITE`.
    ///
    /// Errors: `NOT_FOUND`.
    async fn delete_access_grant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which access grant.")] input: DeleteAccessGrantInput,
    ) -> Resolved<Option<DeleteAccessGrantPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        let id = access_grants::delete_in(session.tx(), &input.reference()).await.in_input()?;
        let methods =
            if Selection::of(ctx).has("accessMethods") { Some(methods(&mut session, id).await?) } else { None };
        Ok(Some(session.done(DeleteAccessGrantPayload { methods })))
    }

    /// Asks for more access methods of an access grant of this integration. Needs the permission `WRITE`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`.
    async fn request_access_methods(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of which access grant, and which.")] input: RequestAccessMethodsInput,
    ) -> Resolved<Option<AccessGrantPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        let (grant, modes) = input.request();
        let id = access_grants::request_methods_in(session.tx(), &grant, &modes).await.in_input()?;
        Ok(Some(answer(session, id, ctx).await?))
    }
}

/// The grant as it is now.
async fn answer(mut session: Session<'_>, id: Uuid, ctx: &Context<'_>) -> Result<AccessGrantPayload> {
    let hotel = session.context.actor.hotel.id;
    let grant = access_grants::grant(session.conn().await?, hotel, id).await?;
    let selection = Selection::of(ctx).field("accessGrant");
    let access_grant = grant_nodes(&mut session, vec![grant], &selection).await?.remove(0);
    Ok(session.done(AccessGrantPayload { access_grant }))
}

/// What was taken away with a grant.
async fn methods(session: &mut Session<'_>, grant: Uuid) -> Result<Vec<AccessMethodNode>> {
    let (hotel, now) = (session.context.actor.hotel.id, session.context.now);
    let methods = access_grants::methods_of_grants(session.conn().await?, hotel, &[grant], now).await?;
    let made = methods.iter().flatten().filter(|method| !method.refused);
    let zone = session.context.actor.hotel.time_zone;
    Ok(made.map(|method| AccessMethodNode::new(method, now, zone)).collect())
}
