//! The SQL of what all processes together have taken. `api_key_id` is the id of the principal, of whatever kind.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, query};
use uuid::Uuid;

use super::ThrottleSettings;
use super::bucket::{Limit, MOST_OWED_MINUTES};
use super::principals::Owed;
use crate::actor::PrincipalKey;
use crate::error::{Error, Result};
use crate::hotels::HotelId;

/// Adds what was taken, after letting flow back what is due, and answers with what is owed by the same principals. In the
/// order of ids, so that replicas that do it at once never wait for each other in a circle.
///
/// A row's instant never runs backwards, unless it lies more than a minute ahead: then the clock of the process that wrote it was
/// wrong.
pub(super) async fn exchange(
    conn: &mut PgConnection,
    settings: &ThrottleSettings,
    taken: &[Owed],
    now: DateTime<Utc>,
) -> Result<Vec<Owed>> {
    let hotels: Vec<HotelId> = taken.iter().map(|owed| owed.hotel).collect();
    let ids: Vec<Uuid> = taken.iter().map(|owed| owed.principal.id).collect();
    let kinds: Vec<&str> = taken.iter().map(|owed| owed.principal.kind).collect();
    let requests: Vec<i64> = taken.iter().map(|owed| signed(owed.requests)).collect();
    let cost: Vec<i64> = taken.iter().map(|owed| signed(owed.cost)).collect();
    let rate = |limit: Option<Limit>| signed(limit.map_or(0, Limit::per_minute));
    let most = |limit: Option<Limit>| signed(limit.map_or(0, Limit::most_owed));
    let rows = query!(
        "INSERT INTO api_key_budgets AS b (hotel_id, api_key_id, principal_kind, requests_owed, cost_owed, as_of)
         SELECT t.hotel_id, t.id, t.kind, least(t.requests, $7), least(t.cost, $9), $5
         FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $11::text[])
              t (hotel_id, id, requests, cost, kind)
         ORDER BY 1, 2
         ON CONFLICT (hotel_id, api_key_id) DO UPDATE
         SET (requests_owed, cost_owed, as_of) = (
             SELECT least(greatest(b.requests_owed - elapsed.us * $6, 0) + excluded.requests_owed, $7),
                    least(greatest(b.cost_owed - elapsed.us * $8, 0) + excluded.cost_owed, $9),
                    CASE WHEN b.as_of > $5 + interval '1 minute' THEN $5 ELSE greatest(b.as_of, $5) END
             FROM (SELECT (least(greatest(extract(epoch FROM $5 - b.as_of), 0), $10::bigint) * 1000000)::bigint AS us) elapsed
         )
         RETURNING hotel_id, api_key_id, requests_owed, cost_owed",
        &hotels[..],
        &ids[..],
        &requests[..],
        &cost[..],
        now,
        rate(settings.requests),
        most(settings.requests),
        rate(settings.cost),
        most(settings.cost),
        // After that nothing is owed any more.
        signed(MOST_OWED_MINUTES * 60),
        &kinds[..] as &[&str],
    )
    .fetch_all(conn)
    .await?;
    let principals: HashMap<Uuid, PrincipalKey> =
        taken.iter().map(|owed| (owed.principal.id, owed.principal)).collect();
    let owed = |parts: i64| u64::try_from(parts).map_err(Error::internal);
    rows.into_iter()
        .filter_map(|row| Some((principals.get(&row.api_key_id)?, row)))
        .map(|(principal, row)| {
            let (requests, cost) = (owed(row.requests_owed)?, owed(row.cost_owed)?);
            Ok(Owed { hotel: row.hotel_id, principal: *principal, requests, cost })
        })
        .collect()
}

/// All amounts are at most [`Limit::most_owed`], which fits.
fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}
