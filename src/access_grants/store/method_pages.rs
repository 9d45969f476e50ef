//! Reading methods, also those of deleted grants: their cards may still be somewhere.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row};
use uuid::Uuid;

use super::grant_pages::{push_entrance, push_space};
use crate::access_grants::{Method, OwnedList, TimeFrame};
use crate::db::{Condition, Filter, ListBounds, ListBoundsRequest, Page, PageRequest, by_ordinal, push_id_page};
use crate::error::{Error, Record, Result};
use crate::hotels::HotelId;
use crate::locks::{Mode, Provider, Reference};

/// What methods can be filtered by. What it is serialized to is part of cursors.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MethodField {
    /// Id.
    Id(Condition<Uuid>),
    /// The grant.
    GrantId(Condition<Uuid>),
    /// Name of the mode.
    Mode(Condition<String>),
    /// Key of the grant.
    GrantKey(Condition<String>),
    /// A door that its grant opens.
    Entrance(Reference),
    /// A space that its grant was made for.
    Space(Reference),
    /// Whether it was not taken away.
    IsLive,
}

const TABLES: &str = " FROM access_methods m JOIN access_grants g ON g.hotel_id = m.hotel_id AND g.id = m.grant_id";

/// Appends the columns of methods `m` of grants `g`.
///
/// An override is expected where a later reservation of one of its doors has begun and a credential for the door was issued, unless
/// it was taken away before the reservation began.
fn push_columns(sql: &mut QueryBuilder<Postgres>, hotel: HotelId, now: DateTime<Utc>) {
    let overriding = Provider::ALL.map(Provider::traits).into_iter().filter(|traits| traits.overrides);
    let overriding: Vec<&'static str> = overriding.map(|traits| traits.name).collect();
    sql.push(
        "m.id, m.grant_id, m.mode, m.refused, m.created_at, m.issued_at, m.encoded_at, m.encoding_required, m.overridden_at, \
         m.revoked_at, g.starts_at, g.ends_at, (m.revoked_at IS NULL AND (g.ends_at IS NULL OR g.ends_at > ",
    );
    sql.push_bind(now).push(") AND EXISTS (SELECT FROM access_reservation_doors own WHERE own.hotel_id = ");
    sql.push_bind(hotel).push(" AND own.reservation_id = g.reservation_id AND EXISTS (SELECT FROM entrances n ");
    sql.push("JOIN access_grant_entrances e ON e.hotel_id = ").push_bind(hotel);
    sql.push(" AND e.grant_id = g.id AND e.entrance_id = n.id ");
    sql.push("JOIN access_reservation_doors later ON later.hotel_id = ").push_bind(hotel);
    sql.push(" AND later.entrance_id = own.entrance_id ");
    sql.push("AND (later.starts_at, later.sequence) > (own.starts_at, own.sequence) ");
    sql.push("JOIN access_grants lg ON lg.hotel_id = ").push_bind(hotel);
    sql.push(" AND lg.reservation_id = later.reservation_id AND lg.starts_at <= ").push_bind(now);
    sql.push(" JOIN access_grant_entrances le ON le.hotel_id = ").push_bind(hotel);
    sql.push(" AND le.grant_id = lg.id AND le.entrance_id = own.entrance_id ");
    sql.push("JOIN access_methods lm ON lm.hotel_id = ").push_bind(hotel);
    sql.push(" AND lm.grant_id = lg.id AND NOT lm.refused AND lm.issued_at IS NOT NULL ");
    sql.push("AND (lm.revoked_at IS NULL OR lm.revoked_at > lg.starts_at) WHERE n.hotel_id = ").push_bind(hotel);
    sql.push(" AND n.id = own.entrance_id AND n.provider = ANY (").push_bind(overriding);
    // Keeps the two apart: joined, what a door has ever had could be read once for each reservation on it.
    sql.push(") OFFSET 0))) AS override_expected");
}

fn from_row(row: &PgRow) -> Result<Method> {
    Ok(Method {
        id: row.try_get("id")?,
        grant_id: row.try_get("grant_id")?,
        mode: Mode::parse(row.try_get("mode")?)?,
        refused: row.try_get("refused")?,
        created_at: row.try_get("created_at")?,
        issued_at: row.try_get("issued_at")?,
        encoded_at: row.try_get("encoded_at")?,
        encoding_required: row.try_get("encoding_required")?,
        overridden_at: row.try_get("overridden_at")?,
        revoked_at: row.try_get("revoked_at")?,
        override_expected: row.try_get("override_expected")?,
        frame: TimeFrame { starts_at: row.try_get("starts_at")?, ends_at: row.try_get("ends_at")? },
    })
}

fn push_list(sql: &mut QueryBuilder<Postgres>, hotel: HotelId, list: &OwnedList<MethodField>) {
    sql.push(TABLES).push(" WHERE m.hotel_id = ").push_bind(hotel).push(" AND NOT m.refused");
    if let Some(integration) = list.integration {
        sql.push(" AND m.integration_id = ").push_bind(integration);
    }
    sql.push(" AND ");
    list.filter.push(sql, |field, sql| match field {
        MethodField::Id(condition) => condition.push("m.id", sql),
        MethodField::GrantId(condition) => condition.push("m.grant_id", sql),
        MethodField::Mode(condition) => condition.push("m.mode", sql),
        MethodField::GrantKey(condition) => condition.push("g.access_grant_key", sql),
        MethodField::Entrance(entrance) => push_entrance(entrance, sql),
        MethodField::Space(space) => push_space(space, sql),
        MethodField::IsLive => {
            sql.push("m.revoked_at IS NULL");
        }
    });
}

/// A page of methods, in the order in which they were made, as they are at that time.
pub async fn page(
    conn: &mut PgConnection,
    hotel: HotelId,
    list: &OwnedList<MethodField>,
    request: &PageRequest<Uuid>,
    now: DateTime<Utc>,
) -> Result<Page<Method>> {
    let mut sql = QueryBuilder::new("SELECT ");
    push_columns(&mut sql, hotel, now);
    push_list(&mut sql, hotel, list);
    push_id_page(&mut sql, "m.id", request);
    let rows = sql.build().fetch_all(conn).await?;
    Ok(Page::of_rows(rows.iter().map(from_row).collect::<Result<_>>()?, request))
}

/// What there is to know about the list beside the page.
pub async fn bounds(
    conn: &mut PgConnection,
    hotel: HotelId,
    list: &OwnedList<MethodField>,
    request: &ListBoundsRequest<Uuid>,
) -> Result<ListBounds> {
    let of_list = |sql: &mut QueryBuilder<Postgres>| push_list(sql, hotel, list);
    crate::db::bounds(conn, request, of_list, |sql, operator, id| {
        sql.push(" AND m.id ").push(operator).push(" ").push_bind(id);
    })
    .await
}

/// One method of any integration.
///
/// # Errors
/// `NOT_FOUND`
pub async fn get(conn: &mut PgConnection, hotel: HotelId, id: Uuid, now: DateTime<Utc>) -> Result<Method> {
    let filter = Filter::Field(MethodField::Id(Condition::Eq(Some(id))));
    let page = page(conn, hotel, &OwnedList { integration: None, filter }, &PageRequest::first(1), now).await?;
    page.items.into_iter().next().ok_or_else(|| Error::not_found(Record::AccessMethod))
}

/// Everything that was asked for for each of these grants, in the order of asking.
pub async fn of_grants(
    conn: &mut PgConnection,
    hotel: HotelId,
    grants: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<Vec<Method>>> {
    let mut sql = QueryBuilder::new("SELECT p.n, ");
    push_columns(&mut sql, hotel, now);
    sql.push(" FROM unnest(").push_bind(grants.to_vec()).push("::uuid[]) WITH ORDINALITY p (id, n)");
    sql.push(" JOIN access_grants g ON g.hotel_id = ").push_bind(hotel).push(" AND g.id = p.id");
    sql.push(" JOIN access_methods m ON m.hotel_id = g.hotel_id AND m.grant_id = g.id ORDER BY p.n, m.id");
    let rows = sql.build().fetch_all(conn).await?;
    let methods = rows.iter().map(|row| Ok((row.try_get("n")?, from_row(row)?))).collect::<Result<Vec<_>>>()?;
    Ok(by_ordinal(methods, grants.len()))
}
