//! A server process under hostile requests: how soon each is answered, and what remains of them in its memory.

use std::process::Command;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use rustix::process::Signal;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::requests::{Hostile, Maker};
use crate::support::{DataDir, Serving, TestDb, error_code};

/// Longest that anything may take. The quickest of a few tries counts: a busy machine can delay any of them.
const LIMIT: Duration = Duration::from_millis(250);
const TRIES: usize = 40;
/// Requests at once in the flood.
const SENDERS: usize = 8;
/// How often the flood sends every request.
const ROUNDS: usize = 6;
/// Most kibibytes that the process may grow by during the flood: what its allocator keeps for the next one, and far less
/// than what was sent.
const MOST_GROWTH: u64 = 64 * 1024;

struct Target {
    serving: Serving,
    key: String,
    _data: DataDir,
    _db: TestDb,
}

impl Target {
    async fn start() -> Self {
        let db = TestDb::new().await;
        let data = DataDir::with_database(&db);
        data.print(&["hotel", "create", "grand-hotel", "--name", "Grand Hotel", "--time-zone", "Europe/Berlin"]);
        let key = data.api_key("grand-hotel", "Locks", "FRONT_DESK");
        let target = Self { serving: data.serve(), key, _data: data, _db: db };
        let room = r#"[{"query": "mutation{createCategory(input:{name:\"Double\"}){category{id @chain(variable:\"id\")}}}"},
            {"query": "mutation($id:ID!){createRoomSetup(input:{name:\"1\",categoryId:$id}){roomSetup{id}}}"}]"#;
        target.expect_none(room).await;
        target
    }

    /// It works.
    async fn expect_none(&self, body: &str) {
        let answer = self.send(&Maker(&self.key).graphql(body.as_bytes())).await;
        assert_eq!(answer, (200, "none".to_owned()), "{body}");
    }

    /// Status and code of the first error.
    async fn send(&self, bytes: &[u8]) -> (u16, String) {
        let address = self.serving.url.strip_prefix("http://").expect("a URL");
        let mut stream = TcpStream::connect(address).await.expect("the server accepts");
        // It may have answered and closed before all was sent.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).expect("text");
        let status = answer.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_default();
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let of_first = if body.is_array() { &body[0] } else { &body };
        (status, body["code"].as_str().unwrap_or_else(|| error_code(of_first)).to_owned())
    }

    /// Kibibytes of memory that the process has.
    fn resident(&self) -> u64 {
        let id = self.serving.id().to_string();
        let output = Command::new("ps").args(["-o", "rss=", "-p", &id]).output().expect("ps is there");
        String::from_utf8(output.stdout).expect("text").trim().parse().expect("a number")
    }
}

#[tokio::test]
async fn every_hostile_request_is_answered_within_250_ms() {
    let target = Target::start().await;
    let mut wrong = Vec::new();
    for Hostile { what, bytes, status, code } in Maker(&target.key).all() {
        let mut best = Duration::MAX;
        for _ in 0..TRIES {
            let began = Instant::now();
            let answer = target.send(&bytes).await;
            best = best.min(began.elapsed());
            if answer != (status, code.to_owned()) {
                wrong.push(format!("{what}: {answer:?}"));
                break;
            }
            if best < LIMIT {
                break;
            }
        }
        if best >= LIMIT {
            wrong.push(format!("{what}: {best:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    target.expect_none(r#"{"query":"{room_stays{totalCount}}"}"#).await;
    let (status, log) = target.serving.end(Signal::TERM);
    assert!(status.success(), "{status}");
    assert!(!log.contains("INTERNAL") && !log.contains("panic"), "a fault of ours: {log}");
    assert!(!log.contains(&target.key[9..]) && !log.contains("xxxxxxxx"), "what was sent: {log}");
}

#[tokio::test]
async fn a_flood_of_hostile_requests_leaves_nothing_in_memory() {
    let target = Target::start().await;
    let all = Maker(&target.key).all();
    let round = || async {
        let sending = all.iter().map(|request| target.send(&request.bytes));
        stream::iter(sending).buffer_unordered(SENDERS).collect::<Vec<_>>().await;
    };
    // What a process takes once and keeps.
    round().await;
    let before = target.resident();
    for _ in 0..ROUNDS {
        round().await;
    }
    let after = target.resident();
    println!("{before} KiB, then {after} KiB");
    assert!(after < before + MOST_GROWTH, "{before} KiB, then {after} KiB");
    let sent: usize = all.iter().map(|request| ROUNDS * request.bytes.len() / 1024).sum();
    assert!(sent as u64 > MOST_GROWTH, "{sent} KiB could all be kept");
    target.expect_none(r#"{"query":"{room_stays{totalCount}}"}"#).await;
}
