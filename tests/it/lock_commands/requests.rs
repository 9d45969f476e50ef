//! Who asks for what, and how it is read.

use chrono::TimeDelta;
use latchkey::error::ErrorCode;
use latchkey::lock_commands::{self, NewCommand};
use latchkey::locks::Reference;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::encoders::card;
use crate::support::{Client, House, nodes, text};

#[tokio::test]
async fn encoders_of_other_hotels_are_not_found() {
    let house = House::new().await;
    let neighbour = house.next_door().await;
    let foreign = neighbour.encoder("theirs", Some(&neighbour.locks)).await;
    for encoder in [Reference::Id(foreign), Reference::Key("theirs".to_owned()), Reference::Id(Uuid::nil())] {
        let mut tx = house.begin(&house.locks).await;
        let new = NewCommand { encoder, subject_id: Uuid::from_u128(1), card: card(&[]), revision: 1 };
        let error = lock_commands::request_in(&mut tx, new).await.expect_err("it is not ours");
        assert_eq!(error.code, ErrorCode::NotFound);
        assert_eq!(error.argument_path, ["encoderId".into()]);
        tx.rollback().await;
    }
}

#[tokio::test]
async fn action_attempts_are_found_by_status_and_access_method() {
    let house = House::new().await;
    let encoder = house.encoder("front-desk", Some(&house.locks)).await;
    let mut ids = Vec::new();
    for subject in 1..=3 {
        ids.push(house.tell(&house.locks, encoder, Uuid::from_u128(subject)).await.to_string());
        house.test.advance(TimeDelta::milliseconds(1));
    }
    house.tell(&house.other_locks, encoder, Uuid::from_u128(1)).await;
    let claimed = house.locks.claim_one().await;
    assert_eq!(claimed["id"], ids[0]);
    house.locks.completed(&claimed, None).await;
    let claimed = house.locks.claim_one().await;
    house.locks.completed(&claimed, Some("NO_CREDENTIAL_ON_ENCODER")).await;
    let [done, failed, pending] = [&ids[0], &ids[1], &ids[2]];
    for (filter, expected) in [
        (json!({"status": {"eq": "SUCCESS"}}), vec![done]),
        (json!({"status": {"eq": "ERROR"}}), vec![failed]),
        (json!({"status": {"in": ["PENDING", "ERROR"]}}), vec![failed, pending]),
        (json!({"not": {"status": {"eq": "PENDING"}}}), vec![done, failed]),
        (json!({"accessMethodId": {"eq": Uuid::from_u128(1)}}), vec![done]),
        (json!({"or": [{"id": {"eq": pending}}, {"status": {"eq": "SUCCESS"}}]}), vec![done, pending]),
        (json!({}), vec![done, failed, pending]),
    ] {
        assert_eq!(found(&house.locks, &filter).await, expected.into_iter().cloned().collect::<Vec<_>>(), "{filter}");
    }
    assert_eq!(found(&house.desk, &json!({})).await.len(), 4, "the front desk sees those of all integrations");
    let query = "query($after: String) { actionAttempts(first: 2, after: $after) { totalCount \
                 pageInfo { hasNextPage endCursor } edges { node { id } } } }";
    let first = house.locks.data(query, json!({})).await;
    assert_eq!((&first["actionAttempts"]["totalCount"], nodes(&first["actionAttempts"]).len()), (&json!(3), 2));
    let second = house.locks.data(query, json!({"after": first["actionAttempts"]["pageInfo"]["endCursor"]})).await;
    assert_eq!(nodes(&second["actionAttempts"]), [json!({ "id": pending })]);
}

async fn found(client: &Client, filter: &Value) -> Vec<String> {
    let query = "query($filter: ActionAttemptFilter) { actionAttempts(filter: $filter) { edges { node { id } } } }";
    let data = client.data(query, json!({ "filter": filter })).await;
    nodes(&data["actionAttempts"]).iter().map(|node| text(&node["id"])).collect()
}
