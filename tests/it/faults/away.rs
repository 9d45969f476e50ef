//! While the database is away: at the start of a server, and later.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::site::until;
use crate::support::{DataDir, TestDb, Way, error_code, header};

/// Requests at once: more than run and wait.
const MANY: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn g47_while_the_database_is_away_every_answer_says_so_and_comes_soon() {
    let db = TestDb::new().await;
    let mut way = Way::to(&db).await;
    let data = DataDir::with_url(&way.url());
    data.print(&["hotel", "create", "grand-hotel", "--name", "Grand Hotel", "--time-zone", "Europe/Berlin"]);
    let key = data.api_key("grand-hotel", "Locks", "WRITE");
    let server = data.serve_with(&["--database-connections", "2"]);
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let ask = async || {
        let body = json!({"query": "{ room_stays(first: 1) { edges { node { id } } } }"});
        let began = Instant::now();
        let request = http.post(format!("{}/graphql", server.url)).bearer_auth(&key).json(&body);
        let response = request.send().await.expect("an answer");
        let (status, after) = (response.status().as_u16(), header(&response, "retry-after").to_owned());
        let answer: Value = response.json().await.expect("JSON");
        (status, after, error_code(&answer).to_owned(), began.elapsed())
    };
    assert_eq!(ask().await.0, 200);
    way.close().await;
    for round in 0..3 {
        for (status, after, code, took) in join_all((0..MANY).map(|_| ask())).await {
            assert_eq!((status, &*after, &*code), (503, "1", "UNAVAILABLE"), "round {round}");
            assert!(took < Duration::from_secs(5), "{took:?} in round {round}");
        }
    }
    way.open().await;
    let back = Instant::now();
    until("it serves again", async || ask().await.0 == 200).await;
    println!("served {:?} after the database was back", back.elapsed());
    let (_, log) = server.end(Signal::TERM);
    let of = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    assert_eq!((of("the database cannot be reached"), of("the database can be reached again")), (1, 1), "{log}");
    assert!(of("\"message\":\"request\"") <= 3, "those that were served: {log}");
    let allowed = ["the database cannot be reached", "requests refused"];
    let unrest = log.lines().filter(|line| line.contains(r#""level":"WARN""#) || line.contains(r#""level":"ERROR""#));
    let more: Vec<&str> = unrest.filter(|line| !allowed.iter().any(|text| line.contains(text))).collect();
    assert!(more.is_empty(), "{more:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_accepts_and_hangs_up_is_a_database_that_is_away() {
    let db = TestDb::new().await;
    let mut way = Way::to(&db).await;
    // Only who asks for TLS is told of the end as if it were a wrong answer.
    let url = way.url().replace("sslmode=disable", "sslmode=prefer");
    let data = DataDir::with_url(&url);
    data.print(&["hotel", "create", "grand-hotel", "--name", "Grand Hotel", "--time-zone", "Europe/Berlin"]);
    let key = data.api_key("grand-hotel", "Locks", "WRITE");
    way.hang_up(true).await;
    let said = String::from_utf8(data.run(&["hotel", "list"]).stderr).expect("text");
    assert!(said.contains("the connection was closed at once; is PostgreSQL running there"), "{said}");

    let metrics = free_address();
    let starting = Starting::new(data.command(&["--metrics-listen", &metrics]));
    until("it listens", async || starting.get("/healthz").await.0 == 200).await;
    assert_eq!(starting.get("/readyz").await.0, 503);
    // Whoever watches sees that it is there and has no database.
    let scrape = async || reqwest::get(format!("http://{metrics}/metrics")).await.expect("an answer").text().await;
    let text = scrape().await.expect("text");
    assert!(text.contains("latchkey_database_up 0\n") && text.contains("latchkey_build_info{"), "{text}");

    way.hang_up(false).await;
    until("it is ready", async || starting.get("/readyz").await.0 == 200).await;
    until("it tells so", async || scrape().await.expect("text").contains("latchkey_database_up 1\n")).await;
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let ask = async || {
        let body = json!({"query": "{ room_stays(first: 1) { edges { node { id } } } }"});
        let request = http.post(format!("{}/graphql", starting.url)).bearer_auth(&key).json(&body);
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        (status, error_code(&response.json().await.expect("JSON")).to_owned())
    };
    assert_eq!(ask().await.0, 200);
    way.hang_up(true).await;
    for _ in 0..3 {
        assert_eq!(ask().await, (503, "UNAVAILABLE".to_owned()));
    }
    way.hang_up(false).await;
    until("it serves again", async || ask().await.0 == 200).await;
}

fn free_address() -> String {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    free.local_addr().expect("an address").to_string()
}

/// A server that may not be ready yet.
struct Starting {
    child: Child,
    url: String,
}

impl Starting {
    fn new(mut command: Command) -> Self {
        let free = free_address();
        let child = command.args(["serve", "--listen", &free]).stderr(Stdio::null()).spawn();
        Self { child: child.expect("the program starts"), url: format!("http://{free}") }
    }

    /// Status of a path, 0 while nobody listens; and the body.
    async fn get(&self, path: &str) -> (u16, String) {
        match reqwest::get(format!("{}{path}", self.url)).await {
            Ok(response) => (response.status().as_u16(), response.text().await.expect("text")),
            Err(_) => (0, String::new()),
        }
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn g48_a_server_waits_at_its_start_for_its_database_and_says_so() {
    let db = TestDb::new().await;
    let mut way = Way::closed_to(&db).await;
    let data = DataDir::with_url(&way.url());
    let mut starting = Starting::new(data.command(&[]));
    until("it listens", async || starting.get("/healthz").await.0 == 200).await;
    let (status, body) = starting.get("/readyz").await;
    assert_eq!((status, &*body), (503, r#"{"reason":"starting","status":"unavailable"}"#));
    let http = reqwest::Client::new();
    let response = http.post(format!("{}/graphql", starting.url)).json(&json!({"query": "{ a }"})).send();
    let response = response.await.expect("an answer");
    assert_eq!((response.status().as_u16(), header(&response, "retry-after")), (503, "1"));
    assert!(header(&response, "x-request-id").starts_with("req_"));
    assert_eq!(error_code(&response.json().await.expect("JSON")), "UNAVAILABLE");
    let (status, body) = starting.get("/api/pms/v1/grand-hotel/guests").await;
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((status, &body["code"]), (503, &json!("UNAVAILABLE")));

    way.open().await;
    until("it is ready", async || starting.get("/readyz").await.0 == 200).await;
    kill_process(Pid::from_child(&starting.child), Signal::TERM).expect("it runs");
    assert!(starting.child.wait().expect("it ends").success());

    // One that is asked to end while it waits does so at once.
    way.close().await;
    let mut starting = Starting::new(data.command(&[]));
    until("it listens", async || starting.get("/healthz").await.0 == 200).await;
    kill_process(Pid::from_child(&starting.child), Signal::TERM).expect("it runs");
    assert!(starting.child.wait().expect("it ends").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_waiting_mends_ends_the_start_at_once_and_says_what_to_do() {
    let db = TestDb::new().await;
    let mut way = Way::closed_to(&db).await;
    let refused = |url: &str, settings: &[&str]| {
        let data = DataDir::with_url(url);
        let output = data.run(&[&["serve"], settings].concat());
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).expect("text");
        said.lines().last().expect("a line").to_owned()
    };
    let said = refused(&way.url(), &["--start-timeout", "1s"]);
    assert!(said.contains("waited 1 s, see LATCHKEY_START_TIMEOUT (--start-timeout)"), "{said}");
    assert!(said.contains("Connection refused"), "{said}");
    // Other commands have somebody who waits for them.
    let output = DataDir::with_url(&way.url()).run(&["hotel", "list"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("Connection refused"));

    way.open().await;
    let said = refused(&way.url_of("postgres", "nowhere"), &[]);
    assert!(said.contains("make it, as its owner: CREATE DATABASE \"nowhere\""), "{said}");
    let said = refused(&way.url_of("nobody", "postgres"), &[]);
    assert!(said.contains("are user \"nobody\" and password right"), "{said}");
}
