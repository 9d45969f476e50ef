//! The weekly partitions of what only grows: made ahead, dropped when everything in them is older than the retention.

use std::time::Duration;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use sqlx::{Acquire, PgConnection};

use super::store;
use crate::audit;
use crate::context::Context;
use crate::db::{WORKER_PATIENCE, answered_within};
use crate::error::Result;
use crate::periodic;
use crate::telemetry::error_of_retry;

/// How long events and deliveries are kept.
pub const RETENTION: TimeDelta = TimeDelta::days(30);
/// Who has begun to read the oldest events has so much longer to read on; the rows themselves stay for twice that,
/// because within a few seconds the order of positions is not that of `created_at`.
pub(super) const GRACE: TimeDelta = TimeDelta::days(1);
/// Weeks that have a partition before they begin.
const WEEKS_AHEAD: u64 = 2;
/// Tables that are partitioned by the week of `created_at`, and how long their rows are kept.
const TABLES: [(&str, TimeDelta); 4] = [
    ("events", RETENTION),
    ("webhook_deliveries", RETENTION),
    ("webhook_attempts", RETENTION),
    ("audit_entries", audit::RETENTION),
];
/// How often partitions are looked after. Far more often than needed, so that a table that is busy is soon tried again.
const EVERY: Duration = Duration::from_hours(1);

/// Looks after the partitions at once and then every hour, until `shutdown` ends.
pub async fn run_maintenance(context: Context, shutdown: impl Future<Output = ()>) {
    let maintain = || async {
        if let Err(error) = maintain_now(&context).await {
            error_of_retry(&error, "partitions were not maintained");
        }
    };
    periodic::repeat(EVERY, shutdown, maintain).await;
}

async fn maintain_now(context: &Context) -> Result<()> {
    let mut conn = context.worker_pool.acquire().await?;
    answered_within(WORKER_PATIENCE, maintain(&mut conn, context.clock.now())).await
}

/// Makes the partitions of this week and the next ones, and drops those in which everything is past its time. Safe to
/// run from several processes at once. Gives up on a table that is busy: the next run will do it.
///
/// # Errors
/// `UNAVAILABLE` when a table was busy
pub async fn maintain(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<()> {
    for (table, retention) in TABLES {
        make_ahead(conn, table, now).await?;
        drop_expired(conn, table, now - retention - GRACE - GRACE).await?;
    }
    Ok(())
}

/// Makes the partitions of this week and the next ones, and drops none: for commands, whose clock may be wrong.
///
/// # Errors
/// `UNAVAILABLE` when a table was busy
pub async fn make_partitions(conn: &mut PgConnection, now: DateTime<Utc>) -> Result<()> {
    for (table, _) in TABLES {
        make_ahead(conn, table, now).await?;
    }
    Ok(())
}

async fn make_ahead(conn: &mut PgConnection, table: &str, now: DateTime<Utc>) -> Result<()> {
    let today = now.date_naive();
    let this_week = today - Days::new(today.weekday().num_days_from_monday().into());
    let mut tx = conn.begin().await?;
    store::lock_partitions(&mut tx).await?;
    let present = store::partitions(&mut tx, table).await?;
    for week in 0..=WEEKS_AHEAD {
        let from = this_week + Days::new(7 * week);
        if !present.contains(&partition_name(table, from)) {
            store::create_partition(&mut tx, table, from).await?;
        }
    }
    Ok(tx.commit().await?)
}

async fn drop_expired(conn: &mut PgConnection, table: &str, expired: DateTime<Utc>) -> Result<()> {
    let mut tx = conn.begin().await?;
    store::lock_partitions(&mut tx).await?;
    for name in store::partitions(&mut tx, table).await? {
        let Some(monday) = week_of(table, &name) else { continue };
        if (monday + Days::new(7)).and_time(NaiveTime::MIN).and_utc() <= expired {
            store::drop_partition(&mut tx, table, monday).await?;
        }
    }
    tx.commit().await?;
    // What has fallen into the default partition. On its own: if it takes too long, the partitions are there all the same.
    store::delete_expired(conn, table, expired).await
}

fn partition_name(table: &str, monday: NaiveDate) -> String {
    format!("{table}_w{}", monday.format("%Y%m%d"))
}

fn week_of(table: &str, partition: &str) -> Option<NaiveDate> {
    let date = partition.strip_prefix(table)?.strip_prefix("_w")?;
    NaiveDate::parse_from_str(date, "%Y%m%d").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_partition_tells_its_week() {
        let monday = NaiveDate::from_ymd_opt(2026, 11, 23).expect("a date");
        assert_eq!(partition_name("events", monday), "events_w20261123");
        assert_eq!(week_of("events", "events_w20261123"), Some(monday));
        assert_eq!(week_of("events", "events_default"), None);
    }
}
