//! What a document may ask for, measured before it is validated and run.
//!
//! The validator and the executor of the GraphQL library follow every spread of a fragment again, so a document of 600
//! bytes can cost them seconds. [`measure`] visits each selection and each fragment once, adds up what the document
//! comes to when its fragments are expanded, and refuses what is more than any honest client sends. All operations of
//! the document are bounded, since the validator reads them all; values are counted for the one that runs.
//!
//! It recurses, but never deeper than [`MAX_NESTING`] and the brackets that [`scan`](super::scan) has let through.

mod input;
#[cfg(test)]
mod tests;
mod walk;

use async_graphql::Variables;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition};

use self::walk::Walk;
use super::type_map::TypeMap;
use crate::error::{Counted, Error, Message, Nested, Result};

/// Most fields, fragments expanded; introspection not included.
pub const MAX_FIELDS: u64 = 1_500;
/// Most fields of introspection, fragments expanded. The query that GraphiQL sends has fewer than 250.
pub const MAX_INTROSPECTION_FIELDS: u64 = 400;
/// Most fields inside each other; introspection not included.
pub const MAX_DEPTH: u64 = 12;
/// Most lists of introspection inside each other. The query that GraphiQL sends has three: types, fields, arguments.
pub const MAX_INTROSPECTION_LISTS: u64 = 3;
/// Most selection sets inside each other, whether of fields or of fragments; the library's own limit.
pub const MAX_NESTING: u64 = 32;
/// Most aliases, fragments expanded.
pub const MAX_ALIASES: u64 = 500;
/// Most directives, fragments expanded.
pub const MAX_DIRECTIVES: u64 = 200;
/// Most fragment spreads and inline fragments, fragments expanded.
pub const MAX_SPREADS: u64 = 500;
/// Most fragments that a document may define.
pub const MAX_FRAGMENTS: u64 = 100;
/// Most operations that a document may define.
pub const MAX_OPERATIONS: u64 = 50;
/// Most variables that the operations of a document may declare.
pub const MAX_VARIABLES: u64 = 200;
/// Most arguments of one field or directive.
pub const MAX_ARGUMENTS: u64 = 32;
/// Most lists and objects inside each other in an argument, variables included.
pub const MAX_INPUT_DEPTH: u64 = 20;
/// Most bytes of arguments, fragments expanded. Every use of a variable counts: the library copies it every time.
pub const MAX_INPUT_BYTES: u64 = 256 * 1024;
/// Most values that the answer may hold by its page sizes. 100 reservations with 20 rooms and their guests fit.
pub const MAX_VALUES: u64 = 250_000;

/// What an operation comes to, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Fields of the whole document, fragments expanded.
    pub fields: u64,
    /// Values in the operation's answer if every page is full, and [`STATEMENT_COST`](crate::throttle::STATEMENT_COST) for each
    /// page and each act: what it costs its API key.
    pub values: u64,
}

/// Bounds a document that nothing is known of, before it is validated.
///
/// # Errors
/// As those of [`measure`].
pub fn bound(document: &ExecutableDocument, types: &TypeMap) -> Result<()> {
    tally(document, &mut Walk::new(document, &Variables::default(), types)).map(drop)
}

/// Measures `operation` with its coerced variables, and the rest of the document that has to be read with it.
///
/// # Errors
/// `DOCUMENT_TOO_COMPLEX`, `DOCUMENT_TOO_DEEP`, and `GRAPHQL_VALIDATION_FAILED` for fragments that contain themselves or
/// that no operation uses: nothing would bound those.
pub fn measure(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
    types: &TypeMap,
) -> Result<Cost> {
    let mut walk = Walk::new(document, variables, types);
    let total = tally(document, &mut walk)?;
    let values = walk.operation(operation)?.values;
    check_values(values)?;
    Ok(Cost { fields: total.fields.saturating_add(total.introspection_fields), values })
}

/// What all operations of a document come to.
fn tally<'a>(document: &'a ExecutableDocument, walk: &mut Walk<'a>) -> Result<Tally> {
    count_definitions(document)?;
    let mut total = Tally::default();
    for (_, other) in document.operations.iter() {
        total.add(&walk.operation(&other.node)?);
        total.check()?;
    }
    if let Some(unused) = document.fragments.keys().find(|name| !walk.has_seen(name)) {
        return Err(Error::new(Message::FragmentUnused { name: unused.to_string() }));
    }
    Ok(total)
}

/// Refuses a request whose operations together ask for too many values.
///
/// # Errors
/// `DOCUMENT_TOO_COMPLEX`
pub fn check_values(values: u64) -> Result<()> {
    within(values, MAX_VALUES, Counted::Values)
}

fn count_definitions(document: &ExecutableDocument) -> Result<()> {
    within(document.operations.iter().len() as u64, MAX_OPERATIONS, Counted::Operations)?;
    within(document.fragments.len() as u64, MAX_FRAGMENTS, Counted::Fragments)?;
    let variables = document.operations.iter().map(|(_, operation)| operation.node.variable_definitions.len());
    within(variables.sum::<usize>() as u64, MAX_VARIABLES, Counted::Variables)
}

fn within(count: u64, most: u64, what: Counted) -> Result<()> {
    if count <= most {
        return Ok(());
    }
    Err(Error::new(Message::HasTooMany { most, what }))
}

fn within_depth(depth: u64, most: u64, what: Nested) -> Result<()> {
    if depth <= most {
        return Ok(());
    }
    Err(Error::new(Message::NestsTooDeeply { most, what }))
}

/// What a part of the document comes to.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    fields: u64,
    introspection_fields: u64,
    aliases: u64,
    directives: u64,
    spreads: u64,
    input_bytes: u64,
    /// Values in the answer.
    values: u64,
    /// Values in the answer once per record of the page, in a selection set of a connection.
    values_per_record: u64,
    /// Heights of the part, not sums.
    depth: u64,
    introspection_lists: u64,
    nesting: u64,
}

impl Tally {
    /// Adds a part that stands beside the others.
    fn add(&mut self, part: &Self) {
        for (sum, more) in [
            (&mut self.fields, part.fields),
            (&mut self.introspection_fields, part.introspection_fields),
            (&mut self.aliases, part.aliases),
            (&mut self.directives, part.directives),
            (&mut self.spreads, part.spreads),
            (&mut self.input_bytes, part.input_bytes),
            (&mut self.values, part.values),
            (&mut self.values_per_record, part.values_per_record),
        ] {
            *sum = sum.saturating_add(more);
        }
        self.depth = self.depth.max(part.depth);
        self.introspection_lists = self.introspection_lists.max(part.introspection_lists);
        self.nesting = self.nesting.max(part.nesting);
    }

    /// Refuses what is too much. Values are left to the operation that runs.
    fn check(&self) -> Result<()> {
        within_depth(self.depth, MAX_DEPTH, Nested::Fields)?;
        within_depth(self.introspection_lists, MAX_INTROSPECTION_LISTS, Nested::IntrospectionLists)?;
        within_depth(self.nesting, MAX_NESTING, Nested::SelectionSets)?;
        within(self.fields, MAX_FIELDS, Counted::Fields)?;
        within(self.introspection_fields, MAX_INTROSPECTION_FIELDS, Counted::IntrospectionFields)?;
        within(self.aliases, MAX_ALIASES, Counted::Aliases)?;
        within(self.directives, MAX_DIRECTIVES, Counted::Directives)?;
        within(self.spreads, MAX_SPREADS, Counted::Spreads)?;
        within(self.input_bytes, MAX_INPUT_BYTES, Counted::ArgumentBytes)
    }
}
