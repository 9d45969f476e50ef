//! The SQL of the demo.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::Serialize;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, PgConnection, query, query_as, query_scalar};
use uuid::Uuid;

use crate::hotels::HotelId;

/// A key as the database wants it.
#[derive(Serialize)]
pub struct KeyRecord {
    pub id: Uuid,
    pub integration_id: Uuid,
    pub kind: &'static str,
    /// Sealed; base64.
    pub secret: String,
    pub compartment: Option<String>,
    pub stays: Vec<Assignment>,
}

/// A stay that gets the key.
#[derive(Serialize)]
pub struct Assignment {
    pub id: Uuid,
    /// When the pruner takes the key off the stay.
    pub due_at: DateTime<Utc>,
}

/// Lets one process at a time look after the demo, until its transaction ends.
pub async fn lock(conn: &mut PgConnection) -> sqlx::Result<()> {
    query!("SELECT pg_advisory_xact_lock(hashtextextended('latchkey demo', 0))").fetch_one(conn).await?;
    Ok(())
}

/// Whether there is no hotel at all.
pub async fn is_empty(conn: &mut PgConnection) -> sqlx::Result<bool> {
    query_scalar!(r#"SELECT NOT EXISTS (SELECT FROM hotels) AS "empty!""#).fetch_one(conn).await
}

/// Keeps everybody else from all hotels until the transaction ends, or fails when they do not let go.
pub async fn lock_all_hotels(conn: &mut PgConnection) -> sqlx::Result<()> {
    query!("SELECT set_config('lock_timeout', '10s', true)").fetch_one(&mut *conn).await?;
    query!("LOCK TABLE hotels IN ACCESS EXCLUSIVE MODE").execute(conn).await?;
    Ok(())
}

/// Removes every hotel with all that belongs to it.
pub async fn empty_hotels(conn: &mut PgConnection) -> sqlx::Result<()> {
    let tables = query_scalar!(
        r#"SELECT string_agg(format('%I', c.relname), ', ') AS "tables!" FROM pg_class c
           WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                 AND (c.relname = 'hotels' OR EXISTS (SELECT FROM pg_attribute a
                                                      WHERE a.attrelid = c.oid AND a.attname = 'hotel_id'))"#
    );
    let tables: String = tables.fetch_one(&mut *conn).await?;
    sqlx::query(AssertSqlSafe(format!("TRUNCATE {tables}"))).execute(conn).await?;
    Ok(())
}

/// Slugs of all hotels.
pub async fn slugs(conn: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    query_scalar!("SELECT slug FROM hotels").fetch_all(conn).await
}

/// When a hotel was made.
pub async fn created_at(conn: &mut PgConnection, hotel: HotelId) -> sqlx::Result<Option<DateTime<Utc>>> {
    query_scalar!("SELECT created_at FROM hotels WHERE id = $1", hotel).fetch_optional(conn).await
}

/// An integration, wherever it is.
pub struct Integration {
    pub hotel_id: HotelId,
    pub slug: String,
    pub id: Uuid,
    pub name: String,
}

/// The integrations of those names in the hotels of those slugs.
pub async fn integrations(
    conn: &mut PgConnection,
    slugs: &[String],
    names: &[String],
) -> sqlx::Result<Vec<Integration>> {
    query_as!(
        Integration,
        "SELECT i.hotel_id, h.slug, i.id, i.name
         FROM hotels h JOIN integrations i ON i.hotel_id = h.id
         WHERE h.slug = ANY($1) AND i.name = ANY($2)",
        slugs,
        names,
    )
    .fetch_all(conn)
    .await
}

/// How many of the pairs of API keys, given as hashes, are in the database, revoked or not.
pub async fn known_pairs(conn: &mut PgConnection, live: &[Vec<u8>], test: &[Vec<u8>]) -> sqlx::Result<i64> {
    query_scalar!(
        r#"SELECT count(*) AS "count!"
           FROM api_keys k JOIN unnest($1::bytea[], $2::bytea[]) AS given(live, test)
                ON k.live_hash = given.live AND k.test_hash = given.test"#,
        live,
        test,
    )
    .fetch_one(conn)
    .await
}

/// Revokes what pairs of API keys the integration has.
pub async fn revoke_pairs(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    query!(
        "UPDATE api_keys SET revoked_at = $3 WHERE hotel_id = $1 AND integration_id = $2 AND revoked_at IS NULL",
        hotel,
        integration,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The active stays of guests who are in the house or arrive until `until`, by arrival.
pub async fn stays_to_prepare(
    conn: &mut PgConnection,
    hotel: HotelId,
    today: NaiveDate,
    until: NaiveDate,
) -> sqlx::Result<Vec<Uuid>> {
    query_scalar!(
        "SELECT s.id
         FROM room_stays s JOIN reservations r ON r.hotel_id = s.hotel_id AND r.id = s.reservation_id
         WHERE s.hotel_id = $1 AND r.status = 'ACTIVE' AND s.reservation_to > $2 AND s.reservation_from <= $3
         ORDER BY s.reservation_from, s.id",
        hotel,
        today,
        until,
    )
    .fetch_all(conn)
    .await
}

/// What the end of a stay follows from.
pub struct End {
    pub id: Uuid,
    pub reservation_from: NaiveDate,
    pub reservation_to: NaiveDate,
    pub departure_time: Option<NaiveTime>,
}

/// What the ends of the stays follow from.
pub async fn ends(conn: &mut PgConnection, hotel: HotelId, stays: &[Uuid]) -> sqlx::Result<Vec<End>> {
    query_as!(
        End,
        "SELECT id, reservation_from, reservation_to, departure_time FROM room_stays
         WHERE hotel_id = $1 AND id = ANY($2)",
        hotel,
        stays,
    )
    .fetch_all(conn)
    .await
}

/// Stores the keys and puts each on its stays.
pub(super) async fn hand_out(
    conn: &mut PgConnection,
    hotel: HotelId,
    keys: &[KeyRecord],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    query!(
        "INSERT INTO room_access_keys (hotel_id, id, integration_id, kind, secret, compartment, created_at)
         SELECT $1, id, integration_id, kind, decode(secret, 'base64'), compartment, $3
         FROM json_to_recordset($2::json) AS new(id uuid, integration_id uuid, kind text, secret text, compartment text)",
        hotel,
        Json(keys) as _,
        now,
    )
    .execute(&mut *conn)
    .await?;
    query!(
        "UPDATE room_stays s
         SET room_access_key_id = key.id, room_access_key_kind = key.kind, room_access_key_due_at = stay.due_at,
             updated_at = $3
         FROM json_to_recordset($2::json) AS key(id uuid, kind text, stays json)
         CROSS JOIN json_to_recordset(key.stays) AS stay(id uuid, due_at timestamptz)
         WHERE s.hotel_id = $1 AND s.id = stay.id",
        hotel,
        Json(keys) as _,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A door as the database wants it.
#[derive(Serialize)]
pub struct DoorRecord {
    pub id: Uuid,
    pub key: String,
    pub name: String,
    pub provider: &'static str,
    pub can_belong_to_reservation: bool,
    pub modes: [&'static str; 2],
    /// The one space that holds it, and the key that this gets.
    pub space_id: Option<Uuid>,
    pub space_key: Option<String>,
}

/// Stores doors, puts each into its space and gives that its key.
pub(super) async fn hang_doors(
    conn: &mut PgConnection,
    hotel: HotelId,
    doors: &[DoorRecord],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    query!(
        "INSERT INTO entrances (hotel_id, id, entrance_key, name, provider, can_belong_to_reservation, modes, created_at,
                                updated_at)
         SELECT $1, id, key, name, provider, can_belong_to_reservation, modes, $3, $3
         FROM json_to_recordset($2::json) AS new(id uuid, key text, name text, provider text,
                                                 can_belong_to_reservation boolean, modes text[])",
        hotel,
        Json(doors) as _,
        now,
    )
    .execute(&mut *conn)
    .await?;
    query!(
        "WITH held AS (
             SELECT id, space_id, space_key FROM json_to_recordset($2::json) AS new(id uuid, space_id uuid, space_key text)
             WHERE space_id IS NOT NULL
         ), named AS (
             UPDATE spaces s SET space_key = held.space_key FROM held WHERE s.hotel_id = $1 AND s.id = held.space_id
         )
         INSERT INTO space_entrances (hotel_id, space_id, entrance_id) SELECT $1, space_id, id FROM held",
        hotel,
        Json(doors) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A simulated encoder as the database wants it.
pub struct EncoderRecord {
    pub id: Uuid,
    pub key: &'static str,
    pub name: &'static str,
    pub provider: &'static str,
}

/// Stores a simulated encoder.
pub(super) async fn place_encoder(
    conn: &mut PgConnection,
    hotel: HotelId,
    encoder: &EncoderRecord,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    query!(
        "INSERT INTO encoders (hotel_id, id, encoder_key, name, provider, simulated, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, true, $6, $6)",
        hotel,
        encoder.id,
        encoder.key,
        encoder.name,
        encoder.provider,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The integrations of a hotel.
pub(super) async fn integrations_of(conn: &mut PgConnection, hotel: HotelId) -> sqlx::Result<Vec<Uuid>> {
    query_scalar!("SELECT id FROM integrations WHERE hotel_id = $1 ORDER BY id", hotel).fetch_all(conn).await
}

/// A guest to whom access is granted, as the database wants it.
#[derive(Serialize)]
pub struct IdentityRecord {
    pub id: Uuid,
    pub integration_id: Uuid,
    pub key: &'static str,
}

/// Stores guests to whom access is granted.
pub(super) async fn add_guests(
    conn: &mut PgConnection,
    hotel: HotelId,
    guests: &[IdentityRecord],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    query!(
        "INSERT INTO user_identities (hotel_id, id, integration_id, user_identity_key, kind, created_at, updated_at)
         SELECT $1, id, integration_id, key, 'GUEST', $3, $3
         FROM json_to_recordset($2::json) AS new(id uuid, integration_id uuid, key text)",
        hotel,
        Json(guests) as _,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
