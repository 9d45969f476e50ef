//! The operations in a request's body. Pure.

use async_graphql::Variables;
use serde_json::{Map, Value};

use crate::error::{Error, ErrorCode, Message, Result};
use crate::graphql::GraphQlRequest;

/// Most operations in a batch.
pub(super) const MAX_BATCH: usize = 100;

/// What a body asks for.
#[derive(Debug)]
pub(super) enum Operations {
    /// A GraphQL-over-HTTP request.
    One(GraphQlRequest),
    /// A JSON array of them: our extension of the specification.
    Batch(Vec<GraphQlRequest>),
    /// A request with the hash of a document in the place of the document (automatic persisted queries).
    Hash,
    /// A batch of so many operations, some of which are such.
    BatchOfHashes(usize),
}

impl Operations {
    /// Reads a body.
    ///
    /// # Errors
    /// `BAD_REQUEST`, `BATCH_TOO_LARGE`
    pub(super) fn parse(body: &[u8]) -> Result<Self> {
        match serde_json::from_slice(body) {
            Ok(Value::Array(items)) => {
                if !(1..=MAX_BATCH).contains(&items.len()) {
                    return Err(Error::of(ErrorCode::BatchTooLarge));
                }
                let operations = items.len();
                let requests = items.into_iter().enumerate().map(|(index, item)| {
                    request(item).map_err(|error| {
                        let problem = error.message;
                        Error::new(Message::BatchedOperationInvalid { index, problem })
                    })
                });
                let requests: Vec<_> = requests.collect::<Result<_>>()?;
                let requests = requests.into_iter().collect::<Option<_>>();
                Ok(requests.map_or(Self::BatchOfHashes(operations), Self::Batch))
            }
            Ok(one) => Ok(request(one)?.map_or(Self::Hash, Self::One)),
            // Line and column only: the parser's own words can repeat what was sent.
            Err(error) => Err(Error::new(Message::BodyNotJsonAt { line: error.line(), column: error.column() })),
        }
    }
}

/// Reads a request; `None` for one that has a hash in the place of its document.
fn request(item: Value) -> Result<Option<GraphQlRequest>> {
    let Value::Object(mut parameters) = item else {
        return Err(Error::new(Message::RequestNotAnObject));
    };
    let query = string(&mut parameters, "query")?;
    let operation_name = string(&mut parameters, "operationName")?.filter(|name| !name.is_empty());
    let variables = object(&mut parameters, "variables")?.map(Variables::from_json).unwrap_or_default();
    let extensions = object(&mut parameters, "extensions")?;
    match query {
        Some(query) => Ok(Some(GraphQlRequest { query, operation_name, variables })),
        None if extensions.is_some_and(|extensions| extensions["persistedQuery"].is_object()) => Ok(None),
        None => Err(Error::new(Message::QueryMissing)),
    }
}

fn string(parameters: &mut Map<String, Value>, name: &'static str) -> Result<Option<String>> {
    match parameters.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Error::new(Message::ParameterNotAString { name })),
    }
}

fn object(parameters: &mut Map<String, Value>, name: &'static str) -> Result<Option<Value>> {
    match parameters.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(object @ Value::Object(_)) => Ok(Some(object)),
        Some(_) => Err(Error::new(Message::ParameterNotAnObject { name })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(body: &str) -> GraphQlRequest {
        match Operations::parse(body.as_bytes()) {
            Ok(Operations::One(request)) => request,
            other => panic!("{body}: {other:?}"),
        }
    }

    fn refusal(body: &str) -> (ErrorCode, String) {
        let error = Operations::parse(body.as_bytes()).expect_err(body);
        (error.code, error.message.english())
    }

    #[test]
    fn null_is_the_same_as_absent() {
        for body in [
            r#"{"query": "{a}"}"#,
            r#"{"query": "{a}", "operationName": null, "variables": null, "extensions": null}"#,
            r#"{"query": "{a}", "operationName": "", "variables": {}, "extensions": {"x": [1]}, "unknown": 1}"#,
        ] {
            let request = one(body);
            assert_eq!((request.query.as_str(), request.operation_name), ("{a}", None));
            assert!(request.variables.is_empty());
        }
    }

    #[test]
    fn the_last_of_duplicate_keys_counts() {
        assert_eq!(
            one(r#"{"query": "{a}", "query": "{b}", "variables": 1, "variables": {"x": 1, "x": 2}}"#).query,
            "{b}"
        );
    }

    #[test]
    fn wrong_types_are_refused_by_name() {
        for (body, message) in [
            (r#"{"qeury": "{a}"}"#, "The parameter query is missing"),
            (r#"{"query": null}"#, "The parameter query is missing"),
            (r#"{"query": ["{a}"]}"#, "The parameter query must be a string"),
            (r#"{"query": "{a}", "operationName": 0}"#, "The parameter operationName must be a string"),
            (r#"{"query": "{a}", "variables": "{}"}"#, "The parameter variables must be an object"),
            (r#"{"query": "{a}", "variables": [7]}"#, "The parameter variables must be an object"),
            (r#"{"query": "{a}", "extensions": false}"#, "The parameter extensions must be an object"),
            ("\"{a}\"", "A GraphQL request is a JSON object"),
            (r#"[{"query": "{a}"}, []]"#, "Operation 1: A GraphQL request is a JSON object"),
            (r#"[{"query": 1}]"#, "Operation 0: The parameter query must be a string"),
        ] {
            assert_eq!(refusal(body), (ErrorCode::BadRequest, message.to_owned()), "{body}");
        }
    }

    #[test]
    fn a_hash_stands_for_a_document_only_where_there_is_none() {
        let hash = r#""extensions": {"persistedQuery": {"version": 1, "sha256Hash": "ab"}}"#;
        let parse = |body: String| Operations::parse(body.as_bytes()).expect("operations");
        assert!(matches!(parse(format!("{{{hash}}}")), Operations::Hash));
        assert!(matches!(parse(format!(r#"{{"query": null, {hash}}}"#)), Operations::Hash));
        assert_eq!(one(&format!(r#"{{"query": "{{a}}", {hash}}}"#)).query, "{a}");
        assert!(matches!(parse(format!(r#"[{{"query": "{{a}}"}}, {{{hash}}}]"#)), Operations::BatchOfHashes(2)));
        let (code, message) = refusal(r#"{"extensions": {"persistedQuery": 1}}"#);
        assert_eq!((code, message.as_str()), (ErrorCode::BadRequest, "The parameter query is missing"));
    }

    #[test]
    fn what_is_not_json_is_refused_without_repeating_it() {
        for body in ["", "NONSENSE", r#"{"query":"#, "{\"query\": \"{a}\"} x", "{\"query\": 1e999}"] {
            let (code, message) = refusal(body);
            assert_eq!(code, ErrorCode::BadRequest);
            assert!(message.starts_with("The request body is not JSON"), "{message}");
        }
        assert!(Operations::parse(b"{\"query\": \"\xff\"}").is_err());
        assert_eq!(refusal(&"[".repeat(100_000)).0, ErrorCode::BadRequest);
        let deep = format!(r#"{{"query": "{{a}}", "variables": {{"v": {}{}}}}}"#, "[".repeat(200), "]".repeat(200));
        assert_eq!(refusal(&deep).0, ErrorCode::BadRequest);
    }

    #[test]
    fn a_batch_holds_1_to_100_operations() {
        let batch = |length: usize| format!("[{}]", vec![r#"{"query": "{a}"}"#; length].join(","));
        assert_eq!(refusal(&batch(0)).0, ErrorCode::BatchTooLarge);
        assert_eq!(refusal(&batch(101)).0, ErrorCode::BatchTooLarge);
        for length in [1, 100] {
            let parsed = Operations::parse(batch(length).as_bytes());
            assert!(matches!(parsed, Ok(Operations::Batch(requests)) if requests.len() == length));
        }
    }
}
