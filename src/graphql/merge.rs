//! Merging of root fields: one that is selected more than once is one field.
//!
//! The specification collects the selections with the same response key before it runs them. The executor runs each of them
//! and merges the answers: twice the statements for a query, twice the effect for a mutation.

use std::collections::HashMap;

use async_graphql::parser::types::{
    Directive, Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, Value as ConstValue, Variables};

use super::values;

type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// Puts the root fields of a valid operation that are not skipped in place of its selections, those with the same key together.
pub fn merge(operation: &mut OperationDefinition, fragments: &Fragments, variables: &Variables) {
    let mut fields = Vec::new();
    collect(&operation.selection_set.node, fragments, variables, &mut fields);
    let items = fields.into_iter().map(|field| {
        let pos = field.pos;
        Positioned::new(Selection::Field(field), pos)
    });
    operation.selection_set.node.items = items.collect();
}

/// Every fragment of a root is of its type: another one would not be valid.
fn collect(set: &SelectionSet, fragments: &Fragments, variables: &Variables, fields: &mut Vec<Positioned<Field>>) {
    for selection in &set.items {
        if selection.node.directives().iter().any(|directive| skips(&directive.node, variables)) {
            continue;
        }
        match &selection.node {
            Selection::Field(field) => {
                let key = &field.node.response_key().node;
                match fields.iter_mut().find(|known| known.node.response_key().node == *key) {
                    Some(known) => {
                        let Field { directives, selection_set, .. } = field.node.clone();
                        known.node.directives.extend(directives);
                        known.node.selection_set.node.items.extend(selection_set.node.items);
                    }
                    None => fields.push(field.clone()),
                }
            }
            Selection::InlineFragment(fragment) => {
                collect(&fragment.node.selection_set.node, fragments, variables, fields);
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = fragments.get(&spread.node.fragment_name.node) {
                    collect(&fragment.node.selection_set.node, fragments, variables, fields);
                }
            }
        }
    }
}

/// Whether a directive leaves out what it stands on.
fn skips(directive: &Directive, variables: &Variables) -> bool {
    let condition = |name| {
        let value = directive.get_argument(name).and_then(|value| values::argument(&value.node, variables));
        value == Some(ConstValue::Boolean(true))
    };
    match directive.name.node.as_str() {
        "skip" => condition("if"),
        "include" => !condition("if"),
        _ => false,
    }
}
