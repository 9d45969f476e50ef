//! A server process at three times its capacity.

use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};
use sqlx::Executor as _;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

use crate::support::client::CREATE_KEY;
use crate::support::{DataDir, Serving, TestDb, error_code, header};

/// Requests that run at a time.
const CONNECTIONS: u32 = 2;
/// Makes every new key take 50 ms in which nobody needs a processor. So capacity does not depend on the machine.
const SLOW_KEYS: &str = "
    CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.05); RETURN NEW; END';
    CREATE TRIGGER be_slow BEFORE INSERT ON room_access_keys FOR EACH ROW EXECUTE FUNCTION be_slow()";
/// How long the load lasts. In its first half the queue may count as a burst.
const LOAD: Duration = Duration::from_secs(6);
/// Requests for each that can be served.
const OVERLOAD: f64 = 3.0;
/// How long clients ask again and again, until all of them are there and then.
const GATHERING: Duration = Duration::from_secs(1);
const SIEGE: Duration = Duration::from_secs(4);
/// More clients than may wait, and more than connections.
const MANY: usize = 100;
/// API keys that share the load.
const KEYS: usize = 4;
/// How many times as long as without load what is accepted may take, and what is refused. Without a gate it would be
/// 60 times, until the pool gives up, and growing.
const MOST_TIMES: u32 = 12;
/// Most kibibytes that the process may grow by.
const MOST_GROWTH: u64 = 48 * 1024;

struct Site {
    serving: Serving,
    keys: Vec<String>,
    http: reqwest::Client,
    data: DataDir,
    db: TestDb,
}

/// One request of the load.
struct Sample {
    /// Since the load began.
    at: Duration,
    took: Duration,
    accepted: bool,
}

impl Site {
    async fn start() -> Self {
        Self::start_with(&[]).await
    }

    async fn start_with(settings: &[&str]) -> Self {
        let db = TestDb::new().await;
        db.pool.execute(SLOW_KEYS).await.expect("made");
        let data = DataDir::with_database(&db);
        data.print(&["hotel", "create", "grand-hotel", "--name", "Grand Hotel", "--time-zone", "Europe/Berlin"]);
        let keys = (0..KEYS).map(|number| data.api_key("grand-hotel", &format!("Locks {number}"), "WRITE")).collect();
        let connections = CONNECTIONS.to_string();
        let serving = data.serve_with(&[&["--database-connections", &connections], settings].concat());
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { serving, keys, http, data, db }
    }

    /// Asks for a new key. Whoever is refused is refused in order.
    fn ask(&self, number: usize, began: Instant) -> impl Future<Output = Sample> + Send + 'static {
        let body = json!({"query": CREATE_KEY, "variables": {"input": {"roomAccessPin": {"pin": "1"}}}});
        let request = self.http.post(format!("{}/graphql", self.serving.url)).bearer_auth(&self.keys[number % KEYS]);
        let request = request.json(&body);
        async move {
            let (at, sent) = (began.elapsed(), Instant::now());
            let response = request.send().await.expect("an answer");
            let (status, retry_after) = (response.status().as_u16(), header(&response, "retry-after").to_owned());
            let answer: Value = response.json().await.expect("JSON");
            let took = sent.elapsed();
            let accepted = status == 200;
            if accepted {
                assert!(answer.get("errors").is_none(), "{answer}");
            } else {
                assert_eq!((status, &*retry_after, error_code(&answer)), (503, "1", "OVERLOADED"), "{answer}");
            }
            Sample { at, took, accepted }
        }
    }

    async fn status(&self, path: &str) -> u16 {
        let response = self.http.get(format!("{}{path}", self.serving.url)).send().await.expect("an answer");
        response.status().as_u16()
    }

    async fn keys_made(&self) -> usize {
        let count = "SELECT count(*) FROM room_access_keys";
        let made: i64 = sqlx::query_scalar(count).fetch_one(&self.db.pool).await.expect("a count");
        usize::try_from(made).expect("a count")
    }

    /// Kibibytes of memory that the process has.
    fn resident(&self) -> u64 {
        let id = self.serving.id().to_string();
        let output = Command::new("ps").args(["-o", "rss=", "-p", &id]).output().expect("ps is there");
        String::from_utf8(output.stdout).expect("text").trim().parse().expect("a number")
    }
}

fn median(samples: &[Sample], which: impl Fn(&Sample) -> bool) -> Duration {
    let mut took: Vec<Duration> = samples.iter().filter(|sample| which(sample)).map(|sample| sample.took).collect();
    took.sort();
    took[took.len() / 2]
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long: ./dev test --long"]
async fn at_three_times_its_capacity_a_server_sheds_early_and_keeps_its_latency_and_its_memory() {
    let site = Site::start().await;
    let mut alone = Vec::new();
    for number in 0..20 {
        alone.push(site.ask(number, Instant::now()).await);
    }
    let unloaded = median(&alone, |sample| sample.accepted);
    assert!(unloaded > Duration::from_millis(50), "{unloaded:?}");
    let capacity = f64::from(CONNECTIONS) / unloaded.as_secs_f64();
    let before = site.resident();

    // Open: who asks does not wait for the answers to others.
    let mut ticks = interval(Duration::from_secs_f64(1.0 / (capacity * OVERLOAD)));
    let (mut asking, began, mut number) = (JoinSet::new(), Instant::now(), 0);
    while began.elapsed() < LOAD {
        ticks.tick().await;
        asking.spawn(site.ask(number, began));
        number += 1;
    }
    assert_eq!(site.status("/healthz").await, 200);
    assert_eq!(site.status("/readyz").await, 200, "overload is no reason to take a replica away");
    let grown = site.resident().saturating_sub(before);
    let samples = asking.join_all().await;

    let lasting = |sample: &Sample| sample.at > LOAD / 2;
    let accepted = samples.iter().filter(|sample| sample.accepted).count();
    let accepted_took = median(&samples, |sample| sample.accepted && lasting(sample));
    let refused_took = median(&samples, |sample| !sample.accepted && lasting(sample));
    println!(
        "{unloaded:?} alone; of {} accepted {accepted} in {accepted_took:?}, the others refused in {refused_took:?}; \
         {grown} KiB more",
        samples.len()
    );
    let served = f64::from(u32::try_from(accepted).expect("few")) / (capacity * LOAD.as_secs_f64());
    assert!((0.5..1.5).contains(&served), "{served} of what can be served");
    assert!(samples.len() - accepted > samples.len() / 3, "{accepted} of {}", samples.len());
    assert!(accepted_took < unloaded * MOST_TIMES, "{accepted_took:?}, {unloaded:?} alone");
    assert!(refused_took < unloaded * MOST_TIMES, "{refused_took:?}, {unloaded:?} alone");
    assert!(grown < MOST_GROWTH, "{grown} KiB");
    assert_eq!(site.keys_made().await, alone.len() + accepted, "what was refused has no effect");

    // Nothing is left of it.
    sleep(unloaded).await;
    for number in 0..KEYS {
        assert!(site.ask(number, Instant::now()).await.accepted);
    }
    let Site { serving, data: _data, .. } = site;
    let (status, log) = serving.end(Signal::TERM);
    assert!(status.success(), "{status}");
    let unavailable =
        log.lines().filter(|line| line.contains("requests refused") && !line.contains("\"unavailable\":0,"));
    assert_eq!(unavailable.count(), 0, "nothing failed in the middle");
    assert!(!log.contains("INTERNAL"), "{log}");
}

/// Clients that ask again as soon as they are answered, for a while.
#[derive(Debug)]
struct Siege {
    /// Once all of them were there.
    served: usize,
    refused: usize,
    longest: Duration,
}

async fn besiege(site: &Site, clients: usize) -> Siege {
    let (mut asking, began) = (JoinSet::new(), Instant::now());
    for number in 0..clients {
        let (http, key) = (site.http.clone(), site.keys[number % KEYS].clone());
        let url = format!("{}/graphql", site.serving.url);
        asking.spawn(async move {
            let mut asks = Vec::new();
            while began.elapsed() < GATHERING + SIEGE {
                let body = json!({"query": CREATE_KEY, "variables": {"input": {"roomAccessPin": {"pin": "1"}}}});
                let sent = Instant::now();
                let response = http.post(&url).bearer_auth(&key).json(&body).send().await.expect("an answer");
                let status = response.status().as_u16();
                assert!([200, 503].contains(&status), "{status}");
                // All of it, or the connection cannot be used again.
                response.bytes().await.expect("a body");
                asks.push((began.elapsed(), status == 200, sent.elapsed()));
            }
            asks
        });
    }
    let answers = asking.join_all().await.concat();
    let during = |at: &Duration| (GATHERING..GATHERING + SIEGE).contains(at);
    let count = |wanted| answers.iter().filter(|(at, served, _)| *served == wanted && during(at)).count();
    let longest = answers.iter().map(|(.., took)| *took).max().expect("answers");
    Siege { served: count(true), refused: count(false), longest }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long: ./dev test --long"]
async fn g42_refusing_many_who_ask_again_at_once_takes_little_from_those_who_are_served() {
    let site = Site::start_with(&["--connections", "80"]).await;
    let before = besiege(&site, 8).await;
    let many = besiege(&site, MANY).await;
    let after = besiege(&site, 8).await;
    println!("with 8 clients {before:?} and {after:?}; with {MANY} {many:?}");
    let best = before.served.min(after.served);
    assert!(many.served * 10 >= best * 7, "{} of {best}", many.served);
    // Each is refused twice a second: that is what refusing costs.
    assert!(many.refused > many.served && many.refused <= 2 * MANY * 5, "{many:?}");
    assert!(many.longest < Duration::from_secs(5), "{many:?}");
}
