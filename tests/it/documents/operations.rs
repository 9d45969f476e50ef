//! The runbook: a backup of the embedded database and of another one, and the way back to serving.

use std::fs;
use std::path::Path;

use chrono::Days;
use latchkey::clock::Clock;
use latchkey::db::embedded::{Durability, Embedded};
use reqwest::Client;
use rustix::process::Signal;
use serde_json::{Value, json};
use sqlx::ConnectOptions as _;

use super::{Document, Shell};
use crate::support::client::{ADD_KEY, CREATE_KEY};
use crate::support::{DataDir, LATCHKEY, code, text};

const DATA_DIR: &str = "/var/lib/latchkey";
const STAY: &str = "query($id: ID!) { room_stays(filter: {id: {eq: $id}}) { eventCursor edges { node { roomAccessKey { \
     ... on RoomAccessPin { pin } } } } } }";

/// A hotel of one stay, and the API key that reads and writes it.
struct Hotel {
    http: Client,
    key: String,
    stay: String,
}

impl Hotel {
    async fn run(&self, url: &str, query: &str, variables: Value) -> Value {
        let request = self.http.post(format!("{url}/graphql")).bearer_auth(&self.key);
        let request = request.header("accept", "application/json");
        let answer = request.json(&json!({"query": query, "variables": variables})).send().await.expect("an answer");
        answer.json().await.expect("JSON")
    }

    async fn data(&self, url: &str, query: &str, variables: Value) -> Value {
        let mut answer = self.run(url, query, variables).await;
        assert!(answer.get("errors").is_none(), "{answer:#}");
        answer["data"].take()
    }

    async fn open(data: &DataDir, url: &str) -> Self {
        let key = data.api_key("my-hotel", "Front desk", "FRONT_DESK");
        let mut hotel = Self { http: Client::new(), key, stay: String::new() };
        let made =
            hotel.data(url, "mutation { createCategory(input: {name: \"Double\"}) { category { id } } }", json!({}));
        let category = made.await["createCategory"]["category"]["id"].take();
        // The restored database is served by the machine's clock.
        let today = Clock::system().now().date_naive();
        let input = json!({
            "externalId": "1", "client": {"person": {"lastname": "Doe"}},
            "roomStays": [{"categoryId": category, "reservation_from": today, "reservation_to": today + Days::new(2)}],
        });
        let import = "mutation($input: ImportReservationInput!) { importReservation(input: $input) { reservation { rooms { \
             edges { node { id } } } } } }";
        let mut made = hotel.data(url, import, json!({ "input": input })).await;
        hotel.stay = text(&made["importReservation"]["reservation"]["rooms"]["edges"][0]["node"]["id"].take());
        let mut made = hotel.data(url, CREATE_KEY, json!({"input": {"roomAccessPin": {"pin": "2718"}}})).await;
        let key = made["createRoomAccessKey"]["roomAccessKey"]["id"].take();
        hotel.data(url, ADD_KEY, json!({"input": {"roomStayId": hotel.stay, "roomAccessKeyId": key}})).await;
        hotel
    }

    /// The stay's PIN, and the cursor of events behind everything.
    async fn stay(&self, url: &str) -> (Value, String) {
        let mut stays = self.data(url, STAY, json!({"id": self.stay})).await["room_stays"].take();
        (stays["edges"][0]["node"]["roomAccessKey"]["pin"].take(), text(&stays["eventCursor"]))
    }

    /// What the feed says of that cursor.
    async fn feed(&self, url: &str, after: &str) -> Value {
        self.run(url, "query($after: String!) { events(after: $after) { edges { cursor } } }", json!({"after": after}))
            .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g37_a_backup_as_the_runbook_prints_it_comes_back_to_serving() {
    let mut document = Document::read("docs/OPERATIONS.md");
    let [service_role, backup_role] = [document.take("sql"), document.take("sql")];
    let [dump, roles, restore, gap, copy, copy_back, dump_embedded] = {
        let blocks = document.take_all("sh");
        <[String; 7]>::try_from(blocks).unwrap_or_else(|blocks| panic!("{blocks:#?}"))
    };

    // An embedded database is dumped while it serves, and copied when it does not.
    let data = DataDir::new();
    data.print(&["hotel", "create", "my-hotel", "--name", "My Hotel", "--time-zone", "Europe/Berlin"]);
    let server = data.serve();
    let hotel = Hotel::open(&data, &server.url).await;
    let shell = Shell::new().reading(DATA_DIR, &data.path().display().to_string());
    shell.run(&[dump_embedded]);
    let lost =
        "mutation($id: ID!, $now: Datetime) { updateRoomStay(input: {id: $id, check_in: $now}) { roomStay { id } } }";
    let (pin, _) = hotel.stay(&server.url).await;
    assert_eq!(pin, "2718");
    hotel.data(&server.url, lost, json!({"id": hotel.stay, "now": Clock::system().now()})).await;
    let (_, cursor) = hotel.stay(&server.url).await;
    assert!(server.end(Signal::TERM).0.success());
    data.wait_for_stop();
    shell.run(&[copy]);
    for entry in fs::read_dir(data.path()).expect("the folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.expect("removed");
    }
    shell.run(&[copy_back]);
    let server = data.serve();
    let (pin, behind_everything) = hotel.stay(&server.url).await;
    assert_eq!((&pin, &behind_everything), (&json!("2718"), &cursor));
    let secret_keys = fs::read_to_string(data.path().join("secret.keys")).expect("the secret keys");
    drop(server);

    // The dump is restored into another cluster, and served by a user who owns nothing.
    let elsewhere = DataDir::new();
    let cluster = Embedded::start(&elsewhere.cluster(), Durability::ThrowAway, Path::new(LATCHKEY)).await;
    let cluster = cluster.unwrap_or_else(|error| panic!("{error}"));
    let options = cluster.connect_options("latchkey");
    let sockets = options.get_socket().expect("a socket").display().to_string();
    let dumped = shell.folder.path().join("latchkey.dump");
    let shell = Shell::new().with("PGHOST", &sockets).with("PGUSER", "postgres");
    fs::copy(dumped, shell.folder.path().join("latchkey.dump")).expect("copied");
    shell.run(&[roles, restore, gap]);
    let psql = |text: &str| format!("psql --dbname postgres --set ON_ERROR_STOP=1 <<'SQL'\n{text}SQL\n");
    shell.run(&[psql(&service_role), psql(&backup_role)]);
    let url = |user: &str| options.clone().username(user).to_url_lossy().to_string();
    let (service, owner) = (url("latchkey_service"), url("latchkey"));
    let settings = ["--database-url", &service, "--secret-key", secret_keys.trim()];
    elsewhere.print(&[&["migrate", "--migrate-database-url", &owner], &settings[..]].concat());
    let server = elsewhere.serve_with(&settings);
    assert_eq!(hotel.stay(&server.url).await.0, "2718");
    assert_eq!(code(&hotel.feed(&server.url, &cursor).await), "EVENTS_EXPIRED");
    let (_, cursor) = hotel.stay(&server.url).await;
    hotel.data(&server.url, lost, json!({"id": hotel.stay, "now": Clock::system().now()})).await;
    let heard = hotel.feed(&server.url, &cursor).await;
    assert_eq!(heard["data"]["events"]["edges"].as_array().map(Vec::len), Some(1), "{heard}");

    // It is dumped by the role for backups; its owner is refused.
    shell.run(&[&dump]);
    let by_owner = shell.try_run(&[dump.replace("latchkey_backup", "latchkey")]);
    assert!(String::from_utf8_lossy(&by_owner.stderr).contains("row-level security"), "{by_owner:?}");
}
