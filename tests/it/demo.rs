//! The demo: what is in it, and that its file and its database always agree.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use axum::http::HeaderValue;
use chrono::TimeDelta;
use latchkey::actor::Mode;
use latchkey::demo::{self, DemoFile};
use latchkey::error::ErrorCode;
use latchkey::hotel_settings;
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use crate::support::{DataDir, TestApp, TestDb};

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
    everything_in(&app.db.pool, data_dir).await
}

async fn everything_in(pool: &PgPool, data_dir: &Path) -> Vec<String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' ORDER BY table_name",
    )
    .fetch_all(pool)
    .await
    .expect("tables");
    let mut everything = vec![fs::read_to_string(DemoFile::path(data_dir)).expect("the file")];
    for table in tables {
        let statement = format!("SELECT coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '') FROM {table} t");
        everything.push(sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(pool).await.expect("rows"));
    }
    everything
}

async fn assert_keys_work(app: &TestApp, file: &DemoFile) {
    for hotel in &file.hotels {
        for one in &hotel.integrations {
            for (key, mode) in [(&one.live_key, Mode::Live), (&one.test_key, Mode::Test)] {
                let header = HeaderValue::from_str(&format!("Bearer {key}")).expect("a header");
                let actor = app.authenticate(Some(&header)).await.expect("let in").actor;
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

/// Each room of each hotel is a space; in the Grand Hotel and in the Sandbox Hotel three of them have a key and a door, and there are
/// three doors of all guests, an encoder, and guests of each integration.
async fn expect_doors(app: &TestApp) {
    let pool = &app.db.pool;
    let rooms = "room_setups r WHERE NOT EXISTS (SELECT FROM spaces s WHERE s.hotel_id = r.hotel_id AND s.id = r.id
                                                 AND s.room_setup_id = r.id AND s.name = r.name)";
    assert_eq!(count(pool, rooms).await, 0);
    assert_eq!(count(pool, "spaces").await, count(pool, "room_setups").await);
    assert_eq!(count(pool, "entrances").await, 12);
    assert_eq!(count(pool, "encoders").await, 2);
    assert_eq!(count(pool, "user_identities").await, 40);
    for slug in ["grand-hotel", "sandbox"] {
        expect_doors_in(pool, slug).await;
    }
}

async fn expect_doors_in(pool: &PgPool, slug: &str) {
    let doors: Vec<String> = sqlx::query_scalar(
        "SELECT concat_ws(' ', e.entrance_key, e.provider, e.can_belong_to_reservation, e.modes, s.space_key, s.name)
         FROM entrances e JOIN hotels h ON h.id = e.hotel_id AND h.slug = $1
         LEFT JOIN space_entrances o ON o.hotel_id = e.hotel_id AND o.entrance_id = e.id
         LEFT JOIN spaces s ON s.hotel_id = o.hotel_id AND s.id = o.space_id ORDER BY 1",
    )
    .bind(slug)
    .fetch_all(pool)
    .await
    .expect("doors");
    assert_eq!(
        doors,
        [
            "gym-id VISIONLINE f {CARD,MOBILE_KEY}",
            "lobby-id VISIONLINE f {CARD,MOBILE_KEY}",
            "pool-id VISIONLINE f {CARD,MOBILE_KEY}",
            "room-101-id VISIONLINE t {CARD,MOBILE_KEY} room-101 101",
            "room-102-id VISIONLINE t {CARD,MOBILE_KEY} room-102 102",
            "room-203-id VISIONLINE t {CARD,MOBILE_KEY} room-203 203",
        ]
    );
    let encoders = format!(
        "encoders e JOIN hotels h ON h.id = e.hotel_id
         WHERE h.slug = '{slug}' AND simulated AND encoder_key = 'encoder-1' AND provider = 'VISIONLINE'"
    );
    assert_eq!(count(pool, &encoders).await, 1);
    let guests = format!(
        "(SELECT FROM user_identities u JOIN hotels h ON h.id = u.hotel_id AND h.slug = '{slug}'
                   WHERE u.kind = 'GUEST' GROUP BY u.integration_id
                   HAVING array_agg(user_identity_key ORDER BY user_identity_key)
                          = '{{g1,g2,guest-1,guest-2,guest-3}}') of_integrations"
    );
    assert_eq!(count(pool, &guests).await, 4);
}

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
            let of_grand = "JOIN hotels h ON h.id = r.hotel_id AND h.slug = 'grand-hotel'";
            assert_eq!(count(&app.db.pool, &format!("room_setups r {of_grand} WHERE r.name = '{room}'")).await, 1);
        }
        assert_eq!(count(&app.db.pool, "hotels WHERE is_sandbox").await, 1);
        assert_eq!(count(&app.db.pool, "hotels WHERE is_sandbox AND slug = 'sandbox'").await, 1);
        assert_eq!(stays(&app, "sandbox", "true").await, 0);
        expect_doors(&app).await;
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
    assert_eq!(count(&app.db.pool, "hotels").await, 4);
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
    let refused = app.authenticate(Some(&header)).await.expect_err("revoked");
    assert_eq!(refused.code, ErrorCode::KeyRevoked);
    assert_eq!(count(&app.db.pool, "room_stays").await, stays);
    assert_eq!(count(&app.db.pool, "api_keys WHERE revoked_at IS NULL").await, 16);
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
}

#[tokio::test]
async fn g34_the_demo_is_loaded_into_any_empty_database_and_what_is_printed_was_tried() {
    let db = TestDb::new().await;
    let data = DataDir::with_database(&db);
    let overview = data.print(&["demo", "--load", "--listen", "127.0.0.1:8081"]);
    assert!(overview.contains("http://127.0.0.1:8081") && overview.contains("resort-hotel"), "{overview}");
    let before = everything_in(&db.pool, data.path()).await;
    let said = |args: &[&str], data: &DataDir| {
        let output = data.run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((said.lines().count(), output.status.code(), output.stdout.len()), (1, Some(1), 0), "{said}");
        said
    };
    let again = said(&["demo", "--load"], &data);
    assert!(again.contains("only into an empty database") && again.contains("grand-hotel"), "{again}");
    assert!(said(&["demo", "--reset"], &data).contains("the embedded database alone"));
    assert!(everything_in(&db.pool, data.path()).await == before, "nothing was changed");

    // Nobody listens there.
    assert!(said(&["demo", "--curl"], &data).contains("http://127.0.0.1:8081 does not answer"));
    let server = data.serve();
    let curl = data.print(&["demo", "--curl"]);
    assert!(curl.starts_with(&format!("curl -s {}/graphql", server.url)), "the server renewed its address: {curl}");
    // Another database behind the address.
    let elsewhere = DataDir::new();
    let mut foreign = DemoFile::read(data.path()).expect("readable").expect("written");
    for one in foreign.hotels.iter_mut().flat_map(|hotel| &mut hotel.integrations) {
        one.live_key = format!("pms_live_{}", "0".repeat(32));
    }
    foreign.write(elsewhere.path()).expect("written");
    assert!(said(&["demo", "--curl"], &elsewhere).contains("does not know the API keys"));
}

#[tokio::test]
async fn g30_the_demo_is_started_over_where_nobody_else_is() {
    let (app, data_dir, old) = loaded("2026-01-30T09:00:00Z").await;
    let stays = count(&app.db.pool, "room_stays").await;
    app.advance(TimeDelta::days(20));
    let reset = async || {
        let mut owner = app.db.pool.acquire().await.expect("a connection");
        demo::reset(&app, &mut owner, data_dir.path(), URL).await.unwrap_or_else(|error| panic!("{error:?}"))
    };
    let age = async || app.clock.now() - demo::loaded_at(&app).await.expect("asked").expect("it is there");
    assert_eq!(age().await, TimeDelta::days(20));
    let file = reset().await.expect("started over");
    assert_eq!(age().await, TimeDelta::zero());
    assert!(DemoFile::read(data_dir.path()).expect("readable").expect("written") == file && file != old);
    assert_keys_work(&app, &file).await;
    assert_secrets_open(&app).await;
    assert_eq!(count(&app.db.pool, "hotels").await, 4);
    assert!(count(&app.db.pool, "room_stays").await > stays * 9 / 10);
    let header =
        HeaderValue::from_str(&format!("Bearer {}", old.hotels[0].integrations[0].live_key)).expect("a header");
    assert!(app.authenticate(Some(&header)).await.is_err());
    assert_eq!(ensure(&app, data_dir.path(), URL).await.hotels.len(), 4, "the next start finds it in order");

    // A hotel of somebody's own, or one of the demo's names that is none of its hotels: nothing is changed.
    app.hotel("my-hotel", chrono_tz::Tz::Europe__Riga).await;
    let before = everything(&app, data_dir.path()).await;
    assert!(reset().await.is_none());
    assert!(everything(&app, data_dir.path()).await == before);
    sqlx::query("DELETE FROM audit_entries a USING hotels h WHERE h.id = a.hotel_id AND slug = 'my-hotel'")
        .execute(&app.db.pool)
        .await
        .expect("gone");
    sqlx::query("DELETE FROM hotels WHERE slug = 'my-hotel'").execute(&app.db.pool).await.expect("gone");
    sqlx::query("UPDATE integrations SET name = 'Mine' WHERE name = 'Front Desk'")
        .execute(&app.db.pool)
        .await
        .expect("");
    let before = everything(&app, data_dir.path()).await;
    assert!(reset().await.is_none());
    assert!(everything(&app, data_dir.path()).await == before);
}

#[tokio::test]
async fn a_demo_of_before_there_was_a_sandbox_goes_on_and_gets_one_when_it_is_started_over() {
    let (app, data_dir, file) = loaded("2026-01-30T09:00:00Z").await;
    let sandbox = hotel_settings::get_by_slug(&app, "sandbox").await.expect("a hotel");
    sqlx::query("UPDATE integrations SET disconnected_at = created_at WHERE hotel_id = $1")
        .bind(sandbox.id)
        .execute(&app.db.pool)
        .await
        .expect("disconnected");
    hotel_settings::delete(&app, &sandbox).await.expect("deleted");
    let hotels = file.hotels.into_iter().filter(|hotel| hotel.slug != "sandbox").collect();
    DemoFile { url: file.url, hotels }.write(data_dir.path()).expect("written");
    let before = everything(&app, data_dir.path()).await;
    assert_eq!(ensure(&app, data_dir.path(), URL).await.hotels.len(), 3);
    assert!(everything(&app, data_dir.path()).await == before);
    let reset = async || {
        let mut owner = app.db.pool.acquire().await.expect("a connection");
        demo::reset(&app, &mut owner, data_dir.path(), URL).await.unwrap_or_else(|error| panic!("{error:?}"))
    };
    // A hotel of somebody's own, of that name.
    let own = app.hotel("sandbox", chrono_tz::Tz::Europe__Riga).await;
    assert!(reset().await.is_none());
    hotel_settings::delete(&app, &own).await.expect("deleted");
    assert_keys_work(&app, &reset().await.expect("started over")).await;
    assert_eq!(count(&app.db.pool, "hotels").await, 4);
}

#[test]
fn g30_a_start_tells_how_old_the_demo_is_and_the_command_starts_it_over() {
    let data = DataDir::new();
    let serve =
        |instant: &str| data.serve_with(&["--clock", instant, "--accept-clock"]).end(rustix::process::Signal::TERM).1;
    assert!(serve("2026-01-30T09:00:00Z").contains("the demo was loaded within a day"));
    let log = serve("2026-02-19T10:00:00Z");
    assert!(log.contains("latchkey demo --reset") && log.contains(r#""days":20"#), "{log}");
    let file = DemoFile::read(data.path()).expect("readable").expect("written");
    let overview = data.print(&["demo", "--reset", "--clock", "2026-02-19T10:00:00Z"]);
    let renewed = DemoFile::read(data.path()).expect("readable").expect("written");
    assert!(overview == demo::overview(&renewed) && renewed != file);
    assert!(serve("2026-02-19T11:00:00Z").contains("the demo was loaded within a day"));
}
