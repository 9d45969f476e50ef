//! The SQL of events as Seam's API has them.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, query_as};
use uuid::Uuid;

use super::EventList;
use super::model::{Event, EventId, Row};
use crate::db::PageRequest;
use crate::error::Result;
use crate::hotels::HotelId;

/// Events of the list that happened at `kept_since` or later, from the one behind the page's `after` on. Of those that are named by ids,
/// all at their positions.
pub(super) async fn page(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    kept_since: DateTime<Utc>,
    list: &EventList,
    request: &PageRequest<i64>,
) -> Result<Vec<Event>> {
    let positions: Option<Vec<i64>> = list.ids.as_ref().map(|ids| ids.iter().copied().map(EventId::position).collect());
    let of = |found: Option<&i64>| found.copied().unwrap_or_default();
    let (lowest, highest) = match &positions {
        Some(positions) => (of(positions.iter().min()), of(positions.iter().max())),
        None => (1, i64::MAX),
    };
    let rows = query_as!(
        Row,
        r#"SELECT v.hotel_id AS hotel, v.position, v.id, v.seam_type, v.type AS event_type, v.created_at, v.object_id,
                  m.grant_id AS "grant_id?"
           FROM events v LEFT JOIN access_methods m ON m.hotel_id = $1 AND m.id = v.object_id
           WHERE v.hotel_id = $1 AND v.position BETWEEN $2 AND $3
                 AND v.created_at >= $4 AND v.created_at < coalesce($5::timestamptz, 'infinity')
                 AND v.seam_type IS NOT NULL AND (v.integration_id IS NULL OR v.integration_id = $6)
                 AND ($7::text[] IS NULL OR v.seam_type = ANY ($7))
                 AND ($8::uuid[] IS NULL OR coalesce(m.grant_id, v.object_id) = ANY ($8))
                 AND ($9::uuid[] IS NULL OR m.id = ANY ($9))
                 AND ($10::bigint[] IS NULL OR v.position = ANY ($10))
           ORDER BY v.position LIMIT $11"#,
        hotel,
        request.after.map_or(lowest, |after| lowest.max(after.saturating_add(1))),
        highest,
        list.since.map_or(kept_since, |since| since.max(kept_since)),
        list.until.map(|until| until.max(kept_since)),
        integration,
        list.types.as_deref() as Option<&[String]>,
        list.access_grants.as_deref() as Option<&[Uuid]>,
        list.access_methods.as_deref() as Option<&[Uuid]>,
        positions.as_deref() as Option<&[i64]>,
        positions.is_none().then_some(request.limit()),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Event::from).collect())
}
