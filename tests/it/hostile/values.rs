//! The ends of every type's range, and values of every other type, wherever an input of a mutation takes a value. Each is
//! taken or refused as the caller's affair; none is a fault of ours.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::inputs::Inputs;
use crate::sandbox::Round;
use crate::support::{Client, House, TestServer, code, fingerprint};

/// Codes of what is not the caller's affair.
const FAULTS: [&str; 4] = ["INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED", "OUTCOME_UNKNOWN"];

/// What to try for a value of that type.
fn values(of: &str) -> Vec<Value> {
    let mut all = match of {
        "Int" => vec![json!(i32::MAX), json!(i32::MIN), json!(-1), json!(0), json!(1e10), json!(1.5), json!(u64::MAX)],
        "Date" => {
            ["0000-01-01", "0001-01-01", "-0001-01-01", "9999-12-31", "10000-01-01", "+262142-12-31", "2026-02-30"]
                .map(|date| json!(date))
                .into()
        }
        "Datetime" => [
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59.999999999-12:00",
            "+262142-12-31T23:59:59Z",
            "2016-12-31T23:59:60Z",
            "2026-03-29T02:30:00+01:00",
        ]
        .map(|instant| json!(instant))
        .into(),
        "LocalTime" => ["00:00", "23:59", "24:00", "12:60", "23:59:60", "-1:00"].map(|time| json!(time)).into(),
        _ => vec![
            json!(""),
            json!(" "),
            json!("\u{202e}\u{10ffff}"),
            json!("'; DROP TABLE hotels; -- %s{}\\x00\\u0000"),
            json!("00000000-0000-0000-0000-000000000000"),
            json!("x".repeat(30_000)),
        ],
    };
    all.extend([json!(null), json!({}), json!([[7]])]);
    all
}

impl Round {
    /// Tries everything with a client; answers with how often it was refused and how often not.
    async fn try_all(&self, client: &Client, inputs: &Inputs) -> (usize, usize) {
        let (mut refused, mut taken) = (0, 0);
        for (name, input, selection) in &self.mutations {
            let input_type = Inputs::of(name);
            for (place, of) in inputs.places(&input_type) {
                for value in values(&of) {
                    let sent = inputs.with(&input_type, input, &place, &value);
                    let answer = client.act(name, sent, selection).await;
                    let code = code(&answer);
                    assert!(!FAULTS.contains(&code), "{name} {place:?} {value:.100} {answer:.500}");
                    *(if code == "no error" { &mut taken } else { &mut refused }) += 1;
                }
            }
        }
        (refused, taken)
    }
}

#[tokio::test]
async fn no_input_of_a_test_key_is_a_fault() {
    let round = Round::new().await;
    let inputs = Inputs::read(&round.tester).await;
    let before = fingerprint(&round.house.test.db.pool).await;
    let (refused, taken) = round.try_all(&round.tester, &inputs).await;
    assert!(refused > 500 && taken > 150, "{refused} refused, {taken} taken");
    assert_eq!(fingerprint(&round.house.test.db.pool).await, before);
}

#[tokio::test]
async fn no_input_of_a_live_key_is_a_fault() {
    let round = Round::new().await;
    let inputs = Inputs::read(&round.tester).await;
    let live = Client::new(&round.house.test, &round.keys.live).await;
    let (refused, taken) = round.try_all(&live, &inputs).await;
    assert!(refused > 500 && taken > 50, "{refused} refused, {taken} taken");
}

#[tokio::test]
async fn no_body_of_the_hotels_own_system_is_a_fault() {
    let house = House::new().await;
    house.stay_in("301").await;
    let server = TestServer::start(&house.test).await;
    let whole = json!({"pmsGuestId": "R-301", "lastName": "Doe", "roomNumber": "301", "checkOutDate": "2026-02-02"});
    let mut statuses = BTreeMap::new();
    for (field, of) in [
        ("pmsGuestId", "String"),
        ("lastName", "String"),
        ("roomNumber", "String"),
        ("checkOutDate", "Date"),
        ("checkInDate", "Date"),
        ("firstName", "String"),
        ("email", "String"),
        ("phone", "String"),
        ("language", "String"),
    ] {
        for value in values(of) {
            let mut guest = whole.clone();
            guest[field] = value.clone();
            for (name, body) in [
                ("checkin", guest.clone()),
                ("update", guest.clone()),
                ("checkout", guest.clone()),
                ("sync", json!({ "guests": [guest] })),
            ] {
                let request = server.request("POST", &format!("/api/pms/v1/grand-hotel/guests/{name}"));
                let key = format!("{}", statuses.values().sum::<usize>());
                let request = request.bearer_auth(&house.keys.live).header("idempotency-key", key).json(&body);
                let response = request.send().await.expect("an answer");
                let status = response.status().as_u16();
                let answer = response.text().await.expect("text");
                assert!([200, 400, 404, 409].contains(&status), "{name} {field} {value:.100} {status} {answer}");
                *statuses.entry(status).or_default() += 1;
            }
        }
    }
    assert!(statuses[&200] > 50 && statuses[&400] > 50, "{statuses:?}");
}
