//! User identities. Those made here are guests; staff come from the hotel.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::{Done, List, One, Resource, page_request};
use super::operation::{Act, Query, Reader, Spec};
use super::parameters::{Named, either, limit, nullable, one_of, some_list};
use crate::access_grants::{
    self, IdentityChange, IdentityDetails, IdentityField, IdentityKind, NewIdentity, OwnedList,
    UserIdentity as Identity, named_by, visible_to,
};
use crate::app::App;
use crate::db::{Condition, CursorScope, Filter, PageRequest};
use crate::error::{Error, ErrorAt as _, Record, Result};
use crate::hotels::HotelId;
use crate::locks::Reference;
use crate::unit::Tx;

/// Identities of a page where no limit is given.
const LIMIT: u16 = 500;

/// Somebody to whom access is granted.
#[derive(Serialize, ToSchema)]
pub struct UserIdentity {
    pub(super) user_identity_id: Uuid,
    user_identity_key: Option<String>,
    display_name: String,
    full_name: Option<String>,
    email_address: Option<String>,
    phone_number: Option<String>,
    acs_user_ids: Vec<Uuid>,
    #[schema(value_type = Vec<Object>)]
    errors: Vec<Value>,
    #[schema(value_type = Vec<Object>)]
    warnings: Vec<Value>,
    created_at: DateTime<Utc>,
    workspace_id: Uuid,
}

impl Resource for UserIdentity {
    const ONE: &'static str = "user_identity";
    const MANY: &'static str = "user_identities";
}

impl UserIdentity {
    pub(super) fn new(identity: Identity, hotel: HotelId) -> Self {
        let IdentityDetails { full_name, email_address, phone_number } = identity.details;
        let names = [&full_name, &email_address, &phone_number, &identity.key];
        let name = names.into_iter().flatten().next().cloned();
        Self {
            user_identity_id: identity.id,
            display_name: name.unwrap_or_else(|| identity.id.to_string()),
            user_identity_key: identity.key,
            full_name,
            email_address,
            phone_number,
            acs_user_ids: Vec::new(),
            errors: Vec::new(),
            warnings: Vec::new(),
            created_at: identity.created_at,
            workspace_id: hotel,
        }
    }
}

/// Somebody to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct CreateUserIdentity {
    /// Name by which it is found, which no other identity of the integration has.
    user_identity_key: Option<String>,
    full_name: Option<String>,
    email_address: Option<String>,
    phone_number: Option<String>,
}

impl CreateUserIdentity {
    /// Adds it.
    pub(super) async fn create_in(&self, tx: &mut Tx) -> Result<Identity> {
        let details = IdentityDetails {
            full_name: self.full_name.clone(),
            email_address: self.email_address.clone(),
            phone_number: self.phone_number.clone(),
        };
        let (key, kind) = (self.user_identity_key.clone(), IdentityKind::Guest);
        access_grants::create_identity_in(tx, NewIdentity { key, kind, details, client_id: None }).await
    }
}

impl Act for CreateUserIdentity {
    const SPEC: Spec = Spec {
        path: "/user_identities/create",
        id: "user_identity_id",
        about: "Adds somebody to whom access is granted.",
    };
    type Answer = One<UserIdentity>;

    async fn perform_in(&self, tx: &mut Tx, _: &App) -> Result<One<UserIdentity>> {
        let identity = self.create_in(tx).await?;
        Ok(One(UserIdentity::new(identity, tx.actor.hotel.id)))
    }
}

/// Which one, by its id or its key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetUserIdentity {
    user_identity_id: Option<Named>,
    user_identity_key: Option<Named>,
}

impl Query for GetUserIdentity {
    const SPEC: Spec = Spec { path: "/user_identities/get", id: "user_identity_id", about: "Answers one identity." };
    type Answer = One<UserIdentity>;

    async fn read(&self, reader: Reader<'_>) -> Result<One<UserIdentity>> {
        let names = "user_identity_id and user_identity_key";
        let identity = either(self.user_identity_id.as_ref(), self.user_identity_key.as_ref(), names)?;
        let integration = named_by(&reader.actor, &identity)?;
        let field = match identity {
            Reference::Id(id) => IdentityField::Id(Condition::Eq(Some(id))),
            Reference::Key(key) => IdentityField::Key(Condition::Eq(Some(key))),
        };
        let (hotel, filter) = (reader.actor.hotel.id, Filter::Field(field));
        let list = OwnedList { integration, filter };
        let found = access_grants::identity_page(reader.conn, hotel, &list, &PageRequest::first(1), false).await?;
        let found = found.items.into_iter().next().ok_or_else(|| Error::not_found(Record::UserIdentity)).at("id")?;
        Ok(One(UserIdentity::new(found.identity, hotel)))
    }
}

/// Which of them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListUserIdentities {
    /// Only these.
    #[serde(default, deserialize_with = "some_list")]
    user_identity_ids: Option<Vec<Named>>,
    /// 1 to 1,000.
    #[serde(default, deserialize_with = "limit")]
    limit: Option<u16>,
    /// `next_page_cursor` of the page before.
    page_cursor: Option<String>,
}

impl Query for ListUserIdentities {
    const SPEC: Spec = Spec {
        path: "/user_identities/list",
        id: "user_identity_id",
        about: "Answers the identities that the integration made; with the permission FRONT_DESK those of all.",
    };
    type Answer = List<UserIdentity>;

    async fn read(&self, reader: Reader<'_>) -> Result<List<UserIdentity>> {
        let hotel = reader.actor.hotel.id;
        let ids = |ids| IdentityField::Id(Condition::In(ids));
        let wanted = self
            .user_identity_ids
            .as_ref()
            .map(|names| one_of(names, ids, |keys| IdentityField::Key(Condition::In(keys))));
        let list = OwnedList { integration: visible_to(&reader.actor)?, filter: wanted.unwrap_or_default() };
        let scope = CursorScope::new(hotel, Self::SPEC.path, &list);
        let request = page_request(scope, self.limit.unwrap_or(LIMIT), self.page_cursor.as_deref())?;
        let page = access_grants::identity_page(reader.conn, hotel, &list, &request, false).await?;
        Ok(List::page(page, scope, |view| view.identity.id, |view| UserIdentity::new(view.identity, hotel)))
    }
}

/// What to change; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateUserIdentity {
    user_identity_id: Named,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    user_identity_key: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    full_name: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    email_address: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    phone_number: Option<Option<String>>,
}

impl Act for UpdateUserIdentity {
    const SPEC: Spec = Spec { path: "/user_identities/update", id: "user_identity_id", about: "Changes an identity." };
    type Answer = Done;

    async fn perform_in(&self, tx: &mut Tx, _: &App) -> Result<Done> {
        let change = IdentityChange {
            key: self.user_identity_key.clone(),
            full_name: self.full_name.clone(),
            email_address: self.email_address.clone(),
            phone_number: self.phone_number.clone(),
            ..IdentityChange::default()
        };
        access_grants::update_identity_in(tx, &self.user_identity_id.0, change).await?;
        Ok(Done)
    }
}

/// Which one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteUserIdentity {
    user_identity_id: Named,
}

impl Act for DeleteUserIdentity {
    const SPEC: Spec = Spec {
        path: "/user_identities/delete",
        id: "user_identity_id",
        about: "Deletes an identity without access grants.",
    };
    type Answer = Done;

    async fn perform_in(&self, tx: &mut Tx, _: &App) -> Result<Done> {
        access_grants::delete_identity_in(tx, &self.user_identity_id.0).await?;
        Ok(Done)
    }
}
