//! Presence of objects of which nothing is selected.
//!
//! Where no fragment matches the type of an object, the specification answers `{}`, and a reader tells a room access key
//! of a kind that it does not know from no key at all. The executor answers `null` for both, and forgets what a second
//! selection of the same field finds. So a marker is selected along where nothing else is for certain, and taken out of
//! the answer.

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::{Name, Pos, Positioned, Value};

/// Names that begin like this are not for clients to use.
const MARKER: &str = "__present";

/// Selects the marker in a document; tells whether it had to anywhere.
pub fn mark(document: &mut ExecutableDocument) -> bool {
    let mut marked = false;
    match &mut document.operations {
        DocumentOperations::Single(operation) => below(&mut operation.node.selection_set.node, &mut marked),
        DocumentOperations::Multiple(operations) => {
            for operation in operations.values_mut() {
                below(&mut operation.node.selection_set.node, &mut marked);
            }
        }
    }
    for fragment in document.fragments.values_mut() {
        below(&mut fragment.node.selection_set.node, &mut marked);
    }
    marked
}

/// Marks the objects that the fields of a selection set lead to.
fn below(set: &mut SelectionSet, marked: &mut bool) {
    for selection in &mut set.items {
        match &mut selection.node {
            Selection::Field(field) => {
                let fields = &mut field.node.selection_set;
                below(&mut fields.node, marked);
                if !fields.node.items.is_empty() && !fields.node.items.iter().any(is_certain) {
                    fields.node.items.push(marker(fields.pos));
                    *marked = true;
                }
            }
            Selection::InlineFragment(fragment) => below(&mut fragment.node.selection_set.node, marked),
            Selection::FragmentSpread(_) => {}
        }
    }
}

/// Whether it is in the answer whatever the type of the object and the variables are.
fn is_certain(selection: &Positioned<Selection>) -> bool {
    let Selection::Field(field) = &selection.node else { return false };
    field.node.directives.iter().all(|directive| !matches!(&*directive.node.name.node, "skip" | "include"))
}

fn marker(pos: Pos) -> Positioned<Selection> {
    let field = Field {
        alias: Some(Positioned::new(Name::new(MARKER), pos)),
        name: Positioned::new(Name::new("__typename"), pos),
        arguments: Vec::new(),
        directives: Vec::new(),
        selection_set: Positioned::new(SelectionSet::default(), pos),
    };
    Positioned::new(Selection::Field(Positioned::new(field, pos)), pos)
}

/// Takes the markers out of an answer.
pub fn unmark(value: &mut Value) {
    match value {
        Value::Object(entries) => {
            // The marker is always the last entry, unless the field was selected more than once.
            entries.shift_remove(MARKER);
            entries.values_mut().for_each(unmark);
        }
        Value::List(items) => items.iter_mut().for_each(unmark),
        _ => {}
    }
}
