//! Seam's dialect: the events that Seam's API knows, in its names and its form, for webhooks and for lists.
//!
//! They are the same events as those of the feed, in the same order. Which ones, and what they are called, says each kind of
//! change ([`super::SeamType`]); the commit writes it beside them.

mod model;
mod store;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

pub use model::{Event, EventId, Row, Subject};

use super::partitions::RETENTION;
use crate::db::{Page, PageRequest};
use crate::error::Result;
use crate::hotels::HotelId;

/// Which events. What is `None` excludes nothing.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EventList {
    /// Those that happened then or later.
    pub since: Option<DateTime<Utc>>,
    /// Those that happened before.
    pub until: Option<DateTime<Utc>>,
    /// Those of these types.
    pub types: Option<Vec<String>>,
    /// Those of these access grants and of their methods.
    pub access_grants: Option<Vec<Uuid>>,
    /// Those of these access methods.
    pub access_methods: Option<Vec<Uuid>>,
    /// Those with these ids.
    pub ids: Option<Vec<EventId>>,
}

/// A page of the events of a hotel that Seam's API knows, as one integration may see them, in order of their positions: of those of
/// the last [`RETENTION`].
///
/// # Errors
/// `UNAVAILABLE`
pub async fn page(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    now: DateTime<Utc>,
    list: &EventList,
    request: &PageRequest<i64>,
) -> Result<Page<Event>> {
    let mut events = store::page(conn, hotel, integration, now - RETENTION, list, request).await?;
    // At the position of an id there may be an event with another one.
    events.retain(|event| list.ids.as_ref().is_none_or(|ids| ids.contains(&event.event_id)));
    Ok(Page::of_rows(events, request))
}

/// The event with that id, unless the integration may not see it, it is not kept any more, or Seam's API does not know it.
///
/// # Errors
/// `UNAVAILABLE`
pub async fn find(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    now: DateTime<Utc>,
    id: EventId,
) -> Result<Option<Event>> {
    let list = EventList { ids: Some(vec![id]), ..EventList::default() };
    Ok(page(conn, hotel, integration, now, &list, &PageRequest::first(1)).await?.items.pop())
}
