//! Grants, with their doors.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::types::Json;
use sqlx::{PgConnection, query, query_scalar};
use uuid::Uuid;

use super::super::{CheckedGrant, GrantDoors, Identity, IdentityKind, LockedGrant, TimeFrame};
use crate::error::Result;
use crate::hotels::HotelId;
use crate::locks::{Mode, Reference};

/// Holds an identity of the integration so that it is not deleted meanwhile.
pub(in crate::access_grants) async fn lock_identity(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    reference: &Reference,
) -> Result<Option<Identity>> {
    let (id, key) = reference.parts();
    let row = query!(
        "SELECT id, kind FROM user_identities
         WHERE hotel_id = $1 AND integration_id = $2 AND (id = $3 OR user_identity_key = $4) AND deleted_at IS NULL
         FOR KEY SHARE",
        hotel,
        integration,
        id,
        key,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| Ok(Identity { id: row.id, kind: IdentityKind::parse(&row.kind)? })).transpose()
}

/// A grant that is to be written, as PostgreSQL reads it.
#[derive(Serialize)]
struct NewRow<'a> {
    id: Uuid,
    integration_id: Uuid,
    user_identity_id: Uuid,
    access_grant_key: Option<&'a str>,
    name: Option<&'a str>,
    reservation_id: Option<Uuid>,
    reservation_key: Option<&'a str>,
    room_stay_id: Option<Uuid>,
    starts_at: DateTime<Utc>,
    ends_at: Option<DateTime<Utc>>,
    of_stay: Vec<Uuid>,
    named: Vec<Uuid>,
    spaces: &'a [Uuid],
    methods: Vec<NewMethod>,
}

/// A method that is to be written, as PostgreSQL reads it.
#[derive(Serialize)]
struct NewMethod {
    id: Uuid,
    mode: &'static str,
    refused: bool,
    issued: bool,
    encoding_required: bool,
}

impl<'a> From<&'a CheckedGrant> for NewRow<'a> {
    fn from(grant: &'a CheckedGrant) -> Self {
        let methods = grant.methods.iter().map(|method| NewMethod {
            id: method.id,
            mode: method.mode.name(),
            refused: method.refused,
            // Everything but a card works without being written.
            issued: !method.refused && method.mode != Mode::Card,
            encoding_required: grant.replaces && !method.refused && method.mode == Mode::Card,
        });
        Self {
            id: grant.id,
            integration_id: grant.integration_id,
            user_identity_id: grant.user_identity_id,
            access_grant_key: grant.key.as_deref(),
            name: grant.name.as_deref(),
            reservation_id: grant.reservation.as_ref().map(|(id, _)| *id),
            reservation_key: grant.reservation.as_ref().map(|(_, key)| key.as_str()),
            room_stay_id: grant.room_stay_id,
            starts_at: grant.frame.starts_at,
            ends_at: grant.frame.ends_at,
            of_stay: grant.of_stay.iter().map(|door| door.id).collect(),
            named: grant.named.iter().map(|door| door.id).collect(),
            spaces: &grant.space_ids,
            methods: methods.collect(),
        }
    }
}

/// Adds grants with their doors, spaces and methods. Answers how many: fewer when the key of one is taken.
pub(in crate::access_grants) async fn insert(
    conn: &mut PgConnection,
    hotel: HotelId,
    grants: &[CheckedGrant],
    now: DateTime<Utc>,
) -> Result<usize> {
    let rows: Vec<NewRow<'_>> = grants.iter().map(NewRow::from).collect();
    let inserted = query_scalar!(
        r#"WITH new AS (
             SELECT * FROM json_to_recordset($2::json) AS new (
                 id uuid, integration_id uuid, user_identity_id uuid, access_grant_key text, name text, reservation_id uuid,
                 reservation_key text, room_stay_id uuid, starts_at timestamptz, ends_at timestamptz, of_stay uuid[],
                 named uuid[], spaces uuid[], methods json
             )
         ), grants AS (
             INSERT INTO access_grants (hotel_id, id, integration_id, user_identity_id, access_grant_key, name, reservation_id,
                 reservation_key, room_stay_id, starts_at, ends_at, created_at, updated_at)
             SELECT $1, id, integration_id, user_identity_id, access_grant_key, name, reservation_id, reservation_key,
                 room_stay_id, starts_at, ends_at, $3, $3 FROM new
             ON CONFLICT (hotel_id, integration_id, access_grant_key) WHERE deleted_at IS NULL DO NOTHING
             RETURNING id
         ), entrances AS (
             INSERT INTO access_grant_entrances (hotel_id, grant_id, entrance_id, of_stay)
             SELECT $1, id, door, true FROM new JOIN grants USING (id), unnest(of_stay) AS door
             UNION ALL SELECT $1, id, door, false FROM new JOIN grants USING (id), unnest(named) AS door
         ), spaces AS (
             INSERT INTO access_grant_spaces (hotel_id, grant_id, space_id)
             SELECT $1, id, space FROM new JOIN grants USING (id), unnest(spaces) AS space
         ), methods AS (
             INSERT INTO access_methods (hotel_id, id, grant_id, integration_id, mode, refused, created_at, issued_at,
                 encoding_required)
             SELECT $1, method.id, grants.id, new.integration_id, method.mode, method.refused, $3, CASE WHEN method.issued THEN $3 END,
                 method.encoding_required
             FROM new JOIN grants USING (id),
                 json_to_recordset(new.methods)
                     AS method (id uuid, mode text, refused boolean, issued boolean, encoding_required boolean)
         )
         SELECT count(*) AS "count!" FROM grants"#,
        hotel,
        Json(rows) as _,
        now,
    )
    .fetch_one(conn)
    .await?;
    Ok(usize::try_from(inserted).unwrap_or_default())
}

/// The ids of the grants that follow these stays: of live ones, and of those that wait for their stay.
pub(in crate::access_grants) async fn of_stays(
    conn: &mut PgConnection,
    hotel: HotelId,
    stays: &[Uuid],
) -> Result<Vec<Uuid>> {
    let ids = query_scalar!(
        "SELECT id FROM access_grants
         WHERE hotel_id = $1 AND room_stay_id = ANY ($2) AND (deleted_at IS NULL OR awaits_stay)",
        hotel,
        stays,
    );
    Ok(ids.fetch_all(conn).await?)
}

/// The stays that live grants follow which have not ended.
pub(in crate::access_grants) async fn followed_stays(
    conn: &mut PgConnection,
    hotel: HotelId,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    let ids = query_scalar!(
        r#"SELECT DISTINCT room_stay_id AS "id!" FROM access_grants
           WHERE hotel_id = $1 AND room_stay_id IS NOT NULL AND deleted_at IS NULL AND ends_at > $2"#,
        hotel,
        now,
    );
    Ok(ids.fetch_all(conn).await?)
}

/// The ids of some grants of an integration: of live ones, and of those that wait for their stay.
pub(in crate::access_grants) async fn of_integration(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    most: i64,
) -> Result<Vec<Uuid>> {
    let ids = query_scalar!(
        "SELECT id FROM access_grants WHERE hotel_id = $1 AND integration_id = $2 AND (deleted_at IS NULL OR awaits_stay)
         ORDER BY id LIMIT $3",
        hotel,
        integration,
        most,
    );
    Ok(ids.fetch_all(conn).await?)
}

/// The ids of an integration's live grants with this reservation key.
pub(in crate::access_grants) async fn of_reservation_key(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    key: &str,
) -> Result<Vec<Uuid>> {
    let ids = query_scalar!(
        "SELECT id FROM access_grants
         WHERE hotel_id = $1 AND integration_id = $2 AND reservation_key = $3 AND deleted_at IS NULL ORDER BY id",
        hotel,
        integration,
        key,
    );
    Ok(ids.fetch_all(conn).await?)
}

/// Reads those of these grants that are live or wait for their stay, and holds them until the transaction ends, in the order of
/// their ids.
pub(in crate::access_grants) async fn lock(
    conn: &mut PgConnection,
    hotel: HotelId,
    ids: &[Uuid],
) -> Result<Vec<LockedGrant>> {
    let rows = query!(
        r#"SELECT g.id, g.integration_id, g.user_identity_id, i.kind, g.access_grant_key, g.name, g.reservation_id,
                  g.room_stay_id, g.starts_at, g.ends_at, g.deleted_at IS NULL AS "live!",
                  ARRAY(SELECT e.entrance_id FROM access_grant_entrances e
                        WHERE e.hotel_id = $1 AND e.grant_id = g.id AND e.of_stay) AS "of_stay!",
                  ARRAY(SELECT e.entrance_id FROM access_grant_entrances e
                        WHERE e.hotel_id = $1 AND e.grant_id = g.id AND NOT e.of_stay) AS "named!",
                  ARRAY(SELECT s.space_id FROM access_grant_spaces s
                        WHERE s.hotel_id = $1 AND s.grant_id = g.id) AS "space_ids!",
                  ARRAY(SELECT m.mode FROM access_methods m
                        WHERE m.hotel_id = $1 AND m.grant_id = g.id AND (m.revoked_at IS NULL OR m.revoked_at >= g.deleted_at)
                        ORDER BY m.id) AS "modes!"
           FROM access_grants g JOIN user_identities i ON i.hotel_id = $1 AND i.id = g.user_identity_id
           WHERE g.hotel_id = $1 AND g.id = ANY ($2) AND (g.deleted_at IS NULL OR g.awaits_stay)
           ORDER BY g.id FOR UPDATE OF g"#,
        hotel,
        ids,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(LockedGrant {
                id: row.id,
                integration_id: row.integration_id,
                identity: Identity { id: row.user_identity_id, kind: IdentityKind::parse(&row.kind)? },
                key: row.access_grant_key,
                name: row.name,
                reservation_id: row.reservation_id,
                room_stay_id: row.room_stay_id,
                frame: TimeFrame { starts_at: row.starts_at, ends_at: row.ends_at },
                live: row.live,
                doors: GrantDoors { of_stay: row.of_stay, named: row.named },
                space_ids: row.space_ids,
                modes: row.modes.iter().map(|mode| Mode::parse(mode)).collect::<Result<_>>()?,
            })
        })
        .collect()
}

/// The id of a grant that was not deleted, by id or key: of any integration, or of one.
pub(in crate::access_grants) async fn find(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Option<Uuid>,
    reference: &Reference,
) -> Result<Option<Uuid>> {
    let (id, key) = reference.parts();
    let id = query_scalar!(
        "SELECT id FROM access_grants WHERE hotel_id = $1 AND deleted_at IS NULL AND ($2::uuid IS NULL OR integration_id = $2)
         AND (id = $3 OR (integration_id = $2 AND access_grant_key = $4))",
        hotel,
        integration,
        id,
        key,
    );
    Ok(id.fetch_optional(conn).await?)
}

/// Those of these keys that live grants of their integrations have.
pub(in crate::access_grants) async fn taken_keys(
    conn: &mut PgConnection,
    hotel: HotelId,
    keys: &BTreeSet<(Uuid, String)>,
) -> Result<BTreeSet<(Uuid, String)>> {
    if keys.is_empty() {
        return Ok(BTreeSet::new());
    }
    let (integrations, keys): (Vec<Uuid>, Vec<String>) = keys.iter().cloned().unzip();
    let rows = query!(
        r#"SELECT g.integration_id, g.access_grant_key AS "key!"
           FROM unnest($2::uuid[], $3::text[]) AS wanted (integration_id, key)
           JOIN access_grants g ON g.hotel_id = $1 AND g.integration_id = wanted.integration_id
               AND g.access_grant_key = wanted.key AND g.deleted_at IS NULL"#,
        hotel,
        &integrations,
        &keys,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.integration_id, row.key)).collect())
}

/// Gives held grants other times.
pub(in crate::access_grants) async fn update_frames(
    conn: &mut PgConnection,
    hotel: HotelId,
    frames: &[(Uuid, TimeFrame)],
    now: DateTime<Utc>,
) -> Result<()> {
    let ids: Vec<Uuid> = frames.iter().map(|(id, _)| *id).collect();
    let starts: Vec<DateTime<Utc>> = frames.iter().map(|(_, frame)| frame.starts_at).collect();
    let ends: Vec<Option<DateTime<Utc>>> = frames.iter().map(|(_, frame)| frame.ends_at).collect();
    query!(
        "UPDATE access_grants g SET starts_at = new.starts_at, ends_at = new.ends_at, updated_at = $2
         FROM unnest($3::uuid[], $4::timestamptz[], $5::timestamptz[]) AS new (id, starts_at, ends_at)
         WHERE g.hotel_id = $1 AND g.id = new.id",
        hotel,
        now,
        &ids,
        &starts,
        &ends as &[Option<DateTime<Utc>>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives a held grant another name.
pub(in crate::access_grants) async fn update_name(
    conn: &mut PgConnection,
    hotel: HotelId,
    id: Uuid,
    name: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    query!(
        "UPDATE access_grants SET name = $3, updated_at = $4 WHERE hotel_id = $1 AND id = $2",
        hotel,
        id,
        name,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives a held grant other doors in the place of those that it was made for by name or by space.
pub(in crate::access_grants) async fn replace_named_doors(
    conn: &mut PgConnection,
    hotel: HotelId,
    id: Uuid,
    doors: &[Uuid],
    spaces: &[Uuid],
    now: DateTime<Utc>,
) -> Result<()> {
    query!(
        "WITH entrances_gone AS (
             DELETE FROM access_grant_entrances WHERE hotel_id = $1 AND grant_id = $2 AND NOT of_stay AND entrance_id <> ALL ($3)
         ), spaces_gone AS (
             DELETE FROM access_grant_spaces WHERE hotel_id = $1 AND grant_id = $2 AND space_id <> ALL ($4)
         ), entrances AS (
             INSERT INTO access_grant_entrances (hotel_id, grant_id, entrance_id, of_stay)
             SELECT $1, $2, unnest($3::uuid[]), false ON CONFLICT DO NOTHING
         ), spaces AS (
             INSERT INTO access_grant_spaces (hotel_id, grant_id, space_id)
             SELECT $1, $2, unnest($4::uuid[]) ON CONFLICT DO NOTHING
         )
         UPDATE access_grants SET updated_at = $5 WHERE hotel_id = $1 AND id = $2",
        hotel,
        id,
        doors,
        spaces,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Marks held grants as deleted, and says whether they wait for their stay to give access again.
pub(in crate::access_grants) async fn mark_deleted(
    conn: &mut PgConnection,
    hotel: HotelId,
    ids: &[Uuid],
    awaits_stay: bool,
    now: DateTime<Utc>,
) -> Result<()> {
    query!(
        "UPDATE access_grants SET deleted_at = $3, updated_at = $3, awaits_stay = $4 WHERE hotel_id = $1 AND id = ANY ($2)",
        hotel,
        ids,
        now,
        awaits_stay,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Says that deleted grants wait no longer for their stay: they have successors, or it is gone.
pub(in crate::access_grants) async fn stop_waiting(
    conn: &mut PgConnection,
    hotel: HotelId,
    ids: &[Uuid],
) -> Result<()> {
    query!("UPDATE access_grants SET awaits_stay = false WHERE hotel_id = $1 AND id = ANY ($2)", hotel, ids)
        .execute(conn)
        .await?;
    Ok(())
}

/// Says of a deleted grant of the integration that it waits no longer for its stay. Answers its id, if it did.
pub(in crate::access_grants) async fn stop_one_waiting(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    reference: &Reference,
) -> Result<Option<Uuid>> {
    let (id, key) = reference.parts();
    let id = query_scalar!(
        "UPDATE access_grants SET awaits_stay = false
         WHERE hotel_id = $1 AND integration_id = $2 AND awaits_stay AND (id = $3 OR access_grant_key = $4) RETURNING id",
        hotel,
        integration,
        id,
        key,
    );
    Ok(id.fetch_optional(conn).await?)
}
