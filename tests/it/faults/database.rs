//! What a request is answered when the database, or the request itself, goes away.

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::postgres::PgPoolOptions;

use latchkey::app::App;
use latchkey::webhooks::WebhookSettings;

use crate::support::client::{ADD_KEY, CREATE_KEY};
use crate::support::{Client, House, code, fingerprint, until_somebody_waits};

const STAYS: &str = "{ room_stays { edges { node { id } } } }";

fn pin() -> Value {
    json!({"input": {"roomAccessPin": {"pin": "1"}}})
}

/// The same application on a pool of its own, for faults that must not touch the test's.
async fn on_own_pool(house: &House, options: PgPoolOptions) -> App {
    let pool = options.connect_with(house.test.db.options()).await.expect("connects");
    App::new(
        pool,
        house.test.clock.clone(),
        house.test.ids.clone(),
        house.test.secret_keys.clone(),
        WebhookSettings::default(),
    )
}

#[track_caller]
fn expect_unavailable(response: &Value) {
    let error = &response["errors"][0];
    assert_eq!(error["extensions"], json!({"code": "UNAVAILABLE"}), "{response}");
    assert_eq!(error["message"], "The database is busy or cannot be reached.");
}

#[tokio::test]
async fn without_the_database_every_request_is_unavailable_and_says_nothing_else() {
    let house = House::new().await;
    let app = on_own_pool(&house, PgPoolOptions::new().max_connections(2)).await;
    let client = Client::new(&app, &house.keys.live).await;
    app.pool.close().await;
    expect_unavailable(&client.run(STAYS, json!({})).await);
    expect_unavailable(&client.run(CREATE_KEY, pin()).await);
    let batch = client.batch(&[(CREATE_KEY, pin()), (STAYS, json!({}))]).await;
    expect_unavailable(&batch[0]);
    assert_eq!(code(&batch[1]), "NOT_RUN");
}

#[tokio::test]
async fn a_connection_that_is_cut_is_unavailable_once_and_the_next_request_succeeds() {
    let house = House::new().await;
    let app = on_own_pool(&house, PgPoolOptions::new().max_connections(1).test_before_acquire(false)).await;
    let client = Client::new(&app, &house.keys.live).await;
    let backend: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&app.pool).await.expect("a backend");
    // The pool looks at a connection that comes back to it, and never again.
    while app.pool.num_idle() == 0 {
        tokio::task::yield_now().await;
    }
    sqlx::query("SELECT pg_terminate_backend($1, 5000)").bind(backend).execute(&house.test.pool).await.expect("cut");
    expect_unavailable(&client.run(STAYS, json!({})).await);
    assert_eq!(code(&client.run(STAYS, json!({})).await), "no error");
}

#[tokio::test]
async fn a_pool_that_stays_exhausted_is_unavailable() {
    let house = House::new().await;
    let options = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_millis(100));
    let app = on_own_pool(&house, options).await;
    let client = Client::new(&app, &house.keys.live).await;
    let taken = app.pool.acquire().await.expect("the only connection");
    expect_unavailable(&client.run(STAYS, json!({})).await);
    expect_unavailable(&client.run(CREATE_KEY, pin()).await);
    drop(taken);
    assert_eq!(code(&client.run(CREATE_KEY, pin()).await), "no error");
}

#[tokio::test]
async fn a_lock_that_is_held_too_long_is_unavailable_and_nothing_of_the_batch_is_kept() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let key = house.locks.pin("1").await;
    let before = fingerprint(&house.test.pool).await;
    let mut holding = house.test.pool.begin().await.expect("a connection");
    let hold = "SELECT FROM room_stays WHERE id = $1::uuid FOR UPDATE";
    sqlx::query(hold).bind(&stay).execute(&mut *holding).await.expect("held");
    let both = json!({"input": {"roomStayId": stay, "roomAccessKeyId": key}});
    let batch = house.locks.batch(&[(CREATE_KEY, pin()), (ADD_KEY, both)]).await;
    expect_unavailable(&batch[1]);
    holding.rollback().await.expect("rolls back");
    assert_eq!(fingerprint(&house.test.pool).await, before);
    assert_eq!(code(&house.locks.add(&stay, &key).await), "no error");
}

#[tokio::test]
async fn a_request_that_is_dropped_half_way_keeps_nothing_and_holds_nothing() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let key = house.locks.pin("1").await;
    let before = fingerprint(&house.test.pool).await;
    let mut holding = house.test.pool.begin().await.expect("a connection");
    let hold = "SELECT FROM room_access_keys WHERE id = $1::uuid FOR UPDATE";
    sqlx::query(hold).bind(&key).execute(&mut *holding).await.expect("held");
    {
        // It has made a key and holds the stay by the time it waits for the other key.
        let both = json!({"input": {"roomStayId": stay, "roomAccessKeyId": key}});
        let operations = [(CREATE_KEY, pin()), (ADD_KEY, both)];
        let mut request = std::pin::pin!(house.locks.batch(&operations));
        tokio::select! {
            answer = &mut request => panic!("it has to wait: {answer:?}"),
            () = until_somebody_waits(&house.test.pool) => {}
        }
    }
    holding.rollback().await.expect("rolls back");
    assert_eq!(code(&house.locks.add(&stay, &key).await), "no error", "the stay is free again");
    house.locks.remove(&stay, &key).await;
    let after = fingerprint(&house.test.pool).await;
    let keys = |state: &str| {
        state
            .lines()
            .find(|line| line.starts_with("room_access_keys "))
            .map(|line| line.split(' ').nth(1).map(str::to_owned))
    };
    assert_eq!(keys(&after), keys(&before), "the key that it made is not there");
}

#[tokio::test]
async fn what_goes_wrong_inside_is_internal_and_leaks_nothing() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    house.locks.add(&stay, &house.locks.pin("1").await).await;
    // A secret that no secret key opens.
    sqlx::query("UPDATE room_access_keys SET secret = '\\x00'").execute(&house.test.pool).await.expect("runs");
    let query = "{ room_stays { edges { node { roomAccessKey { ... on RoomAccessPin { pin } } } } } }";
    let response = house.messaging.run(query, json!({})).await;
    assert_eq!(response["errors"][0]["extensions"], json!({"code": "INTERNAL"}));
    assert_eq!(response["errors"][0]["message"], "Internal error");
    assert_eq!(response["data"]["room_stays"], Value::Null);
    assert!(house.messaging.run(STAYS, json!({})).await.get("errors").is_none(), "only what was asked for is opened");
}
