//! The demo: what is in it, and that its file and its database always agree.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use axum::http::HeaderValue;
use chrono::TimeDelta;
use latchkey::auth::{self, Mode};
use latchkey::demo::{self, DemoFile};
use latchkey::error::ErrorCode;
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use crate::support::{DataDir, TestApp};

const URL: &str = "http://127.0.0.1:8080";

async fn ensure(app: &TestApp, data_dir: &Path, url: &str) -> DemoFile {
    demo::ensure(app, data_dir, url).await.unwrap_or_else(|error| panic!("{error:?}"));
    DemoFile::read(data_dir).expect("readable").expect("written")
}

async fn loaded(instant: &str) -> (TestApp, DataDir, DemoFile) {
    let app = TestApp::at(instant).await;
    let data_dir = DataDir::new();
    let file = ensure(&app, data_dir.path(), URL).await;
    (app, data_dir, file)
}

async fn count(pool: &PgPool, what: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {what}"))).fetch_one(pool).await.expect("a count")
}

/// Stays of a hotel with what belongs to them; `today` is the hotel's own.
async fn stays(app: &TestApp, slug: &str, condition: &str) -> i64 {
    let zone: String = sqlx::query_scalar("SELECT time_zone FROM hotels WHERE slug = $1")
        .bind(slug)
        .fetch_one(&app.db.pool)
        .await
        .expect("the hotel");
    let now = app.clock.now().to_rfc3339();
    let what = format!(
        "room_stays s
         JOIN hotels h ON h.id = s.hotel_id
         JOIN reservations r ON r.hotel_id = s.hotel_id AND r.id = s.reservation_id
         LEFT JOIN room_setups room ON room.hotel_id = s.hotel_id AND room.id = s.room_setup_id
         CROSS JOIN (SELECT ('{now}'::timestamptz AT TIME ZONE '{zone}')::date AS today) clock
         WHERE h.slug = '{slug}' AND {condition}"
    );
    count(&app.db.pool, &what).await
}

/// Every row of every table, and the file.
async fn everything(app: &TestApp, data_dir: &Path) -> Vec<String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' ORDER BY table_name",
    )
    .fetch_all(&app.db.pool)
    .await
    .expect("tables");
    let mut everything = vec![fs::read_to_string(DemoFile::path(data_dir)).expect("the file")];
    for table in tables {
        let statement = format!("SELECT coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '') FROM {table} t");
        everything.push(sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(&app.db.pool).await.expect("rows"));
    }
    everything
}

async fn assert_keys_work(app: &TestApp, file: &DemoFile) {
    for hotel in &file.hotels {
        for one in &hotel.integrations {
            for (key, mode) in [(&one.live_key, Mode::Live), (&one.test_key, Mode::Test)] {
                let header = HeaderValue::from_str(&format!("Bearer {key}")).expect("a header");
                let actor = auth::authenticate(app, Some(&header)).await.expect("let in").actor;
                assert_eq!((actor.hotel.slug.as_str(), actor.mode), (hotel.slug.as_str(), mode));
                assert_eq!(actor.permission.as_str(), one.permission);
            }
        }
    }
}

async fn assert_secrets_open(app: &TestApp) {
    let keys: Vec<(Uuid, Uuid, String, Vec<u8>)> =
        sqlx::query_as("SELECT hotel_id, id, kind, secret FROM room_access_keys")
            .fetch_all(&app.db.pool)
            .await
            .expect("keys");
    for (hotel, id, kind, secret) in keys {
        let row = [hotel.into_bytes(), id.into_bytes()].concat();
        let plain = app.secret_keys.open(&row, &secret).unwrap_or_else(|error| panic!("{error:?}"));
        let digits = plain.expose().len() == 6 && plain.expose().bytes().all(|byte| byte.is_ascii_digit());
        assert!(digits || kind == "QR");
    }
}

/// An ordinary day, the turn of the year, both clock changes, leap day; and the Mondays of their weeks in Lisbon. In the
/// second and the fourth, Berlin is a day, and once even a week, ahead of Lisbon.
const INSTANTS: [(&str, &str); 5] = [
    ("2026-01-30T09:00:00Z", "2026-01-26"),
    ("2025-12-31T23:30:00Z", "2025-12-29"),
    ("2026-03-29T00:30:00Z", "2026-03-23"),
    ("2026-10-25T23:30:00Z", "2026-10-19"),
    ("2028-02-29T12:00:00Z", "2028-02-28"),
];

#[tokio::test]
async fn the_hotels_hold_what_examples_rely_on_at_any_time_of_the_year() {
    for (instant, monday) in INSTANTS {
        let (app, _data_dir, file) = loaded(instant).await;
        assert_keys_work(&app, &file).await;
        assert_secrets_open(&app).await;
        let grand = |condition: &'static str| stays(&app, "grand-hotel", condition);
        let bare =
            "r.status = 'ACTIVE' AND s.room_access_key_id IS NULL AND s.reservation_from BETWEEN today AND today + 20
                    AND s.reservation_to > today";
        assert!(grand(bare).await >= 20, "{instant}");
        let tonight = "room.name = '203' AND s.reservation_from <= today AND s.reservation_to > today AND r.status <> 'CANCELLED'";
        assert_eq!(grand(tonight).await, 0, "{instant}");
        let doe =
            "r.code = 'RES-001' AND room.name = '301' AND s.reservation_from = today AND s.room_access_key_id IS NULL
                   AND r.client_id IN (SELECT id FROM clients c WHERE c.hotel_id = s.hotel_id AND c.lastname = 'Doe')";
        assert_eq!(grand(doe).await, 1, "{instant}");
        for room in ["101", "102", "203", "301"] {
            assert_eq!(count(&app.db.pool, &format!("room_setups WHERE name = '{room}'")).await, 1);
        }
        assert!(grand("s.check_in IS NOT NULL AND s.check_out IS NULL").await >= 5, "{instant}");
        assert_eq!(grand("s.departure_time IS NOT NULL").await, 1);
        assert_eq!(grand("s.check_in > '-infinity' AND s.reservation_from >= today").await, 0);
        assert_eq!(grand("r.code = 'RES-300'").await, 24);
        assert_eq!(grand("s.room_setup_id IS NULL AND r.status = 'ACTIVE'").await, 1);
        assert_eq!(grand("r.status = 'CANCELLED'").await, 2);
        for kind in ["PIN", "KEY_STORAGE", "QR"] {
            assert!(count(&app.db.pool, &format!("room_access_keys WHERE kind = '{kind}'")).await > 0);
        }
        let future = app.clock.now().to_rfc3339();
        let ahead =
            format!("room_stays WHERE check_in > '{future}' OR check_out > '{future}' OR created_at > '{future}'");
        assert_eq!(count(&app.db.pool, &ahead).await, 0, "{instant}");

        for slug in ["city-hotel", "resort-hotel"] {
            let present = "r.status = 'ACTIVE' AND s.reservation_to > today";
            let with_key = "r.status = 'ACTIVE' AND s.reservation_to > today AND s.room_access_key_id IS NOT NULL";
            let soon = "s.reservation_from <= today + 6 AND s.reservation_to > today";
            let (all, with_key) = (stays(&app, slug, present).await, stays(&app, slug, with_key).await);
            assert!(with_key > 0 && 2 * with_key <= all, "{instant}: {with_key} of {all} in {slug}");
            assert!(stays(&app, slug, soon).await > 100, "{instant}");
            assert_eq!(stays(&app, slug, "s.room_access_key_id IS NOT NULL AND r.status <> 'ACTIVE'").await, 0);
            // Both hotels' first arrivals are on 1 July 2015, 75 days before the Monday that becomes this week's.
            let first = format!("s.reservation_from = '{monday}'::date - 75");
            assert!(stays(&app, slug, &first).await > 0, "{instant}");
            assert_eq!(stays(&app, slug, &first.replace('=', "<")).await, 0, "{instant}");
        }
        let misplaced = "room_access_keys k WHERE unassigned_since IS NOT NULL OR NOT EXISTS (
            SELECT FROM room_stays s WHERE s.hotel_id = k.hotel_id AND s.room_access_key_id = k.id)";
        assert_eq!(count(&app.db.pool, misplaced).await, 0);
    }
}

#[tokio::test]
async fn a_later_start_finds_everything_and_changes_only_an_address_that_changed() {
    let (app, data_dir, file) = loaded("2026-01-30T09:00:00Z").await;
    // A key that the hotel revoked stays revoked.
    sqlx::query("UPDATE api_keys SET revoked_at = created_at WHERE permission = 'READ_ONLY'")
        .execute(&app.db.pool)
        .await
        .expect("revoked");
    let before = everything(&app, data_dir.path()).await;
    app.advance(TimeDelta::days(3));
    ensure(&app, data_dir.path(), URL).await;
    assert!(everything(&app, data_dir.path()).await == before, "the second start changed something");

    let moved = ensure(&app, data_dir.path(), "http://127.0.0.1:9090").await;
    assert_eq!(moved.url, "http://127.0.0.1:9090");
    assert!(moved.hotels == file.hotels);
    assert!(everything(&app, data_dir.path()).await[1..] == before[1..], "the address is in the file alone");
}

#[tokio::test]
async fn a_crash_between_loading_writing_and_committing_is_recovered_from() {
    let app = TestApp::new().await;
    let data_dir = DataDir::new();
    // Before the file: it cannot be written, so nothing is committed.
    let failed = demo::ensure(&app, &data_dir.path().join("missing"), URL).await.expect_err("no folder, no file");
    assert_eq!(failed.code, ErrorCode::Internal);
    assert_eq!(count(&app.db.pool, "hotels").await, 0);
    // After the file and before the commit: it is there, half of the next one as well, and the database is empty.
    let stale = DemoFile { url: URL.to_owned(), hotels: Vec::new() };
    stale.write(data_dir.path()).expect("written");
    fs::write(data_dir.path().join("demo.json.new"), "{").expect("written");
    let file = ensure(&app, data_dir.path(), URL).await;
    assert_keys_work(&app, &file).await;
    let mode = fs::metadata(DemoFile::path(data_dir.path())).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(fs::read_dir(data_dir.path()).expect("the folder").count(), 1);
}

#[tokio::test]
async fn simultaneous_starts_load_the_demo_once() {
    let app = TestApp::new().await;
    let data_dir = DataDir::new();
    let (one, two) = tokio::join!(demo::ensure(&app, data_dir.path(), URL), demo::ensure(&app, data_dir.path(), URL));
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(count(&app.db.pool, "hotels").await, 3);
    assert_keys_work(&app, &DemoFile::read(data_dir.path()).expect("readable").expect("written")).await;
}

#[tokio::test]
async fn a_lost_damaged_or_foreign_file_is_replaced_and_its_keys_are_revoked() {
    let (app, data_dir, first) = loaded("2026-01-30T09:00:00Z").await;
    let path = DemoFile::path(data_dir.path());
    let stays = count(&app.db.pool, "room_stays").await;
    let foreign = fs::read_to_string(&path).expect("the file").replace("pms_test_", "pms_test_0");
    for damage in [None, Some(""), Some("{\"url\": \"http"), Some(&foreign)] {
        match damage {
            None => fs::remove_file(&path).expect("removed"),
            Some(text) => fs::write(&path, text).expect("damaged"),
        }
        let file = ensure(&app, data_dir.path(), URL).await;
        assert_keys_work(&app, &file).await;
    }
    let header =
        HeaderValue::from_str(&format!("Bearer {}", first.hotels[0].integrations[0].live_key)).expect("a header");
    let refused = auth::authenticate(&app, Some(&header)).await.expect_err("revoked");
    assert_eq!(refused.code, ErrorCode::KeyRevoked);
    assert_eq!(count(&app.db.pool, "room_stays").await, stays);
    assert_eq!(count(&app.db.pool, "api_keys WHERE revoked_at IS NULL").await, 12);
}

#[tokio::test]
async fn a_database_with_hotels_of_its_own_gets_no_demo() {
    let app = TestApp::new().await;
    app.hotel("my-hotel", chrono_tz::Tz::Europe__Riga).await;
    let data_dir = DataDir::new();
    demo::ensure(&app, data_dir.path(), URL).await.expect("nothing to do");
    assert!(DemoFile::read(data_dir.path()).expect("readable").is_none());
    assert_eq!(count(&app.db.pool, "hotels").await, 1);
}

#[test]
fn the_command_prints_what_the_file_says() {
    let data_dir = DataDir::new();
    let absent = data_dir.run(&["demo", "--json"]);
    assert_eq!(absent.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&absent.stderr).contains("there is no demo yet"));

    let integration = demo::DemoIntegration {
        name: "Guest Messaging".into(),
        permission: "READ_ONLY".into(),
        live_key: "pms_live_1".into(),
        test_key: "pms_test_1".into(),
    };
    let hotel = demo::DemoHotel { slug: "grand-hotel".into(), integrations: vec![integration] };
    let file = DemoFile { url: URL.to_owned(), hotels: vec![hotel] };
    file.write(data_dir.path()).expect("written");
    assert_eq!(data_dir.print(&["demo", "--json"]), file.to_json());
    assert_eq!(data_dir.print(&["demo"]), demo::overview(&file));
    let curl = data_dir.print(&["demo", "--curl", "--clock", "2026-01-29T23:30:00Z"]);
    assert!(curl.contains(r#""start":"2026-01-30""#) && curl.contains("Bearer pms_live_1'"), "{curl}");
}
