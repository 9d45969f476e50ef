//! The SQL of credentials.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row, query, query_as, query_scalar};
use uuid::Uuid;

use super::{ApiKeyInfo, CredentialFingerprint, NewApiKey};
use crate::actor::{Actor, Mode, Permission, Principal};
use crate::db::{ListBounds, ListBoundsRequest, Page, PageRequest, push_id_page};
use crate::error::{Error, Result};
use crate::hotels::{Hotel, HotelId};
use crate::integrations::Integration;

/// A credential that was found, usable or not.
pub(super) struct Found {
    pub actor: Actor,
    pub revoked: bool,
    pub disabled: bool,
    /// A hash of all of this, as `confirm_credential()` computes it.
    pub record_hash: i64,
}

/// Looks a key up, and binds the connection to its hotel.
pub(super) async fn find_by_hash(conn: &mut PgConnection, hash: &[u8; 32]) -> Result<Option<Found>> {
    let row = query!(
        r#"SELECT api_key_id AS "api_key_id!", integration_id AS "integration_id!", permission AS "permission!",
                  live AS "live!", revoked AS "revoked!", disabled AS "disabled!", hotel_id AS "hotel_id!", slug AS "slug!",
                  name AS "name!", time_zone AS "time_zone!", check_in_time AS "check_in_time!",
                  check_out_time AS "check_out_time!", room_access_keys_enabled AS "room_access_keys_enabled!",
                  is_sandbox AS "is_sandbox!", hash_record_extended(a, 0) AS "known!"
           FROM authenticate($1) a WHERE api_key_id IS NOT NULL"#,
        &hash[..],
    )
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Found {
        revoked: row.revoked,
        disabled: row.disabled,
        record_hash: row.known,
        actor: Actor {
            hotel: Arc::new(Hotel {
                id: row.hotel_id,
                slug: row.slug,
                name: row.name,
                time_zone: row.time_zone.parse().map_err(Error::internal)?,
                check_in_time: row.check_in_time,
                check_out_time: row.check_out_time,
                room_access_keys_enabled: row.room_access_keys_enabled,
                is_sandbox: row.is_sandbox,
            }),
            principal: Principal::ApiKey { id: row.api_key_id, integration_id: row.integration_id },
            mode: if row.live { Mode::Live } else { Mode::Test },
            permission: permission(&row.permission)?,
            request_id: None,
            traceparent: None,
        },
    }))
}

impl CredentialFingerprint {
    /// Appends a condition that is true, or else fails the statement; it also tells the connection its hotel. It belongs into
    /// the outermost `WHERE`: what does not depend on any row is evaluated first, and once.
    pub fn push_confirmation(&self, sql: &mut QueryBuilder<Postgres>) {
        sql.push("(SELECT confirm_credential(").push_bind(self.key_hash.to_vec());
        sql.push(", ").push_bind(self.record_hash).push("))");
    }
}

fn permission(text: &str) -> Result<Permission> {
    text.parse().map_err(|reason: String| Error::internal(reason))
}

/// Stores the hashes and previews of a new pair.
pub async fn insert_api_key(conn: &mut PgConnection, new: &NewApiKey, now: DateTime<Utc>) -> sqlx::Result<()> {
    query!(
        "INSERT INTO api_keys (id, hotel_id, integration_id, name, permission, live_hash, test_hash, live_preview,
                               test_preview, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        new.id,
        new.hotel_id,
        new.integration_id,
        new.name,
        new.permission.as_str(),
        &new.pair.live.hash()[..],
        &new.pair.test.hash()[..],
        new.pair.live.preview(),
        new.pair.test.preview(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

const COLUMNS: &str = "k.id, k.name, k.permission, k.live_preview, k.test_preview, k.created_at, k.disabled_at, \
     k.revoked_at, coalesce(u.request_count, 0) AS request_count, u.last_used_at, i.id AS integration_id, \
     i.name AS integration_name, i.created_at AS integration_created_at, i.disconnected_at";

fn info(row: &PgRow) -> Result<ApiKeyInfo> {
    Ok(ApiKeyInfo {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        integration: Integration {
            id: row.try_get("integration_id")?,
            name: row.try_get("integration_name")?,
            created_at: row.try_get("integration_created_at")?,
            disconnected_at: row.try_get("disconnected_at")?,
        },
        permission: permission(row.try_get("permission")?)?,
        live_preview: row.try_get("live_preview")?,
        test_preview: row.try_get("test_preview")?,
        created_at: row.try_get("created_at")?,
        last_used_at: row.try_get("last_used_at")?,
        request_count: row.try_get("request_count")?,
        disabled_at: row.try_get("disabled_at")?,
        revoked_at: row.try_get("revoked_at")?,
    })
}

fn push_keys(sql: &mut QueryBuilder<Postgres>, hotel: HotelId) {
    sql.push(" FROM api_keys k JOIN integrations i ON i.hotel_id = k.hotel_id AND i.id = k.integration_id");
    sql.push(" LEFT JOIN api_key_usage u ON u.hotel_id = k.hotel_id AND u.api_key_id = k.id");
    sql.push(" WHERE k.hotel_id = ").push_bind(hotel);
}

fn select(hotel: HotelId) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new("SELECT ");
    sql.push(COLUMNS);
    push_keys(&mut sql, hotel);
    sql
}

/// All pairs of a hotel, oldest first.
pub(super) async fn list(conn: &mut PgConnection, hotel: HotelId) -> Result<Vec<ApiKeyInfo>> {
    let mut sql = select(hotel);
    sql.push(" ORDER BY k.id");
    sql.build().fetch_all(conn).await?.iter().map(info).collect()
}

/// A page of the pairs of a hotel, oldest first.
pub(super) async fn page(
    conn: &mut PgConnection,
    hotel: HotelId,
    request: &PageRequest<Uuid>,
) -> Result<Page<ApiKeyInfo>> {
    let mut sql = select(hotel);
    push_id_page(&mut sql, "k.id", request);
    let rows = sql.build().fetch_all(conn).await?;
    Ok(Page::of_rows(rows.iter().map(info).collect::<Result<_>>()?, request))
}

pub(super) async fn bounds(
    conn: &mut PgConnection,
    hotel: HotelId,
    request: &ListBoundsRequest<Uuid>,
) -> Result<ListBounds> {
    let list = |sql: &mut QueryBuilder<Postgres>| push_keys(sql, hotel);
    crate::db::bounds(conn, request, list, |sql, operator, id| {
        sql.push(" AND k.id ").push(operator).push(" ").push_bind(id);
    })
    .await
}

pub(super) async fn find(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> Result<Option<ApiKeyInfo>> {
    let mut sql = select(hotel);
    sql.push(" AND k.id = ").push_bind(id);
    sql.build().fetch_optional(conn).await?.as_ref().map(info).transpose()
}

/// The hotel of a pair.
pub(super) async fn hotel_of(conn: &mut PgConnection, id: Uuid) -> Result<Option<HotelId>> {
    Ok(query_scalar!("SELECT hotel_id FROM api_keys WHERE id = $1", id).fetch_optional(conn).await?)
}

/// A pair that is locked.
pub(super) struct Locked {
    pub integration_id: Uuid,
    pub name: String,
    pub permission: String,
    pub disabled_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
}

/// Holds a pair until the transaction ends, after its integration, as everywhere.
pub(super) async fn lock(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> Result<Option<Locked>> {
    query!(
        "SELECT FROM integrations i WHERE (i.hotel_id, i.id) IN (
             SELECT k.hotel_id, k.integration_id FROM api_keys k
             WHERE k.id = $1 AND k.hotel_id = $2
         ) FOR SHARE",
        id,
        hotel,
    )
    .execute(&mut *conn)
    .await?;
    let locked = query_as!(
        Locked,
        "SELECT integration_id, name, permission, disabled_at, revoked_at FROM api_keys
         WHERE id = $1 AND hotel_id = $2 FOR UPDATE",
        id,
        hotel,
    )
    .fetch_optional(conn)
    .await?;
    Ok(locked)
}

/// Disables a held pair at an instant, which an already disabled one keeps, or enables it.
pub(super) async fn set_disabled(conn: &mut PgConnection, id: Uuid, at: Option<DateTime<Utc>>) -> Result<()> {
    query!(
        "UPDATE api_keys
         SET disabled_at = CASE WHEN $2::timestamptz IS NULL THEN NULL ELSE coalesce(disabled_at, $2) END
         WHERE id = $1",
        id,
        at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Revokes a held pair at an instant, which an already revoked one keeps.
pub(super) async fn revoke(conn: &mut PgConnection, id: Uuid, at: DateTime<Utc>) -> Result<()> {
    query!("UPDATE api_keys SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1", id, at).execute(conn).await?;
    Ok(())
}

/// Revokes all pairs of a held integration that are not revoked yet. Answers which those were.
pub(crate) async fn revoke_of_integration(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    at: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    let revoked = query_scalar!(
        "UPDATE api_keys SET revoked_at = $3 WHERE hotel_id = $1 AND integration_id = $2 AND revoked_at IS NULL
         RETURNING id",
        hotel,
        integration,
        at,
    )
    .fetch_all(conn)
    .await?;
    Ok(revoked)
}

/// Requests with one pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Used {
    pub hotel: HotelId,
    pub api_key: Uuid,
    pub requests: i64,
    pub last_used_at: DateTime<Utc>,
}

/// Adds requests to the counts of their pairs. In the order of ids, so that replicas that count at once never wait for
/// each other in a circle.
pub(super) async fn add_usage(conn: &mut PgConnection, used: &[Used]) -> Result<()> {
    let hotels: Vec<HotelId> = used.iter().map(|used| used.hotel).collect();
    let keys: Vec<Uuid> = used.iter().map(|used| used.api_key).collect();
    let counts: Vec<i64> = used.iter().map(|used| used.requests).collect();
    let instants: Vec<DateTime<Utc>> = used.iter().map(|used| used.last_used_at).collect();
    query!(
        "INSERT INTO api_key_usage AS u (hotel_id, api_key_id, request_count, last_used_at)
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[]) ORDER BY 1, 2
         ON CONFLICT (hotel_id, api_key_id) DO UPDATE
         SET request_count = u.request_count + excluded.request_count,
             last_used_at = greatest(u.last_used_at, excluded.last_used_at)",
        &hotels[..],
        &keys[..],
        &counts[..],
        &instants[..],
    )
    .execute(conn)
    .await?;
    Ok(())
}
