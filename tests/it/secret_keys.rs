//! Secret keys that are not those of the database, and values that do not open.

use std::fs;
use std::io::Write as _;
use std::process::{Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use latchkey::id::IdSource;
use latchkey::secrets::{SecretKeys, seal_context};
use latchkey::webhooks;
use rustix::process::Signal;
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::client::CREATE_KEY;
use crate::support::{
    Client, DataDir, House, Receiver, Reply, TestDb, TestServer, error_code, fingerprint, nodes, postgres_program, text,
};
use crate::webhooks::{Hooks, log, secrets::verify};

/// A key of a ring: always the same for the same letter.
fn key(number: u32, letter: u8) -> String {
    format!("{number}:{}", STANDARD.encode([letter; 32]))
}

fn ring(keys: &[(u32, u8)]) -> String {
    keys.iter().map(|(number, letter)| key(*number, *letter)).collect::<Vec<_>>().join(",")
}

/// Makes a room access key past the API, sealed with the first key of a ring.
pub async fn insert_pin(pool: &PgPool, ring: &str) {
    let (hotel, integration): (Uuid, Uuid) =
        sqlx::query_as("SELECT hotel_id, id FROM integrations").fetch_one(pool).await.expect("one");
    let ids = IdSource::operating_system();
    let id = ids.uuid("2026-01-30T09:00:00Z".parse().expect("an instant"));
    let keys = SecretKeys::parse(ring).unwrap_or_else(|reason| panic!("{reason}"));
    sqlx::query(
        "INSERT INTO room_access_keys (hotel_id, id, integration_id, kind, secret, created_at)
         VALUES ($1, $2, $3, 'PIN', $4, '2026-01-30')",
    )
    .bind(hotel)
    .bind(id)
    .bind(integration)
    .bind(keys.seal(&ids, &seal_context(hotel, id), "0042"))
    .execute(pool)
    .await
    .expect("inserted");
}

/// A hotel with an integration in a database that knows these keys, with a value under each of them.
async fn sealed_with(keys: &[(u32, u8)]) -> (TestDb, DataDir) {
    let db = TestDb::new().await;
    let data = DataDir::with_database(&db);
    let all = ring(keys);
    let create = ["hotel", "create", "grand-hotel", "--name", "Grand Hotel", "--time-zone", "Europe/Berlin"];
    data.print(&[&create[..], &["--secret-key", &all]].concat());
    data.print(&["integration", "connect", "grand-hotel", "Locks", "--secret-key", &all]);
    for one in keys {
        insert_pin(&db.pool, &ring(&[*one])).await;
    }
    (db, data)
}

/// The one line that a process ended with which was refused.
fn refused(output: &Output, command: &[&str]) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((said.lines().count(), output.status.code()), (1, Some(2)), "{command:?}: {said}");
    said
}

const COMMANDS: [&[&str]; 6] = [
    &["serve"],
    &["rotate-secrets"],
    &["rotate-secrets", "--check"],
    &["prune", "--dry-run"],
    &["hotel", "list"],
    &["migrate"],
];

#[tokio::test]
async fn g27_a_process_with_other_secret_keys_is_refused_by_the_number_of_the_key() {
    let (db, data) = sealed_with(&[(1, b'a'), (2, b'b')]).await;
    let before = fingerprint(&db.pool).await;
    let short = format!("{},1:{}", key(2, b'b'), &STANDARD.encode([b'a'; 16]));
    for (what, given, says) in [
        ("other bytes", ring(&[(1, b'x'), (2, b'b')]), "has another key 1 than the one"),
        ("other bytes behind", ring(&[(2, b'b'), (1, b'x')]), "has another key 1 than the one"),
        ("the old key is missing", ring(&[(2, b'b')]), "lacks key 1"),
        ("the newest key is missing", ring(&[(1, b'a')]), "lacks key 2"),
        (
            "swapped",
            ring(&[(1, b'b'), (2, b'a')]),
            "another key 1 than the one that this database is sealed with (it is the database's key 2)",
        ),
        ("a new key alone", ring(&[(3, b'c')]), "lacks key 1"),
        ("a new key under an old number", ring(&[(1, b'c')]), "has another key 1"),
        ("a number twice", ring(&[(1, b'a'), (1, b'b')]), "two keys have the number 1"),
        ("a key twice", ring(&[(1, b'a'), (2, b'a')]), "keys 1 and 2 are the same"),
        ("cut off", short, "key 1 has 16 bytes"),
        ("empty", String::new(), "is empty"),
    ] {
        for command in COMMANDS {
            let output = data.run(&[command, &["--secret-key", &given]].concat());
            let said = refused(&output, command);
            assert!(said.starts_with("latchkey: LATCHKEY_SECRET_KEY (--secret-key) "), "{what}: {said}");
            assert!(said.contains(says), "{what}: {said}");
            assert!(!said.contains(&STANDARD.encode([b'a'; 12])), "{said}");
        }
        assert_eq!(fingerprint(&db.pool).await, before, "{what}");
    }
    // In any order, and with a new one in front.
    for good in [ring(&[(1, b'a'), (2, b'b')]), ring(&[(2, b'b'), (1, b'a')]), ring(&[(3, b'c'), (1, b'a'), (2, b'b')])]
    {
        data.print(&["hotel", "list", "--secret-key", &good]);
    }
}

#[tokio::test]
async fn of_processes_that_start_at_once_with_different_keys_the_first_one_wins() {
    let db = TestDb::new().await;
    let data = DataDir::with_database(&db);
    let start = |letter: u8| {
        let given = ring(&[(1, letter)]);
        data.command(&["hotel", "list", "--secret-key", &given]).stderr(Stdio::piped()).spawn().expect("it starts")
    };
    let both: Vec<Output> = [start(b'a'), start(b'b'), start(b'a'), start(b'b')]
        .map(|child| child.wait_with_output().expect("it ends"))
        .into();
    let done: Vec<bool> = both.iter().map(|output| output.status.success()).collect();
    assert!(done == [true, false, true, false] || done == [false, true, false, true], "{both:?}");
    let loser = both.iter().find(|output| !output.status.success()).expect("one lost");
    assert!(refused(loser, &["hotel", "list"]).contains("another key 1"));
}

#[tokio::test]
async fn a_database_from_before_the_register_has_each_key_prove_itself() {
    let (db, data) = sealed_with(&[(1, b'a')]).await;
    sqlx::query("DELETE FROM secret_keys").execute(&db.pool).await.expect("forgotten");
    // One that does not open is no proof against a key that opens others.
    insert_pin(&db.pool, &ring(&[(1, b'z')])).await;
    let before = fingerprint(&db.pool).await;
    for (given, says) in [
        (ring(&[(1, b'x')]), "has a key 1 that opens nothing"),
        (ring(&[(2, b'a')]), "lacks key 1"),
        (ring(&[(2, b'b'), (1, b'x')]), "has a key 1 that opens nothing"),
    ] {
        let output = data.run(&["serve", "--secret-key", &given]);
        assert!(refused(&output, &["serve"]).contains(says), "{output:?}");
        assert_eq!(fingerprint(&db.pool).await, before);
    }
    data.print(&["hotel", "list", "--secret-key", &ring(&[(1, b'a')])]);
    let known: Vec<i64> =
        sqlx::query_scalar("SELECT number FROM secret_keys").fetch_all(&db.pool).await.expect("numbers");
    assert_eq!(known, [1]);
    assert!(refused(&data.run(&["serve", "--secret-key", &key(1, b'x')]), &["serve"]).contains("another key 1"));
}

#[tokio::test]
async fn a_key_that_nothing_is_sealed_with_any_more_may_go_and_its_number_stays_its_own() {
    let (db, data) = sealed_with(&[(1, b'a')]).await;
    let both = ring(&[(2, b'b'), (1, b'a')]);
    data.print(&["rotate-secrets", "--secret-key", &both]);
    data.print(&["hotel", "list", "--secret-key", &key(2, b'b')]);
    let reused = ring(&[(2, b'b'), (1, b'x')]);
    assert!(refused(&data.run(&["serve", "--secret-key", &reused]), &["serve"]).contains("another key 1"));
    // Back again, as with a ring that is older.
    data.print(&["hotel", "list", "--secret-key", &both]);
    let released: Vec<bool> = sqlx::query_scalar("SELECT released_at IS NOT NULL FROM secret_keys ORDER BY number")
        .fetch_all(&db.pool)
        .await
        .expect("keys");
    assert_eq!(released, [false, false]);
}

#[tokio::test]
async fn a_lost_key_can_be_given_up_and_everything_else_goes_on() {
    let (db, data) = sealed_with(&[(1, b'a'), (2, b'b')]).await;
    let left = key(2, b'b');
    assert!(refused(&data.run(&["serve", "--secret-key", &left]), &["serve"]).contains("--give-up-key 1"));
    let present = data.run(&["rotate-secrets", "--give-up-key", "2", "--secret-key", &left]);
    assert!(refused(&present, &["rotate-secrets"]).contains("has key 2: remove it there"));
    let given_up = data.run(&["rotate-secrets", "--give-up-key", "1", "--secret-key", &left]);
    let said = String::from_utf8_lossy(&given_up.stderr).into_owned();
    assert!(said.contains("1 values do not open") && given_up.status.code() == Some(1), "{said}");
    data.print(&["hotel", "list", "--secret-key", &left]);
    data.serve_with(&["--secret-key", &left]).end(Signal::TERM);
    // Found again, it is welcome; another one is not.
    assert!(
        refused(&data.run(&["serve", "--secret-key", &ring(&[(2, b'b'), (1, b'x')])]), &["serve"]).contains("key 1")
    );
    let said = data.print(&["rotate-secrets", "--secret-key", &ring(&[(2, b'b'), (1, b'a')])]);
    assert!(said.contains("re-sealed 1\n"), "{said}");
    assert_eq!(sqlx::query("SELECT FROM secret_keys").execute(&db.pool).await.expect("rows").rows_affected(), 2);
}

#[tokio::test]
async fn what_the_database_knows_of_its_keys_is_in_its_dump() {
    let (db, data) = sealed_with(&[(1, b'a')]).await;
    let restored = TestDb::empty().await;
    let program = |name: &str, db: &TestDb| {
        let options = db.options();
        let mut program = postgres_program(name);
        program
            .arg(format!(
                "--host={}",
                options.get_socket().map_or(options.get_host().into(), |s| s.display().to_string())
            ))
            .arg(format!("--port={}", options.get_port()))
            .arg(format!("--username={}", options.get_username()))
            .arg(options.get_database().expect("a name"));
        program
    };
    let dump = program("pg_dump", &db).output().expect("pg_dump, which comes with PostgreSQL");
    let mut restore = program("psql", &restored);
    restore.args(["-qX", "-v", "ON_ERROR_STOP=1"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut restore = restore.spawn().expect("psql, which comes with PostgreSQL");
    restore.stdin.take().expect("its input").write_all(&dump.stdout).expect("read");
    assert!(restore.wait().expect("it ends").success());
    let elsewhere = DataDir::with_database(&restored);
    assert!(refused(&elsewhere.run(&["serve", "--secret-key", &key(1, b'x')]), &["serve"]).contains("another key 1"));
    elsewhere.print(&["hotel", "list", "--secret-key", &key(1, b'a')]);
    drop((data, db));
}

#[tokio::test]
async fn the_key_file_of_the_data_folder_is_not_believed_either() {
    let data = DataDir::new();
    let file = data.path().join("secret.keys");
    data.print(&["hotel", "create", "grand-hotel", "--name", "Grand Hotel", "--time-zone", "Europe/Berlin"]);
    let api_key = data.api_key("grand-hotel", "Locks", "WRITE");
    let right = fs::read_to_string(&file).expect("the keys");
    let replace = |text: &str| {
        fs::write(file.with_extension("new"), text).expect("written");
        fs::rename(file.with_extension("new"), &file).expect("replaced");
    };
    let server = data.serve();
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let ask = async |url: &str, query: &str, variables: Value| -> Value {
        let body = json!({"query": query, "variables": variables});
        let request = http.post(format!("{url}/graphql")).bearer_auth(&api_key).json(&body);
        request.send().await.expect("an answer").json().await.expect("JSON")
    };
    // A server that runs goes on with the key that it knows.
    replace(&key(1, b'x'));
    let made = ask(&server.url, CREATE_KEY, json!({"input": {"roomAccessPin": {"pin": "0042"}}})).await;
    assert!(made.get("errors").is_none(), "{made}");
    let (_, log) = server.end(Signal::TERM);
    assert!(log.contains("key 1 is not the one that had this number before"), "{log}");

    let at = format!("is not set, and {} ", file.display());
    let half = &right[..right.len() / 2];
    for (text, says) in [
        (key(1, b'x').as_str(), "has another key 1 than the one"),
        (&key(2, b'x'), "lacks key 1"),
        ("", "cannot be used: it holds no key"),
        (half, "cannot be used: key 1 "),
    ] {
        replace(text);
        let said = refused(&data.run(&["serve"]), &["serve"]);
        assert!(said.contains(&at) && said.contains(says), "{said}");
    }
    replace(&right);
    let server = data.serve();
    let pins =
        ask(&server.url, "{ roomAccessKeys { edges { node { ... on RoomAccessPin { pin } } } } }", json!({})).await;
    assert_eq!(nodes(&pins["data"]["roomAccessKeys"]), [json!({"pin": "0042"})]);
}

/// Damages the secrets of a table.
async fn damage(pool: &PgPool, what: &'static str) {
    sqlx::query(what).execute(pool).await.expect("damaged");
}

#[tokio::test]
async fn g27_a_value_that_does_not_open_fails_its_own_field_and_not_the_page() {
    let house = House::new().await;
    let inputs = [
        json!({"roomAccessPin": {"pin": "1"}}),
        json!({"roomAccessKeyStorage": {"pin": "2", "compartment": "3L"}}),
        json!({"roomAccessQR": {"qrData": "3"}}),
        json!({"roomAccessPin": {"pin": "4"}}),
    ];
    for (number, input) in inputs.into_iter().enumerate() {
        let stay = house.stay(&format!("R{number}")).await;
        house.locks.add(&stay, &house.key(input).await).await;
    }
    // The first three, each of another kind.
    damage(
        &house.test.db.pool,
        "UPDATE room_access_keys SET secret = set_byte(secret, 40, get_byte(secret, 40) # 1)
         WHERE id IN (SELECT id FROM room_access_keys ORDER BY id LIMIT 3)",
    )
    .await;
    let shown = "__typename id ... on RoomAccessPin { pin } ... on RoomAccessKeyStorage { pin compartment } \
                 ... on RoomAccessQR { qrData }";
    let expect = |answer: &Value, list: &[Value], place: &str| {
        let errors = answer["errors"].as_array().expect("errors");
        let fields: Vec<String> = errors
            .iter()
            .map(|error| {
                assert_eq!(error["extensions"]["code"], "SECRET_UNREADABLE", "{error}");
                error["path"].as_array().expect("a path").iter().map(ToString::to_string).collect::<Vec<_>>().join("/")
            })
            .collect();
        let mut expected = ["pin", "pin", "qrData"]
            .iter()
            .enumerate()
            .map(|(at, field)| place.replace('#', &at.to_string()) + &format!("/\"{field}\""));
        assert!(fields.len() == 3 && expected.all(|path| fields.contains(&path)), "{fields:?}");
        let secrets: Vec<&Value> =
            list.iter().map(|key| key.get("pin").or_else(|| key.get("qrData")).expect("a field")).collect();
        assert_eq!(secrets, [&Value::Null, &Value::Null, &Value::Null, &json!("4")]);
        assert!(list.iter().all(|key| key["id"].is_string()), "the keys themselves are there");
        assert_eq!(list[1]["compartment"], "3L");
    };
    // A page that is written row by row when nothing is wrong with it, one that never is, and the vendor's own keys.
    let stays = format!(
        "{{ room_stays(filter: {{date: \"2026-01-30\"}}) {{ edges {{ node {{ roomAccessKey {{ {shown} }} }} }} }} }}"
    );
    let server = TestServer::start(&house.test).await;
    for query in [stays.clone(), stays.replace("roomAccessKey {", "roomAccessKey @include(if: true) {")] {
        let answer = server.run(&house.keys.live, &query, json!({})).await;
        let keys: Vec<Value> =
            nodes(&answer["data"]["room_stays"]).into_iter().map(|node| node["roomAccessKey"].clone()).collect();
        expect(&answer, &keys, "\"room_stays\"/\"edges\"/#/\"node\"/\"roomAccessKey\"");
    }
    let own = house.locks.run(&format!("{{ roomAccessKeys {{ edges {{ node {{ {shown} }} }} }} }}"), json!({})).await;
    expect(&own, &nodes(&own["data"]["roomAccessKeys"]), "\"roomAccessKeys\"/\"edges\"/#/\"node\"");
    assert!(house.test.secret_keys.unreadable() >= 9);

    // Without the field, nothing is wrong; the vendor can replace the key.
    let ids = house.locks.data("{ roomAccessKeys { edges { node { id } } } }", json!({})).await;
    let id = text(&nodes(&ids["roomAccessKeys"])[0]["id"]);
    let stays = house.locks.data("{ room_stays { edges { node { id roomAccessKey { id } } } } }", json!({})).await;
    let stay = nodes(&stays["room_stays"]).into_iter().find(|stay| stay["roomAccessKey"]["id"] == json!(id));
    let stay = text(&stay.expect("its stay")["id"]);
    assert!(house.locks.remove(&stay, &id).await.get("errors").is_none());
    assert!(house.locks.delete(&id).await.get("errors").is_none());
}

#[tokio::test]
async fn a_kept_answer_that_does_not_open_is_told_and_its_request_is_not_run_again() {
    let house = House::new().await;
    let server = TestServer::start(&house.test).await;
    house.room("301").await;
    let create = json!({"query": CREATE_KEY, "variables": {"input": {"roomAccessPin": {"pin": "1"}}}});
    let graphql = || server.post(&house.keys.live, &create).header("idempotency-key", "k");
    let body = json!({"pmsGuestId": "P-1", "lastName": "Doe", "roomNumber": "301", "checkOutDate": "2026-02-02"});
    let rest = || {
        let request = server.request("POST", "/api/pms/v1/grand-hotel/guests/checkin").bearer_auth(&house.keys.live);
        request.header("idempotency-key", "check-in").json(&body)
    };
    for request in [graphql(), rest()] {
        assert_eq!(request.send().await.expect("an answer").status().as_u16(), 200);
    }
    damage(
        &house.test.db.pool,
        "UPDATE idempotent_answers SET sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1)",
    )
    .await;
    let before = fingerprint(&house.test.db.pool).await;
    let answer = graphql().send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 500);
    let answer: Value = answer.json().await.expect("JSON");
    assert_eq!(error_code(&answer), "SECRET_UNREADABLE");
    assert!(text(&answer["errors"][0]["message"]).contains("had its effect before"), "{answer}");
    let answer = rest().send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 500);
    assert_eq!(answer.json::<Value>().await.expect("JSON")["code"], "SECRET_UNREADABLE");
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
}

#[tokio::test]
async fn a_webhook_whose_secret_does_not_open_fails_with_the_reason_and_a_new_secret_mends_it() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let (broken, _) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    damage(
        &hooks.house.test.db.pool,
        "UPDATE webhook_endpoints SET secret = set_byte(secret, 40, get_byte(secret, 40) # 1)",
    )
    .await;
    let whole = Receiver::new(Reply::Status(200)).await;
    let (_, whole_secret) = hooks.endpoint(&whole.url(), &["room_stay.created"]).await;
    hooks.house.stay("R1").await;
    assert_eq!(hooks.deliver().await, 2);
    let now = hooks.house.test.clock.now();
    assert!(verify(&whole.received().remove(0), &whole_secret, now), "the other endpoint is told");
    assert!(receiver.received().is_empty(), "nothing is sent unsigned");
    let attempts = log(&hooks.house.locks, &broken).await[0]["attempts"].clone();
    assert_eq!(attempts[0]["failure"], "SECRET_UNREADABLE");
    assert_eq!(attempts[0]["statusCode"], Value::Null);

    let rotate = "mutation($id: ID!) { rotateWebhookSecret(input: {id: $id}) { secret } }";
    let renewed = hooks.house.locks.data(rotate, json!({"id": broken})).await;
    // The previous one signs for a day, too, and does not open.
    assert_eq!(hooks.deliver_after(TimeDelta::minutes(1)).await, 1);
    let arrived = receiver.received().remove(0);
    let secret = text(&renewed["rotateWebhookSecret"]["secret"]);
    assert!(verify(&arrived, &secret, hooks.house.test.clock.now()));
    assert_eq!(hooks.statuses(&broken).await, ["DELIVERED"]);
}

#[tokio::test]
async fn an_endpoint_whose_secret_never_opens_is_disabled_with_what_to_do() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let (id, _) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    damage(&hooks.house.test.db.pool, "UPDATE webhook_endpoints SET secret = decode('00', 'hex')").await;
    hooks.house.stay("R1").await;
    for _ in 0..4 {
        assert_eq!(hooks.deliver_after(TimeDelta::minutes(15)).await, 1);
    }
    let endpoint = hooks.read(&id).await;
    assert_eq!(endpoint["status"], "DISABLED");
    assert!(text(&endpoint["disabledReason"]).contains("rotateWebhookSecret"), "{endpoint}");
    let hotel = hooks.house.hotel.id;
    let listed = webhooks::of_hotel(&hooks.house.test, hotel).await.expect("endpoints");
    assert!(listed[0].1.disabled_reason.as_ref().is_some_and(|reason| reason.contains("cannot read")));
    assert!(Client::new(&hooks.house.test, &hooks.house.keys.live).await.own_pins().await.is_empty());
}
