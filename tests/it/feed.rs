//! The event feed: gap-free, in commit order, followed by a cursor.

mod laws;

use chrono::TimeDelta;
use chrono_tz::Tz;
use latchkey::actor::Permission;
use latchkey::events;
use serde_json::{Value, json};

use crate::support::{Client, House, PATIENCE, TestApp, eventually, text};

const FEED: &str = "query($after: String $types: [String!] $first: Int) { \
     events(after: $after types: $types first: $first) { \
     edges { cursor node { id type createdAt object { id } updatedFields actor { type id } } } \
     pageInfo { hasNextPage endCursor } } }";

/// A page of the feed.
pub async fn page(client: &Client, variables: Value) -> Value {
    client.data(FEED, variables).await["events"].take()
}

/// Somebody who follows the feed.
pub struct Follower {
    client: Client,
    cursor: String,
    page_size: u8,
}

impl Follower {
    /// Follows what happens from now on.
    pub async fn new(client: &Client) -> Self {
        Self::from(client, &text(&page(client, json!({"types": []})).await["pageInfo"]["endCursor"]))
    }

    /// Follows from a cursor.
    pub fn from(client: &Client, cursor: &str) -> Self {
        Self { client: client.clone(), cursor: cursor.to_owned(), page_size: 100 }
    }

    /// The events since the last call.
    pub async fn events(&mut self) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let mut page = page(&self.client, json!({"after": self.cursor, "first": self.page_size})).await;
            self.cursor = text(&page["pageInfo"]["endCursor"]);
            let edges = page["edges"].as_array_mut().expect("edges");
            all.extend(edges.iter_mut().map(|edge| edge["node"].take()));
            if page["pageInfo"]["hasNextPage"] == json!(false) {
                return all;
            }
        }
    }

    /// The events since the last call: type, object, changed fields.
    pub async fn told(&mut self) -> Vec<Value> {
        let events = self.events().await;
        events.iter().map(|event| json!([event["type"], event["object"]["id"], event["updatedFields"]])).collect()
    }
}

/// An event as [`Follower::told`] tells it.
pub fn event(event_type: &str, object: &str) -> Value {
    json!([event_type, object, null])
}

/// An update as [`Follower::told`] tells it.
pub fn update(event_type: &str, object: &str, fields: &[&str]) -> Value {
    json!([event_type, object, fields])
}

fn ids(page: &Value) -> Vec<String> {
    page["edges"].as_array().expect("edges").iter().map(|edge| text(&edge["node"]["object"]["id"])).collect()
}

#[tokio::test]
async fn pages_follow_each_other_in_the_order_of_commits() {
    let house = House::new().await;
    let (reservation, stays) = house.reservation("R1", &[("2026-01-30", "2026-02-01"); 3]).await;
    let expected = [vec![reservation], stays].concat();
    let first = page(&house.messaging, json!({"first": 3})).await;
    assert_eq!(ids(&first), expected[..3]);
    assert_eq!(first["pageInfo"], json!({"hasNextPage": true, "endCursor": first["edges"][2]["cursor"]}));
    let second = page(&house.messaging, json!({"after": first["pageInfo"]["endCursor"], "first": 3})).await;
    assert_eq!(ids(&second), expected[3..]);
    assert_eq!(second["pageInfo"]["hasNextPage"], json!(false));
}

#[tokio::test]
async fn an_event_is_told_as_a_webhook_tells_it() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let mut follower = Follower::new(&house.messaging).await;
    let key = house.locks.pin("0042").await;
    house.locks.add(&stay, &key).await;
    let mut event = follower.events().await.remove(0);
    let id = text(&event["id"].take());
    assert!(id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    let expected = json!({
        "id": null,
        "type": "room_stay.updated",
        "createdAt": "2026-01-30T10:00:00+01:00",
        "object": {"id": stay},
        "updatedFields": ["roomAccessKey"],
        "actor": {"type": "integration", "id": house.locks.actor.principal.integration_id()},
    });
    assert_eq!(event, expected);
}

#[tokio::test]
async fn an_empty_page_has_a_cursor_to_follow_from() {
    let house = House::new().await;
    for variables in [json!({}), json!({"first": 0})] {
        let empty = page(&house.messaging, variables).await;
        assert_eq!(empty["edges"], json!([]));
        let mut follower = Follower::from(&house.messaging, empty["pageInfo"]["endCursor"].as_str().expect("a cursor"));
        assert_eq!(follower.told().await, Vec::<Value>::new());
    }
    let mut follower = Follower::new(&house.messaging).await;
    let stay = house.stay("R1").await;
    assert_eq!(follower.told().await[1..], [event("room_stay.created", &stay)]);
    assert_eq!(follower.told().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_page_of_no_events_stays_before_those_that_there_are() {
    let house = House::new().await;
    house.stay("R1").await;
    let none = page(&house.messaging, json!({"first": 0})).await;
    assert_eq!(none["pageInfo"]["hasNextPage"], json!(true));
    let all = page(&house.messaging, json!({"after": none["pageInfo"]["endCursor"]})).await;
    assert_eq!(ids(&all).len(), 2);
}

#[tokio::test]
async fn a_filter_passes_by_what_it_does_not_want() {
    let house = House::new().await;
    let (reservation, stays) = house.reservation("R1", &[("2026-01-30", "2026-02-01"); 2]).await;
    let stays_only = page(&house.messaging, json!({"types": ["room_stay.created"]})).await;
    assert_eq!(ids(&stays_only), stays);
    let first = page(&house.messaging, json!({"types": ["reservation.created"]})).await;
    assert_eq!(ids(&first), [reservation]);
    assert_eq!(first["pageInfo"]["hasNextPage"], json!(false));
    let rest = page(&house.messaging, json!({"after": first["pageInfo"]["endCursor"]})).await;
    assert_eq!(rest["edges"], json!([]), "the filter was read to the end of the feed");
}

#[tokio::test]
async fn a_deleted_key_is_told_to_its_owner_alone() {
    let house = House::new().await;
    let key = house.locks.pin("0042").await;
    let mut owner = Follower::new(&house.locks).await;
    let mut others = [Follower::new(&house.other_locks).await, Follower::new(&house.desk).await];
    house.locks.delete(&key).await;
    assert_eq!(owner.told().await, [event("room_access_key.deleted", &key)]);
    for other in &mut others {
        assert_eq!(other.told().await, Vec::<Value>::new());
        assert_eq!(other.cursor, owner.cursor, "they pass by what is not theirs");
    }
}

#[tokio::test]
async fn arguments_that_make_no_sense_are_refused_in_their_place() {
    let house = House::new().await;
    let other = house.test.hotel("other-hotel", Tz::Europe__Paris).await;
    let other = house.test.integration(&other, "Messaging", Permission::ReadOnly).await;
    let other = Client::new(&house.test, &other.live).await;
    let foreign = page(&other, json!({})).await["pageInfo"]["endCursor"].clone();
    let stays = "{ room_stays { pageInfo { endCursor } edges { cursor } } }";
    house.stay("R1").await;
    let of_a_stay = house.messaging.data(stays, json!({})).await["room_stays"]["pageInfo"]["endCursor"].clone();
    for (variables, code, path) in [
        (json!({"after": foreign}), "INVALID_CURSOR", json!(["after"])),
        (json!({"after": of_a_stay}), "INVALID_CURSOR", json!(["after"])),
        (json!({"after": ""}), "INVALID_CURSOR", json!(["after"])),
        (json!({"types": ["room_stay.created", "room_stay.moved"]}), "INVALID_ARGUMENT", json!(["types", 1])),
        (json!({"first": 101}), "INVALID_ARGUMENT", json!(["first"])),
        (json!({"first": -1}), "INVALID_ARGUMENT", json!(["first"])),
    ] {
        let error = house.messaging.error(FEED, variables.clone()).await;
        assert_eq!(
            (&error["extensions"]["code"], &error["extensions"]["argumentPath"]),
            (&json!(code), &path),
            "{variables}"
        );
    }
}

#[tokio::test]
async fn events_are_kept_for_thirty_days() {
    let house = House::new().await;
    let maintain = || async {
        let mut conn = house.test.db.pool.acquire().await.expect("a connection");
        events::maintain(&mut conn, house.test.clock.now()).await.unwrap_or_else(|error| panic!("{error:?}"));
    };
    maintain().await;
    let before = page(&house.messaging, json!({})).await["pageInfo"]["endCursor"].clone();
    house.stay("R1").await;
    let behind = page(&house.messaging, json!({})).await["pageInfo"]["endCursor"].clone();

    house.test.advance(TimeDelta::days(30));
    maintain().await;
    assert_eq!(ids(&page(&house.messaging, json!({"after": before})).await).len(), 2);
    assert_eq!(ids(&page(&house.messaging, json!({})).await).len(), 2);

    house.test.advance(TimeDelta::hours(25));
    maintain().await;
    let error = house.messaging.error(FEED, json!({"after": before})).await;
    assert_eq!(error["extensions"]["code"], json!("EVENTS_EXPIRED"));
    assert_eq!(error["extensions"]["argumentPath"], json!(["after"]));
    assert_eq!(ids(&page(&house.messaging, json!({})).await).len(), 0);
    // Nothing happened behind this one, so nothing was missed.
    assert_eq!(ids(&page(&house.messaging, json!({"after": behind})).await).len(), 0);
}

#[tokio::test]
async fn partitions_are_made_ahead_and_dropped_with_what_is_in_them() {
    let house = House::new().await;
    let mut conn = house.test.db.pool.acquire().await.expect("a connection");
    let rows = "SELECT tableoid::regclass::text, count(*) FROM events GROUP BY 1 ORDER BY 1";
    for (days, expected) in [
        (0, vec![("events_w20260126", 2)]),
        // Made two weeks ahead, so nobody has to hurry.
        (14, vec![("events_w20260126", 2), ("events_w20260209", 2)]),
        (10, vec![("events_w20260126", 2), ("events_w20260209", 2), ("events_w20260223", 2)]),
        (20, vec![("events_w20260209", 2), ("events_w20260223", 2), ("events_w20260309", 2)]),
    ] {
        house.test.advance(TimeDelta::days(days));
        if days != 14 {
            events::maintain(&mut conn, house.test.clock.now()).await.unwrap_or_else(|error| panic!("{error:?}"));
        }
        house.reservation(&format!("R{days}"), &[("2026-06-01", "2026-06-02")]).await;
        let found: Vec<(String, i64)> = sqlx::query_as(rows).fetch_all(&mut *conn).await.expect("partitions");
        let expected: Vec<_> = expected.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
        assert_eq!(found, expected, "after {days} more days");
    }
}

#[tokio::test]
async fn partitions_are_looked_after_from_the_start() {
    let app = TestApp::new().await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let maintenance = events::run_maintenance(app.context.clone(), async { drop(stopped.await) });
    let running = tokio::spawn(maintenance);
    let made = "SELECT count(*) FROM pg_class WHERE relname IN \
         ('events_w20260209', 'webhook_deliveries_w20260209', 'webhook_attempts_w20260209')";
    eventually(PATIENCE, "they are made", async || {
        sqlx::query_scalar::<_, i64>(made).fetch_one(&app.db.pool).await.expect("a count") == 3
    })
    .await;
    stop.send(()).expect("it still runs");
    running.await.expect("it ends");
}

#[tokio::test]
async fn a_cursor_from_a_lost_history_has_expired() {
    let house = House::new().await;
    house.stay("R1").await;
    let cursor = page(&house.messaging, json!({})).await["pageInfo"]["endCursor"].clone();
    // As after a restore, and as its runbook has it.
    sqlx::query("DELETE FROM events WHERE position > 1").execute(&house.test.db.pool).await.expect("restored");
    for statement in [
        "UPDATE event_counters SET last_position = 1",
        "UPDATE event_counters SET last_position = last_position + 1000000",
    ] {
        sqlx::query(statement).execute(&house.test.db.pool).await.expect("restored");
        let error = house.messaging.error(FEED, json!({"after": cursor})).await;
        assert_eq!(error["extensions"]["code"], json!("EVENTS_EXPIRED"), "{statement}");
    }
}

const POLL: &str = "query($code: String!) { \
     room_stays(first: 100) { eventCursor edges { node { id } } } \
     reservations(filter: {code: {eq: $code}}) { edges { node { rooms { eventCursor edges { node { id } } } } } } }";

fn stay_ids(connection: &Value) -> Vec<String> {
    connection["edges"].as_array().expect("edges").iter().map(|edge| text(&edge["node"]["id"])).collect()
}

#[tokio::test]
async fn the_event_cursor_of_a_page_stands_behind_what_the_page_shows() {
    let house = House::new().await;
    let poll = house.messaging.data(POLL, json!({"code": "R1"})).await;
    assert_eq!(poll["room_stays"]["edges"], json!([]), "an empty page has one, too");
    let mut from_nothing =
        Follower::from(&house.messaging, poll["room_stays"]["eventCursor"].as_str().expect("a cursor"));
    let stay = house.stay("R1").await;
    assert_eq!(from_nothing.told().await[1..], [event("room_stay.created", &stay)]);

    let poll = house.messaging.data(POLL, json!({"code": "R1"})).await;
    let rooms = &poll["reservations"]["edges"][0]["node"]["rooms"];
    for connection in [&poll["room_stays"], rooms] {
        assert_eq!(stay_ids(connection), std::slice::from_ref(&stay));
        assert_eq!(connection["eventCursor"], json!(from_nothing.cursor));
    }
    // All stays of the reservation are deleted: a page without records below a record.
    let delete = "mutation($id: ID!) { deleteRoomStay(input: {roomStayId: $id}) { deleted } }";
    house.desk.data(delete, json!({"id": stay})).await;
    let poll = house.messaging.data(POLL, json!({"code": "R1"})).await;
    let rooms = &poll["reservations"]["edges"][0]["node"]["rooms"];
    assert_eq!(rooms["edges"], json!([]));
    assert_eq!(rooms["eventCursor"], poll["room_stays"]["eventCursor"]);
}

#[tokio::test]
async fn pages_with_an_event_cursor_are_the_same_pages() {
    let house = House::new().await;
    house.reservation("R1", &[("2026-01-30", "2026-02-01"); 5]).await;
    let with = "query($after: String $before: String $first: Int $last: Int) { \
         room_stays(after: $after before: $before first: $first last: $last) { eventCursor totalCount \
         pageInfo { hasNextPage hasPreviousPage startCursor endCursor } \
         edges { node { id roomName category { name } first_guest { id } roomAccessKey { id deletesAt } \
         reservation { code client { id } } } } } }";
    let without = with.replace("eventCursor ", "");
    let middle =
        house.messaging.data(&without, json!({"first": 2})).await["room_stays"]["pageInfo"]["endCursor"].clone();
    for variables in [
        json!({}),
        json!({"first": 2}),
        json!({"first": 2, "after": middle}),
        json!({"last": 2}),
        json!({"last": 2, "before": middle}),
        json!({"first": 0}),
    ] {
        let mut one = house.messaging.data(with, variables.clone()).await;
        let cursor = one["room_stays"].as_object_mut().expect("a page").remove("eventCursor");
        assert!(cursor.is_some_and(|cursor| cursor.is_string()));
        assert_eq!(one, house.messaging.data(&without, variables).await);
    }
}
