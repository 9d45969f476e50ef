//! Servers and PostgreSQL are killed. What was acknowledged is there, and every event arrives.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use latchkey::error::ErrorCode;
use rustix::process::Signal;
use serde_json::json;
use tokio::task::JoinSet;

use super::site::{Answer, Site, User, arrived, until};
use crate::support::{Receiver, Reply, text, until_somebody_waits};

/// Those who book rooms as fast as they are answered, until they are stopped or their server is gone.
struct Load {
    shared: Arc<Shared>,
    writers: JoinSet<()>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    acknowledged: Mutex<BTreeSet<String>>,
    refused: AtomicUsize,
}

impl Load {
    /// `names` tell the writers apart.
    fn start(desk: &User, category: &str, names: &[&'static str]) -> Self {
        let mut load = Self { shared: Arc::default(), writers: JoinSet::new() };
        load.join(desk, category, names);
        load
    }

    fn join(&mut self, desk: &User, category: &str, names: &[&'static str]) {
        for &name in names {
            let (desk, category, shared) = (desk.clone(), category.to_owned(), Arc::clone(&self.shared));
            self.writers.spawn(async move { shared.write(&desk, &category, name).await });
        }
    }

    fn count(&self) -> usize {
        self.shared.acknowledged.lock().expect("no panic").len()
    }

    /// Waits until so many more bookings are acknowledged.
    async fn go_on(&self, more: usize) {
        let goal = self.count() + more;
        until("bookings go on", async || self.count() >= goal).await;
    }

    /// Ends it and answers with the codes of what was acknowledged.
    async fn stop(self) -> BTreeSet<String> {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.writers.join_all().await;
        std::mem::take(&mut *self.shared.acknowledged.lock().expect("no panic"))
    }
}

impl Shared {
    async fn write(&self, desk: &User, category: &str, name: &str) {
        for number in 0.. {
            let code = format!("{name}-{number}");
            match desk.book(category, &code).await {
                Answer::Acknowledged(_) => {
                    self.acknowledged.lock().expect("no panic").insert(code);
                }
                Answer::Refused(status, response) => {
                    let error = &response["errors"][0];
                    // What was being committed when PostgreSQL died may be there or not, and is not said to be undone.
                    let unknown = error["extensions"]["code"] == "OUTCOME_UNKNOWN";
                    let code = if unknown { ErrorCode::OutcomeUnknown } else { ErrorCode::Unavailable };
                    assert_eq!(error["extensions"]["code"], code.spec().wire, "{response}");
                    assert_eq!(error["message"], code.spec().meaning);
                    assert!(!unknown || response["extensions"].get("rolledBack").is_none(), "{response}");
                    assert!([200, 503].contains(&status.as_u16()), "{status}");
                    self.refused.fetch_add(1, Ordering::Relaxed);
                }
                Answer::Lost => return,
            }
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_with_webhooks_to_send_and_to_record_loses_none() {
    let site = Site::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let server = site.serve("09:00:00");
    let desk = site.desk(&server);
    let category = desk.category().await;
    site.locks(&server).subscribe(&receiver).await;
    desk.book(&category, "RECORDED").await;
    receiver.wait_for(1).await;
    site.until_all_is_delivered().await;

    // One more is sent and answered; recording it has to wait, and while it waits nothing else is sent.
    let mut holding = site.pool.begin().await.expect("a connection");
    sqlx::query("LOCK TABLE webhook_attempts IN EXCLUSIVE MODE").execute(&mut *holding).await.expect("held");
    desk.book(&category, "SENT").await;
    receiver.wait_for(2).await;
    until_somebody_waits(&site.pool).await;
    for code in ["COMMITTED-1", "COMMITTED-2", "COMMITTED-3"] {
        assert!(matches!(desk.book(&category, code).await, Answer::Acknowledged(_)), "{code}");
    }
    server.end(Signal::KILL);
    assert_eq!(receiver.received().len(), 2);
    holding.rollback().await.expect("rolls back");

    // The killed server's lease has run out by then.
    let server = site.serve("09:05:00");
    site.until_all_is_delivered().await;
    let codes = ["RECORDED", "SENT", "COMMITTED-1", "COMMITTED-2", "COMMITTED-3"];
    assert_eq!(site.desk(&server).codes().await, codes.map(str::to_owned).into());
    assert_eq!(arrived(&receiver), site.locks(&server).events().await);
    let webhooks = receiver.received();
    assert_eq!(webhooks.len(), 6, "one of them twice");
    let sent = text(&webhooks[1].json()["id"]);
    assert_eq!(webhooks[2..].iter().filter(|webhook| webhook.json()["id"] == json!(sent)).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_postgres_is_killed_under_load_nothing_acknowledged_is_lost_and_the_server_goes_on() {
    let site = Site::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let server = site.serve("09:00:00");
    let desk = site.desk(&server);
    let category = desk.category().await;
    site.locks(&server).subscribe(&receiver).await;
    let load = Load::start(&desk, &category, &["A", "B", "C"]);
    // At once, with a warning to the sessions; and without one.
    for signal in [Signal::QUIT, Signal::KILL] {
        load.go_on(10).await;
        site.strike_postgres(signal).await;
        let back = Instant::now();
        load.go_on(1).await;
        let waited = back.elapsed();
        println!(
            "served {waited:?} after PostgreSQL's return; {} refused",
            load.shared.refused.load(Ordering::Relaxed)
        );
        assert!(waited < Duration::from_secs(50), "5 s on a machine that does nothing else");
        load.go_on(10).await;
    }
    let acknowledged = load.stop().await;
    site.until_all_is_delivered().await;
    let kept = desk.codes().await;
    assert!(acknowledged.is_subset(&kept), "{:?}", acknowledged.difference(&kept));
    assert_eq!(arrived(&receiver), site.locks(&server).events().await);

    // Nobody asks meanwhile, so nobody meets the connections that it left behind.
    site.strike_postgres(Signal::KILL).await;
    // Whether PostgreSQL is back it looks ten times a second, and refuses until then.
    let ready = async || reqwest::get(format!("{}/readyz", server.url)).await.expect("an answer").status() == 200;
    until("the server is ready", ready).await;
    for _ in 0..20 {
        desk.data("{ room_stays(first: 1) { edges { node { id } } } }", json!({})).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_share_the_deliveries_and_one_that_is_killed_is_replaced() {
    let site = Site::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let (doomed, staying) = (site.serve("09:00:00"), site.serve("09:00:00"));
    let desk = site.desk(&staying);
    let category = desk.category().await;
    site.locks(&staying).subscribe(&receiver).await;
    let mut load = Load::start(&site.desk(&doomed), &category, &["A", "B"]);
    load.join(&desk, &category, &["C", "D"]);
    load.go_on(40).await;
    let before = load.stop().await;
    site.until_all_is_delivered().await;
    assert_eq!(receiver.received().len(), before.len(), "each once");
    assert_eq!(arrived(&receiver).len(), before.len());

    let mut load = Load::start(&site.desk(&doomed), &category, &["E", "F"]);
    load.join(&desk, &category, &["G", "H"]);
    load.go_on(20).await;
    doomed.end(Signal::KILL);
    load.go_on(20).await;
    let after = load.stop().await;
    // Takes up what the killed one had leased.
    let _replacement = site.serve("09:05:00");
    site.until_all_is_delivered().await;
    let kept = desk.codes().await;
    let acknowledged: BTreeSet<String> = before.union(&after).cloned().collect();
    assert!(acknowledged.is_subset(&kept), "{:?}", acknowledged.difference(&kept));
    assert_eq!(arrived(&receiver), site.locks(&staying).events().await);
}
