//! The SQL of doors.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{FromRow as _, PgConnection, Postgres, QueryBuilder, Row as _, query, query_as, query_scalar};
use uuid::Uuid;

use crate::db::{Condition, Filter, ListBounds, ListBoundsRequest, Page, PageRequest, by_ordinal, push_id_page};
use crate::error::{Error, Result};
use crate::hotels::HotelId;
use crate::locks::{Entrance, Mode, Provider, Reference};

/// What doors can be filtered by. What it is serialized to is part of cursors.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EntranceField {
    /// Id.
    Id(Condition<Uuid>),
    /// Key.
    Key(Condition<String>),
    /// Name of the provider.
    Provider(Condition<String>),
    /// Whether it can belong to a reservation.
    CanBelongToReservation(bool),
}

/// A list of doors. What it is serialized to is part of cursors.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct EntranceList {
    /// Of this space alone.
    pub space: Option<Reference>,
    /// Which doors.
    pub filter: Filter<EntranceField>,
}

/// A door as the database has it.
#[derive(sqlx::FromRow)]
pub(in crate::locks) struct EntranceRow {
    pub id: Uuid,
    pub entrance_key: Option<String>,
    pub name: String,
    pub provider: String,
    pub can_belong_to_reservation: bool,
    pub modes: Vec<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

const COLUMNS: &str =
    "e.id, e.entrance_key, e.name, e.provider, e.can_belong_to_reservation, e.modes, e.created_at, e.updated_at";

impl TryFrom<EntranceRow> for Entrance {
    type Error = Error;

    fn try_from(row: EntranceRow) -> Result<Self> {
        Ok(Self {
            id: row.id,
            key: row.entrance_key,
            name: row.name,
            provider: Provider::parse(&row.provider)?,
            can_belong_to_reservation: row.can_belong_to_reservation,
            modes: row.modes.iter().map(|mode| Mode::parse(mode)).collect::<Result<_>>()?,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

fn from_row(row: &PgRow) -> Result<Entrance> {
    EntranceRow::from_row(row)?.try_into()
}

fn push_field(field: &EntranceField, sql: &mut QueryBuilder<Postgres>) {
    match field {
        EntranceField::Id(condition) => condition.push("e.id", sql),
        EntranceField::Key(condition) => condition.push("e.entrance_key", sql),
        EntranceField::Provider(condition) => condition.push("e.provider", sql),
        EntranceField::CanBelongToReservation(can) => {
            sql.push("e.can_belong_to_reservation = ").push_bind(*can);
        }
    }
}

fn push_list(sql: &mut QueryBuilder<Postgres>, hotel: HotelId, list: &EntranceList) {
    sql.push(" FROM entrances e WHERE e.hotel_id = ").push_bind(hotel).push(" AND ");
    if let Some(space) = &list.space {
        sql.push("e.id IN (SELECT o.entrance_id FROM spaces s JOIN space_entrances o ");
        sql.push("ON o.hotel_id = s.hotel_id AND o.space_id = s.id WHERE s.hotel_id = ").push_bind(hotel);
        match space {
            Reference::Id(id) => sql.push(" AND s.id = ").push_bind(*id),
            Reference::Key(key) => sql.push(" AND s.space_key = ").push_bind(key.clone()),
        };
        sql.push(") AND ");
    }
    list.filter.push(sql, push_field);
}

/// A page of the hotel's doors, in the order in which they were made.
pub async fn page(
    conn: &mut PgConnection,
    hotel: HotelId,
    list: &EntranceList,
    request: &PageRequest<Uuid>,
) -> Result<Page<Entrance>> {
    let mut sql = QueryBuilder::new("SELECT ");
    sql.push(COLUMNS);
    push_list(&mut sql, hotel, list);
    push_id_page(&mut sql, "e.id", request);
    let rows = sql.build().fetch_all(conn).await?;
    Ok(Page::of_rows(rows.iter().map(from_row).collect::<Result<_>>()?, request))
}

/// How many of the hotel's doors match, and whether some lie before or behind a page.
pub async fn bounds(
    conn: &mut PgConnection,
    hotel: HotelId,
    list: &EntranceList,
    request: &ListBoundsRequest<Uuid>,
) -> Result<ListBounds> {
    crate::db::bounds(
        conn,
        request,
        |sql| push_list(sql, hotel, list),
        |sql, operator, id| {
            sql.push(" AND e.id ").push(operator).push(" ").push_bind(id);
        },
    )
    .await
}

/// Those of these doors that the hotel has, in the order in which they were made.
pub async fn by_ids(conn: &mut PgConnection, hotel: HotelId, ids: &[Uuid]) -> Result<Vec<Entrance>> {
    let rows = query_as!(
        EntranceRow,
        "SELECT id, entrance_key, name, provider, can_belong_to_reservation, modes, created_at, updated_at
         FROM entrances WHERE hotel_id = $1 AND id = ANY ($2) ORDER BY id",
        hotel,
        ids,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Entrance::try_from).collect()
}

/// The doors of each of the given spaces, in the order in which they were made. A space may be given twice.
pub async fn of_spaces(conn: &mut PgConnection, hotel: HotelId, spaces: &[Uuid]) -> Result<Vec<Vec<Entrance>>> {
    let mut sql = QueryBuilder::new("SELECT p.n, ");
    sql.push(COLUMNS);
    sql.push(" FROM unnest(").push_bind(spaces.to_vec()).push("::uuid[]) WITH ORDINALITY p (space_id, n)");
    sql.push(" JOIN space_entrances o ON o.hotel_id = ").push_bind(hotel).push(" AND o.space_id = p.space_id");
    sql.push(" JOIN entrances e ON e.hotel_id = o.hotel_id AND e.id = o.entrance_id ORDER BY p.n, e.id");
    let rows = sql.build().fetch_all(conn).await?;
    let entrances = rows.iter().map(|row| Ok((row.try_get("n")?, from_row(row)?))).collect::<Result<Vec<_>>>()?;
    Ok(by_ordinal(entrances, spaces.len()))
}

/// Reads a door and holds it until the transaction ends, also against those who refer to it.
pub(in crate::locks) async fn lock(
    conn: &mut PgConnection,
    hotel: HotelId,
    reference: &Reference,
) -> Result<Option<Entrance>> {
    let (id, key) = reference.parts();
    let row = query_as!(
        EntranceRow,
        "SELECT id, entrance_key, name, provider, can_belong_to_reservation, modes, created_at, updated_at
         FROM entrances WHERE hotel_id = $1 AND (id = $2 OR entrance_key = $3) FOR UPDATE",
        hotel,
        id,
        key,
    )
    .fetch_optional(conn)
    .await?;
    row.map(Entrance::try_from).transpose()
}

/// Whether a reservation that has not ended has the door.
pub(in crate::locks) async fn is_of_reservation(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> Result<bool> {
    let found = query_scalar!(
        r#"SELECT EXISTS (
               SELECT FROM access_reservation_doors d
               JOIN access_reservations r ON r.hotel_id = d.hotel_id AND r.id = d.reservation_id
               WHERE d.hotel_id = $1 AND d.entrance_id = $2 AND r.ended_at IS NULL
           ) AS "found!""#,
        hotel,
        id,
    )
    .fetch_one(conn)
    .await?;
    Ok(found)
}

fn names(modes: &[Mode]) -> Vec<String> {
    modes.iter().map(|mode| mode.name().to_owned()).collect()
}

pub(in crate::locks) async fn insert(conn: &mut PgConnection, hotel: HotelId, entrance: &Entrance) -> sqlx::Result<()> {
    query!(
        "INSERT INTO entrances (hotel_id, id, entrance_key, name, provider, can_belong_to_reservation, modes, created_at,
                                updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        hotel,
        entrance.id,
        entrance.key,
        entrance.name,
        entrance.provider.traits().name,
        entrance.can_belong_to_reservation,
        &names(&entrance.modes),
        entrance.created_at,
        entrance.updated_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(in crate::locks) async fn update(conn: &mut PgConnection, hotel: HotelId, entrance: &Entrance) -> sqlx::Result<()> {
    query!(
        "UPDATE entrances SET entrance_key = $3, name = $4, provider = $5, can_belong_to_reservation = $6, modes = $7,
                              updated_at = $8
         WHERE hotel_id = $1 AND id = $2",
        hotel,
        entrance.id,
        entrance.key,
        entrance.name,
        entrance.provider.traits().name,
        entrance.can_belong_to_reservation,
        &names(&entrance.modes),
        entrance.updated_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes a door with its commands, and takes it out of its spaces.
pub(in crate::locks) async fn delete(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> sqlx::Result<()> {
    query!("DELETE FROM lock_commands WHERE hotel_id = $1 AND entrance_id = $2", hotel, id).execute(&mut *conn).await?;
    query!("DELETE FROM entrances WHERE hotel_id = $1 AND id = $2", hotel, id).execute(conn).await?;
    Ok(())
}
