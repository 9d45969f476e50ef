//! The SQL of events.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use sqlx::{AssertSqlSafe, PgConnection, query, query_scalar};
use uuid::Uuid;

use super::Change;
use crate::actor::Principal;
use crate::audit::{ActorType, Journal, Reason};
use crate::error::Result;
use crate::hotels::HotelId;
use crate::id::{IdSource, hex};

/// An event as it was written.
#[derive(Clone, Debug)]
pub struct Event {
    /// Place in the hotel's events, from 1.
    pub position: i64,
    /// 32 random bytes.
    pub id: Vec<u8>,
    /// `room_stay.updated` and so on.
    pub event_type: String,
    /// When it happened.
    pub created_at: DateTime<Utc>,
    /// What it happened to.
    pub object_id: Uuid,
    /// What changed; `None` for everything but updates.
    pub updated_fields: Option<Vec<String>>,
    /// `actor.type`.
    pub actor_type: String,
    /// `actor.id`.
    pub actor_id: Option<Uuid>,
}

impl Event {
    /// The id on the wire: 64 lower-case hexadecimal digits.
    pub fn id_text(&self) -> String {
        hex(&self.id)
    }
}

/// A page of the feed.
#[derive(Clone, Debug)]
pub struct FeedPage {
    /// The events, in order.
    pub events: Vec<Event>,
    /// Whether there are more behind them.
    pub more: bool,
    /// The position up to which the feed was read: behind it the next page begins. Without more, that is the hotel's
    /// last event, whether or not it was one of those that were asked for.
    pub read_to: i64,
}

/// What to read of the feed.
#[derive(Clone, Copy, Debug)]
pub struct FeedRequest<'a> {
    /// Read behind this position; `None` begins with the oldest event that is kept.
    pub after: Option<i64>,
    /// Only events of these types.
    pub types: Option<&'a [String]>,
    /// Events on the page, 0 to 100.
    pub size: u8,
}

/// Writes events with the audit trail, and one delivery for each endpoint that subscribed to them. Answers how many
/// deliveries.
///
/// The trail is written before the counter is taken, which others of the hotel then wait for; without events, the counter
/// is left alone.
///
/// Two statements: a statement does not see what is committed after it began, and the first one may have to wait for the
/// counter. Enabling an endpoint takes the counter, too ([`lock_counter`]). So an event either has a delivery for the
/// endpoint, or was committed before that was enabled, and a look at the hotel from then on shows what it tells.
pub(super) async fn insert(
    conn: &mut PgConnection,
    ids: &IdSource,
    hotel: HotelId,
    principal: Principal,
    now: DateTime<Utc>,
    changes: &[Change],
    journal: &Journal,
) -> Result<u64> {
    let trail = Trail::of(journal, ids, now);
    let mut event_ids = vec![vec![0_u8; 32]; changes.len()];
    for id in &mut event_ids {
        ids.fill(id);
    }
    let types: Vec<&str> = changes.iter().map(|change| change.kind.event_type).collect();
    let seam_types: Vec<Option<&str>> = changes.iter().map(Change::seam_type).collect();
    let objects: Vec<Uuid> = changes.iter().map(|change| change.id).collect();
    // unnest flattens arrays of arrays, so the names of fields travel as one text per event.
    let fields_of = |change: &Change| if change.kind.names_fields { change.fields.join(",") } else { String::new() };
    let fields: Vec<String> = changes.iter().map(fields_of).collect();
    let owners: Vec<Option<Uuid>> = changes.iter().map(|change| change.owner).collect();
    let count = i64::try_from(changes.len()).unwrap_or(i64::MAX);
    let before = query_scalar!(
        r#"WITH entry AS (
               INSERT INTO audit_entries (hotel_id, id, created_at, action, object_type, object_id, updated_fields,
                                          related_type, related_id, reason, actor_type, integration_id, api_key_id,
                                          person_id, request_id)
               SELECT $1, a.id, $3, a.action, a.object_type, a.object_id,
                      CASE WHEN a.fields = '' THEN NULL ELSE string_to_array(a.fields, ',') END,
                      a.related_type, a.related_id, a.reason, $11, $10, $12, $23, $13
               FROM unnest($14::uuid[], $15::text[], $16::text[], $17::uuid[], $18::text[], $19::text[], $20::uuid[],
                           $21::text[])
                    a (id, action, object_type, object_id, fields, related_type, related_id, reason)
               RETURNING id
           ), counter AS (
               INSERT INTO event_counters AS c (hotel_id, last_position)
               SELECT $1, $2::bigint FROM (SELECT count(*) FROM entry) written WHERE $2 > 0
               ON CONFLICT (hotel_id) DO UPDATE SET last_position = c.last_position + $2
               RETURNING last_position - $2 AS before
           ), event AS (
               INSERT INTO events (hotel_id, position, created_at, id, type, seam_type, object_id, updated_fields,
                                   actor_type, actor_id, integration_id, traceparent)
               SELECT $1, counter.before + n, $3, e.id, e.type, e.seam_type, e.object_id,
                      CASE WHEN e.fields = '' THEN NULL ELSE string_to_array(e.fields, ',') END, $9,
                      coalesce($10, $23), e.owner, $22
               FROM counter, unnest($4::bytea[], $5::text[], $24::text[], $6::uuid[], $7::text[], $8::uuid[])
                    WITH ORDINALITY e (id, type, seam_type, object_id, fields, owner, n)
           )
           SELECT before AS "before!" FROM counter"#,
        hotel,
        count,
        now,
        &event_ids[..],
        &types[..] as &[&str],
        &objects[..],
        &fields[..],
        &owners[..] as &[Option<Uuid>],
        principal.actor_type(),
        principal.integration_id(),
        ActorType::from(principal).as_str(),
        principal.api_key_id(),
        journal.request_id(),
        &trail.ids[..],
        &trail.actions[..] as &[&str],
        &trail.object_types[..] as &[&str],
        &trail.objects[..],
        &trail.fields[..],
        &trail.related_types[..] as &[Option<&str>],
        &trail.related[..] as &[Option<Uuid>],
        &trail.reasons[..] as &[Option<&str>],
        journal.traceparent().map(ToString::to_string),
        principal.person_id(),
        &seam_types[..] as &[Option<&str>],
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(before) = before else { return Ok(0) };
    let deliveries = query!(
        "INSERT INTO webhook_deliveries (hotel_id, endpoint_id, event_position, created_at, next_attempt_at)
         SELECT $1, w.id, $2 + e.n, $3, $3
         FROM unnest($4::text[], $5::uuid[], $6::uuid[], $7::text[])
              WITH ORDINALITY e (type, object_id, owner, seam_type, n)
         -- For an endpoint that was disabled by itself, too: the workers keep it until that is enabled.
         JOIN webhook_endpoints w ON w.hotel_id = $1 AND (w.status = 'ENABLED' OR w.disabled_at IS NOT NULL)
              -- What happens to an endpoint itself it is told without a subscription.
              AND (e.object_id = w.id OR CASE w.format
                   WHEN 'SEAM' THEN e.seam_type = ANY (w.events) OR e.seam_type IS NOT NULL AND '*' = ANY (w.events)
                   ELSE e.type = ANY (w.events) END)
              AND (e.owner IS NULL OR e.owner = w.integration_id)",
        hotel,
        before,
        now,
        &types[..] as &[&str],
        &objects[..],
        &owners[..] as &[Option<Uuid>],
        &seam_types[..] as &[Option<&str>],
    )
    .execute(conn)
    .await?;
    Ok(deliveries.rows_affected())
}

/// The entries of a journal, by column.
#[derive(Default)]
struct Trail<'a> {
    ids: Vec<Uuid>,
    actions: Vec<&'static str>,
    object_types: Vec<&'static str>,
    objects: Vec<Uuid>,
    fields: Vec<String>,
    related_types: Vec<Option<&'static str>>,
    related: Vec<Option<Uuid>>,
    reasons: Vec<Option<&'a str>>,
}

impl<'a> Trail<'a> {
    fn of(journal: &'a Journal, ids: &IdSource, now: DateTime<Utc>) -> Self {
        let mut trail = Self::default();
        for (entry, reason) in journal.entries() {
            trail.ids.push(ids.uuid(now));
            trail.actions.push(entry.action.as_str());
            trail.object_types.push(entry.object.object_type.as_str());
            trail.objects.push(entry.object.id);
            trail.fields.push(entry.fields.join(","));
            trail.related_types.push(entry.related.map(|related| related.object_type.as_str()));
            trail.related.push(entry.related.map(|related| related.id));
            trail.reasons.push(reason.as_ref().map(Reason::as_str));
        }
        trail
    }
}

/// Waits until no other transaction of the hotel is about to commit events, and makes those wait that are next.
pub(crate) async fn lock_counter(conn: &mut PgConnection, hotel: HotelId) -> Result<()> {
    query!("INSERT INTO event_counters (hotel_id, last_position) VALUES ($1, 0) ON CONFLICT DO NOTHING", hotel)
        .execute(&mut *conn)
        .await?;
    query!("SELECT FROM event_counters WHERE hotel_id = $1 FOR UPDATE", hotel).execute(conn).await?;
    Ok(())
}

/// A page of the feed; `None` when the event behind the given position is not kept any more, or never was.
pub(super) async fn feed(
    conn: &mut PgConnection,
    hotel: HotelId,
    integration: Uuid,
    request: FeedRequest<'_>,
    begins: DateTime<Utc>,
    kept_since: DateTime<Utc>,
) -> Result<Option<FeedPage>> {
    let size = usize::from(request.size);
    let rows = query!(
        r#"SELECT c.last_position AS "last_position!", c.kept AS "kept!", e.position AS "position?", e.id AS "id?",
                  e.type AS "event_type?", e.created_at AS "created_at?", e.object_id AS "object_id?", e.updated_fields,
                  e.actor_type AS "actor_type?", e.actor_id
           FROM (SELECT coalesce(max(k.last_position), 0) AS last_position,
                        $2::bigint IS NULL OR $2 = coalesce(max(k.last_position), 0) OR EXISTS (
                            SELECT FROM events n
                            WHERE n.hotel_id = $1 AND n.position = $2 + 1 AND n.created_at >= $7
                        ) AS kept
                 FROM event_counters k WHERE k.hotel_id = $1) c
           LEFT JOIN LATERAL (
               SELECT v.* FROM events v
               WHERE v.hotel_id = $1 AND v.position > coalesce($2, 0) AND ($2 IS NOT NULL OR v.created_at >= $6)
                     AND (v.integration_id IS NULL OR v.integration_id = $3)
                     AND ($4::text[] IS NULL OR v.type = ANY ($4))
               ORDER BY v.position LIMIT $5
           ) e ON TRUE
           ORDER BY e.position"#,
        hotel,
        request.after,
        integration,
        request.types as Option<&[String]>,
        i64::from(request.size) + 1,
        begins,
        kept_since,
    )
    .fetch_all(conn)
    .await?;
    // The counter makes one row even where there are no events.
    let Some(last) = rows.first().filter(|row| row.kept).map(|row| row.last_position) else { return Ok(None) };
    let mut events: Vec<Event> = rows
        .into_iter()
        .filter_map(|row| {
            Some(Event {
                position: row.position?,
                id: row.id?,
                event_type: row.event_type?,
                created_at: row.created_at?,
                object_id: row.object_id?,
                updated_fields: row.updated_fields,
                actor_type: row.actor_type?,
                actor_id: row.actor_id,
            })
        })
        .collect();
    // One event more than asked for was read: the page ends before it.
    let next = events.get(size).map(|event| event.position);
    let read_to = match (next, size.checked_sub(1).and_then(|index| events.get(index))) {
        (None, _) => last,
        (Some(_), Some(end)) => end.position,
        (Some(next), None) => next - 1,
    };
    events.truncate(size);
    Ok(Some(FeedPage { events, more: next.is_some(), read_to }))
}

/// Names of the partitions of a table, the default one not included.
pub(super) async fn partitions(conn: &mut PgConnection, table: &str) -> Result<Vec<String>> {
    let names = query_scalar!(
        r#"SELECT c.relname::text AS "name!" FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
           WHERE i.inhparent = to_regclass($1) AND c.relname NOT LIKE '%\_default' ORDER BY c.relname"#,
        table,
    )
    .fetch_all(conn)
    .await?;
    Ok(names)
}

/// Lets one process at a time change the partitions, and gives up on a table that is busy.
pub(super) async fn lock_partitions(conn: &mut PgConnection) -> Result<()> {
    query!("SELECT set_config('lock_timeout', '2s', true)").fetch_one(&mut *conn).await?;
    query!("SELECT pg_advisory_xact_lock(hashtext('latchkey partitions'))").execute(conn).await?;
    Ok(())
}

/// Makes the partition of the week from a Monday on, unless rows of its time have already fallen into the default one.
pub(super) async fn create_partition(conn: &mut PgConnection, table: &str, monday: NaiveDate) -> Result<()> {
    let midnight = |date: NaiveDate| date.and_time(NaiveTime::MIN).and_utc();
    let stray = format!("SELECT EXISTS (SELECT FROM {table}_default WHERE created_at >= $1 AND created_at < $2)");
    let stray: bool = sqlx::query_scalar(AssertSqlSafe(stray))
        .bind(midnight(monday))
        .bind(midnight(monday + Days::new(7)))
        .fetch_one(&mut *conn)
        .await?;
    if !stray {
        query!("CALL create_week_partition($1::text::regclass, $2)", table, monday).execute(conn).await?;
    }
    Ok(())
}

/// Drops the partition of a week with everything in it.
pub(super) async fn drop_partition(conn: &mut PgConnection, table: &str, monday: NaiveDate) -> Result<()> {
    query!("CALL drop_week_partition($1::text::regclass, $2)", table, monday).execute(conn).await?;
    Ok(())
}

/// Deletes what has fallen into the default partition and is past its time.
pub(super) async fn delete_expired(conn: &mut PgConnection, table: &str, before: DateTime<Utc>) -> Result<()> {
    let sql = format!("DELETE FROM {table}_default WHERE created_at < $1");
    sqlx::query(AssertSqlSafe(sql)).bind(before).execute(conn).await?;
    Ok(())
}
