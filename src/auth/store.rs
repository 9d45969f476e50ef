//! The SQL of credentials.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool, query};
use uuid::Uuid;

use super::{Actor, ApiKeyInfo, ApiKeyPair, Mode, Permission};
use crate::error::{Error, Result};
use crate::hotels::{Hotel, HotelId};

/// A credential that was found, usable or not.
pub(super) struct Found {
    pub actor: Actor,
    pub revoked: bool,
    pub disabled: bool,
}

pub(super) async fn find_by_hash(pool: &PgPool, hash: &[u8; 32]) -> Result<Option<Found>> {
    let row = query!(
        r#"SELECT k.id, k.integration_id, k.permission, k.live_hash = $1 AS "live!",
                  k.revoked_at IS NOT NULL AS "revoked!", k.disabled_at IS NOT NULL AS "disabled!",
                  h.id AS hotel_id, h.slug, h.name, h.time_zone, h.check_in_time, h.check_out_time,
                  h.room_access_keys_enabled
           FROM api_keys k JOIN hotels h ON h.id = k.hotel_id
           WHERE k.live_hash = $1 OR k.test_hash = $1"#,
        &hash[..],
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Found {
        revoked: row.revoked,
        disabled: row.disabled,
        actor: Actor {
            hotel: Hotel {
                id: row.hotel_id,
                slug: row.slug,
                name: row.name,
                time_zone: row.time_zone.parse().map_err(Error::internal)?,
                check_in_time: row.check_in_time,
                check_out_time: row.check_out_time,
                room_access_keys_enabled: row.room_access_keys_enabled,
            },
            integration_id: row.integration_id,
            api_key_id: row.id,
            mode: if row.live { Mode::Live } else { Mode::Test },
            permission: row.permission.parse().map_err(|reason: String| Error::internal(reason))?,
        },
    }))
}

/// Adds an integration to a hotel.
pub async fn insert_integration(
    conn: &mut PgConnection,
    hotel: HotelId,
    id: Uuid,
    name: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    query!("INSERT INTO integrations (hotel_id, id, name, created_at) VALUES ($1, $2, $3, $4)", hotel, id, name, now)
        .execute(conn)
        .await?;
    Ok(())
}

/// Adds an integration to a hotel that has none of that name.
pub(super) async fn insert_integration_if_absent(
    conn: &mut PgConnection,
    hotel: HotelId,
    id: Uuid,
    name: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    query!(
        "INSERT INTO integrations (hotel_id, id, name, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (hotel_id, name) DO NOTHING",
        hotel,
        id,
        name,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The integration of that name, if the hotel has it.
pub async fn find_integration(conn: &mut PgConnection, hotel: HotelId, name: &str) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!("SELECT id FROM integrations WHERE hotel_id = $1 AND name = $2", hotel, name)
        .fetch_optional(conn)
        .await
}

/// Stores the hashes and previews of a new pair.
pub async fn insert_api_key(
    conn: &mut PgConnection,
    id: Uuid,
    hotel: HotelId,
    integration_id: Uuid,
    permission: Permission,
    pair: &ApiKeyPair,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    query!(
        "INSERT INTO api_keys (id, hotel_id, integration_id, permission, live_hash, test_hash, live_preview, test_preview, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        id,
        hotel,
        integration_id,
        permission.as_str(),
        &pair.live.hash()[..],
        &pair.test.hash()[..],
        pair.live.preview(),
        pair.test.preview(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn list_api_keys(pool: &PgPool, hotel: HotelId) -> Result<Vec<ApiKeyInfo>> {
    let rows = query!(
        "SELECT k.id, i.name AS integration, k.permission, k.live_preview, k.test_preview, k.created_at, k.disabled_at,
                k.revoked_at
         FROM api_keys k JOIN integrations i ON i.hotel_id = k.hotel_id AND i.id = k.integration_id
         WHERE k.hotel_id = $1 ORDER BY k.created_at, k.id",
        hotel,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(ApiKeyInfo {
                id: row.id,
                integration: row.integration,
                permission: row.permission.parse().map_err(|reason: String| Error::internal(reason))?,
                live_preview: row.live_preview,
                test_preview: row.test_preview,
                created_at: row.created_at,
                disabled_at: row.disabled_at,
                revoked_at: row.revoked_at,
            })
        })
        .collect()
}

/// Disables a credential at an instant, which an already disabled one keeps, or enables it. False when it is revoked or
/// absent.
pub(super) async fn set_disabled(pool: &PgPool, id: Uuid, at: Option<DateTime<Utc>>) -> sqlx::Result<bool> {
    let done = query!(
        "UPDATE api_keys
         SET disabled_at = CASE WHEN $2::timestamptz IS NULL THEN NULL ELSE coalesce(disabled_at, $2) END
         WHERE id = $1 AND revoked_at IS NULL",
        id,
        at,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Revokes a credential at an instant, which an already revoked one keeps. False when it is absent.
pub(super) async fn revoke(pool: &PgPool, id: Uuid, at: DateTime<Utc>) -> sqlx::Result<bool> {
    let done =
        query!("UPDATE api_keys SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1", id, at).execute(pool).await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn api_key_exists(pool: &PgPool, id: Uuid) -> sqlx::Result<bool> {
    let found =
        sqlx::query_scalar!(r#"SELECT true AS "found!" FROM api_keys WHERE id = $1"#, id).fetch_optional(pool).await?;
    Ok(found.is_some())
}
