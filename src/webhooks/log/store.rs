//! The SQL of the delivery log.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder, query, query_as};
use uuid::Uuid;

use super::DeliveryList;
use crate::db::{ListBounds, ListBoundsRequest, Page, PageRequest};
use crate::error::{Error, Result};
use crate::events::seam::EventId;
use crate::hotels::HotelId;
use crate::id::hex;
use crate::webhooks::model::{Attempt, Delivery, DeliveryId, DeliveryStatus, Failure, Format};

/// Most attempts of one delivery that the log shows.
const SHOWN_ATTEMPTS: i64 = 20;

const DELIVERY_COLUMNS: &str = "d.endpoint_id, d.event_position, d.created_at, d.status, d.next_attempt_at, \
     d.finished_at, v.id AS event_id, v.type AS event_type, v.seam_type, v.object_id, w.format";

/// A row of [`DELIVERY_COLUMNS`].
#[derive(FromRow)]
struct DeliveryRow {
    endpoint_id: Uuid,
    event_position: i64,
    created_at: DateTime<Utc>,
    status: String,
    next_attempt_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    event_id: Vec<u8>,
    event_type: String,
    seam_type: Option<String>,
    object_id: Uuid,
    format: String,
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = Error;

    fn try_from(row: DeliveryRow) -> Result<Self> {
        let (event_id, event_type) = match Format::parse(&row.format)? {
            Format::Latchkey => (hex(&row.event_id), row.event_type),
            Format::Seam => {
                let id = EventId::new(row.event_position, &row.event_id);
                (id.to_string(), row.seam_type.unwrap_or(row.event_type))
            }
        };
        Ok(Self {
            id: DeliveryId { endpoint: row.endpoint_id, position: row.event_position },
            event_id,
            event_type,
            object_id: row.object_id,
            created_at: row.created_at,
            status: DeliveryStatus::parse(&row.status)?,
            next_attempt_at: row.next_attempt_at,
            finished_at: row.finished_at,
        })
    }
}

fn push_deliveries(sql: &mut QueryBuilder<Postgres>, list: &DeliveryList) {
    sql.push(
        " FROM webhook_deliveries d JOIN events v ON v.hotel_id = d.hotel_id AND v.position = d.event_position \
         AND v.created_at = d.created_at \
         JOIN webhook_endpoints w ON w.hotel_id = d.hotel_id AND w.id = d.endpoint_id WHERE d.hotel_id = ",
    );
    sql.push_bind(list.hotel).push(" AND d.endpoint_id = ").push_bind(list.endpoint);
    sql.push(" AND w.integration_id = ").push_bind(list.integration);
    if let Some(status) = list.status {
        sql.push(" AND d.status = ").push_bind(status.as_str());
    }
}

/// A page of deliveries to an endpoint, the newest event first.
pub(super) async fn deliveries(
    conn: &mut PgConnection,
    list: &DeliveryList,
    request: &PageRequest<i64>,
) -> Result<Page<Delivery>> {
    let mut sql = QueryBuilder::new("SELECT ");
    sql.push(DELIVERY_COLUMNS);
    push_deliveries(&mut sql, list);
    if let Some(after) = request.after {
        sql.push(" AND d.event_position < ").push_bind(after);
    }
    if let Some(before) = request.before {
        sql.push(" AND d.event_position > ").push_bind(before);
    }
    // The list runs from the newest to the oldest.
    sql.push(" ORDER BY d.event_position ").push(if request.from_end { "ASC" } else { "DESC" });
    sql.push(" LIMIT ").push_bind(request.limit());
    let rows: Vec<DeliveryRow> = sql.build_query_as().fetch_all(conn).await?;
    Ok(Page::of_rows(rows.into_iter().map(Delivery::try_from).collect::<Result<_>>()?, request))
}

pub(super) async fn deliveries_bounds(
    conn: &mut PgConnection,
    list: &DeliveryList,
    request: &ListBoundsRequest<i64>,
) -> Result<ListBounds> {
    let push = |sql: &mut QueryBuilder<Postgres>| push_deliveries(sql, list);
    crate::db::bounds(conn, request, push, |sql, operator, position| {
        let backwards = if operator == "<=" { ">=" } else { "<=" };
        sql.push(" AND d.event_position ").push(backwards).push(" ").push_bind(position);
    })
    .await
}

pub(super) async fn find_delivery(conn: &mut PgConnection, hotel: HotelId, id: DeliveryId) -> Result<Option<Delivery>> {
    let row = query_as!(
        DeliveryRow,
        "SELECT d.endpoint_id, d.event_position, d.created_at, d.status, d.next_attempt_at, d.finished_at,
                v.id AS event_id, v.type AS event_type, v.seam_type, v.object_id, w.format
         FROM webhook_deliveries d
         JOIN events v ON v.hotel_id = d.hotel_id AND v.position = d.event_position AND v.created_at = d.created_at
         JOIN webhook_endpoints w ON w.hotel_id = d.hotel_id AND w.id = d.endpoint_id
         WHERE d.hotel_id = $1 AND d.endpoint_id = $2 AND d.event_position = $3",
        hotel,
        id.endpoint,
        id.position,
    )
    .fetch_optional(conn)
    .await?;
    row.map(Delivery::try_from).transpose()
}

pub(super) async fn attempts(
    conn: &mut PgConnection,
    hotel: HotelId,
    endpoint: Uuid,
    positions: &[i64],
) -> Result<Vec<(i64, Attempt)>> {
    let rows = query!(
        r#"SELECT a.* FROM unnest($3::bigint[]) AS p (position) CROSS JOIN LATERAL (
               SELECT t.event_position, t.attempt, t.created_at, t.duration_ms, t.status_code, t.failure, t.answer
               FROM webhook_attempts t
               WHERE t.hotel_id = $1 AND t.endpoint_id = $2 AND t.event_position = p.position
               ORDER BY t.attempt DESC LIMIT $4
           ) a
           ORDER BY a.event_position, a.attempt"#,
        hotel,
        endpoint,
        positions,
        SHOWN_ATTEMPTS,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let attempt = Attempt {
                number: row.attempt,
                created_at: row.created_at,
                duration_ms: row.duration_ms,
                status_code: row.status_code,
                failure: row.failure.as_deref().map(Failure::parse).transpose()?,
                answer: row.answer,
            };
            Ok((row.event_position, attempt))
        })
        .collect()
}

/// Starts a delivery again, with all attempts before it. False when there is none.
pub(super) async fn resend(
    conn: &mut PgConnection,
    hotel: HotelId,
    id: DeliveryId,
    held: bool,
    now: DateTime<Utc>,
) -> Result<bool> {
    let done = query!(
        "UPDATE webhook_deliveries
         SET status = CASE WHEN $4 THEN 'HELD' ELSE 'PENDING' END, next_attempt_at = CASE WHEN $4 THEN NULL ELSE $5::timestamptz END,
             failed_attempts = 0, run_began_at = NULL, leased_until = NULL, finished_at = NULL
         WHERE hotel_id = $1 AND endpoint_id = $2 AND event_position = $3",
        hotel,
        id.endpoint,
        id.position,
        held,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}
