//! Pages, what is tried again, and the content types of clients.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::contract;
use super::sdk::{self, Generation};
use super::wire::Exchange;
use crate::access_grants::Doors;
use crate::support::TestServer;

#[tokio::test(flavor = "multi_thread")]
async fn paginators_of_the_clients_fetch_all_pages() {
    let doors = Doors::new().await;
    let server = TestServer::start(&doors.house.test).await;
    let mut exchanges = Vec::new();
    for mut sdk in sdk::all(&server.url, &doors.house.keys.live).await {
        for (list, id, sizes) in [
            ("user_identities.list", "user_identity_id", [2, 2, 1].as_slice()),
            ("acs.entrances.list", "acs_entrance_id", &[2, 2, 2]),
        ] {
            let all = sdk.get(list, json!({})).await;
            let pages = sdk.pages(list, json!({"limit": 2})).await;
            assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), sizes, "{:?} {list}", sdk.generation);
            let ids = |records: &[Value]| records.iter().map(|one| one[id].clone()).collect::<Vec<_>>();
            assert_eq!(ids(&pages.concat()), ids(all.as_array().expect("a list")), "{:?} {list}", sdk.generation);
        }
        exchanges.extend(sdk.wire.exchanges());
    }
    contract::hold(&exchanges);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_without_parameters_is_answered_however_a_client_writes_that() {
    let doors = Doors::new().await;
    let server = TestServer::start(&doors.house.test).await;
    for mut sdk in sdk::all(&server.url, &doors.house.keys.live).await {
        let listed = sdk.get("user_identities.list", Value::Null).await;
        assert_eq!(listed.as_array().map(Vec::len), Some(5));
        let Exchange { method, sent, .. } = &sdk.last();
        match sdk.generation {
            Generation::J1 => {
                assert_eq!((method.as_str(), sent.as_str()), ("POST", ""));
                assert_eq!(sdk.last().sent_header("content-type"), "application/x-www-form-urlencoded");
            }
            Generation::J2 | Generation::P3 => assert_eq!(method, "GET"),
        }
    }
}

/// Requests that went by while something was asked for.
fn methods(exchanges: &[Exchange]) -> Vec<&str> {
    exchanges.iter().map(|one| one.method.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_reads_is_tried_again_by_the_clients_and_what_creates_is_not() {
    let doors = Doors::new().await;
    let server = TestServer::start(&doors.house.test).await;
    for mut sdk in sdk::all(&server.url, &doors.house.keys.live).await {
        let generation = sdk.generation;
        let before = sdk.wire.count();
        sdk.wire.fail([StatusCode::SERVICE_UNAVAILABLE; 2]);
        sdk.get("workspaces.get", Value::Null).await;
        let tried = sdk.wire.since(before);
        assert_eq!(tried.iter().map(|one| one.status).collect::<Vec<_>>(), [503, 503, 200], "{generation:?}");

        let before = sdk.wire.count();
        sdk.wire.fail([StatusCode::SERVICE_UNAVAILABLE]);
        sdk.thrown("user_identities.create", json!({"full_name": "Anna"})).await;
        assert_eq!(methods(&sdk.wire.since(before)), ["POST"], "{generation:?}");
    }
}

/// An answer to a deletion that got lost: the clients of today send it again, and learn that there is nothing any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_whose_answer_got_lost_was_done_once() {
    let doors = Doors::new().await;
    let server = TestServer::start(&doors.house.test).await;
    for mut sdk in sdk::all(&server.url, &doors.house.keys.live).await {
        let made = sdk.get("user_identities.create", json!({"full_name": "Anna"})).await;
        let id = json!({"user_identity_id": made["user_identity_id"]});
        sdk.wire.lose_an_answer();
        let thrown = sdk.thrown("user_identities.delete", id).await;
        if sdk.generation == Generation::J1 {
            continue;
        }
        let told = (thrown.code.as_deref(), thrown.status);
        assert_eq!(told, (Some("user_identity_not_found"), Some(404)), "{:?}", sdk.generation);
    }
    let left = doors.house.locks.data("{ userIdentities { totalCount } }", json!({})).await;
    assert_eq!(left["userIdentities"]["totalCount"], 5);
}
