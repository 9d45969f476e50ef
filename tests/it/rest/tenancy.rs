//! Guests, rooms, slugs, pages and idempotency keys of another hotel, at every route and with live and test keys: answered
//! for byte for byte as what there is nowhere, but for the request's id and what the request itself said.

use latchkey::actor::Permission;
use reqwest::Response;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Desk, doe, fresh_key};
use crate::support::{House, TestIntegration, fingerprint, header, text};

/// What nobody has: an id of a guest, the name of a room, a slug.
const NOWHERE: &str = "nowhere";

impl Desk {
    /// What a POST is answered, `said` being a text that its body holds.
    async fn bytes(&self, api_key: &str, name: &str, body: &Value, said: &str) -> String {
        bytes(self.send(api_key, &fresh_key(), name, body).await, said).await
    }

    async fn page(&self, api_key: &str, slug: &str, query: &str) -> Response {
        let request = self.server.request("GET", &format!("/api/pms/v1/{slug}/guests{query}"));
        request.bearer_auth(api_key).send().await.expect("an answer")
    }
}

/// Status, type and body of an answer, without the request's id, without ids that were made for it, and without `said`.
async fn bytes(response: Response, said: &str) -> String {
    let id = header(&response, "x-request-id").to_owned();
    let head = format!("{} {}", response.status(), header(&response, "content-type"));
    let body = response.text().await.expect("text").replace(&id, "ID").replace(said, "SAID");
    let words = body.split('"').map(|word| if Uuid::parse_str(word).is_ok() { "UUID" } else { word });
    format!("{head}\n{}", words.collect::<Vec<_>>().join("\""))
}

/// Next door, somebody is in room 999 by the external id `EXT-999`, and somebody else has the reservation `R-999`.
async fn neighbour(desk: &Desk) -> (House, TestIntegration) {
    let neighbour = desk.house.next_door().await;
    neighbour.stay_in("999").await;
    let pms = neighbour.test.integration(&neighbour.hotel, "PMS", Permission::Write).await;
    let mut guest = doe("EXT-999");
    guest["roomNumber"] = json!("999");
    let request = desk.server.request("POST", "/api/pms/v1/next-door/guests/checkin").bearer_auth(&pms.live);
    let answer = request.header("idempotency-key", "k").json(&guest).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    (neighbour, pms)
}

#[tokio::test]
async fn guests_and_rooms_at_every_route() {
    let desk = Desk::new().await;
    let _neighbour = neighbour(&desk).await;
    desk.house.room("301").await;
    desk.post("checkin", doe("OWN")).await;
    let before = fingerprint(&desk.house.test.db.pool).await;
    let (guest, room) = ("pmsGuestId", "roomNumber");
    for (name, field, foreign, body) in [
        ("update", guest, "EXT-999", json!({"lastName": "Dow"})),
        ("update", guest, "R-999", json!({"lastName": "Dow"})),
        ("checkout", guest, "EXT-999", json!({})),
        ("checkout", guest, "R-999", json!({})),
        ("checkin", room, "999", doe("NEW")),
        ("update", room, "999", json!({"pmsGuestId": "OWN"})),
        ("checkout", room, "999", json!({"pmsGuestId": "OWN"})),
    ] {
        for api_key in [&desk.live, &desk.test] {
            let with = |value: &str| {
                let mut body = body.clone();
                body[field] = json!(value);
                body
            };
            let answer = desk.bytes(api_key, name, &with(foreign), foreign).await;
            assert!(answer.starts_with("404") && answer.contains(&format!("\"field\":\"{field}\"")), "{answer}");
            assert_eq!(answer, desk.bytes(api_key, name, &with(NOWHERE), NOWHERE).await, "{name} {field}");

            // In a list of those who are in the house, too.
            let entry = |value: &str| {
                let mut entry = doe("NEW");
                entry[field] = json!(value);
                json!({ "guests": [doe("OWN"), entry] })
            };
            if field == room {
                let answer = desk.bytes(api_key, "sync", &entry(foreign), foreign).await;
                assert!(answer.contains("guests[1].roomNumber"), "{answer}");
                assert_eq!(answer, desk.bytes(api_key, "sync", &entry(NOWHERE), NOWHERE).await);
            }
        }
    }
    assert_eq!(fingerprint(&desk.house.test.db.pool).await, before);
}

#[tokio::test]
async fn who_checks_in_under_a_neighbours_id_or_code_is_new() {
    let desk = Desk::new().await;
    let _neighbour = neighbour(&desk).await;
    desk.house.room("301").await;
    let before = fingerprint(&desk.house.test.db.pool).await;
    for foreign in ["EXT-999", "R-999"] {
        for (name, body) in [("checkin", doe as fn(&str) -> Value), ("sync", |id| json!({ "guests": [doe(id)] }))] {
            // Undone each time, so that both find the same hotel.
            let answer = desk.bytes(&desk.test, name, &body(foreign), foreign).await;
            assert!(answer.starts_with("200"), "{answer}");
            assert_eq!(answer, desk.bytes(&desk.test, name, &body(NOWHERE), NOWHERE).await, "{name} {foreign}");
        }
    }
    assert_eq!(fingerprint(&desk.house.test.db.pool).await, before);
    for foreign in ["EXT-999", "R-999"] {
        assert_eq!(desk.post("checkin", doe(foreign)).await["created"], true, "{foreign}");
    }
}

#[tokio::test]
async fn slugs_and_pages() {
    let desk = Desk::new().await;
    let (neighbour, pms) = neighbour(&desk).await;
    desk.house.room("301").await;
    desk.post("checkin", doe("OWN")).await;
    for api_key in [&desk.live, &desk.test] {
        let elsewhere = bytes(desk.page(api_key, "next-door", "").await, "next-door").await;
        assert!(elsewhere.starts_with("401") && elsewhere.contains("\"Invalid credentials\""), "{elsewhere}");
        assert_eq!(elsewhere, bytes(desk.page(api_key, NOWHERE, "").await, NOWHERE).await);
        for name in ["checkin", "update", "checkout", "sync"] {
            let post = async |slug: &str| {
                let request = desk.server.request("POST", &format!("/api/pms/v1/{slug}/guests/{name}"));
                let request = request.bearer_auth(api_key).header("idempotency-key", "k").json(&doe("OWN"));
                bytes(request.send().await.expect("an answer"), slug).await
            };
            assert_eq!(post("next-door").await, elsewhere, "{name}");
            assert_eq!(post(NOWHERE).await, elsewhere, "{name}");
        }

        // A stay of the neighbour is a place in the order of ids and nothing else.
        let theirs = desk.page(&pms.live, "next-door", "").await.json::<Value>().await.expect("JSON");
        let theirs: Uuid = text(&theirs["guests"][0]["roomStayId"]).parse().expect("an id");
        let nobodys = Uuid::from_u128(theirs.as_u128() ^ 1);
        let page = async |after: Uuid| {
            bytes(desk.page(api_key, "grand-hotel", &format!("?after={after}")).await, &after.to_string()).await
        };
        assert_eq!(page(theirs).await, page(nobodys).await);
        let all = bytes(desk.page(api_key, "grand-hotel", "").await, NOWHERE).await;
        assert!(all.contains("\"OWN\"") && !all.contains("999"), "{all}");
    }
    drop(neighbour);
}

#[tokio::test]
async fn idempotency_keys() {
    let desk = Desk::new().await;
    let (_neighbour, pms) = neighbour(&desk).await;
    desk.house.room("301").await;
    // The neighbour has used the key `k`, for another guest.
    let first = desk.send(&desk.live, "k", "checkin", &doe("OWN")).await;
    assert_eq!((first.status().as_u16(), header(&first, "idempotent-replayed")), (200, ""));
    let first = first.text().await.expect("text");
    let again = desk.send(&desk.live, "k", "checkin", &doe("OWN")).await;
    assert_eq!(header(&again, "idempotent-replayed"), "true");
    assert_eq!(again.text().await.expect("text"), first);
    let theirs = desk.page(&pms.live, "next-door", "").await.text().await.expect("text");
    assert!(theirs.contains("EXT-999") && !theirs.contains("OWN"), "{theirs}");
}
