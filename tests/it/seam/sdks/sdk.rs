//! Seam's official clients, each in a process of its own that does what it is told: `tests/node/seam/client.js` and
//! `tests/python/seam/client.py`.

use std::process::Stdio;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::wire::{Exchange, Wire};
use crate::support::{Node, PATIENCE, Python};

/// A generation of the clients. They differ in verbs, encodings and checks of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Generation {
    /// npm `seam` 1.160, an ordinary install on Node.js 20.
    J1,
    /// npm `@seamapi/http` 2, which the `seam` of Node.js 22 is made of.
    J2,
    /// pip `seam` 3.
    P3,
}

impl Generation {
    pub const ALL: [Self; 3] = [Self::J1, Self::J2, Self::P3];
}

/// An exception, as whoever catches it knows it.
#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default, rename_all = "camelCase")]
pub struct Thrown {
    pub class: String,
    pub code: Option<String>,
    pub message: String,
    pub status: Option<u16>,
    pub request_id: Option<String>,
    pub data: Value,
    pub action_attempt: Value,
    /// Messages by parameter.
    pub validation: Value,
}

/// A client.
pub struct Sdk {
    pub generation: Generation,
    /// What it is connected to.
    pub wire: Wire,
    _process: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

/// One client of each generation that can be run here, with that key. Without Node.js nothing could be validated: then there are none.
pub async fn all(server: &str, key: &str) -> Vec<Sdk> {
    let Some(node) = Node::find() else { return Vec::new() };
    let python = Python::with("tests/python/seam/requirements.txt").await;
    let mut clients = Vec::new();
    for generation in Generation::ALL {
        let mut command = match (generation, &python) {
            (Generation::J1, _) => node_client(&node, "j1"),
            (Generation::J2, _) => node_client(&node, "j2"),
            (Generation::P3, Ok(python)) => {
                let mut command = Command::new(python.program("python"));
                command.arg(node.project("tests/python/seam/client.py"));
                command
            }
            (Generation::P3, Err(reason)) => {
                eprintln!("Skipped: Seam's client for Python ({reason})");
                continue;
            }
        };
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().expect("it starts");
        let orders = process.stdin.take().expect("its input");
        let answers = BufReader::new(process.stdout.take().expect("its output")).lines();
        let mut sdk = Sdk { generation, wire: Wire::to(server).await, _process: process, orders, answers };
        sdk.connect(key).await.expect("a key that it takes");
        clients.push(sdk);
    }
    clients
}

fn node_client(node: &Node, generation: &str) -> Command {
    let mut command = Command::new("node");
    command.args([&node.project("tests/node/seam/client.js"), generation]);
    command
}

impl Sdk {
    /// Makes the client anew, with that key.
    pub async fn connect(&mut self, key: &str) -> Result<Value, Thrown> {
        let endpoint = self.wire.endpoint.clone();
        // The prefix that the clients insist on.
        self.does(json!({"action": "connect", "endpoint": endpoint, "key": key.replacen("pms_", "seam_", 1)})).await
    }

    /// Whether it has a method, such as `access_grants.create`.
    pub async fn has(&mut self, method: &str) -> bool {
        self.does(json!({"action": "has", "method": method})).await.expect("an answer") == true
    }

    /// Calls a method with those parameters, or, with `null`, without any.
    pub async fn call(&mut self, method: &str, parameters: Value) -> Result<Value, Thrown> {
        let mut order = json!({"action": "call", "method": method});
        if !parameters.is_null() {
            order["parameters"] = parameters;
        }
        self.does(order).await
    }

    /// Calls a method, which has to succeed.
    pub async fn get(&mut self, method: &str, parameters: Value) -> Value {
        let called = self.call(method, parameters).await;
        called.unwrap_or_else(|thrown| panic!("{:?} {method}: {thrown:#?}", self.generation))
    }

    /// Calls a method, which has to fail.
    pub async fn thrown(&mut self, method: &str, parameters: Value) -> Thrown {
        let called = self.call(method, parameters).await;
        called.err().unwrap_or_else(|| panic!("{:?} {method} succeeded", self.generation))
    }

    /// Has its paginator fetch all pages of a list.
    pub async fn pages(&mut self, method: &str, parameters: Value) -> Vec<Vec<Value>> {
        let pages = self.does(json!({"action": "pages", "method": method, "parameters": parameters})).await;
        serde_json::from_value(pages.expect("pages")).expect("lists")
    }

    /// Runs a script in its language, in which `seam` is the client; answers with the values of the names that are wanted.
    pub async fn run(&mut self, script: &str, scope: &Value, wanted: &[&str]) -> Result<Value, Thrown> {
        self.does(json!({"action": "run", "script": script, "scope": scope, "wanted": wanted})).await
    }

    /// Has its `SeamWebhook` verify a webhook; answers with the event.
    pub async fn verify(&mut self, secret: &str, body: &str, headers: &Value) -> Result<Value, Thrown> {
        self.does(json!({"action": "verify", "secret": secret, "body": body, "headers": headers})).await
    }

    /// The last request that it sent, and its answer.
    pub fn last(&self) -> Exchange {
        self.wire.exchanges().pop().expect("a request")
    }

    async fn does(&mut self, order: Value) -> Result<Value, Thrown> {
        self.orders.write_all(format!("{order}\n").as_bytes()).await.expect("it reads");
        let answer = tokio::time::timeout(PATIENCE, self.answers.next_line()).await.expect("it answers in time");
        let answer = answer.expect("text").expect("it runs");
        let mut answer: Value = serde_json::from_str(&answer).expect("JSON");
        match answer.get_mut("thrown") {
            Some(thrown) => Err(serde_json::from_value(thrown.take()).expect("an exception")),
            None => Ok(answer["value"].take()),
        }
    }
}
