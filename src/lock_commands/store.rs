//! The SQL of commands that are made, replaced and given up.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use sqlx::{PgConnection, query, query_as};
use uuid::Uuid;

use super::{
    Card, CommandKind, CommandOf, CommandStatus, EncoderRef, Failure, Finished, NewCommand, NewUnlock, PATIENCE,
};
use crate::error::Result;
use crate::hotels::HotelId;
use crate::locks::{Reference, split};

/// The encoder with this id or key.
pub(super) async fn encoder(
    conn: &mut PgConnection,
    hotel: HotelId,
    encoder: &Reference,
) -> Result<Option<EncoderRef>> {
    let (ids, keys) = split(std::slice::from_ref(encoder));
    let encoder = query_as!(
        EncoderRef,
        "SELECT id, provider, simulated, integration_id FROM encoders
         WHERE hotel_id = $1 AND (id = ANY ($2) OR encoder_key = ANY ($3))",
        hotel,
        &ids,
        &keys,
    )
    .fetch_optional(conn)
    .await?;
    Ok(encoder)
}

/// Adds a command that is due at once.
pub(super) async fn insert(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    id: Uuid,
    encoder: Uuid,
    new: &NewCommand,
    now: DateTime<Utc>,
) -> Result<()> {
    query!(
        "INSERT INTO lock_commands (hotel_id, id, encoder_id, integration_id, kind, subject_id, card, revision, status,
                                    created_at, expires_at, next_attempt_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'PENDING', $9, $10, $9)",
        hotel,
        id,
        encoder,
        integration,
        CommandKind::EncodeCard.as_str(),
        new.subject_id,
        Json(&new.card) as _,
        new.revision,
        now,
        now + PATIENCE,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Adds a command to a door, of which it is known what came of it.
pub(super) async fn insert_unlock(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    id: Uuid,
    new: &NewUnlock,
    (status, failure): (CommandStatus, Option<Failure>),
    now: DateTime<Utc>,
) -> Result<()> {
    query!(
        "INSERT INTO lock_commands (hotel_id, id, entrance_id, integration_id, kind, subject_id, status, error, created_at,
                                    expires_at, finished_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $9)",
        hotel,
        id,
        new.entrance_id,
        integration,
        CommandKind::UnlockDoor.as_str(),
        new.subject_id,
        status.as_str(),
        failure.map(|failure| failure.traits().name),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Replaces what pending commands write.
pub(super) async fn renew(conn: &mut PgConnection, hotel: HotelId, cards: &[(Uuid, Card, i64)]) -> Result<()> {
    let subjects: Vec<Uuid> = cards.iter().map(|(subject, ..)| *subject).collect();
    let revisions: Vec<i64> = cards.iter().map(|(.., revision)| *revision).collect();
    let cards: Vec<Json<&Card>> = cards.iter().map(|(_, card, _)| Json(card)).collect();
    query!(
        "UPDATE lock_commands c SET card = u.card, revision = u.revision
         FROM unnest($2::uuid[], $3::jsonb[], $4::bigint[]) AS u (subject_id, card, revision)
         WHERE c.hotel_id = $1 AND c.subject_id = u.subject_id AND c.status = 'PENDING'",
        hotel,
        &subjects,
        &cards as _,
        &revisions,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives up pending commands that are not leased, or whose lease has ended.
pub(super) async fn cancel(
    conn: &mut PgConnection,
    hotel: HotelId,
    subjects: &[Uuid],
    now: DateTime<Utc>,
    living: Option<&[i32]>,
) -> Result<Vec<CommandOf>> {
    let cancelled = query_as!(
        CommandOf,
        "UPDATE lock_commands SET status = 'FAILED', error = $5, finished_at = $3, next_attempt_at = NULL,
                leased_until = NULL, lease_holder = NULL
         WHERE hotel_id = $1 AND id IN (
             SELECT id FROM lock_commands
             WHERE hotel_id = $1 AND subject_id = ANY ($2) AND status = 'PENDING'
                   AND (leased_until IS NULL OR leased_until <= $3 OR lease_holder <> ALL ($4))
             ORDER BY id FOR UPDATE
         )
         RETURNING id, subject_id",
        hotel,
        subjects,
        now,
        living as Option<&[i32]>,
        Failure::CredentialDeleted.traits().name,
    )
    .fetch_all(conn)
    .await?;
    Ok(cancelled)
}

/// Those of these commands that have finished.
pub async fn finished(conn: &mut PgConnection, hotel: HotelId, ids: &[Uuid]) -> Result<Vec<Finished>> {
    let finished = query_as!(
        Finished,
        r#"SELECT subject_id, status = 'SUCCEEDED' AS "succeeded!", claimed_revision AS revision FROM lock_commands
           WHERE hotel_id = $1 AND id = ANY ($2) AND status <> 'PENDING'"#,
        hotel,
        ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(finished)
}

/// Keys of entrances that have one.
pub async fn entrance_keys(conn: &mut PgConnection, hotel: HotelId, ids: &[Uuid]) -> Result<Vec<(Uuid, String)>> {
    let rows = query!(
        r#"SELECT id, entrance_key AS "key!" FROM entrances
           WHERE hotel_id = $1 AND id = ANY ($2) AND entrance_key IS NOT NULL"#,
        hotel,
        ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.key)).collect())
}
