//! The SQL of reservations.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row, query};
use uuid::Uuid;

use super::model::{Reservation, ReservationStatus, SelfcheckinStatus};
use crate::clients::{self, Client};
use crate::db::{Condition, Filter, ListBounds, ListBoundsRequest, Page, PageRequest, push_id_page};
use crate::error::Result;
use crate::hotels::HotelId;
use crate::text;

/// What reservations can be filtered by. What it is serialized to is part of cursors.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReservationField {
    /// Id.
    Id(Condition<Uuid>),
    /// Code.
    Code(Condition<String>),
    /// Number at the booking channel.
    BookingChannelCode(Condition<String>),
}

/// Which to-one records to read along with a reservation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReservationJoins {
    /// Who booked.
    pub client: bool,
    /// Whom to talk to.
    pub contact: bool,
}

/// A reservation with what [`ReservationJoins`] asked for.
#[derive(Clone, Debug)]
pub struct ReservationView {
    /// The reservation.
    pub reservation: Reservation,
    /// Who booked.
    pub client: Option<Client>,
    /// Whom to talk to.
    pub contact: Option<Client>,
}

/// Appends the columns of the reservation `r`, for [`view`].
pub(crate) fn push_columns(sql: &mut QueryBuilder<Postgres>, joins: ReservationJoins) {
    sql.push(
        "r.id AS r_id, r.code AS r_code, r.status AS r_status, r.client_id AS r_client_id, \
         r.contact_id AS r_contact_id, r.group_name AS r_group_name, r.booking_channel_code AS r_booking_channel_code, \
         r.booking_source AS r_booking_source, r.pms_url AS r_pms_url, r.notes AS r_notes, \
         r.selfcheckin_status AS r_selfcheckin_status, r.created_at AS r_created_at, r.updated_at AS r_updated_at, \
         r.cancelled_at AS r_cancelled_at",
    );
    if joins.client {
        sql.push(", ");
        clients::push_columns(sql, "rcl");
    }
    if joins.contact {
        sql.push(", ");
        clients::push_columns(sql, "rco");
    }
}

/// Appends the joins that the columns need.
pub(crate) fn push_joins(sql: &mut QueryBuilder<Postgres>, joins: ReservationJoins) {
    if joins.client {
        sql.push(" LEFT JOIN clients rcl ON rcl.hotel_id = r.hotel_id AND rcl.id = r.client_id");
    }
    if joins.contact {
        sql.push(" LEFT JOIN clients rco ON rco.hotel_id = r.hotel_id AND rco.id = r.contact_id");
    }
}

/// The reservation that [`push_columns`] selected.
pub(crate) fn view(row: &PgRow, joins: ReservationJoins) -> Result<ReservationView> {
    let reservation = Reservation {
        id: row.try_get("r_id")?,
        code: row.try_get("r_code")?,
        status: ReservationStatus::parse(row.try_get("r_status")?)?,
        client_id: row.try_get("r_client_id")?,
        contact_id: row.try_get("r_contact_id")?,
        group_name: row.try_get("r_group_name")?,
        booking_channel_code: row.try_get("r_booking_channel_code")?,
        booking_source: row.try_get("r_booking_source")?,
        pms_url: row.try_get("r_pms_url")?,
        notes: row.try_get("r_notes")?,
        selfcheckin_status: SelfcheckinStatus::parse(row.try_get("r_selfcheckin_status")?)?,
        created_at: row.try_get("r_created_at")?,
        updated_at: row.try_get("r_updated_at")?,
        cancelled_at: row.try_get("r_cancelled_at")?,
    };
    Ok(ReservationView {
        reservation,
        client: if joins.client { clients::from_row(row, "rcl")? } else { None },
        contact: if joins.contact { clients::from_row(row, "rco")? } else { None },
    })
}

/// Appends a condition on a status column.
pub(crate) fn push_status(
    condition: &Condition<ReservationStatus>,
    column: &'static str,
    sql: &mut QueryBuilder<Postgres>,
) {
    let text = |status: &ReservationStatus| status.as_str().to_owned();
    let condition = match condition {
        Condition::Eq(status) => Condition::Eq(status.as_ref().map(text)),
        Condition::In(statuses) => Condition::In(statuses.iter().map(text).collect()),
        Condition::Lt(status) => Condition::Lt(text(status)),
        Condition::Le(status) => Condition::Le(text(status)),
        Condition::Ge(status) => Condition::Ge(text(status)),
        Condition::Gt(status) => Condition::Gt(text(status)),
    };
    condition.push(column, sql);
}

/// Appends a condition on the code. Codes are kept composed, so a decomposed one is looked for in both ways.
fn push_code(condition: &Condition<String>, sql: &mut QueryBuilder<Postgres>) {
    let both = |codes: &[String]| codes.iter().flat_map(|code| [code.clone(), text::tidy(code)]).collect();
    let condition = match condition {
        Condition::Eq(Some(code)) => Condition::In(both(std::slice::from_ref(code))),
        Condition::In(codes) => Condition::In(both(codes)),
        other => other.clone(),
    };
    condition.push("r.code", sql);
}

fn push_field(field: &ReservationField, sql: &mut QueryBuilder<Postgres>) {
    match field {
        ReservationField::Id(condition) => condition.push("r.id", sql),
        ReservationField::Code(condition) => push_code(condition, sql),
        ReservationField::BookingChannelCode(condition) => condition.push("r.booking_channel_code", sql),
    }
}

/// A page of the hotel's reservations, in the order in which they were made.
pub(super) async fn page(
    conn: &mut PgConnection,
    hotel: HotelId,
    filter: &Filter<ReservationField>,
    request: &PageRequest<Uuid>,
    joins: ReservationJoins,
) -> Result<Page<ReservationView>> {
    let mut sql = QueryBuilder::new("SELECT ");
    push_columns(&mut sql, joins);
    sql.push(" FROM reservations r");
    push_joins(&mut sql, joins);
    sql.push(" WHERE r.hotel_id = ").push_bind(hotel).push(" AND ");
    filter.push(&mut sql, push_field);
    push_id_page(&mut sql, "r.id", request);
    let rows = sql.build().fetch_all(conn).await?;
    let views = rows.iter().map(|row| view(row, joins)).collect::<Result<Vec<_>>>()?;
    Ok(Page::of_rows(views, request))
}

/// How many of the hotel's reservations match, and whether some lie before or behind a page.
pub(super) async fn bounds(
    conn: &mut PgConnection,
    hotel: HotelId,
    filter: &Filter<ReservationField>,
    request: &ListBoundsRequest<Uuid>,
) -> Result<ListBounds> {
    let list = |sql: &mut QueryBuilder<Postgres>| {
        sql.push("FROM reservations r WHERE r.hotel_id = ").push_bind(hotel).push(" AND ");
        filter.push(sql, push_field);
    };
    crate::db::bounds(conn, request, list, |sql, operator, id| {
        sql.push(" AND r.id ").push(operator).push(" ").push_bind(id);
    })
    .await
}

/// Reads a reservation and holds it until the transaction ends.
pub(super) async fn lock(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> Result<Option<Reservation>> {
    let mut sql = QueryBuilder::new("SELECT ");
    push_columns(&mut sql, ReservationJoins::default());
    sql.push(" FROM reservations r WHERE r.hotel_id = ").push_bind(hotel).push(" AND r.id = ").push_bind(id);
    sql.push(" FOR UPDATE OF r");
    let row = sql.build().fetch_optional(conn).await?;
    row.map(|row| Ok(view(&row, ReservationJoins::default())?.reservation)).transpose()
}

pub(super) async fn insert(conn: &mut PgConnection, hotel: HotelId, reservation: &Reservation) -> sqlx::Result<()> {
    query!(
        "INSERT INTO reservations (hotel_id, id, code, code_folded, status, client_id, contact_id, group_name,
                                   booking_channel_code, booking_source, pms_url, notes, selfcheckin_status, created_at,
                                   updated_at, cancelled_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        hotel,
        reservation.id,
        reservation.code,
        text::fold(&reservation.code),
        reservation.status.as_str(),
        reservation.client_id,
        reservation.contact_id,
        reservation.group_name,
        reservation.booking_channel_code,
        reservation.booking_source,
        reservation.pms_url,
        reservation.notes,
        reservation.selfcheckin_status.as_str(),
        reservation.created_at,
        reservation.updated_at,
        reservation.cancelled_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn update(
    conn: &mut PgConnection,
    hotel: HotelId,
    reservation: &Reservation,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    query!(
        "UPDATE reservations SET code = $3, code_folded = CASE WHEN code = $3 THEN code_folded ELSE $4 END, status = $5,
                                 client_id = $6, contact_id = $7, group_name = $8, booking_channel_code = $9,
                                 booking_source = $10, pms_url = $11, notes = $12, selfcheckin_status = $13,
                                 cancelled_at = $14, updated_at = $15
         WHERE hotel_id = $1 AND id = $2",
        hotel,
        reservation.id,
        reservation.code,
        text::fold(&reservation.code),
        reservation.status.as_str(),
        reservation.client_id,
        reservation.contact_id,
        reservation.group_name,
        reservation.booking_channel_code,
        reservation.booking_source,
        reservation.pms_url,
        reservation.notes,
        reservation.selfcheckin_status.as_str(),
        reservation.cancelled_at,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The reservation that goes by a code.
pub(crate) async fn find_by_code(conn: &mut PgConnection, hotel: HotelId, code: &str) -> sqlx::Result<Option<Uuid>> {
    let rows = query!(
        r#"SELECT id, code FROM reservations
           WHERE hotel_id = $1 AND (code_folded = $2 OR (code_folded IS NULL AND lower(code COLLATE "C") = $2)
                                    OR (code_folded IS NULL AND code = $3))
           ORDER BY id"#,
        hotel,
        text::fold(code),
        code,
    )
    .fetch_all(conn)
    .await?;
    Ok(text::called(rows, code, |row| &row.code).map(|row| row.id))
}
