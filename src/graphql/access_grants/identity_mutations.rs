//! Mutations of user identities.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};

use super::identities::UserIdentityNode;
use crate::access_grants::{self, IdentityChange, IdentityDetails, IdentityView, NewIdentity, UserIdentity};
use crate::error::{Error, Record, Result};
use crate::graphql::changes::irremovable;
use crate::graphql::context::{RequestContext, Session};
use crate::graphql::enums::UserIdentityKind;
use crate::graphql::error::{InInput, Resolved};
use crate::graphql::scalars::uuid;
use crate::graphql::selection::Selection;
use crate::locks::Reference;

/// A new user identity.
#[derive(InputObject)]
pub struct CreateUserIdentityInput {
    /// Name by which your integration finds it, unique in it: 1 to 200 characters, not written like an id.
    user_identity_key: Option<String>,
    /// Whether the rules of guests or those of staff hold.
    kind: UserIdentityKind,
    /// Name: at most 320 characters.
    full_name: Option<String>,
    /// E-mail address: at most 320 characters.
    email_address: Option<String>,
    /// Telephone number: at most 320 characters.
    phone_number: Option<String>,
    /// The client of the hotel that it is.
    client_id: Option<ID>,
}

/// What to change of a user identity. What is absent stays as it is, and `null` takes it away.
#[derive(InputObject)]
pub struct UpdateUserIdentityInput {
    /// The user identity, by its id or by its key.
    id: ID,
    /// Name by which your integration finds it, unique in it: 1 to 200 characters, not written like an id.
    user_identity_key: MaybeUndefined<String>,
    /// Whether the rules of guests or those of staff hold. Between `STAFF` and the others it stays while there are access grants.
    kind: MaybeUndefined<UserIdentityKind>,
    /// Name: at most 320 characters.
    full_name: MaybeUndefined<String>,
    /// E-mail address: at most 320 characters.
    email_address: MaybeUndefined<String>,
    /// Telephone number: at most 320 characters.
    phone_number: MaybeUndefined<String>,
    /// The client of the hotel that it is.
    client_id: MaybeUndefined<ID>,
}

/// Which user identity to delete.
#[derive(InputObject)]
pub struct DeleteUserIdentityInput {
    /// The user identity, by its id or by its key.
    id: ID,
}

/// Answer of `createUserIdentity` and `updateUserIdentity`.
#[derive(SimpleObject)]
pub struct UserIdentityPayload {
    /// The user identity.
    user_identity: UserIdentityNode,
}

/// Answer of `deleteUserIdentity`.
#[derive(SimpleObject)]
pub struct DeleteUserIdentityPayload {
    /// Always true; a user identity that cannot be deleted is an error.
    deleted: bool,
}

/// Mutations of user identities.
#[derive(Default)]
pub struct UserIdentityMutation;

#[Object]
impl UserIdentityMutation {
    /// Adds somebody to whom access is granted. Needs the permission `WRITE`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`, `NAME_TAKEN`.
    async fn create_user_identity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user identity.")] input: CreateUserIdentityInput,
    ) -> Resolved<Option<UserIdentityPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        let new = NewIdentity {
            key: input.user_identity_key,
            kind: input.kind.into(),
            details: IdentityDetails {
                full_name: input.full_name,
                email_address: input.email_address,
                phone_number: input.phone_number,
            },
            client_id: input.client_id.as_ref().map(uuid),
        };
        let made = access_grants::create_identity_in(session.tx(), new).await.in_input()?;
        let user_identity = node(&mut session, made, ctx).await?;
        Ok(Some(session.done(UserIdentityPayload { user_identity })))
    }

    /// Changes a user identity of this integration. Needs the permission `WRITE`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`, `NAME_TAKEN`.
    async fn update_user_identity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateUserIdentityInput,
    ) -> Resolved<Option<UserIdentityPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        let client: Option<Option<ID>> = input.client_id.into();
        let change = IdentityChange {
            key: input.user_identity_key.into(),
            kind: irremovable(input.kind, "kind").in_input()?.map(Into::into),
            full_name: input.full_name.into(),
            email_address: input.email_address.into(),
            phone_number: input.phone_number.into(),
            client_id: client.map(|id| id.as_ref().map(uuid)),
        };
        let reference = Reference::parse(&input.id);
        let changed = access_grants::update_identity_in(session.tx(), &reference, change).await.in_input()?;
        let user_identity = node(&mut session, changed, ctx).await?;
        Ok(Some(session.done(UserIdentityPayload { user_identity })))
    }

    /// Deletes a user identity of this integration, once its access grants are deleted. Needs the permission `WRITE`.
    ///
    /// Errors: `NOT_FOUND`, `INVALID_ARGUMENT`.
    async fn delete_user_identity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which user identity.")] input: DeleteUserIdentityInput,
    ) -> Resolved<Option<DeleteUserIdentityPayload>> {
        let mut session = RequestContext::of(ctx).write().await?;
        access_grants::delete_identity_in(session.tx(), &Reference::parse(&input.id)).await.in_input()?;
        Ok(Some(session.done(DeleteUserIdentityPayload { deleted: true })))
    }
}

/// The identity as it was written, read again for its client alone.
async fn node(session: &mut Session<'_>, identity: UserIdentity, ctx: &Context<'_>) -> Result<UserIdentityNode> {
    let hotel = session.context.actor.hotel.id;
    let view = if Selection::of(ctx).field("userIdentity").has("client") {
        let views = access_grants::identities_by_ids(session.conn().await?, hotel, &[identity.id], true).await?;
        views.into_iter().next().ok_or_else(|| Error::not_found(Record::UserIdentity))?
    } else {
        IdentityView { identity, client: None }
    };
    Ok(UserIdentityNode::new(view, session.context.actor.hotel.time_zone))
}
