//! What comes of each way in which a receiver can answer.

use std::io::Write as _;
use std::time::Duration;

use chrono::TimeDelta;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::Hooks;
use crate::support::{Receiver, Reply};

/// One webhook to a receiver that always answers like that; answers with the endpoint's id.
async fn deliver_one(hooks: &Hooks, receiver: &Receiver) -> String {
    let (id, _) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    hooks.house.stay("R1").await;
    assert_eq!(hooks.deliver().await, 1);
    id
}

/// Failure of the only attempt after such an answer. The delivery waits for its second one.
async fn failure_of(reply: Reply) -> (String, serde_json::Value) {
    let hooks = Hooks::new().await.impatient();
    let receiver = Receiver::new(reply).await;
    let id = deliver_one(&hooks, &receiver).await;
    let delivery = hooks.log(&id).await.remove(0);
    assert_eq!(delivery["status"], "PENDING");
    assert_eq!(receiver.received().len(), 1);
    let attempt = delivery["attempts"][0].clone();
    (attempt["failure"].as_str().expect("a failure").to_owned(), attempt)
}

#[tokio::test]
async fn any_2xx_is_success() {
    for status in [200, 202, 204, 299] {
        let hooks = Hooks::new().await;
        let receiver = Receiver::new(Reply::Status(status)).await;
        let id = deliver_one(&hooks, &receiver).await;
        let delivery = hooks.log(&id).await.remove(0);
        assert_eq!(delivery["status"], "DELIVERED");
        assert_eq!(delivery["attempts"][0]["statusCode"], json!(status));
        assert_eq!(delivery["attempts"][0]["failure"], json!(null));
        assert_eq!(hooks.read(&id).await["lastSuccessAt"], "2026-01-30T10:00:00+01:00");
        assert_eq!(hooks.deliver_after(TimeDelta::days(5)).await, 0);
    }
}

#[tokio::test]
async fn any_other_status_is_a_failure() {
    for status in [304, 400, 401, 404, 429, 500, 503] {
        let (failure, attempt) = failure_of(Reply::Status(status)).await;
        assert_eq!((failure.as_str(), &attempt["statusCode"]), ("STATUS_REFUSED", &json!(status)));
    }
}

#[tokio::test]
async fn a_slow_answer_within_the_limit_is_success() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Slow(Duration::from_millis(50), 200)).await;
    let id = deliver_one(&hooks, &receiver).await;
    let attempt = hooks.log(&id).await.remove(0)["attempts"][0].clone();
    assert_eq!(attempt["failure"], json!(null));
    assert!(attempt["durationMs"].as_i64().is_some_and(|duration| duration >= 50), "{attempt}");
}

#[tokio::test]
async fn no_answer_in_time_is_a_failure() {
    let (failure, attempt) = failure_of(Reply::Hang).await;
    assert_eq!((failure.as_str(), &attempt["statusCode"]), ("TIMED_OUT", &json!(null)));
}

#[tokio::test]
async fn an_answer_that_drips_without_end_is_a_failure() {
    let (failure, attempt) = failure_of(Reply::Drip).await;
    assert_eq!((failure.as_str(), &attempt["statusCode"]), ("TIMED_OUT", &json!(200)));
    assert!(attempt["answer"].as_str().is_some_and(|answer| answer.starts_with("...")), "{attempt}");
}

#[tokio::test]
async fn a_huge_answer_is_read_in_part_and_its_start_is_kept() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Flood).await;
    let id = deliver_one(&hooks, &receiver).await;
    let delivery = hooks.log(&id).await.remove(0);
    assert_eq!(delivery["status"], "DELIVERED");
    assert_eq!(delivery["attempts"][0]["answer"], "x".repeat(1024));
    // What the sockets' buffers swallow comes on top of the 64 KiB that are read.
    assert!(receiver.bytes_sent() < 16 * 1024 * 1024);
}

#[tokio::test]
async fn a_head_without_end_is_a_failure() {
    let (failure, _) = failure_of(Reply::FloodHead).await;
    assert_eq!(failure, "ANSWER_BROKEN");
}

#[tokio::test]
async fn a_gzip_bomb_is_not_decoded() {
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..64 {
        bomb.write_all(&vec![0; 1 << 20]).expect("a vector takes it");
    }
    let bomb = bomb.finish().expect("a vector takes it");
    assert!(bomb.len() < 128 * 1024);
    let raw = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", bomb.len());
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Raw([raw.as_bytes(), &bomb].concat())).await;
    let id = deliver_one(&hooks, &receiver).await;
    assert_eq!(receiver.received()[0].header("accept-encoding"), None);
    let delivery = hooks.log(&id).await.remove(0);
    assert_eq!(delivery["status"], "DELIVERED");
    // The bytes as they came, with what is not text replaced.
    let answer = delivery["attempts"][0]["answer"].as_str().expect("a start").to_owned();
    assert!(answer.chars().count() <= 1024 && !answer.contains('\0'));
}

#[tokio::test]
async fn a_connection_that_is_cut_is_a_failure() {
    let (failure, _) = failure_of(Reply::Reset).await;
    assert_eq!(failure, "ANSWER_BROKEN");
    let (failure, attempt) =
        failure_of(Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_vec())).await;
    assert_eq!((failure.as_str(), &attempt["answer"]), ("ANSWER_BROKEN", &json!("half")));
    let (failure, _) = failure_of(Reply::Raw(b"SSH-2.0-OpenSSH_9.2p1\r\n".to_vec())).await;
    assert_eq!(failure, "ANSWER_BROKEN");
}

#[tokio::test]
async fn a_closed_port_is_a_failure() {
    let hooks = Hooks::new().await;
    let url = Receiver::new(Reply::Hang).await.url();
    let (id, _) = hooks.endpoint(&url, &["room_stay.created"]).await;
    hooks.house.stay("R1").await;
    hooks.deliver().await;
    assert_eq!(hooks.log(&id).await[0]["attempts"][0]["failure"], "CONNECTION_FAILED");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = Receiver::new(Reply::Status(200)).await;
        let location = format!("HTTP/1.1 {status} -\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", elsewhere.url());
        let (failure, attempt) = failure_of(Reply::Raw(location.into_bytes())).await;
        assert_eq!((failure.as_str(), &attempt["statusCode"]), ("STATUS_REFUSED", &json!(status)));
        assert!(elsewhere.received().is_empty());
    }
}

#[tokio::test]
async fn a_flaky_receiver_gets_the_same_bytes_until_it_accepts_them() {
    let hooks = Hooks::new().await.impatient();
    let receiver = Receiver::new(Reply::Status(200)).await;
    receiver.next([Reply::Status(500), Reply::Reset, Reply::Hang]);
    let id = deliver_one(&hooks, &receiver).await;
    assert_eq!(hooks.deliver_after(TimeDelta::seconds(8)).await, 0);
    assert_eq!(hooks.deliver_after(TimeDelta::seconds(4)).await, 1);
    assert_eq!(hooks.deliver_after(TimeDelta::seconds(70)).await, 1);
    assert_eq!(hooks.deliver_after(TimeDelta::minutes(12)).await, 1);
    let arrived = receiver.received();
    assert_eq!(arrived.len(), 4);
    let mut signatures: Vec<_> = arrived.iter().map(|one| one.header("3rpms-signature").expect("signed")).collect();
    signatures.dedup();
    assert_eq!(signatures.len(), 4);
    assert!(arrived.iter().all(|one| one.body == arrived[0].body));
    assert!(arrived.iter().all(|one| one.header("webhook-id") == arrived[0].header("webhook-id")));
    let delivery = hooks.log(&id).await.remove(0);
    assert_eq!(delivery["status"], "DELIVERED");
    let numbers: Vec<_> = delivery["attempts"].as_array().expect("attempts").iter().map(|one| &one["number"]).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
}

#[tokio::test]
async fn retry_after_is_heeded_for_the_whole_endpoint() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    receiver.next([Reply::Raw(b"HTTP/1.1 503 -\r\nretry-after: 3600\r\ncontent-length: 0\r\n\r\n".to_vec())]);
    let id = deliver_one(&hooks, &receiver).await;
    assert_eq!(hooks.log(&id).await[0]["nextAttemptAt"], "2026-01-30T11:00:00+01:00");
    hooks.house.stay("R2").await;
    assert_eq!(hooks.deliver_after(TimeDelta::minutes(59)).await, 0);
    assert_eq!(hooks.deliver_after(TimeDelta::minutes(1)).await, 2);
    assert_eq!(hooks.statuses(&id).await, ["DELIVERED", "DELIVERED"]);
}
