//! Staff and guests act as API keys do: their changes bear their name, their limits and repeated requests are their own.

use std::sync::Arc;

use latchkey::actor::{Actor, Principal};
use latchkey::app::App;
use latchkey::clock::Clock;
use latchkey::idempotency::{self, Claim, Idempotency, KeptAnswer};
use latchkey::throttle::{self, Budget, Limit, ThrottleSettings};
use latchkey::unit::Tx;
use latchkey::webhooks::WebhookSettings;
use serde_json::json;
use uuid::Uuid;

use crate::feed::Follower;
use crate::support::client::CREATE_KEY;
use crate::support::{Client, House};

const STAFF: Principal = Principal::Staff { id: Uuid::from_u128(0x57AF) };
const GUEST: Principal = Principal::Guest { id: Uuid::from_u128(0x6E57) };

/// Type of the actor, person, integration, API key and request of an entry of the audit trail.
type Entry = (String, Option<Uuid>, Option<Uuid>, Option<Uuid>, Option<String>);

/// A front desk whose requests `principal` makes.
fn desk_of(house: &House, principal: Principal) -> Client {
    let mut desk = house.desk.clone();
    desk.actor = Actor { principal, request_id: Some(Arc::from("r-1")), ..desk.actor };
    desk
}

#[tokio::test]
async fn what_staff_and_guests_change_bears_their_name() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let mut follower = Follower::new(&house.messaging).await;
    for (principal, wire, stored) in [(STAFF, "staff", "STAFF"), (GUEST, "guest", "GUEST")] {
        let desk = desk_of(&house, principal);
        desk.done("updateRoomStay", json!({"id": stay, "check_in": "2026-01-30T10:00:00Z"}), "roomStay { id }").await;
        desk.done("updateRoomStay", json!({"id": stay, "check_in": null}), "roomStay { id }").await;
        let events = follower.events().await;
        let expected = json!({"type": wire, "id": principal.person_id()});
        assert!(!events.is_empty() && events.iter().all(|event| event["actor"] == expected), "{events:#?}");
        let entries: Vec<Entry> = sqlx::query_as(
            "SELECT actor_type, person_id, integration_id, api_key_id, request_id FROM audit_entries
             ORDER BY id DESC LIMIT 2",
        )
        .fetch_all(&house.test.db.pool)
        .await
        .expect("entries");
        let by_person = (stored.to_owned(), principal.person_id(), None, None, Some("r-1".to_owned()));
        assert_eq!(entries, [by_person.clone(), by_person]);
    }
}

#[tokio::test]
async fn what_belongs_to_an_integration_is_forbidden_to_everybody_else() {
    let house = House::new().await;
    let key = house.locks.pin("0042").await;
    let staff = desk_of(&house, STAFF);
    let endpoint =
        json!({"input": {"url": "https://example.com/", "status": "ENABLED", "events": ["room_stay.updated"]}});
    for (query, variables) in [
        ("{ roomAccessKeys { edges { node { id } } } }", json!({})),
        ("{ webhookEndpoints { edges { node { id } } } }", json!({})),
        ("{ events { edges { node { id } } } }", json!({})),
        (CREATE_KEY, json!({"input": {"roomAccessPin": {"pin": "1"}}})),
        ("mutation($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) { secret } }", endpoint),
    ] {
        let error = staff.error(query, variables).await;
        assert_eq!(error["extensions"]["code"], "FORBIDDEN", "{query}");
        assert!(error["message"].as_str().is_some_and(|text| text.contains("API key of an integration")), "{error}");
    }
    // What is of the hotel is read by everybody; when a key ends is for its owner alone.
    let stay = house.stay("R1").await;
    house.locks.add(&stay, &key).await;
    let query = "{ room_stays { edges { node { roomAccessKey { id deletesAt } } } } }";
    let read = staff.data(query, json!({})).await;
    assert_eq!(read["room_stays"]["edges"][0]["node"]["roomAccessKey"], json!({"id": key, "deletesAt": null}));
}

async fn begin(house: &House, principal: Principal) -> Tx {
    let actor = desk_of(house, principal).actor;
    Tx::begin(&house.test, &actor, house.test.clock.now()).await.expect("begun")
}

/// The answer that was kept for the principal.
async fn kept(house: &House, principal: Principal, request: &Idempotency) -> Option<String> {
    let mut tx = begin(house, principal).await;
    let claim = idempotency::claim_in(&mut tx, request, false).await.expect("claimed");
    tx.rollback().await;
    match claim {
        Claim::New => None,
        Claim::Answered(answer) => Some(answer.body),
    }
}

#[tokio::test]
async fn each_principal_repeats_its_own_requests() {
    let house = House::new().await;
    let api_key = house.locks.actor.principal;
    let request = Idempotency::new("k".to_owned(), "POST /dashboard", b"{}");
    for (index, principal) in [STAFF, api_key, GUEST].into_iter().enumerate() {
        assert_eq!(kept(&house, principal, &request).await, None);
        let mut tx = begin(&house, principal).await;
        idempotency::claim_in(&mut tx, &request, false).await.expect("claimed");
        let answer = KeptAnswer { status: 200, body: index.to_string() };
        idempotency::keep_in(&mut tx, &request, &answer).await.expect("kept");
        tx.commit().await.expect("committed");
    }
    for (index, principal) in [STAFF, api_key, GUEST].into_iter().enumerate() {
        assert_eq!(kept(&house, principal, &request).await, Some(index.to_string()));
    }
    let kinds: Vec<String> = sqlx::query_scalar("SELECT principal_kind FROM idempotent_answers ORDER BY 1")
        .fetch_all(&house.test.db.pool)
        .await
        .expect("rows");
    assert_eq!(kinds, ["api_key", "guest", "staff"]);
    // A worker repeats nothing: what is asked of it is run each time.
    assert_eq!(kept(&house, Principal::Worker("night audit"), &request).await, None);
}

/// A process with a limit on the database of a house.
fn limited(house: &House, clock: Clock) -> App {
    let parts = &house.test;
    let (ids, keys) = (parts.ids.clone(), parts.secret_keys.clone());
    let limits = ThrottleSettings { requests: Limit::new(10), ..ThrottleSettings::unlimited() };
    App::with_limits(parts.db.options(), 5, clock, ids, keys, WebhookSettings::default(), limits)
}

#[tokio::test]
async fn each_principal_has_limits_of_its_own_on_all_replicas() {
    let house = House::new().await;
    let (one, other) = (limited(&house, house.test.clock.clone()), limited(&house, house.test.clock.clone()));
    let left = |app: &App, principal: Principal| {
        let actor = desk_of(&house, principal).actor;
        app.throttle.left(&actor).find(|(budget, _)| *budget == Budget::Requests).map(|(_, left)| left.units)
    };
    let take = |app: &App, principal: Principal, requests: usize| {
        let actor = desk_of(&house, principal).actor;
        (0..requests).filter(|_| app.throttle.admit_request(&actor).is_ok()).count()
    };
    assert_eq!(take(&one, STAFF, 8), 8);
    assert_eq!((left(&one, STAFF), left(&one, GUEST)), (Some(2), Some(10)));
    throttle::exchange(&one, &one.throttle).await.expect("exchanged");
    assert_eq!((take(&other, STAFF, 1), take(&other, GUEST, 1)), (1, 1));
    throttle::exchange(&other, &other.throttle).await.expect("exchanged");
    assert_eq!((left(&other, STAFF), left(&other, GUEST)), (Some(1), Some(9)));
    let kinds: Vec<String> = sqlx::query_scalar("SELECT principal_kind FROM api_key_budgets ORDER BY 1")
        .fetch_all(&house.test.db.pool)
        .await
        .expect("rows");
    assert_eq!(kinds, ["guest", "staff"]);
    // Nobody counts what Latchkey itself does.
    assert_eq!((take(&one, Principal::Operator, 100), left(&one, Principal::Operator)), (100, None));
}

#[tokio::test]
async fn only_api_keys_are_counted_as_used() {
    let house = House::new().await;
    let counted = || async {
        latchkey::auth::write_usage(&house.test, &house.test.key_usage).await.expect("written");
        let sum = sqlx::query_scalar("SELECT coalesce(sum(request_count), 0)::bigint FROM api_key_usage");
        let sum: i64 = sum.fetch_one(&house.test.db.pool).await.expect("a sum");
        sum
    };
    let before = counted().await;
    house.test.key_usage.note(&desk_of(&house, STAFF).actor, house.test.clock.now());
    assert_eq!(counted().await, before);
    house.test.key_usage.note(&house.desk.actor, house.test.clock.now());
    assert_eq!(counted().await, before + 1);
}
