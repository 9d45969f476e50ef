//! Access methods: means of entry that access grants have.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::access_mode::AccessMode;
use super::action_attempts::{self, ActionAttempt};
use super::answer::{Done, List, One, Resource};
use super::operation::{Act, Query, Reader, Spec};
use super::parameters::Named;
use crate::access_grants::{self, GrantsOf, Method, MethodField, MethodWarning, OwnedList, named_by, visible_to};
use crate::app::App;
use crate::db::{Condition, Filter, PageRequest};
use crate::error::{Error, ErrorAt as _, Message, Record, Result};
use crate::hotels::HotelId;
use crate::locks::Reference;
use crate::unit::Tx;

/// Most methods in an answer: those of 50 grants.
pub(super) const MOST: u16 = 1000;

/// A means of entry.
#[derive(Serialize, ToSchema)]
pub struct AccessMethod {
    access_method_id: Uuid,
    mode: AccessMode,
    display_name: &'static str,
    is_issued: bool,
    issued_at: Option<DateTime<Utc>>,
    /// Whether its card has to be written, for the first time or again.
    is_encoding_required: bool,
    is_ready_for_encoding: bool,
    is_assignment_required: bool,
    is_ready_for_assignment: bool,
    warnings: Vec<Warning>,
    #[schema(value_type = Vec<Object>)]
    errors: Vec<Value>,
    #[schema(value_type = Vec<Object>)]
    pending_mutations: Vec<Value>,
    created_at: DateTime<Utc>,
    workspace_id: Uuid,
}

/// What somebody has to do about something.
#[derive(Serialize, ToSchema)]
pub struct Warning {
    pub(super) warning_code: &'static str,
    pub(super) message: &'static str,
    pub(super) created_at: DateTime<Utc>,
}

impl Resource for AccessMethod {
    const ONE: &'static str = "access_method";
    const MANY: &'static str = "access_methods";
}

impl AccessMethod {
    pub(super) fn new(method: &Method, hotel: HotelId, now: DateTime<Utc>) -> Self {
        let mode = AccessMode::from(method.mode);
        let is_encoding_required = method.is_encoding_required(now);
        let left_behind = method.revoked_at.filter(|_| is_left_behind(method, now)).map(|revoked_at| Warning {
            warning_code: "being_deleted",
            message: "Collect the card: locks that are offline open to it until it is overridden or its time ends",
            created_at: revoked_at,
        });
        Self {
            access_method_id: method.id,
            mode,
            display_name: mode.title(),
            is_issued: method.issued_at.is_some() && method.revoked_at.is_none() && !is_encoding_required,
            issued_at: method.issued_at,
            is_encoding_required,
            is_ready_for_encoding: is_encoding_required,
            is_assignment_required: false,
            is_ready_for_assignment: false,
            warnings: left_behind.into_iter().collect(),
            errors: Vec::new(),
            pending_mutations: Vec::new(),
            created_at: method.created_at,
            workspace_id: hotel,
        }
    }
}

/// Whether a card that was taken away is still somewhere and opens doors.
fn is_left_behind(method: &Method, now: DateTime<Utc>) -> bool {
    method.warnings(now).contains(&MethodWarning::CardCollectionRequired)
}

/// The methods that meet all of these conditions, up to [`MOST`].
pub(super) async fn methods(reader: &mut Reader<'_>, conditions: Vec<Filter<MethodField>>) -> Result<Vec<Method>> {
    let integration = visible_to(&reader.actor)?;
    methods_of(reader, integration, conditions).await
}

/// Like [`methods`], of that integration alone.
async fn methods_of(
    reader: &mut Reader<'_>,
    integration: Option<Uuid>,
    conditions: Vec<Filter<MethodField>>,
) -> Result<Vec<Method>> {
    let (hotel, now) = (reader.actor.hotel.id, reader.now);
    let list = OwnedList { integration, filter: Filter::All(conditions) };
    Ok(access_grants::method_page(reader.conn, hotel, &list, &PageRequest::first(MOST), now).await?.items)
}

/// Which one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetAccessMethod {
    access_method_id: Uuid,
}

impl Query for GetAccessMethod {
    const SPEC: Spec = Spec {
        path: "/access_methods/get",
        id: "access_method_id",
        about: "Answers one means of entry. One that was taken away is only there as long as its card is to be collected.",
    };
    type Answer = One<AccessMethod>;

    async fn read(&self, mut reader: Reader<'_>) -> Result<One<AccessMethod>> {
        let (hotel, now) = (reader.actor.hotel.id, reader.now);
        let of_id = Filter::Field(MethodField::Id(Condition::Eq(Some(self.access_method_id))));
        let found = methods(&mut reader, vec![of_id]).await?.into_iter().next();
        let found = found.filter(|method| method.revoked_at.is_none() || is_left_behind(method, now));
        let method = found.ok_or_else(|| Error::not_found(Record::AccessMethod)).at("id")?;
        Ok(One(AccessMethod::new(&method, hotel, now)))
    }
}

/// Which of them: one parameter at least.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAccessMethods {
    access_grant_id: Option<Named>,
    access_grant_key: Option<Named>,
    acs_entrance_id: Option<Named>,
    space_id: Option<Named>,
}

impl Query for ListAccessMethods {
    const SPEC: Spec = Spec {
        path: "/access_methods/list",
        id: "access_method_id",
        about: "Answers means of entry that were not taken away, up to 1,000.",
    };
    type Answer = List<AccessMethod>;

    async fn read(&self, mut reader: Reader<'_>) -> Result<List<AccessMethod>> {
        let (hotel, now) = (reader.actor.hotel.id, reader.now);
        let grants =
            self.access_grant_id.iter().chain(&self.access_grant_key).map(|Named(grant)| match grant.clone() {
                Reference::Id(id) => MethodField::GrantId(Condition::Eq(Some(id))),
                Reference::Key(key) => MethodField::GrantKey(Condition::Eq(Some(key))),
            });
        let entrances = self.acs_entrance_id.iter().map(|Named(entrance)| MethodField::Entrance(entrance.clone()));
        let spaces = self.space_id.iter().map(|Named(space)| MethodField::Space(space.clone()));
        let mut conditions: Vec<_> = grants.chain(entrances).chain(spaces).map(Filter::Field).collect();
        if conditions.is_empty() {
            let names = "access_grant_id, access_grant_key, acs_entrance_id and space_id";
            return Err(Error::new(Message::SomeNeeded { names }).at("access_grant_id"));
        }
        conditions.push(Filter::Field(MethodField::IsLive));
        let grant = self.access_grant_id.as_ref().or(self.access_grant_key.as_ref());
        let integration =
            grant.map_or_else(|| visible_to(&reader.actor), |Named(grant)| named_by(&reader.actor, grant))?;
        let found = methods_of(&mut reader, integration, conditions).await?;
        Ok(List::all(found.iter().map(|method| AccessMethod::new(method, hotel, now)).collect()))
    }
}

/// Which: one of the parameters.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteAccessMethod {
    access_method_id: Option<Uuid>,
    /// All of this access grant.
    access_grant_id: Option<Named>,
    /// All of the access grants with this reservation key.
    reservation_key: Option<String>,
}

impl Act for DeleteAccessMethod {
    const SPEC: Spec = Spec {
        path: "/access_methods/delete",
        id: "access_method_id",
        about: "Takes means of entry away. A card that was written has to be collected.",
    };
    type Answer = Done;

    async fn perform_in(&self, tx: &mut Tx, _: &App) -> Result<Done> {
        match (self.access_method_id, &self.access_grant_id, &self.reservation_key) {
            (Some(id), None, None) => access_grants::delete_method_in(tx, id).await?,
            (None, Some(Named(grant)), None) => {
                access_grants::delete_methods_of_grants_in(tx, &GrantsOf::Grant(grant.clone())).await?;
            }
            (None, None, Some(key)) => {
                access_grants::delete_methods_of_grants_in(tx, &GrantsOf::ReservationKey(key.clone())).await?;
            }
            _ => {
                let names = "access_method_id, access_grant_id and reservation_key";
                return Err(Error::new(Message::OneNeeded { names }).at("id"));
            }
        }
        Ok(Done)
    }
}

/// Which card, and where.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EncodeAccessMethod {
    access_method_id: Uuid,
    acs_encoder_id: Named,
}

impl Act for EncodeAccessMethod {
    const SPEC: Spec = Spec {
        path: "/access_methods/encode",
        id: "access_method_id",
        about: "Tells an encoder to write a card. The action attempt says how it gets on.",
    };
    type Answer = One<ActionAttempt>;

    async fn perform_in(&self, tx: &mut Tx, _: &App) -> Result<One<ActionAttempt>> {
        action_attempts::encode_in(tx, self.access_method_id, &self.acs_encoder_id).await
    }
}

/// Which door, and by what.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnlockDoor {
    /// A cloud key.
    access_method_id: Uuid,
    acs_entrance_id: Named,
}

impl Act for UnlockDoor {
    const SPEC: Spec = Spec {
        path: "/access_methods/unlock_door",
        id: "access_method_id",
        about: "Opens a door from afar, by a cloud key. The action attempt has ended already.",
    };
    type Answer = One<ActionAttempt>;

    async fn perform_in(&self, tx: &mut Tx, _: &App) -> Result<One<ActionAttempt>> {
        action_attempts::unlock_in(tx, self.access_method_id, &self.acs_entrance_id).await
    }
}
