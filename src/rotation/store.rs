//! Where sealed values lie, and the SQL that walks through them.

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

use crate::error::Result;
use crate::hotels::HotelId;
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
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// Some rows that follow each other.
#[derive(Clone)]
pub(super) struct Range {
    /// The row before the first one; `None` for the hotel's first one.
    pub after: Option<RowId>,
    pub last: RowId,
    /// Values in it.
    pub seen: usize,
    /// Whether one of them is sealed with another key than the current one.
    pub stale: bool,
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

    /// Its value is there and is sealed with another key than `current`.
    fn push_stale(self, sql: &mut QueryBuilder<Postgres>, current: u32) {
        sql.push(format!("substring({} FROM 1 FOR {}) <> ", self.column, secrets::KEY_ID_BYTES))
            .push_bind(current.to_be_bytes().to_vec());
    }
}

fn row_id(row: &PgRow) -> sqlx::Result<RowId> {
    Ok(RowId { id: row.try_get("id")?, name: row.try_get("name")? })
}

/// The rows that come after one, as many as fit into a batch. `None` when there are none.
pub(super) async fn next_range(
    conn: &mut PgConnection,
    hotel: HotelId,
    place: Place,
    after: Option<RowId>,
    current: u32,
) -> Result<Option<Range>> {
    let mut sql = QueryBuilder::new("SELECT ");
    sql.push(place.columns()).push(format!(", {} IS NOT NULL AS seen, coalesce(", place.column));
    place.push_stale(&mut sql, current);
    sql.push(format!(", false) AS stale FROM {} WHERE hotel_id = ", place.table)).push_bind(hotel);
    if let Some(after) = &after {
        place.push_row(&mut sql, " > ", after);
    }
    sql.push(format!(" ORDER BY {} LIMIT {BATCH}", place.order()));
    let rows = sql.build().fetch_all(conn).await?;
    let Some(last) = rows.last() else { return Ok(None) };
    let last = row_id(last)?;
    let flags: Vec<(bool, bool)> =
        rows.iter().map(|row| Ok((row.try_get("seen")?, row.try_get("stale")?))).collect::<sqlx::Result<_>>()?;
    let seen = flags.iter().filter(|(seen, _)| *seen).count();
    Ok(Some(Range { after, last, seen, stale: flags.iter().any(|(_, stale)| *stale) }))
}

/// Holds the values of a range that are sealed with another key than `current`, without those that others hold.
pub(super) async fn claim_free(
    conn: &mut PgConnection,
    hotel: HotelId,
    place: Place,
    range: &Range,
    current: u32,
) -> Result<Vec<Sealed>> {
    let mut sql = claim(hotel, place, range, current);
    sql.push(" FOR NO KEY UPDATE SKIP LOCKED");
    let rows = sql.build().fetch_all(conn).await?;
    Ok(rows.iter().map(sealed).collect::<sqlx::Result<_>>()?)
}

/// Waits for the first value of a range that is sealed with another key than `current`, and holds it.
pub(super) async fn claim_first(
    conn: &mut PgConnection,
    hotel: HotelId,
    place: Place,
    range: &Range,
    current: u32,
) -> Result<Option<Sealed>> {
    let mut sql = claim(hotel, place, range, current);
    sql.push(" LIMIT 1 FOR NO KEY UPDATE");
    let row = sql.build().fetch_optional(conn).await?;
    Ok(row.as_ref().map(sealed).transpose()?)
}

fn claim(hotel: HotelId, place: Place, range: &Range, current: u32) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new("SELECT ");
    sql.push(place.columns()).push(format!(", {} AS value FROM {} WHERE hotel_id = ", place.column, place.table));
    sql.push_bind(hotel);
    if let Some(after) = &range.after {
        place.push_row(&mut sql, " > ", after);
    }
    place.push_row(&mut sql, " <= ", &range.last);
    sql.push(" AND ");
    place.push_stale(&mut sql, current);
    sql.push(format!(" ORDER BY {}", place.order()));
    sql
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
