//! Access grants.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::access_methods::Warning;
use super::access_mode::AccessMode;
use super::answer::{Done, List, One, Resource, page_request};
use super::operation::{Act, Query, Reader, Spec};
use super::parameters::{
    Named, either, limit, nullable, nullable_instant, one_of, references, some_instant, some_list,
};
use super::user_identities::CreateUserIdentity;
use crate::access_grants::{
    self, Grant, GrantChange, GrantField, Method, MethodWarning, NewGrant, OwnedList, Target, named_by, visible_to,
};
use crate::app::App;
use crate::db::{Condition, CursorScope, Filter, Page, PageRequest};
use crate::error::{Error, ErrorAt as _, Message, PathSegment, Record, Result};
use crate::hotels::HotelId;
use crate::locks::{Mode, Reference};
use crate::unit::Tx;

use super::acs::systems::providers_of;

/// Grants of a page where no limit is given.
const LIMIT: u16 = 500;

/// Leave for somebody to open doors for a time.
#[derive(Serialize, ToSchema)]
pub struct AccessGrant {
    access_grant_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_grant_key: Option<String>,
    /// Its means of entry that were not taken away.
    access_method_ids: Vec<Uuid>,
    display_name: String,
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reservation_key: Option<String>,
    user_identity_id: Uuid,
    /// The spaces that it was made for.
    space_ids: Vec<Uuid>,
    location_ids: Vec<Uuid>,
    requested_access_methods: Vec<RequestedAccessMethod>,
    starts_at: DateTime<Utc>,
    ends_at: Option<DateTime<Utc>>,
    /// `encoding_required`: a card does not bear what the access grant says.
    warnings: Vec<Warning>,
    errors: Vec<AccessGrantError>,
    #[schema(value_type = Vec<Object>)]
    pending_mutations: Vec<Value>,
    created_at: DateTime<Utc>,
    workspace_id: Uuid,
}

#[derive(Serialize, ToSchema)]
struct RequestedAccessMethod {
    mode: AccessMode,
    display_name: &'static str,
    created_at: DateTime<Utc>,
    created_access_method_ids: Vec<Uuid>,
}

/// What could not be done for an access grant.
#[derive(Serialize, ToSchema)]
struct AccessGrantError {
    error_code: &'static str,
    message: String,
    created_at: DateTime<Utc>,
}

impl Resource for AccessGrant {
    const ONE: &'static str = "access_grant";
    const MANY: &'static str = "access_grants";
}

impl AccessGrant {
    fn new(grant: Grant, hotel: HotelId, now: DateTime<Utc>, space_ids: Vec<Uuid>, methods: &[Method]) -> Self {
        let made = |method: &&Method| !method.refused && method.revoked_at.is_none();
        let wants_encoding = |method: &Method| method.warnings(now).contains(&MethodWarning::EncodingRequired);
        let warning = methods.iter().any(wants_encoding).then_some(Warning {
            warning_code: "encoding_required",
            message: "Encode its cards that say so: they do not bear what the access grant says",
            created_at: grant.updated_at,
        });
        Self {
            access_grant_id: grant.id,
            access_grant_key: grant.key,
            access_method_ids: methods.iter().filter(made).map(|method| method.id).collect(),
            display_name: grant.name.clone().unwrap_or_else(|| "Access grant".to_owned()),
            name: grant.name,
            reservation_key: grant.reservation_key,
            user_identity_id: grant.user_identity_id,
            location_ids: space_ids.clone(),
            space_ids,
            requested_access_methods: methods.iter().map(RequestedAccessMethod::from).collect(),
            starts_at: grant.frame.starts_at,
            ends_at: grant.frame.ends_at,
            warnings: warning.into_iter().collect(),
            errors: refusal(methods).into_iter().collect(),
            pending_mutations: Vec::new(),
            created_at: grant.created_at,
            workspace_id: hotel,
        }
    }
}

impl From<&Method> for RequestedAccessMethod {
    fn from(method: &Method) -> Self {
        let mode = AccessMode::from(method.mode);
        let is_there = !method.refused && method.revoked_at.is_none();
        Self {
            mode,
            display_name: mode.title(),
            created_at: method.created_at,
            created_access_method_ids: is_there.then_some(method.id).into_iter().collect(),
        }
    }
}

/// Says which methods could not be made for the doors.
fn refusal(methods: &[Method]) -> Option<AccessGrantError> {
    let refused: Vec<&Method> = methods.iter().filter(|method| method.refused).collect();
    let is_refused = |mode: &Mode| refused.iter().any(|method| method.mode == *mode);
    let modes: Vec<&str> =
        Mode::ALL.into_iter().filter(is_refused).map(|mode| AccessMode::from(mode).title()).collect();
    Some(AccessGrantError {
        error_code: "cannot_create_requested_access_methods",
        message: format!("These access methods cannot be made for the entrances: {}", modes.join(", ")),
        created_at: refused.first()?.created_at,
    })
}

/// Completes grants with their spaces and methods, in two statements.
pub(super) async fn complete(reader: &mut Reader<'_>, grants: Vec<Grant>) -> Result<Vec<AccessGrant>> {
    let (hotel, now) = (reader.actor.hotel.id, reader.now);
    let ids: Vec<Uuid> = grants.iter().map(|grant| grant.id).collect();
    let spaces = access_grants::spaces_of_grants(reader.conn, hotel, &ids).await?;
    let methods = access_grants::methods_of_grants(reader.conn, hotel, &ids, now).await?;
    let complete = |((grant, spaces), methods): (_, Vec<Method>)| AccessGrant::new(grant, hotel, now, spaces, &methods);
    Ok(grants.into_iter().zip(spaces).zip(methods).map(complete).collect())
}

async fn one(mut reader: Reader<'_>, id: Uuid) -> Result<One<AccessGrant>> {
    let grant = access_grants::grant(reader.conn, reader.actor.hotel.id, id).await?;
    let grant = complete(&mut reader, vec![grant]).await?.pop();
    grant.map(One).ok_or_else(|| Error::internal("a grant is complete"))
}

/// The condition that a grant is the one that is named.
pub(super) fn named(grant: Reference) -> Filter<GrantField> {
    Filter::Field(match grant {
        Reference::Id(id) => GrantField::Id(Condition::Eq(Some(id))),
        Reference::Key(key) => GrantField::Key(Condition::Eq(Some(key))),
    })
}

/// A means of entry that is asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct NewAccessMethod {
    mode: AccessMode,
    /// The PIN that is wished for, of a code.
    #[expect(dead_code, reason = "no code is made yet, as an error of the access grant says")]
    code: Option<String>,
    /// On how many phones it may be, of a mobile key.
    #[expect(dead_code, reason = "no mobile key is made yet, as an error of the access grant says")]
    instant_key_max_use_count: Option<u32>,
}

fn modes(methods: &[NewAccessMethod]) -> Result<Vec<Mode>> {
    if methods.is_empty() {
        return Err(Error::new(Message::AccessMethodMissing).at("requested_access_methods"));
    }
    Ok(methods.iter().map(|method| method.mode.into()).collect())
}

/// Leave to open doors that is to be given.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateAccessGrant {
    /// Whom it is for; else `user_identity`.
    user_identity_id: Option<Named>,
    /// Somebody to be added, whom it is for.
    user_identity: Option<CreateUserIdentity>,
    #[serde(default, deserialize_with = "some_list")]
    acs_entrance_ids: Option<Vec<Named>>,
    /// Spaces whose doors it opens.
    #[serde(default, deserialize_with = "some_list")]
    space_ids: Option<Vec<Named>>,
    #[serde(default, deserialize_with = "some_list")]
    space_keys: Option<Vec<Named>>,
    requested_access_methods: Vec<NewAccessMethod>,
    /// What the grants of one stay share, on doors of which each guest overrides the one before.
    reservation_key: Option<String>,
    /// Name by which it is found, which no other grant of the integration has.
    access_grant_key: Option<String>,
    name: Option<String>,
    /// First instant; at once where there is none.
    #[serde(default, deserialize_with = "some_instant")]
    starts_at: Option<DateTime<Utc>>,
    /// First instant after it; open where there is none.
    #[serde(default, deserialize_with = "some_instant")]
    ends_at: Option<DateTime<Utc>>,
}

impl Act for CreateAccessGrant {
    const SPEC: Spec = Spec {
        path: "/access_grants/create",
        id: "access_grant_id",
        about: "Grants somebody access to doors, by means of entry that are made for it.",
    };
    type Answer = One<AccessGrant>;

    async fn perform_in(&self, tx: &mut Tx, _: &App) -> Result<One<AccessGrant>> {
        let modes = modes(&self.requested_access_methods)?;
        let user_identity = match (&self.user_identity_id, &self.user_identity) {
            (Some(Named(identity)), None) => identity.clone(),
            (None, Some(new)) => Reference::Id(new.create_in(tx).await.at("user_identity")?.id),
            _ => {
                let names = "user_identity_id and user_identity";
                return Err(Error::new(Message::OneNeeded { names }).at("user_identity_id"));
            }
        };
        let spaces = self.space_ids.iter().chain(&self.space_keys).flat_map(|names| references(names));
        let of_ids = self.space_ids.as_ref().map_or(0, Vec::len);
        let new = NewGrant {
            user_identity,
            entrances: references(self.acs_entrance_ids.as_deref().unwrap_or_default()),
            spaces: spaces.collect(),
            target: Target::Free {
                reservation_key: self.reservation_key.clone(),
                starts_at: self.starts_at,
                ends_at: self.ends_at,
            },
            key: self.access_grant_key.clone(),
            name: self.name.clone(),
            modes,
        };
        let id = access_grants::create_in(tx, new).await.map_err(|error| in_its_list(error, of_ids))?;
        one(Reader::of(tx).await?, id).await
    }
}

/// Says of a space in which of two lists it stands, of which the first one has so many.
fn in_its_list(error: Error, of_ids: usize) -> Error {
    match error.argument_path[..] {
        [PathSegment::Name(ref name), PathSegment::Index(index)] if name == "spaceIds" && index >= of_ids => {
            let path = vec![PathSegment::from("space_keys"), PathSegment::from(index - of_ids)];
            Error { argument_path: path, ..error }
        }
        _ => error,
    }
}

/// Which one, by its id or its key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetAccessGrant {
    access_grant_id: Option<Named>,
    access_grant_key: Option<Named>,
}

impl Query for GetAccessGrant {
    const SPEC: Spec = Spec { path: "/access_grants/get", id: "access_grant_id", about: "Answers one access grant." };
    const STATEMENTS: u32 = 3;
    type Answer = One<AccessGrant>;

    async fn read(&self, mut reader: Reader<'_>) -> Result<One<AccessGrant>> {
        let grant = grant_named(self.access_grant_id.as_ref(), self.access_grant_key.as_ref())?;
        let list = OwnedList { integration: named_by(&reader.actor, &grant)?, filter: named(grant) };
        let hotel = reader.actor.hotel.id;
        let page = access_grants::grant_page(reader.conn, hotel, &list, &PageRequest::first(1)).await?;
        let found = complete(&mut reader, page.items).await?.pop();
        found.map(One).ok_or_else(|| Error::not_found(Record::AccessGrant)).at("id")
    }
}

/// Which of them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAccessGrants {
    #[serde(default, deserialize_with = "some_list")]
    access_grant_ids: Option<Vec<Named>>,
    access_grant_key: Option<String>,
    reservation_key: Option<String>,
    user_identity_id: Option<Named>,
    /// Only those that open this door.
    acs_entrance_id: Option<Named>,
    /// Only those that open a door of this system.
    acs_system_id: Option<Uuid>,
    /// Only those that were made for this space.
    space_id: Option<Named>,
    /// 1 to 1,000.
    #[serde(default, deserialize_with = "limit")]
    limit: Option<u16>,
    /// `next_page_cursor` of the page before.
    page_cursor: Option<String>,
}

impl ListAccessGrants {
    fn filter(&self, hotel: HotelId) -> Filter<GrantField> {
        let text = |text: &Option<String>| text.clone().map(|text| Condition::Eq(Some(text)));
        let reference = |name: &Option<Named>| name.clone().map(|Named(reference)| reference);
        let provider = self.acs_system_id.map(|system| {
            let providers = providers_of(hotel, Some(system), None).into_iter();
            GrantField::Provider(providers.map(|provider| provider.traits().name.to_owned()).collect())
        });
        let fields = [
            text(&self.access_grant_key).map(GrantField::Key),
            text(&self.reservation_key).map(GrantField::ReservationKey),
            reference(&self.user_identity_id).map(GrantField::UserIdentity),
            reference(&self.acs_entrance_id).map(GrantField::Entrance),
            reference(&self.space_id).map(GrantField::Space),
            provider,
        ];
        let ids = |ids| GrantField::Id(Condition::In(ids));
        let among =
            self.access_grant_ids.as_ref().map(|names| one_of(names, ids, |keys| GrantField::Key(Condition::In(keys))));
        Filter::All(fields.into_iter().flatten().map(Filter::Field).chain(among).collect())
    }
}

impl Query for ListAccessGrants {
    const SPEC: Spec = Spec {
        path: "/access_grants/list",
        id: "access_grant_id",
        about: "Answers the access grants of the integration, in the order in which they were made; with the permission FRONT_DESK those of all.",
    };
    const STATEMENTS: u32 = 3;
    type Answer = List<AccessGrant>;

    async fn read(&self, mut reader: Reader<'_>) -> Result<List<AccessGrant>> {
        let hotel = reader.actor.hotel.id;
        let list = OwnedList { integration: visible_to(&reader.actor)?, filter: self.filter(hotel) };
        let scope = CursorScope::new(hotel, Self::SPEC.path, &list);
        let request = page_request(scope, self.limit.unwrap_or(LIMIT), self.page_cursor.as_deref())?;
        let Page { items, more } = access_grants::grant_page(reader.conn, hotel, &list, &request).await?;
        let items = complete(&mut reader, items).await?;
        Ok(List::page(Page { items, more }, scope, |grant| grant.access_grant_id, |grant| grant))
    }
}

/// What to change; what is absent stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateAccessGrant {
    access_grant_id: Option<Named>,
    access_grant_key: Option<Named>,
    #[serde(default, deserialize_with = "some_instant")]
    starts_at: Option<DateTime<Utc>>,
    /// Null: it is open.
    #[serde(default, deserialize_with = "nullable_instant")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    ends_at: Option<Option<DateTime<Utc>>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    name: Option<Option<String>>,
}

impl Act for UpdateAccessGrant {
    const SPEC: Spec = Spec {
        path: "/access_grants/update",
        id: "access_grant_id",
        about: "Changes an access grant. Cards that were written have to be written again for new times.",
    };
    type Answer = Done;

    async fn perform_in(&self, tx: &mut Tx, _: &App) -> Result<Done> {
        let grant = grant_named(self.access_grant_id.as_ref(), self.access_grant_key.as_ref())?;
        let change =
            GrantChange { starts_at: self.starts_at, ends_at: self.ends_at, name: self.name.clone(), doors: None };
        access_grants::update_in(tx, &grant, change).await?;
        Ok(Done)
    }
}

/// Which one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteAccessGrant {
    access_grant_id: Named,
}

impl Act for DeleteAccessGrant {
    const SPEC: Spec = Spec {
        path: "/access_grants/delete",
        id: "access_grant_id",
        about: "Deletes an access grant and takes its means of entry away.",
    };
    type Answer = Done;

    async fn perform_in(&self, tx: &mut Tx, _: &App) -> Result<Done> {
        access_grants::delete_in(tx, &self.access_grant_id.0).await?;
        Ok(Done)
    }
}

/// More means of entry.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestAccessMethods {
    access_grant_id: Named,
    requested_access_methods: Vec<NewAccessMethod>,
}

impl Act for RequestAccessMethods {
    const SPEC: Spec = Spec {
        path: "/access_grants/request_access_methods",
        id: "access_grant_id",
        about: "Asks for more means of entry of an access grant.",
    };
    type Answer = One<AccessGrant>;

    async fn perform_in(&self, tx: &mut Tx, _: &App) -> Result<One<AccessGrant>> {
        let modes = modes(&self.requested_access_methods)?;
        let id = access_grants::request_methods_in(tx, &self.access_grant_id.0, &modes).await?;
        one(Reader::of(tx).await?, id).await
    }
}

fn grant_named(id: Option<&Named>, key: Option<&Named>) -> Result<Reference> {
    either(id, key, "access_grant_id and access_grant_key")
}
