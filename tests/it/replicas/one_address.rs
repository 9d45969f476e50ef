//! Two servers behind one address: whoever uses it cannot tell that they are two, also when one of them goes.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use rustix::process::Signal;
use serde_json::{Value, json};
use sqlx::Executor as _;
use tokio::task::JoinSet;

use super::balancer::Balancer;
use super::{Act, Site};
use crate::support::client::CREATE_KEY;
use crate::support::{DataDir, PATIENCE, error_code, eventually, text};

/// Integrations that write at the same time, with a key of their own each.
const WRITERS: usize = 4;

/// Somebody who uses the address.
#[derive(Clone)]
struct User {
    http: reqwest::Client,
    url: String,
    key: String,
}

impl User {
    /// Each request goes on a connection of its own, so to the next server.
    fn new(url: &str, key: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().expect("a client");
        Self { http, url: format!("{url}/graphql"), key: key.to_owned() }
    }

    /// Status and answer, unless the connection broke.
    async fn ask(&self, query: &str, variables: Value) -> reqwest::Result<(u16, Value)> {
        let body = json!({ "query": query, "variables": variables });
        let response = self.http.post(&self.url).bearer_auth(&self.key).json(&body).send().await?;
        Ok((response.status().as_u16(), response.json().await?))
    }

    /// Data of an answer that has to be a good one.
    async fn data(&self, query: &str, variables: Value) -> Value {
        let (status, mut answer) = self.ask(query, variables).await.expect("an answer");
        assert!(status == 200 && answer.get("errors").is_none(), "{status} {answer}");
        answer["data"].take()
    }

    async fn create_key(&self) -> reqwest::Result<(u16, Value)> {
        self.ask(CREATE_KEY, json!({"input": {"roomAccessPin": {"pin": "1"}}})).await
    }
}

/// Integrations that make keys as fast as they are answered.
struct Load {
    shared: Arc<Shared>,
    writers: JoinSet<()>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    /// Ids of keys whose making was acknowledged.
    acknowledged: Mutex<BTreeSet<String>>,
    /// When the requests began that were not answered.
    lost: Mutex<Vec<Instant>>,
}

impl Load {
    fn start(users: &[User]) -> Self {
        let mut load = Self { shared: Arc::default(), writers: JoinSet::new() };
        for user in users {
            let (shared, user) = (Arc::clone(&load.shared), user.clone());
            load.writers.spawn(async move {
                while !shared.stop.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    let Ok((status, answer)) = user.create_key().await else {
                        shared.lost.lock().expect("no panic").push(began);
                        continue;
                    };
                    assert!(status == 200 && answer.get("errors").is_none(), "{status} {answer}");
                    let id = text(&answer["data"]["createRoomAccessKey"]["roomAccessKey"]["id"]);
                    shared.acknowledged.lock().expect("no panic").insert(id);
                }
            });
        }
        load
    }

    /// Waits until so many more are acknowledged.
    async fn go_on(&self, more: usize) {
        let count = || self.shared.acknowledged.lock().expect("no panic").len();
        let goal = count() + more;
        eventually(PATIENCE, "keys are made", async || count() >= goal).await;
    }

    /// Ends it: what was acknowledged, and when what was lost began.
    async fn stop(mut self) -> (BTreeSet<String>, Vec<Instant>) {
        self.shared.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.writers.join_next().await {
            ended.expect("every answer was a good one");
        }
        let Shared { acknowledged, lost, .. } = Arc::into_inner(self.shared).expect("nobody else has it");
        (acknowledged.into_inner().expect("no panic"), lost.into_inner().expect("no panic"))
    }
}

impl Site {
    fn writers(&self, balancer: &Balancer) -> Vec<User> {
        let key = |number| self.data.api_key("grand-hotel", &format!("Locks {number}"), "WRITE");
        (0..WRITERS).map(|number| User::new(&balancer.url, &key(number))).collect()
    }

    async fn keys(&self) -> BTreeSet<String> {
        let ids = sqlx::query_scalar("SELECT id::text FROM room_access_keys").fetch_all(&self.db.pool).await;
        ids.expect("ids").into_iter().collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_server_has_written_the_other_reads_next_and_a_revoked_key_opens_neither() {
    let site = Site::new().await;
    let (one, other) = (site.serve().await, site.serve().await);
    let balancer = Balancer::over(&[&one, &other]).await;
    let [locks, ..] = &site.writers(&balancer)[..] else { panic!("some were made") };
    let newest = "{ roomAccessKeys(last: 1) { edges { node { id } } } }";
    let rounds = 10;
    for _ in 0..rounds {
        let made = locks.create_key().await.expect("an answer").1;
        let id = &made["data"]["createRoomAccessKey"]["roomAccessKey"]["id"];
        assert!(id.is_string(), "{made}");
        let read = locks.data(newest, json!({})).await;
        assert_eq!(read["roomAccessKeys"]["edges"][0]["node"]["id"], *id);
    }
    assert_eq!((balancer.connections(&one), balancer.connections(&other)), (rounds, rounds));

    let admin = User::new(&balancer.url, &site.admin);
    let pairs = "{ apiKeys(first: 100) { edges { node { id integration { name } } } } }";
    let pairs = admin.data(pairs, json!({})).await;
    let edges = pairs["apiKeys"]["edges"].as_array().expect("edges");
    let pair = edges.iter().find(|edge| edge["node"]["integration"]["name"] == "Locks 0").expect("its pair");
    let revoke = "mutation($id: ID!) { revokeApiKey(input: {id: $id}) { apiKey { id } } }";
    admin.data(revoke, json!({"id": pair["node"]["id"]})).await;
    for _ in 0..4 {
        let (status, answer) = locks.create_key().await.expect("an answer");
        assert_eq!((status, error_code(&answer)), (401, "KEY_REVOKED"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_server_is_killed_under_load_what_was_acknowledged_is_there_and_the_other_goes_on() {
    let site = Site::new().await;
    let (doomed, staying) = (site.serve().await, site.serve().await);
    let balancer = Balancer::over(&[&doomed, &staying]).await;
    let load = Load::start(&site.writers(&balancer));
    load.go_on(40).await;
    assert!(balancer.connections(&doomed) > 10, "both were at work");
    doomed.end(Signal::KILL);
    load.go_on(40).await;
    let noticed = balancer.noticed().expect("it does not accept any more");
    let (acknowledged, lost) = load.stop().await;
    let kept = site.keys().await;
    assert!(acknowledged.is_subset(&kept), "{:?}", acknowledged.difference(&kept));
    assert!(lost.len() <= WRITERS, "{} were lost, and each writer has one on its way", lost.len());
    assert!(lost.iter().all(|began| *began < noticed), "some were lost after the balancer had noticed");
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_are_replaced_one_after_the_other_under_load_and_nobody_notices() {
    let site = Site::new().await;
    let (one, other) = (site.serve().await, site.serve().await);
    let balancer = Balancer::over(&[&one, &other]).await;
    let load = Load::start(&site.writers(&balancer));
    let mut replacements = Vec::new();
    for (number, old) in [one, other].into_iter().enumerate() {
        load.go_on(20).await;
        // Still running when its server is told to stop.
        let mut holding = site.db.pool.begin().await.expect("a connection");
        holding.execute("LOCK TABLE clients IN EXCLUSIVE MODE").await.expect("held");
        let running = tokio::spawn(site.request(&old, Act::CheckIn, &number.to_string()).send());
        until_somebody_waits_for_clients(&site).await;
        balancer.take_out(&old).await;
        let ending = tokio::task::spawn_blocking(move || old.end(Signal::TERM));
        load.go_on(20).await;
        holding.rollback().await.expect("let go");
        let running = running.await.expect("no panic").expect("an answer");
        assert_eq!(running.status(), 200, "{:?}", running.text().await);
        let (status, log) = ending.await.expect("no panic");
        assert!(status.success(), "{status} {log}");
        replacements.push(site.serve().await);
        balancer.take_in(replacements.last().expect("it was started"));
    }
    load.go_on(20).await;
    let (acknowledged, lost) = load.stop().await;
    assert!(lost.is_empty(), "{} were lost", lost.len());
    assert_eq!(site.keys().await, acknowledged);
    assert!(replacements.iter().all(|server| balancer.connections(server) > 0), "both serve");
    assert_eq!(site.effects(Act::CheckIn).await, 1, "the same guest came twice");
}

async fn until_somebody_waits_for_clients(site: &Site) {
    let waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'clients'::regclass
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))";
    eventually(PATIENCE, "somebody waits", async || {
        sqlx::query_scalar(waiting).fetch_one(&site.db.pool).await.expect("an answer")
    })
    .await;
}

/// What the next release may add: a column that may be null, one with a default, an index and a table.
const NEXT_RELEASE: &str = "
    ALTER TABLE room_stays ADD COLUMN mood text;
    ALTER TABLE room_access_keys ADD COLUMN note text NOT NULL DEFAULT '';
    ALTER TABLE hotels ADD COLUMN stars integer;
    ALTER TABLE events ADD COLUMN trace text;
    CREATE INDEX room_stays_mood_idx ON room_stays (hotel_id, mood);
    CREATE TABLE moods (hotel_id uuid NOT NULL, name text NOT NULL, CONSTRAINT moods_pkey PRIMARY KEY (hotel_id, name));
    CALL protect_tenant_table('moods');
    INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
    VALUES (99990001, 'of the next release', true, '\\x00', 0)";

#[tokio::test(flavor = "multi_thread")]
async fn the_program_goes_on_and_starts_anew_on_the_schema_of_the_next_release() {
    let site = Site::new().await;
    let old = site.serve().await;
    let balancer = Balancer::over(&[&old]).await;
    // Statements that were prepared before the schema changed.
    let arrived = site.until_answered(&old, Act::CheckIn, "before").await;
    assert_eq!(arrived.status, 200, "{arrived:?}");
    let everything = "{ room_stays(first: 10) { totalCount edges { node { id roomAccessKey { id } reservation { code } } } } \
         roomAccessKeys(first: 1) { edges { node { id } } } events(first: 10) { edges { node { id } } } \
         settings { roomSetups { id } } }";
    let desk = User::new(&balancer.url, &site.desk);
    let before = desk.data(everything, json!({})).await;
    let load = Load::start(&site.writers(&balancer));
    load.go_on(20).await;

    let mut owner = site.db.pool.acquire().await.expect("a connection");
    sqlx::raw_sql(NEXT_RELEASE).execute(&mut *owner).await.expect("migrated");
    load.go_on(20).await;
    let after = desk.data(everything, json!({})).await;
    assert_eq!(after["room_stays"], before["room_stays"]);
    let arrived = site.until_answered(&old, Act::CheckIn, "after").await;
    assert_eq!(arrived.status, 200, "{arrived:?}");

    // A replica of the old release that is started, or started anew, while the new one is rolled out.
    let another = site.serve().await;
    balancer.take_in(&another);
    load.go_on(20).await;
    assert!(balancer.connections(&another) > 0);
    let (acknowledged, lost) = load.stop().await;
    assert!(lost.is_empty(), "{} were lost", lost.len());
    assert!(acknowledged.is_subset(&site.keys().await));
    let again = User::new(&another.url, &site.desk).data(everything, json!({})).await;
    assert_eq!(again["room_stays"], before["room_stays"]);
    DataDir::with_database(&site.db).print(&["migrate"]);
}
