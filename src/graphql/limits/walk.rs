//! One walk over a document that remembers what each fragment comes to.

use std::collections::HashMap;

use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, Value as ConstValue, Variables};
use async_graphql_value::Value;

use super::input::Input;
use super::{MAX_ARGUMENTS, MAX_INPUT_DEPTH, MAX_NESTING, Tally, within, within_depth};
use crate::error::{Counted, Error, Message, Nested, Result};
use crate::graphql::type_map::TypeMap;
use crate::throttle::STATEMENT_COST;

/// Records on a page, unless the query says how many.
const DEFAULT_PAGE: u64 = 20;
/// Most records on a page; what is out of range counts as this, before it is refused.
const MAX_PAGE: u64 = 100;
/// What a list without pages is taken to hold: the guests of a room, the rooms of a small hotel.
const PLAIN_LIST: u64 = 5;

/// Where a selection set stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// Its type, as far as the schema knows it.
    type_name: Option<&'a str>,
    /// Selection sets around it.
    nesting: u64,
}

/// What is known of a fragment.
enum Fragment {
    /// It is being walked: a spread of it now closes a circle.
    Open,
    Done(Tally),
}

/// The walk: what it reads and what it remembers.
pub(super) struct Walk<'a> {
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    types: &'a TypeMap,
    inputs: HashMap<&'a str, Input>,
    fragments: HashMap<&'a str, Fragment>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(document: &'a ExecutableDocument, variables: &'a Variables, types: &'a TypeMap) -> Self {
        Self { document, variables, types, inputs: HashMap::new(), fragments: HashMap::new() }
    }

    /// Whether the fragment has been spread so far.
    pub(super) fn has_seen(&self, fragment: &Name) -> bool {
        self.fragments.contains_key(fragment.as_str())
    }

    /// What an operation of the document comes to.
    pub(super) fn operation(&mut self, operation: &'a OperationDefinition) -> Result<Tally> {
        let place = Place { type_name: self.types.root(operation.ty), nesting: 0 };
        let mut tally = self.selection_set(&operation.selection_set, place)?;
        self.directives(&operation.directives, &mut tally)?;
        for definition in &operation.variable_definitions {
            self.directives(&definition.node.directives, &mut tally)?;
            if let Some(default) = &definition.node.default_value {
                add_input(Input::of_const(&default.node), &mut tally)?;
            }
        }
        Ok(tally)
    }

    fn selection_set(&mut self, set: &'a Positioned<SelectionSet>, place: Place<'a>) -> Result<Tally> {
        within_depth(place.nesting, MAX_NESTING, Nested::SelectionSets)?;
        let mut sum = Tally::default();
        for selection in &set.node.items {
            let part = match &selection.node {
                Selection::Field(field) => self.field(&field.node, place)?,
                Selection::InlineFragment(fragment) => {
                    let condition =
                        fragment.node.type_condition.as_ref().map(|condition| condition.node.on.node.as_str());
                    let type_name = condition.or(place.type_name);
                    let inner = Place { type_name, nesting: place.nesting + 1 };
                    let tally = self.selection_set(&fragment.node.selection_set, inner)?;
                    self.spread(tally, &fragment.node.directives)?
                }
                Selection::FragmentSpread(spread) => {
                    let tally = self.fragment(&spread.node.fragment_name.node, place.nesting + 1)?;
                    self.spread(tally, &spread.node.directives)?
                }
            };
            sum.add(&part);
        }
        Ok(sum)
    }

    fn spread(&mut self, mut tally: Tally, directives: &'a [Positioned<Directive>]) -> Result<Tally> {
        tally.spreads = tally.spreads.saturating_add(1);
        tally.nesting += 1;
        self.directives(directives, &mut tally)?;
        Ok(tally)
    }

    /// Walks a fragment the first time that it is spread, and remembers what it comes to.
    fn fragment(&mut self, name: &'a Name, nesting: u64) -> Result<Tally> {
        match self.fragments.get(name.as_str()) {
            Some(Fragment::Done(tally)) => return Ok(*tally),
            Some(Fragment::Open) => {
                return Err(Error::new(Message::FragmentSpreadsItself { name: name.to_string() }));
            }
            None => {}
        }
        // One that is not defined is left to the validator, which says so.
        let Some(definition) = self.document.fragments.get(name) else { return Ok(Tally::default()) };
        self.fragments.insert(name, Fragment::Open);
        let place = Place { type_name: Some(&definition.node.type_condition.node.on.node), nesting };
        let mut tally = self.selection_set(&definition.node.selection_set, place)?;
        self.directives(&definition.node.directives, &mut tally)?;
        self.fragments.insert(name, Fragment::Done(tally));
        Ok(tally)
    }

    fn field(&mut self, field: &'a Field, place: Place<'a>) -> Result<Tally> {
        let name = field.name.node.as_str();
        let shape = place.type_name.and_then(|owner| self.types.field(owner, name));
        let list = shape.is_some_and(|shape| shape.list);

        let mut tally = if field.selection_set.node.items.is_empty() {
            Tally::default()
        } else {
            let inner = Place { type_name: shape.map(|shape| shape.type_name.as_str()), nesting: place.nesting + 1 };
            let mut tally = self.selection_set(&field.selection_set, inner)?;
            tally.nesting += 1;
            tally
        };

        let introspection =
            matches!(name, "__schema" | "__type") || place.type_name.is_some_and(|owner| owner.starts_with("__"));
        if introspection {
            tally.introspection_fields = tally.introspection_fields.saturating_add(1);
            tally.introspection_lists += u64::from(list);
        } else {
            tally.fields = tally.fields.saturating_add(1);
            tally.depth += 1;
        }
        tally.aliases = tally.aliases.saturating_add(u64::from(field.alias.is_some()));
        self.arguments(&field.arguments, &mut tally)?;
        self.directives(&field.directives, &mut tally)?;

        let connection = shape.is_some_and(|shape| shape.connection);
        let act = place.type_name.is_some() && place.type_name == self.types.root(OperationType::Mutation);
        let records = if connection { self.page_size(field) } else { 1 };
        let inside = tally.values.saturating_add(tally.values_per_record.saturating_mul(records));
        let value = inside.saturating_add(if connection || act { STATEMENT_COST } else { 1 });
        (tally.values, tally.values_per_record) = match place.type_name {
            // The list of a connection is a page, whose length the field of the connection tells.
            Some(owner) if list && self.types.is_connection(owner) => (0, value),
            _ if list && !introspection => (value.saturating_mul(PLAIN_LIST), 0),
            _ => (value, 0),
        };
        Ok(tally)
    }

    fn directives(&mut self, directives: &'a [Positioned<Directive>], tally: &mut Tally) -> Result<()> {
        tally.directives = tally.directives.saturating_add(directives.len() as u64);
        directives.iter().try_for_each(|directive| self.arguments(&directive.node.arguments, tally))
    }

    fn arguments(&mut self, arguments: &'a [(Positioned<Name>, Positioned<Value>)], tally: &mut Tally) -> Result<()> {
        within(arguments.len() as u64, MAX_ARGUMENTS, Counted::Arguments)?;
        arguments.iter().try_for_each(|(_, value)| add_input(self.input(&value.node), tally))
    }

    fn input(&mut self, value: &'a Value) -> Input {
        match value {
            Value::Variable(name) => self.variable_input(name),
            Value::String(text) => Input::leaf(text),
            Value::Enum(name) => Input::leaf(name),
            Value::List(items) => Input::container(items.iter().map(|item| self.input(item))),
            Value::Object(entries) => Input::container(entries.iter().map(|(key, value)| self.input(value).under(key))),
            Value::Null | Value::Number(_) | Value::Boolean(_) | Value::Binary(_) => Input::leaf(""),
        }
    }

    fn variable_input(&mut self, name: &'a Name) -> Input {
        if let Some(known) = self.inputs.get(name.as_str()) {
            return *known;
        }
        let input = self.variables.get(name).map_or(Input::leaf(""), Input::of_const);
        self.inputs.insert(name, input);
        input
    }

    /// Records that the page of a connection holds at most. A variable that is not there yet may still be chained.
    fn page_size(&self, field: &Field) -> u64 {
        let size = |argument| match &field.get_argument(argument)?.node {
            Value::Null => None,
            Value::Number(number) => Some(number.as_u64()),
            Value::Variable(name) => match self.variables.get(name) {
                Some(ConstValue::Null) => None,
                Some(ConstValue::Number(number)) => Some(number.as_u64()),
                _ => Some(None),
            },
            _ => Some(None),
        };
        let bounded = |size: Option<u64>| size.filter(|size| *size <= MAX_PAGE).unwrap_or(MAX_PAGE);
        ["first", "last"].into_iter().filter_map(size).map(bounded).max().unwrap_or(DEFAULT_PAGE)
    }
}

fn add_input(input: Input, tally: &mut Tally) -> Result<()> {
    within_depth(input.depth, MAX_INPUT_DEPTH, Nested::Inputs)?;
    tally.input_bytes = tally.input_bytes.saturating_add(input.bytes);
    Ok(())
}
