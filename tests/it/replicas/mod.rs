//! Server processes on one database: what one of them did is in force at the others, and what one that was killed did is
//! not done again.

mod balancer;
mod idempotency;
mod kills;
mod one_address;
mod revocation;

use std::time::Duration;

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use crate::support::client::CREATE_KEY;
use crate::support::{DataDir, Serving, TestDb, error_code, header};

/// Before a request is sent again that is said to be running still.
const PAUSE: Duration = Duration::from_millis(20);

/// A hotel with room 301, and its keys.
struct Site {
    http: reqwest::Client,
    /// The hotel's own system and front desk.
    desk: String,
    admin: String,
    data: DataDir,
    /// Dropped after its servers' folder.
    db: TestDb,
}

/// A request with an effect that can be counted.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// GraphQL: a new room access key.
    Create,
    /// REST: a guest arrives.
    CheckIn,
}

/// What a request was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    replayed: bool,
    body: String,
}

impl Site {
    async fn new() -> Self {
        let db = TestDb::new().await;
        let data = DataDir::with_database(&db);
        data.print(&["hotel", "create", "grand-hotel", "--name", "Grand Hotel", "--time-zone", "Europe/Berlin"]);
        let key = |integration, permission| data.api_key("grand-hotel", integration, permission);
        let (desk, admin) = (key("Front desk", "FRONT_DESK"), key("Back office", "ADMIN"));
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { http, desk, admin, data, db }
    }

    /// Starts a server, and makes the room when it is not there.
    async fn serve(&self) -> Serving {
        let server = self.data.serve();
        let rooms = self.run(&server, "{ settings { roomSetups { id } } }", json!({})).await;
        if rooms["settings"]["roomSetups"] == json!([]) {
            let category = "mutation { createCategory(input: {name: \"Double\"}) { category { id } } }";
            let category = self.run(&server, category, json!({})).await;
            let room =
                "mutation($id: ID!) { createRoomSetup(input: {name: \"301\", categoryId: $id}) { roomSetup { id } } }";
            self.run(&server, room, json!({"id": category["createCategory"]["category"]["id"]})).await;
        }
        server
    }

    fn post(&self, server: &Serving, path: &str, api_key: &str) -> RequestBuilder {
        self.http.post(format!("{}{path}", server.url)).bearer_auth(api_key)
    }

    /// Sends GraphQL, one operation or a batch.
    async fn graphql(&self, server: &Serving, api_key: &str, body: &Value) -> Response {
        self.post(server, "/graphql", api_key).json(body).send().await.expect("an answer")
    }

    /// Runs an operation of the front desk that has to succeed; answers with its data.
    async fn run(&self, server: &Serving, query: &str, variables: Value) -> Value {
        let body = json!({"query": query, "variables": variables});
        let mut answer: Value = self.graphql(server, &self.desk, &body).await.json().await.expect("JSON");
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"].take()
    }

    /// A request for an act under that idempotency key.
    fn request(&self, server: &Serving, act: Act, key: &str) -> RequestBuilder {
        let (path, body) = match act {
            Act::Create => {
                ("/graphql", json!({"query": CREATE_KEY, "variables": {"input": {"roomAccessPin": {"pin": "1"}}}}))
            }
            Act::CheckIn => (
                "/api/pms/v1/grand-hotel/guests/checkin",
                json!({"pmsGuestId": "RES-001", "lastName": "Doe", "roomNumber": "301", "checkInDate": "2999-12-30", "checkOutDate": "2999-12-31"}),
            ),
        };
        self.post(server, path, &self.desk).header("idempotency-key", key).json(&body)
    }

    /// Sends it, and again as long as it is said to be running still.
    async fn until_answered(&self, server: &Serving, act: Act, key: &str) -> Answer {
        loop {
            let answer = Answer::of(self.request(server, act, key).send().await.expect("an answer")).await;
            // A server that is busy says so before it does anything; fifty at once can be too many for a slow machine.
            let shed = answer.status == 503 && answer.body.contains("\"OVERLOADED\"");
            if answer.status != 409 && !shed {
                return answer;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// How often an act had its effect.
    async fn effects(&self, act: Act) -> i64 {
        let count = match act {
            Act::Create => "SELECT count(*) FROM room_access_keys",
            Act::CheckIn => "SELECT count(*) FROM room_stays WHERE check_in IS NOT NULL",
        };
        sqlx::query_scalar(count).fetch_one(&self.db.pool).await.expect("a count")
    }
}

impl Answer {
    async fn of(response: Response) -> Self {
        let (status, replayed) = (response.status().as_u16(), header(&response, "idempotent-replayed") == "true");
        Self { status, replayed, body: response.text().await.expect("text") }
    }
}

/// Status and code of the first error.
async fn code(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let answer: Value = response.json().await.expect("JSON");
    // A batch that is refused as a whole is refused in an array.
    (status, error_code(answer.get(0).unwrap_or(&answer)).to_owned())
}
