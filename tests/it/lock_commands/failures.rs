//! What follows from failures for commands and encoders.

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{House, code};

/// Lets a second pass again and again until there is something to claim; answers with it and with how many passed.
async fn after_seconds(house: &House) -> (Value, i64) {
    for second in 1..60 {
        house.test.advance(TimeDelta::seconds(1));
        if let Some(claimed) = house.locks.claim(50).await.pop() {
            return (claimed, second);
        }
    }
    panic!("nothing within a minute");
}

#[tokio::test]
async fn a_failure_that_may_pass_is_tried_four_times_with_longer_and_longer_pauses() {
    let house = House::new().await;
    let encoder = house.encoder("front-desk", Some(&house.locks)).await;
    let id = house.tell(&house.locks, encoder, Uuid::from_u128(1)).await;
    let mut claimed = house.locks.claim_one().await;
    // A tenth more or less, as the schedule has it, and up to the next look.
    for (attempt, pauses) in [(2, 2..=3), (3, 5..=6), (4, 14..=17)] {
        assert_eq!(house.locks.completed(&claimed, Some("ENCODER_NOT_ONLINE")).await, "PENDING");
        let (next, seconds) = after_seconds(&house).await;
        assert!(pauses.contains(&seconds), "attempt {attempt} after {seconds} s");
        assert_eq!(next["attempt"], attempt);
        claimed = next;
    }
    assert_eq!(house.locks.completed(&claimed, Some("BRIDGE_DISCONNECTED")).await, "ERROR");
    assert_eq!(house.locks.attempt_status(id).await, ("ERROR".to_owned(), Some("BRIDGE_DISCONNECTED".to_owned())));
    let finished = "SELECT count(*) FROM audit_entries WHERE object_id = $1 AND 'status' = ANY (updated_fields)";
    let finished: i64 = sqlx::query_scalar(finished).bind(id).fetch_one(&house.test.db.pool).await.expect("readable");
    assert_eq!(finished, 1, "an attempt that is followed by another one is nothing to tell of");
}

#[tokio::test]
async fn a_failure_that_lasts_is_the_end_and_the_next_card_follows_at_once() {
    let house = House::new().await;
    let encoder = house.encoder("front-desk", Some(&house.locks)).await;
    for error in
        ["UNCATEGORIZED_ERROR", "NO_CREDENTIAL_ON_ENCODER", "INCOMPATIBLE_CARD_FORMAT", "CREDENTIAL_CANNOT_BE_REISSUED"]
    {
        let id = house.tell(&house.locks, encoder, Uuid::from_u128(1)).await;
        let claimed = house.locks.claim_one().await;
        assert_eq!(house.locks.completed(&claimed, Some(error)).await, "ERROR");
        let attempt = house.locks.attempt(id).await;
        assert_eq!((&attempt["status"], &attempt["error"]["code"]), (&json!("ERROR"), &json!(error)));
        assert!(attempt["error"]["message"].as_str().is_some_and(|message| !message.is_empty()));
    }
}

#[tokio::test]
async fn what_latchkey_alone_finds_out_is_not_reported() {
    let house = House::new().await;
    let encoder = house.encoder("front-desk", Some(&house.locks)).await;
    house.tell(&house.locks, encoder, Uuid::from_u128(1)).await;
    let claimed = house.locks.claim_one().await;
    for error in ["ACTION_ATTEMPT_EXPIRED", "CREDENTIAL_DELETED"] {
        let answer = house.locks.complete(&claimed, Some(error)).await;
        let extensions = &answer["errors"][0]["extensions"];
        assert_eq!(
            (&extensions["code"], &extensions["argumentPath"]),
            (&json!("INVALID_ARGUMENT"), &json!(["input", "error"]))
        );
    }
    assert_eq!(house.locks.completed(&claimed, None).await, "SUCCESS");
}

#[tokio::test]
async fn nobody_waits_longer_than_two_minutes() {
    let house = House::new().await;
    let (unclaimed, claimed) =
        (house.encoder("off", Some(&house.locks)).await, house.encoder("on", Some(&house.locks)).await);
    let never = house.tell(&house.other_locks, unclaimed, Uuid::from_u128(1)).await;
    house.test.advance(TimeDelta::seconds(119));
    assert_eq!(house.keep_up().await, 0);
    house.test.advance(TimeDelta::seconds(1));
    assert_eq!(house.locks.claim(50).await, Vec::<Value>::new(), "nobody waits for it");
    assert_eq!((house.keep_up().await, house.keep_up().await), (1, 0));
    let error = async |id| house.other_locks.attempt_status(id).await.1;
    assert_eq!(error(never).await.as_deref(), Some("ENCODER_NOT_ONLINE"));

    // One that was tried, and for which time has run out before it was tried again.
    let tried = house.tell(&house.other_locks, claimed, Uuid::from_u128(2)).await;
    house.test.advance(TimeDelta::seconds(110));
    let claim = house.locks.claim_one().await;
    assert_eq!(house.locks.completed(&claim, Some("ENCODING_INTERRUPTED")).await, "PENDING");
    house.test.advance(TimeDelta::seconds(10));
    assert_eq!(house.keep_up().await, 1);
    assert_eq!(error(tried).await.as_deref(), Some("ACTION_ATTEMPT_EXPIRED"));
    assert_eq!(code(&house.locks.complete(&claim, None).await), "LEASE_LOST");

    // One that is being done may still succeed; one that fails has no time for another attempt.
    let late = house.tell(&house.other_locks, claimed, Uuid::from_u128(3)).await;
    house.test.advance(TimeDelta::seconds(119));
    let claim = house.locks.claim_one().await;
    house.test.advance(TimeDelta::seconds(10));
    assert_eq!(house.keep_up().await, 0);
    assert_eq!(house.locks.completed(&claim, Some("ENCODING_INTERRUPTED")).await, "ERROR");
    assert_eq!(error(late).await.as_deref(), Some("ENCODING_INTERRUPTED"));
}

#[tokio::test]
async fn an_encoder_that_fails_is_left_alone_for_longer_and_longer_and_the_others_are_not() {
    let house = House::new().await;
    let (broken, well) =
        (house.encoder("broken", Some(&house.locks)).await, house.encoder("well", Some(&house.locks)).await);
    for (failures, pauses) in [(1, 1..=1), (2, 2..=2), (3, 4..=4)] {
        // Others wait there, so that it is the encoder that is left alone, and not the card.
        house.tell(&house.locks, broken, Uuid::from_u128(failures)).await;
        house.tell(&house.locks, broken, Uuid::from_u128(failures + 10)).await;
        let claimed = house.locks.claim_one().await;
        assert_eq!(house.locks.completed(&claimed, Some("BRIDGE_DISCONNECTED")).await, "PENDING");
        house.tell(&house.locks, well, Uuid::from_u128(99)).await;
        let claimed = house.locks.claim_one().await;
        assert_eq!(claimed["encoder"]["id"], well.to_string());
        assert_eq!(house.locks.completed(&claimed, None).await, "SUCCESS");
        let (next, seconds) = after_seconds(&house).await;
        assert!(pauses.contains(&seconds), "{seconds} s after {failures} failures");
        // It goes on failing.
        assert_eq!(next["encoder"]["id"], broken.to_string());
        if failures == 3 {
            assert_eq!(house.locks.completed(&next, None).await, "SUCCESS");
        } else {
            sqlx::query(
                "UPDATE lock_commands SET status = 'SUCCEEDED', leased_until = NULL, next_attempt_at = NULL, \
                         finished_at = created_at WHERE status = 'PENDING'",
            )
            .execute(&house.test.db.pool)
            .await
            .expect("out of the way");
        }
    }
    let health = "SELECT failures, backoff_until IS NULL, last_success_at IS NOT NULL FROM encoders WHERE id = $1";
    let health: (i32, bool, bool) =
        sqlx::query_as(health).bind(broken).fetch_one(&house.test.db.pool).await.expect("readable");
    assert_eq!(health, (0, true, true), "one success makes it well");
}
