//! The statements that Latchkey sends for requests, read off PostgreSQL's log: nobody has to write them down again.

use std::collections::HashMap;
use std::fs;

use latchkey::hotels::HotelId;
use sqlx::{ConnectOptions as _, PgConnection};

use super::cases::{Load, Request};
use super::ground::Ground;
use super::postgres::{Postgres, run};
use super::servers::{Server, Variant};

/// How lines of the log begin: with the name of the session.
pub const LOG_LINES: (&str, &str) = ("log_line_prefix", "@@%a@@");
/// Logged between requests.
const MARK: &str = "SELECT 'the next request'";
/// Names of the sessions in the log.
const LATCHKEY: &str = "latchkey";
const RECORDER: &str = "recorder";

/// A statement with the values of its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub text: String,
    pub values: Vec<Option<String>>,
}

/// What one request came to.
pub struct Recorded {
    pub hotel: HotelId,
    pub statements: Vec<Statement>,
}

/// A Latchkey whose statements are logged.
pub struct Recorder<'a> {
    postgres: &'a Postgres,
    server: Server,
    http: reqwest::Client,
    conn: PgConnection,
}

impl<'a> Recorder<'a> {
    pub async fn start(postgres: &'a Postgres, ground: &Ground) -> Self {
        let server = Server::latchkey(ground, Variant::Logged).await;
        let options = ground.options.clone().application_name(RECORDER).options([("log_statement", "all")]);
        let conn = options.connect().await.expect("a connection");
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { postgres, server, http, conn }
    }

    /// Sends the first `most` requests and tells what each came to. Those that can be sent again are sent twice: what caches
    /// remember is not asked for again.
    pub async fn record(&mut self, load: &Load, most: usize) -> Vec<Recorded> {
        let requests = &load.requests[..most.min(load.requests.len())];
        if !load.once {
            self.send(requests, load).await;
        }
        let before = self.log().len();
        self.send(requests, load).await;
        let recorded = parse(&self.log()[before..]).into_iter().zip(requests);
        let recorded = recorded.map(|(statements, request)| Recorded { hotel: request.hotel, statements }).collect();
        most_common(recorded)
    }

    async fn send(&mut self, requests: &[Request], load: &Load) {
        for request in requests {
            run(&mut self.conn, MARK).await;
            let mut post = self.http.post(&self.server.url).header("content-type", "application/json");
            if let Some(key) = &request.key {
                post = post.bearer_auth(key);
            }
            let answer = post.body(request.body.clone()).send().await.expect("an answer");
            let answer = answer.text().await.expect("a body");
            assert_eq!(answer.matches(load.mark).count(), load.times, "{answer}");
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.postgres.folder.join("server.log")).expect("the log")
    }
}

/// Those with the same statements as most, and values for the same parameters. The others have met an empty cache, or a server that
/// did not know its peers yet.
fn most_common(recorded: Vec<Recorded>) -> Vec<Recorded> {
    let values = |one: &Statement| one.values.iter().map(Option::is_some).collect::<Vec<_>>();
    let shape = |one: &Recorded| one.statements.iter().map(|one| (one.text.clone(), values(one))).collect::<Vec<_>>();
    let mut counts = HashMap::<_, usize>::new();
    for one in &recorded {
        *counts.entry(shape(one)).or_default() += 1;
    }
    assert!(!counts.contains_key(&Vec::new()), "every request comes to statements");
    let (common, _) = counts.into_iter().max_by_key(|(_, count)| *count).expect("a request");
    recorded.into_iter().filter(|one| shape(one) == common).collect()
}

/// The statements behind each mark of a log whose lines begin with `@@application@@`.
fn parse(log: &str) -> Vec<Vec<Statement>> {
    let mut requests: Vec<Vec<Statement>> = Vec::new();
    // The first entry of a message begins with the prefix, its further lines with a tab.
    for entry in format!("\n{log}").split("\n@@").skip(1) {
        let Some((application, message)) = entry.split_once("@@") else { continue };
        let message = message.trim_end_matches('\n').replace("\n\t", "\n");
        let statement = message.strip_prefix("LOG:  statement: ");
        if application == RECORDER && statement == Some(MARK) {
            requests.push(Vec::new());
        }
        let Some(statements) = requests.last_mut().filter(|_| application == LATCHKEY) else { continue };
        let executed = message.strip_prefix("LOG:  execute ").and_then(|named| named.split_once(": "));
        if let Some(text) = statement.or(executed.map(|(_, text)| text)) {
            // It binds the transaction to its hotel: for the owner, and for a script that has done so, the same for all.
            let text = if text.starts_with("BEGIN") { "BEGIN" } else { text };
            statements.push(Statement { text: text.to_owned(), values: Vec::new() });
        } else if let Some(values) = message.strip_prefix("DETAIL:  parameters: ") {
            statements.last_mut().expect("a statement").values = parse_values(values);
        }
    }
    requests
}

/// `$1 = 'it''s', $2 = NULL`
fn parse_values(mut text: &str) -> Vec<Option<String>> {
    let mut values = Vec::new();
    while let Some((_, rest)) = text.split_once(" = ") {
        let Some(mut quoted) = rest.strip_prefix('\'') else {
            values.push(None);
            text = rest.strip_prefix("NULL").expect("NULL or a quoted value");
            continue;
        };
        let mut value = String::new();
        loop {
            let (part, rest) = quoted.split_once('\'').expect("an end of the value");
            value.push_str(part);
            quoted = rest;
            let Some(rest) = rest.strip_prefix('\'') else { break };
            value.push('\'');
            quoted = rest;
        }
        values.push(Some(value));
        text = quoted;
    }
    values
}
