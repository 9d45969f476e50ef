//! The SQL of endpoints.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder, query, query_as};
use uuid::Uuid;

use super::model::{Endpoint, EndpointStatus, Format};
use crate::db::{Condition, ListBounds, ListBoundsRequest, Page, PageRequest, push_id_page};
use crate::error::{Error, Result};
use crate::hotels::HotelId;

const ENDPOINT_COLUMNS: &str = "w.id, w.url, w.status, w.format, w.events, w.disabled_reason, w.disabled_at, \
     w.last_success_at, w.created_at, w.updated_at";

/// A row of [`ENDPOINT_COLUMNS`].
#[derive(FromRow)]
struct EndpointRow {
    id: Uuid,
    url: String,
    status: String,
    format: String,
    events: Vec<String>,
    disabled_reason: Option<String>,
    disabled_at: Option<DateTime<Utc>>,
    last_success_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<EndpointRow> for Endpoint {
    type Error = Error;

    fn try_from(row: EndpointRow) -> Result<Self> {
        Ok(Self {
            id: row.id,
            url: row.url,
            status: EndpointStatus::parse(&row.status)?,
            format: Format::parse(&row.format)?,
            events: row.events,
            disabled_reason: row.disabled_reason,
            disabled_at: row.disabled_at,
            last_success_at: row.last_success_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
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
        "INSERT INTO webhook_endpoints (hotel_id, id, integration_id, url, status, events, secret, created_at, updated_at,
                                        format)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)",
        hotel,
        endpoint.id,
        integration,
        endpoint.url,
        endpoint.status.as_str(),
        &endpoint.events[..],
        secret,
        endpoint.created_at,
        endpoint.format.as_str(),
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
    let row = query_as!(
        EndpointRow,
        "SELECT id, url, status, format, events, disabled_reason, disabled_at, last_success_at, created_at, updated_at
         FROM webhook_endpoints WHERE hotel_id = $1 AND integration_id = $2 AND id = $3 FOR UPDATE",
        hotel,
        integration,
        id,
    )
    .fetch_optional(conn)
    .await?;
    row.map(Endpoint::try_from).transpose()
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

/// All endpoints of a hotel with the names of their integrations, in that order.
pub(super) async fn of_hotel(conn: &mut PgConnection, hotel: HotelId) -> Result<Vec<(String, Endpoint)>> {
    let rows = query!(
        "SELECT i.name AS integration, w.id, w.url, w.status, w.format, w.events, w.disabled_reason, w.disabled_at,
                w.last_success_at, w.created_at, w.updated_at
         FROM webhook_endpoints w JOIN integrations i ON i.hotel_id = w.hotel_id AND i.id = w.integration_id
         WHERE w.hotel_id = $1 ORDER BY i.name, w.id",
        hotel,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let endpoint = EndpointRow {
                id: row.id,
                url: row.url,
                status: row.status,
                format: row.format,
                events: row.events,
                disabled_reason: row.disabled_reason,
                disabled_at: row.disabled_at,
                last_success_at: row.last_success_at,
                created_at: row.created_at,
                updated_at: row.updated_at,
            };
            Ok((row.integration, Endpoint::try_from(endpoint)?))
        })
        .collect()
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
    let rows: Vec<EndpointRow> = sql.build_query_as().fetch_all(conn).await?;
    Ok(Page::of_rows(rows.into_iter().map(Endpoint::try_from).collect::<Result<_>>()?, request))
}

pub(super) async fn bounds(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    ids: &[Condition<Uuid>],
    request: &ListBoundsRequest<Uuid>,
) -> Result<ListBounds> {
    let list = |sql: &mut QueryBuilder<Postgres>| push_endpoints(sql, hotel, integration, ids);
    crate::db::bounds(conn, request, list, |sql, operator, id| {
        sql.push(" AND w.id ").push(operator).push(" ").push_bind(id);
    })
    .await
}
