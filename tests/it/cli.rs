//! The command line: settings, exit codes, secret keys, hotels and API keys.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use latchkey::db::embedded::{Durability, Embedded};
use rustix::process::Signal;
use sqlx::ConnectOptions as _;

use crate::support::{DataDir, LATCHKEY, TestDb, latchkey};

#[test]
fn a_bad_setting_is_told_in_one_line_that_names_it_and_no_secret() {
    let server = ("DATABASE_URL", "postgres://latchkey:geheim@db.example:5432/latchkey");
    let keys = ("LATCHKEY_SECRET_KEY", "1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    // Setting, problem, environment.
    let cases: &[(_, _, &[(&str, &str)])] = &[
        ("LATCHKEY_LISTEN (--listen)", "127.0.0.1:8080", &[("LATCHKEY_LISTEN", "localhost")]),
        ("LATCHKEY_LISTEN (--listen)", "127.0.0.1:8080", &[("LATCHKEY_LISTEN", "")]),
        ("LATCHKEY_METRICS_LISTEN (--metrics-listen)", "127.0.0.1:8080", &[("LATCHKEY_METRICS_LISTEN", "9090")]),
        ("LATCHKEY_DATA_DIR (--data-dir)", "empty", &[("LATCHKEY_DATA_DIR", "")]),
        ("LATCHKEY_DATA_DIR (--data-dir)", "cannot be used", &[("LATCHKEY_DATA_DIR", "/dev/null/latchkey")]),
        (
            "DATABASE_URL (--database-url)",
            "not a URL",
            &[("DATABASE_URL", "postgres://u:geheim@db.example:port/x"), keys],
        ),
        ("DATABASE_URL (--database-url)", "not a URL", &[("DATABASE_URL", "mysql://u:geheim@db.example/x"), keys]),
        ("DATABASE_URL (--database-url)", "empty", &[("DATABASE_URL", ""), keys]),
        ("LATCHKEY_SECRET_KEY (--secret-key)", "required with DATABASE_URL", &[server]),
        ("LATCHKEY_SECRET_KEY (--secret-key)", "must be base64", &[("LATCHKEY_SECRET_KEY", "1:geheim")]),
        ("LATCHKEY_CLOCK (--clock)", "not an instant", &[("LATCHKEY_CLOCK", "tomorrow")]),
        (
            "LATCHKEY_CLOCK (--clock)",
            "only with the embedded",
            &[("LATCHKEY_CLOCK", "2026-01-30T09:00:00Z"), server, keys],
        ),
        (
            "LATCHKEY_DATABASE_CONNECTIONS (--database-connections)",
            "1 to 1000",
            &[("LATCHKEY_DATABASE_CONNECTIONS", "0")],
        ),
        ("LATCHKEY_LOG (--log)", "not a filter", &[("LATCHKEY_LOG", "a=b=c")]),
        ("LATCHKEY_LOG_FORMAT (--log-format)", "neither text nor json", &[("LATCHKEY_LOG_FORMAT", "xml")]),
    ];
    let data = DataDir::new();
    for (setting, problem, environment) in cases {
        let output = data.command(&["hotel", "list"]).envs(environment.iter().copied()).output().expect("runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.starts_with(&format!("latchkey: {setting} ")) && said.contains(problem),
            "{environment:?}: {said}"
        );
        assert!(!said.contains("geheim"), "{said}");
        assert_eq!((said.lines().count(), output.status.code()), (1, Some(2)), "{said}");
    }
}

#[test]
fn a_flag_wins_over_the_environment() {
    let output = latchkey(&["serve", "--listen", "flag"]).env("LATCHKEY_LISTEN", "variable").output().expect("runs");
    assert!(String::from_utf8_lossy(&output.stderr).contains(r#""flag""#));
}

#[test]
fn an_unreachable_server_is_told_without_its_password() {
    let output = latchkey(&["hotel", "list"])
        .env("DATABASE_URL", "postgres://latchkey:geheim@127.0.0.1:1/latchkey")
        .env("LATCHKEY_SECRET_KEY", "1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
        .output()
        .expect("runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("the database cannot be used") && !said.contains("geheim"), "{said}");
    assert_eq!((said.lines().count(), output.status.code()), (1, Some(1)));
}

#[test]
fn an_occupied_port_is_told_before_anything_is_started() {
    let occupied = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = occupied.local_addr().expect("an address").to_string();
    let data = DataDir::new();
    let output = data.run(&["serve", "--listen", &address]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with(&format!("latchkey: cannot listen on {address}: ")), "{said}");
    assert_eq!(output.status.code(), Some(1));
    assert!(!data.cluster().exists());
}

#[test]
fn the_schema_needs_no_settings() {
    let output = latchkey(&["schema"]).env("LATCHKEY_LISTEN", "nonsense").output().expect("runs");
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("type Query"));
}

#[test]
fn wrong_usage_has_an_exit_code_of_its_own() {
    for args in
        [&["serve", "--nonsense"][..], &["hotel", "create", "grand-hotel", "--name", "x", "--time-zone", "Mars"]]
    {
        assert_eq!(latchkey(args).output().expect("runs").status.code(), Some(2));
    }
}

#[test]
fn secret_keys_are_made_once_for_us_alone() {
    let data = DataDir::new();
    let file = data.path().join("secret.keys");
    data.print(&["migrate"]);
    let made = fs::read_to_string(&file).expect("the keys");
    assert_eq!(fs::metadata(&file).expect("the file").permissions().mode() & 0o777, 0o600);
    data.print(&["migrate"]);
    assert_eq!(fs::read_to_string(&file).expect("the keys"), made);
    let others = fs::read_dir(data.path()).expect("the folder").filter_map(Result::ok);
    assert_eq!(others.filter(|entry| entry.file_name().to_string_lossy().starts_with("secret")).count(), 1);
}

#[test]
fn lost_secret_keys_are_not_replaced_by_others() {
    let data = DataDir::new();
    let file = data.path().join("secret.keys");
    data.print(&["migrate"]);
    let made = fs::read_to_string(&file).expect("the keys");
    fs::remove_file(&file).expect("removed");
    let output = data.run(&["migrate"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with("latchkey: LATCHKEY_SECRET_KEY (--secret-key) is not set, and "), "{said}");
    assert_eq!((said.lines().count(), output.status.code()), (1, Some(2)));
    assert!(!file.exists());
    data.print(&["migrate", "--secret-key", made.trim()]);
}

#[tokio::test]
async fn a_pair_of_keys_is_printed_once_and_masked_afterwards() {
    let db = TestDb::new().await;
    let data = DataDir::with_database(&db);
    data.print(&["hotel", "create", "grand-hotel", "--name", "Grand Hotel", "--time-zone", "Europe/Berlin"]);
    let created =
        data.print(&["api-key", "create", "grand-hotel", "--integration", "Lock Vendor", "--permission", "WRITE"]);
    let value = |name: &str| {
        let line = created.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name} in {created}")).trim().to_owned()
    };
    let (id, live) = (value("id"), value("live"));
    assert!(live.starts_with("pms_live_") && value("test").starts_with("pms_test_"));
    let state = || {
        let listed = data.print(&["api-key", "list", "grand-hotel"]);
        assert!(listed.contains("Lock Vendor") && listed.contains(&live[live.len() - 4..]) && !listed.contains(&live));
        listed.trim().rsplit('\t').next().map(str::to_owned)
    };
    assert_eq!(state().as_deref(), Some("active"));
    for (command, then) in [("disable", "disabled"), ("enable", "active"), ("revoke", "revoked")] {
        data.print(&["api-key", command, &id]);
        assert_eq!(state().as_deref(), Some(then));
    }
    for command in ["disable", "regenerate"] {
        assert_eq!(data.run(&["api-key", command, &id]).status.code(), Some(1));
    }
    let refused = data.run(&["api-key", "enable", &id]);
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&refused.stderr), "latchkey: A revoked API key stays revoked\n");
}

#[tokio::test]
async fn the_webhook_endpoints_of_a_hotel_are_listed_with_what_disabled_them() {
    let db = TestDb::new().await;
    let data = DataDir::with_database(&db);
    data.print(&["hotel", "create", "grand-hotel", "--name", "Grand Hotel", "--time-zone", "Europe/Berlin"]);
    data.print(&["api-key", "create", "grand-hotel", "--integration", "Lock Vendor", "--permission", "WRITE"]);
    sqlx::query(
        "INSERT INTO webhook_endpoints (hotel_id, id, integration_id, url, status, events, secret, created_at, updated_at,
                                        disabled_reason, disabled_at)
         SELECT i.hotel_id, e.id, i.id, e.url, e.status, '{room_stay.created}', '', i.created_at, i.created_at, e.reason,
                e.at
         FROM integrations i CROSS JOIN LATERAL
              (VALUES (i.id, 'https://example.com/a', 'ENABLED', NULL, NULL::timestamptz),
                      (i.hotel_id, 'https://example.com/b', 'DISABLED', 'The endpoint answered 410 Gone',
                       '2026-01-30T09:00:00Z')) AS e (id, url, status, reason, at)",
    )
    .execute(&db.pool)
    .await
    .expect("inserted");
    let listed = data.print(&["hotel", "webhooks", "grand-hotel"]);
    let mut lines: Vec<&str> = listed.lines().collect();
    lines.sort_unstable();
    let disabled = "Lock Vendor\thttps://example.com/b\tDISABLED\tThe endpoint answered 410 Gone\t2026-01-30T09:00:00Z";
    assert_eq!(lines, ["Lock Vendor\thttps://example.com/a\tENABLED\t-\t-", disabled]);
    assert_eq!(data.run(&["hotel", "webhooks", "elsewhere"]).status.code(), Some(1));
}

#[tokio::test]
async fn an_integration_is_connected_given_new_keys_and_disconnected() {
    let db = TestDb::new().await;
    let data = DataDir::with_database(&db);
    data.print(&["hotel", "create", "grand-hotel", "--name", "Grand Hotel", "--time-zone", "Europe/Berlin"]);
    data.print(&["integration", "connect", "grand-hotel", "Lock Vendor"]);
    let again = data.run(&["integration", "connect", "grand-hotel", "Lock Vendor"]);
    assert_eq!(String::from_utf8_lossy(&again.stderr), "latchkey: An integration of this name is connected\n");
    let create = ["api-key", "create", "grand-hotel", "--integration", "Lock Vendor", "--permission", "ADMIN"];
    let created = data.print(&[&create[..], &["--name", "Lobby"]].concat());
    let id = created.lines().find_map(|line| line.strip_prefix("id")).expect("an id").trim();
    let renewed = data.print(&["api-key", "regenerate", id]);
    assert!(renewed.contains("pms_live_") && renewed.contains("pms_test_") && !renewed.contains(id));
    let listed = data.print(&["api-key", "list", "grand-hotel"]);
    let states: Vec<&str> = listed.lines().filter_map(|line| line.rsplit('\t').next()).collect();
    assert_eq!(states, ["revoked", "active"]);
    assert!(listed.lines().all(|line| line.contains("\tLock Vendor\tLobby\tADMIN\t") && line.contains("\t0\tnever\t")));
    assert!(data.print(&["integration", "list", "grand-hotel"]).contains("1 API keys"));
    let gone = data.print(&["integration", "disconnect", "grand-hotel", "Lock Vendor"]);
    assert!(gone.starts_with("1 API keys revoked, "), "{gone}");
    assert!(data.print(&["integration", "list", "grand-hotel"]).ends_with("\tdisconnected\n"));
    // What was done on the command line is in the audit trail, the newest first.
    let trail = data.print(&["audit", "grand-hotel"]);
    let done: Vec<String> =
        trail.lines().map(|line| line.split('\t').skip(1).take(3).collect::<Vec<_>>().join(" ")).collect();
    let kinds: Vec<&str> = done.iter().filter_map(|line| line.rsplit_once(' ').map(|(kind, _)| kind)).collect();
    assert_eq!(
        kinds,
        [
            "COMMAND_LINE DISCONNECTED INTEGRATION",
            "COMMAND_LINE REVOKED API_KEY",
            "COMMAND_LINE CREATED API_KEY",
            "COMMAND_LINE REVOKED API_KEY",
            "COMMAND_LINE CREATED API_KEY",
            "COMMAND_LINE CONNECTED INTEGRATION",
            "COMMAND_LINE CREATED HOTEL",
        ]
    );
    let of_pair = data.print(&["audit", "grand-hotel", "--object", id]);
    assert_eq!(of_pair.lines().count(), 3, "made, revoked, and replaced by the new one: {of_pair}");
    assert_eq!(data.print(&["audit", "grand-hotel", "--limit", "1"]).lines().count(), 1);
    assert_eq!(data.run(&["audit", "elsewhere"]).status.code(), Some(1));
}

#[tokio::test]
async fn a_hotel_that_breaks_a_rule_is_refused_by_name() {
    let db = TestDb::new().await;
    let data = DataDir::with_database(&db);
    let create = |slug: &str| data.run(&["hotel", "create", slug, "--name", "Hotel", "--time-zone", "Europe/Berlin"]);
    assert!(create("grand-hotel").status.success());
    for (slug, reason) in [("grand-hotel", "Another hotel has this slug"), ("Grand Hotel", "A slug has")] {
        let output = create(slug);
        assert!(String::from_utf8_lossy(&output.stderr).contains(reason));
        assert_eq!(output.status.code(), Some(1));
    }
    let unknown = data.run(&["api-key", "list", "elsewhere"]);
    assert_eq!(String::from_utf8_lossy(&unknown.stderr), "latchkey: Hotel not found\n");
}

#[tokio::test]
async fn the_clock_starts_where_it_is_told_to() {
    let data = DataDir::new();
    let create = ["hotel", "create", "grand-hotel", "--name", "Hotel", "--time-zone", "Europe/Berlin"];
    data.print(&[&create[..], &["--clock", "2031-05-01T00:00:00Z"]].concat());
    let embedded = Embedded::start(&data.cluster(), Durability::Durable, Path::new(LATCHKEY)).await.expect("started");
    let mut conn = embedded.connect_options("latchkey").connect().await.expect("connects");
    let day: String =
        sqlx::query_scalar("SELECT created_at::date::text FROM hotels").fetch_one(&mut conn).await.expect("a hotel");
    assert_eq!(day, "2031-05-01");
}

#[test]
fn a_server_prints_no_key() {
    let data = DataDir::new();
    let (_, log) = data.serve().end(Signal::TERM);
    let keys = fs::read_to_string(data.path().join("secret.keys")).expect("the keys");
    assert!(!log.contains("pms_live_") && !log.contains("pms_test_") && !log.contains(keys.trim()), "{log}");
}
