//! Chained operations: `@chain(variable: "name")` hands a field's value to the next operation of the batch, and to no
//! later one.
//!
//! Refused before anything runs: `@chain` below a list, one variable named twice in an operation, and a chained variable
//! that the client sends as well. A value that is null, or was not reached, chains nothing: the next operation then lacks
//! a variable, which is an ordinary error where it is required. `@chain` on the last operation, or of a variable that the
//! next one does not declare, does nothing.

use std::collections::HashMap;
use std::sync::Mutex;

use async_graphql::extensions::ResolveFut;
use async_graphql::parser::types::{
    Directive as DirectiveNode, ExecutableDocument, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Context, CustomDirective, Directive, ServerResult, Value, Variables, async_trait};

use super::presence;
use super::type_map::TypeMap;
use crate::error::{Error, ErrorCode, Message, Result};

/// Chained values by the names of their variables.
pub type Values = HashMap<String, Value>;

/// What the fields of one operation chain to the next one.
#[derive(Default)]
pub struct Chained(Mutex<Values>);

impl Chained {
    /// The values, once the operation is over.
    pub fn take(&self) -> Values {
        std::mem::take(&mut *self.0.lock().expect("no panic while chained values are held"))
    }
}

/// Passes the value of a field as a variable to the next operation of the batch.
#[Directive(location = "Field")]
pub fn chain(
    #[graphql(desc = "Name of a variable that the next operation declares and the client does not send.")]
    variable: String,
) -> impl CustomDirective {
    Chain { variable }
}

/// The schema definition language with the description of the argument, which the library writes for fields alone.
pub fn describe_argument(sdl: &str) -> String {
    const BARE: &str = "directive @chain(variable: String!)";
    const DESCRIBED: &str = "directive @chain(\n\t\"\"\"\n\t\
        Name of a variable that the next operation declares and the client does not send.\
        \n\t\"\"\"\n\tvariable: String!\n)";
    sdl.replace(BARE, DESCRIBED)
}

struct Chain {
    variable: String,
}

#[async_trait::async_trait]
impl CustomDirective for Chain {
    async fn resolve_field(&self, ctx: &Context<'_>, resolve: ResolveFut<'_>) -> ServerResult<Option<Value>> {
        let value = resolve.await?;
        if let (Some(value), Some(chained)) = (&value, ctx.data_opt::<std::sync::Arc<Chained>>())
            && *value != Value::Null
        {
            let mut value = value.clone();
            presence::unmark(&mut value);
            let mut values = chained.0.lock().expect("no panic while chained values are held");
            values.insert(self.variable.clone(), value);
        }
        Ok(value)
    }
}

/// The variables that an operation chains.
///
/// # Errors
/// `CHAIN_BELOW_LIST`, `CHAIN_VARIABLE_TWICE`, and `GRAPHQL_VALIDATION_FAILED` for a name that is not a literal.
pub fn chained_variables(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    types: &TypeMap,
) -> Result<Vec<String>> {
    let mut walk = Walk { document, types, found: Vec::new() };
    // A document without the directive, as nearly all are, is not walked.
    if types.root(operation.ty).is_some() && mentions_chain(document, operation) {
        walk.selections(&operation.selection_set.node, types.root(operation.ty), false)?;
    }
    Ok(walk.found)
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    types: &'a TypeMap,
    found: Vec<String>,
}

impl Walk<'_> {
    /// Fragments hold no cycles and expand to a bounded number of fields: both were checked before.
    fn selections(&mut self, set: &SelectionSet, parent: Option<&str>, below_list: bool) -> Result<()> {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let shape = parent.and_then(|parent| self.types.field(parent, &field.name.node)).cloned();
                    let below_list = below_list || shape.as_ref().is_some_and(|shape| shape.list);
                    for directive in &field.directives {
                        self.directive(&directive.node, below_list)?;
                    }
                    let type_name = shape.as_ref().map(|shape| shape.type_name.as_str());
                    self.selections(&field.selection_set.node, type_name, below_list)?;
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref().map(|on| on.node.on.node.as_str());
                    self.selections(&fragment.node.selection_set.node, condition.or(parent), below_list)?;
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) {
                        let condition = fragment.node.type_condition.node.on.node.as_str();
                        self.selections(&fragment.node.selection_set.node, Some(condition), below_list)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn directive(&mut self, directive: &DirectiveNode, below_list: bool) -> Result<()> {
        if directive.name.node != "chain" {
            return Ok(());
        }
        if below_list {
            return Err(Error::of(ErrorCode::ChainBelowList));
        }
        let Some(Value::String(variable)) =
            directive.get_argument("variable").and_then(|value| value.node.clone().into_const())
        else {
            return Err(Error::new(Message::ChainNeedsName));
        };
        if self.found.contains(&variable) {
            return Err(Error::new(Message::ChainedTwice { name: variable }));
        }
        self.found.push(variable);
        Ok(())
    }
}

fn mentions_chain(document: &ExecutableDocument, operation: &OperationDefinition) -> bool {
    fn in_set(set: &SelectionSet) -> bool {
        set.items.iter().any(|selection| match &selection.node {
            Selection::Field(field) => {
                field.node.directives.iter().any(|directive| directive.node.name.node == "chain")
                    || in_set(&field.node.selection_set.node)
            }
            Selection::InlineFragment(fragment) => in_set(&fragment.node.selection_set.node),
            Selection::FragmentSpread(_) => false,
        })
    }
    in_set(&operation.selection_set.node)
        || document.fragments.values().any(|fragment| in_set(&fragment.node.selection_set.node))
}

/// Refuses variables that the operation before chains and the client sends as well, whether or not a value is chained.
///
/// # Errors
/// `CHAIN_OVERRIDES_VARIABLE`
pub fn refuse_sent(chained: &[String], operation: &OperationDefinition, given: &Variables) -> Result<()> {
    let declares = |name: &str| operation.variable_definitions.iter().any(|known| known.node.name.node == name);
    match chained.iter().find(|name| given.contains_key(name.as_str()) && declares(name)) {
        Some(name) => Err(Error::new(Message::ChainedAndSent { name: name.clone() })),
        None => Ok(()),
    }
}
