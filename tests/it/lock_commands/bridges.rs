//! Bridges claim and complete what the encoders of their integration are to do.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use latchkey::lock_commands::{self, NewCommand};
use latchkey::locks::Reference;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::encoders::{CLAIMED, card};
use crate::support::{Client, House, Received, Receiver, Reply, code, fingerprint, text};
use crate::webhooks::{Hooks, TEST, endpoint};

#[tokio::test]
async fn a_bridge_claims_a_card_and_says_that_it_is_written() {
    let house = House::new().await;
    let encoder = house.encoder("front-desk", Some(&house.locks)).await;
    let (door, subject) = (house.entrance("room-101").await.parse().expect("an id"), Uuid::from_u128(1));
    let mut tx = house.begin(&house.other_locks).await;
    let named = Reference::Key("front-desk".to_owned());
    let new = NewCommand { encoder: named, subject_id: subject, card: card(&[door]), revision: 3 };
    let id = lock_commands::request_in(&mut tx, new).await.expect("the encoder is told");
    tx.commit().await.expect("it is kept");
    let pending = house.other_locks.attempt(id).await;
    assert_eq!(
        pending,
        json!({
            "id": id, "actionType": "ENCODE_CARD", "status": "PENDING", "error": null, "accessMethodId": subject,
            "encoderId": encoder, "encoderKey": "front-desk", "createdAt": "2026-01-30T10:00:00+01:00", "finishedAt": null,
        })
    );

    let claimed = house.locks.claim_one().await;
    assert_eq!(
        claimed,
        json!({
            "id": id, "claimId": claimed["claimId"], "kind": "ENCODE_CARD", "accessMethodId": subject, "attempt": 1,
            "encoder": {"id": encoder, "encoderKey": "front-desk", "name": "Encoder of front-desk"},
            "leasedUntil": "2026-01-30T10:00:30+01:00",
            "card": {
                "credential": "GUEST", "startsAt": "2026-01-30T15:00:00+01:00", "endsAt": "2026-02-02T11:00:00+01:00",
                "doors": [{
                    "entranceId": door, "entranceKey": "room-101",
                    "reservationStartsAt": "2026-01-30T15:00:00+01:00", "sequence": 7,
                }],
            },
        })
    );
    assert_eq!(house.locks.claim(50).await, Vec::<Value>::new(), "it is leased");
    assert_eq!(house.locks.completed(&claimed, None).await, "SUCCESS");

    let done = house.other_locks.attempt(id).await;
    assert_eq!((&done["status"], &done["finishedAt"]), (&json!("SUCCESS"), &json!("2026-01-30T10:00:00+01:00")));
    let mut conn = house.test.db.pool.acquire().await.expect("a connection");
    let finished = lock_commands::finished(&mut conn, house.hotel.id, &[id]).await.expect("readable");
    let finished: Vec<_> = finished.iter().map(|one| (one.subject_id, one.succeeded, one.revision)).collect();
    assert_eq!(finished, [(subject, true, Some(3))]);
    let trail = "SELECT action, updated_fields, related_id FROM audit_entries WHERE object_id = $1 ORDER BY id";
    let trail: Vec<(String, Option<Vec<String>>, Uuid)> =
        sqlx::query_as(trail).bind(id).fetch_all(&mut *conn).await.expect("readable");
    let updated = |field: &str| ("UPDATED".to_owned(), Some(vec![field.to_owned()]), subject);
    assert_eq!(trail, [("CREATED".to_owned(), None, subject), updated("claimId"), updated("status")]);
}

#[tokio::test]
async fn to_say_the_same_again_is_no_error_and_another_outcome_is_one() {
    let house = House::new().await;
    let encoder = house.encoder("front-desk", Some(&house.locks)).await;
    for (error, status, other) in [
        (None, "SUCCESS", Some("NO_CREDENTIAL_ON_ENCODER")),
        (Some("NO_CREDENTIAL_ON_ENCODER"), "ERROR", None),
        (Some("ENCODER_NOT_ONLINE"), "PENDING", Some("BRIDGE_DISCONNECTED")),
    ] {
        house.tell(&house.locks, encoder, Uuid::from_u128(1)).await;
        let claimed = house.locks.claim_one().await;
        assert_eq!(house.locks.completed(&claimed, error).await, status);
        let before = fingerprint(&house.test.db.pool).await;
        assert_eq!(house.locks.completed(&claimed, error).await, status);
        assert_eq!(code(&house.locks.complete(&claimed, other).await), "LEASE_LOST");
        assert_eq!(fingerprint(&house.test.db.pool).await, before);
    }
}

#[tokio::test]
async fn two_bridges_at_once_never_get_the_same_card_nor_two_of_one_encoder() {
    let house = House::new().await;
    let mut encoders = Vec::new();
    for number in 0..6 {
        encoders.push(house.encoder(&format!("encoder-{number}"), Some(&house.locks)).await);
    }
    for round in 0..4 {
        for encoder in &encoders {
            for subject in 0..2 {
                house.tell(&house.locks, *encoder, Uuid::from_u128(subject)).await;
            }
        }
        let claims = join_all((0..4).map(|_| {
            let bridge = house.locks.clone();
            tokio::spawn(async move { bridge.claim(4).await })
        }));
        let mut claimed: Vec<Value> = claims.await.into_iter().flat_map(|claimed| claimed.expect("no panic")).collect();
        // What somebody else was just looking at is left for the next look.
        claimed.extend(house.locks.claim(50).await);
        let of =
            |field: &str| -> BTreeSet<String> { claimed.iter().map(|one| text(one.pointer(field).unwrap())).collect() };
        assert_eq!((claimed.len(), of("/id").len(), of("/encoder/id").len()), (6, 6, 6), "round {round}");
        for one in &claimed {
            assert_eq!(house.locks.completed(one, None).await, "SUCCESS");
        }
        let second = house.locks.claim(50).await;
        assert_eq!(second.len(), 6);
        for one in &second {
            assert_eq!(house.locks.completed(one, None).await, "SUCCESS");
        }
    }
}

#[tokio::test]
async fn every_encoder_has_its_turn_however_much_waits_for_another_one() {
    let house = House::new().await;
    let busy = house.encoder("busy", Some(&house.locks)).await;
    for subject in 0..20 {
        house.tell(&house.locks, busy, Uuid::from_u128(subject)).await;
    }
    let quiet = house.encoder("quiet", Some(&house.locks)).await;
    house.tell(&house.locks, quiet, Uuid::from_u128(99)).await;
    let claimed = house.locks.claim(2).await;
    let encoders: BTreeSet<String> = claimed.iter().map(|one| text(&one["encoder"]["id"])).collect();
    assert_eq!(encoders, BTreeSet::from([busy.to_string(), quiet.to_string()]));
}

#[tokio::test]
async fn as_many_are_claimed_as_are_asked_for() {
    let house = House::new().await;
    for number in 0..4 {
        let encoder = house.encoder(&format!("encoder-{number}"), Some(&house.locks)).await;
        house.tell(&house.locks, encoder, Uuid::from_u128(1)).await;
    }
    assert_eq!(house.locks.claim(3).await.len(), 3);
    assert_eq!(house.locks.claim(3).await.len(), 1);
    for first in [0, -1, 51] {
        let refused = house.locks.refused("claimLockCommands", json!({ "first": first }), CLAIMED).await;
        assert_eq!(refused, ("INVALID_ARGUMENT".to_owned(), json!(["input", "first"])));
    }
}

#[tokio::test]
async fn others_of_the_hotel_and_other_hotels_see_nothing() {
    let house = House::new().await;
    let neighbour = house.next_door().await;
    let encoder = house.encoder("front-desk", Some(&house.locks)).await;
    let id = house.tell(&house.messaging, encoder, Uuid::from_u128(1)).await;
    for stranger in [&house.other_locks, &house.desk, &neighbour.locks, &neighbour.desk] {
        assert_eq!(stranger.claim(50).await, Vec::<Value>::new());
    }
    let claimed = house.locks.claim_one().await;
    let before = fingerprint(&house.test.db.pool).await;
    let nothing = json!({"id": Uuid::nil(), "claimId": claimed["claimId"]});
    for stranger in [&house.other_locks, &house.desk, &neighbour.locks, &neighbour.desk] {
        let answer = stranger.complete(&claimed, None).await;
        assert_eq!(code(&answer), "NOT_FOUND");
        assert_eq!(answer, stranger.complete(&nothing, None).await, "as for a command that is not there");
    }
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
    // Who asked, and who stands at the front desk, read how it goes; the bridge knows.
    for reader in [&house.messaging, &house.desk] {
        assert_eq!(reader.attempt_status(id).await.0, "PENDING");
    }
    for stranger in [&house.other_locks, &house.locks, &neighbour.messaging, &neighbour.desk] {
        assert_eq!(stranger.attempt(id).await, Value::Null);
    }
    assert_eq!(code(&house.messaging.act("claimLockCommands", json!({"first": 1}), CLAIMED).await), "FORBIDDEN");
    assert_eq!(code(&house.messaging.complete(&claimed, None).await), "FORBIDDEN");
}

#[tokio::test]
async fn a_test_key_claims_and_completes_and_nothing_is_kept() {
    let house = House::new().await;
    let encoder = house.encoder("front-desk", Some(&house.locks)).await;
    house.tell(&house.locks, encoder, Uuid::from_u128(1)).await;
    let tester = Client::new(&house.test, &house.keys.test).await;
    let before = fingerprint(&house.test.db.pool).await;
    let tried = tester.claim_one().await;
    assert_eq!(code(&tester.complete(&tried, None).await), "LEASE_LOST", "the claim was not kept");
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
    let claimed = house.locks.claim_one().await;
    assert_eq!(claimed["attempt"], 1);
    let leased = fingerprint(&house.test.db.pool).await;
    assert_eq!(tester.completed(&claimed, None).await, "SUCCESS");
    assert_eq!(fingerprint(&house.test.db.pool).await, leased);
    assert_eq!(house.locks.completed(&claimed, None).await, "SUCCESS");
}

#[tokio::test]
async fn a_webhook_tells_the_bridge_and_nobody_else_that_there_is_something_to_do() {
    let hooks = Hooks::new().await;
    let (of_bridge, of_other) = (Receiver::new(Reply::Status(200)).await, Receiver::new(Reply::Status(200)).await);
    let house = &hooks.house;
    endpoint(&house.locks, &of_bridge.url(), &["lock_command.created"]).await;
    let (other, _) = endpoint(&house.other_locks, &of_other.url(), &["lock_command.created"]).await;
    let encoder = house.encoder("front-desk", Some(&house.locks)).await;
    let id = house.tell(&house.other_locks, encoder, Uuid::from_u128(1)).await;
    let simulated = house.encoder("simulated", None).await;
    house.tell(&house.other_locks, simulated, Uuid::from_u128(1)).await;
    house.other_locks.data(TEST, json!({ "id": other })).await;
    hooks.deliver().await;
    let received = of_bridge.received();
    let bodies: Vec<Value> = received.iter().map(Received::json).collect();
    let told: Vec<(&Value, &Value)> =
        bodies.iter().map(|body| (&body["type"], &body["data"]["object"]["id"])).collect();
    assert_eq!(told, [(&json!("lock_command.created"), &json!(id))], "{bodies:#?}");
    let types: Vec<Value> = of_other.received().iter().map(|webhook| webhook.json()["type"].take()).collect();
    assert_eq!(types, ["webhook.test"]);
}
