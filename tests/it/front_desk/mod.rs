//! What a front desk does with reservations and stays, and who may not.

mod reservations;
mod rooms;
mod stays;

use serde_json::Value;

use crate::support::{Client, House, fingerprint};

const STAY: &str =
    "roomStay { id room_setup { name } reservation_from reservation_to departureTime roomAccessKey { id } }";

/// Runs a mutation that has to be refused and to leave no trace.
async fn expect_refused(house: &House, client: &Client, act: (&str, Value, &str), expected: (&str, Value)) {
    let before = fingerprint(&house.test.db.pool).await;
    let refusal = client.refused(act.0, act.1.clone(), act.2).await;
    assert_eq!((refusal.0.as_str(), refusal.1), expected, "{} {}", act.0, act.1);
    assert_eq!(fingerprint(&house.test.db.pool).await, before, "{} leaves no trace", act.0);
}
