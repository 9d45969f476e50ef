//! Seam's dialect: the events that Seam's API knows, in its names and its form, for webhooks and for lists.
//!
//! They are the same events as those of the feed, in the same order. Which ones, and what they are called, says each kind of
//! change ([`super::SeamType`]); the commit writes it beside them.

mod model;
mod store;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

pub use model::{Event, EventId, Row, Subject};

use super::partitions::RETENTION;
use crate::error::Result;
use crate::hotels::HotelId;

/// Which events to list, and how many. What is `None` excludes nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListRequest<'a> {
    /// Those that happened then or later.
    pub since: Option<DateTime<Utc>>,
    /// Those that happened before.
    pub until: Option<DateTime<Utc>>,
    /// Those of these types.
    pub types: Option<&'a [String]>,
    /// Those of these access grants and of their methods.
    pub access_grants: Option<&'a [Uuid]>,
    /// Those of these access methods.
    pub access_methods: Option<&'a [Uuid]>,
    /// Those with these ids.
    pub ids: Option<&'a [EventId]>,
    /// Those behind this position.
    pub after: Option<i64>,
    /// Most events on the page.
    pub limit: u16,
}

/// A page of events.
#[derive(Clone, Debug)]
pub struct EventPage {
    /// The events, in order.
    pub events: Vec<Event>,
    /// The position behind which there are more; `None` = there are none.
    pub more_after: Option<i64>,
}

/// The events of a hotel that Seam's API knows, as one integration may see them: those of the last [`RETENTION`].
///
/// # Errors
/// `UNAVAILABLE`
pub async fn list(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    now: DateTime<Utc>,
    request: ListRequest<'_>,
) -> Result<EventPage> {
    let kept_since = now - RETENTION;
    let since = request.since.map_or(kept_since, |since| since.max(kept_since));
    let request = ListRequest { since: Some(since), ..request };
    let mut events = store::list(conn, hotel, integration, &request).await?;
    let limit = usize::from(request.limit);
    let more = events.len() > limit;
    events.truncate(limit);
    let more_after = events.last().filter(|_| more).map(|event| event.event_id.position());
    // A position may be that of an event with another id.
    events.retain(|event| request.ids.is_none_or(|ids| ids.contains(&event.event_id)));
    Ok(EventPage { events, more_after })
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
    let request = ListRequest { ids: Some(&[id]), limit: 1, ..ListRequest::default() };
    Ok(list(conn, hotel, integration, now, request).await?.events.pop())
}
