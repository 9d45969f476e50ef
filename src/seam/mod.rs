//! Seam's interface: what its official SDKs ask for, answered by the services that GraphQL uses (`docs/SEAM.md`).
//!
//! An operation is a type of parameters ([`Query`](operation::Query), [`Act`](operation::Act)), in the file of its resource; [`ROUTES`]
//! lists them all. A hotel is a workspace, a provider in it an access system; records are named by their ids or their keys.

mod access_grants;
mod access_methods;
mod acs;
mod answer;
mod error;
pub mod openapi;
mod operation;
mod parameters;
mod related;
mod spaces;
mod user_identities;
mod workspaces;

pub use error::ErrorBody;
pub use operation::{Prepared, PreparedAct, PreparedQuery, Reader, Spec};
pub use parameters::Parameters;

use crate::actor::Permission;
use crate::error::Result;
use openapi::{Description, Schemas};
use operation::{Act, Query};

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
    describe: fn(&mut Schemas) -> Description,
}

const fn query<Q: Query>() -> Route {
    Route {
        spec: Q::SPEC,
        is_act: false,
        permission: Permission::ReadOnly,
        statements: Q::STATEMENTS,
        is_polled: Q::IS_POLLED,
        prepare: operation::prepare_query::<Q>,
        describe: openapi::describe_query::<Q>,
    }
}

const fn act<A: Act>() -> Route {
    Route {
        spec: A::SPEC,
        is_act: true,
        permission: A::PERMISSION,
        statements: 0,
        is_polled: false,
        prepare: operation::prepare_act::<A>,
        describe: openapi::describe_act::<A>,
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
    query::<related::OfAccessMethods>(),
    query::<acs::systems::ListAcsSystems>(),
    query::<acs::systems::GetAcsSystem>(),
    query::<acs::entrances::ListAcsEntrances>(),
    query::<acs::entrances::GetAcsEntrance>(),
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
    query::<workspaces::GetWorkspace>(),
];
