//! The SQL of leases. Encoders are locked before commands.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use sqlx::{PgConnection, query, query_as, query_scalar};
use uuid::Uuid;

use super::model::{CommandChange, HeldCommand, HeldEncoder};
use crate::error::Result;
use crate::hotels::HotelId;
use crate::lock_commands::{Card, Claimed, CommandKind, CommandOf, CommandStatus, EncoderKey, Failure};
use crate::queue::{Health, Lease, Waiting};

/// Encoders of an integration that have something to do, are at no card, and are not left alone.
pub(super) async fn waiting_for_bridge(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<Waiting<EncoderKey>>> {
    let rows = query!(
        r#"SELECT e.hotel_id, e.id, e.failures > 0 AS "failing!" FROM encoders e
           WHERE e.hotel_id = $1 AND e.integration_id = $2 AND (e.backoff_until IS NULL OR e.backoff_until <= $3)
                 AND EXISTS (SELECT FROM lock_commands c
                             WHERE c.hotel_id = e.hotel_id AND c.encoder_id = e.id AND c.status = 'PENDING'
                                   AND c.next_attempt_at <= $3 AND c.expires_at > $3)
                 AND NOT EXISTS (SELECT FROM lock_commands c
                                 WHERE c.hotel_id = e.hotel_id AND c.encoder_id = e.id AND c.status = 'PENDING'
                                       AND c.leased_until IS NOT NULL)
           ORDER BY e.id"#,
        hotel,
        integration,
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Waiting { party: EncoderKey { hotel: row.hotel_id, id: row.id }, failing: row.failing })
        .collect())
}

/// Simulated encoders of all hotels that have something to do, are at no card, and are not left alone.
pub(super) async fn waiting_for_simulation(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
) -> Result<Vec<Waiting<EncoderKey>>> {
    let rows = query!(
        r#"SELECT e.hotel_id, e.id, e.failures > 0 AS "failing!" FROM encoders e
           WHERE e.simulated AND (e.backoff_until IS NULL OR e.backoff_until <= $1)
                 AND EXISTS (SELECT FROM lock_commands c
                             WHERE c.hotel_id = e.hotel_id AND c.encoder_id = e.id AND c.status = 'PENDING'
                                   AND c.next_attempt_at <= $1 AND c.expires_at > $1)
                 AND NOT EXISTS (SELECT FROM lock_commands c
                                 WHERE c.hotel_id = e.hotel_id AND c.encoder_id = e.id AND c.status = 'PENDING'
                                       AND c.leased_until IS NOT NULL)"#,
        now,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Waiting { party: EncoderKey { hotel: row.hotel_id, id: row.id }, failing: row.failing })
        .collect())
}

/// Locks encoders until the transaction ends, except those that somebody else has locked.
pub(super) async fn hold_free(conn: &mut PgConnection, encoders: &[EncoderKey]) -> Result<Vec<EncoderKey>> {
    let (hotels, ids) = EncoderKey::columns(encoders);
    let held = query_as!(
        EncoderKey,
        "SELECT hotel_id AS hotel, id FROM encoders
         WHERE (hotel_id, id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))
         ORDER BY hotel_id, id FOR NO KEY UPDATE SKIP LOCKED",
        &hotels,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(held)
}

/// Leases one due command of each of the held encoders, that which has been due for longest, unless the encoder is at a card.
pub(super) async fn claim(
    conn: &mut PgConnection,
    held: &[EncoderKey],
    claims: &[Uuid],
    now: DateTime<Utc>,
    lease: &Lease,
) -> Result<Vec<Claimed>> {
    let (hotels, encoders) = EncoderKey::columns(held);
    let rows = query!(
        r#"WITH picked AS (
               SELECT d.hotel_id, d.id, u.claim_id
               FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS u (hotel_id, encoder_id, claim_id)
               CROSS JOIN LATERAL (
                   SELECT c.hotel_id, c.id FROM lock_commands c
                   WHERE c.hotel_id = u.hotel_id AND c.encoder_id = u.encoder_id AND c.status = 'PENDING'
                         AND c.next_attempt_at <= $4 AND c.expires_at > $4
                         AND NOT EXISTS (SELECT FROM lock_commands l
                                         WHERE l.hotel_id = u.hotel_id AND l.encoder_id = u.encoder_id
                                               AND l.status = 'PENDING' AND l.leased_until IS NOT NULL)
                   ORDER BY c.next_attempt_at, c.id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
               ) d
           ), claimed AS (
               UPDATE lock_commands c
               SET claim_id = p.claim_id, claimed_revision = c.revision, leased_until = $5, lease_holder = $6
               FROM picked p WHERE c.hotel_id = p.hotel_id AND c.id = p.id
               RETURNING c.hotel_id, c.id, c.encoder_id, c.kind, c.subject_id, c.card, c.failed_attempts, c.claim_id
           )
           SELECT c.hotel_id, c.id, c.encoder_id AS "encoder_id!", c.kind, c.subject_id, c.card AS "card!: Json<Card>", c.failed_attempts,
                  c.claim_id AS "claim_id!", e.encoder_key, e.name, e.failures
           FROM claimed c JOIN encoders e ON e.hotel_id = c.hotel_id AND e.id = c.encoder_id"#,
        &hotels,
        &encoders,
        claims,
        now,
        lease.until,
        lease.holder,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(Claimed {
                id: row.id,
                claim_id: row.claim_id,
                kind: CommandKind::parse(&row.kind)?,
                encoder: EncoderKey { hotel: row.hotel_id, id: row.encoder_id },
                encoder_key: row.encoder_key,
                encoder_name: row.name,
                failing: row.failures > 0,
                subject_id: row.subject_id,
                card: row.card.0,
                attempt: row.failed_attempts + 1,
                leased_until: lease.until,
            })
        })
        .collect()
}

/// Gives leases back that nothing came of.
pub(super) async fn release(conn: &mut PgConnection, claimed: &[Arc<Claimed>]) -> Result<()> {
    let (hotels, ids): (Vec<HotelId>, Vec<Uuid>) = claimed.iter().map(|one| (one.encoder.hotel, one.id)).unzip();
    let claims: Vec<Uuid> = claimed.iter().map(|one| one.claim_id).collect();
    query!(
        "UPDATE lock_commands c SET leased_until = NULL, lease_holder = NULL
         FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS u (hotel_id, id, claim_id)
         WHERE c.hotel_id = u.hotel_id AND c.id = u.id AND c.claim_id = u.claim_id",
        &hotels,
        &ids,
        &claims,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Locks the encoder of a command, when it is the integration's, or a simulated one where no integration is given.
pub(super) async fn lock_encoder_of(
    conn: &mut PgConnection,
    hotel: HotelId,
    command: Uuid,
    integration: Option<Uuid>,
) -> Result<Option<HeldEncoder>> {
    let row = query!(
        "SELECT e.id, e.failures, e.backoff_until, e.last_success_at
         FROM lock_commands c JOIN encoders e ON e.hotel_id = c.hotel_id AND e.id = c.encoder_id
         WHERE c.hotel_id = $1 AND c.id = $2 AND (e.integration_id = $3 OR ($3::uuid IS NULL AND e.simulated))
         FOR NO KEY UPDATE OF e",
        hotel,
        command,
        integration,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| {
        let (failures, backoff_until, last_success_at) = (row.failures, row.backoff_until, row.last_success_at);
        HeldEncoder { id: row.id, health: Health { failures, backoff_until, last_success_at } }
    }))
}

/// A row of `lock_commands`, as far as leases go.
struct HeldRow {
    id: Uuid,
    encoder_id: Uuid,
    subject_id: Uuid,
    status: String,
    error: Option<String>,
    failed_attempts: i32,
    expires_at: DateTime<Utc>,
    claim_id: Option<Uuid>,
    leased_until: Option<DateTime<Utc>>,
}

impl TryFrom<HeldRow> for HeldCommand {
    type Error = crate::error::Error;

    fn try_from(row: HeldRow) -> Result<Self> {
        Ok(Self {
            id: row.id,
            encoder_id: row.encoder_id,
            subject_id: row.subject_id,
            status: CommandStatus::parse(&row.status)?,
            error: row.error.as_deref().map(Failure::parse).transpose()?,
            failed_attempts: row.failed_attempts,
            expires_at: row.expires_at,
            claim_id: row.claim_id,
            leased_until: row.leased_until,
        })
    }
}

/// Locks a command until the transaction ends.
pub(super) async fn lock(conn: &mut PgConnection, hotel: HotelId, id: Uuid) -> Result<Option<HeldCommand>> {
    let row = query_as!(
        HeldRow,
        r#"SELECT id, encoder_id AS "encoder_id!", subject_id, status, error, failed_attempts, expires_at, claim_id, leased_until
           FROM lock_commands WHERE hotel_id = $1 AND id = $2 AND encoder_id IS NOT NULL FOR NO KEY UPDATE"#,
        hotel,
        id,
    )
    .fetch_optional(conn)
    .await?;
    row.map(HeldCommand::try_from).transpose()
}

/// Moves locked commands on, and ends their leases.
pub(super) async fn update(conn: &mut PgConnection, hotel: HotelId, changes: &[(Uuid, &CommandChange)]) -> Result<()> {
    let ids: Vec<Uuid> = changes.iter().map(|(id, _)| *id).collect();
    let statuses: Vec<&str> = changes.iter().map(|(_, change)| change.status.as_str()).collect();
    let errors: Vec<Option<&str>> =
        changes.iter().map(|(_, change)| change.error.map(|failure| failure.traits().name)).collect();
    let failed: Vec<i32> = changes.iter().map(|(_, change)| change.failed_attempts).collect();
    let next: Vec<Option<DateTime<Utc>>> = changes.iter().map(|(_, change)| change.next_attempt_at).collect();
    let finished: Vec<Option<DateTime<Utc>>> = changes.iter().map(|(_, change)| change.finished_at).collect();
    query!(
        "UPDATE lock_commands c
         SET status = u.status, error = u.error, failed_attempts = u.failed_attempts, next_attempt_at = u.next_attempt_at,
             finished_at = u.finished_at, leased_until = NULL, lease_holder = NULL
         FROM unnest($2::uuid[], $3::text[], $4::text[], $5::integer[], $6::timestamptz[], $7::timestamptz[])
              AS u (id, status, error, failed_attempts, next_attempt_at, finished_at)
         WHERE c.hotel_id = $1 AND c.id = u.id",
        hotel,
        &ids,
        &statuses[..] as &[&str],
        &errors[..] as &[Option<&str>],
        &failed,
        &next[..] as &[Option<DateTime<Utc>>],
        &finished[..] as &[Option<DateTime<Utc>>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes the health of locked encoders.
pub(super) async fn update_health(conn: &mut PgConnection, hotel: HotelId, healths: &[(Uuid, Health)]) -> Result<()> {
    let ids: Vec<Uuid> = healths.iter().map(|(id, _)| *id).collect();
    let failures: Vec<i32> = healths.iter().map(|(_, health)| health.failures).collect();
    let backoffs: Vec<Option<DateTime<Utc>>> = healths.iter().map(|(_, health)| health.backoff_until).collect();
    let successes: Vec<Option<DateTime<Utc>>> = healths.iter().map(|(_, health)| health.last_success_at).collect();
    query!(
        "UPDATE encoders e
         SET failures = u.failures, backoff_until = u.backoff_until, last_success_at = u.last_success_at
         FROM unnest($2::uuid[], $3::integer[], $4::timestamptz[], $5::timestamptz[])
              AS u (id, failures, backoff_until, last_success_at)
         WHERE e.hotel_id = $1 AND e.id = u.id",
        hotel,
        &ids,
        &failures,
        &backoffs[..] as &[Option<DateTime<Utc>>],
        &successes[..] as &[Option<DateTime<Utc>>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Hotels with commands whose lease has ended without a word, or that nobody waits for any longer.
pub(super) async fn hotels_with_overdue(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    living: Option<&[i32]>,
) -> Result<Vec<HotelId>> {
    let hotels = query_scalar!(
        "SELECT DISTINCT hotel_id FROM lock_commands
         WHERE status = 'PENDING' AND (leased_until <= $1 OR lease_holder <> ALL ($2)
                                       OR (leased_until IS NULL AND expires_at <= $1))",
        now,
        living as Option<&[i32]>,
    )
    .fetch_all(conn)
    .await?;
    Ok(hotels)
}

/// Locks encoders at which a lease has ended without a word, except those that somebody else has locked.
pub(super) async fn lock_silent_encoders(
    conn: &mut PgConnection,
    hotel: HotelId,
    now: DateTime<Utc>,
    living: Option<&[i32]>,
    limit: i64,
) -> Result<Vec<HeldEncoder>> {
    let rows = query!(
        "SELECT id, failures, backoff_until, last_success_at FROM encoders
         WHERE hotel_id = $1 AND id IN (
             SELECT encoder_id FROM lock_commands
             WHERE hotel_id = $1 AND status = 'PENDING' AND (leased_until <= $2 OR lease_holder <> ALL ($3))
         )
         ORDER BY id LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED",
        hotel,
        now,
        living as Option<&[i32]>,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let (failures, backoff_until, last_success_at) = (row.failures, row.backoff_until, row.last_success_at);
            HeldEncoder { id: row.id, health: Health { failures, backoff_until, last_success_at } }
        })
        .collect())
}

/// Locks the commands of locked encoders whose lease has ended without a word, except those that somebody else has locked.
pub(super) async fn lock_silent(
    conn: &mut PgConnection,
    hotel: HotelId,
    encoders: &[Uuid],
    now: DateTime<Utc>,
    living: Option<&[i32]>,
) -> Result<Vec<HeldCommand>> {
    let rows = query_as!(
        HeldRow,
        r#"SELECT id, encoder_id AS "encoder_id!", subject_id, status, error, failed_attempts, expires_at, claim_id, leased_until
           FROM lock_commands
           WHERE hotel_id = $1 AND encoder_id = ANY ($2) AND status = 'PENDING'
                 AND (leased_until <= $3 OR lease_holder <> ALL ($4))
           ORDER BY id FOR NO KEY UPDATE SKIP LOCKED"#,
        hotel,
        encoders,
        now,
        living as Option<&[i32]>,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(HeldCommand::try_from).collect()
}

/// Gives up commands that nobody is doing and nobody waits for any longer, except those that somebody else has locked. Each with
/// whether anybody ever claimed it.
pub(super) async fn expire(
    conn: &mut PgConnection,
    hotel: HotelId,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<(CommandOf, Failure)>> {
    let rows = query!(
        "UPDATE lock_commands SET status = 'FAILED', finished_at = $2, next_attempt_at = NULL,
                error = CASE WHEN claim_id IS NULL THEN $4 ELSE $5 END
         WHERE hotel_id = $1 AND id IN (
             SELECT id FROM lock_commands
             WHERE hotel_id = $1 AND status = 'PENDING' AND leased_until IS NULL AND expires_at <= $2
             ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED
         )
         RETURNING id, subject_id, claim_id",
        hotel,
        now,
        limit,
        Failure::EncoderNotOnline.traits().name,
        Failure::ActionAttemptExpired.traits().name,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let was_claimed = row.claim_id.is_some();
            let failure = if was_claimed { Failure::ActionAttemptExpired } else { Failure::EncoderNotOnline };
            (CommandOf { id: row.id, subject_id: row.subject_id }, failure)
        })
        .collect())
}

/// Deletes some of the commands that had finished by an instant, of all hotels.
pub(super) async fn delete_finished(conn: &mut PgConnection, until: DateTime<Utc>, limit: i64) -> Result<u64> {
    let done = query!(
        "DELETE FROM lock_commands WHERE (hotel_id, id) IN (
             SELECT old.hotel_id, old.id FROM hotels h CROSS JOIN LATERAL (
                 SELECT c.hotel_id, c.id FROM lock_commands c WHERE c.hotel_id = h.id AND c.finished_at <= $1
                 ORDER BY c.finished_at LIMIT $2 FOR UPDATE SKIP LOCKED
             ) old LIMIT $2
         )",
        until,
        limit,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}
