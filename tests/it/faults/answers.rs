//! What a request is answered that the database gives up in its middle, in every form that answers have.

use latchkey::actor::Permission;
use latchkey::app::App;
use latchkey::clock::Clock;
use latchkey::id::IdSource;
use latchkey::secrets::SecretKeys;
use latchkey::webhooks::WebhookSettings;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor as _};

use crate::support::client::CREATE_KEY;
use crate::support::{TestApp, TestIntegration, TestServer, Way, header};

const JSON: &str = "application/json";
const GRAPHQL: &str = "application/graphql-response+json";

/// A hotel, a lock vendor, and a server whose way to the database can be cut.
struct Site {
    test: TestApp,
    vendor: TestIntegration,
    way: Way,
    server: TestServer,
}

impl Site {
    async fn new() -> Self {
        let test = TestApp::new().await;
        let hotel = test.hotel("grand-hotel", chrono_tz::Tz::Europe__Berlin).await;
        let vendor = test.integration(&hotel, "Locks", Permission::Write).await;
        let way = Way::to(&test.db).await;
        let ids = IdSource::operating_system();
        let keys = SecretKeys::parse(&SecretKeys::generate(&ids)).unwrap_or_else(|reason| panic!("{reason}"));
        let app = App::new(way.options(), 2, Clock::system(), ids, keys, WebhookSettings::default());
        let server = TestServer::start(&app).await;
        Self { test, vendor, way, server }
    }

    fn graphql(&self, accept: &str, body: &Value) -> RequestBuilder {
        self.server.request("POST", "/graphql").bearer_auth(&self.vendor.live).header("accept", accept).json(body)
    }

    /// A check-out of a guest whom nobody knows.
    fn rest(&self, key: &str) -> RequestBuilder {
        let request = self.server.request("POST", "/api/pms/v1/grand-hotel/guests/checkout");
        let body = json!({"pmsGuestId": "RES001", "roomNumber": "101"});
        request.bearer_auth(&self.vendor.live).header("idempotency-key", key).json(&body)
    }

    async fn keys(&self) -> i64 {
        let count = "SELECT count(*) FROM room_access_keys";
        sqlx::query_scalar(count).fetch_one(&self.test.db.pool).await.expect("a count")
    }
}

fn create_key() -> Value {
    json!({"query": CREATE_KEY, "variables": {"input": {"roomAccessPin": {"pin": "1"}}}})
}

/// Status, `Retry-After`, and the codes of the errors, in order.
async fn told(request: RequestBuilder) -> (u16, String, Vec<String>) {
    let response: Response = request.send().await.expect("an answer");
    let (status, after) = (response.status().as_u16(), header(&response, "retry-after").to_owned());
    let answer: Value = response.json().await.expect("JSON");
    let answers = match &answer {
        Value::Array(answers) => answers.as_slice(),
        one => std::slice::from_ref(one),
    };
    let text = |code: &Value| code.as_str().map(str::to_owned);
    let of_graphql = answers.iter().filter_map(|answer| answer["errors"].as_array()).flatten();
    let codes =
        of_graphql.filter_map(|error| text(&error["extensions"]["code"])).chain(text(&answer["code"])).collect();
    (status, after, codes)
}

fn expected(status: u16, after: &str, codes: &[&str]) -> (u16, String, Vec<String>) {
    (status, after.to_owned(), codes.iter().map(|&code| code.to_owned()).collect())
}

#[tokio::test]
async fn g45_a_commit_without_an_answer_is_503_in_every_form_and_is_not_to_be_sent_again() {
    let site = Site::new().await;
    site.way.cut_at(Some("COMMIT"));
    let one = create_key();
    let batch = json!([create_key(), {"query": "{ __typename }"}]);
    for accept in [JSON, GRAPHQL] {
        let unknown = "OUTCOME_UNKNOWN";
        assert_eq!(told(site.graphql(accept, &one)).await, expected(503, "", &[unknown]), "{accept}");
        assert_eq!(told(site.graphql(accept, &batch)).await, expected(503, "", &[unknown, unknown]), "{accept}");
    }
    assert_eq!(site.way.cut(), 4);
    site.way.cut_at(None);
    assert_eq!(site.keys().await, 0, "here it did not happen");
    assert_eq!(told(site.graphql(JSON, &one)).await, expected(200, "", &[]));
}

#[tokio::test]
async fn what_the_database_gives_up_in_the_middle_is_503_where_nothing_is_left_of_it() {
    let site = Site::new().await;
    let stays = json!({"query": "{ room_stays(first: 1) { edges { node { id reservation { code } } } } }"});
    let both = json!({"query": "{ __typename room_stays(first: 1) { edges { node { id } } } }"});
    let (mutation, reading) = (create_key(), [stays.clone(), stays.clone()]);
    for accept in [JSON, GRAPHQL] {
        site.way.cut_at(Some("INSERT INTO room_access_keys"));
        assert_eq!(told(site.graphql(accept, &mutation)).await, expected(503, "1", &["UNAVAILABLE"]), "{accept}");
        let batch = json!([mutation, {"query": "{ __typename }"}]);
        let (status, after, codes) = told(site.graphql(accept, &batch)).await;
        assert_eq!((status, &*after, &*codes[0]), (503, "1", "UNAVAILABLE"), "{accept}");
        site.way.cut_at(Some("FROM room_stays"));
        assert_eq!(told(site.graphql(accept, &stays)).await, expected(503, "1", &["UNAVAILABLE"]), "{accept}");
        let unavailable = expected(503, "1", &["UNAVAILABLE", "UNAVAILABLE"]);
        assert_eq!(told(site.graphql(accept, &json!(reading))).await, unavailable, "{accept}");
        // Something is left: the rest can be asked for again.
        assert_eq!(told(site.graphql(accept, &both)).await, expected(200, "1", &["UNAVAILABLE"]), "{accept}");
    }
    site.way.cut_at(Some("idempotent_answers"));
    assert_eq!(told(site.rest("a")).await, expected(503, "1", &["UNAVAILABLE"]));
    site.way.cut_at(None);
    assert_eq!(site.keys().await, 0);
    assert_eq!(told(site.graphql(GRAPHQL, &stays)).await, expected(200, "", &[]));
}

#[tokio::test]
async fn g46_each_state_of_the_database_is_answered_by_the_table_of_states() {
    let site = Site::new().await;
    let unavailable = ["53100", "53200", "53400", "25006", "25P03", "57014", "55P03", "58030", "08000", "08006"];
    let internal = ["42501", "42P01", "XX000", "P0001", "58P01"];
    for (states, status, after, code) in
        [(&unavailable[..], 503, "1", "UNAVAILABLE"), (&internal[..], 500, "", "INTERNAL")]
    {
        for state in states {
            let raising = format!(
                "CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
                 'BEGIN RAISE EXCEPTION USING ERRCODE = ''{state}'', MESSAGE = ''the disk''; END';
                 CREATE OR REPLACE TRIGGER fail BEFORE INSERT ON room_access_keys FOR EACH ROW EXECUTE FUNCTION fail()"
            );
            site.test.db.pool.execute(AssertSqlSafe(raising)).await.expect("made");
            assert_eq!(told(site.graphql(JSON, &create_key())).await, expected(status, after, &[code]), "{state}");
        }
    }
    site.test.db.pool.execute("DROP TRIGGER fail ON room_access_keys").await.expect("dropped");

    // As a standby that was not promoted yet, or a server that protects a disk that is nearly full.
    let read_only = format!(
        "ALTER DATABASE {} SET default_transaction_read_only = on",
        site.way.options().get_database().expect("a database")
    );
    site.test.db.pool.execute(AssertSqlSafe(read_only)).await.expect("set");
    let fresh = Site { server: site.second_server().await, ..site };
    assert_eq!(told(fresh.graphql(JSON, &create_key())).await, expected(503, "1", &["UNAVAILABLE"]));
    let stays = json!({"query": "{ room_stays(first: 1) { edges { node { id } } } }"});
    assert_eq!(told(fresh.graphql(JSON, &stays)).await, expected(200, "", &[]), "what is there is read");
}

impl Site {
    /// A server on connections of its own.
    async fn second_server(&self) -> TestServer {
        let ids = IdSource::operating_system();
        let keys = SecretKeys::parse(&SecretKeys::generate(&ids)).unwrap_or_else(|reason| panic!("{reason}"));
        let app = App::new(self.way.options(), 2, Clock::system(), ids, keys, WebhookSettings::default());
        TestServer::start(&app).await
    }
}
