//! Secret keys are changed while everything goes on.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use chrono_tz::Tz;
use latchkey::app::App;
use latchkey::db::embedded::{Durability, Embedded};
use latchkey::id::IdSource;
use latchkey::rotation::{self, PLACES, Rotated};
use latchkey::secrets::{SecretKeys, key_file, seal_context};
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool};
use uuid::Uuid;

use crate::secret_keys::insert_pin;
use crate::support::client::CREATE_KEY;
use crate::support::{
    Client, DataDir, House, LATCHKEY, Receiver, Reply, TestApp, TestDb, TestServer, fingerprint, header, text,
    until_somebody_waits,
};
use crate::webhooks::{Hooks, secrets::verify, settings};

const ROTATE_WEBHOOK: &str = "mutation($id: ID!) { rotateWebhookSecret(input: {id: $id}) { secret } }";
const PINS: &str = "{ roomAccessKeys(first: 100) { edges { node { ... on RoomAccessPin { pin } \
    ... on RoomAccessKeyStorage { pin } ... on RoomAccessQR { qrData } } } } }";

/// Key 1 alone, key 2 in front of it, and key 2 alone.
fn rings() -> [String; 3] {
    let ids = IdSource::operating_system();
    let old = SecretKeys::generate(&ids);
    let new = parse(&old).generate_next(&ids);
    [old.clone(), format!("{new},{old}"), new]
}

fn parse(ring: &str) -> SecretKeys {
    SecretKeys::parse(ring).unwrap_or_else(|reason| panic!("{reason}"))
}

/// The application with another ring.
fn with_ring(app: &TestApp, ring: &str) -> App {
    App::new(app.db.options(), 5, app.clock.clone(), app.ids.clone(), parse(ring), app.webhooks.clone())
}

async fn reseal(app: &App) -> Vec<Rotated> {
    rotation::reseal_all(app).await.unwrap_or_else(|error| panic!("{error:?}"))
}

fn counts(rotated: &[Rotated]) -> Vec<(usize, usize)> {
    rotated.iter().map(|done| (done.seen, done.resealed)).collect()
}

/// Makes keys of `house` past the API, sealed with the ring of `app`.
async fn insert_keys(app: &App, house: &House, number: usize) {
    let ids: Vec<Uuid> = (0..number).map(|_| app.ids.uuid(app.clock.now())).collect();
    let sealed: Vec<Vec<u8>> =
        ids.iter().map(|id| app.secret_keys.seal(&app.ids, &seal_context(house.hotel.id, *id), "0042")).collect();
    sqlx::query(
        "INSERT INTO room_access_keys (hotel_id, id, integration_id, kind, secret, created_at)
         SELECT $1, k.id, $2, 'PIN', k.secret, $3 FROM unnest($4::uuid[], $5::bytea[]) AS k (id, secret)",
    )
    .bind(house.hotel.id)
    .bind(house.keys.integration_id)
    .bind(app.clock.now())
    .bind(ids)
    .bind(sealed)
    .execute(&mut *app.worker_pool.acquire().await.expect("a connection"))
    .await
    .expect("inserted");
}

/// How many room access keys each secret key has sealed.
async fn sealed_by(pool: &PgPool) -> Vec<(i32, i64)> {
    sqlx::query_as("SELECT get_byte(secret, 3), count(*) FROM room_access_keys GROUP BY 1 ORDER BY 1")
        .fetch_all(pool)
        .await
        .expect("keys")
}

#[tokio::test]
async fn everything_that_was_sealed_opens_with_the_new_key_alone() {
    let [old, both, new] = rings();
    let mut test = TestApp::with_webhooks(settings("127.0.0.0/8")).await;
    test.app = with_ring(&test, &old);
    let mut hooks = Hooks::on(test).await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    for input in [
        json!({"roomAccessPin": {"pin": "0042"}}),
        json!({"roomAccessQR": {"qrData": "open sesame"}}),
        json!({"roomAccessKeyStorage": {"pin": "4711", "compartment": "3L"}}),
    ] {
        hooks.house.key(input).await;
    }
    let (endpoint, previous) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    let rotated = hooks.house.locks.data(ROTATE_WEBHOOK, json!({"id": endpoint})).await;
    let secret = text(&rotated["rotateWebhookSecret"]["secret"]);
    let body = json!({"query": CREATE_KEY, "variables": {"input": {"roomAccessPin": {"pin": "1"}}}});
    let live = hooks.house.keys.live.clone();
    let send = async |app: &App| {
        let server = TestServer::start(app).await;
        let response = server.post(&live, &body).header("idempotency-key", "k").send().await.expect("an answer");
        (header(&response, "idempotent-replayed") == "true", response.text().await.expect("text"))
    };
    let (_, answer) = send(&hooks.house.test).await;
    let before = hooks.house.locks.data(PINS, json!({})).await;

    let rotated = reseal(&with_ring(&hooks.house.test, &both)).await;
    assert_eq!(counts(&rotated), [(4, 4), (1, 1), (1, 1), (1, 1)]);
    let only_new = with_ring(&hooks.house.test, &new);
    assert_eq!(counts(&reseal(&only_new).await), [(4, 0), (1, 0), (1, 0), (1, 0)]);

    let locks = Client::new(&only_new, &live).await;
    assert_eq!(locks.data(PINS, json!({})).await, before);
    assert_eq!(send(&only_new).await, (true, answer));
    hooks.house.stay("R1").await;
    hooks.house.test.app = only_new;
    assert_eq!(hooks.deliver().await, 1);
    let arrived = receiver.received().remove(0);
    let now = hooks.house.test.clock.now();
    assert!(verify(&arrived, &secret, now) && verify(&arrived, &previous, now));
}

#[tokio::test]
async fn hotels_of_any_size_are_done_batch_by_batch_and_once() {
    let [old, both, _] = rings();
    let mut test = TestApp::new().await;
    test.app = with_ring(&test, &old);
    let house = House::on(test, "grand-hotel", Tz::Europe__Berlin).await;
    let next_door = house.next_door().await;
    insert_keys(&house.test, &house, 1203).await;
    insert_keys(&house.test, &next_door, 500).await;
    let app = with_ring(&house.test, &both);
    insert_keys(&app, &house, 2).await;
    assert_eq!(counts(&reseal(&app).await)[0], (1705, 1703));
    assert_eq!(sealed_by(&house.test.db.pool).await, [(2, 1705)]);
    let before = fingerprint(&house.test.db.pool).await;
    assert_eq!(counts(&reseal(&app).await)[0], (1705, 0));
    assert_eq!(fingerprint(&house.test.db.pool).await, before, "what is current is not written again");
}

#[tokio::test]
async fn rows_that_others_hold_are_waited_for_while_nothing_is_held_and_an_interrupted_run_goes_on() {
    let [old, both, _] = rings();
    let mut test = TestApp::new().await;
    test.app = with_ring(&test, &old);
    let house = House::on(test, "grand-hotel", Tz::Europe__Berlin).await;
    insert_keys(&house.test, &house, 20).await;
    let pool = &house.test.db.pool;
    let mut conn = PgConnection::connect_with(&house.test.db.options()).await.expect("connected");
    let mut held = conn.begin().await.expect("begun");
    sqlx::query(
        "SELECT FROM room_access_keys WHERE id IN (SELECT id FROM room_access_keys ORDER BY id LIMIT 2) FOR UPDATE",
    )
    .execute(&mut *held)
    .await
    .expect("held");

    for _ in 0..2 {
        let app = with_ring(&house.test, &both);
        let run = tokio::spawn(async move { reseal(&app).await });
        until_somebody_waits(pool).await;
        assert_eq!(sealed_by(pool).await, [(1, 2), (2, 18)], "the others are done");
        sqlx::query("SELECT FROM room_access_keys WHERE get_byte(secret, 3) = 2 FOR UPDATE NOWAIT")
            .execute(pool)
            .await
            .expect("and free");
        run.abort();
        assert!(run.await.is_err_and(|end| end.is_cancelled()));
        let waits = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                     WHERE datname = current_database() AND wait_event_type = 'Lock'";
        sqlx::query(waits).execute(pool).await.expect("its connection ends, as that of a process does");
    }

    let app = with_ring(&house.test, &both);
    let run = tokio::spawn(async move { reseal(&app).await });
    until_somebody_waits(pool).await;
    held.rollback().await.expect("let go");
    assert_eq!(counts(&run.await.expect("ends"))[0], (20, 2));
    assert_eq!(sealed_by(pool).await, [(2, 20)]);
}

#[tokio::test]
async fn a_value_that_does_not_open_is_named_and_left_while_the_others_are_done() {
    let [old, both, new] = rings();
    let mut test = TestApp::new().await;
    test.app = with_ring(&test, &old);
    let house = House::on(test, "grand-hotel", Tz::Europe__Berlin).await;
    insert_keys(&house.test, &house, 3).await;
    let (damaged, before): (Uuid, Vec<u8>) = sqlx::query_as(
        "UPDATE room_access_keys SET secret = set_byte(secret, 40, get_byte(secret, 40) # 1)
         WHERE id = (SELECT id FROM room_access_keys ORDER BY id LIMIT 1) RETURNING id, secret",
    )
    .fetch_one(&house.test.db.pool)
    .await
    .expect("damaged");
    // Without the old key none opens.
    let rotated = reseal(&with_ring(&house.test, &new)).await;
    assert_eq!((rotated[0].resealed, rotated[0].unopened.len()), (0, 3));
    for resealed in [2, 0] {
        let rotated = reseal(&with_ring(&house.test, &both)).await;
        assert_eq!((rotated[0].seen, rotated[0].resealed), (3, resealed));
        assert_eq!(rotated[0].unopened, [format!("{} {damaged}", house.hotel.id)]);
    }
    let after: Vec<u8> = sqlx::query_scalar("SELECT secret FROM room_access_keys WHERE id = $1")
        .bind(damaged)
        .fetch_one(&house.test.db.pool)
        .await
        .expect("still there");
    assert_eq!(after, before);
}

#[tokio::test]
async fn every_column_of_bytes_is_a_place_of_sealed_values_or_known_to_be_none() {
    let db = TestDb::new().await;
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname || '.' || a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
         AND c.relname NOT LIKE '\\_sqlx%' AND a.atttypid = 'bytea'::regtype AND a.attnum > 0 AND NOT a.attisdropped",
    )
    .fetch_all(&db.pool)
    .await
    .expect("the catalogue can be read");
    let columns: BTreeSet<String> = columns.into_iter().collect();
    let places = PLACES.map(|place| format!("{}.{}", place.table, place.column));
    let others =
        ["api_keys.live_hash", "api_keys.test_hash", "events.id", "secret_keys.fingerprint"].map(str::to_owned);
    assert_eq!(columns, places.into_iter().chain(others).collect());
}

/// A server process and a lock vendor's key for it.
struct Vendor {
    http: reqwest::Client,
    url: String,
    key: String,
}

impl Vendor {
    async fn ask(&self, query: &str, variables: Value) -> Value {
        let body = json!({"query": query, "variables": variables});
        let request = self.http.post(&self.url).bearer_auth(&self.key).json(&body);
        let answer: Value = request.send().await.expect("an answer").json().await.expect("JSON");
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"].clone()
    }

    async fn create(&self, pin: &str) {
        self.ask(CREATE_KEY, json!({"input": {"roomAccessPin": {"pin": pin}}})).await;
    }

    async fn pins(&self) -> Vec<String> {
        let data = self.ask(PINS, json!({})).await;
        data["roomAccessKeys"]["edges"]
            .as_array()
            .expect("edges")
            .iter()
            .map(|edge| text(&edge["node"]["pin"]))
            .collect()
    }
}

fn make_hotel(data: &DataDir) -> String {
    data.print(&["hotel", "create", "grand-hotel", "--name", "Grand Hotel", "--time-zone", "Europe/Berlin"]);
    let created = data.print(&["api-key", "create", "grand-hotel", "--integration", "Locks", "--permission", "WRITE"]);
    created.lines().find_map(|line| line.strip_prefix("live")).expect("a live key").trim().to_owned()
}

/// Makes a file look as if it had been changed two minutes earlier.
fn age(path: &Path) {
    let file = File::options().write(true).open(path).expect("the file");
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)).expect("older");
}

#[tokio::test]
async fn a_running_server_follows_the_key_file_of_the_data_folder() {
    let data = DataDir::new();
    let key = make_hotel(&data);
    let serving = data.serve();
    let vendor = Vendor { http: reqwest::Client::new(), url: format!("{}/graphql", serving.url), key };
    let embedded = Embedded::start(&data.cluster(), Durability::Durable, Path::new(LATCHKEY)).await;
    let embedded = embedded.unwrap_or_else(|error| panic!("{error}"));
    let options = embedded.connect_options("latchkey");
    let sealed_by = async || {
        let mut conn = options.connect().await.expect("connected");
        sqlx::query_as::<_, (i32, i64)>("SELECT get_byte(secret, 3), count(*) FROM room_access_keys GROUP BY 1")
            .fetch_all(&mut conn)
            .await
            .expect("keys")
    };
    let file = data.path().join("secret.keys");
    let ids = || {
        let text = fs::read_to_string(&file).expect("the keys");
        text.split(',').map(|entry| entry.split_once(':').expect("an id").0.to_owned()).collect::<Vec<_>>()
    };
    vendor.create("1").await;

    let said = data.print(&["rotate-secrets", "--new-key"]);
    assert!(
        said.contains("room_access_keys.secret\tseen 1\tre-sealed 1\n") && said.contains("Run this again"),
        "{said}"
    );
    assert_eq!(ids(), ["2", "1"]);
    assert_eq!(vendor.pins().await, ["1"], "the server opens what it has never seen the key of");
    vendor.create("2").await;
    assert_eq!(sealed_by().await, [(2, 2)], "and seals with it");

    let refused = data.run(&["rotate-secrets", "--remove-old-keys"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("less than a minute old"));
    assert_eq!((refused.status.code(), ids().len()), (Some(1), 2));
    // While something is still sealed with another key, none is removed.
    key_file::add_key(&file, &IdSource::operating_system()).expect("added");
    age(&file);
    let refused = data.run(&["rotate-secrets", "--remove-old-keys"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("were not removed"));
    assert_eq!((refused.status.code(), ids().len()), (Some(1), 3));

    let said = data.print(&["rotate-secrets", "--remove-old-keys"]);
    assert!(said.ends_with("Only key 3 is left.\n"), "{said}");
    assert_eq!(ids(), ["3"]);
    vendor.create("3").await;
    assert_eq!(vendor.pins().await, ["1", "2", "3"]);
    assert_eq!(sealed_by().await, [(3, 3)]);
    let (_, log) = serving.end(rustix::process::Signal::TERM);
    assert!(!log.contains(r#""level":"ERROR""#), "{log}");
}

#[tokio::test]
async fn with_a_setting_the_new_key_is_printed_and_the_rest_is_the_operators() {
    let db = TestDb::new().await;
    let data = DataDir::with_database(&db);
    make_hotel(&data);
    let before = fingerprint(&db.pool).await;
    let printed = data.print(&["rotate-secrets", "--new-key"]);
    assert!(printed.starts_with("2:") && SecretKeys::parse(&printed).is_ok());
    assert_eq!(fingerprint(&db.pool).await, before);
    assert!(!data.path().join("secret.keys").exists());
    assert_eq!(data.run(&["rotate-secrets", "--remove-old-keys"]).status.code(), Some(2));

    let ring = "1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    insert_pin(&db.pool, ring).await;
    let both = format!("{},{ring}", printed.trim());
    let first = data.print(&["rotate-secrets", "--secret-key", &both]);
    assert!(first.contains("seen 1\tre-sealed 1\n"), "{first}");
    let second = data.print(&["rotate-secrets", "--secret-key", &both]);
    assert!(second.ends_with("Everything is sealed with key 2. Older keys can be removed.\n"), "{second}");
    let third = data.print(&["rotate-secrets", "--secret-key", printed.trim()]);
    assert!(third.ends_with("Everything is sealed with key 2.\n"), "{third}");
    let lost = data.run(&["rotate-secrets"]);
    assert!(String::from_utf8_lossy(&lost.stderr).contains("lacks key 2"));
    assert_eq!(lost.status.code(), Some(2));
}

#[tokio::test]
async fn a_check_opens_everything_counts_by_key_and_changes_nothing() {
    let [old, both, _] = rings();
    let mut test = TestApp::new().await;
    test.app = with_ring(&test, &old);
    let house = House::on(test, "grand-hotel", Tz::Europe__Berlin).await;
    insert_keys(&house.test, &house, 510).await;
    let app = with_ring(&house.test, &both);
    insert_keys(&app, &house, 3).await;
    let data = DataDir::with_database(&house.test.db);
    let before = fingerprint(&house.test.db.pool).await;
    let check = ["rotate-secrets", "--check", "--secret-key", &both];
    let said = data.print(&check);
    assert!(
        said.contains("seen 513\tre-sealed 0\n") && said.contains("key 1\t510 values\nkey 2\t3 values\n"),
        "{said}"
    );
    assert!(said.ends_with("Everything opens.\n"), "{said}");
    assert_eq!(fingerprint(&house.test.db.pool).await, before);

    // Of a value that bears the number of the first key, nothing but opening it tells.
    let damaged: Uuid = sqlx::query_scalar(
        "UPDATE room_access_keys SET secret = set_byte(secret, 40, get_byte(secret, 40) # 1)
         WHERE id = (SELECT id FROM room_access_keys WHERE get_byte(secret, 3) = 2 LIMIT 1) RETURNING id",
    )
    .fetch_one(&house.test.db.pool)
    .await
    .expect("damaged");
    let before = fingerprint(&house.test.db.pool).await;
    for command in [&check[..], &["rotate-secrets", "--secret-key", &both]] {
        let found = data.run(command);
        let said = String::from_utf8_lossy(&found.stdout).into_owned();
        assert!(said.contains(&format!("unopened\t{} {damaged}\n", house.hotel.id)), "{said}");
        assert_eq!(found.status.code(), Some(1));
        if command == check {
            assert_eq!(fingerprint(&house.test.db.pool).await, before);
        }
    }
}

#[tokio::test]
async fn values_that_a_server_sealed_with_another_key_under_the_number_are_recovered_once_that_key_is_there() {
    let [right, _, _] = rings();
    let wrong = SecretKeys::generate(&IdSource::operating_system());
    let mut test = TestApp::new().await;
    test.app = with_ring(&test, &right);
    let house = House::on(test, "grand-hotel", Tz::Europe__Berlin).await;
    insert_keys(&house.test, &house, 2).await;
    insert_keys(&with_ring(&house.test, &wrong), &house, 3).await;
    assert_eq!(reseal(&house.test).await[0].unopened.len(), 3);
    let both = format!("{right},{}", wrong.replacen("1:", "2:", 1));
    let done = &reseal(&with_ring(&house.test, &both)).await[0];
    assert_eq!((done.seen, done.resealed, done.unopened.len()), (5, 3, 0));
    assert_eq!(house.locks.own_pins().await, ["0042"; 5]);
}
