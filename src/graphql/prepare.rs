//! An operation before it runs: bounded, parsed, chosen, and its variables complete.

use std::sync::{Arc, OnceLock};

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, Value, Variables};

use super::documents::Document;
use super::settled::Settled;
use super::{Schema, chain, limits, merge, presence, scan};
use crate::error::{Error, ErrorCode, Result};

/// One operation as the client sent it.
#[derive(Clone, Debug, Default)]
pub struct GraphQlRequest {
    /// The document.
    pub query: String,
    /// Which of its operations.
    pub operation_name: Option<String>,
    /// Its variables.
    pub variables: Variables,
}

/// An operation that can run.
pub struct Prepared {
    /// The document, read for the operation.
    pub document: Arc<Document>,
    /// Whether it is a mutation.
    pub mutates: bool,
    /// What it costs at most.
    pub cost: limits::Cost,
    /// As the client sent them.
    pub variables: Variables,
}

impl Prepared {
    /// Prepares an operation.
    ///
    /// # Errors
    /// The codes of [`scan`], [`limits`] and [`chain`], `GRAPHQL_PARSE_FAILED`, `OPERATION_NOT_FOUND`
    pub fn new(schema: &Schema, request: GraphQlRequest) -> Result<Self> {
        let GraphQlRequest { query, operation_name, variables } = request;
        let name = operation_name.as_deref();
        let (document, cost) = if let Some(document) = schema.documents.find(&query, name) {
            let cost = limits::measure(&document.sent, document.operation(), &variables, &schema.types)?;
            (document, cost)
        } else {
            let (document, cost) = read(schema, &query, name, &variables)?;
            let document = Arc::new(document);
            schema.documents.keep(query, operation_name, &document);
            (document, cost)
        };
        Ok(Self { mutates: document.mutates, document, cost, variables })
    }

    /// The kind of operation that it is.
    pub fn kind(&self) -> &'static str {
        if self.mutates { "mutation" } else { "query" }
    }

    /// Prepares an operation whose document was read before, if there is nothing to refuse.
    pub fn known(schema: &Schema, request: &GraphQlRequest) -> Option<Self> {
        let document = schema.documents.find(&request.query, request.operation_name.as_deref())?;
        let cost = limits::measure(&document.sent, document.operation(), &request.variables, &schema.types).ok()?;
        limits::check_values(cost.values).ok()?;
        Some(Self { mutates: document.mutates, document, cost, variables: request.variables.clone() })
    }

    /// Refuses variables that do not fit their definitions.
    ///
    /// # Errors
    /// `INVALID_VARIABLE`
    pub fn check_variables(&self, variables: &Variables) -> Result<()> {
        for definition in &self.document.operation().variable_definitions {
            let definition = &definition.node;
            let name = &definition.name.node;
            let given = variables.get(name);
            if !definition.var_type.node.nullable
                && definition.default_value.is_none()
                && given.is_none_or(|value| *value == Value::Null)
            {
                let (kind, how) = (&definition.var_type.node, if given.is_none() { "not provided" } else { "null" });
                let message = format!("Variable \"${name}\" of required type \"{kind}\" is {how}");
                return Err(Error::new(ErrorCode::InvalidVariable, message));
            }
        }
        Ok(())
    }
}

/// Reads a document for one of its operations, and measures it with the variables of this request.
fn read(
    schema: &Schema,
    text: &str,
    operation_name: Option<&str>,
    variables: &Variables,
) -> Result<(Document, limits::Cost)> {
    scan::scan(text)?;
    let sent = parse_query(text).map_err(|error| {
        // Not the parser's own message, which repeats a whole line of the document.
        let place = error.positions().next().unwrap_or_default();
        let message = format!("The document is not GraphQL from line {}, column {} on", place.line, place.column);
        Error::new(ErrorCode::ParseFailed, message)
    })?;
    let (name, operation) = choose(&sent, operation_name)?;
    let definition = &operation.node;
    if definition.ty == OperationType::Subscription {
        return Err(Error::new(ErrorCode::ValidationFailed, "Subscriptions are not offered"));
    }
    let cost = limits::measure(&sent, definition, variables, &schema.types)?;
    let chains = chain::chained_variables(&sent, definition, &schema.types)?;
    let mutates = definition.ty == OperationType::Mutation;
    let mut run = sent.clone();
    merge::merge(&mut run, name.as_deref())?;
    let marked = presence::mark(&mut run);
    let mut response_keys = Vec::new();
    collect_keys(&sent, &definition.selection_set.node, &mut response_keys);
    let (settled, writer) = (Settled::unknown(&sent), OnceLock::new());
    let document = Document { sent, run, name, mutates, chains, marked, response_keys, settled, writer };
    Ok((document, cost))
}

fn choose<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<(Option<String>, &'a Positioned<OperationDefinition>)> {
    let not_found = |message: String| Error::new(ErrorCode::OperationNotFound, message);
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok((None, operation)),
        (DocumentOperations::Multiple(operations), None) => match operations.iter().next() {
            Some((name, operation)) if operations.len() == 1 => Ok((Some(name.to_string()), operation)),
            _ => Err(not_found("The document has several operations; operationName must tell which".into())),
        },
        (DocumentOperations::Single(_), Some(name)) => Err(not_found(format!("Unknown operation named \"{name}\""))),
        (DocumentOperations::Multiple(operations), Some(name)) => match operations.get(name) {
            Some(operation) => Ok((Some(name.to_owned()), operation)),
            None => Err(not_found(format!("Unknown operation named \"{name}\""))),
        },
    }
}

fn collect_keys(document: &ExecutableDocument, set: &SelectionSet, keys: &mut Vec<Name>) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                let key = &field.node.response_key().node;
                if !keys.contains(key) {
                    keys.push(key.clone());
                }
            }
            Selection::InlineFragment(fragment) => {
                collect_keys(document, &fragment.node.selection_set.node, keys);
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    collect_keys(document, &fragment.node.selection_set.node, keys);
                }
            }
        }
    }
}
