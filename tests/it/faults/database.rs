//! What a request is answered when the database, or the request itself, goes away.

use serde_json::{Value, json};

use latchkey::app::App;
use latchkey::db::IDLE_UNCHECKED;
use latchkey::webhooks::WebhookSettings;

use crate::support::client::{ADD_KEY, CREATE_KEY};
use crate::support::{Client, House, code, fingerprint, until_somebody_waits};

const STAYS: &str = "{ room_stays { edges { node { id } } } }";

fn pin() -> Value {
    json!({"input": {"roomAccessPin": {"pin": "1"}}})
}

/// The application on connections of its own, for faults that must not touch the test's.
fn on_own_pool(house: &House, connections: u32) -> App {
    App::new(
        house.test.db.options(),
        connections,
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
    let app = on_own_pool(&house, 2);
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
    let app = on_own_pool(&house, 1);
    let client = Client::new(&app, &house.keys.live).await;
    let stay = house.stay("R1").await;
    let key = house.locks.pin("1").await;
    let mut holding = house.test.db.pool.begin().await.expect("a connection");
    let hold = "SELECT FROM room_stays WHERE id = $1::uuid FOR UPDATE";
    sqlx::query(hold).bind(&stay).execute(&mut *holding).await.expect("held");
    let cut = async {
        until_somebody_waits(&house.test.db.pool).await;
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
        sqlx::query(cut).execute(&house.test.db.pool).await.expect("cut");
    };
    let (answer, ()) = tokio::join!(client.add(&stay, &key), cut);
    expect_unavailable(&answer);
    holding.rollback().await.expect("rolls back");
    assert_eq!(code(&client.add(&stay, &key).await), "no error");
}

#[tokio::test]
async fn a_connection_that_was_cut_while_it_was_idle_is_replaced() {
    let house = House::new().await;
    let app = on_own_pool(&house, 1);
    let client = Client::new(&app, &house.keys.live).await;
    let cut = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
               WHERE datname = current_database() AND application_name = 'latchkey' AND pid <> pg_backend_pid()";
    sqlx::query(cut).execute(&house.test.db.pool).await.expect("cut");
    // No PostgreSQL is back sooner; until then a connection is not looked at.
    tokio::time::sleep(2 * IDLE_UNCHECKED).await;
    assert_eq!(code(&client.run(STAYS, json!({})).await), "no error");
}

#[tokio::test]
async fn a_connection_that_is_given_back_is_whose_turn_it_is() {
    let house = House::new().await;
    let app = on_own_pool(&house, 1);
    let session = async |conn: &mut sqlx::PgConnection| {
        sqlx::query_scalar::<_, i32>("SELECT pg_backend_pid()").fetch_one(conn).await.expect("an answer")
    };
    let mut first = app.pool.of_hotel(house.hotel.id).await.expect("the only connection");
    let pid = session(&mut first).await;
    first.give_back();
    let mut second = app.pool.of_hotel(house.hotel.id).await.expect("the same");
    assert_eq!(session(&mut second).await, pid);

    let mut waiting = std::pin::pin!(app.pool.of_hotel(house.hotel.id));
    assert!(futures_util::poll!(waiting.as_mut()).is_pending());
    second.give_back();
    let mut third = waiting.await.expect("not kept from who waits");
    assert_eq!(session(&mut third).await, pid);
}

#[tokio::test]
async fn a_pool_that_stays_exhausted_is_unavailable() {
    let house = House::new().await;
    let app = on_own_pool(&house, 1);
    let client = Client::new(&app, &house.keys.live).await;
    let taken = app.pool.of_hotel(house.hotel.id).await.expect("the only connection");
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
    let before = fingerprint(&house.test.db.pool).await;
    let mut holding = house.test.db.pool.begin().await.expect("a connection");
    let hold = "SELECT FROM room_stays WHERE id = $1::uuid FOR UPDATE";
    sqlx::query(hold).bind(&stay).execute(&mut *holding).await.expect("held");
    let both = json!({"input": {"roomStayId": stay, "roomAccessKeyId": key}});
    let batch = house.locks.batch(&[(CREATE_KEY, pin()), (ADD_KEY, both)]).await;
    expect_unavailable(&batch[1]);
    holding.rollback().await.expect("rolls back");
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
    assert_eq!(code(&house.locks.add(&stay, &key).await), "no error");
}

#[tokio::test]
async fn a_request_that_is_dropped_half_way_keeps_nothing_and_holds_nothing() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let key = house.locks.pin("1").await;
    let before = fingerprint(&house.test.db.pool).await;
    let mut holding = house.test.db.pool.begin().await.expect("a connection");
    let hold = "SELECT FROM room_access_keys WHERE id = $1::uuid FOR UPDATE";
    sqlx::query(hold).bind(&key).execute(&mut *holding).await.expect("held");
    {
        // It has made a key and holds the stay by the time it waits for the other key.
        let both = json!({"input": {"roomStayId": stay, "roomAccessKeyId": key}});
        let operations = [(CREATE_KEY, pin()), (ADD_KEY, both)];
        let mut request = std::pin::pin!(house.locks.batch(&operations));
        tokio::select! {
            answer = &mut request => panic!("it has to wait: {answer:?}"),
            () = until_somebody_waits(&house.test.db.pool) => {}
        }
    }
    holding.rollback().await.expect("rolls back");
    assert_eq!(code(&house.locks.add(&stay, &key).await), "no error", "the stay is free again");
    house.locks.remove(&stay, &key).await;
    let after = fingerprint(&house.test.db.pool).await;
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
    // A column is missing that the program counts on.
    let rename = "ALTER TABLE room_access_keys RENAME COLUMN secret TO lost";
    sqlx::query(rename).execute(&house.test.db.pool).await.expect("runs");
    let query = "{ room_stays { edges { node { roomAccessKey { ... on RoomAccessPin { pin } } } } } }";
    let response = house.messaging.run(query, json!({})).await;
    assert_eq!(response["errors"][0]["extensions"], json!({"code": "INTERNAL"}));
    assert_eq!(response["errors"][0]["message"], "Internal error");
    assert_eq!(response["data"]["room_stays"], Value::Null);
    assert!(house.messaging.run(STAYS, json!({})).await.get("errors").is_none(), "only what was asked for is read");
}
