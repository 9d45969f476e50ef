//! Server processes on one durable database, and who uses them over HTTP.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use latchkey::db::embedded::{Durability, Embedded};
use reqwest::StatusCode;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sqlx::postgres::PgPoolOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgPool};

use crate::support::{DataDir, LATCHKEY, PATIENCE, Received, Receiver, Serving, eventually, text};

const BOOK: &str =
    "mutation($input: CreateReservationInput!) { createReservation(input: $input) { reservation { id } } }";
const SUBSCRIBE: &str = "mutation($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) { \
     webhookEndpoint { id } } }";
const CODES: &str = "query($after: String) { reservations(first: 100 after: $after) { \
     edges { node { code } } pageInfo { hasNextPage endCursor } } }";
const EVENTS: &str = "query($after: String) { events(types: [\"room_stay.created\"] first: 100 after: $after) { \
     edges { node { id } } pageInfo { hasNextPage endCursor } } }";
const OPEN_DELIVERIES: &str = "SELECT count(*) FROM webhook_deliveries WHERE status <> 'DELIVERED'";

/// A hotel in a database whose PostgreSQL outlives the servers that use it.
pub struct Site {
    /// Past the servers.
    pub pool: PgPool,
    embedded: Embedded,
    desk: String,
    locks: String,
    /// Dropped last: it waits for PostgreSQL's end.
    data: DataDir,
}

impl Site {
    pub async fn new() -> Self {
        let data = DataDir::new();
        data.print(&["hotel", "create", "grand-hotel", "--name", "Grand Hotel", "--time-zone", "Europe/Berlin"]);
        let embedded = Embedded::start(&data.cluster(), Durability::Durable, Path::new(LATCHKEY)).await;
        let embedded = embedded.unwrap_or_else(|error| panic!("{error}"));
        let key = |integration, permission| data.api_key("grand-hotel", integration, permission);
        let (desk, locks) = (key("Front desk", "FRONT_DESK"), key("Locks", "WRITE"));
        let pool = PgPoolOptions::new().connect_lazy_with(embedded.connect_options("latchkey"));
        Self { pool, embedded, desk, locks, data }
    }

    /// Starts a server whose clock begins at `time` of 30 January 2026; the hotel was made today.
    pub fn serve(&self, time: &str) -> Serving {
        let clock = format!("2026-01-30T{time}Z");
        let networks = "127.0.0.0/8,::1/128";
        self.data.serve_with(&["--clock", &clock, "--accept-clock", "--webhook-allow-networks", networks])
    }

    /// The hotel's front desk at a server.
    pub fn desk(&self, server: &Serving) -> User {
        User::new(server, &self.desk)
    }

    /// A lock vendor at a server.
    pub fn locks(&self, server: &Serving) -> User {
        User::new(server, &self.locks)
    }

    /// Takes PostgreSQL away with a signal to its first process, and waits until another one serves.
    pub async fn strike_postgres(&self, signal: Signal) {
        let struck = self.postmaster().expect("PostgreSQL runs");
        kill_process(struck, signal).expect("PostgreSQL runs");
        until("PostgreSQL is back", async || {
            self.postmaster().is_some_and(|other| other != struck) && self.postgres_answers().await
        })
        .await;
    }

    fn postmaster(&self) -> Option<Pid> {
        let text = fs::read_to_string(self.data.cluster().join("data/postmaster.pid")).ok()?;
        Pid::from_raw(text.lines().next()?.parse().ok()?)
    }

    async fn postgres_answers(&self) -> bool {
        let answered = async { self.embedded.connect_options("latchkey").connect().await?.ping().await };
        answered.await.is_ok()
    }

    /// Waits until every delivery has succeeded and is recorded.
    pub async fn until_all_is_delivered(&self) {
        until("all is delivered", async || {
            sqlx::query_scalar::<_, i64>(OPEN_DELIVERIES).fetch_one(&self.pool).await.expect("it is there") == 0
        })
        .await;
    }
}

/// Waits until something is so, as long as a machine under load may take.
pub async fn until(what: &str, is_so: impl AsyncFnMut() -> bool) {
    eventually(PATIENCE, what, is_so).await;
}

/// What came of a request.
#[derive(Debug)]
pub enum Answer {
    /// Done, with these data.
    Acknowledged(Value),
    /// Refused with that status and that response.
    Refused(StatusCode, Value),
    /// The connection broke.
    Lost,
}

/// An API key and a server to use it at.
#[derive(Clone)]
pub struct User {
    http: reqwest::Client,
    url: String,
    key: String,
}

impl User {
    pub fn new(server: &Serving, key: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { http, url: format!("{}/graphql", server.url), key: key.to_owned() }
    }

    pub async fn ask(&self, query: &str, variables: Value) -> Answer {
        let body = json!({ "query": query, "variables": variables });
        let request = self.http.post(&self.url).bearer_auth(&self.key).json(&body);
        let Ok(response) = request.send().await else { return Answer::Lost };
        let status = response.status();
        let Ok(mut body) = response.json::<Value>().await else { return Answer::Lost };
        if body.get("errors").is_some() {
            Answer::Refused(status, body)
        } else {
            Answer::Acknowledged(body["data"].take())
        }
    }

    pub async fn data(&self, query: &str, variables: Value) -> Value {
        match self.ask(query, variables).await {
            Answer::Acknowledged(data) => data,
            other => panic!("{other:?}"),
        }
    }

    /// A category to book; answers with its id.
    pub async fn category(&self) -> String {
        let query = "mutation { createCategory(input: {name: \"Double\"}) { category { id } } }";
        text(&self.data(query, json!({})).await["createCategory"]["category"]["id"])
    }

    /// Books a room of a category under that code.
    pub async fn book(&self, category: &str, code: &str) -> Answer {
        let stay = json!({"categoryId": category, "reservation_from": "2026-01-30", "reservation_to": "2026-02-02"});
        let input = json!({"code": code, "client": {"person": {"lastname": "Doe"}}, "roomStays": [stay]});
        self.ask(BOOK, json!({ "input": input })).await
    }

    /// Has new stays told to a receiver.
    pub async fn subscribe(&self, receiver: &Receiver) {
        let input = json!({"url": receiver.url(), "status": "ENABLED", "events": ["room_stay.created"]});
        self.data(SUBSCRIBE, json!({ "input": input })).await;
    }

    /// Codes of all reservations.
    pub async fn codes(&self) -> BTreeSet<String> {
        self.all(CODES, "reservations", "code").await
    }

    /// Ids of the events of all new stays, as the feed has them.
    pub async fn events(&self) -> BTreeSet<String> {
        self.all(EVENTS, "events", "id").await
    }

    async fn all(&self, query: &str, connection: &str, field: &str) -> BTreeSet<String> {
        let (mut all, mut after) = (BTreeSet::new(), Value::Null);
        loop {
            let page = self.data(query, json!({ "after": after })).await[connection].take();
            let edges = page["edges"].as_array().expect("edges");
            all.extend(edges.iter().map(|edge| text(&edge["node"][field])));
            if page["pageInfo"]["hasNextPage"] == json!(false) {
                return all;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    }
}

/// Ids of the events that have arrived. One that came more than once was the same each time.
pub fn arrived(receiver: &Receiver) -> BTreeSet<String> {
    let webhooks = receiver.received();
    let id = |webhook: &Received| text(&webhook.json()["id"]);
    let mut bodies = HashMap::new();
    for webhook in &webhooks {
        let first = bodies.entry(id(webhook)).or_insert(&webhook.body);
        assert_eq!(*first, &webhook.body);
        assert_eq!(webhook.header("webhook-id"), Some(id(webhook).as_str()));
    }
    bodies.into_keys().collect()
}
