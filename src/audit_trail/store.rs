//! The SQL that reads the audit trail. The commit writes it with the events, in one statement ([`crate::events`]).

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Postgres, QueryBuilder, Row};
use uuid::Uuid;

use super::{Actor, AuditEntry, AuditList};
use crate::audit::{Action, ActorType, Object, ObjectType};
use crate::db::{ListBounds, ListBoundsRequest, Page, PageRequest, bounds_from_row, by_ordinal, push_bounds};
use crate::error::Result;
use crate::integrations::Integration;

/// Columns of an entry `e`, and of who made it as far as that is still known.
const COLUMNS: &str = "e.id, e.created_at, e.action, e.object_type, e.object_id, e.updated_fields, e.related_type, \
     e.related_id, e.actor_type, e.reason, e.request_id, i.id AS integration_id, i.name AS integration_name, \
     i.created_at AS integration_created_at, i.disconnected_at, k.id AS api_key_id, k.name AS api_key_name";
const JOINS: &str = ") e \
     LEFT JOIN integrations i ON i.hotel_id = e.hotel_id AND i.id = e.integration_id \
     LEFT JOIN api_keys k ON k.hotel_id = e.hotel_id AND k.id = e.api_key_id";

fn entry(row: &PgRow) -> Result<AuditEntry> {
    let object = |types: &str, id: &str| -> Result<Option<Object>> {
        let (Some(name), Some(id)) = (row.try_get::<Option<&str>, _>(types)?, row.try_get(id)?) else {
            return Ok(None);
        };
        Ok(Some(Object { object_type: ObjectType::parse(name)?, id }))
    };
    let integration = match row.try_get("integration_id")? {
        Some(id) => Some(Integration {
            id,
            name: row.try_get("integration_name")?,
            created_at: row.try_get("integration_created_at")?,
            disconnected_at: row.try_get("disconnected_at")?,
        }),
        None => None,
    };
    let api_key = match row.try_get("api_key_id")? {
        Some(id) => Some((id, row.try_get("api_key_name")?)),
        None => None,
    };
    let object_type = ObjectType::parse(row.try_get("object_type")?)?;
    Ok(AuditEntry {
        id: row.try_get("id")?,
        created_at: row.try_get("created_at")?,
        action: Action::parse(row.try_get("action")?)?,
        object: Object { object_type, id: row.try_get("object_id")? },
        updated_fields: row.try_get("updated_fields")?,
        related: object("related_type", "related_id")?,
        actor: Actor { actor_type: ActorType::parse(row.try_get("actor_type")?)?, integration, api_key },
        reason: row.try_get("reason")?,
        request_id: row.try_get("request_id")?,
    })
}

/// The entries `e` that the list holds.
fn push_list(sql: &mut QueryBuilder<Postgres>, list: &AuditList) {
    let types: Vec<&'static str> = list.reader.types.iter().map(|one| one.as_str()).collect();
    sql.push(" FROM audit_entries e WHERE e.hotel_id = ").push_bind(list.reader.hotel);
    sql.push(" AND (e.object_type = ANY (").push_bind(types);
    sql.push(") OR e.integration_id = ").push_bind(list.reader.integration).push(")");
    if let Some(since) = list.since {
        sql.push(" AND e.created_at >= ").push_bind(since);
    }
    if let Some(until) = list.until {
        sql.push(" AND e.created_at < ").push_bind(until);
    }
}

/// The rows of one page of it: the list runs from the newest to the oldest. `of` narrows it further.
fn push_page(sql: &mut QueryBuilder<Postgres>, list: &AuditList, of: &'static str, request: &PageRequest<Uuid>) {
    sql.push("SELECT e.*");
    push_list(sql, list);
    sql.push(of);
    if let Some(after) = request.after {
        sql.push(" AND e.id < ").push_bind(after);
    }
    if let Some(before) = request.before {
        sql.push(" AND e.id > ").push_bind(before);
    }
    push_order(sql, "e.id", request);
}

fn push_order(sql: &mut QueryBuilder<Postgres>, id: &'static str, request: &PageRequest<Uuid>) {
    sql.push(" ORDER BY ").push(id).push(if request.from_end { " ASC" } else { " DESC" });
    sql.push(" LIMIT ").push_bind(request.limit());
}

pub(super) async fn page(
    conn: &mut PgConnection,
    list: &AuditList,
    request: &PageRequest<Uuid>,
) -> Result<Page<AuditEntry>> {
    let mut sql = QueryBuilder::new("SELECT ");
    sql.push(COLUMNS).push(" FROM (");
    push_page(&mut sql, list, "", request);
    sql.push(JOINS).push(" ORDER BY e.id").push(if request.from_end { " ASC" } else { " DESC" });
    let rows = sql.build().fetch_all(conn).await?;
    Ok(Page::of_rows(rows.iter().map(entry).collect::<Result<_>>()?, request))
}

pub(super) async fn bounds(
    conn: &mut PgConnection,
    list: &AuditList,
    request: &ListBoundsRequest<Uuid>,
) -> Result<ListBounds> {
    crate::db::bounds(conn, request, |sql| push_list(sql, list), push_compare).await
}

/// The list is the other way round than its ids.
fn push_compare(sql: &mut QueryBuilder<Postgres>, operator: &'static str, id: Uuid) {
    sql.push(" AND e.id ").push(if operator == "<=" { ">=" } else { "<=" }).push(" ").push_bind(id);
}

pub(super) async fn pages_of_objects(
    conn: &mut PgConnection,
    list: &AuditList,
    objects: &[Uuid],
    request: &PageRequest<Uuid>,
) -> Result<Vec<Page<AuditEntry>>> {
    let mut sql = QueryBuilder::new("SELECT p.n, ");
    sql.push(COLUMNS).push(" FROM unnest(").push_bind(objects.to_vec());
    // Each half by its own index, in order and with a limit.
    sql.push("::uuid[]) WITH ORDINALITY p (id, n) CROSS JOIN LATERAL ((");
    push_page(&mut sql, list, " AND e.object_id = p.id", request);
    sql.push(") UNION ALL (");
    push_page(&mut sql, list, " AND e.related_id = p.id", request);
    sql.push(")");
    push_order(&mut sql, "id", request);
    sql.push(JOINS).push(" ORDER BY p.n, e.id").push(if request.from_end { " ASC" } else { " DESC" });
    let rows = sql.build().fetch_all(conn).await?;
    let entries = rows.iter().map(|row| Ok((row.try_get("n")?, entry(row)?))).collect::<Result<Vec<_>>>()?;
    Ok(by_ordinal(entries, objects.len()).into_iter().map(|entries| Page::of_rows(entries, request)).collect())
}

pub(super) async fn bounds_of_objects(
    conn: &mut PgConnection,
    list: &AuditList,
    objects: &[Uuid],
    request: &ListBoundsRequest<Uuid>,
) -> Result<Vec<ListBounds>> {
    let of_object = |sql: &mut QueryBuilder<Postgres>| {
        push_list(sql, list);
        sql.push(" AND (e.object_id = p.id OR e.related_id = p.id)");
    };
    let mut sql = QueryBuilder::new("SELECT ");
    push_bounds(&mut sql, request, of_object, push_compare);
    sql.push(" FROM unnest(").push_bind(objects.to_vec()).push("::uuid[]) WITH ORDINALITY p (id, n) ORDER BY p.n");
    let rows = sql.build().fetch_all(conn).await?;
    rows.iter().map(bounds_from_row).collect()
}
