//! A server is killed while its simulated encoder is at a card.

use rustix::process::Signal;
use sqlx::{Executor as _, PgPool};
use uuid::Uuid;

use crate::support::{DataDir, PATIENCE, TestDb, eventually, until_somebody_waits};

#[tokio::test]
async fn another_server_takes_the_card_over_as_soon_as_it_knows_and_it_is_done_once() {
    let db = TestDb::new().await;
    let data = DataDir::with_database(&db);
    data.print(&["hotel", "create", "grand-hotel", "--name", "Grand Hotel", "--time-zone", "Europe/Berlin"]);
    data.api_key("grand-hotel", "Locks", "WRITE");
    let doomed = data.serve();
    let mut holding = db.pool.begin().await.expect("a connection");
    holding.execute("LOCK TABLE simulated_encoders IN EXCLUSIVE MODE").await.expect("held");
    let id = told(&db.pool).await;
    until_somebody_waits(&db.pool).await;
    let other = data.serve();
    doomed.end(Signal::KILL);
    holding.rollback().await.expect("let go");

    let status = "SELECT status FROM lock_commands WHERE id = $1";
    eventually(PATIENCE, "it is done", async || {
        let status: String = sqlx::query_scalar(status).bind(id).fetch_one(&db.pool).await.expect("readable");
        assert_ne!(status, "FAILED");
        status == "SUCCEEDED"
    })
    .await;
    let (failed, waited): (i32, i64) = sqlx::query_as(
        "SELECT failed_attempts, extract(epoch FROM finished_at - created_at)::bigint FROM lock_commands WHERE id = $1",
    )
    .bind(id)
    .fetch_one(&db.pool)
    .await
    .expect("readable");
    assert_eq!(failed, 1, "the death was a failed attempt");
    assert!(waited < 30, "{waited} s: the lease had not to run out");
    let finished = "SELECT count(*) FROM audit_entries WHERE object_id = $1 AND 'status' = ANY (updated_fields)";
    let finished: i64 = sqlx::query_scalar(finished).bind(id).fetch_one(&db.pool).await.expect("readable");
    assert_eq!(finished, 1);
    drop(other);
}

/// A simulated encoder that is told to write a card; answers with the command.
async fn told(pool: &PgPool) -> Uuid {
    let id = Uuid::from_u128(2);
    sqlx::query(
        "INSERT INTO encoders (hotel_id, id, name, provider, simulated, created_at, updated_at)
         SELECT id, $1, 'Front desk', 'VISIONLINE', true, now(), now() FROM hotels",
    )
    .bind(Uuid::from_u128(1))
    .execute(pool)
    .await
    .expect("the encoder is new");
    sqlx::query(
        r#"INSERT INTO lock_commands (hotel_id, id, encoder_id, integration_id, kind, subject_id, card, revision, status,
                                      created_at, expires_at, next_attempt_at)
           SELECT hotel_id, $1, $2, id, 'ENCODE_CARD', $1,
                  '{"credential": "GUEST", "starts_at": "2026-01-30T14:00:00Z", "ends_at": null, "doors": []}', 1, 'PENDING',
                  now(), now() + interval '2 minutes', now()
           FROM integrations"#,
    )
    .bind(id)
    .bind(Uuid::from_u128(1))
    .execute(pool)
    .await
    .expect("the command is new");
    id
}
