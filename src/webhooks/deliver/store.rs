//! The SQL of the delivery workers. Endpoints are locked before deliveries, in the order of their ids.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, query, query_as};
use uuid::Uuid;

use super::model::{Claimed, DeliveryChange, Ended, EndpointChange, EndpointHealth};
use crate::error::Result;
use crate::events::{Event, seam};
use crate::queue::{Health, Lease, Waiting};
use crate::telemetry::traces::Traceparent;
use crate::webhooks::body::Message;
use crate::webhooks::model::{EndpointKey, EndpointStatus, Failure, Format};

/// Deliveries that are due at endpoints that work, or at those whose last attempt failed.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    /// Which of the two.
    pub failing: bool,
    /// How many endpoints they are for.
    pub endpoints: i64,
    /// Since when the oldest of them is due.
    pub since: DateTime<Utc>,
}

/// Every enabled endpoint that has deliveries to be sent now.
///
/// Hops through the index from endpoint to endpoint, and looks for each at what has been due for longest: its cost depends on
/// how many are on their way to an endpoint, and not on how much waits for it.
///
/// What was leased by a process that is not among the `living` is waiting, too.
pub async fn waiting(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    living: Option<&[i32]>,
) -> Result<Vec<Waiting<EndpointKey>>> {
    let rows = query!(
        r#"WITH RECURSIVE pending AS (
               (SELECT hotel_id, endpoint_id FROM webhook_deliveries WHERE status = 'PENDING'
                ORDER BY hotel_id, endpoint_id LIMIT 1)
               UNION ALL
               SELECT n.hotel_id, n.endpoint_id FROM pending p CROSS JOIN LATERAL (
                   SELECT d.hotel_id, d.endpoint_id FROM webhook_deliveries d
                   WHERE d.status = 'PENDING' AND (d.hotel_id, d.endpoint_id) > (p.hotel_id, p.endpoint_id)
                   ORDER BY d.hotel_id, d.endpoint_id LIMIT 1
               ) n
           )
           SELECT p.hotel_id AS "hotel_id!", p.endpoint_id AS "endpoint_id!", w.failures > 0 AS "failing!"
           FROM pending p JOIN webhook_endpoints w ON w.hotel_id = p.hotel_id AND w.id = p.endpoint_id
           WHERE w.status = 'ENABLED' AND (w.backoff_until IS NULL OR w.backoff_until <= $1)
                 AND EXISTS (SELECT FROM webhook_deliveries d
                             WHERE d.hotel_id = p.hotel_id AND d.endpoint_id = p.endpoint_id AND d.status = 'PENDING'
                                   AND d.next_attempt_at <= $1
                                   AND (d.leased_until IS NULL OR d.leased_until <= $1 OR d.leased_by <> ALL ($2)))"#,
        now,
        living as Option<&[i32]>,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Waiting { party: EndpointKey { hotel: row.hotel_id, id: row.endpoint_id }, failing: row.failing })
        .collect())
}

/// What is due at enabled endpoints: how many of them there are, and since when the oldest delivery is, for those that work and
/// for those that fail. Hops through the index as [`waiting`] does.
pub async fn due(conn: &mut PgConnection, now: DateTime<Utc>, living: Option<&[i32]>) -> Result<Vec<Due>> {
    let due = query_as!(
        Due,
        r#"WITH RECURSIVE pending AS (
               (SELECT hotel_id, endpoint_id FROM webhook_deliveries WHERE status = 'PENDING'
                ORDER BY hotel_id, endpoint_id LIMIT 1)
               UNION ALL
               SELECT n.hotel_id, n.endpoint_id FROM pending p CROSS JOIN LATERAL (
                   SELECT d.hotel_id, d.endpoint_id FROM webhook_deliveries d
                   WHERE d.status = 'PENDING' AND (d.hotel_id, d.endpoint_id) > (p.hotel_id, p.endpoint_id)
                   ORDER BY d.hotel_id, d.endpoint_id LIMIT 1
               ) n
           )
           SELECT w.failures > 0 AS "failing!", count(*) AS "endpoints!", min(oldest.next_attempt_at) AS "since!"
           FROM pending p JOIN webhook_endpoints w ON w.hotel_id = p.hotel_id AND w.id = p.endpoint_id
           CROSS JOIN LATERAL (
               SELECT d.next_attempt_at FROM webhook_deliveries d
               WHERE d.hotel_id = p.hotel_id AND d.endpoint_id = p.endpoint_id AND d.status = 'PENDING'
                     AND d.next_attempt_at <= $1
                     AND (d.leased_until IS NULL OR d.leased_until <= $1 OR d.leased_by <> ALL ($2))
               ORDER BY d.next_attempt_at LIMIT 1
           ) oldest
           WHERE w.status = 'ENABLED' GROUP BY w.failures > 0"#,
        now,
        living as Option<&[i32]>,
    )
    .fetch_all(conn)
    .await?;
    Ok(due)
}

/// Takes up to so many due deliveries of each endpoint, those first that have been due for longest.
pub async fn claim(
    conn: &mut PgConnection,
    allotted: &[(EndpointKey, u16)],
    now: DateTime<Utc>,
    lease: &Lease,
) -> Result<Vec<Claimed>> {
    let endpoints: Vec<EndpointKey> = allotted.iter().map(|(endpoint, _)| *endpoint).collect();
    let (hotels, ids) = EndpointKey::columns(&endpoints);
    let counts: Vec<i64> = allotted.iter().map(|(_, count)| i64::from(*count)).collect();
    let rows = query!(
        r#"WITH picked AS (
               SELECT d.* FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS e (hotel_id, endpoint_id, allotted)
               CROSS JOIN LATERAL (
                   SELECT p.hotel_id, p.endpoint_id, p.event_position, p.created_at FROM webhook_deliveries p
                   WHERE p.hotel_id = e.hotel_id AND p.endpoint_id = e.endpoint_id AND p.status = 'PENDING'
                         AND p.next_attempt_at <= $4
                         AND (p.leased_until IS NULL OR p.leased_until <= $4 OR p.leased_by <> ALL ($7))
                   ORDER BY p.next_attempt_at, p.event_position LIMIT e.allotted FOR UPDATE SKIP LOCKED
               ) d
           ), claimed AS (
               UPDATE webhook_deliveries d
               SET attempts = d.attempts + 1, run_began_at = coalesce(d.run_began_at, $4), leased_until = $5,
                   leased_by = $6
               FROM picked p
               WHERE d.hotel_id = p.hotel_id AND d.endpoint_id = p.endpoint_id AND d.event_position = p.event_position
                     AND d.created_at = p.created_at
               RETURNING d.hotel_id, d.endpoint_id, d.event_position, d.created_at, d.attempts, d.failed_attempts,
                         d.run_began_at
           )
           SELECT c.hotel_id, c.endpoint_id, c.event_position, c.created_at, c.attempts, c.failed_attempts,
                  c.run_began_at AS "run_began_at!", v.id AS event_id, v.type AS event_type, v.seam_type,
                  v.actor_type, v.actor_id, v.object_id, v.updated_fields, v.traceparent, m.grant_id AS "grant_id?",
                  w.url, w.format, w.secret, w.failures,
                  CASE WHEN w.previous_secret_until > $4 THEN w.previous_secret END AS previous_secret
           FROM claimed c
           JOIN webhook_endpoints w ON w.hotel_id = c.hotel_id AND w.id = c.endpoint_id
           JOIN events v ON v.hotel_id = c.hotel_id AND v.position = c.event_position AND v.created_at = c.created_at
           -- The grant of a method never changes.
           LEFT JOIN access_methods m ON w.format = 'SEAM' AND m.hotel_id = v.hotel_id AND m.id = v.object_id"#,
        &hotels[..],
        &ids[..],
        &counts[..],
        now,
        lease.until,
        lease.holder,
        lease.living.as_deref() as Option<&[i32]>,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let message = match Format::parse(&row.format)? {
                Format::Latchkey => {
                    let event = Event {
                        position: row.event_position,
                        id: row.event_id,
                        event_type: row.event_type,
                        created_at: row.created_at,
                        object_id: row.object_id,
                        updated_fields: row.updated_fields,
                        actor_type: row.actor_type,
                        actor_id: row.actor_id,
                    };
                    Message::of_latchkey(row.endpoint_id, event)
                }
                Format::Seam => {
                    let event = seam::Row {
                        hotel: row.hotel_id,
                        position: row.event_position,
                        id: row.event_id,
                        seam_type: row.seam_type,
                        event_type: row.event_type,
                        created_at: row.created_at,
                        object_id: row.object_id,
                        grant_id: row.grant_id,
                    };
                    Message::of_seam(event.into())
                }
            };
            Ok(Claimed {
                endpoint: EndpointKey { hotel: row.hotel_id, id: row.endpoint_id },
                position: row.event_position,
                created_at: row.created_at,
                attempt: row.attempts,
                failed_attempts: row.failed_attempts,
                run_began_at: row.run_began_at,
                leased_until: lease.until,
                failing: row.failures > 0,
                traceparent: row.traceparent.as_deref().and_then(Traceparent::parse),
                url: row.url,
                sealed_secret: row.secret,
                sealed_previous: row.previous_secret,
                message,
            })
        })
        .collect()
}

/// Gives leases back that nothing came of.
pub async fn release(conn: &mut PgConnection, claimed: &[Arc<Claimed>]) -> Result<()> {
    let keys = Keys::of(claimed.iter().map(|claimed| &**claimed));
    query!(
        "UPDATE webhook_deliveries d SET leased_until = NULL, leased_by = NULL
         FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::integer[])
              AS u (hotel_id, endpoint_id, event_position, created_at, leased_until, attempts)
         WHERE d.hotel_id = u.hotel_id AND d.endpoint_id = u.endpoint_id AND d.event_position = u.event_position
               AND d.created_at = u.created_at AND d.leased_until = u.leased_until AND d.attempts = u.attempts",
        &keys.hotels[..],
        &keys.endpoints[..],
        &keys.positions[..],
        &keys.created[..],
        &keys.leases[..],
        &keys.attempts[..],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads the health of endpoints, and locks them until the transaction ends. Leaves those out that somebody else has locked: one
/// locked endpoint must not keep the outcomes of others from being recorded.
pub async fn lock_health(conn: &mut PgConnection, endpoints: &[EndpointKey]) -> Result<Vec<EndpointHealth>> {
    let (hotels, ids) = EndpointKey::columns(endpoints);
    let rows = query!(
        "SELECT hotel_id, id, url, status, failures, backoff_until, last_success_at FROM webhook_endpoints
         WHERE (hotel_id, id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))
         ORDER BY hotel_id, id FOR NO KEY UPDATE SKIP LOCKED",
        &hotels[..],
        &ids[..],
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let (failures, backoff_until, last_success_at) = (row.failures, row.backoff_until, row.last_success_at);
            Ok(EndpointHealth {
                endpoint: EndpointKey { hotel: row.hotel_id, id: row.id },
                url: row.url,
                status: EndpointStatus::parse(&row.status)?,
                health: Health { failures, backoff_until, last_success_at },
            })
        })
        .collect()
}

/// Those of the endpoints that there still are.
pub async fn existing(conn: &mut PgConnection, endpoints: &[EndpointKey]) -> Result<Vec<EndpointKey>> {
    let (hotels, ids) = EndpointKey::columns(endpoints);
    let rows = query!(
        "SELECT hotel_id, id FROM webhook_endpoints WHERE (hotel_id, id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))",
        &hotels[..],
        &ids[..],
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| EndpointKey { hotel: row.hotel_id, id: row.id }).collect())
}

/// Writes what came of attempts into the delivery log.
pub async fn insert_attempts(conn: &mut PgConnection, attempts: &[&Ended]) -> Result<()> {
    let keys = Keys::of(attempts.iter().map(|ended| &*ended.job));
    let numbers: Vec<i32> = attempts.iter().map(|ended| ended.job.attempt).collect();
    let began: Vec<DateTime<Utc>> = attempts.iter().map(|ended| ended.outcome.began_at).collect();
    let durations: Vec<i32> = attempts.iter().map(|ended| ended.outcome.duration_ms).collect();
    let statuses: Vec<Option<i16>> = attempts
        .iter()
        .map(|ended| ended.outcome.answer.status.and_then(|status| i16::try_from(status).ok()))
        .collect();
    let failures: Vec<Option<&str>> =
        attempts.iter().map(|ended| ended.outcome.answer.failure.map(Failure::as_str)).collect();
    let answers: Vec<&str> = attempts.iter().map(|ended| ended.outcome.answer.start.as_str()).collect();
    query!(
        "INSERT INTO webhook_attempts (hotel_id, endpoint_id, event_position, attempt, created_at, duration_ms,
                                       status_code, failure, answer)
         SELECT u.hotel_id, u.endpoint_id, u.event_position, u.attempt, u.created_at, u.duration_ms, u.status_code,
                u.failure, nullif(u.answer, '')
         FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::integer[], $5::timestamptz[], $6::integer[],
                     $7::smallint[], $8::text[], $9::text[])
              AS u (hotel_id, endpoint_id, event_position, attempt, created_at, duration_ms, status_code, failure, answer)
         ON CONFLICT DO NOTHING",
        &keys.hotels[..],
        &keys.endpoints[..],
        &keys.positions[..],
        &numbers[..],
        &began[..],
        &durations[..],
        &statuses[..] as &[Option<i16>],
        &failures[..] as &[Option<&str>],
        &answers[..] as &[&str],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Moves deliveries on, as far as nobody has claimed them since.
pub async fn update_deliveries(conn: &mut PgConnection, changes: &[(&Claimed, DeliveryChange)]) -> Result<()> {
    let keys = Keys::of(changes.iter().map(|(claimed, _)| *claimed));
    let statuses: Vec<&str> = changes.iter().map(|(_, change)| change.status.as_str()).collect();
    let failed: Vec<i32> = changes.iter().map(|(_, change)| change.failed_attempts).collect();
    let next: Vec<Option<DateTime<Utc>>> = changes.iter().map(|(_, change)| change.next_attempt_at).collect();
    let finished: Vec<Option<DateTime<Utc>>> = changes.iter().map(|(_, change)| change.finished_at).collect();
    query!(
        "UPDATE webhook_deliveries d
         SET status = u.status, failed_attempts = u.failed_attempts, next_attempt_at = u.next_attempt_at,
             finished_at = u.finished_at, leased_until = NULL, leased_by = NULL
         FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::text[],
                     $7::integer[], $8::timestamptz[], $9::timestamptz[], $10::integer[])
              AS u (hotel_id, endpoint_id, event_position, created_at, leased_until, status, failed_attempts,
                    next_attempt_at, finished_at, attempts)
         WHERE d.hotel_id = u.hotel_id AND d.endpoint_id = u.endpoint_id AND d.event_position = u.event_position
               AND d.created_at = u.created_at AND d.leased_until = u.leased_until AND d.attempts = u.attempts",
        &keys.hotels[..],
        &keys.endpoints[..],
        &keys.positions[..],
        &keys.created[..],
        &keys.leases[..],
        &statuses[..] as &[&str],
        &failed[..],
        &next[..] as &[Option<DateTime<Utc>>],
        &finished[..] as &[Option<DateTime<Utc>>],
        &keys.attempts[..],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes the health of endpoints, and disables those that have a reason for it.
pub async fn update_health(
    conn: &mut PgConnection,
    changes: &[(EndpointKey, EndpointChange)],
    now: DateTime<Utc>,
) -> Result<()> {
    let endpoints: Vec<EndpointKey> = changes.iter().map(|(endpoint, _)| *endpoint).collect();
    let (hotels, ids) = EndpointKey::columns(&endpoints);
    let failures: Vec<i32> = changes.iter().map(|(_, change)| change.health.failures).collect();
    let backoffs: Vec<Option<DateTime<Utc>>> = changes.iter().map(|(_, change)| change.health.backoff_until).collect();
    let successes: Vec<Option<DateTime<Utc>>> =
        changes.iter().map(|(_, change)| change.health.last_success_at).collect();
    let reasons: Vec<Option<&str>> = changes.iter().map(|(_, change)| change.disabled_reason.as_deref()).collect();
    query!(
        "UPDATE webhook_endpoints w
         SET failures = u.failures, backoff_until = u.backoff_until, last_success_at = u.last_success_at,
             status = CASE WHEN u.reason IS NULL THEN w.status ELSE 'DISABLED' END,
             disabled_reason = coalesce(u.reason, w.disabled_reason),
             disabled_at = CASE WHEN u.reason IS NULL THEN w.disabled_at ELSE $7 END,
             updated_at = CASE WHEN u.reason IS NULL THEN w.updated_at ELSE $7 END
         FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::timestamptz[], $5::timestamptz[], $6::text[])
              AS u (hotel_id, id, failures, backoff_until, last_success_at, reason)
         WHERE w.hotel_id = u.hotel_id AND w.id = u.id",
        &hotels[..],
        &ids[..],
        &failures[..],
        &backoffs[..] as &[Option<DateTime<Utc>>],
        &successes[..] as &[Option<DateTime<Utc>>],
        &reasons[..] as &[Option<&str>],
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Primary keys and leases of deliveries, column by column. The number of the attempt tells one claim from the next, as clocks may not.
struct Keys {
    hotels: Vec<Uuid>,
    endpoints: Vec<Uuid>,
    positions: Vec<i64>,
    created: Vec<DateTime<Utc>>,
    leases: Vec<DateTime<Utc>>,
    attempts: Vec<i32>,
}

impl Keys {
    fn of<'a>(claimed: impl Iterator<Item = &'a Claimed> + Clone) -> Self {
        Self {
            hotels: claimed.clone().map(|one| one.endpoint.hotel).collect(),
            endpoints: claimed.clone().map(|one| one.endpoint.id).collect(),
            positions: claimed.clone().map(|one| one.position).collect(),
            created: claimed.clone().map(|one| one.created_at).collect(),
            leases: claimed.clone().map(|one| one.leased_until).collect(),
            attempts: claimed.map(|one| one.attempt).collect(),
        }
    }
}
