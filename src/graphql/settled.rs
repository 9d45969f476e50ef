//! Documents that the validator need not see again.
//!
//! What it says of a document depends on variables in one way alone: whether the value of an argument, variables put in,
//! is of the argument's type. A document that it found nothing wrong with stays so with every value that is of its
//! variable's declared type.

use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::parser::types::{Directive, ExecutableDocument, OperationDefinition, Selection, SelectionSet};
use async_graphql::{Name, Positioned, Value as ConstValue, Variables};
use async_graphql_value::Value;

use super::input_types::InputTypes;

/// What is known of a document's validity.
#[derive(Debug)]
pub struct Settled {
    valid: AtomicBool,
    /// The variables that stand inside a list or an object in some argument.
    nested: Vec<Name>,
}

impl Settled {
    /// Nothing yet.
    pub fn unknown(document: &ExecutableDocument) -> Self {
        let mut nested = Vec::new();
        for (_, operation) in document.operations.iter() {
            of_directives(&operation.node.directives, &mut nested);
            of_selections(&operation.node.selection_set.node, &mut nested);
        }
        for fragment in document.fragments.values() {
            of_directives(&fragment.node.directives, &mut nested);
            of_selections(&fragment.node.selection_set.node, &mut nested);
        }
        Self { valid: AtomicBool::new(false), nested }
    }

    /// Whether the validator looks at the whole document with these variables: it passes over an argument in which a variable
    /// has no value.
    pub fn is_seen_with(&self, variables: &Variables) -> bool {
        self.nested.iter().all(|name| variables.contains_key(name))
    }

    /// The validator has seen the whole document and found nothing wrong with it.
    pub fn found_valid(&self) {
        self.valid.store(true, Ordering::Relaxed);
    }

    /// Whether it is certain to find nothing wrong with the document and these variables.
    pub fn is_valid(&self, operation: &OperationDefinition, variables: &Variables, types: &InputTypes) -> bool {
        self.valid.load(Ordering::Relaxed)
            && operation.variable_definitions.iter().all(|definition| {
                let definition = &definition.node;
                let has_default = || {
                    let default = definition.default_value.as_ref();
                    default.is_some_and(|default| default.node != ConstValue::Null)
                };
                match variables.get(&definition.name.node) {
                    None => true,
                    // With a default, it may stand where null must not.
                    Some(ConstValue::Null) if has_default() => false,
                    Some(value) => types.takes(&definition.var_type.node, value),
                }
            })
    }
}

fn of_selections(set: &SelectionSet, nested: &mut Vec<Name>) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                field.node.arguments.iter().for_each(|(_, value)| of_argument(&value.node, nested));
                of_directives(&field.node.directives, nested);
                of_selections(&field.node.selection_set.node, nested);
            }
            Selection::InlineFragment(fragment) => {
                of_directives(&fragment.node.directives, nested);
                of_selections(&fragment.node.selection_set.node, nested);
            }
            Selection::FragmentSpread(spread) => of_directives(&spread.node.directives, nested),
        }
    }
}

fn of_directives(directives: &[Positioned<Directive>], nested: &mut Vec<Name>) {
    let arguments = directives.iter().flat_map(|directive| &directive.node.arguments);
    arguments.for_each(|(_, value)| of_argument(&value.node, nested));
}

fn of_argument(value: &Value, nested: &mut Vec<Name>) {
    let mut inside = |value: &Value| match value {
        Value::Variable(name) => nested.push(name.clone()),
        value => of_argument(value, nested),
    };
    match value {
        Value::List(items) => items.iter().for_each(&mut inside),
        Value::Object(entries) => entries.values().for_each(&mut inside),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use async_graphql::parser::types::DocumentOperations;
    use serde_json::json;

    use super::*;
    use crate::graphql::Schema;

    /// Whether the document is settled with `later` after it was found valid with `first`.
    fn settles(declared: &str, first: serde_json::Value, later: serde_json::Value) -> bool {
        let types = InputTypes::from_sdl(&Schema::new().sdl());
        let document = parse_query(format!(
            "query({declared}) {{ room_stays(filter: {{reservation_from: {{le: $day}}}}, first: $n) {{ edges {{ cursor }} }} }}"
        ))
        .expect("a document");
        let settled = Settled::unknown(&document);
        let (first, later) = (Variables::from_json(first), Variables::from_json(later));
        let DocumentOperations::Single(operation) = &document.operations else { panic!("one operation") };
        assert!(!settled.is_valid(&operation.node, &first, &types));
        if settled.is_seen_with(&first) {
            settled.found_valid();
        }
        settled.is_valid(&operation.node, &later, &types)
    }

    #[test]
    fn a_valid_document_stays_valid_with_other_values_of_the_types() {
        let declared = "$day: Date!, $n: Int = 5";
        let first = json!({"day": "2026-11-24"});
        assert!(settles(declared, first.clone(), json!({"day": "2027-01-01", "n": 3})));
        for other in [json!({"day": "tomorrow"}), json!({"day": 5}), json!({"day": "2026-11-24", "n": null})] {
            assert!(!settles(declared, first.clone(), other.clone()), "{other}");
        }
        assert!(settles("$day: Date, $n: Int", first, json!({"day": null, "n": null})));
    }

    #[test]
    fn an_argument_with_a_missing_variable_was_not_looked_at() {
        assert!(!settles("$day: Date, $n: Int", json!({"n": 5}), json!({"day": "2026-11-24"})));
        assert!(settles("$day: Date, $n: Int", json!({"day": "2026-11-24"}), json!({})));
    }
}
