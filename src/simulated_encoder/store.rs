//! The SQL of what simulated encoders keep.

use sqlx::types::Json;
use sqlx::{PgConnection, query, query_scalar};
use uuid::Uuid;

use crate::error::Result;
use crate::hotels::HotelId;
use crate::lock_commands::{Card, EncoderKey, Failure};

/// Writes how the next attempt fails.
pub(super) async fn fail_next(
    conn: &mut PgConnection,
    hotel: HotelId,
    encoder: Uuid,
    failure: Option<Failure>,
) -> Result<()> {
    query!(
        "INSERT INTO simulated_encoders (hotel_id, encoder_id, fails_with) VALUES ($1, $2, $3)
         ON CONFLICT (hotel_id, encoder_id) DO UPDATE SET fails_with = EXCLUDED.fails_with",
        hotel,
        encoder,
        failure.map(|failure| failure.traits().name),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Answers how this attempt fails, and forgets it: the next one succeeds.
pub(super) async fn take_failure(conn: &mut PgConnection, encoder: EncoderKey) -> Result<Option<Failure>> {
    let failure = query_scalar!(
        r#"SELECT fails_with AS "fails_with!" FROM simulated_encoders
           WHERE hotel_id = $1 AND encoder_id = $2 AND fails_with IS NOT NULL FOR UPDATE"#,
        encoder.hotel,
        encoder.id,
    )
    .fetch_optional(&mut *conn)
    .await?;
    if failure.is_some() {
        fail_next(conn, encoder.hotel, encoder.id, None).await?;
    }
    failure.as_deref().map(Failure::parse).transpose()
}

/// Writes a card.
pub(super) async fn write_card(conn: &mut PgConnection, encoder: EncoderKey, card: &Card) -> Result<()> {
    query!(
        "INSERT INTO simulated_encoders (hotel_id, encoder_id, card) VALUES ($1, $2, $3)
         ON CONFLICT (hotel_id, encoder_id) DO UPDATE SET card = EXCLUDED.card",
        encoder.hotel,
        encoder.id,
        Json(card) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
