//! An operation before it runs: bounded, parsed, chosen, found valid, and its variables coerced.

use std::sync::{Arc, OnceLock};

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, Value, Variables};

use super::documents::Document;
use super::error::GraphQlError;
use super::request::GraphQlRequest;
use super::{Schema, chain, judge, language, limits, merge, presence, scan, validate, values};
use crate::error::{Error, Message, Result};

/// An operation that can run.
pub struct Prepared {
    /// The document, read for the operation.
    pub document: Arc<Document>,
    /// Whether it is a mutation.
    pub mutates: bool,
    /// What it costs at most.
    pub cost: limits::Cost,
    /// Those that are known before it runs, coerced.
    pub variables: Variables,
    /// Names of variables that the operation before chains.
    pub chained: Vec<String>,
}

/// Why an operation does not run.
#[derive(Clone, Debug)]
pub struct Refused {
    /// What is wrong with it.
    pub errors: Vec<GraphQlError>,
    /// Whether it is a mutation, as far as that is known: the others of its request are not run either.
    pub mutates: bool,
}

impl From<Vec<GraphQlError>> for Refused {
    fn from(errors: Vec<GraphQlError>) -> Self {
        Self { errors, mutates: false }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        vec![error.into()].into()
    }
}

impl Prepared {
    /// Prepares an operation. `chained` are names of variables that the operation before chains.
    ///
    /// # Errors
    /// The codes of [`scan`], [`limits`] and [`chain`], `GRAPHQL_PARSE_FAILED`, `GRAPHQL_VALIDATION_FAILED`,
    /// `OPERATION_NOT_FOUND`, `INVALID_VARIABLE`
    pub fn new(schema: &Schema, request: GraphQlRequest, chained: &[String]) -> Result<Self, Refused> {
        let GraphQlRequest { query, operation_name, variables } = request;
        let document = if let Some(document) = schema.documents.find(&query, operation_name.as_deref()) {
            document
        } else {
            let document = Arc::new(read(schema, &query, operation_name.as_deref())?);
            schema.documents.keep(query, operation_name, &document);
            document
        };
        let mutates = document.mutates;
        Self::of(schema, document, variables, chained.to_vec()).map_err(|error| Refused { mutates, ..error.into() })
    }

    /// The kind of operation that it is.
    pub fn kind(&self) -> &'static str {
        if self.mutates { "mutation" } else { "query" }
    }

    /// Prepares an operation whose document was read before, if there is nothing to refuse.
    pub fn known(schema: &Schema, request: &GraphQlRequest) -> Option<Self> {
        let document = schema.documents.find(&request.query, request.operation_name.as_deref())?;
        let prepared = Self::of(schema, document, request.variables.clone(), Vec::new()).ok()?;
        limits::check_values(prepared.cost.values).ok()?;
        Some(prepared)
    }

    fn of(schema: &Schema, document: Arc<Document>, given: Variables, chained: Vec<String>) -> Result<Self> {
        chain::refuse_sent(&chained, document.operation(), &given)?;
        let definitions = &document.validated_operation().variables;
        let variables = values::variables(&schema.definition, definitions, given, &chained)?;
        let cost = limits::measure(&document.sent, document.operation(), &variables, &schema.types)?;
        document.refuse_nulls(schema, &variables)?;
        Ok(Self { mutates: document.mutates, document, cost, variables, chained })
    }

    /// The variables, once it is known what the operation before has chained.
    ///
    /// # Errors
    /// `INVALID_VARIABLE`
    pub fn complete(&self, schema: &Schema, mut chained: chain::Values) -> Result<Variables> {
        let mut variables = self.variables.clone();
        if self.chained.is_empty() {
            return Ok(variables);
        }
        for definition in &self.document.validated_operation().variables {
            let name = definition.name.as_str();
            if self.chained.iter().any(|chained| chained == name)
                && let Some(value) = values::variable(&schema.definition, definition, chained.remove(name))?
            {
                variables.insert(Name::new(name), value);
            }
        }
        self.document.refuse_nulls(schema, &variables)?;
        Ok(variables)
    }
}

/// Reads a document for one of its operations.
fn read(schema: &Schema, text: &str, operation_name: Option<&str>) -> Result<Document, Refused> {
    scan::scan(text)?;
    let parsed = language::parse(text)?;
    let sent = language::executable(&parsed, text)?;
    let (name, operation) = choose(&sent, operation_name)?;
    let operation = operation.clone();
    let mutates = operation.node.ty == OperationType::Mutation;
    let checked = || -> Result<_, Refused> {
        if operation.node.ty == OperationType::Subscription {
            return Err(Error::new(Message::SubscriptionsNotOffered).into());
        }
        limits::bound(&sent, &schema.types)?;
        let chains = chain::chained_variables(&sent, &operation.node, &schema.types)?;
        Ok((chains, validate::validate(&schema.definition, &parsed)?))
    };
    let (chains, validated) = checked().map_err(|refused| Refused { mutates, ..refused })?;
    let mut response_keys = Vec::new();
    let repeats = collect_keys(&sent, &operation.node.selection_set.node, &mut response_keys);
    let mut run =
        ExecutableDocument { operations: DocumentOperations::Single(operation), fragments: sent.fragments.clone() };
    let marked = presence::mark(&mut run);
    Ok(Document {
        sent,
        run,
        validated,
        name,
        mutates,
        chains,
        repeats,
        marked,
        response_keys,
        compiled: OnceLock::new(),
    })
}

impl Document {
    /// Refuses null for a variable where it stands for a value that must not be null.
    fn refuse_nulls(&self, schema: &Schema, variables: &Variables) -> Result<()> {
        let is_null = |name: &&String| variables.get(name.as_str()) == Some(&Value::Null);
        match self.validated.never_null.iter().find(is_null) {
            Some(name) => {
                judge::select(&schema.definition, &self.validated.document, self.validated_operation(), variables)
                    .map(|_| ())
                    .map_err(|_| values::null_where_it_must_not_be(name))
            }
            None => Ok(()),
        }
    }

    /// The document as it is run once, with these variables.
    pub fn with(&self, variables: &Variables) -> ExecutableDocument {
        let mut run = self.run.clone();
        if self.repeats
            && let DocumentOperations::Single(operation) = &mut run.operations
        {
            merge::merge(&mut operation.node, &run.fragments, variables);
        }
        let mut declared = self.operation().variable_definitions.iter();
        if declared.any(|variable| !variables.contains_key(&variable.node.name.node)) {
            values::fill(&mut run, variables);
        }
        run
    }
}

fn choose<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<(Option<String>, &'a Positioned<OperationDefinition>)> {
    let unknown = |name: &str| Error::new(Message::OperationUnknown { name: name.to_owned() });
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok((None, operation)),
        (DocumentOperations::Multiple(operations), None) => match operations.iter().next() {
            Some((name, operation)) if operations.len() == 1 => Ok((Some(name.to_string()), operation)),
            _ => Err(Error::new(Message::OperationAmbiguous)),
        },
        (DocumentOperations::Single(_), Some(name)) => Err(unknown(name)),
        (DocumentOperations::Multiple(operations), Some(name)) => match operations.get(name) {
            Some(operation) => Ok((Some(name.to_owned()), operation)),
            None => Err(unknown(name)),
        },
    }
}

/// The keys of the answer in the order of the selection, and whether one of them is selected more than once.
fn collect_keys(document: &ExecutableDocument, set: &SelectionSet, keys: &mut Vec<Name>) -> bool {
    let mut repeats = false;
    for selection in &set.items {
        repeats |= match &selection.node {
            Selection::Field(field) => {
                let key = &field.node.response_key().node;
                let is_known = keys.contains(key);
                if !is_known {
                    keys.push(key.clone());
                }
                is_known
            }
            Selection::InlineFragment(fragment) => collect_keys(document, &fragment.node.selection_set.node, keys),
            Selection::FragmentSpread(spread) => document
                .fragments
                .get(&spread.node.fragment_name.node)
                .is_some_and(|fragment| collect_keys(document, &fragment.node.selection_set.node, keys)),
        };
    }
    repeats
}
