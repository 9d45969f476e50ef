//! The SQL of bookings: under which ids integrations have imported reservations.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, query, query_scalar};
use uuid::Uuid;

use crate::hotels::HotelId;

/// The reservation that an integration imported under that id.
pub(super) async fn find_import(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    external_id: &str,
) -> sqlx::Result<Option<Uuid>> {
    query_scalar!(
        "SELECT reservation_id FROM reservation_imports
         WHERE hotel_id = $1 AND integration_id = $2 AND external_id = $3",
        hotel,
        integration,
        external_id,
    )
    .fetch_optional(conn)
    .await
}

/// Remembers under which id an integration imported a reservation.
pub(super) async fn insert_import(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    external_id: &str,
    reservation: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    query!(
        "INSERT INTO reservation_imports (hotel_id, integration_id, external_id, reservation_id, created_at)
         VALUES ($1, $2, $3, $4, $5)",
        hotel,
        integration,
        external_id,
        reservation,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
