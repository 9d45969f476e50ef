//! A database of an earlier release, with something in its tables, is upgraded and served.

use std::fmt::Write as _;

use latchkey::actor::Principal;
use latchkey::app::App;
use latchkey::auth::ApiKey;
use latchkey::clock::Clock;
use latchkey::db::MIGRATOR;
use latchkey::id::IdSource;
use latchkey::secrets::{SecretKeys, seal_context};
use latchkey::throttle::{self, Budget, Limit, ThrottleSettings};
use latchkey::webhooks::WebhookSettings;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::migrate::Migrator;
use sqlx::{Connection as _, Executor as _, PgConnection};
use uuid::Uuid;

use crate::feed;
use crate::support::{Client, TestApp, TestDb, TestServer, header, nodes, text};

/// The newest migration of the release before.
const LAST: i64 = 132;
/// When everything happens.
const NOW: &str = "2026-01-30T09:00:00Z";

const HOTEL: Uuid = Uuid::from_u128(1);
const VENDOR: Uuid = Uuid::from_u128(2);
const DESK: Uuid = Uuid::from_u128(3);
const VENDOR_KEY: Uuid = Uuid::from_u128(4);
const DESK_KEY: Uuid = Uuid::from_u128(5);
const STAY: Uuid = Uuid::from_u128(0x100);
const PIN: Uuid = Uuid::from_u128(0x200);
const ENDPOINT: Uuid = Uuid::from_u128(0x300);

const VENDOR_LIVE: &str = "pms_live_00000000000000000000000000000001";
const VENDOR_TEST: &str = "pms_test_00000000000000000000000000000001";
const DESK_LIVE: &str = "pms_live_00000000000000000000000000000002";
const DESK_TEST: &str = "pms_test_00000000000000000000000000000002";

/// The answer to [`repeated`] that was kept before the upgrade.
const ANSWER: &str = r#"{"data":{"createRoomAccessKey":{"roomAccessKey":{"id":"kept"}}}}"#;

/// What does not depend on secrets. The first event and the first entry of the audit trail lie in the default partition.
const FURNITURE: &str = r"
CALL create_week_partition('events', '2026-01-26');
CALL create_week_partition('audit_entries', '2026-01-26');
CALL create_week_partition('webhook_deliveries', '2026-01-26');

INSERT INTO hotels (id, slug, name, time_zone, check_in_time, check_out_time, longest_stay_nights, created_at)
VALUES ('00000000-0000-0000-0000-000000000001', 'grand-hotel', 'Grand Hotel', 'Europe/Berlin', '15:00', '11:00', 3, '2026-01-01T00:00Z'),
       ('00000000-0000-0000-0000-0000000000ff', 'next-door', 'Next door', 'Europe/Lisbon', '15:00', '11:00', 0, '2026-01-01T00:00Z');
INSERT INTO integrations (hotel_id, id, name, created_at)
VALUES ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002', 'Door locks', '2026-01-01T00:00Z'),
       ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000003', 'Front desk', '2026-01-01T00:00Z');
INSERT INTO api_key_usage (hotel_id, api_key_id, request_count, last_used_at)
VALUES ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000004', 41, '2026-01-30T08:00Z');
INSERT INTO api_key_budgets (hotel_id, api_key_id, requests_owed, cost_owed, as_of)
VALUES ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000004', 60000000, 0, '2026-01-30T09:00Z');
INSERT INTO categories (hotel_id, id, name, created_at, updated_at)
VALUES ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000010', 'Double', '2026-01-01T00:00Z', '2026-01-01T00:00Z');
INSERT INTO room_setups (hotel_id, id, name, category_id, created_at, updated_at)
SELECT '00000000-0000-0000-0000-000000000001', ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, n::text,
       '00000000-0000-0000-0000-000000000010', '2026-01-01T00:00Z', '2026-01-01T00:00Z'
FROM generate_series(101, 110) n;
INSERT INTO clients (hotel_id, id, kind, firstname, lastname, created_at, updated_at)
VALUES ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000020', 'PERSON', 'Zoë', 'Müller', '2026-01-01T00:00Z', '2026-01-01T00:00Z');
INSERT INTO reservations (hotel_id, id, code, client_id, created_at, updated_at)
VALUES ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000030', 'ÄB-1', '00000000-0000-0000-0000-000000000020', '2026-01-01T00:00Z', '2026-01-01T00:00Z');
INSERT INTO reservation_imports (hotel_id, integration_id, external_id, reservation_id, created_at)
VALUES ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000003', 'X-1', '00000000-0000-0000-0000-000000000030', '2026-01-01T00:00Z');

INSERT INTO event_counters (hotel_id, last_position) VALUES ('00000000-0000-0000-0000-000000000001', 4);
INSERT INTO events (hotel_id, position, created_at, id, type, object_id, updated_fields, actor_type, actor_id)
SELECT '00000000-0000-0000-0000-000000000001', e.position, e.at, sha256(e.position::text::bytea), e.type,
       '00000000-0000-0000-0000-000000000100', e.fields, e.actor_type, e.actor_id
FROM (VALUES (1, '2026-01-24T09:00Z'::timestamptz, 'room_stay.created', NULL::text[], 'import', NULL::uuid),
             (2, '2026-01-28T10:00Z', 'room_stay.updated', '{roomAccessKey}', 'integration', '00000000-0000-0000-0000-000000000002'),
             (3, '2026-01-29T09:00Z', 'room_stay.updated', '{roomAccessKey}', 'pruner', NULL),
             (4, '2026-01-29T10:00Z', 'room_stay.updated', '{roomAccessKey}', 'system', NULL))
     e (position, at, type, fields, actor_type, actor_id);
INSERT INTO audit_entries (hotel_id, id, created_at, action, object_type, object_id, actor_type, integration_id, api_key_id, request_id, reason)
SELECT '00000000-0000-0000-0000-000000000001', ('019c0000-0000-7000-8000-00000000000' || a.n)::uuid, a.at, 'CREATED', 'ROOM_STAY',
       '00000000-0000-0000-0000-000000000100', a.actor_type, a.integration_id, a.api_key_id, a.request_id, a.reason
FROM (VALUES (1, '2026-01-24T09:00Z'::timestamptz, 'IMPORT', NULL::uuid, NULL::uuid, NULL, NULL),
             (2, '2026-01-28T10:00Z', 'INTEGRATION', '00000000-0000-0000-0000-000000000003', '00000000-0000-0000-0000-000000000005', 'r-2', 'noise'),
             (3, '2026-01-29T09:00Z', 'COMMAND_LINE', NULL, NULL, NULL, NULL),
             (4, '2026-01-29T10:00Z', 'PRUNER', NULL, NULL, NULL, NULL),
             (5, '2026-01-29T11:00Z', 'SYSTEM', NULL, NULL, NULL, NULL))
     a (n, at, actor_type, integration_id, api_key_id, request_id, reason);
";

/// A request that was answered before the upgrade, and comes again.
fn repeated() -> Value {
    json!({"query": "mutation { createRoomAccessKey(input: {roomAccessPin: {pin: \"1\"}}) { roomAccessKey { id } } }"})
}

/// A hotel as the release before left it, and an application of this release that is to serve it.
async fn furnished() -> TestApp {
    let db = TestDb::empty().await;
    let mut owner = PgConnection::connect_with(&db.options()).await.expect("connected");
    let known = MIGRATOR.iter().filter(|migration| migration.version <= LAST).cloned().collect();
    Migrator::with_migrations(known).run(&mut owner).await.expect("migrated");
    owner.execute(FURNITURE).await.expect("furnished");
    owner.close().await.expect("closed");
    let clock = Clock::manual(NOW.parse().expect("an instant"));
    let ids = IdSource::operating_system();
    let secret_keys = SecretKeys::parse(&SecretKeys::generate(&ids)).unwrap_or_else(|reason| panic!("{reason}"));
    let test = TestApp { app: App::new(db.options(), 5, clock, ids, secret_keys, WebhookSettings::default()), db };
    add_api_key(&test, VENDOR_KEY, VENDOR, "WRITE", [VENDOR_LIVE, VENDOR_TEST]).await;
    add_api_key(&test, DESK_KEY, DESK, "ADMIN", [DESK_LIVE, DESK_TEST]).await;
    add_stays(&test).await;
    add_endpoint(&test).await;
    keep(&test, "before", ANSWER).await;
    test
}

async fn upgrade(test: &TestApp) {
    let mut owner = PgConnection::connect_with(&test.db.options()).await.expect("connected");
    latchkey::db::migrate(&mut owner).await.expect("migrated");
    owner.close().await.expect("closed");
}

async fn add_api_key(test: &TestApp, id: Uuid, integration: Uuid, permission: &str, keys: [&str; 2]) {
    let insert = "INSERT INTO api_keys (id, hotel_id, integration_id, name, permission, live_hash, test_hash,
                                        live_preview, test_preview, created_at)
                  VALUES ($1, $2, $3, 'Key', $4, $5, $6, '', '', '2026-01-01T00:00Z')";
    let insert = sqlx::query(insert).bind(id).bind(HOTEL).bind(integration).bind(permission);
    let insert = insert.bind(&ApiKey::hash_of(keys[0])[..]).bind(&ApiKey::hash_of(keys[1])[..]);
    insert.execute(&test.db.pool).await.expect("an API key");
}

/// Three stays, a guest and a PIN on the first one.
async fn add_stays(test: &TestApp) {
    let pin = test.secret_keys.seal(&test.ids, &seal_context(HOTEL, PIN), "0042");
    sqlx::query(
        "INSERT INTO room_access_keys (hotel_id, id, integration_id, kind, secret, created_at)
         VALUES ($1, $2, $3, 'PIN', $4, '2026-01-28T10:00Z')",
    )
    .bind(HOTEL)
    .bind(PIN)
    .bind(VENDOR)
    .bind(pin)
    .execute(&test.db.pool)
    .await
    .expect("a PIN");
    for number in 0..3_u128 {
        let key = (number == 0).then_some(PIN);
        sqlx::query(
            "INSERT INTO room_stays (hotel_id, id, reservation_id, category_id, reservation_from, reservation_to,
                                     room_access_key_id, room_access_key_kind, room_access_key_due_at, created_at, updated_at)
             VALUES ($1, $2, '00000000-0000-0000-0000-000000000030', '00000000-0000-0000-0000-000000000010',
                     '2026-01-30', '2026-02-02', $3, CASE WHEN $3 IS NOT NULL THEN 'PIN' END,
                     CASE WHEN $3 IS NOT NULL THEN '2026-02-02T10:00Z'::timestamptz END, '2026-01-28T09:00Z', '2026-01-28T09:00Z')",
        )
        .bind(HOTEL)
        .bind(Uuid::from_u128(STAY.as_u128() + number))
        .bind(key)
        .execute(&test.db.pool)
        .await
        .expect("a stay");
    }
    let guest = "INSERT INTO room_stay_guests (hotel_id, room_stay_id, position, client_id)
                 VALUES ($1, $2, 1, '00000000-0000-0000-0000-000000000020')";
    sqlx::query(guest).bind(HOTEL).bind(STAY).execute(&test.db.pool).await.expect("a guest");
}

/// An endpoint with a delivery that was sent and one that waits.
async fn add_endpoint(test: &TestApp) {
    let secret = test.secret_keys.seal(&test.ids, &seal_context(HOTEL, ENDPOINT), "whsec_x");
    sqlx::query(
        "INSERT INTO webhook_endpoints (hotel_id, id, integration_id, url, status, events, secret, created_at, updated_at)
         VALUES ($1, $2, $3, 'https://example.com/', 'ENABLED', '{client.deleted,room_stay.updated}', $4,
                 '2026-01-28T09:00Z', '2026-01-28T09:00Z')",
    )
    .bind(HOTEL)
    .bind(ENDPOINT)
    .bind(DESK)
    .bind(secret)
    .execute(&test.db.pool)
    .await
    .expect("an endpoint");
    for statement in [
        "INSERT INTO webhook_deliveries (hotel_id, endpoint_id, event_position, created_at, status, attempts, finished_at)
         VALUES ($1, $2, 2, '2026-01-28T10:00Z', 'DELIVERED', 1, '2026-01-28T10:00Z')",
        "INSERT INTO webhook_deliveries (hotel_id, endpoint_id, event_position, created_at, next_attempt_at)
         VALUES ($1, $2, 3, '2026-01-29T09:00Z', '2026-01-30T10:00Z')",
        "INSERT INTO webhook_attempts (hotel_id, endpoint_id, event_position, attempt, created_at, duration_ms, status_code)
         VALUES ($1, $2, 2, 1, '2026-01-28T10:00Z', 5, 200)",
    ] {
        let insert = sqlx::query(statement).bind(HOTEL).bind(ENDPOINT);
        insert.execute(&test.db.pool).await.expect("a delivery");
    }
}

/// Keeps an answer to the vendor's [`repeated`] request, as the release before does.
async fn keep(test: &TestApp, key: &str, answer: &str) {
    let hash = Sha256::digest(format!("POST /graphql\0{}", repeated()));
    let plain = hash.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    });
    let row = [b"idempotent answer", &HOTEL.as_bytes()[..], VENDOR_KEY.as_bytes(), key.as_bytes()].concat();
    let sealed = test.secret_keys.seal(&test.ids, &row, &format!("{plain}200{answer}"));
    sqlx::query(
        "INSERT INTO idempotent_answers (hotel_id, api_key_id, idempotency_key, sealed, created_at)
         VALUES ($1, $2, $3, $4, '2026-01-30T08:00Z')
         ON CONFLICT ON CONSTRAINT idempotent_answers_pkey
         DO UPDATE SET sealed = excluded.sealed, created_at = excluded.created_at",
    )
    .bind(HOTEL)
    .bind(VENDOR_KEY)
    .bind(key)
    .bind(sealed)
    .execute(&test.db.pool)
    .await
    .expect("kept");
}

#[tokio::test]
async fn what_was_there_before_an_upgrade_is_served() {
    let test = furnished().await;
    upgrade(&test).await;
    let unvalidated: Vec<String> =
        sqlx::query_scalar("SELECT conrelid::regclass || ' ' || conname FROM pg_constraint WHERE NOT convalidated")
            .fetch_all(&test.db.pool)
            .await
            .expect("the catalogue can be read");
    assert_eq!(unvalidated, [""; 0]);

    let vendor = Client::new(&test, VENDOR_LIVE).await;
    let query = "{ room_stays(first: 2) { totalCount edges { node { id reservation { code client { ... on Person { lastname } } } \
                 roomAccessKey { ... on RoomAccessPin { pin } } } } } }";
    let stays = vendor.data(query, json!({})).await;
    assert_eq!(stays["room_stays"]["totalCount"], 3);
    let first = json!({"id": STAY, "reservation": {"code": "ÄB-1", "client": {"lastname": "Müller"}},
                       "roomAccessKey": {"pin": "0042"}});
    assert_eq!(stays["room_stays"]["edges"][0]["node"], first);

    let spaces = vendor.data("{ spaces { edges { node { id name roomSetup { id name } } } } }", json!({})).await;
    let spaces = nodes(&spaces["spaces"]);
    assert!(!spaces.is_empty(), "each room is a space");
    for space in spaces {
        assert_eq!(space["roomSetup"], json!({"id": space["id"], "name": space["name"]}));
    }

    let desk = Client::new(&test, DESK_LIVE).await;
    let query = "{ webhookEndpoints { edges { node { id status events } } } }";
    let endpoints = desk.data(query, json!({})).await;
    let endpoint = json!({"id": ENDPOINT, "status": "ENABLED", "events": ["room_stay.updated"]});
    assert_eq!(nodes(&endpoints["webhookEndpoints"]), [endpoint]);
    let query =
        "query($id: ID!) { webhookDeliveries(endpointId: $id) { edges { node { status attempts { statusCode } } } } }";
    let mut deliveries = nodes(&desk.data(query, json!({"id": ENDPOINT})).await["webhookDeliveries"]);
    deliveries.sort_by_key(|delivery| text(&delivery["status"]));
    let (sent, waiting) = (json!([{"statusCode": 200}]), json!([]));
    let expected =
        [json!({"status": "DELIVERED", "attempts": sent}), json!({"status": "PENDING", "attempts": waiting})];
    assert_eq!(deliveries, expected);
    let usage = desk.data("{ apiKeys { edges { node { id requestCount } } } }", json!({})).await;
    assert_eq!(nodes(&usage["apiKeys"])[0], json!({"id": VENDOR_KEY, "requestCount": 41}));
}

#[tokio::test]
async fn events_and_audit_trail_go_on_after_an_upgrade() {
    let test = furnished().await;
    upgrade(&test).await;
    let vendor = Client::new(&test, VENDOR_LIVE).await;
    vendor.done("updateRoomStay", json!({"id": STAY, "check_in": "2026-01-30T08:00:00Z"}), "roomStay { id }").await;
    let reader = Client::new(&test, DESK_LIVE).await;
    let query = "{ auditEntries(last: 100) { edges { node { actor { type integration { name } apiKey { id } } reason requestId } } } }";
    let entries = nodes(&reader.data(query, json!({})).await["auditEntries"]);
    let kinds: Vec<String> = entries.iter().rev().map(|entry| text(&entry["actor"]["type"])).collect();
    assert_eq!(kinds, ["IMPORT", "INTEGRATION", "COMMAND_LINE", "PRUNER", "SYSTEM", "INTEGRATION"]);
    let by_desk = json!({"actor": {"type": "INTEGRATION", "integration": {"name": "Front desk"}, "apiKey": {"id": DESK_KEY}},
                         "reason": "noise", "requestId": "r-2"});
    assert_eq!(entries[4], by_desk);

    let mut staff = reader.clone();
    staff.actor.principal = Principal::Staff { id: Uuid::from_u128(7) };
    staff
        .done("moveRoomStay", json!({"roomStayId": STAY, "roomSetupId": Uuid::from_u128(0x101)}), "roomStay { id }")
        .await;

    let page = feed::page(&reader, json!({"first": 100})).await;
    let actors: Vec<Value> = nodes(&page).iter().map(|event| event["actor"].clone()).collect();
    let of = |kind: &str, id: Option<Uuid>| json!({"type": kind, "id": id});
    let expected = [
        of("import", None),
        of("integration", Some(VENDOR)),
        of("pruner", None),
        of("system", None),
        of("integration", Some(VENDOR)),
        of("staff", Some(Uuid::from_u128(7))),
    ];
    assert_eq!(actors, expected);
}

#[tokio::test]
async fn requests_of_before_an_upgrade_are_answered_again_and_counted_on() {
    let test = furnished().await;
    upgrade(&test).await;
    // A process of the release before still runs, and keeps answers as it always has.
    keep(&test, "meanwhile", ANSWER).await;
    let server = TestServer::start(&test).await;
    let send = async |key: &str| {
        let response = server.post(VENDOR_LIVE, &repeated()).header("idempotency-key", key).send().await;
        let response = response.expect("an answer");
        (header(&response, "idempotent-replayed") == "true", response.text().await.expect("text"))
    };
    for key in ["before", "meanwhile"] {
        assert_eq!(send(key).await, (true, ANSWER.to_owned()), "{key}");
    }
    let (replayed, new) = send("after").await;
    assert!(!replayed && new != ANSWER, "{new}");
    assert_eq!(send("after").await, (true, new));
    // The release before finds what this one has kept.
    let found =
        "SELECT count(*) FROM idempotent_answers WHERE hotel_id = $1 AND api_key_id = $2 AND idempotency_key = 'after'";
    let found: i64 =
        sqlx::query_scalar(found).bind(HOTEL).bind(VENDOR_KEY).fetch_one(&test.db.pool).await.expect("a count");
    assert_eq!(found, 1);

    let limits = ThrottleSettings { requests: Limit::new(10), ..ThrottleSettings::unlimited() };
    let (clock, ids, keys) = (test.clock.clone(), test.ids.clone(), test.secret_keys.clone());
    let limited = App::with_limits(test.db.options(), 5, clock, ids, keys, WebhookSettings::default(), limits);
    let vendor = Client::new(&test, VENDOR_LIVE).await.actor;
    limited.throttle.admit_request(&vendor).expect("admitted");
    throttle::exchange(&limited, &limited.throttle).await.expect("exchanged");
    let left = limited.throttle.left(&vendor).find(|(budget, _)| *budget == Budget::Requests);
    assert_eq!(left.map(|(_, left)| left.units), Some(8), "one of ten was owed before");
}
