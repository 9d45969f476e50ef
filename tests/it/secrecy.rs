//! A whole house on the real program, and then a search for every secret that was used in it, in everything that is left
//! behind: the database as a dump, all files of the data folder, the logs of the program at their most talkative and of
//! PostgreSQL.

mod search;

use std::fs;
use std::path::{Path, PathBuf};

use latchkey::db::embedded::{Durability, Embedded};
use latchkey::id::{IdSource, hex};
use reqwest::RequestBuilder;
use rustix::process::Signal;
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

use crate::support::client::{ADD_KEY, CREATE_KEY};
use crate::support::{DataDir, LATCHKEY, Receiver, Reply, postgres_program, text};
use crate::webhooks::{CREATE as CREATE_ENDPOINT, TEST as TEST_ENDPOINT};
use search::Search;

/// Files that are made to hold secrets; only their owner may read them.
const KEEPERS: [&str; 2] = ["secret.keys", "demo.json"];

/// A program on a data folder of its own, its users, and what they have seen of secrets.
struct Run {
    data: DataDir,
    http: reqwest::Client,
    url: String,
    /// What must be found nowhere.
    secrets: Search,
    /// What the commands have logged.
    log: Vec<u8>,
}

impl Run {
    /// Runs a command that has to succeed, and answers with what it printed.
    fn command(&mut self, args: &[&str]) -> String {
        let output = self.data.command(args).env("LATCHKEY_LOG", "trace").output().expect("the program runs");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        self.log.extend(output.stderr);
        String::from_utf8(output.stdout).expect("text")
    }

    /// A new pair of API keys; answers with the live one and the test one.
    fn api_key(&mut self, integration: &str, permission: &str) -> [String; 2] {
        let of = ["--integration", integration, "--permission", permission];
        let printed = self.command(&[&["api-key", "create", "grand-hotel"], &of[..]].concat());
        ["live", "test"].map(|name| {
            let line = printed.lines().find_map(|line| line.strip_prefix(name));
            let key = line.expect("a key").trim().to_owned();
            self.secrets.add(&format!("{name} key of {integration}"), &key);
            key
        })
    }

    /// A secret of ten capital letters and digits.
    fn secret(&mut self, name: &str) -> String {
        let secret = random();
        self.secrets.add(name, &secret);
        secret
    }

    fn request(&self, key: &str, body: &Value) -> RequestBuilder {
        let request = self.http.post(format!("{}/graphql", self.url)).bearer_auth(key);
        request.header("accept", "application/json").json(body)
    }

    /// Runs an operation that has to succeed, and answers with its data.
    async fn data(&self, key: &str, query: &str, variables: Value) -> Value {
        let answer = read(self.request(key, &json!({"query": query, "variables": variables}))).await;
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"].clone()
    }
}

fn random() -> String {
    random_hex()[..10].to_uppercase()
}

/// 32 hexadecimal digits.
fn random_hex() -> String {
    let mut bytes = [0; 16];
    IdSource::operating_system().fill(&mut bytes);
    hex(&bytes)
}

async fn read(request: RequestBuilder) -> String {
    request.send().await.expect("an answer").text().await.expect("text")
}

#[tokio::test]
async fn no_secret_of_a_whole_run_is_left_in_the_database_its_files_or_a_log() {
    let receiver = Receiver::new(Reply::Status(200)).await;
    let (mut run, serving) = open_the_house();
    let [desk, _] = run.api_key("Front desk", "FRONT_DESK");
    let [locks, sandbox] = run.api_key("Locks", "WRITE");
    let [admin, _] = run.api_key("Back office", "ADMIN");

    // Both are there in plain text, so they have to be found: the one in the database, the other in the log.
    let (guest, operation) = (random(), format!("Op{}", random()));
    let stay = book(&run, &desk, &guest).await;
    make_keys(&mut run, &locks, &sandbox, &stay, &operation).await;
    change_api_keys(&mut run, &admin).await;
    hear_of_it(&mut run, &locks, &receiver).await;
    check_in(&mut run, &locks).await;
    fail(&mut run, &locks).await;
    import(&mut run);
    run.command(&["rotate-secrets", "--new-key"]);
    run.command(&["api-key", "list", "grand-hotel"]);

    let embedded = Embedded::start(&run.data.cluster(), Durability::Durable, Path::new(LATCHKEY)).await;
    let embedded = embedded.unwrap_or_else(|error| panic!("{error}"));
    let (status, log) = serving.end(Signal::TERM);
    assert!(status.success());
    let mut conn = embedded.connect_options("latchkey").connect().await.expect("connected");
    sqlx::query("CHECKPOINT").execute(&mut conn).await.expect("everything is in the files");

    let (dump, files) = (dump(&embedded), files(run.data.path()));
    let logs = [log.as_bytes(), &run.log].concat();
    for (place, bytes) in [("the dump", &dump), ("the files", &files), ("the logs", &logs)] {
        assert!(run.secrets.find(bytes).is_empty(), "{place}: {:?}", run.secrets.find(bytes));
    }

    let mut controls = Search::default();
    controls.add("guest", &guest);
    assert_eq!((controls.find(&dump), controls.find(&files)), (vec!["guest"], vec!["guest"]));
    let mut controls = Search::default();
    controls.add("operation", &operation);
    assert_eq!(controls.find(&logs), ["operation"]);
    assert_found_once_it_is_there(&mut run, &embedded, &mut conn).await;
    conn.close().await.expect("closed");
}

/// A PIN that is written as it is, is found in the dump and in the files.
async fn assert_found_once_it_is_there(run: &mut Run, embedded: &Embedded, conn: &mut PgConnection) {
    let bare = run.secret("bare PIN");
    sqlx::query("UPDATE room_access_keys SET secret = convert_to($1, 'UTF8')")
        .bind(&bare)
        .execute(&mut *conn)
        .await
        .expect("written");
    sqlx::query("CHECKPOINT").execute(conn).await.expect("it is in the files");
    assert!(run.secrets.find(&dump(embedded)).contains(&"bare PIN, in hex"));
    assert_eq!(run.secrets.find(&files(run.data.path())), ["bare PIN"]);
}

fn open_the_house() -> (Run, crate::support::Serving) {
    let data = DataDir::new();
    let hotel = ["hotel", "create", "grand-hotel", "--name", "Grand Hotel", "--time-zone", "Europe/Berlin"];
    data.print(&hotel);
    let settings = ["--log", "trace", "--webhook-allow-networks", "127.0.0.0/8", "--clock", "2026-01-30T09:00:00Z"];
    let serving = data.serve_with(&[&settings[..], &["--accept-clock"]].concat());
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let run = Run { data, http, url: serving.url.clone(), secrets: Search::default(), log: Vec::new() };
    (run, serving)
}

/// A room and a stay in it; answers with the stay.
async fn book(run: &Run, desk: &str, guest: &str) -> String {
    let query = "mutation { createCategory(input: {name: \"Double\"}) { category { id } } }";
    let category = text(&run.data(desk, query, json!({})).await["createCategory"]["category"]["id"]);
    let query = "mutation($input: CreateRoomSetupInput!) { createRoomSetup(input: $input) { roomSetup { id } } }";
    run.data(desk, query, json!({"input": {"name": "301", "categoryId": category}})).await;
    let stay = json!({"categoryId": category, "reservation_from": "2026-01-30", "reservation_to": "2026-02-02"});
    let input = json!({"code": "RES-001", "client": {"person": {"lastname": guest}}, "roomStays": [stay]});
    let query = "mutation($input: CreateReservationInput!) { createReservation(input: $input) { \
         reservation { rooms { edges { node { id } } } } } }";
    let made = run.data(desk, query, json!({"input": input})).await;
    text(&made["createReservation"]["reservation"]["rooms"]["edges"][0]["node"]["id"])
}

/// Keys of every kind, by live and test key, alone and with an answer that is kept.
async fn make_keys(run: &mut Run, locks: &str, sandbox: &str, stay: &str, operation: &str) {
    let shown = "... on RoomAccessPin { pin } ... on RoomAccessKeyStorage { pin } ... on RoomAccessQR { qrData }";
    let create = CREATE_KEY.replace("{ id }", &format!("{{ id {shown} }}"));
    let create = create.replacen("mutation", &format!("mutation {operation}"), 1);
    let inputs = [
        json!({"roomAccessPin": {"pin": run.secret("PIN")}}),
        json!({"roomAccessKeyStorage": {"pin": run.secret("PIN of a box"), "compartment": "3L"}}),
        json!({"roomAccessQR": {"qrData": run.secret("QR data")}}),
    ];
    let mut id = String::new();
    for input in inputs {
        id = text(
            &run.data(locks, &create, json!({"input": input})).await["createRoomAccessKey"]["roomAccessKey"]["id"],
        );
    }
    let added = run.data(locks, ADD_KEY, json!({"input": {"roomStayId": stay, "roomAccessKeyId": id}})).await;
    assert_eq!(added["addRoomAccessKey"]["roomStay"]["id"], json!(stay));

    let kept = run.secret("PIN in a kept answer");
    let body = json!({"query": create, "variables": {"input": {"roomAccessPin": {"pin": kept}}}});
    let first = read(run.request(locks, &body).header("idempotency-key", "k")).await;
    assert!(first.contains(&kept));
    assert_eq!(read(run.request(locks, &body).header("idempotency-key", "k")).await, first);

    let tried = run.secret("PIN of a test key");
    let answer = run.data(sandbox, &create, json!({"input": {"roomAccessPin": {"pin": tried}}})).await;
    assert_eq!(answer["createRoomAccessKey"]["roomAccessKey"]["pin"], json!(tried));
    let query = format!("{{ roomAccessKeys(first: 10) {{ edges {{ node {{ {shown} }} }} }} }}");
    assert!(run.data(locks, &query, json!({})).await.to_string().contains(&kept));
}

async fn change_api_keys(run: &mut Run, admin: &str) {
    let vendors = run.data(admin, "{ integrations { edges { node { id } } } }", json!({})).await;
    let vendor = &vendors["integrations"]["edges"][0]["node"]["id"];
    let query = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { \
         apiKey { id } liveKey testKey } }";
    let input = json!({"integrationId": vendor, "name": "Lobby", "permission": "READ_ONLY"});
    let made = run.data(admin, query, json!({"input": input})).await["createApiKey"].take();
    let query = "mutation($id: ID!) { regenerateApiKey(input: {id: $id}) { liveKey testKey } }";
    let renewed = run.data(admin, query, json!({"id": made["apiKey"]["id"]})).await["regenerateApiKey"].take();
    for (name, keys) in [("made", made), ("renewed", renewed)] {
        run.secrets.add(&format!("{name} live key"), &text(&keys["liveKey"]));
        run.secrets.add(&format!("{name} test key"), &text(&keys["testKey"]));
    }
}

/// An endpoint, its secrets and a webhook to it.
async fn hear_of_it(run: &mut Run, locks: &str, receiver: &Receiver) {
    let input = json!({"url": receiver.url(), "status": "ENABLED", "events": ["room_stay.created"]});
    let made = run.data(locks, CREATE_ENDPOINT, json!({"input": input})).await["createWebhookEndpoint"].take();
    let id = &made["webhookEndpoint"]["id"];
    let query = "mutation($id: ID!) { rotateWebhookSecret(input: {id: $id}) { secret } }";
    let rotated = run.data(locks, query, json!({"id": id})).await["rotateWebhookSecret"].take();
    run.secrets.add("webhook secret", &text(&made["secret"]));
    run.secrets.add("rotated webhook secret", &text(&rotated["secret"]));
    run.data(locks, TEST_ENDPOINT, json!({"id": id})).await;
    receiver.wait_for(1).await;
}

/// The hotel's own system, whose answer is kept.
async fn check_in(run: &mut Run, locks: &str) {
    let body = json!({"pmsGuestId": "P-1", "lastName": "Doe", "roomNumber": "301", "checkOutDate": "2026-02-02"});
    let url = format!("{}/api/pms/v1/grand-hotel/guests/checkin", run.url);
    let request = run.http.post(url).bearer_auth(locks).header("idempotency-key", "check-in").json(&body);
    assert!(read(request).await.contains("success"));
}

/// Requests that are refused, with secrets wherever somebody may put them.
async fn fail(run: &mut Run, locks: &str) {
    let wrong_key = format!("pms_live_{}", random_hex());
    run.secrets.add("wrong key", &wrong_key);
    let wrong = run.secret("wrong PIN");
    let mixed = format!("{wrong}-abc");
    let variables = json!({"input": {"roomAccessPin": {"pin": mixed}}});
    let odd = json!({"input": {"roomAccessPin": {"pin": {"digits": wrong}}}});
    let literal = format!("mutation {{ createRoomAccessKey(input: {{roomAccessPin: {{pin: \"{mixed}\"}}}}) {{");
    let nul = json!({"input": {"roomAccessQR": {"qrData": format!("{wrong}\u{0}")}}});
    let compartment = json!({"input": {"roomAccessKeyStorage": {"pin": wrong, "compartment": "not one"}}});
    for body in [
        json!({"query": CREATE_KEY, "variables": variables}),
        json!({"query": CREATE_KEY, "variables": odd}),
        json!({"query": CREATE_KEY, "variables": compartment}),
        json!({"query": CREATE_KEY, "variables": {wrong.clone(): 1}}),
        json!({"query": literal}),
        json!({"query": format!("mutation {{ createRoomAccessKey(pin: \"{mixed}\") {{ id }} }}")}),
        json!([{"query": CREATE_KEY, "variables": nul}, {"query": ADD_KEY, "variables": {}}]),
        json!({"pin": wrong}),
    ] {
        let answer = read(run.request(locks, &body)).await;
        assert!(answer.contains("errors"), "{answer}");
        let answer = read(run.request(&wrong_key, &body)).await;
        assert!(answer.contains("UNAUTHORIZED"), "{answer}");
    }
    for path in ["/graphql?pin=", "/elsewhere?key=", "/api/pms/v1/grand-hotel/guests?after="] {
        let url = format!("{}{path}{wrong}", run.url);
        read(run.http.get(&url).bearer_auth(locks)).await;
        read(run.http.get(&url).basic_auth("user", Some(&wrong_key))).await;
    }
    let url = format!("{}/api/pms/v1/grand-hotel/guests/checkin", run.url);
    let request =
        run.http.post(url).bearer_auth(locks).header("idempotency-key", "no guest").json(&json!({"pin": wrong}));
    assert!(read(request).await.contains("error"));
}

fn import(run: &mut Run) {
    let file = run.data.path().join("bookings.csv");
    fs::write(&file, crate::import::csv(&[crate::import::STAYED])).expect("written");
    run.command(&["import", "grand-hotel", file.to_str().expect("a path")]);
}

/// The whole database as text.
fn dump(embedded: &Embedded) -> Vec<u8> {
    let options = embedded.connect_options("latchkey");
    let output = postgres_program("pg_dump")
        .arg(format!("--host={}", options.get_socket().expect("a folder").display()))
        .arg(format!("--port={}", options.get_port()))
        .arg(format!("--username={}", options.get_username()))
        .arg("latchkey")
        .output()
        .expect("pg_dump, which comes with PostgreSQL");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Everything that lies in the data folder, the write-ahead log and PostgreSQL's own log included.
fn files(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let entry = entry.expect("an entry");
            let kind = entry.file_type().expect("a kind");
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() && !KEEPERS.iter().any(|name| entry.file_name() == *name) {
                // PostgreSQL may remove a file just now.
                all.extend(fs::read(entry.path()).unwrap_or_default());
                all.push(b'\n');
            }
        }
    }
    all
}
