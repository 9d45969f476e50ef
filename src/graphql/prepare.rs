//! An operation before it runs: bounded, parsed, chosen, and its variables complete.

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, Value, Variables};

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
    /// The document.
    pub document: ExecutableDocument,
    /// Name of the operation.
    pub name: Option<String>,
    /// Whether it is a mutation.
    pub mutates: bool,
    /// The variables that it chains to the next operation.
    pub chains: Vec<String>,
    /// Whether its answer holds markers to take out ([`presence`]).
    pub marked: bool,
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
        scan::scan(&request.query)?;
        let mut document = parse_query(&request.query).map_err(|error| {
            // Not the parser's own message, which repeats a whole line of the document.
            let place = error.positions().next().unwrap_or_default();
            let message = format!("The document is not GraphQL from line {}, column {} on", place.line, place.column);
            Error::new(ErrorCode::ParseFailed, message)
        })?;
        let (name, operation) = choose(&document, request.operation_name.as_deref())?;
        let definition = &operation.node;
        if definition.ty == OperationType::Subscription {
            return Err(Error::new(ErrorCode::ValidationFailed, "Subscriptions are not offered"));
        }
        let cost = limits::measure(&document, definition, &request.variables, &schema.types)?;
        let chains = chain::chained_variables(&document, definition, &schema.types)?;
        let mutates = definition.ty == OperationType::Mutation;
        merge::merge(&mut document, name.as_deref())?;
        let marked = presence::mark(&mut document);
        Ok(Self { name, mutates, chains, marked, cost, variables: request.variables, document })
    }

    /// The operation's definition.
    pub fn operation(&self) -> &OperationDefinition {
        match &self.document.operations {
            DocumentOperations::Single(operation) => &operation.node,
            DocumentOperations::Multiple(operations) => {
                let name = self.name.as_deref().expect("an operation among several has a name");
                &operations[name].node
            }
        }
    }

    /// Refuses variables that do not fit their definitions.
    ///
    /// # Errors
    /// `INVALID_VARIABLE`
    pub fn check_variables(&self, variables: &Variables) -> Result<()> {
        for definition in &self.operation().variable_definitions {
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

    /// Keys of the answer, in the order in which the operation selects them.
    pub fn response_keys(&self) -> Vec<Name> {
        let mut keys = Vec::new();
        collect_keys(&self.document, &self.operation().selection_set.node, &mut keys);
        keys
    }
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
