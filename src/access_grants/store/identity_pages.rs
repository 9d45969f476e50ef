//! Reading identities.

use serde::Serialize;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row};
use uuid::Uuid;

use crate::access_grants::{IdentityDetails, IdentityKind, IdentityView, OwnedList, UserIdentity};
use crate::clients;
use crate::db::{Condition, ListBounds, ListBoundsRequest, Page, PageRequest, push_id_page};
use crate::error::Result;
use crate::hotels::HotelId;

/// What identities can be filtered by. What it is serialized to is part of cursors.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityField {
    /// Id.
    Id(Condition<Uuid>),
    /// Key.
    Key(Condition<String>),
    /// Name of the kind.
    Kind(Condition<String>),
    /// The client.
    ClientId(Condition<Uuid>),
}

/// Begins a statement that reads identities, each with its client if that is asked for.
fn select(with_client: bool) -> QueryBuilder<Postgres> {
    let mut sql = QueryBuilder::new(
        "SELECT i.id, i.user_identity_key, i.kind, i.full_name, i.email_address, i.phone_number, i.client_id, i.created_at, \
         i.updated_at",
    );
    if with_client {
        sql.push(", ");
        clients::push_columns(&mut sql, "c");
    }
    sql.push(" FROM user_identities i");
    if with_client {
        sql.push(" LEFT JOIN clients c ON c.hotel_id = i.hotel_id AND c.id = i.client_id");
    }
    sql
}

fn from_row(row: &PgRow, with_client: bool) -> Result<IdentityView> {
    let identity = UserIdentity {
        id: row.try_get("id")?,
        key: row.try_get("user_identity_key")?,
        kind: IdentityKind::parse(row.try_get("kind")?)?,
        details: IdentityDetails {
            full_name: row.try_get("full_name")?,
            email_address: row.try_get("email_address")?,
            phone_number: row.try_get("phone_number")?,
        },
        client_id: row.try_get("client_id")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    };
    let client = if with_client { clients::from_row(row, "c")? } else { None };
    Ok(IdentityView { identity, client })
}

fn push_list(sql: &mut QueryBuilder<Postgres>, hotel: HotelId, list: &OwnedList<IdentityField>) {
    sql.push(" WHERE i.hotel_id = ").push_bind(hotel).push(" AND i.deleted_at IS NULL");
    if let Some(integration) = list.integration {
        sql.push(" AND i.integration_id = ").push_bind(integration);
    }
    sql.push(" AND ");
    list.filter.push(sql, |field, sql| match field {
        IdentityField::Id(condition) => condition.push("i.id", sql),
        IdentityField::Key(condition) => condition.push("i.user_identity_key", sql),
        IdentityField::Kind(condition) => condition.push("i.kind", sql),
        IdentityField::ClientId(condition) => condition.push("i.client_id", sql),
    });
}

/// A page of identities, in the order in which they were made.
pub async fn page(
    conn: &mut PgConnection,
    hotel: HotelId,
    list: &OwnedList<IdentityField>,
    request: &PageRequest<Uuid>,
    with_client: bool,
) -> Result<Page<IdentityView>> {
    let mut sql = select(with_client);
    push_list(&mut sql, hotel, list);
    push_id_page(&mut sql, "i.id", request);
    let rows = sql.build().fetch_all(conn).await?;
    let views = rows.iter().map(|row| from_row(row, with_client)).collect::<Result<_>>()?;
    Ok(Page::of_rows(views, request))
}

/// What there is to know about the list beside the page.
pub async fn bounds(
    conn: &mut PgConnection,
    hotel: HotelId,
    list: &OwnedList<IdentityField>,
    request: &ListBoundsRequest<Uuid>,
) -> Result<ListBounds> {
    let of_list = |sql: &mut QueryBuilder<Postgres>| {
        sql.push(" FROM user_identities i");
        push_list(sql, hotel, list);
    };
    crate::db::bounds(conn, request, of_list, |sql, operator, id| {
        sql.push(" AND i.id ").push(operator).push(" ").push_bind(id);
    })
    .await
}

/// Identities by their ids.
pub async fn by_ids(
    conn: &mut PgConnection,
    hotel: HotelId,
    ids: &[Uuid],
    with_client: bool,
) -> Result<Vec<IdentityView>> {
    let mut sql = select(with_client);
    sql.push(" WHERE i.hotel_id = ").push_bind(hotel).push(" AND i.id = ANY (").push_bind(ids.to_vec()).push(")");
    let rows = sql.build().fetch_all(conn).await?;
    rows.iter().map(|row| from_row(row, with_client)).collect()
}
