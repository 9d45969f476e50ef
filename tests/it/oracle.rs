//! Requests made at random, and whether Latchkey says to them what graphql-js says, the reference implementation of GraphQL:
//! is this a document, is it valid, do its variables fit, and which arguments does each field get.
//!
//! `tests/node/oracle` makes the requests from `schema.graphql`. `ORACLE_SEED` makes others, `ORACLE_COUNT` so many.

use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead as _, BufReader};

use async_graphql::Variables;
use latchkey::error::ErrorCode;
use latchkey::graphql::{GraphQlRequest, Schema};
use serde::Deserialize;
use serde_json::Value;

use crate::support::Node;

/// Least number of requests that the comparison is made with.
const REQUESTS: usize = 12_000;
/// How often each rule is broken and each feature of the schema used, at least.
const TIMES: usize = 20;
/// Differences that a failure shows.
const SHOWN: usize = 12;

/// A request, and what graphql-js says to it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Judged {
    kind: String,
    document: String,
    operation_name: Option<String>,
    variables: Value,
    verdict: Verdict,
    /// The rules that a document breaks.
    #[serde(default)]
    rules: Vec<String>,
    /// In the words of graphql-js.
    message: Option<String>,
    /// The fields of a valid request, with their arguments.
    #[serde(default)]
    selected: Vec<Value>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Valid,
    /// It is not GraphQL.
    Parse,
    /// It breaks a rule of the specification.
    Validation,
    /// It has no such operation.
    Operation,
    /// A variable does not fit its type.
    Variable,
    /// A variable is null where there must be a value, which only the variables tell.
    Argument,
    /// It is a valid subscription.
    Subscription,
}

/// What Latchkey says to a request.
type Ours = Result<Vec<Value>, (ErrorCode, String)>;

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Counts { counts: BTreeMap<String, usize> },
    Judged(Box<Judged>),
}

/// Why Latchkey means to say something else than graphql-js; `None` where it has to say the same.
fn reason(theirs: &Judged, ours: &Ours) -> Option<&'static str> {
    let code = ours.as_ref().err().map(|(code, _)| *code);
    match (theirs.verdict, code) {
        (Verdict::Subscription, Some(ErrorCode::ValidationFailed)) => Some("subscriptions are not offered"),
        (Verdict::Valid, Some(ErrorCode::InvalidVariable)) if theirs.kind == "far" => {
            Some("what is answered can be sent: instants are those of the years 1900 to 9999")
        }
        _ => None,
    }
}

/// Whether both say the same.
fn agree(theirs: &Judged, ours: &Ours) -> bool {
    let code = match theirs.verdict {
        Verdict::Valid => return ours.as_ref() == Ok(&theirs.selected),
        Verdict::Parse => ErrorCode::ParseFailed,
        Verdict::Validation => ErrorCode::ValidationFailed,
        Verdict::Operation => ErrorCode::OperationNotFound,
        Verdict::Variable | Verdict::Argument => ErrorCode::InvalidVariable,
        Verdict::Subscription => return false,
    };
    matches!(ours, Err((ours, _)) if *ours == code)
}

fn judge(schema: &Schema, request: &Judged) -> Ours {
    let selected = schema.judge(GraphQlRequest {
        query: request.document.clone(),
        operation_name: request.operation_name.clone().filter(|name| !name.is_empty()),
        variables: Variables::from_json(request.variables.clone()),
    });
    match selected {
        Ok(selected) => Ok(selected.iter().map(|field| serde_json::to_value(field).expect("JSON")).collect()),
        Err(error) => Err((error.code, error.message.english())),
    }
}

fn setting(name: &str, default: usize) -> usize {
    env::var(name).map_or(default, |value| value.parse().expect(name))
}

#[test]
fn requests_mean_what_the_reference_implementation_says() {
    let Some(node) = Node::find() else { return };
    let (seed, count) = (setting("ORACLE_SEED", 1), setting("ORACLE_COUNT", REQUESTS));
    println!("seed {seed} (ORACLE_SEED)");
    let mut program =
        node.spawn("oracle/main.js", &[&node.project("schema.graphql"), &seed.to_string(), &count.to_string()]);
    let schema = Schema::new();
    let mut verdicts: BTreeMap<Verdict, usize> = BTreeMap::new();
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut differences, mut counts) = (Vec::new(), BTreeMap::new());
    for line in BufReader::new(program.stdout.take().expect("its output")).lines() {
        let theirs = match serde_json::from_str(&line.expect("text")).expect("JSON") {
            Line::Counts { counts: all } => {
                counts = all;
                break;
            }
            Line::Judged(theirs) => *theirs,
        };
        *verdicts.entry(theirs.verdict).or_default() += 1;
        let ours = judge(&schema, &theirs);
        if let Some(reason) = reason(&theirs, &ours) {
            *reasons.entry(reason).or_default() += 1;
        } else if !agree(&theirs, &ours) {
            differences.push((theirs, ours));
        }
    }
    assert!(program.wait().expect("it ends").success(), "the program that makes the requests failed");

    println!("{counts:#?}\nverdicts: {verdicts:#?}\nmeant to differ: {reasons:#?}");
    let all: usize = verdicts.values().sum();
    let valid = verdicts.get(&Verdict::Valid).copied().unwrap_or_default();
    assert!(all >= count && (all - valid) * 3 >= all, "{verdicts:?}");
    let rare: Vec<_> = counts.iter().filter(|(_, times)| **times < TIMES).collect();
    assert!(!counts.is_empty() && rare.is_empty(), "not met {TIMES} times: {rare:#?}");
    assert!(differences.is_empty(), "{}", shown(differences));
}

/// The shortest of the differences of each kind.
fn shown(mut differences: Vec<(Judged, Ours)>) -> String {
    use std::fmt::Write as _;
    let all = differences.len();
    differences.sort_by_key(|(theirs, _)| theirs.document.len());
    let mut text = format!("{all} differences, such as\n");
    let mut kinds = Vec::new();
    for (theirs, ours) in differences {
        let kind = (theirs.verdict, theirs.rules.clone(), ours.as_ref().err().map(|(code, _)| *code));
        if kinds.contains(&kind) || kinds.len() == SHOWN {
            continue;
        }
        kinds.push(kind);
        let Judged { document, operation_name, variables, verdict, rules, message, selected, .. } = theirs;
        write!(
            text,
            "\n--- {document:?}\n    operationName {operation_name:?}, variables {variables}\n    \
             graphql-js: {verdict:?} {rules:?} {message:?}\n    Latchkey:   {}\n",
            match &ours {
                Err((code, message)) => format!("{code:?} {message}"),
                Ok(ours) => match selected.iter().zip(ours).find(|(theirs, ours)| theirs != ours) {
                    Some((theirs, ours)) => format!("Valid, but {ours}\n    instead of {theirs}"),
                    None => format!("Valid, with {} fields instead of {}", ours.len(), selected.len()),
                },
            }
        )
        .expect("a text");
    }
    text
}
