//! The SQL that walks through sealed values, and the columns that hold them.

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

use crate::error::Result;
use crate::hotels::HotelId;
use crate::secrets::KEY_ID_BYTES;
use crate::{idempotency, secrets};

/// Most rows that are looked at and held in one transaction.
const BATCH: i64 = 500;

/// A column of sealed values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its table, whose primary key is the hotel, the id and, for answers, a name.
    pub table: &'static str,
    /// Its name.
    pub column: &'static str,
    /// Column of the id.
    id: &'static str,
    /// Column of the name that follows the id in the primary key.
    name: Option<&'static str>,
}

/// All of them.
pub const PLACES: [Place; 4] = [
    Place { table: "room_access_keys", column: "secret", id: "id", name: None },
    Place { table: "webhook_endpoints", column: "secret", id: "id", name: None },
    Place { table: "webhook_endpoints", column: "previous_secret", id: "id", name: None },
    Place { table: "idempotent_answers", column: "sealed", id: "api_key_id", name: Some("idempotency_key") },
];

/// A row of a place, within its hotel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RowId {
    pub id: Uuid,
    /// Empty where a place has no names.
    name: String,
}

/// A value and its row.
pub(super) struct Sealed {
    pub row: RowId,
    pub value: Vec<u8>,
}

impl Place {
    /// What the value of a row is bound to.
    pub(super) fn seal_context(self, hotel: HotelId, row: &RowId) -> Vec<u8> {
        match self.name {
            None => secrets::seal_context(hotel, row.id).to_vec(),
            Some(_) => idempotency::seal_context(hotel, row.id, &row.name),
        }
    }

    /// `(id, name)`, as far as there are both.
    fn key(self) -> String {
        self.name.map_or_else(|| self.id.to_owned(), |name| format!("({}, {name})", self.id))
    }

    /// Columns of a [`RowId`].
    fn columns(self) -> String {
        format!("{} AS id, {} AS name", self.id, self.name.unwrap_or("''"))
    }

    fn order(self) -> String {
        self.name.map_or_else(|| self.id.to_owned(), |name| format!("{}, {name}", self.id))
    }

    fn push_row(self, sql: &mut QueryBuilder<Postgres>, operator: &str, row: &RowId) {
        sql.push(" AND ").push(self.key()).push(operator).push("(").push_bind(row.id);
        if self.name.is_some() {
            sql.push(", ").push_bind(row.name.clone());
        }
        sql.push(")");
    }
}

fn row_id(row: &PgRow) -> sqlx::Result<RowId> {
    Ok(RowId { id: row.try_get("id")?, name: row.try_get("name")? })
}

/// The values that come after a row of a hotel, in the order of the primary key, as many as fit into a batch.
pub(super) async fn next_batch(
    conn: &mut PgConnection,
    hotel: HotelId,
    place: Place,
    after: Option<&RowId>,
) -> Result<Vec<Sealed>> {
    let mut sql = select(hotel, place);
    if let Some(after) = after {
        place.push_row(&mut sql, " > ", after);
    }
    sql.push(format!(" ORDER BY {} LIMIT {BATCH}", place.order()));
    fetch(conn, sql).await
}

/// Holds the values of those of the rows that nobody else holds.
pub(super) async fn claim_free(
    conn: &mut PgConnection,
    hotel: HotelId,
    place: Place,
    rows: &[RowId],
) -> Result<Vec<Sealed>> {
    let mut sql = select(hotel, place);
    sql.push(format!(" AND ({}, {}) IN (SELECT * FROM unnest(", place.id, place.name.unwrap_or("''")));
    sql.push_bind(rows.iter().map(|row| row.id).collect::<Vec<_>>()).push(", ");
    sql.push_bind(rows.iter().map(|row| row.name.clone()).collect::<Vec<_>>());
    sql.push(format!(")) ORDER BY {} FOR NO KEY UPDATE SKIP LOCKED", place.order()));
    fetch(conn, sql).await
}

/// Waits for the value of a row and holds it; none when it is gone.
pub(super) async fn claim(conn: &mut PgConnection, hotel: HotelId, place: Place, row: &RowId) -> Result<Vec<Sealed>> {
    let mut sql = select(hotel, place);
    place.push_row(&mut sql, " = ", row);
    sql.push(" FOR NO KEY UPDATE");
    fetch(conn, sql).await
}

fn select(hotel: HotelId, place: Place) -> QueryBuilder<Postgres> {
    let Place { table, column, .. } = place;
    let mut sql = QueryBuilder::new(format!("SELECT {}, {column} AS value FROM {table}", place.columns()));
    sql.push(format!(" WHERE {column} IS NOT NULL AND hotel_id = ")).push_bind(hotel);
    sql
}

async fn fetch(conn: &mut PgConnection, mut sql: QueryBuilder<Postgres>) -> Result<Vec<Sealed>> {
    let rows = sql.build().fetch_all(conn).await?;
    Ok(rows.iter().map(sealed).collect::<sqlx::Result<_>>()?)
}

fn sealed(row: &PgRow) -> sqlx::Result<Sealed> {
    Ok(Sealed { row: row_id(row)?, value: row.try_get("value")? })
}

/// Writes values that are held.
pub(super) async fn write(conn: &mut PgConnection, hotel: HotelId, place: Place, values: &[Sealed]) -> Result<()> {
    if values.is_empty() {
        return Ok(());
    }
    let Place { table, column, id, name } = place;
    let mut sql = QueryBuilder::new(format!("UPDATE {table} t SET {column} = new.value FROM unnest("));
    sql.push_bind(values.iter().map(|sealed| sealed.row.id).collect::<Vec<_>>());
    sql.push(", ").push_bind(values.iter().map(|sealed| sealed.row.name.clone()).collect::<Vec<_>>());
    sql.push(", ").push_bind(values.iter().map(|sealed| sealed.value.clone()).collect::<Vec<_>>());
    sql.push(format!(") AS new (id, name, value) WHERE t.{id} = new.id AND t.hotel_id = ")).push_bind(hotel);
    if let Some(name) = name {
        sql.push(format!(" AND t.{name} = new.name"));
    }
    sql.build().execute(conn).await?;
    Ok(())
}

/// Numbers of the keys that values of a place name.
pub(super) async fn key_numbers(conn: &mut PgConnection, place: Place) -> Result<Vec<Vec<u8>>> {
    let Place { table, column, .. } = place;
    let mut sql = QueryBuilder::new(format!(
        "SELECT DISTINCT substring({column} FROM 1 FOR {KEY_ID_BYTES}) FROM {table} WHERE octet_length({column}) > {KEY_ID_BYTES}"
    ));
    Ok(sql.build_query_scalar().fetch_all(conn).await?)
}

/// Some values of a place that name a key, each with its hotel.
pub(super) async fn sealed_with(
    conn: &mut PgConnection,
    place: Place,
    number: u32,
    most: i64,
) -> Result<Vec<(HotelId, Sealed)>> {
    let Place { table, column, .. } = place;
    let mut sql =
        QueryBuilder::new(format!("SELECT hotel_id, {}, {column} AS value FROM {table} WHERE ", place.columns()));
    sql.push(format!("substring({column} FROM 1 FOR {KEY_ID_BYTES}) = ")).push_bind(number.to_be_bytes().to_vec());
    sql.push(" LIMIT ").push_bind(most);
    let rows = sql.build().fetch_all(conn).await?;
    Ok(rows.iter().map(|row| Ok((row.try_get("hotel_id")?, sealed(row)?))).collect::<sqlx::Result<_>>()?)
}
