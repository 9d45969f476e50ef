//! The SQL of spaces, and of which doors they hold.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row as _, query, query_as};
use uuid::Uuid;

use crate::db::{Condition, Filter, ListBounds, ListBoundsRequest, Page, PageRequest, by_ordinal, push_id_page};
use crate::error::Result;
use crate::hotels::HotelId;
use crate::locks::{Reference, Space};

/// What spaces can be filtered by. What it is serialized to is part of cursors.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SpaceField {
    /// Id.
    Id(Condition<Uuid>),
    /// Key.
    Key(Condition<String>),
    /// The room that it is.
    RoomSetupId(Condition<Uuid>),
}

const COLUMNS: &str = "s.id, s.space_key, s.name, s.room_setup_id, s.created_at, s.updated_at";

fn from_row(row: &PgRow) -> Result<Space> {
    Ok(Space {
        id: row.try_get("id")?,
        key: row.try_get("space_key")?,
        name: row.try_get("name")?,
        room_setup_id: row.try_get("room_setup_id")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    })
}

fn push_field(field: &SpaceField, sql: &mut QueryBuilder<Postgres>) {
    match field {
        SpaceField::Id(condition) => condition.push("s.id", sql),
        SpaceField::Key(condition) => condition.push("s.space_key", sql),
        SpaceField::RoomSetupId(condition) => condition.push("s.room_setup_id", sql),
    }
}

fn push_list(sql: &mut QueryBuilder<Postgres>, hotel: HotelId, filter: &Filter<SpaceField>) {
    sql.push(" FROM spaces s WHERE s.hotel_id = ").push_bind(hotel).push(" AND ");
    filter.push(sql, push_field);
}

/// A page of the hotel's spaces, in the order in which they were made.
pub async fn page(
    conn: &mut PgConnection,
    hotel: HotelId,
    filter: &Filter<SpaceField>,
    request: &PageRequest<Uuid>,
) -> Result<Page<Space>> {
    let mut sql = QueryBuilder::new("SELECT ");
    sql.push(COLUMNS);
    push_list(&mut sql, hotel, filter);
    push_id_page(&mut sql, "s.id", request);
    let rows = sql.build().fetch_all(conn).await?;
    Ok(Page::of_rows(rows.iter().map(from_row).collect::<Result<_>>()?, request))
}

/// How many of the hotel's spaces match, and whether some lie before or behind a page.
pub async fn bounds(
    conn: &mut PgConnection,
    hotel: HotelId,
    filter: &Filter<SpaceField>,
    request: &ListBoundsRequest<Uuid>,
) -> Result<ListBounds> {
    crate::db::bounds(
        conn,
        request,
        |sql| push_list(sql, hotel, filter),
        |sql, operator, id| {
            sql.push(" AND s.id ").push(operator).push(" ").push_bind(id);
        },
    )
    .await
}

/// Those of these spaces that the hotel has, in the order in which they were made.
pub async fn by_ids(conn: &mut PgConnection, hotel: HotelId, ids: &[Uuid]) -> Result<Vec<Space>> {
    let spaces = query_as!(
        Space,
        "SELECT id, space_key AS key, name, room_setup_id, created_at, updated_at
         FROM spaces WHERE hotel_id = $1 AND id = ANY ($2) ORDER BY id",
        hotel,
        ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(spaces)
}

/// The spaces that hold each of the given doors, in the order in which they were made. A door may be given twice.
pub async fn of_entrances(conn: &mut PgConnection, hotel: HotelId, entrances: &[Uuid]) -> Result<Vec<Vec<Space>>> {
    let mut sql = QueryBuilder::new("SELECT p.n, ");
    sql.push(COLUMNS);
    sql.push(" FROM unnest(").push_bind(entrances.to_vec()).push("::uuid[]) WITH ORDINALITY p (entrance_id, n)");
    sql.push(" JOIN space_entrances o ON o.hotel_id = ").push_bind(hotel).push(" AND o.entrance_id = p.entrance_id");
    sql.push(" JOIN spaces s ON s.hotel_id = o.hotel_id AND s.id = o.space_id ORDER BY p.n, s.id");
    let rows = sql.build().fetch_all(conn).await?;
    let spaces = rows.iter().map(|row| Ok((row.try_get("n")?, from_row(row)?))).collect::<Result<Vec<_>>>()?;
    Ok(by_ordinal(spaces, entrances.len()))
}

/// Reads a space and holds it until the transaction ends, also against those who refer to it.
pub(in crate::locks) async fn lock(
    conn: &mut PgConnection,
    hotel: HotelId,
    reference: &Reference,
) -> Result<Option<Space>> {
    let (id, key) = reference.parts();
    let space = query_as!(
        Space,
        "SELECT id, space_key AS key, name, room_setup_id, created_at, updated_at
         FROM spaces WHERE hotel_id = $1 AND (id = $2 OR space_key = $3) FOR UPDATE",
        hotel,
        id,
        key,
    )
    .fetch_optional(conn)
    .await?;
    Ok(space)
}

pub(in crate::locks) async fn insert(conn: &mut PgConnection, hotel: HotelId, space: &Space) -> sqlx::Result<()> {
    query!(
        "INSERT INTO spaces (hotel_id, id, space_key, name, room_setup_id, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        hotel,
        space.id,
        space.key,
        space.name,
        space.room_setup_id,
        space.created_at,
        space.updated_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(in crate::locks) async fn update(conn: &mut PgConnection, hotel: HotelId, space: &Space) -> sqlx::Result<()> {
    query!(
        "UPDATE spaces SET space_key = $3, name = $4, updated_at = $5 WHERE hotel_id = $1 AND id = $2",
        hotel,
        space.id,
        space.key,
        space.name,
        space.updated_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes a space; its doors stay.
pub(in crate::locks) async fn delete(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> sqlx::Result<()> {
    query!("DELETE FROM spaces WHERE hotel_id = $1 AND id = $2", hotel, id).execute(conn).await?;
    Ok(())
}

/// Puts held doors into a space, and tells how many were not in it.
pub(in crate::locks) async fn add_entrances(
    conn: &mut PgConnection,
    hotel: HotelId,
    space: Uuid,
    entrances: &[Uuid],
) -> sqlx::Result<u64> {
    let added = query!(
        "INSERT INTO space_entrances (hotel_id, space_id, entrance_id)
         SELECT $1, $2, entrance_id FROM unnest($3::uuid[]) AS new (entrance_id) ON CONFLICT DO NOTHING",
        hotel,
        space,
        entrances,
    )
    .execute(conn)
    .await?;
    Ok(added.rows_affected())
}

/// Takes doors out of a space, and tells how many were in it.
pub(in crate::locks) async fn remove_entrances(
    conn: &mut PgConnection,
    hotel: HotelId,
    space: Uuid,
    entrances: &[Uuid],
) -> sqlx::Result<u64> {
    let removed = query!(
        "DELETE FROM space_entrances WHERE hotel_id = $1 AND space_id = $2 AND entrance_id = ANY ($3)",
        hotel,
        space,
        entrances,
    )
    .execute(conn)
    .await?;
    Ok(removed.rows_affected())
}

/// Has a space hold these held doors and no others, and tells whether that changes anything.
pub(in crate::locks) async fn replace_entrances(
    conn: &mut PgConnection,
    hotel: HotelId,
    space: Uuid,
    entrances: &[Uuid],
) -> sqlx::Result<bool> {
    let removed = query!(
        "DELETE FROM space_entrances WHERE hotel_id = $1 AND space_id = $2 AND entrance_id <> ALL ($3)",
        hotel,
        space,
        entrances,
    )
    .execute(&mut *conn)
    .await?;
    let added = add_entrances(conn, hotel, space, entrances).await?;
    Ok(removed.rows_affected() + added > 0)
}

/// Makes the spaces that these rooms are, and renames those whose room has another name by now.
pub(in crate::locks) async fn follow_rooms(
    conn: &mut PgConnection,
    hotel: HotelId,
    rooms: &[Uuid],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    query!(
        "INSERT INTO spaces AS s (hotel_id, id, name, room_setup_id, created_at, updated_at)
         SELECT hotel_id, id, name, id, $3, $3 FROM room_setups WHERE hotel_id = $1 AND id = ANY ($2) ORDER BY id
         ON CONFLICT (hotel_id, id) DO UPDATE SET name = excluded.name, updated_at = excluded.updated_at
         WHERE s.name <> excluded.name",
        hotel,
        rooms,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
