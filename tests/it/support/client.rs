//! A client of the GraphQL API, and a hotel to use it on.

use async_graphql::Variables;
use axum::http::HeaderValue;
use chrono_tz::Tz;
use latchkey::actor::{Actor, Permission};
use latchkey::app::App;
use latchkey::auth;
use latchkey::graphql::{GraphQlRequest, execute};
use latchkey::hotels::Hotel;
use serde_json::{Value, json};

use super::{TestApp, TestIntegration, codes};

/// Somebody with an API key.
#[derive(Clone)]
pub struct Client {
    app: App,
    /// Whom the key stands for.
    pub actor: Actor,
}

impl Client {
    /// With that API key.
    pub async fn new(app: &App, key: &str) -> Self {
        let header = HeaderValue::from_str(&format!("Bearer {key}")).expect("a header");
        let actor = app.authenticate(Some(&header)).await.expect("a valid key").actor;
        Self { app: app.clone(), actor }
    }

    /// Runs one operation and answers with the whole response.
    pub async fn run(&self, query: &str, variables: Value) -> Value {
        self.batch(&[(query, variables)]).await.remove(0)
    }

    /// Runs a batch.
    pub async fn batch(&self, operations: &[(&str, Value)]) -> Vec<Value> {
        self.counted(operations).await.0
    }

    /// Runs a batch that has to succeed, and answers with how many statements it took.
    pub async fn statements(&self, operations: &[(&str, Value)]) -> u32 {
        let (responses, statements) = self.counted(operations).await;
        assert!(responses.iter().all(|response| response.get("errors").is_none()), "{responses:#?}");
        statements
    }

    async fn counted(&self, operations: &[(&str, Value)]) -> (Vec<Value>, u32) {
        let requests = operations.iter().map(|(query, variables)| GraphQlRequest {
            query: (*query).to_owned(),
            operation_name: None,
            variables: Variables::from_json(variables.clone()),
        });
        let execution = Box::pin(execute(&self.app, &self.actor, requests.collect())).await;
        let responses = execution.responses.iter().map(|response| serde_json::to_value(response).expect("JSON"));
        (responses.inspect(codes::expect_described).collect(), execution.statements)
    }

    /// Runs one operation that has to succeed and answers with its data.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        let mut response = self.run(query, variables).await;
        assert!(response.get("errors").is_none(), "{response:#}");
        response["data"].take()
    }

    /// Runs one operation that has to fail with one error, and answers with it.
    pub async fn error(&self, query: &str, variables: Value) -> Value {
        let mut response = self.run(query, variables).await;
        let errors = response["errors"].as_array_mut().expect("an error");
        assert_eq!(errors.len(), 1, "{errors:#?}");
        errors.remove(0)
    }

    /// Makes a room access key with that PIN and answers with its id.
    pub async fn pin(&self, pin: &str) -> String {
        let data = self.data(CREATE_KEY, json!({"input": {"roomAccessPin": {"pin": pin}}})).await;
        text(&data["createRoomAccessKey"]["roomAccessKey"]["id"])
    }

    /// Puts a key on a stay.
    pub async fn add(&self, stay: &str, key: &str) -> Value {
        self.run(ADD_KEY, json!({"input": {"roomStayId": stay, "roomAccessKeyId": key}})).await
    }

    /// Takes a key off a stay.
    pub async fn remove(&self, stay: &str, key: &str) -> Value {
        self.run(REMOVE_KEY, json!({"input": {"roomStayId": stay, "roomAccessKeyId": key}})).await
    }

    /// Deletes a key.
    pub async fn delete(&self, key: &str) -> Value {
        self.run(DELETE_KEY, json!({"id": key})).await
    }

    /// Id of the key that a stay has.
    pub async fn key_of(&self, stay: &str) -> Option<String> {
        let query =
            "query($id: ID!) { room_stays(filter: {id: {eq: $id}}) { edges { node { roomAccessKey { id } } } } }";
        let data = self.data(query, json!({"id": stay})).await;
        data["room_stays"]["edges"][0]["node"]["roomAccessKey"]["id"].as_str().map(str::to_owned)
    }

    /// PINs of the keys that this integration owns.
    pub async fn own_pins(&self) -> Vec<String> {
        let query = "{ roomAccessKeys(first: 100) { edges { node { ... on RoomAccessPin { pin } } } } }";
        let data = self.data(query, json!({})).await;
        let edges = data["roomAccessKeys"]["edges"].as_array().expect("edges");
        edges.iter().map(|edge| text(&edge["node"]["pin"])).collect()
    }
}

pub const CREATE_KEY: &str =
    "mutation($input: CreateRoomAccessKeyInput!) { createRoomAccessKey(input: $input) { roomAccessKey { id } } }";
pub const ADD_KEY: &str = "mutation($input: AddRoomAccessKeyInput!) { addRoomAccessKey(input: $input) { roomStay { id roomAccessKey { id } } } }";
pub const REMOVE_KEY: &str = "mutation($input: RemoveRoomAccessKeyInput!) { removeRoomAccessKey(input: $input) { \
     roomStay { id roomAccessKey { id } } } }";
pub const DELETE_KEY: &str = "mutation($id: ID!) { deleteRoomAccessKey(input: {roomAccessKeyId: $id}) { deleted } }";

/// The text in a JSON value.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text, not {value}")).to_owned()
}

/// Code of the first error of a response.
pub fn code(response: &Value) -> &str {
    response["errors"][0]["extensions"]["code"].as_str().unwrap_or("no error")
}

/// A hotel with rooms and everybody who works with it.
pub struct House {
    pub test: TestApp,
    pub hotel: Hotel,
    /// Two lock vendors.
    pub locks: Client,
    pub other_locks: Client,
    /// A reader.
    pub messaging: Client,
    pub desk: Client,
    /// A category.
    pub category: String,
    /// Keys of `locks`.
    pub keys: TestIntegration,
}

impl House {
    /// A hotel in Berlin.
    pub async fn new() -> Self {
        Self::on(TestApp::new().await, "grand-hotel", Tz::Europe__Berlin).await
    }

    /// A hotel of an application.
    pub async fn on(test: TestApp, slug: &str, zone: Tz) -> Self {
        let hotel = test.hotel(slug, zone).await;
        let keys = test.integration(&hotel, "Locks", Permission::Write).await;
        let other = test.integration(&hotel, "Other locks", Permission::Write).await;
        let messaging = test.integration(&hotel, "Messaging", Permission::ReadOnly).await;
        let desk = test.integration(&hotel, "Front desk", Permission::FrontDesk).await;
        let desk = Client::new(&test, &desk.live).await;
        let category =
            desk.data("mutation { createCategory(input: {name: \"Double\"}) { category { id } } }", json!({})).await;
        Self {
            locks: Client::new(&test, &keys.live).await,
            other_locks: Client::new(&test, &other.live).await,
            messaging: Client::new(&test, &messaging.live).await,
            desk,
            category: text(&category["createCategory"]["category"]["id"]),
            keys,
            hotel,
            test,
        }
    }

    /// The hotel's administrator.
    pub async fn admin(&self) -> Client {
        let keys = self.test.integration(&self.hotel, "Back office", Permission::Admin).await;
        Client::new(&self.test, &keys.live).await
    }

    /// A room; answers with its id.
    pub async fn room(&self, name: &str) -> String {
        let query = "mutation($input: CreateRoomSetupInput!) { createRoomSetup(input: $input) { roomSetup { id } } }";
        let data = self.desk.data(query, json!({"input": {"name": name, "categoryId": self.category}})).await;
        text(&data["createRoomSetup"]["roomSetup"]["id"])
    }

    /// A reservation of guest Doe with stays of these nights; answers with its id and those of its stays.
    pub async fn reservation(&self, code: &str, nights: &[(&str, &str)]) -> (String, Vec<String>) {
        let stays: Vec<Value> = nights
            .iter()
            .map(|(from, to)| json!({"categoryId": self.category, "reservation_from": from, "reservation_to": to}))
            .collect();
        let input = json!({"code": code, "client": {"person": {"lastname": "Doe"}}, "roomStays": stays});
        let query = "mutation($input: CreateReservationInput!) { createReservation(input: $input) { \
             reservation { id rooms(first: 100) { edges { node { id } } } } } }";
        let data = self.desk.data(query, json!({"input": input})).await;
        let reservation = &data["createReservation"]["reservation"];
        let edges = reservation["rooms"]["edges"].as_array().expect("edges");
        (text(&reservation["id"]), edges.iter().map(|edge| text(&edge["node"]["id"])).collect())
    }

    /// One stay from 30 January to 2 February 2026; the clock stands at 30 January.
    pub async fn stay(&self, code: &str) -> String {
        self.reservation(code, &[("2026-01-30", "2026-02-02")]).await.1.remove(0)
    }
}
