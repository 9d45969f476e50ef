//! Entrances: the doors of the hotel.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::systems::{account_id, providers_of, system_id};
use crate::db::{Condition, CursorScope, Filter, Page, PageRequest};
use crate::error::{Error, ErrorAt as _, Record, Result};
use crate::hotels::HotelId;
use crate::locks::{self, Entrance, EntranceField, EntranceList, Mode, Provider, Reference};
use crate::seam::answer::{List, One, Resource, page_request};
use crate::seam::operation::{Query, Reader, Spec};
use crate::seam::parameters::{Named, limit, one_of, some_list};

/// Entrances of a page where no limit is given.
const LIMIT: u16 = 900;

/// A door.
#[derive(Serialize, ToSchema)]
pub struct AcsEntrance {
    acs_entrance_id: Uuid,
    acs_system_id: Uuid,
    connected_account_id: Uuid,
    display_name: String,
    /// Whether it can belong to a reservation: a guest's own door.
    can_belong_to_reservation: bool,
    can_unlock_with_card: bool,
    can_unlock_with_code: bool,
    can_unlock_with_mobile_key: bool,
    can_unlock_with_cloud_key: bool,
    space_ids: Vec<Uuid>,
    #[schema(value_type = Vec<Object>)]
    errors: Vec<Value>,
    #[schema(value_type = Vec<Object>)]
    warnings: Vec<Value>,
    created_at: DateTime<Utc>,
}

impl Resource for AcsEntrance {
    const ONE: &'static str = "acs_entrance";
    const MANY: &'static str = "acs_entrances";
}

impl AcsEntrance {
    fn new(entrance: Entrance, hotel: HotelId, space_ids: Vec<Uuid>) -> Self {
        let opens_to = |mode: Mode| entrance.modes.contains(&mode);
        Self {
            acs_entrance_id: entrance.id,
            acs_system_id: system_id(hotel, entrance.provider),
            connected_account_id: account_id(hotel, entrance.provider),
            can_belong_to_reservation: entrance.can_belong_to_reservation,
            can_unlock_with_card: opens_to(Mode::Card),
            can_unlock_with_code: opens_to(Mode::Code),
            can_unlock_with_mobile_key: opens_to(Mode::MobileKey),
            can_unlock_with_cloud_key: opens_to(Mode::CloudKey),
            display_name: entrance.name,
            space_ids,
            errors: Vec::new(),
            warnings: Vec::new(),
            created_at: entrance.created_at,
        }
    }
}

/// Completes doors with the spaces that hold them, in one statement.
pub async fn complete(reader: &mut Reader<'_>, entrances: Vec<Entrance>) -> Result<Vec<AcsEntrance>> {
    let (hotel, ids) = (reader.actor.hotel.id, entrances.iter().map(|entrance| entrance.id).collect::<Vec<_>>());
    let spaces = locks::spaces_of_entrances(reader.conn, hotel, &ids).await?;
    let spaces = spaces.into_iter().map(|spaces| spaces.into_iter().map(|space| space.id).collect());
    let complete = |(entrance, spaces)| AcsEntrance::new(entrance, hotel, spaces);
    Ok(entrances.into_iter().zip(spaces).map(complete).collect())
}

/// The condition that a door is of one of these providers.
fn of_providers(providers: &[Provider]) -> Filter<EntranceField> {
    let names = providers.iter().map(|provider| provider.traits().name.to_owned()).collect();
    Filter::Field(EntranceField::Provider(Condition::In(names)))
}

/// Which of them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAcsEntrances {
    /// Only these.
    #[serde(default, deserialize_with = "some_list")]
    acs_entrance_ids: Option<Vec<Named>>,
    /// Only those of this system.
    acs_system_id: Option<Uuid>,
    /// Only those of the system of this account.
    connected_account_id: Option<Uuid>,
    /// Only those of this space.
    space_id: Option<Named>,
    /// 1 to 1,000.
    #[serde(default, deserialize_with = "limit")]
    limit: Option<u16>,
    /// `next_page_cursor` of the page before.
    page_cursor: Option<String>,
}

impl Query for ListAcsEntrances {
    const SPEC: Spec = Spec {
        path: "/acs/entrances/list",
        id: "acs_entrance_id",
        about: "Answers the doors of the hotel, in the order in which they were made.",
    };
    const STATEMENTS: u32 = 2;
    type Answer = List<AcsEntrance>;

    async fn read(&self, mut reader: Reader<'_>) -> Result<List<AcsEntrance>> {
        let hotel = reader.actor.hotel.id;
        let mut conditions = Vec::new();
        if let Some(names) = &self.acs_entrance_ids {
            let ids = |ids| EntranceField::Id(Condition::In(ids));
            conditions.push(one_of(names, ids, |keys| EntranceField::Key(Condition::In(keys))));
        }
        if self.acs_system_id.is_some() || self.connected_account_id.is_some() {
            conditions.push(of_providers(&providers_of(hotel, self.acs_system_id, self.connected_account_id)));
        }
        let space = self.space_id.clone().map(|Named(reference)| reference);
        let list = EntranceList { space, filter: Filter::All(conditions) };
        let scope = CursorScope::new(hotel, Self::SPEC.path, &list);
        let request = page_request(scope, self.limit.unwrap_or(LIMIT), self.page_cursor.as_deref())?;
        let page = locks::entrance_page(reader.conn, hotel, &list, &request).await?;
        let Page { items, more } = page;
        let ids: Vec<Uuid> = items.iter().map(|entrance| entrance.id).collect();
        let items = ids.into_iter().zip(complete(&mut reader, items).await?).collect();
        Ok(List::page(Page { items, more }, scope, |(id, _)| *id, |(_, entrance)| entrance))
    }
}

/// Which one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetAcsEntrance {
    acs_entrance_id: Named,
}

impl Query for GetAcsEntrance {
    const SPEC: Spec = Spec { path: "/acs/entrances/get", id: "acs_entrance_id", about: "Answers one door." };
    const STATEMENTS: u32 = 2;
    type Answer = One<AcsEntrance>;

    async fn read(&self, mut reader: Reader<'_>) -> Result<One<AcsEntrance>> {
        let hotel = reader.actor.hotel.id;
        let field = match self.acs_entrance_id.0.clone() {
            Reference::Id(id) => EntranceField::Id(Condition::Eq(Some(id))),
            Reference::Key(key) => EntranceField::Key(Condition::Eq(Some(key))),
        };
        let list = EntranceList { space: None, filter: Filter::Field(field) };
        let page = locks::entrance_page(reader.conn, hotel, &list, &PageRequest::first(1)).await?;
        let found = complete(&mut reader, page.items).await?.pop();
        found.map(One).ok_or_else(|| Error::not_found(Record::Entrance)).at("id")
    }
}
