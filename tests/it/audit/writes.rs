//! What leaves an entry, and what it says.

use chrono::TimeDelta;
use latchkey::events;
use latchkey::import::{self, Options};
use latchkey::pruner;
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use super::{told, trail};
use crate::sandbox::{Round, mutations_of_the_schema};
use crate::support::{Client, House, TestServer, fingerprint, header, nodes, text};

async fn count(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM audit_entries").fetch_one(pool).await.expect("a count")
}

/// Integration and API key of the newest `count` entries.
async fn newest_actors(pool: &PgPool, count: i64) -> Vec<(Option<Uuid>, Option<Uuid>)> {
    sqlx::query_as("SELECT integration_id, api_key_id FROM audit_entries ORDER BY id DESC LIMIT $1")
        .bind(count)
        .fetch_all(pool)
        .await
        .expect("entries of integrations")
}

/// `X-Request-Id`, reason and object type of all entries that requests over HTTP have left.
async fn of_requests(pool: &PgPool) -> Vec<(String, Option<String>, String)> {
    sqlx::query_as("SELECT request_id, reason, object_type FROM audit_entries WHERE request_id IS NOT NULL ORDER BY id")
        .fetch_all(pool)
        .await
        .expect("entries")
}

#[tokio::test]
async fn every_mutation_leaves_an_entry_by_its_actor_and_a_refused_one_leaves_none() {
    let mut round = Round::new().await;
    let schema = mutations_of_the_schema(&round.tester).await;
    assert_eq!(round.mutations.len(), schema.len(), "every mutation of the schema is tried");
    let mut houses = 1;
    for index in 0..schema.len() {
        loop {
            let pool = &round.house.test.db.pool;
            let (name, input, selection) = round.mutations[index].clone();
            let before = count(pool).await;
            let response = round.live.act_as(&schema, name, input, selection).await;
            let written = count(pool).await - before;
            if response.get("errors").is_none() {
                assert!(written > 0, "{name} leaves no entry");
                let principal = round.live.actor.principal;
                let expected = (principal.integration_id(), principal.api_key_id());
                let actors = newest_actors(pool, written).await;
                assert!(actors.iter().all(|actor| *actor == expected), "{name}: {actors:?}");
                break;
            }
            assert_eq!(written, 0, "{name} was refused");
            // An earlier mutation was in its way: it has to succeed in a house where nothing has happened yet.
            assert!(houses < 12, "{name}: {response:#}");
            houses += 1;
            round = Round::new().await;
            if name == "enableApiKey" {
                let disable = json!({"id": round.house.keys.api_key_id});
                round.live.done("disableApiKey", disable, "apiKey { id }").await;
            }
        }
    }
    assert!(houses > 1, "some mutation was refused");
}

#[tokio::test]
async fn the_trail_of_a_stay_tells_who_changed_what_when_and_why() {
    let house = House::new().await;
    let (stay, room) = (house.stay("R1").await, house.room("101").await);
    let key = house.locks.pin("1").await;
    house.locks.add(&stay, &key).await;
    house.test.advance(TimeDelta::minutes(5));
    let moved = json!({"roomStayId": stay, "roomSetupId": room, "reason": "  leaking tap "});
    house.desk.done("moveRoomStay", moved, "roomStay { id }").await;
    let entries = trail(&house.desk, &stay).await;
    assert_eq!(
        told(&entries),
        [
            json!(["UPDATED", "ROOM_STAY", ["room_setup"], null, "Front desk", "leaking tap"]),
            json!(["UPDATED", "ROOM_STAY", ["roomAccessKey"], "ROOM_ACCESS_KEY", "Locks", null]),
            json!(["CREATED", "ROOM_STAY", null, "RESERVATION", "Front desk", null]),
        ]
    );
    assert_eq!(entries[0]["createdAt"], "2026-01-30T10:05:00+01:00");
    assert_eq!(entries[0]["actor"]["apiKey"]["name"], "Front desk");
    assert_eq!(entries[0]["object"]["id"], stay);
    assert_eq!(
        (&entries[1]["createdAt"], &entries[1]["related"]["id"]),
        (&json!("2026-01-30T10:00:00+01:00"), &json!(key))
    );
    assert_eq!(entries[1]["actor"]["apiKey"]["id"], house.keys.api_key_id.to_string());
}

#[tokio::test]
async fn the_trail_of_a_key_outlives_it_and_holds_no_secret() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let key = house.key(json!({"roomAccessQR": {"qrData": "open sesame"}})).await;
    house.locks.add(&stay, &key).await;
    house.locks.remove(&stay, &key).await;
    house.locks.delete(&key).await;
    let entries = trail(&house.locks, &key).await;
    assert_eq!(
        told(&entries),
        [
            json!(["DELETED", "ROOM_ACCESS_KEY", null, null, "Locks", null]),
            json!(["UPDATED", "ROOM_STAY", ["roomAccessKey"], "ROOM_ACCESS_KEY", "Locks", null]),
            json!(["UPDATED", "ROOM_STAY", ["roomAccessKey"], "ROOM_ACCESS_KEY", "Locks", null]),
            json!(["CREATED", "ROOM_ACCESS_KEY", null, null, "Locks", null]),
        ]
    );
    assert_eq!(trail(&house.desk, &key).await, entries);
    let rows: String = sqlx::query_scalar("SELECT string_agg(e::text, '|') FROM audit_entries e")
        .fetch_one(&house.test.db.pool)
        .await
        .expect("rows");
    for secret in ["sesame", "Doe", "pms_live_"] {
        assert!(!rows.contains(secret), "{secret}: {rows}");
    }
}

#[tokio::test]
async fn a_split_and_a_deletion_are_part_of_the_trail_of_the_key() {
    let house = House::new().await;
    let (stay, key) = (house.stay("R1").await, house.locks.pin("1").await);
    house.locks.add(&stay, &key).await;
    let split = json!({"roomStayId": stay, "date": "2026-01-31", "reason": "another room"});
    let split = house.desk.done("splitRoomStay", split, "newRoomStay { id }").await;
    let second = text(&split["newRoomStay"]["id"]);
    house.desk.done("deleteRoomStay", json!({"roomStayId": second}), "deleted").await;
    assert_eq!(
        told(&trail(&house.desk, &key).await)[..2],
        [
            json!(["DELETED", "ROOM_STAY", null, "ROOM_ACCESS_KEY", "Front desk", null]),
            json!(["UPDATED", "ROOM_STAY", ["roomAccessKey"], "ROOM_ACCESS_KEY", "Front desk", "another room"]),
        ]
    );
    let of_first = trail(&house.desk, &stay).await;
    assert_eq!(of_first[0]["object"]["id"], second, "the second part says where it came from");
    assert_eq!(of_first[1]["updatedFields"], json!(["reservation_to"]));
}

#[tokio::test]
async fn every_mutation_of_a_request_has_its_own_reason() {
    let house = House::new().await;
    let (reservation, stays) = house.reservation("R1", &[("2026-01-30", "2026-02-02")]).await;
    let dates =
        "mutation($input: ChangeRoomStayDatesInput!) { changeRoomStayDates(input: $input) { roomStay { id } } }";
    let cancel =
        "mutation($input: CancelReservationInput!) { cancelReservation(input: $input) { reservation { id } } }";
    let to =
        |day: &str, reason: Value| json!({"input": {"roomStayId": stays[0], "reservation_to": day, "reason": reason}});
    let operations = [
        (dates, to("2026-02-03", json!("stays on"))),
        (dates, to("2026-02-04", Value::Null)),
        (cancel, json!({"input": {"id": reservation, "reason": "ill"}})),
    ];
    for answer in house.desk.batch(&operations).await {
        assert!(answer.get("errors").is_none(), "{answer:#}");
    }
    let reasons = |entries: Vec<Value>| -> Vec<Value> { entries.iter().map(|entry| entry["reason"].clone()).collect() };
    assert_eq!(reasons(trail(&house.desk, &stays[0]).await), [json!(null), json!("stays on"), json!(null)]);
    assert_eq!(reasons(trail(&house.desk, &reservation).await)[0], "ill");
}

#[tokio::test]
async fn a_reason_that_breaks_its_rule_is_refused_and_changes_nothing() {
    let house = House::new().await;
    let (stay, admin) = (house.stay("R1").await, house.admin().await);
    let before = fingerprint(&house.test.db.pool).await;
    for reason in ["", "  ", "two\nlines", &"x".repeat(501)] {
        let input = json!({"roomStayId": stay, "departureTime": "14:00", "reason": reason});
        let refused = house.desk.refused("setRoomStayDepartureTime", input, "roomStay { id }").await;
        assert_eq!(refused, ("INVALID_ARGUMENT".to_owned(), json!(["input", "reason"])), "{reason:?}");
        let input = json!({"id": house.keys.api_key_id, "reason": reason});
        assert_eq!(admin.refused("revokeApiKey", input, "apiKey { id }").await, refused, "{reason:?}");
    }
    assert_eq!(fingerprint(&house.test.db.pool).await, before);
}

#[tokio::test]
async fn an_act_that_changes_nothing_leaves_no_entry() {
    let house = House::new().await;
    let (stay, room, admin) = (house.stay("R1").await, house.room("101").await, house.admin().await);
    let pair = json!({"id": house.keys.api_key_id});
    admin.done("revokeApiKey", pair.clone(), "apiKey { id }").await;
    let before = count(&house.test.db.pool).await;
    admin.done("revokeApiKey", pair, "apiKey { id }").await;
    admin.done("setRoomAccessKeysEnabled", json!({"enabled": true}), "roomAccessKeysEnabled").await;
    let dates = json!({"roomStayId": stay, "reservation_to": "2026-02-02", "reason": "asked for it"});
    house.desk.done("changeRoomStayDates", dates, "roomStay { id }").await;
    house.desk.done("updateRoomSetup", json!({"id": room, "name": "101"}), "roomSetup { id }").await;
    assert_eq!(count(&house.test.db.pool).await, before);
}

#[tokio::test]
async fn what_requests_over_http_did_bears_their_id() {
    let house = House::new().await;
    house.room("301").await;
    let server = TestServer::start(&house.test).await;
    let pool = &house.test.db.pool;
    let query = "mutation { createRoomAccessKey(input: {roomAccessPin: {pin: \"1\"}}) { roomAccessKey { id } } }";
    let answer = server.post(&house.keys.live, &json!({ "query": query })).send().await.expect("an answer");
    let id = header(&answer, "x-request-id").to_owned();
    assert_eq!(of_requests(pool).await, [(id, None, "ROOM_ACCESS_KEY".to_owned())]);

    let mut id = String::new();
    let guest = json!({"pmsGuestId": "G1", "lastName": "Doe", "roomNumber": "301", "checkOutDate": "2026-02-02"});
    let mut body = guest.clone();
    body["reason"] = json!(" walk-in ");
    for _ in 0..2 {
        let request = server.request("POST", "/api/pms/v1/grand-hotel/guests/checkin").bearer_auth(&house.keys.live);
        let answer = request.header("idempotency-key", "k1").json(&body).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        if id.is_empty() {
            header(&answer, "x-request-id").clone_into(&mut id);
        }
    }
    let of_check_in = of_requests(pool).await.split_off(1);
    let expected = |object: &str| (id.clone(), Some("walk-in".to_owned()), object.to_owned());
    // Sent again, it has no second effect. Making the stay and the arrival are two things.
    assert_eq!(of_check_in, ["CLIENT", "RESERVATION", "ROOM_STAY", "ROOM_STAY"].map(expected));

    let mut listed = guest.clone();
    listed["checkOutDate"] = json!("2026-02-03");
    listed["reason"] = json!("extended");
    let body = json!({"guests": [listed], "reason": "night audit"});
    let request = server.request("POST", "/api/pms/v1/grand-hotel/guests/sync").bearer_auth(&house.keys.live);
    let answer = request.header("idempotency-key", "k2").json(&body).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let request = server.request("POST", "/api/pms/v1/grand-hotel/guests/sync").bearer_auth(&house.keys.live);
    let nobody = json!({"guests": [], "reason": "night audit"});
    request.header("idempotency-key", "k3").json(&nobody).send().await.expect("an answer");
    let reasons: Vec<_> = of_requests(pool).await.split_off(5).into_iter().map(|entry| entry.1).collect();
    assert_eq!(reasons, [Some("extended".to_owned()), Some("night audit".to_owned())]);
}

#[tokio::test]
async fn the_pruner_says_that_it_was_it() {
    let house = House::new().await;
    let (stay, key) = (house.stay("R1").await, house.locks.pin("1").await);
    house.locks.add(&stay, &key).await;
    house.test.advance(TimeDelta::days(6));
    pruner::prune_due(&house.test).await.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(
        told(&trail(&house.desk, &key).await)[..2],
        [
            json!(["DELETED", "ROOM_ACCESS_KEY", null, null, "PRUNER", null]),
            json!(["UPDATED", "ROOM_STAY", ["roomAccessKey"], "ROOM_ACCESS_KEY", "PRUNER", null]),
        ]
    );
}

#[tokio::test]
async fn a_disconnection_lists_what_it_took_away() {
    let house = House::new().await;
    let admin = house.admin().await;
    let (stay, key) = (house.stay("R1").await, house.locks.pin("1").await);
    house.locks.add(&stay, &key).await;
    let endpoint = json!({"url": "https://example.com/", "status": "DISABLED", "events": ["room_stay.created"]});
    house.locks.done("createWebhookEndpoint", endpoint, "secret").await;
    let vendor = house.keys.integration_id.to_string();
    let before = count(&house.test.db.pool).await;
    admin.done("disconnectIntegration", json!({"id": vendor, "reason": "contract ended"}), "apiKeysRevoked").await;
    let query = "{ auditEntries(first: 5) { edges { node { action object { type id } related { id } reason } } } }";
    let entries = nodes(&admin.data(query, json!({})).await["auditEntries"]);
    assert_eq!(count(&house.test.db.pool).await - before, 5);
    let mut done: Vec<_> =
        entries.iter().map(|entry| (text(&entry["action"]), text(&entry["object"]["type"]))).collect();
    done.sort_unstable();
    let expected = [
        ("DELETED", "ROOM_ACCESS_KEY"),
        ("DELETED", "WEBHOOK_ENDPOINT"),
        ("DISCONNECTED", "INTEGRATION"),
        ("REVOKED", "API_KEY"),
        ("UPDATED", "ROOM_STAY"),
    ];
    assert_eq!(done, expected.map(|(action, object)| (action.to_owned(), object.to_owned())));
    assert!(entries.iter().all(|entry| entry["reason"] == "contract ended"));
    assert!(entries.iter().any(|entry| entry["object"]["id"] == stay && entry["related"]["id"] == key));
}

#[tokio::test]
async fn an_import_leaves_one_entry_for_each_record() {
    let house = House::new().await;
    let file = "hotel,is_canceled,lead_time,arrival_date_year,arrival_date_month,arrival_date_day_of_month,\
        stays_in_weekend_nights,stays_in_week_nights,adults,children,babies,meal,country,market_segment,\
        distribution_channel,reserved_room_type,assigned_room_type,agent,company,customer_type,reservation_status,\
        reservation_status_date\n\
        City,0,10,2026,January,28,0,2,1,0,0,BB,PRT,Direct,Direct,A,A,NULL,NULL,Transient,Check-Out,1/30/2026";
    let query = "SELECT object_type || ' ' || count(*) FROM audit_entries WHERE actor_type = 'IMPORT' AND action = 'CREATED' \
         GROUP BY object_type ORDER BY 1";
    for _ in 0..2 {
        let imported = import::import(&house.test, &house.hotel, file.as_bytes(), &Options::default(), &|_| ()).await;
        imported.unwrap_or_else(|error| panic!("{error:?}"));
        // The second time nothing is new.
        let made: Vec<String> = sqlx::query_scalar(query).fetch_all(&house.test.db.pool).await.expect("entries");
        assert_eq!(made, ["CATEGORY 1", "CLIENT 1", "RESERVATION 1", "ROOM_SETUP 1", "ROOM_STAY 1"]);
    }
}

#[tokio::test]
async fn entries_are_kept_for_400_days() {
    let house = House::new().await;
    let maintain = async || {
        let mut conn = house.test.db.pool.acquire().await.expect("a connection");
        events::maintain(&mut conn, house.test.clock.now()).await.unwrap_or_else(|error| panic!("{error:?}"));
    };
    maintain().await;
    let (stay, pool) = (house.stay("R1").await, &house.test.db.pool);
    house.test.advance(TimeDelta::days(399));
    maintain().await;
    assert_eq!(trail(&house.desk, &stay).await.len(), 1, "its events are long gone");
    assert_eq!(sqlx::query_scalar::<_, i64>("SELECT count(*) FROM events").fetch_one(pool).await.expect("a count"), 0);
    house.test.advance(TimeDelta::days(10));
    maintain().await;
    assert_eq!(count(pool).await, 0);
}

impl Client {
    /// Runs a mutation of the schema, whatever its input type is called.
    async fn act_as(&self, schema: &[(String, String)], name: &str, input: Value, selection: &str) -> Value {
        let (_, input_type) = schema.iter().find(|mutation| mutation.0 == name).expect("in the schema");
        let query = format!("mutation($input: {input_type}!) {{ {name}(input: $input) {{ {selection} }} }}");
        self.run(&query, json!({ "input": input })).await
    }
}
