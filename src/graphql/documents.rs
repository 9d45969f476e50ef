//! The cache of documents: integrations send the same few again and again, with other variables.
//!
//! What depends on the text alone is kept: the parsed document, that it is valid, and its rewriting. What depends on variables is
//! done for each request. A document with texts of its own is not kept: texts can be secrets, and clients that write values
//! into documents do not send them twice.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use apollo_compiler::executable::Operation;
use async_graphql::Name;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition};
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

use super::fast_path::CompiledPage;
use super::validate::Validated;

/// Most bytes of text of all documents that are kept. Parsed and rewritten, a document takes up to some 100 times as much.
const CAPACITY: u64 = 256 * 1024;
/// What the documents are about as long as, to size the cache's table.
const USUAL_BYTES: u64 = 512;

/// A document, read for one of its operations.
pub struct Document {
    /// As it was sent, to be measured.
    pub sent: ExecutableDocument,
    /// The one operation with its fragments, as it is run but for what depends on variables.
    pub run: ExecutableDocument,
    /// As it was found valid.
    pub validated: Validated,
    /// Name of the operation.
    pub name: Option<String>,
    /// Whether it is a mutation.
    pub mutates: bool,
    /// The variables that it chains to the next operation.
    pub chains: Vec<String>,
    /// Whether a root field is selected more than once ([`merge`](super::merge)).
    pub repeats: bool,
    /// Whether its answer holds markers to take out ([`presence`](super::presence)).
    pub marked: bool,
    /// Keys of the answer, in the order in which the operation selects them.
    pub response_keys: Vec<Name>,
    /// The page that the fast path answers; compiled when it is first asked for.
    pub compiled: OnceLock<Option<CompiledPage>>,
}

impl Document {
    /// The operation as it was sent.
    pub fn operation(&self) -> &OperationDefinition {
        match &self.sent.operations {
            DocumentOperations::Single(operation) => &operation.node,
            DocumentOperations::Multiple(operations) => {
                let name = self.name.as_deref().expect("an operation among several has a name");
                &operations[name].node
            }
        }
    }

    /// The operation as it was found valid.
    pub fn validated_operation(&self) -> &Operation {
        let operation = self.validated.document.operations.get(self.name.as_deref());
        operation.expect("the operation was found in the document before")
    }

    /// The page that it asks for, if it is one for the fast path.
    pub fn fast_path(&self) -> Option<&CompiledPage> {
        self.compiled.get_or_init(|| CompiledPage::of(self.operation(), &self.sent)).as_ref()
    }
}

/// The documents of a process, of all its clients.
pub struct Documents(Cache<Key, Arc<Document>, TextBytes>);

impl Documents {
    /// Keeps none yet.
    pub fn new() -> Self {
        let items = usize::try_from(CAPACITY / USUAL_BYTES).unwrap_or_default();
        Self(Cache::with_weighter(items, CAPACITY, TextBytes))
    }

    /// The document of exactly this text, read for the operation of this name.
    pub fn find(&self, text: &str, operation: Option<&str>) -> Option<Arc<Document>> {
        self.0.get(&Sought { text, operation })
    }

    /// Keeps a document, if it has no texts of its own, for as long as others are not wanted more.
    pub fn keep(&self, text: String, operation: Option<String>, document: &Arc<Document>) {
        if has_no_texts(&text) {
            self.0.insert(Key { text, operation }, Arc::clone(document));
        }
    }
}

struct Key {
    text: String,
    operation: Option<String>,
}

impl Key {
    fn sought(&self) -> Sought<'_> {
        Sought { text: &self.text, operation: self.operation.as_deref() }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.sought() == other.sought()
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.sought().hash(state);
    }
}

/// A key whose texts are borrowed.
#[derive(PartialEq, Eq, Hash)]
struct Sought<'a> {
    text: &'a str,
    operation: Option<&'a str>,
}

impl Equivalent<Key> for Sought<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        *self == key.sought()
    }
}

#[derive(Clone)]
struct TextBytes;

impl Weighter<Key, Arc<Document>> for TextBytes {
    fn weight(&self, key: &Key, _: &Arc<Document>) -> u64 {
        (key.text.len() + key.operation.as_ref().map_or(0, String::len)) as u64
    }
}

/// Whether a document has no texts but the names of chained variables. One that hides a text behind the word in a comment is
/// kept, which harms nobody but its sender.
fn has_no_texts(document: &str) -> bool {
    document.matches('"').count() == 2 * document.matches("@chain").count()
}

#[cfg(test)]
mod tests {
    use async_graphql::Variables;
    use serde_json::json;

    use super::*;
    use crate::error::ErrorCode;
    use crate::graphql::prepare::{Prepared, Refused};
    use crate::graphql::{GraphQlRequest, Schema};

    fn prepare(
        schema: &Schema,
        query: &str,
        operation: Option<&str>,
        variables: serde_json::Value,
    ) -> Result<Prepared, Refused> {
        let request = GraphQlRequest {
            query: query.to_owned(),
            operation_name: operation.map(str::to_owned),
            variables: Variables::from_json(variables),
        };
        Prepared::new(schema, request, &[])
    }

    fn is_kept(query: &str) -> bool {
        let schema = Schema::new();
        let twice = [0, 1]
            .map(|_| prepare(&schema, query, None, json!({"pin": "1"})).unwrap_or_else(|error| panic!("{error:?}")));
        Arc::ptr_eq(&twice[0].document, &twice[1].document)
    }

    #[test]
    fn a_document_is_read_once_and_measured_every_time() {
        let schema = Schema::new();
        let query = "query($n: Int) { reservations(first: $n) { edges { node { \
                     rooms(first: $n) { edges { node { id guests { a: id b: id c: id d: id e: id f: id } } } } } } } }";
        let few = prepare(&schema, query, None, json!({"n": 1})).expect("a small one");
        let more = prepare(&schema, query, None, json!({"n": 10})).expect("a larger one");
        assert!(Arc::ptr_eq(&few.document, &more.document));
        assert!(few.cost.values < more.cost.values, "{:?} {:?}", few.cost, more.cost);
        let most = prepare(&schema, query, None, json!({"n": 100})).err();
        assert_eq!(most.map(|refused| refused.errors[0].code), Some(ErrorCode::DocumentTooComplex));
    }

    #[test]
    fn each_operation_of_a_document_is_read_for_itself() {
        let schema = Schema::new();
        let query = "query A { settings { roomAccessKeysEnabled } } query B { b: settings { roomAccessKeysEnabled } }";
        let read = |name| prepare(&schema, query, Some(name), json!({})).expect("an operation").document;
        for (name, key) in [("A", "settings"), ("B", "b"), ("A", "settings")] {
            assert_eq!(read(name).response_keys, [Name::new(key)]);
            assert_eq!(read(name).name.as_deref(), Some(name));
        }
        let none = prepare(&schema, query, None, json!({})).err();
        assert_eq!(none.map(|refused| refused.errors[0].code), Some(ErrorCode::OperationNotFound));
    }

    #[test]
    fn texts_are_not_kept_but_for_names_of_chained_variables() {
        let create = |pin: &str, chain: &str| {
            let declared = if pin == "$pin" { "($pin: String!)" } else { "" };
            format!(
                "mutation{declared} {{ createRoomAccessKey(input: {{roomAccessPin: {{pin: {pin}}}}}) {{ \
                 roomAccessKey {{ id {chain} }} }} }}"
            )
        };
        assert!(is_kept(&create("$pin", "")));
        assert!(is_kept(&create("$pin", "@chain(variable: \"key\")")));
        assert!(!is_kept(&create("\"1234\"", "")));
        assert!(!is_kept(&create("\"1234\"", "@chain(variable: \"key\")")));
        assert!(!is_kept(&create("\"\"\"1234\"\"\"", "@chain(variable: \"key\")")));
        assert!(!is_kept("query($pin: String = \"1234\") { __type(name: $pin) { name } }"));
    }
}
