//! The SQL of hotel settings.

use chrono_tz::Tz;
use sqlx::{AssertSqlSafe, PgConnection, query, query_as, query_scalar};

use super::{Contents, HotelChange};
use crate::error::{Error, Message, Record, Result, violated_constraint};
use crate::hotels::{Hotel, HotelId, Row};

/// Changes a hotel.
pub(super) async fn update(conn: &mut PgConnection, id: HotelId, change: &HotelChange) -> Result<Hotel> {
    let row = query_as!(
        Row,
        "UPDATE hotels SET name = coalesce($2, name), time_zone = coalesce($3, time_zone),
                           check_in_time = coalesce($4, check_in_time), check_out_time = coalesce($5, check_out_time),
                           room_access_keys_enabled = coalesce($6, room_access_keys_enabled)
         WHERE id = $1
         RETURNING id, slug, name, time_zone, check_in_time, check_out_time, room_access_keys_enabled, is_sandbox",
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
    row.ok_or_else(|| Error::not_found(Record::Hotel))?.try_into()
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
    ("simulated_encoders", "encoder_id"),
    ("lock_commands", "id"),
    ("access_methods", "id"),
    ("access_grant_entrances", "grant_id, entrance_id"),
    ("access_grant_spaces", "grant_id, space_id"),
    ("access_reservation_doors", "reservation_id, entrance_id"),
    ("access_grants", "id"),
    ("access_reservations", "id"),
    ("user_identities", "id"),
    ("space_entrances", "space_id, entrance_id"),
    ("spaces", "id"),
    ("entrances", "id"),
    ("encoders", "id"),
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
