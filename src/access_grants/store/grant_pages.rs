//! Reading grants that were not deleted, and the doors and spaces that they have.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row, query};
use uuid::Uuid;

use crate::access_grants::{Grant, OwnedList, TimeFrame};
use crate::db::{Condition, Filter, ListBounds, ListBoundsRequest, Page, PageRequest, by_ordinal, push_id_page};
use crate::error::{Error, Record, Result};
use crate::hotels::HotelId;
use crate::integrations::Integration;
use crate::locks::Reference;

/// What grants can be filtered by. What it is serialized to is part of cursors.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantField {
    /// Id.
    Id(Condition<Uuid>),
    /// Key.
    Key(Condition<String>),
    /// Key of the reservation.
    ReservationKey(Condition<String>),
    /// The identity.
    UserIdentityId(Condition<Uuid>),
    /// The stay.
    RoomStayId(Condition<Uuid>),
    /// First instant.
    StartsAt(Condition<DateTime<Utc>>),
    /// First instant after it.
    EndsAt(Condition<DateTime<Utc>>),
    /// The identity, by its id or its key.
    UserIdentity(Reference),
    /// A door that it opens.
    Entrance(Reference),
    /// Names of the providers of a door that it opens.
    Provider(Vec<String>),
    /// A space that it was made for.
    Space(Reference),
}

const COLUMNS: &str = "SELECT g.id, g.user_identity_id, g.access_grant_key, g.name, g.reservation_key, g.room_stay_id, g.starts_at, \
     g.ends_at, g.created_at, g.updated_at, i.id AS integration_id, i.name AS integration_name, \
     i.created_at AS integration_created_at, i.disconnected_at FROM access_grants g \
     JOIN integrations i ON i.hotel_id = g.hotel_id AND i.id = g.integration_id";

fn from_row(row: &PgRow) -> Result<Grant> {
    Ok(Grant {
        id: row.try_get("id")?,
        integration: Integration {
            id: row.try_get("integration_id")?,
            name: row.try_get("integration_name")?,
            created_at: row.try_get("integration_created_at")?,
            disconnected_at: row.try_get("disconnected_at")?,
        },
        user_identity_id: row.try_get("user_identity_id")?,
        key: row.try_get("access_grant_key")?,
        name: row.try_get("name")?,
        reservation_key: row.try_get("reservation_key")?,
        room_stay_id: row.try_get("room_stay_id")?,
        frame: TimeFrame { starts_at: row.try_get("starts_at")?, ends_at: row.try_get("ends_at")? },
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    })
}

fn push_list(sql: &mut QueryBuilder<Postgres>, hotel: HotelId, list: &OwnedList<GrantField>) {
    sql.push(" WHERE g.hotel_id = ").push_bind(hotel).push(" AND g.deleted_at IS NULL");
    if let Some(integration) = list.integration {
        sql.push(" AND g.integration_id = ").push_bind(integration);
    }
    sql.push(" AND ");
    list.filter.push(sql, |field, sql| match field {
        GrantField::Id(condition) => condition.push("g.id", sql),
        GrantField::Key(condition) => condition.push("g.access_grant_key", sql),
        GrantField::ReservationKey(condition) => condition.push("g.reservation_key", sql),
        GrantField::UserIdentityId(condition) => condition.push("g.user_identity_id", sql),
        GrantField::RoomStayId(condition) => condition.push("g.room_stay_id", sql),
        GrantField::StartsAt(condition) => condition.push("g.starts_at", sql),
        GrantField::EndsAt(condition) => condition.push("g.ends_at", sql),
        GrantField::UserIdentity(identity) => {
            sql.push("EXISTS (SELECT FROM user_identities u WHERE u.hotel_id = g.hotel_id AND u.id = g.user_identity_id AND ");
            push_reference(identity, ("u.id", "u.user_identity_key"), sql);
            sql.push(")");
        }
        GrantField::Entrance(entrance) => push_entrance(entrance, sql),
        GrantField::Provider(names) => {
            sql.push(ENTRANCES).push("n.provider = ANY (").push_bind(names.clone()).push("))");
        }
        GrantField::Space(space) => push_space(space, sql),
    });
}

/// Begins the condition that a grant `g` opens a door `n`.
const ENTRANCES: &str = "EXISTS (SELECT FROM access_grant_entrances e JOIN entrances n ON n.hotel_id = e.hotel_id \
     AND n.id = e.entrance_id WHERE e.hotel_id = g.hotel_id AND e.grant_id = g.id AND ";

/// Appends the condition that a grant `g` opens this door.
pub(super) fn push_entrance(entrance: &Reference, sql: &mut QueryBuilder<Postgres>) {
    sql.push(ENTRANCES);
    push_reference(entrance, ("n.id", "n.entrance_key"), sql);
    sql.push(")");
}

/// Appends the condition that a grant `g` was made for this space.
pub(super) fn push_space(space: &Reference, sql: &mut QueryBuilder<Postgres>) {
    sql.push(
        "EXISTS (SELECT FROM access_grant_spaces o JOIN spaces s ON s.hotel_id = o.hotel_id AND s.id = o.space_id ",
    );
    sql.push("WHERE o.hotel_id = g.hotel_id AND o.grant_id = g.id AND ");
    push_reference(space, ("s.id", "s.space_key"), sql);
    sql.push(")");
}

/// Appends the condition that a record is the one that is named; `columns`: those of its id and of its key.
fn push_reference(reference: &Reference, columns: (&'static str, &'static str), sql: &mut QueryBuilder<Postgres>) {
    match reference {
        Reference::Id(id) => sql.push(columns.0).push(" = ").push_bind(*id),
        Reference::Key(key) => sql.push(columns.1).push(" = ").push_bind(key.clone()),
    };
}

/// A page of grants, in the order in which they were made.
pub async fn page(
    conn: &mut PgConnection,
    hotel: HotelId,
    list: &OwnedList<GrantField>,
    request: &PageRequest<Uuid>,
) -> Result<Page<Grant>> {
    let mut sql = QueryBuilder::new(COLUMNS);
    push_list(&mut sql, hotel, list);
    push_id_page(&mut sql, "g.id", request);
    let rows = sql.build().fetch_all(conn).await?;
    Ok(Page::of_rows(rows.iter().map(from_row).collect::<Result<_>>()?, request))
}

/// What there is to know about the list beside the page.
pub async fn bounds(
    conn: &mut PgConnection,
    hotel: HotelId,
    list: &OwnedList<GrantField>,
    request: &ListBoundsRequest<Uuid>,
) -> Result<ListBounds> {
    let of_list = |sql: &mut QueryBuilder<Postgres>| {
        sql.push(" FROM access_grants g");
        push_list(sql, hotel, list);
    };
    crate::db::bounds(conn, request, of_list, |sql, operator, id| {
        sql.push(" AND g.id ").push(operator).push(" ").push_bind(id);
    })
    .await
}

/// One grant of any integration.
///
/// # Errors
/// `NOT_FOUND`
pub async fn get(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> Result<Grant> {
    let filter = Filter::Field(GrantField::Id(Condition::Eq(Some(id))));
    let page = page(conn, hotel, &OwnedList { integration: None, filter }, &PageRequest::first(1)).await?;
    page.items.into_iter().next().ok_or_else(|| Error::not_found(Record::AccessGrant))
}

/// How many grants an integration has, live or waiting for their stay, and how many identities.
pub(crate) async fn counts_of_integration(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
) -> Result<(i64, i64)> {
    let row = query!(
        r#"SELECT (SELECT count(*) FROM access_grants
                   WHERE hotel_id = $1 AND integration_id = $2 AND (deleted_at IS NULL OR awaits_stay)) AS "grants!",
                  (SELECT count(*) FROM user_identities
                   WHERE hotel_id = $1 AND integration_id = $2 AND deleted_at IS NULL) AS "identities!""#,
        hotel,
        integration,
    )
    .fetch_one(conn)
    .await?;
    Ok((row.grants, row.identities))
}

/// The ids of the doors of each of these grants, in the order in which the doors were made.
pub async fn entrances_of(conn: &mut PgConnection, hotel: HotelId, grants: &[Uuid]) -> Result<Vec<Vec<Uuid>>> {
    let rows = query!(
        r#"SELECT p.n AS "n!", e.entrance_id FROM unnest($2::uuid[]) WITH ORDINALITY AS p (grant_id, n)
           JOIN access_grant_entrances e ON e.hotel_id = $1 AND e.grant_id = p.grant_id ORDER BY p.n, e.entrance_id"#,
        hotel,
        grants,
    )
    .fetch_all(conn)
    .await?;
    Ok(by_ordinal(rows.into_iter().map(|row| (row.n, row.entrance_id)), grants.len()))
}

/// The ids of the spaces that each of these grants was made for, in the order in which the spaces were made.
pub async fn spaces_of(conn: &mut PgConnection, hotel: HotelId, grants: &[Uuid]) -> Result<Vec<Vec<Uuid>>> {
    let rows = query!(
        r#"SELECT p.n AS "n!", s.space_id FROM unnest($2::uuid[]) WITH ORDINALITY AS p (grant_id, n)
           JOIN access_grant_spaces s ON s.hotel_id = $1 AND s.grant_id = p.grant_id ORDER BY p.n, s.space_id"#,
        hotel,
        grants,
    )
    .fetch_all(conn)
    .await?;
    Ok(by_ordinal(rows.into_iter().map(|row| (row.n, row.space_id)), grants.len()))
}
