//! The SQL of hotels.

use chrono::{DateTime, NaiveTime, Utc};
use chrono_tz::Tz;
use sqlx::{AssertSqlSafe, PgConnection, query, query_as, query_scalar};

use super::{Contents, Hotel, HotelChange, HotelId};
use crate::error::{Error, Message, Record, Result, violated_constraint};

/// Adds a hotel.
pub async fn insert(conn: &mut PgConnection, hotel: &Hotel, now: DateTime<Utc>) -> sqlx::Result<()> {
    query!(
        "INSERT INTO hotels (id, slug, name, time_zone, check_in_time, check_out_time, room_access_keys_enabled, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        hotel.id,
        hotel.slug,
        hotel.name,
        hotel.time_zone.name(),
        hotel.check_in_time,
        hotel.check_out_time,
        hotel.room_access_keys_enabled,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A row of `hotels`, without what only statements need.
struct Row {
    id: HotelId,
    slug: String,
    name: String,
    time_zone: String,
    check_in_time: NaiveTime,
    check_out_time: NaiveTime,
    room_access_keys_enabled: bool,
}

impl TryFrom<Row> for Hotel {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: row.id,
            slug: row.slug,
            name: row.name,
            time_zone: row.time_zone.parse().map_err(Error::internal)?,
            check_in_time: row.check_in_time,
            check_out_time: row.check_out_time,
            room_access_keys_enabled: row.room_access_keys_enabled,
        })
    }
}

/// Changes a hotel.
pub(super) async fn update(conn: &mut PgConnection, id: HotelId, change: &HotelChange) -> Result<Hotel> {
    let row = query_as!(
        Row,
        "UPDATE hotels SET name = coalesce($2, name), time_zone = coalesce($3, time_zone),
                           check_in_time = coalesce($4, check_in_time), check_out_time = coalesce($5, check_out_time),
                           room_access_keys_enabled = coalesce($6, room_access_keys_enabled)
         WHERE id = $1
         RETURNING id, slug, name, time_zone, check_in_time, check_out_time, room_access_keys_enabled",
        id,
        change.name,
        change.time_zone.map(Tz::name),
        change.check_in_time,
        change.check_out_time,
        change.room_access_keys_enabled,
    )
    .fetch_optional(conn)
    .await
    .map_err(refused)?;
    row.ok_or_else(not_found)?.try_into()
}

/// What a violated constraint means.
pub(super) fn refused(error: sqlx::Error) -> Error {
    match violated_constraint(&error) {
        Some("hotels_slug_key") => Error::new(Message::HotelSlugTaken),
        Some("hotels_slug_check") => Error::new(Message::HotelSlugInvalid),
        Some("hotels_name_check") => Error::new(Message::HotelNameInvalid),
        _ => error.into(),
    }
}

/// The hotel with that slug.
pub async fn find_by_slug(conn: &mut PgConnection, slug: &str) -> Result<Option<Hotel>> {
    let row = query_as!(
        Row,
        "SELECT id, slug, name, time_zone, check_in_time, check_out_time, room_access_keys_enabled
         FROM hotels WHERE slug = $1",
        slug,
    )
    .fetch_optional(conn)
    .await?;
    row.map(Hotel::try_from).transpose()
}

/// Reads a hotel and holds its settings until the transaction ends. Stays are locked before it.
pub(crate) async fn lock(conn: &mut PgConnection, id: HotelId) -> Result<Hotel> {
    let row = query_as!(
        Row,
        "SELECT id, slug, name, time_zone, check_in_time, check_out_time, room_access_keys_enabled
         FROM hotels WHERE id = $1 FOR NO KEY UPDATE",
        id,
    )
    .fetch_optional(conn)
    .await?;
    row.ok_or_else(not_found)?.try_into()
}

/// The hotel with that id.
pub(crate) async fn find(conn: &mut PgConnection, id: HotelId) -> Result<Option<Hotel>> {
    let row = query_as!(
        Row,
        "SELECT id, slug, name, time_zone, check_in_time, check_out_time, room_access_keys_enabled
         FROM hotels WHERE id = $1",
        id,
    )
    .fetch_optional(conn)
    .await?;
    row.map(Hotel::try_from).transpose()
}

fn not_found() -> Error {
    Error::not_found(Record::Hotel)
}

/// All hotels, by slug.
pub async fn list(conn: &mut PgConnection) -> Result<Vec<Hotel>> {
    let rows = query_as!(
        Row,
        "SELECT id, slug, name, time_zone, check_in_time, check_out_time, room_access_keys_enabled
         FROM hotels ORDER BY slug",
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Hotel::try_from).collect()
}

/// Raises the bound of the overlap scan to a stay of `nights`, where it is lower.
pub async fn raise_longest_stay(conn: &mut PgConnection, hotel: HotelId, nights: i32) -> sqlx::Result<()> {
    query!("UPDATE hotels SET longest_stay_nights = $2 WHERE id = $1 AND longest_stay_nights < $2", hotel, nights)
        .execute(conn)
        .await?;
    Ok(())
}

/// Nights of the hotel's longest stay so far.
pub async fn longest_stay(conn: &mut PgConnection, hotel: HotelId) -> sqlx::Result<i32> {
    query_scalar!("SELECT longest_stay_nights FROM hotels WHERE id = $1", hotel).fetch_one(conn).await
}

/// How much belongs to a hotel.
pub(super) async fn contents(conn: &mut PgConnection, hotel: HotelId) -> sqlx::Result<Contents> {
    query_as!(
        Contents,
        r#"SELECT (SELECT count(*) FROM categories WHERE hotel_id = $1) AS "categories!",
                  (SELECT count(*) FROM room_setups WHERE hotel_id = $1) AS "rooms!",
                  (SELECT count(*) FROM clients WHERE hotel_id = $1) AS "clients!",
                  (SELECT count(*) FROM reservations WHERE hotel_id = $1) AS "reservations!",
                  (SELECT count(*) FROM room_stays WHERE hotel_id = $1) AS "room_stays!",
                  (SELECT count(*) FROM room_access_keys WHERE hotel_id = $1) AS "room_access_keys!",
                  (SELECT count(*) FROM integrations WHERE hotel_id = $1 AND disconnected_at IS NULL) AS "integrations!",
                  (SELECT count(*) FROM api_keys WHERE hotel_id = $1 AND revoked_at IS NULL) AS "api_keys!",
                  (SELECT count(*) FROM webhook_endpoints WHERE hotel_id = $1) AS "webhook_endpoints!""#,
        hotel,
    )
    .fetch_one(conn)
    .await
}

/// The tables in which a hotel has rows, each with the columns that tell the rows of one hotel apart: what refers to others comes
/// before them. Not the audit trail, which nothing deletes from, and not the hotel itself.
pub const TENANT_TABLES: &[(&str, &str)] = &[
    ("webhook_attempts", "endpoint_id, event_position, attempt, created_at"),
    ("webhook_deliveries", "endpoint_id, event_position, created_at"),
    ("webhook_endpoints", "id"),
    ("room_stay_guests", "room_stay_id, position"),
    ("imported_lines", "room_stay_id"),
    ("room_stays", "id"),
    ("room_access_keys", "id"),
    ("reservation_imports", "integration_id, external_id"),
    ("reservations", "id"),
    ("clients", "id"),
    ("room_setups", "id"),
    ("categories", "id"),
    ("idempotent_answers", "api_key_id, idempotency_key"),
    ("api_key_usage", "api_key_id"),
    ("api_key_budgets", "api_key_id"),
    ("api_keys", "id"),
    ("integrations", "id"),
    ("events", "position, created_at"),
    ("event_counters", "hotel_id"),
];

/// Deletes at most `most` rows of a hotel from one of [`TENANT_TABLES`], and tells how many.
pub(super) async fn delete_rows(
    conn: &mut PgConnection,
    hotel: HotelId,
    (table, key): (&str, &str),
    most: i64,
) -> sqlx::Result<u64> {
    let statement = format!(
        "DELETE FROM {table} WHERE hotel_id = $1
           AND ({key}) IN (SELECT {key} FROM {table} WHERE hotel_id = $1 ORDER BY {key} LIMIT $2)"
    );
    Ok(query(AssertSqlSafe(statement)).bind(hotel).bind(most).execute(conn).await?.rows_affected())
}

/// Keeps everything else off a hotel until the transaction ends: nothing can be added to it.
pub(super) async fn lock_for_deletion(conn: &mut PgConnection, hotel: HotelId) -> sqlx::Result<()> {
    query!("SELECT id FROM hotels WHERE id = $1 FOR UPDATE", hotel).fetch_optional(conn).await?;
    Ok(())
}

/// Deletes the row of a hotel that has nothing any more.
pub(super) async fn delete(conn: &mut PgConnection, hotel: HotelId) -> sqlx::Result<u64> {
    Ok(query!("DELETE FROM hotels WHERE id = $1", hotel).execute(conn).await?.rows_affected())
}

/// Names of the hotel's integrations that are connected.
pub(super) async fn connected_integrations(conn: &mut PgConnection, hotel: HotelId) -> sqlx::Result<Vec<String>> {
    query_scalar!("SELECT name FROM integrations WHERE hotel_id = $1 AND disconnected_at IS NULL ORDER BY id", hotel)
        .fetch_all(conn)
        .await
}
