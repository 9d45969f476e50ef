//! The SQL of clients.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row, query};
use uuid::Uuid;

use super::{Client, ClientDetails, ClientKind};
use crate::db::{Condition, Filter, ListBounds, ListBoundsRequest, Page, PageRequest};
use crate::error::{Error, Result};
use crate::hotels::HotelId;

/// What clients can be filtered by. What it is serialized to is part of cursors.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientField {
    /// Id.
    Id(Condition<Uuid>),
    /// Day of birth.
    Birthday(Condition<NaiveDate>),
}

const COLUMNS: [&str; 15] = [
    "id",
    "kind",
    "firstname",
    "lastname",
    "company",
    "language",
    "email",
    "telephone",
    "mobile",
    "car_plate_number",
    "street",
    "zipcode",
    "city",
    "country",
    "birthday",
];

/// Appends the columns of a client from the table aliased `alias`, for [`from_row`] with the same alias.
pub(crate) fn push_columns(sql: &mut QueryBuilder<Postgres>, alias: &'static str) {
    for (index, column) in COLUMNS.iter().enumerate() {
        if index > 0 {
            sql.push(", ");
        }
        sql.push(alias).push(".").push(column).push(" AS ").push(alias).push("_").push(column);
    }
}

/// The client that [`push_columns`] selected; `None` where an outer join found none.
pub(crate) fn from_row(row: &PgRow, alias: &str) -> Result<Option<Client>> {
    let name = |column: &str| format!("{alias}_{column}");
    let text = |column: &str| row.try_get::<Option<String>, _>(name(column).as_str());
    let Some(id) = row.try_get::<Option<Uuid>, _>(name("id").as_str())? else { return Ok(None) };
    let missing = || Error::internal("a client without a name");
    let kind = match text("kind")?.as_deref() {
        Some("PERSON") => ClientKind::Person {
            firstname: text("firstname")?,
            lastname: text("lastname")?.ok_or_else(missing)?,
            birthday: row.try_get(name("birthday").as_str())?,
        },
        Some("COMPANY") => ClientKind::Company { company: text("company")?.ok_or_else(missing)? },
        other => return Err(Error::internal(format!("unknown kind of client: {other:?}"))),
    };
    let details = ClientDetails {
        language: text("language")?,
        email: text("email")?,
        telephone: text("telephone")?,
        mobile: text("mobile")?,
        car_plate_number: text("car_plate_number")?,
        street: text("street")?,
        zipcode: text("zipcode")?,
        city: text("city")?,
        country: text("country")?,
    };
    Ok(Some(Client { id, kind, details }))
}

fn push_field(field: &ClientField, sql: &mut QueryBuilder<Postgres>) {
    match field {
        ClientField::Id(condition) => condition.push("c.id", sql),
        ClientField::Birthday(condition) => condition.push("c.birthday", sql),
    }
}

/// A page of the hotel's clients, in the order in which they were made.
pub async fn page(
    conn: &mut PgConnection,
    hotel: HotelId,
    filter: &Filter<ClientField>,
    request: &PageRequest<Uuid>,
) -> Result<Page<Client>> {
    let mut sql = QueryBuilder::new("SELECT ");
    push_columns(&mut sql, "c");
    sql.push(" FROM clients c WHERE c.hotel_id = ").push_bind(hotel).push(" AND ");
    filter.push(&mut sql, push_field);
    crate::db::push_id_page(&mut sql, "c.id", request);
    let rows = sql.build().fetch_all(conn).await?;
    let clients = rows.iter().filter_map(|row| from_row(row, "c").transpose()).collect::<Result<Vec<_>>>()?;
    Ok(Page::of_rows(clients, request))
}

/// How many of the hotel's clients match, and whether some lie before or behind a page.
pub async fn bounds(
    conn: &mut PgConnection,
    hotel: HotelId,
    filter: &Filter<ClientField>,
    request: &ListBoundsRequest<Uuid>,
) -> Result<ListBounds> {
    let list = |sql: &mut QueryBuilder<Postgres>| {
        sql.push("FROM clients c WHERE c.hotel_id = ").push_bind(hotel).push(" AND ");
        filter.push(sql, push_field);
    };
    crate::db::bounds(conn, request, list, |sql, operator, id| {
        sql.push(" AND c.id ").push(operator).push(" ").push_bind(id);
    })
    .await
}

/// The guests of each of the given stays, in the order in which the front desk entered them. A stay may be given twice.
pub async fn guests_of(conn: &mut PgConnection, hotel: HotelId, stays: &[Uuid]) -> Result<Vec<Vec<Client>>> {
    let mut sql = QueryBuilder::new("SELECT p.n, ");
    push_columns(&mut sql, "c");
    sql.push(" FROM unnest(").push_bind(stays.to_vec()).push("::uuid[]) WITH ORDINALITY p (stay_id, n)");
    sql.push(" JOIN room_stay_guests g ON g.hotel_id = ").push_bind(hotel).push(" AND g.room_stay_id = p.stay_id");
    sql.push(" JOIN clients c ON c.hotel_id = g.hotel_id AND c.id = g.client_id ORDER BY p.n, g.position");
    let rows = sql.build().fetch_all(conn).await?;
    let guests = rows.iter().map(|row| Ok((row.try_get("n")?, from_row(row, "c")?))).collect::<Result<Vec<_>>>()?;
    let guests = guests.into_iter().filter_map(|(n, client): (i64, Option<Client>)| Some((n, client?)));
    Ok(crate::db::by_ordinal(guests, stays.len()))
}

/// Adds a client.
pub async fn insert(conn: &mut PgConnection, hotel: HotelId, client: &Client, now: DateTime<Utc>) -> Result<()> {
    let (kind, firstname, lastname, company, birthday) = match &client.kind {
        ClientKind::Person { firstname, lastname, birthday } => {
            ("PERSON", firstname.as_deref(), Some(lastname.as_str()), None, *birthday)
        }
        ClientKind::Company { company } => ("COMPANY", None, None, Some(company.as_str()), None),
    };
    let details = &client.details;
    query!(
        "INSERT INTO clients (hotel_id, id, kind, firstname, lastname, company, language, email, telephone, mobile,
                              car_plate_number, street, zipcode, city, country, birthday, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17)",
        hotel,
        client.id,
        kind,
        firstname,
        lastname,
        company,
        details.language,
        details.email,
        details.telephone,
        details.mobile,
        details.car_plate_number,
        details.street,
        details.zipcode,
        details.city,
        details.country,
        birthday,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether the hotel has that client.
pub async fn exists(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> Result<bool> {
    let found = sqlx::query_scalar!("SELECT id FROM clients WHERE hotel_id = $1 AND id = $2", hotel, id)
        .fetch_optional(conn)
        .await?;
    Ok(found.is_some())
}

/// Reads a client and holds it until the transaction ends.
pub(super) async fn lock(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> Result<Option<Client>> {
    let mut sql = QueryBuilder::new("SELECT ");
    push_columns(&mut sql, "c");
    sql.push(" FROM clients c WHERE c.hotel_id = ").push_bind(hotel).push(" AND c.id = ").push_bind(id);
    sql.push(" FOR NO KEY UPDATE");
    let row = sql.build().fetch_optional(conn).await?;
    row.and_then(|row| from_row(&row, "c").transpose()).transpose()
}

/// Writes everything of a client but its kind.
pub(super) async fn update(conn: &mut PgConnection, hotel: HotelId, client: &Client, now: DateTime<Utc>) -> Result<()> {
    let (firstname, lastname, company, birthday) = match &client.kind {
        ClientKind::Person { firstname, lastname, birthday } => {
            (firstname.as_deref(), Some(lastname.as_str()), None, *birthday)
        }
        ClientKind::Company { company } => (None, None, Some(company.as_str()), None),
    };
    let details = &client.details;
    query!(
        "UPDATE clients SET firstname = $3, lastname = $4, company = $5, language = $6, email = $7, telephone = $8,
                            mobile = $9, car_plate_number = $10, street = $11, zipcode = $12, city = $13, country = $14,
                            birthday = $15, updated_at = $16
         WHERE hotel_id = $1 AND id = $2",
        hotel,
        client.id,
        firstname,
        lastname,
        company,
        details.language,
        details.email,
        details.telephone,
        details.mobile,
        details.car_plate_number,
        details.street,
        details.zipcode,
        details.city,
        details.country,
        birthday,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
