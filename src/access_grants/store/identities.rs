//! Writing identities.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, query, query_scalar};
use uuid::Uuid;

use crate::access_grants::{IdentityDetails, IdentityKind, UserIdentity};
use crate::error::Result;
use crate::hotels::HotelId;
use crate::locks::Reference;

/// The id of an identity of the integration.
pub(in crate::access_grants) async fn find(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    reference: &Reference,
) -> Result<Option<Uuid>> {
    let (id, key) = reference.parts();
    let id = query_scalar!(
        "SELECT id FROM user_identities
         WHERE hotel_id = $1 AND integration_id = $2 AND (id = $3 OR user_identity_key = $4) AND deleted_at IS NULL",
        hotel,
        integration,
        id,
        key,
    );
    Ok(id.fetch_optional(conn).await?)
}

/// Reads an identity of the integration and holds it: meanwhile nobody makes a grant for it.
pub(in crate::access_grants) async fn lock(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    reference: &Reference,
) -> Result<Option<UserIdentity>> {
    let (id, key) = reference.parts();
    let row = query!(
        "SELECT id, user_identity_key, kind, full_name, email_address, phone_number, client_id, created_at, updated_at
         FROM user_identities
         WHERE hotel_id = $1 AND integration_id = $2 AND (id = $3 OR user_identity_key = $4) AND deleted_at IS NULL
         FOR UPDATE",
        hotel,
        integration,
        id,
        key,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(UserIdentity {
            id: row.id,
            key: row.user_identity_key,
            kind: IdentityKind::parse(&row.kind)?,
            details: IdentityDetails {
                full_name: row.full_name,
                email_address: row.email_address,
                phone_number: row.phone_number,
            },
            client_id: row.client_id,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    })
    .transpose()
}

/// Adds an identity.
pub(in crate::access_grants) async fn insert(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    identity: &UserIdentity,
) -> sqlx::Result<()> {
    let details = &identity.details;
    query!(
        "INSERT INTO user_identities (hotel_id, id, integration_id, user_identity_key, kind, full_name, email_address,
                                      phone_number, client_id, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        hotel,
        identity.id,
        integration,
        identity.key,
        identity.kind.name(),
        details.full_name,
        details.email_address,
        details.phone_number,
        identity.client_id,
        identity.created_at,
        identity.updated_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes everything of a held identity that can change.
pub(in crate::access_grants) async fn update(
    conn: &mut PgConnection,
    hotel: HotelId,
    identity: &UserIdentity,
) -> sqlx::Result<()> {
    let details = &identity.details;
    query!(
        "UPDATE user_identities SET user_identity_key = $3, kind = $4, full_name = $5, email_address = $6, phone_number = $7,
                                    client_id = $8, updated_at = $9
         WHERE hotel_id = $1 AND id = $2",
        hotel,
        identity.id,
        identity.key,
        identity.kind.name(),
        details.full_name,
        details.email_address,
        details.phone_number,
        identity.client_id,
        identity.updated_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether an identity has grants: live ones, or some that wait for their stay.
pub(in crate::access_grants) async fn has_grants(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> Result<bool> {
    let found = query_scalar!(
        r#"SELECT EXISTS (
               SELECT FROM access_grants
               WHERE hotel_id = $1 AND user_identity_id = $2 AND (deleted_at IS NULL OR awaits_stay)
           ) AS "found!""#,
        hotel,
        id,
    );
    Ok(found.fetch_one(conn).await?)
}

/// Whether an identity has live grants.
pub(in crate::access_grants) async fn has_live_grants(
    conn: &mut PgConnection,
    hotel: HotelId,
    id: Uuid,
) -> Result<bool> {
    let found = query_scalar!(
        r#"SELECT EXISTS (
               SELECT FROM access_grants WHERE hotel_id = $1 AND user_identity_id = $2 AND deleted_at IS NULL
           ) AS "found!""#,
        hotel,
        id,
    );
    Ok(found.fetch_one(conn).await?)
}

/// Holds the grants of an identity that wait for their stay, in the order of their ids.
pub(in crate::access_grants) async fn lock_waiting_grants(
    conn: &mut PgConnection,
    hotel: HotelId,
    id: Uuid,
) -> Result<Vec<Uuid>> {
    let ids = query_scalar!(
        "SELECT id FROM access_grants WHERE hotel_id = $1 AND user_identity_id = $2 AND awaits_stay ORDER BY id FOR UPDATE",
        hotel,
        id,
    );
    Ok(ids.fetch_all(conn).await?)
}

/// Marks a held identity as deleted, and forgets who it was.
pub(in crate::access_grants) async fn mark_deleted(
    conn: &mut PgConnection,
    hotel: HotelId,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    query!(
        "UPDATE user_identities SET deleted_at = $3, updated_at = $3, user_identity_key = NULL, full_name = NULL,
                                    email_address = NULL, phone_number = NULL, client_id = NULL
         WHERE hotel_id = $1 AND id = $2",
        hotel,
        id,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Marks identities of an integration without grants as deleted, the oldest first, and forgets who they were.
pub(in crate::access_grants) async fn mark_deleted_of_integration(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    most: i64,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    let ids = query_scalar!(
        "UPDATE user_identities SET deleted_at = $4, updated_at = $4, user_identity_key = NULL, full_name = NULL,
                                    email_address = NULL, phone_number = NULL, client_id = NULL
         WHERE hotel_id = $1 AND id IN (
             SELECT i.id FROM user_identities i
             WHERE i.hotel_id = $1 AND i.integration_id = $2 AND i.deleted_at IS NULL AND NOT EXISTS (
                 SELECT FROM access_grants g
                 WHERE g.hotel_id = $1 AND g.user_identity_id = i.id AND (g.deleted_at IS NULL OR g.awaits_stay)
             )
             ORDER BY i.id LIMIT $3 FOR UPDATE
         )
         RETURNING id",
        hotel,
        integration,
        most,
        now,
    );
    Ok(ids.fetch_all(conn).await?)
}
