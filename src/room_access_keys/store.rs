//! The SQL of room access keys.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row, query, query_scalar};
use uuid::Uuid;

use super::model::{KeyKind, deletes_at};
use crate::db::{ListBounds, ListBoundsRequest, Page, PageRequest, push_id_page};
use crate::error::Result;
use crate::hotels::HotelId;

/// A key as it lies in the database.
#[derive(Clone)]
pub struct StoredKey {
    /// Id.
    pub id: Uuid,
    /// Kind.
    pub kind: KeyKind,
    /// Sealed PIN or QR data.
    pub secret: Vec<u8>,
    /// Compartment of a key box.
    pub compartment: Option<String>,
    /// When the pruner deletes it; `None` when not asked for.
    pub deletes_at: Option<DateTime<Utc>>,
}

fn stored_key(row: &PgRow) -> Result<StoredKey> {
    Ok(StoredKey {
        id: row.try_get("id")?,
        kind: KeyKind::parse(row.try_get("kind")?)?,
        secret: row.try_get("secret")?,
        compartment: row.try_get("compartment")?,
        deletes_at: deletes_at(row.try_get("unassigned_since")?, row.try_get("last_due")?),
    })
}

/// Reads the kind of a key of the integration and holds the key until the transaction ends.
pub(crate) async fn lock_own(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    id: Uuid,
) -> Result<Option<KeyKind>> {
    let kind = query_scalar!(
        "SELECT kind FROM room_access_keys WHERE hotel_id = $1 AND integration_id = $2 AND id = $3 FOR UPDATE",
        hotel,
        integration,
        id,
    )
    .fetch_optional(conn)
    .await?;
    kind.as_deref().map(KeyKind::parse).transpose()
}

/// Holds a key until the transaction ends.
pub(super) async fn lock(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> Result<()> {
    query!("SELECT FROM room_access_keys WHERE hotel_id = $1 AND id = $2 FOR UPDATE", hotel, id).execute(conn).await?;
    Ok(())
}

/// Reads the kind of a key of the integration, stops its clock and holds the key until the transaction ends.
pub(crate) async fn mark_assigned(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    id: Uuid,
) -> Result<Option<KeyKind>> {
    let kind = query_scalar!(
        "UPDATE room_access_keys SET unassigned_since = NULL WHERE hotel_id = $1 AND integration_id = $2 AND id = $3
         RETURNING kind",
        hotel,
        integration,
        id,
    )
    .fetch_optional(conn)
    .await?;
    kind.as_deref().map(KeyKind::parse).transpose()
}

/// Starts the clock of those held keys that are on no stay any more.
pub(super) async fn mark_unassigned(
    conn: &mut PgConnection,
    hotel: HotelId,
    ids: &[Uuid],
    now: DateTime<Utc>,
) -> Result<()> {
    query!(
        "UPDATE room_access_keys k SET unassigned_since = $3 WHERE k.hotel_id = $1 AND k.id = ANY ($2)
         AND NOT EXISTS (SELECT FROM room_stays s WHERE s.hotel_id = $1 AND s.room_access_key_id = k.id)",
        hotel,
        ids,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether a key is on a stay.
pub(crate) async fn is_assigned(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> Result<bool> {
    let found = query_scalar!(
        r#"SELECT EXISTS (SELECT FROM room_stays WHERE hotel_id = $1 AND room_access_key_id = $2) AS "found!""#,
        hotel,
        id,
    )
    .fetch_one(conn)
    .await?;
    Ok(found)
}

/// Deletes a key.
pub(crate) async fn delete(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> Result<()> {
    query!("DELETE FROM room_access_keys WHERE hotel_id = $1 AND id = $2", hotel, id).execute(conn).await?;
    Ok(())
}

/// A page of the keys of one integration, in the order in which they were made.
pub(super) async fn page(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    request: &PageRequest<Uuid>,
    with_deletes_at: bool,
) -> Result<Page<StoredKey>> {
    let mut sql = QueryBuilder::new("SELECT k.id, k.kind, k.secret, k.compartment, ");
    sql.push(if with_deletes_at {
        "k.unassigned_since, (SELECT max(s.room_access_key_due_at) FROM room_stays s \
         WHERE s.hotel_id = k.hotel_id AND s.room_access_key_id = k.id) AS last_due"
    } else {
        "NULL::timestamptz AS unassigned_since, NULL::timestamptz AS last_due"
    });
    sql.push(" FROM room_access_keys k WHERE k.hotel_id = ")
        .push_bind(hotel)
        .push(" AND k.integration_id = ")
        .push_bind(integration);
    push_id_page(&mut sql, "k.id", request);
    let rows = sql.build().fetch_all(conn).await?;
    let keys = rows.iter().map(stored_key).collect::<Result<Vec<_>>>()?;
    Ok(Page::of_rows(keys, request))
}

/// How many keys the integration has, and whether some lie before or behind a page.
pub(super) async fn bounds(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    request: &ListBoundsRequest<Uuid>,
) -> Result<ListBounds> {
    let list = |sql: &mut QueryBuilder<Postgres>| {
        sql.push("FROM room_access_keys k WHERE k.hotel_id = ").push_bind(hotel);
        sql.push(" AND k.integration_id = ").push_bind(integration);
    };
    crate::db::bounds(conn, request, list, |sql, operator, id| {
        sql.push(" AND k.id ").push(operator).push(" ").push_bind(id);
    })
    .await
}
