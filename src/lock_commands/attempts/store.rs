//! The SQL of action attempts.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::{ActionAttempt, AttemptField};
use crate::db::{Filter, ListBounds, ListBoundsRequest, Page, PageRequest, push_id_page};
use crate::error::{Error, Result};
use crate::hotels::HotelId;
use crate::lock_commands::{CommandKind, CommandStatus, Failure};
use crate::locks::Provider;

#[derive(FromRow)]
struct AttemptRow {
    id: Uuid,
    kind: String,
    status: String,
    error: Option<String>,
    subject_id: Uuid,
    provider: String,
    encoder_id: Option<Uuid>,
    encoder_key: Option<String>,
    entrance_id: Option<Uuid>,
    entrance_key: Option<String>,
    created_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
}

impl TryFrom<AttemptRow> for ActionAttempt {
    type Error = Error;

    fn try_from(row: AttemptRow) -> Result<Self> {
        let status = CommandStatus::parse(&row.status)?;
        // While it is pending, that of the attempt before.
        let error = row.error.filter(|_| status == CommandStatus::Failed);
        Ok(Self {
            id: row.id,
            kind: CommandKind::parse(&row.kind)?,
            status,
            error: error.as_deref().map(Failure::parse).transpose()?,
            subject_id: row.subject_id,
            provider: Provider::parse(&row.provider)?,
            encoder_id: row.encoder_id,
            encoder_key: row.encoder_key,
            entrance_id: row.entrance_id,
            entrance_key: row.entrance_key,
            created_at: row.created_at,
            finished_at: row.finished_at,
        })
    }
}

/// A page of the action attempts of an integration, or of all of the hotel, in the order in which they were asked for.
pub async fn page(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Option<Uuid>,
    filter: &Filter<AttemptField>,
    request: &PageRequest<Uuid>,
) -> Result<Page<ActionAttempt>> {
    let mut sql = QueryBuilder::new(
        "SELECT c.id, c.kind, c.status, c.error, c.subject_id, coalesce(e.provider, n.provider) AS provider, c.encoder_id, \
         e.encoder_key, c.entrance_id, n.entrance_key, c.created_at, c.finished_at",
    );
    push_attempts(&mut sql, hotel, integration, filter);
    push_id_page(&mut sql, "c.id", request);
    let rows: Vec<AttemptRow> = sql.build_query_as().fetch_all(conn).await?;
    Ok(Page::of_rows(rows.into_iter().map(ActionAttempt::try_from).collect::<Result<_>>()?, request))
}

/// What there is to know about the list beside the page.
pub async fn bounds(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Option<Uuid>,
    filter: &Filter<AttemptField>,
    request: &ListBoundsRequest<Uuid>,
) -> Result<ListBounds> {
    let list = |sql: &mut QueryBuilder<Postgres>| push_attempts(sql, hotel, integration, filter);
    crate::db::bounds(conn, request, list, |sql, operator, id| {
        sql.push(" AND c.id ").push(operator).push(" ").push_bind(id);
    })
    .await
}

fn push_attempts(
    sql: &mut QueryBuilder<Postgres>,
    hotel: HotelId,
    integration: Option<Uuid>,
    filter: &Filter<AttemptField>,
) {
    sql.push(" FROM lock_commands c LEFT JOIN encoders e ON e.hotel_id = c.hotel_id AND e.id = c.encoder_id");
    sql.push(" LEFT JOIN entrances n ON n.hotel_id = c.hotel_id AND n.id = c.entrance_id");
    sql.push(" WHERE c.hotel_id = ").push_bind(hotel);
    if let Some(integration) = integration {
        sql.push(" AND c.integration_id = ").push_bind(integration);
    }
    sql.push(" AND ");
    filter.push(sql, |field, sql| match field {
        AttemptField::Id(condition) => condition.push("c.id", sql),
        AttemptField::Status(condition) => condition.push("c.status", sql),
        AttemptField::Subject(condition) => condition.push("c.subject_id", sql),
    });
}
