//! Every route through every client that has a method for it, answered as Seam's document says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::sdk::{self, Generation, Sdk};
use super::{Stage, contract};
use crate::support::Node;

/// What is promised to the SDKs' users, by resource.
const PROMISED: &[(&str, &str)] = &[
    ("access_grants", "create get list update delete request_access_methods get_related"),
    ("access_methods", "list get encode delete get_related unlock_door"),
    ("acs/systems", "list get"),
    ("acs/entrances", "list get"),
    ("acs/encoders", "list get encode_credential"),
    (
        "spaces",
        "create get list update delete add_acs_entrances remove_acs_entrances add_devices remove_devices get_related",
    ),
    ("user_identities", "create get list update delete"),
    ("action_attempts", "get list"),
    ("events", "list get"),
    ("webhooks", "create get list update delete"),
    ("workspaces", "get"),
];

/// Paths that are promised, and all others that are served.
fn routes() -> BTreeSet<String> {
    let promised =
        PROMISED.iter().flat_map(|(resource, verbs)| verbs.split(' ').map(move |verb| format!("/{resource}/{verb}")));
    promised.chain(latchkey::seam::ROUTES.iter().map(|route| route.spec.path.to_owned())).collect()
}

/// The method that clients have for a path: `acs.systems.list` for `/acs/systems/list`.
fn method_of(path: &str) -> String {
    path[1..].replace('/', ".")
}

/// The rows of a table of docs/SEAM.md.
fn printed(header: &str) -> Vec<&'static str> {
    let mut lines = include_str!("../../../../docs/SEAM.md").lines();
    assert!(lines.any(|line| line == header), "{header}");
    lines.skip(1).take_while(|line| !line.is_empty()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_answered_to_every_client_as_seams_document_says() {
    let stage = Stage::new();
    let desk = stage.key("sandbox", "FRONT_DESK");
    let gate = json!({"entranceKey": "gate", "name": "Gate", "provider": "BRIVO", "modes": ["CLOUD_KEY"], "canBelongToReservation": false});
    let hang = "mutation($input: CreateEntranceInput!) { createEntrance(input: $input) { entrance { id } } }";
    stage.graphql(desk, hang, json!({ "input": gate })).await;
    let (mut verbs, mut all) = (BTreeMap::new(), Vec::new());
    for mut sdk in sdk::all(&stage.server.url, desk).await {
        let generation = sdk.generation;
        call_everything(&mut sdk).await;
        let exchanges = sdk.wire.exchanges();
        all.extend(exchanges.clone());
        let answered: BTreeMap<String, String> =
            exchanges.into_iter().filter(|one| one.status == 200).map(|one| (one.path, one.method)).collect();
        for path in routes() {
            let verb = answered.get(&path).cloned();
            assert_eq!(verb.is_some(), sdk.has(&method_of(&path)).await, "{generation:?} {path}");
            verbs.insert((path, generation), verb.unwrap_or_else(|| "none".to_owned()));
        }
    }
    contract::hold(&all);
    if verbs.len() == 3 * routes().len() {
        let row = |path: &String| {
            let [j1, j2, p3] = Generation::ALL.map(|generation| &verbs[&(path.clone(), generation)]);
            assert_eq!(j2, p3, "{path}");
            format!("| `{path}` | {j1} | {j2} |")
        };
        assert_eq!(printed("| Route | J1 | J2, P3 |"), routes().iter().map(row).collect::<Vec<_>>());
    }
}

#[test]
fn seams_document_knows_every_route() {
    if Node::find().is_none() {
        return;
    }
    let refused = |path: &String| json!({"method": "POST", "path": path, "status": 400, "body": {}});
    assert_eq!(contract::faults(&routes().iter().map(refused).collect::<Vec<_>>()), [""; 0]);
}

#[test]
fn every_route_that_is_promised_is_served() {
    let served: BTreeSet<String> = latchkey::seam::ROUTES.iter().map(|route| route.spec.path.to_owned()).collect();
    assert_eq!(served, routes());
}

#[test]
fn parameters_that_differ_from_seams_are_documented() {
    if Node::find().is_none() {
        return;
    }
    let names = |list: &Value| {
        let names = list.as_array().expect("a list").iter();
        names.map(|name| format!("`{}`", name.as_str().expect("a name"))).collect::<Vec<_>>().join(", ")
    };
    let row = |(path, other): (&String, &Value)| {
        format!("| `{path}` | {} | {} |", names(&other["missing"]), names(&other["unknown"])).replace("|  |", "| |")
    };
    let rows: Vec<String> = contract::other_parameters().iter().map(row).collect();
    assert_eq!(printed("| Route | Not taken | Also taken |"), rows);
}

/// Calls every method at least once.
async fn call_everything(sdk: &mut Sdk) {
    sdk.get("workspaces.get", json!({})).await;
    let guest = identities(sdk).await;
    let (entrance, encoder) = systems(sdk).await;
    spaces(sdk, &entrance).await;
    let grant = grants(sdk, &guest).await;
    methods(sdk, &grant, &encoder).await;
    gate(sdk, &guest).await;
    sdk.get("access_grants.delete", json!({"access_grant_id": grant})).await;
    sdk.get("user_identities.delete", json!({"user_identity_id": guest})).await;
    events(sdk).await;
    webhooks(sdk).await;
}

async fn identities(sdk: &mut Sdk) -> Value {
    let new = json!({"full_name": "Anna Muster", "email_address": "anna@example.com", "phone_number": "+491701234567"});
    let guest = sdk.get("user_identities.create", new).await["user_identity_id"].take();
    let key = format!("anna-{:?}", sdk.generation);
    sdk.get("user_identities.update", json!({"user_identity_id": guest, "user_identity_key": key})).await;
    let found = sdk.get("user_identities.get", json!({"user_identity_key": key})).await;
    assert_eq!(found["user_identity_id"], guest);
    let listed = sdk.get("user_identities.list", json!({"user_identity_ids": [guest]})).await;
    assert_eq!(listed[0]["full_name"], "Anna Muster");
    guest
}

/// An entrance and an encoder.
async fn systems(sdk: &mut Sdk) -> (Value, Value) {
    let system = sdk.get("acs.systems.list", Value::Null).await[0]["acs_system_id"].take();
    let found = sdk.get("acs.systems.get", json!({"acs_system_id": system})).await;
    assert_eq!(found["acs_system_id"], system);
    let entrance = sdk.get("acs.entrances.list", json!({"acs_system_id": system})).await[0]["acs_entrance_id"].take();
    let found = sdk.get("acs.entrances.get", json!({"acs_entrance_id": entrance})).await;
    assert_eq!(found["acs_system_id"], system);
    let encoder = sdk.get("acs.encoders.list", json!({"acs_system_ids": [system]})).await[0]["acs_encoder_id"].take();
    let found = sdk.get("acs.encoders.get", json!({"acs_encoder_id": encoder})).await;
    assert_eq!(found["acs_system_id"], system);
    (entrance, encoder)
}

async fn spaces(sdk: &mut Sdk, entrance: &Value) {
    let key = format!("spa-{:?}", sdk.generation);
    let space = sdk.get("spaces.create", json!({"name": "Spa", "space_key": key})).await["space_id"].take();
    sdk.get("spaces.update", json!({"space_id": space, "name": "Pools"})).await;
    assert_eq!(sdk.get("spaces.get", json!({"space_key": key})).await["name"], "Pools");
    let listed = sdk.get("spaces.list", json!({})).await;
    assert!(listed.as_array().expect("a list").iter().any(|one| one["space_id"] == space));
    let doors = json!({"space_id": space, "acs_entrance_ids": [entrance]});
    sdk.get("spaces.add_acs_entrances", doors.clone()).await;
    sdk.get("spaces.get_related", json!({"space_ids": [space]})).await;
    assert_eq!(sdk.last().body["batch"]["acs_entrances"][0]["acs_entrance_id"], *entrance);
    sdk.get("spaces.remove_acs_entrances", doors).await;
    // There are no devices yet.
    let devices = json!({"space_id": space, "device_ids": []});
    sdk.get("spaces.add_devices", devices.clone()).await;
    sdk.get("spaces.remove_devices", devices).await;
    sdk.get("spaces.delete", json!({"space_id": space})).await;
}

async fn grants(sdk: &mut Sdk, guest: &Value) -> Value {
    let key = format!("grant-{:?}", sdk.generation);
    let new = json!({"user_identity_id": guest, "space_ids": ["room-102"], "access_grant_key": key,
        "starts_at": "2025-05-10T15:00:00Z", "ends_at": "2025-05-14T11:00:00Z", "reservation_key": key,
        "requested_access_methods": [{"mode": "card"}]});
    let grant = sdk.get("access_grants.create", new).await["access_grant_id"].take();
    sdk.get("access_grants.update", json!({"access_grant_id": grant, "name": "Anna"})).await;
    let found = sdk.get("access_grants.get", json!({"access_grant_key": key})).await;
    assert_eq!((&found["access_grant_id"], &found["name"]), (&grant, &json!("Anna")));
    assert_eq!(sdk.get("access_grants.list", json!({"reservation_key": key})).await[0]["access_grant_id"], grant);
    let more = json!({"access_grant_id": grant, "requested_access_methods": [{"mode": "card"}]});
    sdk.get("access_grants.request_access_methods", more).await;
    sdk.get("access_grants.get_related", json!({"access_grant_ids": [grant]})).await;
    assert_eq!(sdk.last().body["batch"]["access_methods"].as_array().map(Vec::len), Some(2));
    grant
}

async fn methods(sdk: &mut Sdk, grant: &Value, encoder: &Value) {
    let cards = sdk.get("access_methods.list", json!({"access_grant_id": grant})).await;
    let [first, second] = [&cards[0]["access_method_id"], &cards[1]["access_method_id"]];
    let written = sdk.get("access_methods.encode", json!({"access_method_id": first, "acs_encoder_id": encoder})).await;
    assert_eq!((&written["status"], &written["action_type"]), (&json!("success"), &json!("ENCODE_CREDENTIAL")));
    assert_eq!(sdk.get("access_methods.get", json!({"access_method_id": first})).await["is_issued"], true);
    let attempt = json!({"action_attempt_id": written["action_attempt_id"]});
    assert_eq!(sdk.get("action_attempts.get", attempt).await["status"], "success");
    let attempts = json!({"action_attempt_ids": [written["action_attempt_id"]]});
    assert_eq!(sdk.get("action_attempts.list", attempts).await[0]["status"], "success");

    let card = json!({"access_method_id": second, "acs_encoder_id": encoder});
    let failure = json!({"acs_encoder_id": encoder, "error_code": "no_credential_on_encoder"});
    sdk.get("acs.encoders.simulate.next_credential_encode_will_fail", failure).await;
    let thrown = sdk.thrown("acs.encoders.encode_credential", card.clone()).await;
    let told = (thrown.class.as_str(), thrown.code.as_deref(), &thrown.action_attempt["status"]);
    let expected = ("SeamActionAttemptFailedError", Some("no_credential_on_encoder"), &json!("error"));
    assert_eq!(told, expected, "{:?}", sdk.generation);
    sdk.get("acs.encoders.simulate.next_credential_encode_will_succeed", json!({"acs_encoder_id": encoder})).await;
    let written = sdk.get("acs.encoders.encode_credential", card).await;
    assert_eq!(written["result"]["acs_credential_id"], *second);

    sdk.get("access_methods.get_related", json!({"access_method_ids": [first]})).await;
    assert_eq!(sdk.last().body["batch"]["acs_entrances"][0]["display_name"], "Room 102");
    sdk.get("access_methods.delete", json!({"access_method_id": second})).await;
}

/// A door that is opened from afar.
async fn gate(sdk: &mut Sdk, guest: &Value) {
    let new = json!({"user_identity_id": guest, "acs_entrance_ids": ["gate"],
        "requested_access_methods": [{"mode": "cloud_key"}]});
    let grant = sdk.get("access_grants.create", new).await;
    let opened_by = json!({"access_method_id": grant["access_method_ids"][0], "acs_entrance_id": "gate"});
    if sdk.has("access_methods.unlock_door").await {
        let opened = sdk.get("access_methods.unlock_door", opened_by).await;
        assert_eq!((&opened["status"], &opened["action_type"]), (&json!("success"), &json!("UNLOCK_DOOR")));
    }
    sdk.get("access_grants.delete", json!({"access_grant_id": grant["access_grant_id"]})).await;
}

async fn events(sdk: &mut Sdk) {
    let since = json!({"since": "2025-05-09T00:00:00Z", "event_type": "access_grant.created"});
    let event = sdk.get("events.list", since).await[0].take();
    let found = sdk.get("events.get", json!({"event_id": event["event_id"]})).await;
    assert_eq!(found["event_type"], "access_grant.created");
}

async fn webhooks(sdk: &mut Sdk) {
    let new = json!({"url": "http://127.0.0.1:9/", "event_types": ["access_grant.created"]});
    let webhook = sdk.get("webhooks.create", new).await["webhook_id"].take();
    let named = json!({ "webhook_id": webhook });
    assert_eq!(sdk.get("webhooks.get", named.clone()).await["url"], "http://127.0.0.1:9/");
    assert_eq!(sdk.get("webhooks.list", Value::Null).await[0]["webhook_id"], webhook);
    sdk.get("webhooks.update", json!({"webhook_id": webhook, "event_types": ["access_grant.deleted"]})).await;
    assert_eq!(sdk.get("webhooks.get", named.clone()).await["event_types"], json!(["access_grant.deleted"]));
    sdk.get("webhooks.delete", named).await;
}
