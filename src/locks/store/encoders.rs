//! The SQL of encoders.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row as _, query, query_scalar};
use uuid::Uuid;

use crate::db::{Condition, Filter, ListBounds, ListBoundsRequest, Page, PageRequest, push_id_page};
use crate::error::Result;
use crate::hotels::HotelId;
use crate::integrations::Integration;
use crate::locks::{Encoder, Provider, Reference};

/// What encoders can be filtered by. What it is serialized to is part of cursors.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EncoderField {
    /// Id.
    Id(Condition<Uuid>),
    /// Key.
    Key(Condition<String>),
    /// Name of the provider.
    Provider(Condition<String>),
}

const COLUMNS: &str =
    "c.id, c.encoder_key, c.name, c.provider, c.simulated, c.failures, c.backoff_until, c.last_success_at,
     c.created_at, c.updated_at, i.id AS integration_id, i.name AS integration_name,
     i.created_at AS integration_created_at, i.disconnected_at AS integration_disconnected_at";

fn from_row(row: &PgRow) -> Result<Encoder> {
    Ok(Encoder {
        id: row.try_get("id")?,
        key: row.try_get("encoder_key")?,
        name: row.try_get("name")?,
        provider: Provider::parse(row.try_get("provider")?)?,
        simulated: row.try_get("simulated")?,
        integration: integration(row)?,
        failures: row.try_get("failures")?,
        backoff_until: row.try_get("backoff_until")?,
        last_success_at: row.try_get("last_success_at")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    })
}

fn integration(row: &PgRow) -> Result<Option<Integration>> {
    let Some(id) = row.try_get("integration_id")? else { return Ok(None) };
    Ok(Some(Integration {
        id,
        name: row.try_get("integration_name")?,
        created_at: row.try_get("integration_created_at")?,
        disconnected_at: row.try_get("integration_disconnected_at")?,
    }))
}

fn push_field(field: &EncoderField, sql: &mut QueryBuilder<Postgres>) {
    match field {
        EncoderField::Id(condition) => condition.push("c.id", sql),
        EncoderField::Key(condition) => condition.push("c.encoder_key", sql),
        EncoderField::Provider(condition) => condition.push("c.provider", sql),
    }
}

fn push_encoders(sql: &mut QueryBuilder<Postgres>, hotel: HotelId) {
    sql.push(" FROM encoders c LEFT JOIN integrations i ON i.hotel_id = c.hotel_id AND i.id = c.integration_id");
    sql.push(" WHERE c.hotel_id = ").push_bind(hotel);
}

/// A page of the hotel's encoders, in the order in which they were made.
pub async fn page(
    conn: &mut PgConnection,
    hotel: HotelId,
    filter: &Filter<EncoderField>,
    request: &PageRequest<Uuid>,
) -> Result<Page<Encoder>> {
    let mut sql = QueryBuilder::new("SELECT ");
    sql.push(COLUMNS);
    push_encoders(&mut sql, hotel);
    sql.push(" AND ");
    filter.push(&mut sql, push_field);
    push_id_page(&mut sql, "c.id", request);
    let rows = sql.build().fetch_all(conn).await?;
    Ok(Page::of_rows(rows.iter().map(from_row).collect::<Result<_>>()?, request))
}

/// How many of the hotel's encoders match, and whether some lie before or behind a page.
pub async fn bounds(
    conn: &mut PgConnection,
    hotel: HotelId,
    filter: &Filter<EncoderField>,
    request: &ListBoundsRequest<Uuid>,
) -> Result<ListBounds> {
    let list = |sql: &mut QueryBuilder<Postgres>| {
        sql.push(" FROM encoders c WHERE c.hotel_id = ").push_bind(hotel).push(" AND ");
        filter.push(sql, push_field);
    };
    crate::db::bounds(conn, request, list, |sql, operator, id| {
        sql.push(" AND c.id ").push(operator).push(" ").push_bind(id);
    })
    .await
}

/// An encoder as it is now.
pub(in crate::locks) async fn get(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> Result<Encoder> {
    let mut sql = QueryBuilder::new("SELECT ");
    sql.push(COLUMNS);
    push_encoders(&mut sql, hotel);
    sql.push(" AND c.id = ").push_bind(id);
    from_row(&sql.build().fetch_one(conn).await?)
}

/// Reads an encoder and holds it until the transaction ends, also against new commands.
pub(in crate::locks) async fn lock(
    conn: &mut PgConnection,
    hotel: HotelId,
    reference: &Reference,
) -> Result<Option<Encoder>> {
    let mut sql = QueryBuilder::new("SELECT ");
    sql.push(COLUMNS);
    push_encoders(&mut sql, hotel);
    match reference {
        Reference::Id(id) => sql.push(" AND c.id = ").push_bind(*id),
        Reference::Key(key) => sql.push(" AND c.encoder_key = ").push_bind(key.clone()),
    };
    sql.push(" FOR UPDATE OF c");
    let row = sql.build().fetch_optional(conn).await?;
    row.as_ref().map(from_row).transpose()
}

/// Whether a command of the encoder is not finished.
pub(in crate::locks) async fn is_busy(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> Result<bool> {
    let busy = query_scalar!(
        r#"SELECT EXISTS (SELECT FROM lock_commands WHERE hotel_id = $1 AND encoder_id = $2 AND status = 'PENDING')
               AS "busy!""#,
        hotel,
        id,
    )
    .fetch_one(conn)
    .await?;
    Ok(busy)
}

/// An encoder as it is written.
pub(in crate::locks) struct EncoderRecord<'a> {
    pub id: Uuid,
    pub key: Option<&'a str>,
    pub name: &'a str,
    pub provider: Provider,
    pub simulated: bool,
    pub integration: Option<Uuid>,
}

pub(in crate::locks) async fn insert(
    conn: &mut PgConnection,
    hotel: HotelId,
    encoder: &EncoderRecord<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    query!(
        "INSERT INTO encoders (hotel_id, id, encoder_key, name, provider, simulated, integration_id, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
        hotel,
        encoder.id,
        encoder.key,
        encoder.name,
        encoder.provider.traits().name,
        encoder.simulated,
        encoder.integration,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes a held encoder. With another integration it begins without failures: they were those of another bridge.
pub(in crate::locks) async fn update(
    conn: &mut PgConnection,
    hotel: HotelId,
    encoder: &EncoderRecord<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    query!(
        "UPDATE encoders
         SET encoder_key = $3, name = $4, provider = $5, integration_id = $6, updated_at = $7,
             failures = CASE WHEN integration_id IS NOT DISTINCT FROM $6 THEN failures ELSE 0 END,
             backoff_until = CASE WHEN integration_id IS NOT DISTINCT FROM $6 THEN backoff_until END
         WHERE hotel_id = $1 AND id = $2",
        hotel,
        encoder.id,
        encoder.key,
        encoder.name,
        encoder.provider.traits().name,
        encoder.integration,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes the commands of a held encoder.
pub(in crate::locks) async fn delete_commands(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> sqlx::Result<()> {
    query!("DELETE FROM lock_commands WHERE hotel_id = $1 AND encoder_id = $2", hotel, id).execute(conn).await?;
    Ok(())
}

/// Deletes a held encoder that has no commands.
pub(in crate::locks) async fn delete(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> sqlx::Result<()> {
    query!("DELETE FROM encoders WHERE hotel_id = $1 AND id = $2", hotel, id).execute(conn).await?;
    Ok(())
}
