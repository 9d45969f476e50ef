//! The routes: every operation that is served, as data.

use utoipa::openapi::{RefOr, Schema};

use super::answer::{Answer as _, body_schema};
use super::operation::{Act, Prepared, Query, Spec, prepare_act, prepare_query};
use super::parameters::Parameters;
use super::schemas::Schemas;
use super::{
    access_grants, access_methods, acs, action_attempts, events, related, spaces, user_identities, webhooks, workspaces,
};
use crate::actor::Permission;
use crate::error::Result;

/// What an operation takes and answers with.
pub struct Description {
    pub(super) parameters: RefOr<Schema>,
    pub(super) answer: Schema,
}

fn describe_query<Q: Query>(schemas: &mut Schemas) -> Description {
    Description { parameters: schemas.add::<Q>(), answer: body_schema(Q::Answer::describe(schemas)) }
}

fn describe_act<A: Act>(schemas: &mut Schemas) -> Description {
    Description { parameters: schemas.add::<A>(), answer: body_schema(A::Answer::describe(schemas)) }
}

/// An operation and where it is served.
pub struct Route {
    /// Where, and what it does.
    pub spec: Spec,
    /// Whether it changes something.
    pub is_act: bool,
    /// What it needs.
    pub permission: Permission,
    /// Most statements that it takes, of one that reads.
    pub statements: u32,
    /// Whether clients poll it.
    pub is_polled: bool,
    /// Reads its parameters.
    pub prepare: fn(&Parameters) -> Result<Prepared>,
    pub(super) describe: fn(&mut Schemas) -> Description,
}

const fn query<Q: Query>() -> Route {
    Route {
        spec: Q::SPEC,
        is_act: false,
        permission: Permission::ReadOnly,
        statements: Q::STATEMENTS,
        is_polled: Q::IS_POLLED,
        prepare: prepare_query::<Q>,
        describe: describe_query::<Q>,
    }
}

const fn act<A: Act>() -> Route {
    Route {
        spec: A::SPEC,
        is_act: true,
        permission: A::PERMISSION,
        statements: 0,
        is_polled: false,
        prepare: prepare_act::<A>,
        describe: describe_act::<A>,
    }
}

/// Everything that is served, by resource.
pub static ROUTES: &[Route] = &[
    act::<access_grants::CreateAccessGrant>(),
    query::<access_grants::GetAccessGrant>(),
    query::<access_grants::ListAccessGrants>(),
    act::<access_grants::UpdateAccessGrant>(),
    act::<access_grants::DeleteAccessGrant>(),
    act::<access_grants::RequestAccessMethods>(),
    query::<related::OfAccessGrants>(),
    query::<access_methods::GetAccessMethod>(),
    query::<access_methods::ListAccessMethods>(),
    act::<access_methods::DeleteAccessMethod>(),
    act::<access_methods::EncodeAccessMethod>(),
    act::<access_methods::UnlockDoor>(),
    query::<related::OfAccessMethods>(),
    query::<acs::systems::ListAcsSystems>(),
    query::<acs::systems::GetAcsSystem>(),
    query::<acs::entrances::ListAcsEntrances>(),
    query::<acs::entrances::GetAcsEntrance>(),
    query::<acs::encoders::ListAcsEncoders>(),
    query::<acs::encoders::GetAcsEncoder>(),
    act::<acs::encoders::EncodeCredential>(),
    act::<acs::encoders::NextEncodingWillFail>(),
    act::<acs::encoders::NextEncodingWillSucceed>(),
    query::<action_attempts::GetActionAttempt>(),
    query::<action_attempts::ListActionAttempts>(),
    act::<spaces::CreateSpace>(),
    query::<spaces::GetSpace>(),
    query::<spaces::ListSpaces>(),
    act::<spaces::UpdateSpace>(),
    act::<spaces::DeleteSpace>(),
    act::<spaces::AddAcsEntrances>(),
    act::<spaces::RemoveAcsEntrances>(),
    act::<spaces::AddDevices>(),
    act::<spaces::RemoveDevices>(),
    query::<related::OfSpaces>(),
    act::<user_identities::CreateUserIdentity>(),
    query::<user_identities::GetUserIdentity>(),
    query::<user_identities::ListUserIdentities>(),
    act::<user_identities::UpdateUserIdentity>(),
    act::<user_identities::DeleteUserIdentity>(),
    query::<events::ListEvents>(),
    query::<events::GetEvent>(),
    act::<webhooks::CreateWebhook>(),
    query::<webhooks::GetWebhook>(),
    query::<webhooks::ListWebhooks>(),
    act::<webhooks::UpdateWebhook>(),
    act::<webhooks::DeleteWebhook>(),
    query::<workspaces::GetWorkspace>(),
];
