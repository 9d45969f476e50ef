//! Any mutation in one line, and what goes on in the database: its whole state to compare, and who waits.

use chrono_tz::Tz;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};

use super::{Client, House, PATIENCE, TestApp, TestDb, eventually, text};

impl Client {
    /// Runs the mutation called `name`, whose input type bears its name, and answers with the whole response.
    pub async fn act(&self, name: &str, input: Value, selection: &str) -> Value {
        let (first, rest) = name.split_at(1);
        let type_name = format!("{}{rest}Input", first.to_uppercase());
        let query = format!("mutation($input: {type_name}!) {{ {name}(input: $input) {{ {selection} }} }}");
        self.run(&query, json!({ "input": input })).await
    }

    /// Runs a mutation that has to succeed and answers with its payload.
    pub async fn done(&self, name: &str, input: Value, selection: &str) -> Value {
        let mut response = self.act(name, input, selection).await;
        assert!(response.get("errors").is_none(), "{response:#}");
        response["data"][name].take()
    }

    /// Runs a mutation that has to fail with one error; answers with its code and its argument path.
    pub async fn refused(&self, name: &str, input: Value, selection: &str) -> (String, Value) {
        let mut response = self.act(name, input, selection).await;
        let errors = response["errors"].as_array_mut().unwrap_or_else(|| panic!("an error: {name}"));
        assert_eq!(errors.len(), 1, "{errors:#?}");
        let mut extensions = errors.remove(0)["extensions"].take();
        (text(&extensions["code"]), extensions["argumentPath"].take())
    }

    /// The stay with that id, as far as it is selected; `null` when it is not there.
    pub async fn read_stay(&self, id: &str, selection: &str) -> Value {
        let query = format!(
            "query($id: ID!) {{ room_stays(filter: {{id: {{eq: $id}}}}) {{ edges {{ node {{ {selection} }} }} }} }}"
        );
        let mut data = self.data(&query, json!({ "id": id })).await;
        data.pointer_mut("/room_stays/edges/0/node").map(Value::take).unwrap_or_default()
    }
}

impl House {
    /// A stay of its own reservation, in a room of its own called `room`, from 30 January to 2 February 2026.
    pub async fn stay_in(&self, room: &str) -> String {
        let id = self.room(room).await;
        let stay = self.stay(&format!("R-{room}")).await;
        self.desk.done("moveRoomStay", json!({"roomStayId": stay, "roomSetupId": id}), "roomStay { id }").await;
        stay
    }

    /// A door under that key which can belong to a reservation and is opened by cards and phones; answers with its id.
    pub async fn entrance(&self, key: &str) -> String {
        let input = json!({"entranceKey": key, "name": key, "provider": "VISIONLINE", "canBelongToReservation": true,
            "modes": ["CARD", "MOBILE_KEY"]});
        text(&self.desk.done("createEntrance", input, "entrance { id }").await["entrance"]["id"])
    }

    /// Another hotel of the same application, in another zone.
    pub async fn next_door(&self) -> Self {
        // A test's database belongs to one of its hotels; this one brings an empty database that it does not use.
        let test = TestApp { app: self.test.app.clone(), db: TestDb::new().await };
        Self::on(test, "next-door", Tz::Pacific__Auckland).await
    }

    /// A room access key of any kind, made by `locks`.
    pub async fn key(&self, input: Value) -> String {
        text(&self.locks.done("createRoomAccessKey", input, "roomAccessKey { id }").await["roomAccessKey"]["id"])
    }
}

/// The nodes of a connection.
pub fn nodes(connection: &Value) -> Vec<Value> {
    let edges = connection["edges"].as_array().unwrap_or_else(|| panic!("a connection, not {connection}"));
    edges.iter().map(|edge| edge["node"].clone()).collect()
}

/// A text that changes when any row of any table does.
pub async fn fingerprint(pool: &PgPool) -> String {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '\\_sqlx%' \
            ORDER BY 1",
    )
    .fetch_all(pool)
    .await
    .expect("the catalogue can be read");
    let mut all = Vec::new();
    for table in tables {
        let statement = format!(
            "SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {table} t"
        );
        let rows: String =
            sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(pool).await.expect("the table can be read");
        all.push(format!("{table} {rows}"));
    }
    all.join("\n")
}

/// Waits until some connection to the test's database waits for a lock.
pub async fn until_somebody_waits(pool: &PgPool) {
    let waiting = "SELECT EXISTS (SELECT FROM pg_stat_activity \
        WHERE datname = current_database() AND wait_event_type = 'Lock')";
    eventually(PATIENCE, "somebody waits for a lock", async || {
        sqlx::query_scalar(waiting).fetch_one(pool).await.expect("can be read")
    })
    .await;
}
