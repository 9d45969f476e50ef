//! Compiling a valid document into its page; `None` for what is left to the executor.

use async_graphql::parser::types::{
    ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
};

use super::fields::{CONNECTION, Field as Known, KEYS, Type};
use super::page::Needs;
use super::write::{CompiledPage, Entry, Output};

impl CompiledPage {
    /// The page that an operation of a valid document asks for.
    pub fn of(operation: &OperationDefinition, document: &ExecutableDocument) -> Option<Self> {
        if operation.ty != OperationType::Query || !operation.directives.is_empty() {
            return None;
        }
        let mut compiler = Compiler { document, needs: Needs::default() };
        let root = compiler.fields(&operation.selection_set.node, "Query", None)?;
        let [(key, field)] = root[..] else { return None };
        if field.name.node != "room_stays" {
            return None;
        }
        let arguments = field.arguments.iter().map(|(name, value)| (name.node.clone(), value.node.clone()));
        Some(Self {
            prefix: format!("{{\"{key}\":"),
            arguments: arguments.collect(),
            connection: compiler.object(field, &CONNECTION, None)?,
            needs: compiler.needs,
        })
    }
}

struct Compiler<'a> {
    document: &'a ExecutableDocument,
    needs: Needs,
}

impl<'a> Compiler<'a> {
    /// The fields of a selection set, by their keys, as an object of the type has them. What depends on variables, and
    /// objects that are selected twice, are left to the executor.
    fn fields(
        &self,
        set: &'a SelectionSet,
        type_name: &str,
        interface: Option<&str>,
    ) -> Option<Vec<(&'a str, &'a Field)>> {
        let mut found: Vec<(&str, &Field)> = Vec::new();
        let mut sets = vec![set.items.iter()];
        while let Some(items) = sets.last_mut() {
            let Some(selection) = items.next() else {
                sets.pop();
                continue;
            };
            let (directives, condition, inside) = match &selection.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let key = field.response_key().node.as_str();
                    let is_leaf = field.selection_set.node.items.is_empty();
                    match found.iter().find(|(known, _)| *known == key) {
                        _ if !field.directives.is_empty() => return None,
                        None => found.push((key, field)),
                        // In a valid document, one key has one meaning.
                        Some(_) if is_leaf => {}
                        Some(_) => return None,
                    }
                    continue;
                }
                Selection::InlineFragment(fragment) => {
                    let fragment = &fragment.node;
                    (&fragment.directives, fragment.type_condition.as_ref(), &fragment.selection_set.node)
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = &self.document.fragments.get(&spread.node.fragment_name.node)?.node;
                    (&spread.node.directives, Some(&fragment.type_condition), &fragment.selection_set.node)
                }
            };
            if !directives.is_empty() {
                return None;
            }
            let condition = condition.map(|condition| condition.node.on.node.as_str());
            // A valid fragment can match: if it is on another type than this one, then on one beside it.
            if condition.is_none_or(|on| on == type_name || Some(on) == interface) {
                sets.push(inside.items.iter());
            }
        }
        Some(found)
    }

    fn object(&mut self, field: &'a Field, of: &'static Type, interface: Option<&str>) -> Option<Vec<Entry>> {
        let fields = self.fields(&field.selection_set.node, of.name, interface)?;
        let mut start = '{';
        let mut entries = Vec::with_capacity(fields.len());
        for (key, field) in fields {
            let start = std::mem::replace(&mut start, ',');
            let output = self.field(field, of)?;
            entries.push(Entry { prefix: format!("{start}\"{key}\":"), output });
        }
        Some(entries)
    }

    fn field(&mut self, field: &'a Field, of: &'static Type) -> Option<Output> {
        let name = field.name.node.as_str();
        if name == "__typename" {
            return Some(Output::Constant(format!("\"{}\"", of.name)));
        }
        let (_, known) = of.fields.iter().find(|(known, _)| *known == name)?;
        self.needs.add(known.source());
        Some(match known {
            Known::Leaf(leaf) => Output::Leaf(leaf),
            Known::Object(_, of) => Output::Object(self.object(field, of, None)?),
            Known::Optional(of, is_there) => Output::Optional(self.object(field, of, None)?, *is_there),
            Known::Rows(of) => Output::Rows(self.object(field, of, None)?),
            Known::Key => {
                let mut of_kind = Vec::with_capacity(KEYS.len());
                for (kind, of) in &KEYS {
                    of_kind.push((*kind, self.object(field, of, Some("RoomAccessKey"))?));
                }
                Output::Key(of_kind)
            }
            Known::Executor(_) => return None,
        })
    }
}
