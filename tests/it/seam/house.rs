//! A hotel with what the facade's operations name, and what each of them is sent.

use latchkey::actor::Permission;
use latchkey::seam::Route;
use reqwest::Response;
use serde_json::{Map, Value, json};

use crate::access_grants::Doors;
use crate::support::{House, TestIntegration, TestServer, header};

/// The integration's and the front desk's way to the facade.
pub struct Facade {
    pub doors: Doors,
    pub server: TestServer,
    /// `WRITE`: made the identities and whatever [`Records`] names.
    pub own: TestIntegration,
    pub desk: TestIntegration,
}

/// Values that name records of one owner, by the name of the parameter in the singular.
pub struct Records(Map<String, Value>);

impl Facade {
    pub async fn new() -> Self {
        let doors = Doors::new().await;
        let server = TestServer::start(&doors.house.test).await;
        let desk = doors.house.test.integration(&doors.house.hotel, "Desk", Permission::FrontDesk).await;
        let own = doors.house.test.integration(&doors.house.hotel, "Own", Permission::Write).await;
        Self { doors, server, own, desk }
    }

    /// Sends a POST with JSON.
    pub async fn post(&self, key: &str, path: &str, body: &Value) -> Response {
        let request = self.server.request("POST", &format!("/seam{path}")).bearer_auth(key).json(body);
        request.send().await.expect("an answer")
    }

    /// Sends a POST that has to succeed, and answers with its body.
    pub async fn done(&self, key: &str, path: &str, body: &Value) -> Value {
        let response = self.post(key, path, body).await;
        let status = response.status().as_u16();
        let answer: Value = response.json().await.expect("JSON");
        assert_eq!(status, 200, "{path} {body} {answer}");
        answer
    }

    /// Makes records of every kind with that key in a hotel that has doors: `name` is in all of their keys.
    pub async fn records(&self, house: &House, key: &str, desk: &str, name: &str) -> Records {
        let named = |what: &str| format!("{what}-{name}");
        let identity = json!({"user_identity_key": named("identity"), "full_name": name});
        let identity = self.done(key, "/user_identities/create", &identity).await["user_identity"].clone();
        let space = json!({"space_key": named("space"), "name": name});
        let space = self.done(desk, "/spaces/create", &space).await["space"].clone();
        let entrances = self.done(key, "/acs/entrances/list", &json!({"space_id": "room-101"})).await;
        let entrance = entrances["acs_entrances"][0].clone();
        let grant = json!({"user_identity_id": identity["user_identity_id"], "access_grant_key": named("grant"),
            "acs_entrance_ids": [entrance["acs_entrance_id"]], "reservation_key": named("stay"),
            "requested_access_methods": [{"mode": "card"}], "ends_at": "2025-05-14T11:00:00Z"});
        let grant = self.done(key, "/access_grants/create", &grant).await["access_grant"].clone();
        let method = grant["access_method_ids"][0].clone();
        let encoder = house.encoder(&named("encoder"), None).await;
        let webhook = json!({"url": "https://example.com/", "event_types": ["access_grant.created"]});
        let webhook = self.done(key, "/webhooks/create", &webhook).await["webhook"]["webhook_id"].clone();
        let events = json!({"since": "2025-05-01T00:00:00Z", "access_grant_id": grant["access_grant_id"]});
        let event = self.done(key, "/events/list", &events).await["events"][0]["event_id"].clone();
        let encode = json!({"access_method_id": method, "acs_encoder_id": encoder});
        let begun = self.done(key, "/access_methods/encode", &encode).await;
        let mut records = Map::new();
        for (name, value) in [
            ("user_identity_id", &identity["user_identity_id"]),
            ("user_identity_key", &identity["user_identity_key"]),
            ("space_id", &space["space_id"]),
            ("space_key", &space["space_key"]),
            ("acs_entrance_id", &entrance["acs_entrance_id"]),
            ("acs_system_id", &entrance["acs_system_id"]),
            ("connected_account_id", &entrance["connected_account_id"]),
            ("access_grant_id", &grant["access_grant_id"]),
            ("access_grant_key", &grant["access_grant_key"]),
            ("reservation_key", &grant["reservation_key"]),
            ("access_method_id", &method),
            ("acs_credential_id", &method),
            ("acs_encoder_id", &json!(encoder)),
            ("webhook_id", &webhook),
            ("event_id", &event),
            ("action_attempt_id", &begun["action_attempt"]["action_attempt_id"]),
        ] {
            assert!(value.is_string(), "{name}: {value}");
            records.insert(name.to_owned(), value.clone());
        }
        Records(records)
    }
}

impl Records {
    /// The value of a parameter that names one record or several; `None` for a parameter that names none.
    pub fn named(&self, parameter: &str) -> Option<Value> {
        let one = self.0.get(parameter);
        let several = || parameter.strip_suffix('s').and_then(|name| self.0.get(name)).map(|value| json!([value]));
        one.cloned().or_else(several)
    }
}

/// Parameters of an operation and whether it needs them, as its own OpenAPI document has them.
pub fn parameters(document: &Value, route: &Route) -> Vec<(String, bool)> {
    let path = format!("/seam{}", route.spec.path).replace('/', "~1");
    let body = document.pointer(&format!("/paths/{path}/post/requestBody/content/application~1json/schema/$ref"));
    let schema = body.and_then(Value::as_str).expect("a reference").trim_start_matches('#');
    let schema = document.pointer(schema).expect("a schema");
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let names = schema["properties"].as_object().into_iter().flat_map(Map::keys);
    names.map(|name| (name.clone(), required.contains(&json!(name)))).collect()
}

/// What an operation can be sent: all that it needs, of these records, and one of what it has a choice of.
pub fn body(document: &Value, route: &Route, records: &Records) -> Value {
    let mut body = match route.spec.path {
        "/access_grants/create" => json!({"user_identity_id": records.named("user_identity_id"),
            "acs_entrance_ids": ["gym-id"], "requested_access_methods": [{"mode": "card"}]}),
        "/access_grants/update" => json!({"access_grant_id": records.named("access_grant_id"), "name": "New"}),
        "/access_grants/get" | "/access_methods/list" => json!({"access_grant_id": records.named("access_grant_id")}),
        "/access_methods/delete" | "/acs/encoders/encode_credential" => {
            json!({"access_method_id": records.named("access_method_id")})
        }
        "/user_identities/get" => json!({"user_identity_id": records.named("user_identity_id")}),
        "/spaces/get" => json!({"space_id": records.named("space_id")}),
        "/spaces/update" => json!({"space_id": records.named("space_id"), "name": "New"}),
        "/events/list" => json!({"since": "2025-05-01T00:00:00Z"}),
        _ => json!({}),
    };
    for (name, required) in parameters(document, route) {
        if required && body.get(&name).is_none() {
            body[&name] = records.named(&name).unwrap_or_else(|| match name.as_str() {
                "name" | "full_name" => json!("Name"),
                "url" => json!("https://example.com/"),
                "event_types" => json!(["access_grant.created"]),
                "requested_access_methods" => json!([{"mode": "card"}]),
                "device_ids" => json!([]),
                _ => panic!("{} needs {name}", route.spec.path),
            });
        }
    }
    body
}

/// The facade's own OpenAPI document.
pub fn document() -> Value {
    serde_json::to_value(latchkey::seam::openapi::document()).expect("JSON")
}

/// The error of an answer: its status, its content but for the request's id.
pub async fn error(response: Response) -> (u16, Value) {
    let (status, id) = (response.status().as_u16(), header(&response, "seam-request-id").to_owned());
    assert_eq!(id, header(&response, "x-request-id"));
    let kind = header(&response, "content-type").to_owned();
    assert!(kind.starts_with("application/json"), "{kind}");
    let mut answer: Value = response.json().await.expect("JSON");
    assert_eq!((&answer["ok"], &answer["error"]["request_id"]), (&json!(false), &json!(id)), "{answer}");
    assert!(answer["error"]["type"].is_string() && answer["error"]["message"].is_string(), "{answer}");
    answer["error"].as_object_mut().expect("an object").remove("request_id");
    (status, answer["error"].take())
}
