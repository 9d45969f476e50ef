//! A root field that is selected more than once is one field.
//!
//! The specification merges selections with the same response key before it runs them. The executor runs each of them and
//! merges the answers: twice the statements for a query, twice the effect for a mutation.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, FragmentDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned};

use crate::error::{Error, ErrorCode, Result};

type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// Merges the root fields of the operation called `name`, or of the only one.
///
/// # Errors
/// `GRAPHQL_VALIDATION_FAILED` for a mutation that is selected twice under different conditions: whether it runs once or
/// twice would depend on variables.
pub fn merge(document: &mut ExecutableDocument, name: Option<&str>) -> Result<()> {
    let operation = match (&mut document.operations, name) {
        (DocumentOperations::Single(operation), _) => operation,
        (DocumentOperations::Multiple(operations), Some(name)) => match operations.get_mut(name) {
            Some(operation) => operation,
            None => return Ok(()),
        },
        (DocumentOperations::Multiple(_), None) => return Ok(()),
    };
    let operation = &mut operation.node;
    if repeated_key(&operation.selection_set.node, &document.fragments).is_none() {
        return Ok(());
    }
    let mut merged = SelectionSet::default();
    flatten(&operation.selection_set.node, &document.fragments, &mut merged);
    operation.selection_set.node = merged;
    if operation.ty == OperationType::Mutation
        && let Some(key) = repeated_key(&operation.selection_set.node, &document.fragments)
    {
        let message =
            format!("\"{key}\" is selected more than once, under different conditions or with other arguments");
        return Err(Error::new(ErrorCode::ValidationFailed, message));
    }
    drop_unused(document);
    Ok(())
}

/// A response key that several selections of a root have.
fn repeated_key(set: &SelectionSet, fragments: &Fragments) -> Option<Name> {
    fn collect<'a>(set: &'a SelectionSet, fragments: &'a Fragments, seen: &mut HashSet<&'a Name>) -> Option<Name> {
        set.items.iter().find_map(|selection| match &selection.node {
            Selection::Field(field) => {
                let key = &field.node.response_key().node;
                if seen.insert(key) { None } else { Some(key.clone()) }
            }
            Selection::InlineFragment(fragment) => collect(&fragment.node.selection_set.node, fragments, seen),
            Selection::FragmentSpread(spread) => {
                let fragment = fragments.get(&spread.node.fragment_name.node)?;
                collect(&fragment.node.selection_set.node, fragments, seen)
            }
        })
    }
    collect(set, fragments, &mut HashSet::new())
}

/// Puts fields where their unconditional fragments stand, and selections of the same field together. Every fragment of a
/// root is of its type: another one would be refused as impossible, and stays as it is for that.
fn flatten(set: &SelectionSet, fragments: &Fragments, merged: &mut SelectionSet) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => match merged.items.iter_mut().find_map(|known| same_field(known, &field.node)) {
                Some(known) => known.selection_set.node.items.extend(field.node.selection_set.node.items.clone()),
                None => merged.items.push(selection.clone()),
            },
            Selection::InlineFragment(fragment)
                if fragment.node.directives.is_empty()
                    && fragment.node.type_condition.as_ref().is_none_or(|on| is_root(&on.node.on.node)) =>
            {
                flatten(&fragment.node.selection_set.node, fragments, merged);
            }
            Selection::FragmentSpread(spread) if spread.node.directives.is_empty() => {
                match fragments.get(&spread.node.fragment_name.node) {
                    Some(fragment) if is_of_root(&fragment.node) => {
                        flatten(&fragment.node.selection_set.node, fragments, merged);
                    }
                    _ => merged.items.push(selection.clone()),
                }
            }
            Selection::InlineFragment(_) | Selection::FragmentSpread(_) => merged.items.push(selection.clone()),
        }
    }
}

fn is_of_root(fragment: &FragmentDefinition) -> bool {
    fragment.directives.is_empty() && is_root(&fragment.type_condition.node.on.node)
}

fn is_root(type_name: &str) -> bool {
    matches!(type_name, "Query" | "Mutation")
}

fn same_field<'a>(known: &'a mut Positioned<Selection>, field: &Field) -> Option<&'a mut Field> {
    let Selection::Field(known) = &mut known.node else { return None };
    let known = &mut known.node;
    let arguments = |field: &Field| field.arguments.iter().map(|(name, _)| name.node.clone()).collect::<HashSet<_>>();
    let same = known.response_key().node == field.response_key().node
        && known.name.node == field.name.node
        && known.directives.is_empty()
        && field.directives.is_empty()
        && arguments(known) == arguments(field)
        && known.arguments.iter().all(|(name, value)| field.get_argument(&name.node) == Some(value));
    same.then_some(known)
}

/// Drops the fragments that stand in no operation any more.
fn drop_unused(document: &mut ExecutableDocument) {
    fn mark(set: &SelectionSet, fragments: &Fragments, used: &mut HashSet<Name>) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => mark(&field.node.selection_set.node, fragments, used),
                Selection::InlineFragment(fragment) => mark(&fragment.node.selection_set.node, fragments, used),
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = fragments.get(name)
                        && used.insert(name.clone())
                    {
                        mark(&fragment.node.selection_set.node, fragments, used);
                    }
                }
            }
        }
    }
    let mut used = HashSet::new();
    for (_, operation) in document.operations.iter() {
        mark(&operation.node.selection_set.node, &document.fragments, &mut used);
    }
    document.fragments.retain(|name, _| used.contains(name));
}
