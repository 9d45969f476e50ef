//! The SQL of integrations and of what they hold.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row, query, query_as, query_scalar};
use uuid::Uuid;

use crate::db::{ListBounds, ListBoundsRequest, Page, PageRequest, push_id_page};
use crate::error::Result;
use crate::hotels::HotelId;

/// A vendor's connection to a hotel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integration {
    /// Id.
    pub id: Uuid,
    /// Name, unique in the hotel.
    pub name: String,
    /// When it was first connected.
    pub created_at: DateTime<Utc>,
    /// Since when it is disconnected.
    pub disconnected_at: Option<DateTime<Utc>>,
}

/// What an integration holds: what its disconnection would take away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// Room access keys, on stays or not.
    pub room_access_keys: i64,
    /// Stays that one of them is on.
    pub room_stays: i64,
    /// Access grants that were not deleted.
    pub access_grants: i64,
    /// User identities.
    pub user_identities: i64,
    /// Webhook endpoints, enabled or not.
    pub webhook_endpoints: i64,
    /// Pairs of API keys that are not revoked.
    pub api_keys: i64,
}

/// Adds an integration to a new hotel.
pub async fn insert(
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

/// Connects an integration, new or disconnected. `None` when one of that name is connected; it is held then, too.
pub(super) async fn connect(
    conn: &mut PgConnection,
    hotel: HotelId,
    id: Uuid,
    name: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Integration>> {
    query_as!(
        Integration,
        "INSERT INTO integrations AS i (hotel_id, id, name, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (hotel_id, name) DO UPDATE SET disconnected_at = NULL WHERE i.disconnected_at IS NOT NULL
         RETURNING i.id, i.name, i.created_at, i.disconnected_at",
        hotel,
        id,
        name,
        now,
    )
    .fetch_optional(conn)
    .await
}

/// The integration of that name, connected or not.
pub(crate) async fn find_by_name(conn: &mut PgConnection, hotel: HotelId, name: &str) -> Result<Option<Integration>> {
    let found = query_as!(
        Integration,
        "SELECT id, name, created_at, disconnected_at FROM integrations WHERE hotel_id = $1 AND name = $2",
        hotel,
        name,
    )
    .fetch_optional(conn)
    .await?;
    Ok(found)
}

/// Holds an integration against its disconnection until the transaction ends; others may hold it, too.
pub(super) async fn lock_shared(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> Result<Option<Integration>> {
    let found = query_as!(
        Integration,
        "SELECT id, name, created_at, disconnected_at FROM integrations WHERE hotel_id = $1 AND id = $2 FOR SHARE",
        hotel,
        id,
    )
    .fetch_optional(conn)
    .await?;
    Ok(found)
}

/// Holds an integration until the transaction ends. Room access keys can be made meanwhile: they only refer to it.
pub(crate) async fn lock(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> Result<Option<Uuid>> {
    let found =
        query_scalar!("SELECT id FROM integrations WHERE hotel_id = $1 AND id = $2 FOR NO KEY UPDATE", hotel, id,)
            .fetch_optional(conn)
            .await?;
    Ok(found)
}

/// Marks a held integration as disconnected, at an instant that an already disconnected one keeps.
pub(crate) async fn mark_disconnected(
    conn: &mut PgConnection,
    hotel: HotelId,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Integration> {
    let disconnected = query_as!(
        Integration,
        "UPDATE integrations SET disconnected_at = coalesce(disconnected_at, $3) WHERE hotel_id = $1 AND id = $2
         RETURNING id, name, created_at, disconnected_at",
        hotel,
        id,
        now,
    )
    .fetch_one(conn)
    .await?;
    Ok(disconnected)
}

/// What each of these integrations holds, in their order.
pub(super) async fn holdings(conn: &mut PgConnection, hotel: HotelId, ids: &[Uuid]) -> Result<Vec<(Uuid, Holdings)>> {
    let rows = query!(
        r#"SELECT i.id AS "id!", k.keys AS "room_access_keys!", k.stays AS "room_stays!",
                  (SELECT count(*) FROM access_grants g
                   WHERE g.hotel_id = $1 AND g.integration_id = i.id AND g.deleted_at IS NULL) AS "access_grants!",
                  (SELECT count(*) FROM user_identities u
                   WHERE u.hotel_id = $1 AND u.integration_id = i.id AND u.deleted_at IS NULL) AS "user_identities!",
                  (SELECT count(*) FROM webhook_endpoints w WHERE w.hotel_id = $1 AND w.integration_id = i.id)
                      AS "webhook_endpoints!",
                  (SELECT count(*) FROM api_keys a
                   WHERE a.hotel_id = $1 AND a.integration_id = i.id AND a.revoked_at IS NULL) AS "api_keys!"
           FROM unnest($2::uuid[]) WITH ORDINALITY AS i (id, n) CROSS JOIN LATERAL (
               SELECT count(DISTINCT k.id) AS keys, count(s.id) AS stays
               FROM room_access_keys k
               LEFT JOIN room_stays s ON s.hotel_id = k.hotel_id AND s.room_access_key_id = k.id
               WHERE k.hotel_id = $1 AND k.integration_id = i.id
           ) k
           ORDER BY i.n"#,
        hotel,
        ids,
    )
    .fetch_all(conn)
    .await?;
    let holdings = rows.into_iter().map(|row| {
        let holdings = Holdings {
            room_access_keys: row.room_access_keys,
            room_stays: row.room_stays,
            access_grants: row.access_grants,
            user_identities: row.user_identities,
            webhook_endpoints: row.webhook_endpoints,
            api_keys: row.api_keys,
        };
        (row.id, holdings)
    });
    Ok(holdings.collect())
}

fn integration(row: &PgRow) -> Result<Integration> {
    Ok(Integration {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        created_at: row.try_get("created_at")?,
        disconnected_at: row.try_get("disconnected_at")?,
    })
}

fn push_integrations(sql: &mut QueryBuilder<Postgres>, hotel: HotelId) {
    sql.push(" FROM integrations i WHERE i.hotel_id = ").push_bind(hotel);
}

pub(super) async fn page(
    conn: &mut PgConnection,
    hotel: HotelId,
    request: &PageRequest<Uuid>,
) -> Result<Page<Integration>> {
    let mut sql = QueryBuilder::new("SELECT i.id, i.name, i.created_at, i.disconnected_at");
    push_integrations(&mut sql, hotel);
    push_id_page(&mut sql, "i.id", request);
    let rows = sql.build().fetch_all(conn).await?;
    Ok(Page::of_rows(rows.iter().map(integration).collect::<Result<_>>()?, request))
}

pub(super) async fn bounds(
    conn: &mut PgConnection,
    hotel: HotelId,
    request: &ListBoundsRequest<Uuid>,
) -> Result<ListBounds> {
    let list = |sql: &mut QueryBuilder<Postgres>| push_integrations(sql, hotel);
    crate::db::bounds(conn, request, list, |sql, operator, id| {
        sql.push(" AND i.id ").push(operator).push(" ").push_bind(id);
    })
    .await
}

/// All integrations of a hotel, in the order in which they were first connected.
pub(super) async fn list(conn: &mut PgConnection, hotel: HotelId) -> Result<Vec<Integration>> {
    let all = query_as!(
        Integration,
        "SELECT id, name, created_at, disconnected_at FROM integrations WHERE hotel_id = $1 ORDER BY id",
        hotel,
    )
    .fetch_all(conn)
    .await?;
    Ok(all)
}
