//! The SQL of endpoints and of the delivery log.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row, query};
use uuid::Uuid;

use super::DeliveryList;
use super::body::event_id;
use super::model::{Attempt, Delivery, DeliveryId, DeliveryStatus, Endpoint, EndpointStatus, Failure};
use crate::db::{Condition, Extent, ExtentRequest, Page, PageRequest, push_id_page};
use crate::error::Result;
use crate::hotels::HotelId;

/// Most attempts of one delivery that the log shows.
const SHOWN_ATTEMPTS: i64 = 20;

const ENDPOINT_COLUMNS: &str = "w.id, w.url, w.status, w.events, w.disabled_reason, w.disabled_at, w.last_success_at, \
     w.created_at, w.updated_at";

fn endpoint(row: &PgRow) -> Result<Endpoint> {
    Ok(Endpoint {
        id: row.try_get("id")?,
        url: row.try_get("url")?,
        status: EndpointStatus::parse(row.try_get("status")?)?,
        events: row.try_get("events")?,
        disabled_reason: row.try_get("disabled_reason")?,
        disabled_at: row.try_get("disabled_at")?,
        last_success_at: row.try_get("last_success_at")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    })
}

/// Makes the statements of this transaction go by index, whatever the planner believes.
///
/// Its plans outlive what they were made for: they are made once per connection, when a queue was empty or the week's
/// partition was new, and would then read a whole partition for each endpoint, or sort all that waits for it to take four.
pub(super) async fn go_by_index(conn: &mut PgConnection) -> Result<()> {
    query!("SELECT set_config('enable_seqscan', 'off', true) AS scan, set_config('enable_sort', 'off', true) AS sort")
        .fetch_one(conn)
        .await?;
    Ok(())
}

/// Lets one transaction at a time change how many endpoints of an integration are enabled.
pub(super) async fn lock_integration(conn: &mut PgConnection, hotel: HotelId, integration: Uuid) -> Result<()> {
    query!("SELECT FROM integrations WHERE hotel_id = $1 AND id = $2 FOR NO KEY UPDATE", hotel, integration)
        .execute(conn)
        .await?;
    Ok(())
}

/// Endpoints of an integration.
pub(super) struct Counts {
    /// All of them.
    pub all: i64,
    /// Those that are enabled.
    pub enabled: i64,
}

pub(super) async fn count(conn: &mut PgConnection, hotel: HotelId, integration: Uuid) -> Result<Counts> {
    let row = query!(
        r#"SELECT count(*) AS "all!", count(*) FILTER (WHERE status = 'ENABLED') AS "enabled!"
           FROM webhook_endpoints WHERE hotel_id = $1 AND integration_id = $2"#,
        hotel,
        integration,
    )
    .fetch_one(conn)
    .await?;
    Ok(Counts { all: row.all, enabled: row.enabled })
}

pub(super) async fn insert(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    endpoint: &Endpoint,
    secret: &[u8],
) -> Result<()> {
    query!(
        "INSERT INTO webhook_endpoints (hotel_id, id, integration_id, url, status, events, secret, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
        hotel,
        endpoint.id,
        integration,
        endpoint.url,
        endpoint.status.as_str(),
        &endpoint.events[..],
        secret,
        endpoint.created_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads an endpoint of the integration and holds it until the transaction ends.
pub(super) async fn lock(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    id: Uuid,
) -> Result<Option<Endpoint>> {
    let mut sql = QueryBuilder::new("SELECT ");
    sql.push(ENDPOINT_COLUMNS).push(" FROM webhook_endpoints w WHERE w.hotel_id = ").push_bind(hotel);
    sql.push(" AND w.integration_id = ").push_bind(integration);
    sql.push(" AND w.id = ").push_bind(id).push(" FOR UPDATE");
    sql.build().fetch_optional(conn).await?.as_ref().map(endpoint).transpose()
}

/// Writes an endpoint, and forgets its failures when asked to.
pub(super) async fn update(
    conn: &mut PgConnection,
    hotel: HotelId,
    endpoint: &Endpoint,
    forget_failures: bool,
) -> Result<()> {
    query!(
        "UPDATE webhook_endpoints
         SET url = $3, status = $4, events = $5, disabled_reason = $6, disabled_at = $7, updated_at = $8,
             failures = CASE WHEN $9 THEN 0 ELSE failures END,
             backoff_until = CASE WHEN $9 THEN NULL ELSE backoff_until END
         WHERE hotel_id = $1 AND id = $2",
        hotel,
        endpoint.id,
        endpoint.url,
        endpoint.status.as_str(),
        &endpoint.events[..],
        endpoint.disabled_reason,
        endpoint.disabled_at,
        endpoint.updated_at,
        forget_failures,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn delete(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> Result<()> {
    query!("DELETE FROM webhook_endpoints WHERE hotel_id = $1 AND id = $2", hotel, id).execute(conn).await?;
    Ok(())
}

pub(super) async fn rotate_secret(
    conn: &mut PgConnection,
    hotel: HotelId,
    id: Uuid,
    secret: &[u8],
    previous_until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    query!(
        "UPDATE webhook_endpoints
         SET previous_secret = secret, previous_secret_until = $4, secret = $3, updated_at = $5
         WHERE hotel_id = $1 AND id = $2",
        hotel,
        id,
        secret,
        previous_until,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Starts a delivery anew. False when there is none.
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

fn push_endpoints(sql: &mut QueryBuilder<Postgres>, hotel: HotelId, integration: Uuid, ids: &[Condition<Uuid>]) {
    sql.push(" FROM webhook_endpoints w WHERE w.hotel_id = ").push_bind(hotel);
    sql.push(" AND w.integration_id = ").push_bind(integration);
    for condition in ids {
        sql.push(" AND ");
        condition.push("w.id", sql);
    }
}

/// A page of the endpoints of an integration, in the order in which they were made.
pub(super) async fn page(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    ids: &[Condition<Uuid>],
    request: &PageRequest<Uuid>,
) -> Result<Page<Endpoint>> {
    let mut sql = QueryBuilder::new("SELECT ");
    sql.push(ENDPOINT_COLUMNS);
    push_endpoints(&mut sql, hotel, integration, ids);
    push_id_page(&mut sql, "w.id", request);
    let rows = sql.build().fetch_all(conn).await?;
    Ok(Page::of_rows(rows.iter().map(endpoint).collect::<Result<_>>()?, request))
}

pub(super) async fn extent(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    ids: &[Condition<Uuid>],
    request: &ExtentRequest<Uuid>,
) -> Result<Extent> {
    let list = |sql: &mut QueryBuilder<Postgres>| push_endpoints(sql, hotel, integration, ids);
    crate::db::extent(conn, request, list, |sql, operator, id| {
        sql.push(" AND w.id ").push(operator).push(" ").push_bind(id);
    })
    .await
}

const DELIVERY_COLUMNS: &str = "d.endpoint_id, d.event_position, d.created_at, d.status, d.next_attempt_at, \
     d.finished_at, v.id AS event_id, v.type AS event_type, v.object_id";

fn delivery(row: &PgRow) -> Result<Delivery> {
    Ok(Delivery {
        id: DeliveryId { endpoint: row.try_get("endpoint_id")?, position: row.try_get("event_position")? },
        event_id: event_id(row.try_get("event_id")?),
        event_type: row.try_get("event_type")?,
        object_id: row.try_get("object_id")?,
        created_at: row.try_get("created_at")?,
        status: DeliveryStatus::parse(row.try_get("status")?)?,
        next_attempt_at: row.try_get("next_attempt_at")?,
        finished_at: row.try_get("finished_at")?,
    })
}

fn push_deliveries(sql: &mut QueryBuilder<Postgres>, list: &DeliveryList) {
    sql.push(
        " FROM webhook_deliveries d JOIN events v ON v.hotel_id = d.hotel_id AND v.position = d.event_position \
         AND v.created_at = d.created_at WHERE d.hotel_id = ",
    );
    sql.push_bind(list.hotel).push(" AND d.endpoint_id = ").push_bind(list.endpoint);
    sql.push(" AND EXISTS (SELECT FROM webhook_endpoints w WHERE w.hotel_id = d.hotel_id AND w.id = d.endpoint_id");
    sql.push(" AND w.integration_id = ").push_bind(list.integration).push(")");
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
    let rows = sql.build().fetch_all(conn).await?;
    Ok(Page::of_rows(rows.iter().map(delivery).collect::<Result<_>>()?, request))
}

pub(super) async fn deliveries_extent(
    conn: &mut PgConnection,
    list: &DeliveryList,
    request: &ExtentRequest<i64>,
) -> Result<Extent> {
    let push = |sql: &mut QueryBuilder<Postgres>| push_deliveries(sql, list);
    crate::db::extent(conn, request, push, |sql, operator, position| {
        let backwards = if operator == "<=" { ">=" } else { "<=" };
        sql.push(" AND d.event_position ").push(backwards).push(" ").push_bind(position);
    })
    .await
}

pub(super) async fn find_delivery(conn: &mut PgConnection, hotel: HotelId, id: DeliveryId) -> Result<Option<Delivery>> {
    let mut sql = QueryBuilder::new("SELECT ");
    sql.push(DELIVERY_COLUMNS);
    sql.push(
        " FROM webhook_deliveries d JOIN events v ON v.hotel_id = d.hotel_id AND v.position = d.event_position \
         AND v.created_at = d.created_at WHERE d.hotel_id = ",
    );
    sql.push_bind(hotel).push(" AND d.endpoint_id = ").push_bind(id.endpoint);
    sql.push(" AND d.event_position = ").push_bind(id.position);
    sql.build().fetch_optional(conn).await?.as_ref().map(delivery).transpose()
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
