//! The command line: settings, exit codes, secret keys, hotels and API keys.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use latchkey::db::embedded::{Durability, Embedded};
use rustix::process::Signal;
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};

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
            "its port, its sslmode, or a character",
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
    assert!(said.starts_with("latchkey: the database cannot be used: 127.0.0.1:1: Connection refused"), "{said}");
    assert!(said.contains("DATABASE_URL (--database-url)") && !said.contains("geheim"), "{said}");
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
        listed.split_whitespace().last().map(str::to_owned)
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
    let listed = data.list(&["webhook", "list", "grand-hotel"]);
    let disabled = listed.iter().find(|endpoint| endpoint["url"] == "https://example.com/b").expect("the endpoint");
    assert_eq!(disabled["integration"], "Lock Vendor");
    assert_eq!((&disabled["status"], &disabled["events"]), (&json!("DISABLED"), &json!(["room_stay.created"])));
    assert_eq!(disabled["format"], "LATCHKEY");
    assert_eq!(disabled["reason"], "The endpoint answered 410 Gone");
    assert_eq!(disabled["disabledAt"], "2026-01-30T09:00:00Z");
    let enabled = listed.iter().find(|endpoint| endpoint["url"] == "https://example.com/a").expect("the endpoint");
    assert_eq!((&enabled["status"], &enabled["reason"]), (&json!("ENABLED"), &json!(null)));
    assert_eq!(data.run(&["webhook", "list", "elsewhere"]).status.code(), Some(1));
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
    let listed = data.list(&["api-key", "list", "grand-hotel"]);
    let states: Vec<&Value> = listed.iter().map(|key| &key["state"]).collect();
    assert_eq!(states, ["revoked", "active"]);
    for key in &listed {
        assert_eq!(
            (&key["integration"], &key["name"], &key["permission"]),
            (&json!("Lock Vendor"), &json!("Lobby"), &json!("ADMIN"))
        );
        assert_eq!((&key["requests"], &key["lastUsedAt"]), (&json!(0), &json!(null)));
    }
    assert_eq!(data.list(&["integration", "list", "grand-hotel"])[0]["apiKeys"], 1);
    let gone = data.print(&["integration", "disconnect", "grand-hotel", "Lock Vendor"]);
    assert!(gone.starts_with("1 API keys revoked, "), "{gone}");
    assert_eq!(data.list(&["integration", "list", "grand-hotel"])[0]["state"], "disconnected");
    // What was done on the command line is in the audit trail, the newest first.
    let trail = data.list(&["audit", "grand-hotel"]);
    let kinds: Vec<String> = trail
        .iter()
        .map(|entry| {
            let object = entry["object"].as_str().and_then(|object| object.split(' ').next()).expect("a record");
            [entry["actor"].as_str(), entry["action"].as_str(), Some(object)].map(Option::unwrap_or_default).join(" ")
        })
        .collect();
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
    let of_pair = data.list(&["audit", "grand-hotel", "--object", id]);
    assert_eq!(of_pair.len(), 3, "made, revoked, and replaced by the new one: {of_pair:?}");
    assert_eq!(data.print(&["audit", "grand-hotel", "--limit", "1"]).lines().count(), 2, "a header row and an entry");
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
}

#[tokio::test]
async fn g35_a_refused_command_says_what_is_wrong_where_and_what_to_do() {
    let db = TestDb::new().await;
    let data = DataDir::with_database(&db);
    let nobody = "01990000-0000-7000-8000-000000000001";
    data.print(&["hotel", "create", "grand-hotel", "--name", "Grand Hotel", "--time-zone", "Europe/Berlin"]);
    let no_hotel =
        "there is no hotel \"elsewhere\": `latchkey hotel list` shows them, `latchkey hotel create` makes one";
    let no_pair = format!("there is no pair of API keys {nobody}: `latchkey api-key list <hotel>` shows a hotel's");
    let no_vendor =
        "there is no integration \"Locks\": `latchkey integration list grand-hotel` shows those that there are";
    let create = ["api-key", "create", "elsewhere", "--integration", "x", "--permission", "WRITE"];
    let cases: &[(&[&str], &str)] = &[
        (&["hotel", "show", "elsewhere"], no_hotel),
        (&["hotel", "update", "elsewhere", "--name", "x"], no_hotel),
        (&["hotel", "rooms", "elsewhere"], no_hotel),
        (&["hotel", "delete", "elsewhere", "--yes-delete", "elsewhere"], no_hotel),
        (&["api-key", "list", "elsewhere"], no_hotel),
        (&create, no_hotel),
        (&["integration", "list", "elsewhere"], no_hotel),
        (&["integration", "disconnect", "elsewhere", "x"], no_hotel),
        (&["webhook", "list", "elsewhere"], no_hotel),
        (&["audit", "elsewhere"], no_hotel),
        (&["api-key", "revoke", nobody], &no_pair),
        (&["api-key", "regenerate", nobody], &no_pair),
        (&["integration", "disconnect", "grand-hotel", "Locks"], no_vendor),
    ];
    for (args, said) in cases {
        let output = data.run(args);
        assert_eq!(String::from_utf8_lossy(&output.stderr), format!("latchkey: {said}\n"), "{args:?}");
        assert_eq!(output.status.code(), Some(1));
    }
    for (zone, said) in [("Mars", "such as Europe/Berlin"), ("berlin", "the IANA name of that zone is Europe/Berlin")] {
        let output = data.run(&["hotel", "update", "grand-hotel", "--time-zone", zone]);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(stderr.contains(said) && stderr.contains("--time-zone"), "{stderr}");
        assert_eq!(output.status.code(), Some(2));
    }
}

#[tokio::test]
async fn g35_a_database_that_cannot_be_used_is_told_with_what_to_do_and_left_as_it_was() {
    let db = TestDb::empty().await;
    let said = |data: &DataDir| {
        let output = data.run(&["migrate"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((said.lines().count(), output.status.code()), (1, Some(1)), "{said}");
        assert!(!said.contains("at line"), "a line of PostgreSQL's own source: {said}");
        said
    };
    let url = |options: PgConnectOptions| DataDir::with_url(options.to_url_lossy().as_str());
    let missing = said(&url(db.options().database("nowhere")));
    assert!(
        missing.contains("database \"nowhere\" does not exist; make it, as its owner: CREATE DATABASE \"nowhere\""),
        "{missing}"
    );
    assert!(missing.contains("(set by DATABASE_URL (--database-url))"), "{missing}");
    let stranger = said(&url(db.options().username("nobody_of_that_name")));
    assert!(stranger.contains("are user \"nobody_of_that_name\" and password right"), "{stranger}");

    // Of an encoding that not every name fits.
    let name: String = sqlx::query_scalar("SELECT current_database()::text").fetch_one(&db.pool).await.expect("a name");
    let latin = format!("{name}_latin1");
    for statement in [
        format!("DROP DATABASE IF EXISTS {latin}"),
        format!("CREATE DATABASE {latin} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"),
    ] {
        db.pool.execute(AssertSqlSafe(statement.clone())).await.expect(&statement);
    }
    let encoding = said(&url(db.options().database(&latin)));
    assert!(
        encoding.contains("has the encoding LATIN1") && encoding.contains("ENCODING 'UTF8' TEMPLATE template0"),
        "{encoding}"
    );

    // Of somebody who may not make roles: the migrations fail halfway.
    let owner = format!("{name}_owner");
    for statement in [format!("CREATE ROLE {owner} LOGIN"), format!("GRANT ALL ON SCHEMA public TO {owner}")] {
        db.pool.execute(AssertSqlSafe(statement.clone())).await.expect(&statement);
    }
    let migrating = said(&url(db.options().username(&owner)));
    let advice = format!("ALTER ROLE {owner:?} CREATEROLE");
    assert!(migrating.contains("cannot be migrated: migration 100: permission denied to create role"), "{migrating}");
    assert!(migrating.trim().ends_with(&advice), "{migrating}");
    let tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    let left: i64 = sqlx::query_scalar(tables).fetch_one(&db.pool).await.expect("a count");
    assert_eq!(left, 0, "a first migration that fails leaves nothing behind");
    for statement in [format!("DROP DATABASE {latin}"), format!("DROP OWNED BY {owner}"), format!("DROP ROLE {owner}")]
    {
        db.pool.execute(AssertSqlSafe(statement.clone())).await.expect(&statement);
    }
}

#[tokio::test]
async fn g36_help_is_short_lists_have_headers_and_programs_get_json() {
    for args in
        [&["hotel", "list", "-h"][..], &["api-key", "create", "-h"], &["import", "-h"], &["serve", "-h"], &["-h"]]
    {
        let help = String::from_utf8(latchkey(args).output().expect("runs").stdout).expect("text");
        assert!(!help.contains("LATCHKEY_"), "{help}");
        assert!(help.lines().count() < 40, "{help}");
    }
    let long = |args: &[&str]| String::from_utf8(latchkey(args).output().expect("runs").stdout).expect("text");
    let of_list = long(&["hotel", "list", "--help"]);
    assert!(of_list.contains("DATABASE_URL") && !of_list.contains("LATCHKEY_RATE_LIMIT"), "{of_list}");
    for args in [&["serve", "--help"][..], &["--help"]] {
        let all = long(args);
        assert!(all.contains("DATABASE_URL") && all.contains("LATCHKEY_RATE_LIMIT"), "{all}");
    }
    let db = TestDb::new().await;
    let data = DataDir::with_database(&db);
    data.print(&["hotel", "create", "grand-hotel", "--name", "Grand Hôtel", "--time-zone", "Europe/Berlin"]);
    // One environment fits all commands, also the settings that only a server uses.
    let listed = data.print(&["hotel", "list", "--rate-limit", "7"]);
    let expected = "SLUG         NAME         TIME ZONE      CHECK IN  CHECK OUT  ROOM ACCESS KEYS  SANDBOX\n\
                    grand-hotel  Grand Hôtel  Europe/Berlin  15:00     11:00      on                off\n";
    assert_eq!(listed, expected);
    let updated = data.print(&["hotel", "update", "grand-hotel", "--room-access-keys", "off", "--check-in", "14:00"]);
    assert!(updated.contains("14:00") && updated.ends_with("off               off\n"), "{updated}");
    assert_eq!(
        data.list(&["hotel", "list"]),
        [json!({"slug": "grand-hotel", "name": "Grand Hôtel", "timeZone": "Europe/Berlin", "checkIn": "14:00",
                "checkOut": "11:00", "roomAccessKeys": false, "sandbox": false})]
    );
    let shown = data.print(&["hotel", "show", "grand-hotel"]);
    assert!(shown.lines().any(|line| line.split_whitespace().eq(["room", "access", "keys", "off"])), "{shown}");
    let shown: Value = serde_json::from_str(&data.print(&["hotel", "show", "grand-hotel", "--json"])).expect("JSON");
    assert_eq!((&shown["roomAccessKeys"], &shown["reservations"]), (&json!(false), &json!(0)));
    let sandbox = ["hotel", "create", "trials", "--name", "Trials", "--time-zone", "Europe/Berlin", "--sandbox"];
    assert!(data.print(&sandbox).ends_with("on\n"), "a sandbox");
    let listed = data.list(&["hotel", "list"]);
    assert_eq!([&listed[0]["sandbox"], &listed[1]["sandbox"]], [&json!(false), &json!(true)], "by slug");
    let shown: Value = serde_json::from_str(&data.print(&["hotel", "show", "trials", "--json"])).expect("JSON");
    assert_eq!(shown["sandbox"], true);
    for args in [
        &["api-key", "list", "grand-hotel"][..],
        &["integration", "list", "grand-hotel"],
        &["webhook", "list", "grand-hotel"],
        &["hotel", "rooms", "grand-hotel"],
        &["prune", "--dry-run"],
    ] {
        assert_eq!(data.print(args).lines().count(), 1, "a header row: {args:?}");
        assert_eq!(data.list(args), [Value::Null; 0], "{args:?}");
    }
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
