//! Events: what happened to the access grants of the integration and to their methods, as webhooks tell it, too.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::{KnownFormat, RefOr, Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use super::answer::{List, One, Resource, page_request};
use super::operation::{Query, Reader, Spec};
use super::parameters::{Named, limit, references, some_instant, some_list};
use crate::access_grants::{self, GrantField, OwnedList, visible_to};
use crate::db::{Condition, CursorScope, Filter, PageRequest};
use crate::error::{Error, ErrorAt as _, Message, Record, Result};
use crate::events::seam::{self, EventId, EventList};
use crate::locks::split;

/// Events of a page where no limit is given.
const LIMIT: u16 = 500;
/// Most values of one parameter.
const MOST_NAMED: usize = 1000;

/// What happened. The body of a webhook is one, too.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Event(seam::Event);

impl Resource for Event {
    const ONE: &'static str = "event";
    const MANY: &'static str = "events";
}

impl PartialSchema for Event {
    fn schema() -> RefOr<Schema> {
        let text = |format| ObjectBuilder::new().schema_type(Type::String).format(format);
        let id = || text(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
        let instant = || text(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
        let always = [
            ("event_id", id()),
            ("event_type", text(None)),
            ("workspace_id", id()),
            ("created_at", instant()),
            ("occurred_at", instant()),
        ];
        let event = always
            .into_iter()
            .fold(ObjectBuilder::new(), |event, (name, schema)| event.property(name, schema).required(name));
        event
            .property("access_grant_id", id())
            .property("access_method_id", id())
            .property("access_grant_ids", ArrayBuilder::new().items(id()))
            .into()
    }
}

impl ToSchema for Event {}

/// Which one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetEvent {
    event_id: Uuid,
}

impl Query for GetEvent {
    const SPEC: Spec =
        Spec { path: "/events/get", id: "event_id", about: "Answers one event. They are kept for 30 days." };
    type Answer = One<Event>;

    async fn read(&self, reader: Reader<'_>) -> Result<One<Event>> {
        let (hotel, integration) = (reader.actor.hotel.id, reader.actor.integration()?);
        let found = seam::find(reader.conn, hotel, integration, reader.now, self.event_id.into()).await?;
        let event = found.ok_or_else(|| Error::not_found(Record::Event)).at("id")?;
        Ok(One(Event(event)))
    }
}

/// Which of them: `since` or `between` has to be given, and all that is given has to match. A list has at most 1,000 values.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListEvents {
    /// Those that happened then or later.
    #[serde(default, deserialize_with = "some_instant")]
    since: Option<DateTime<Utc>>,
    /// Those that happened from the first of two instants on and before the second.
    #[serde(default, deserialize_with = "some_list")]
    between: Option<Vec<DateTime<Utc>>>,
    event_type: Option<String>,
    #[serde(default, deserialize_with = "some_list")]
    event_types: Option<Vec<String>>,
    #[serde(default, deserialize_with = "some_list")]
    event_ids: Option<Vec<Uuid>>,
    access_grant_id: Option<Named>,
    #[serde(default, deserialize_with = "some_list")]
    access_grant_ids: Option<Vec<Named>>,
    access_method_id: Option<Uuid>,
    #[serde(default, deserialize_with = "some_list")]
    access_method_ids: Option<Vec<Uuid>>,
    /// 1 to 1,000.
    #[serde(default, deserialize_with = "limit")]
    limit: Option<u16>,
    /// `next_page_cursor` of the page before.
    page_cursor: Option<String>,
}

impl ListEvents {
    /// The time that is asked for, and where it ends.
    fn time(&self) -> Result<(DateTime<Utc>, Option<DateTime<Utc>>)> {
        match (self.since, self.between.as_deref()) {
            (Some(since), None) => Ok((since, None)),
            (None, Some([from, to])) => Ok((*from, Some(*to))),
            (None, Some(_)) => Err(Error::new(Message::BetweenNotTwo)).at("between"),
            (None, None) | (Some(_), Some(_)) => {
                Err(Error::new(Message::OneNeeded { names: "since and between" })).at("since")
            }
        }
    }

    /// The ids of the grants that are named. A key is that of a grant that there still is.
    async fn grants(&self, reader: &mut Reader<'_>) -> Result<Option<Vec<Uuid>>> {
        let names = named(self.access_grant_id.as_ref(), self.access_grant_ids.as_ref()).at("access_grant_ids")?;
        let Some(names) = names else { return Ok(None) };
        let (mut ids, keys) = split(&references(&names));
        if !keys.is_empty() {
            let filter = Filter::Field(GrantField::Key(Condition::In(keys)));
            let list = OwnedList { integration: visible_to(&reader.actor)?, filter };
            let request = PageRequest::first(LIMIT);
            let page = access_grants::grant_page(reader.conn, reader.actor.hotel.id, &list, &request).await?;
            ids.extend(page.items.iter().map(|grant| grant.id));
        }
        Ok(Some(ids))
    }
}

impl Query for ListEvents {
    const SPEC: Spec = Spec {
        path: "/events/list",
        id: "event_id",
        about: "Answers what happened to the access grants of the integration and to their methods in the last 30 days, in order.",
    };
    const STATEMENTS: u32 = 2;
    type Answer = List<Event>;

    async fn read(&self, mut reader: Reader<'_>) -> Result<List<Event>> {
        let (hotel, integration) = (reader.actor.hotel.id, reader.actor.integration()?);
        let (since, until) = self.time()?;
        let methods = named(self.access_method_id.as_ref(), self.access_method_ids.as_ref()).at("access_method_ids")?;
        let ids = named(None, self.event_ids.as_ref()).at("event_ids")?;
        let list = EventList {
            since: Some(since),
            until,
            types: named(self.event_type.as_ref(), self.event_types.as_ref()).at("event_types")?,
            access_grants: self.grants(&mut reader).await?,
            access_methods: methods,
            ids: ids.map(|ids| ids.into_iter().map(EventId::from).collect()),
        };
        let scope = CursorScope::new(hotel, Self::SPEC.path, &list);
        let request = page_request(scope, self.limit.unwrap_or(LIMIT), self.page_cursor.as_deref())?;
        let page = seam::page(reader.conn, hotel, integration, reader.now, &list, &request).await?;
        Ok(List::page(page, scope, |event| event.event_id.position(), Event))
    }
}

/// What one parameter and another one, which is a list, name; `None` when neither of them is there.
fn named<T: Clone>(one: Option<&T>, several: Option<&Vec<T>>) -> Result<Option<Vec<T>>> {
    if one.is_none() && several.is_none() {
        return Ok(None);
    }
    let all: Vec<T> = one.into_iter().chain(several.into_iter().flatten()).cloned().collect();
    if all.len() <= MOST_NAMED { Ok(Some(all)) } else { Err(Error::new(Message::TooManyValues { most: MOST_NAMED })) }
}
