//! What a process held that died is taken over by the others, and what one holds that lives is left to it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use latchkey::db::embedded::{Durability, Embedded};
use latchkey::liveness::{self, LOOK_EVERY, LOOKS};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use sqlx::{Connection as _, Executor as _, PgConnection, PgPool};
use tokio::sync::Notify;

use super::site::{Answer, User, until};
use crate::support::{DataDir, LATCHKEY, Receiver, Reply, Serving, TestDb};
use crate::webhooks::Hooks;

const CREATE: [&str; 7] = ["hotel", "create", "grand-hotel", "--name", "Grand Hotel", "--time-zone", "Europe/Berlin"];
/// What is promised of a machine that has nothing else to do.
const PROMISED: Duration = Duration::from_secs(3);
/// What is believed of one that runs other tests; a lease runs out after a minute.
const BELIEVED: Duration = Duration::from_secs(30);
/// As long as several times that others need to find out that a process is dead.
fn long_enough() -> Duration {
    LOOK_EVERY * u32::try_from(4 * LOOKS).expect("a few looks")
}

/// A hotel and its servers.
struct House {
    data: DataDir,
    desk: String,
    locks: String,
}

impl House {
    /// On a database of the servers' own, which ends with the last of them.
    async fn embedded() -> Self {
        let data = DataDir::new();
        data.print(&CREATE);
        // So that not every command starts PostgreSQL.
        let embedded = Embedded::start(&data.cluster(), Durability::Durable, Path::new(LATCHKEY)).await;
        let house = Self::of(data);
        embedded.unwrap_or_else(|error| panic!("{error}"));
        house
    }

    fn on(db: &TestDb) -> Self {
        let data = DataDir::with_database(db);
        data.print(&CREATE);
        Self::of(data)
    }

    fn of(data: DataDir) -> Self {
        let key = |integration, permission| data.api_key("grand-hotel", integration, permission);
        let (desk, locks) = (key("Front desk", "FRONT_DESK"), key("Locks", "WRITE"));
        Self { data, desk, locks }
    }

    fn serve(&self) -> Serving {
        self.data.serve_with(&["--webhook-allow-networks", "127.0.0.0/8,::1/128"])
    }

    /// A receiver that does not answer its first webhook, and that webhook on its way from `server`.
    async fn in_flight(&self, server: &Serving) -> (Receiver, Arc<Notify>) {
        let receiver = Receiver::new(Reply::Status(200)).await;
        let release = Arc::new(Notify::new());
        receiver.next([Reply::When(Arc::clone(&release), 200)]);
        let desk = User::new(server, &self.desk);
        User::new(server, &self.locks).subscribe(&receiver).await;
        let category = desk.category().await;
        assert!(matches!(desk.book(&category, "R1").await, Answer::Acknowledged(_)));
        receiver.wait_for(1).await;
        (receiver, release)
    }
}

async fn delivered(pool: &PgPool) -> i64 {
    let count = "SELECT count(*) FROM webhook_deliveries WHERE status = 'DELIVERED'";
    sqlx::query_scalar(count).fetch_one(pool).await.expect("a count")
}

/// Waits for the second webhook and answers how long after `since` it came.
async fn next_attempt(receiver: &Receiver, since: Instant) -> Duration {
    let waited = tokio::time::timeout(Duration::from_secs(90), receiver.wait_for(2)).await;
    waited.expect("it is sent again");
    since.elapsed()
}

/// One of two servers is killed with a webhook on its way.
async fn one_of_two() -> Duration {
    let db = TestDb::new().await;
    let house = House::on(&db);
    let doomed = house.serve();
    let (receiver, _release) = house.in_flight(&doomed).await;
    let _staying = house.serve();
    doomed.end(Signal::KILL);
    let took = next_attempt(&receiver, Instant::now()).await;
    until("it is recorded", async || delivered(&db.pool).await == 1).await;
    assert_eq!(receiver.received().len(), 2, "once more, and not oftener");
    took
}

/// The only server is killed with a webhook on its way, and started again.
async fn only_one() -> Duration {
    let db = TestDb::new().await;
    let house = House::on(&db);
    let took = kill_and_restart(&house).await;
    until("it is recorded", async || delivered(&db.pool).await == 1).await;
    took
}

/// The time from kill to delivery with the embedded database, which ends with its server and is started with the next one.
async fn embedded() -> Duration {
    kill_and_restart(&House::embedded().await).await
}

async fn kill_and_restart(house: &House) -> Duration {
    let doomed = house.serve();
    let (receiver, _release) = house.in_flight(&doomed).await;
    doomed.end(Signal::KILL);
    let killed = Instant::now();
    let next = house.serve();
    let took = next_attempt(&receiver, killed).await;
    next.end(Signal::TERM);
    assert_eq!(receiver.received().len(), 2, "once more, and not oftener");
    took
}

#[tokio::test(flavor = "multi_thread")]
async fn g39_a_webhook_of_a_killed_server_is_sent_again_at_once_by_another() {
    let took = one_of_two().await;
    println!("sent again {took:?} after the kill");
    assert!(took < BELIEVED, "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn g39_a_webhook_of_a_killed_server_is_sent_again_when_the_server_is_back() {
    let took = only_one().await;
    println!("sent again {took:?} after the kill");
    assert!(took < BELIEVED, "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn g39_a_webhook_of_a_killed_server_is_sent_again_when_it_is_back_with_its_embedded_database() {
    let took = embedded().await;
    println!("sent again {took:?} after the kill");
    assert!(took < BELIEVED, "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "long: ./dev test --long"]
async fn g39_twenty_kills_are_each_followed_by_the_next_attempt_within_three_seconds() {
    let (mut of_two, mut alone, mut own) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..20 {
        of_two.push(one_of_two().await);
        alone.push(only_one().await);
        own.push(embedded().await);
    }
    for (what, mut took) in [("another replica", of_two), ("started again", alone), ("embedded, started again", own)] {
        took.sort();
        println!("{what}: median {:?}, longest {:?}", took[took.len() / 2], took[took.len() - 1]);
        assert!(took.iter().all(|took| *took < PROMISED), "{what}: {took:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn g39_a_server_that_lost_its_connection_or_is_stopped_keeps_what_it_holds() {
    let db = TestDb::new().await;
    let house = House::on(&db);
    let slow = house.serve();
    let (receiver, release) = house.in_flight(&slow).await;
    let _other = house.serve();
    // Of both: neither may take the other one for dead.
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE datname = current_database() AND application_name = 'latchkey liveness'";
    let began = Instant::now();
    let mut cuts = 0;
    while began.elapsed() < long_enough() {
        cuts += sqlx::query_scalar::<_, i64>(cut).fetch_one(&db.pool).await.expect("cut");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(cuts >= 4, "they connect again: {cuts}");
    assert_eq!(receiver.received().len(), 1, "nobody sends what another one has");

    let process = Pid::from_raw(slow.id().cast_signed()).expect("a process");
    kill_process(process, Signal::STOP).expect("it runs");
    tokio::time::sleep(long_enough()).await;
    assert_eq!(receiver.received().len(), 1, "it is slow, and not dead");
    kill_process(process, Signal::CONT).expect("it runs");
    release.notify_one();
    until("it is recorded", async || delivered(&db.pool).await == 1).await;
    assert_eq!(receiver.received().len(), 1);
}

/// The number of a process, as the database keeps it, and a lease in its name on everything.
async fn lease_all(pool: &PgPool, holder: i32) {
    sqlx::query("UPDATE webhook_deliveries SET attempts = 1, leased_by = $1, leased_until = '2026-01-30T10:00:00Z'")
        .bind(holder)
        .execute(pool)
        .await
        .expect("leased");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_taken_from_the_dead_alone_and_only_by_who_can_tell() {
    const HOLDER: i32 = -301;
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    hooks.house.stay("R1").await;
    let pool = &hooks.house.test.db.pool;
    lease_all(pool, HOLDER).await;
    assert_eq!(hooks.deliver().await, 0, "nothing is known of the holder");

    let mut holder = PgConnection::connect_with(&hooks.house.test.db.options()).await.expect("connected");
    holder
        .execute("SELECT pg_advisory_lock_shared(hashtext('latchkey liveness'), -301)")
        .await
        .expect("the holder shows that it lives");
    let context = hooks.house.test.context.clone();
    let looking = tokio::spawn(async move {
        liveness::run(&context.liveness, &context.worker_pool, &context.deliveries_wake).await;
    });
    until("it is seen to live", async || {
        hooks.house.test.liveness.living().is_some_and(|living| living.contains(&HOLDER))
    })
    .await;
    assert_eq!(hooks.deliver().await, 0, "it lives");
    holder.close().await.expect("it dies");
    until("it is seen to be dead", async || {
        hooks.house.test.liveness.living().is_some_and(|living| !living.contains(&HOLDER))
    })
    .await;
    assert_eq!(hooks.deliver().await, 1);
    assert_eq!(receiver.received().len(), 1);
    looking.abort();
}

#[tokio::test]
async fn what_was_taken_over_is_not_recorded_by_who_held_it_before() {
    let hooks = Hooks::new().await;
    let receiver = Receiver::new(Reply::Status(200)).await;
    let (id, _) = hooks.endpoint(&receiver.url(), &["room_stay.created"]).await;
    let release = Arc::new(Notify::new());
    receiver.next([Reply::When(Arc::clone(&release), 500)]);
    hooks.house.stay("R1").await;
    let pool = &hooks.house.test.db.pool;
    let slow = hooks.deliver();
    let others = async {
        receiver.wait_for(1).await;
        // Claimed by another process at the very same instant: only the number of the attempt tells the two apart.
        sqlx::query("UPDATE webhook_deliveries SET attempts = attempts + 1").execute(pool).await.expect("taken over");
        release.notify_one();
    };
    let (attempts, ()) = tokio::join!(slow, others);
    assert_eq!(attempts, 1);
    let state: (i32, i32, bool) =
        sqlx::query_as("SELECT attempts, failed_attempts, leased_until IS NOT NULL FROM webhook_deliveries")
            .fetch_one(pool)
            .await
            .expect("the delivery");
    assert_eq!(state, (2, 0, true), "it is still the other one's");
    assert_eq!(hooks.log(&id).await[0]["attempts"][0]["statusCode"], json!(500), "the attempt is in the log");
}
