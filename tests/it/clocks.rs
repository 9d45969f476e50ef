//! Clocks that are wrong, and commands that must not change or drop anything by them.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use latchkey::clock::Clock;
use latchkey::db::embedded::{Durability, Embedded};
use rustix::process::Signal;
use sqlx::{AssertSqlSafe, PgPool};

use crate::support::{DataDir, House, LATCHKEY, TestDb, fingerprint};

const CREATE: [&str; 7] = ["hotel", "create", "grand-hotel", "--name", "Grand Hotel", "--time-zone", "Europe/Berlin"];

/// Names of all partitions.
async fn partitions(pool: &PgPool) -> BTreeSet<String> {
    let partitions = sqlx::query_scalar("SELECT relname::text FROM pg_class WHERE relispartition AND relkind = 'r'");
    partitions.fetch_all(pool).await.expect("the catalogue can be read").into_iter().collect()
}

async fn count(pool: &PgPool, what: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {what}"))).fetch_one(pool).await.expect("a count")
}

#[tokio::test]
async fn g13_no_command_drops_anything_by_a_clock_that_is_years_ahead() {
    let data = DataDir::new();
    let at = |args: &[&str], instant: &str| data.run(&[args, &["--clock", instant]].concat());
    assert!(at(&CREATE, "2026-01-30T09:00:00Z").status.success());
    let embedded = Embedded::start(&data.cluster(), Durability::Durable, Path::new(LATCHKEY)).await;
    let embedded = embedded.unwrap_or_else(|error| panic!("{error}"));
    let pool = PgPool::connect_with(embedded.connect_options("latchkey")).await.expect("connected");
    let before = partitions(&pool).await;
    let trail = count(&pool, "audit_entries").await;
    assert!(before.contains("events_w20260126") && trail > 0);
    for command in [
        &["migrate"][..],
        &["hotel", "list"],
        &["webhook", "list", "grand-hotel"],
        &["api-key", "list", "grand-hotel"],
        &["api-key", "create", "grand-hotel", "--integration", "Locks", "--permission", "WRITE"],
        &["integration", "list", "grand-hotel"],
        &["audit", "grand-hotel"],
        &["rotate-secrets"],
        &["rotate-secrets", "--check"],
        &["prune", "--dry-run"],
    ] {
        let output = at(command, "2031-05-01T00:00:00Z");
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(partitions(&pool).await.is_superset(&before));
    assert_eq!(count(&pool, "audit_entries").await, trail + 2, "and the key that was made is in the trail");
}

#[tokio::test]
async fn g13_a_dry_run_writes_nothing_at_all() {
    // The clock of the house stands in January, so everything is due.
    let house = House::new().await;
    let stay = house.stay("R1").await;
    house.locks.add(&stay, &house.locks.pin("1").await).await;
    house.locks.pin("2").await;
    let db = &house.test.db;
    let data = DataDir::with_database(db);
    // What the application of the test sealed is sealed with other keys.
    sqlx::query("UPDATE room_access_keys SET secret = ''").execute(&db.pool).await.expect("emptied");
    let (before, schema) = (fingerprint(&db.pool).await, partitions(&db.pool).await);
    assert_eq!(data.list(&["prune", "--dry-run"]).len(), 2);
    let check = data.run(&["rotate-secrets", "--check"]);
    assert!(String::from_utf8_lossy(&check.stdout).contains("unopened"));
    let bookings = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/samples/bookings.csv");
    let told = data.print(&["import", "grand-hotel", bookings, "--create-rooms", "--dry-run"]);
    assert!(told.contains("this was a dry run"), "{told}");
    assert_eq!((fingerprint(&db.pool).await, partitions(&db.pool).await), (before.clone(), schema));
    data.print(&["prune", "--accept-clock"]);
    assert_ne!(fingerprint(&db.pool).await, before, "the test can fail");
}

#[tokio::test]
async fn a_dry_run_makes_neither_a_database_nor_a_schema() {
    let data = DataDir::new();
    let refused = data.run(&["prune", "--dry-run"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("there is no database in"));
    assert_eq!(std::fs::read_dir(data.path()).expect("the folder").count(), 0);

    let db = TestDb::empty().await;
    let data = DataDir::with_database(&db);
    let refused = data.run(&["prune", "--dry-run"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("run `latchkey migrate` first"));
    assert_eq!((refused.status.code(), count(&db.pool, "pg_tables WHERE schemaname = 'public'").await), (Some(1), 0));
}

/// The end of a start that is refused, in one line.
fn refused(data: &DataDir, args: &[&str], code: i32) -> String {
    let output = data.run(args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((said.lines().count(), output.status.code()), (1, Some(code)), "{said}");
    said
}

#[tokio::test]
async fn g30_a_clock_that_does_not_fit_the_data_is_refused_unless_it_is_accepted() {
    let data = DataDir::new();
    data.print(&[&CREATE[..], &["--clock", "2026-01-30T09:00:00Z"]].concat());
    let embedded = Embedded::start(&data.cluster(), Durability::Durable, Path::new(LATCHKEY)).await;
    let _embedded = embedded.unwrap_or_else(|error| panic!("{error}"));
    for (instant, says) in [
        ("2026-01-31T12:00:00Z", " hours ahead of what was last written to this database (2026-01-30T09:00:"),
        ("2026-07-01T00:00:00Z", " days ahead of what was last written"),
        (
            "2026-01-29T08:00:00Z",
            "shows 2026-01-29T08:00:00Z, 25 hours behind what was last written to this database (2026-01-30T09:00:",
        ),
    ] {
        for command in ["serve", "prune"] {
            let said = refused(&data, &[command, "--clock", instant], 2);
            assert!(said.starts_with("latchkey: LATCHKEY_CLOCK (--clock) ") && said.contains(says), "{said}");
            assert!(said.contains("LATCHKEY_ACCEPT_CLOCK (--accept-clock)"), "{said}");
        }
        assert!(data.print(&["hotel", "list", "--clock", instant]).contains("grand-hotel"));
    }
    data.serve_with(&["--clock", "2026-01-31T08:00:00Z"]).end(Signal::TERM);
    data.serve_with(&["--clock", "2026-07-01T00:00:00Z", "--accept-clock"]).end(Signal::TERM);
    assert!(refused(&data, &["serve", "--accept-clock=perhaps"], 2).contains("is neither true nor false"));
}

/// Moves everything that was written to an instant.
async fn written_at(db: &TestDb, instant: DateTime<Utc>) {
    for table in ["hotels", "audit_entries"] {
        let statement = format!("UPDATE {table} SET created_at = '{}'", instant.to_rfc3339());
        sqlx::query(AssertSqlSafe(statement)).execute(&db.pool).await.expect("moved");
    }
}

#[tokio::test]
async fn g30_a_server_that_was_off_for_weeks_starts_and_one_whose_machine_is_behind_does_not() {
    let db = TestDb::new().await;
    let data = DataDir::with_database(&db);
    data.print(&CREATE);
    let now = Clock::system().now();
    written_at(&db, now - TimeDelta::weeks(6)).await;
    data.serve().end(Signal::TERM);
    written_at(&db, now + TimeDelta::days(3)).await;
    let said = refused(&data, &["serve"], 1);
    assert!(said.contains("the machine's clock shows ") && said.contains("days behind what"), "{said}");
    let mut accepted = data.command(&["hotel", "list"]);
    assert!(accepted.status().expect("runs").success(), "others read as before");
    data.serve_with(&["--accept-clock=true"]).end(Signal::TERM);
}

#[tokio::test]
async fn every_kind_of_write_tells_what_the_time_was() {
    use latchkey::last_write::{ClockSource, check_clock};
    let house = House::new().await;
    let far = async |house: &House| check_clock(&house.test, ClockSource::Set).await.expect("asked");
    assert_eq!(far(&house).await, None);
    for step in 0..3 {
        house.test.advance(TimeDelta::days(2));
        assert!(far(&house).await.is_some_and(|wrong| wrong.now - wrong.newest == TimeDelta::days(2)), "{step}");
        match step {
            0 => drop(house.stay("R1").await),
            1 => drop(house.locks.pin("1").await),
            _ => drop(house.test.integration(&house.hotel, "Other", latchkey::actor::Permission::ReadOnly).await),
        }
        assert_eq!(far(&house).await, None, "{step}");
    }
}
