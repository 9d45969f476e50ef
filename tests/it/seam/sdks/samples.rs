//! The examples of Seam's guide to reservations, run by the clients.
//!
//! The scripts in JavaScript are as they are printed. Those in Python say the same in that language, faults of the original included.

use serde_json::{Value, json};

use super::sdk::{Generation, Sdk, Thrown};
use super::wire::Exchange;
use super::{Stage, contract};

/// An example in both languages.
struct Printed {
    javascript: &'static str,
    python: &'static str,
}

macro_rules! printed {
    ($name:literal) => {
        Printed {
            javascript: include_str!(concat!("printed/", $name, ".js")),
            python: include_str!(concat!("printed/", $name, ".py")),
        }
    };
}

/// What no client of today takes as it is printed, and what it has instead; in JavaScript, then in Python.
const REPAIRS: [[(&str, &str); 2]; 3] = [
    // The clients for JavaScript have no names with underscores.
    [("seam.access_methods.", "seam.accessMethods."), ("", "")],
    // There is no such method, and the first member has no name.
    [
        (
            "seam.acs.encoders.encode_card({\n\tcards[0].access_method_id,",
            "seam.accessMethods.encode({\n\taccess_method_id: cards[0].access_method_id,",
        ),
        (
            "seam.acs.encoders.encode_card(\n    cards[0].access_method_id,",
            "seam.access_methods.encode(\n    access_method_id=cards[0].access_method_id,",
        ),
    ],
    // It is required, and missing where rules are explained that do not depend on it.
    [
        ("  reservation_key: ", "  requested_access_methods: [{mode: \"card\"}],\n  reservation_key: "),
        ("    reservation_key=", "    requested_access_methods=[{\"mode\": \"card\"}],\n    reservation_key="),
    ],
];

/// What is printed below a call that fails.
#[derive(Debug, PartialEq)]
struct Refusal {
    status: u16,
    title: String,
    message: String,
}

/// A part of an example, up to the call that fails, if one does.
struct Part {
    script: String,
    refusal: Option<Refusal>,
}

impl Printed {
    fn parts(&self, generation: Generation) -> Vec<Part> {
        let (language, text, begin, end) = match generation {
            Generation::J1 | Generation::J2 => (0, self.javascript, "/*\nHTTP ", "*/"),
            Generation::P3 => (1, self.python, "\"\"\"\nHTTP ", "\"\"\""),
        };
        let mut repaired = text.to_owned();
        for repair in &REPAIRS {
            let (from, to) = repair[language];
            let is_there = [text, to].iter().all(|text| text.contains("requested_access_methods"));
            if !from.is_empty() && !is_there {
                repaired = repaired.replace(from, to);
            }
        }
        let mut parts = Vec::new();
        let mut rest = repaired.as_str();
        while let Some((script, after)) = rest.split_once(begin) {
            let (refusal, after) = after.split_once(end).expect("its end");
            parts.push(Part { script: script.to_owned(), refusal: Some(Refusal::read(refusal)) });
            rest = after;
        }
        if !rest.trim().is_empty() {
            parts.push(Part { script: rest.to_owned(), refusal: None });
        }
        parts
    }
}

impl Refusal {
    /// Reads `409 CONFLICT`, `title: "..."`, `message: "..."`; lines are broken anywhere.
    fn read(printed: &str) -> Self {
        let of = |name: &str| {
            let (_, text) = printed.split_once(&format!("{name}: \"")).expect("named");
            text.split('"').next().expect("quoted").split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let status = printed.split(' ').next().and_then(|status| status.parse().ok());
        Self { status: status.expect("a status"), title: of("title"), message: of("message") }
    }
}

/// What an exception tells of a refusal.
fn refusal(thrown: &Thrown) -> Refusal {
    Refusal {
        status: thrown.status.expect("a status"),
        title: thrown.data["title"].as_str().unwrap_or_default().to_owned(),
        message: thrown.message.clone(),
    }
}

/// A client that runs examples.
struct Reader<'a> {
    sdk: &'a mut Sdk,
    scope: Value,
}

impl Reader<'_> {
    /// Runs an example part by part: each is refused as it is printed, or not at all. Answers with what is wanted of the last one,
    /// and with the requests of all.
    async fn run(&mut self, printed: Printed, wanted: &[&str]) -> (Value, Vec<Exchange>) {
        let generation = self.sdk.generation;
        let before = self.sdk.wire.count();
        let mut value = Value::Null;
        for Part { script, refusal: expected } in printed.parts(generation) {
            let wanted = if expected.is_some() { &[] } else { wanted };
            let ran = self.sdk.run(&script, &self.scope, wanted).await;
            match (ran, expected) {
                (Ok(found), None) => value = found,
                (Err(thrown), Some(expected)) => {
                    assert_eq!(refusal(&thrown), expected, "{generation:?} {script}");
                    assert_eq!(thrown.class, "SeamHttpApiError");
                    assert_eq!(thrown.request_id.as_deref(), Some(self.sdk.last().request_id()), "{generation:?}");
                }
                (ran, expected) => panic!("{generation:?}: {ran:#?} instead of {expected:#?}: {script}"),
            }
        }
        (value, self.sdk.wire.since(before))
    }

    /// Grants as an example presumes them.
    async fn given(&mut self, others: Value) -> Value {
        let mut grant = json!({"user_identity_id": "guest-1", "space_ids": ["room-101"], "starts_at": self.scope["starts_at"],
            "ends_at": self.scope["ends_at"], "requested_access_methods": [{"mode": "card"}], "reservation_key": "stay-1"});
        grant.as_object_mut().expect("members").extend(others.as_object().expect("members").clone());
        self.sdk.get("access_grants.create", grant).await
    }

    /// Deletes all grants.
    async fn clear(&mut self) {
        for grant in self.sdk.get("access_grants.list", json!({"limit": 100})).await.as_array().expect("a list") {
            self.sdk.get("access_grants.delete", json!({"access_grant_id": grant["access_grant_id"]})).await;
        }
    }

    /// The keys of the reservations of all grants, in the order in which these were made.
    async fn reservations(&mut self) -> Vec<Value> {
        let grants = self.sdk.get("access_grants.list", json!({"limit": 100})).await;
        let mut grants = grants.as_array().expect("a list").clone();
        grants.sort_by_key(|grant| grant["created_at"].as_str().expect("an instant").to_owned());
        grants.iter().map(|grant| grant["reservation_key"].clone()).collect()
    }
}

fn statuses(exchanges: &[Exchange], path: &str) -> Vec<u16> {
    exchanges.iter().filter(|one| one.path == path).map(|one| one.status).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn b36_every_printed_example_runs_through_the_official_clients() {
    let stage = Stage::new();
    let mut exchanges = Vec::new();
    for mut sdk in stage.clients().await {
        let scope = json!({"starts_at": "2025-05-10T15:00:00Z", "ends_at": "2025-05-14T11:00:00Z"});
        let mut reader = Reader { sdk: &mut sdk, scope };
        entrances_and_grants(&mut reader).await;
        rules(&mut reader).await;
        scenarios(&mut reader).await;
        other_times(&mut reader).await;
        reader.clear().await;
        exchanges.extend(sdk.wire.exchanges());
    }
    contract::hold(&exchanges);
}

const CREATE: &str = "/access_grants/create";

async fn entrances_and_grants(reader: &mut Reader<'_>) {
    let (entrances, _) = reader.run(printed!("entrances"), &["entrances_that_support_reservations"]).await;
    let entrances = entrances["entrances_that_support_reservations"].as_array().expect("a list").clone();
    assert_eq!(entrances.len(), 1, "{entrances:#?}");
    assert_eq!(entrances[0]["display_name"], "Room 101");

    for printed in [printed!("mixed_grant"), printed!("grant")] {
        let (_, exchanges) = reader.run(printed, &[]).await;
        let grant = &exchanges[0].body["access_grant"];
        assert_eq!(grant["reservation_key"], "stay-1");
        assert_eq!(grant["requested_access_methods"][0]["mode"], "card");
        reader.clear().await;
    }
}

async fn rules(reader: &mut Reader<'_>) {
    let (_, exchanges) = reader.run(printed!("rule_1"), &[]).await;
    assert_eq!(statuses(&exchanges, CREATE), [400]);

    reader.given(json!({})).await;
    let (_, exchanges) = reader.run(printed!("rule_2"), &[]).await;
    assert_eq!(statuses(&exchanges, CREATE), [409, 200]);
    assert_eq!(statuses(&exchanges, "/access_grants/delete"), [200]);
    reader.clear().await;

    reader.given(json!({})).await;
    let (_, exchanges) = reader.run(printed!("rule_3"), &[]).await;
    assert_eq!(statuses(&exchanges, CREATE), [200, 409]);
    reader.clear().await;

    let (_, exchanges) = reader.run(printed!("rule_4"), &[]).await;
    assert_eq!(statuses(&exchanges, CREATE), [200, 200, 409]);
    reader.clear().await;
}

async fn scenarios(reader: &mut Reader<'_>) {
    let expected = [
        (printed!("back_to_back"), json!(["stay-1", "stay-2"])),
        (printed!("same_reservation"), json!(["stay-1", "stay-1"])),
        (printed!("relocation"), json!(["stay-1"])),
    ];
    for (printed, reservations) in expected {
        let (_, exchanges) = reader.run(printed, &[]).await;
        assert_eq!(statuses(&exchanges, CREATE), [200, 200]);
        assert_eq!(json!(reader.reservations().await), reservations);
        reader.clear().await;
    }
}

async fn other_times(reader: &mut Reader<'_>) {
    let grant = reader.given(json!({"access_grant_key": "ag_123"})).await;
    let id = grant["access_grant_id"].clone();
    reader.scope["access_grant_id"] = id.clone();
    let warnings = |grant: &Value| {
        let warnings = grant["warnings"].as_array().expect("a list").iter();
        warnings.map(|warning| warning["warning_code"].clone()).collect::<Vec<_>>()
    };
    reader.run(printed!("encoding"), &[]).await;
    let (found, exchanges) = reader.run(printed!("extension"), &["grant"]).await;
    assert_eq!(found["grant"]["access_grant_id"], id);
    assert_eq!(warnings(&found["grant"]), ["encoding_required"]);
    // It is not in Seam's document, and let through; another one would not be.
    let mut answer = exchanges.last().expect("an answer").to_json();
    assert_eq!(contract::faults(std::slice::from_ref(&answer)), [""; 0]);
    answer["body"]["access_grant"]["warnings"][0]["warning_code"] = json!("encoding_wanted");
    assert_eq!(contract::faults(&[answer]).len(), 1);

    let (found, exchanges) = reader.run(printed!("encoding"), &["cards"]).await;
    assert_eq!(found["cards"][0]["mode"], "card");
    let mut attempts = exchanges.iter().rev().filter(|one| one.body.get("action_attempt").is_some());
    assert_eq!(attempts.next().expect("one").body["action_attempt"]["status"], "success");
    let grant = reader.sdk.get("access_grants.get", json!({"access_grant_id": "ag_123"})).await;
    assert_eq!(warnings(&grant), [""; 0]);
}

#[test]
fn three_examples_are_repaired_and_the_others_run_as_they_are_printed() {
    macro_rules! named {
        ($($name:literal),*) => {
            [$(($name, printed!($name))),*]
        };
    }
    let all = named!(
        "entrances",
        "mixed_grant",
        "grant",
        "rule_1",
        "rule_2",
        "rule_3",
        "rule_4",
        "back_to_back",
        "same_reservation",
        "relocation",
        "extension",
        "encoding"
    );
    let repaired = all.iter().filter(|(_, printed)| {
        let scripts: String = printed.parts(Generation::J2).into_iter().map(|part| part.script).collect();
        !scripts.lines().all(|line| printed.javascript.contains(line))
    });
    assert_eq!(repaired.map(|(name, _)| *name).collect::<Vec<_>>(), ["rule_3", "rule_4", "encoding"]);
}
