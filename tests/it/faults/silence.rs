//! Connections that nobody answers on and nobody resets: a host that has vanished, a firewall that forgot them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use latchkey::db::IDLE_UNCHECKED;
use latchkey::error::ErrorCode;
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::site::until;
use crate::support::{DataDir, Serving, TestDb, Way, error_code};

/// Most connections of the server, and as many who ask all the time.
const CONNECTIONS: usize = 4;
/// Longest until a new database at the same address is served from.
const BACK: Duration = Duration::from_secs(10);
/// Longest that a request takes: its deadline, and its commit.
const LONGEST: Duration = Duration::from_secs(15);
/// Longest that a server takes to end.
const GRACE: Duration = Duration::from_secs(30);

struct Asking {
    served: Arc<AtomicUsize>,
    clients: JoinSet<()>,
}

impl Asking {
    /// Reads and writes in turn, without a pause.
    fn start(server: &Serving, key: &str) -> Self {
        let answers = Arc::new(AtomicUsize::new(0));
        let mut clients = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let (url, key, answers) = (format!("{}/graphql", server.url), key.to_owned(), Arc::clone(&answers));
            clients.spawn(async move {
                let http = reqwest::Client::builder().no_proxy().build().expect("a client");
                let read = "{ room_stays(first: 1) { edges { node { id } } } }";
                let write =
                    "mutation { createRoomAccessKey(input: {roomAccessPin: {pin: \"1\"}}) { roomAccessKey { id } } }";
                for query in [read, write].into_iter().cycle() {
                    let began = Instant::now();
                    let request = http.post(&url).bearer_auth(&key).json(&json!({ "query": query }));
                    // The server is gone in the end.
                    let Ok(response) = request.send().await else { return };
                    let status = response.status().as_u16();
                    let Ok(answer) = response.json::<Value>().await else { return };
                    assert!(began.elapsed() < LONGEST, "{:?}: {answer}", began.elapsed());
                    if answer.get("errors").is_none() {
                        answers.fetch_add(1, Ordering::Relaxed);
                        continue;
                    }
                    // Until it is noticed, those who find no place are too many.
                    let passing = [
                        ErrorCode::Unavailable,
                        ErrorCode::DeadlineExceeded,
                        ErrorCode::OutcomeUnknown,
                        ErrorCode::Overloaded,
                    ];
                    let passes = passing.iter().any(|code| code.spec().wire == error_code(&answer));
                    assert!(passes && status == 503, "{status} {answer}");
                }
            });
        }
        Self { served: answers, clients }
    }

    async fn until_served(&self, more: usize) {
        let goal = self.served.load(Ordering::Relaxed) + more;
        until("requests are served", async || self.served.load(Ordering::Relaxed) >= goal).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn g38_connections_that_fall_silent_are_replaced_and_a_server_ends_whatever_the_database_does() {
    let db = TestDb::new().await;
    let way = Way::to(&db).await;
    let data = DataDir::with_url(&way.url());
    data.print(&["hotel", "create", "grand-hotel", "--name", "Grand Hotel", "--time-zone", "Europe/Berlin"]);
    let key = data.api_key("grand-hotel", "Locks", "WRITE");
    let server = data.serve_with(&["--database-connections", &CONNECTIONS.to_string()]);
    let asking = Asking::start(&server, &key);
    asking.until_served(20).await;

    // Under load, and when all connections have been idle for a while.
    way.lose();
    let lost = Instant::now();
    asking.until_served(20).await;
    let back = lost.elapsed();
    println!("served {back:?} after all connections fell silent under load");
    assert!(back < BACK, "{back:?}");

    way.fall_silent();
    // Until requests have met it: the statement that somebody waits for is given up.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let asked = Instant::now();
    let (status, log) = tokio::task::spawn_blocking(|| server.end(Signal::TERM)).await.expect("no panic");
    let ended = asked.elapsed();
    println!("ended {ended:?} after SIGTERM, {status}");
    assert!(ended < GRACE, "{ended:?}\n{log}");
    asking.clients.join_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_fell_silent_while_nobody_asked_are_given_up_together() {
    let db = TestDb::new().await;
    let way = Way::to(&db).await;
    let data = DataDir::with_url(&way.url());
    data.print(&["hotel", "create", "grand-hotel", "--name", "Grand Hotel", "--time-zone", "Europe/Berlin"]);
    let key = data.api_key("grand-hotel", "Locks", "WRITE");
    let server = data.serve_with(&["--database-connections", &CONNECTIONS.to_string()]);
    let mut asking = Asking::start(&server, &key);
    asking.until_served(20).await;
    asking.clients.shutdown().await;
    way.lose();
    // Idle for longer than a connection is trusted.
    tokio::time::sleep(2 * IDLE_UNCHECKED).await;
    let asked = Instant::now();
    let asking = Asking::start(&server, &key);
    asking.until_served(20).await;
    println!("served {:?} after idle connections had fallen silent", asked.elapsed());
    assert!(asked.elapsed() < BACK, "{:?}", asked.elapsed());
}
