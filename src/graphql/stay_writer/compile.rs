//! From a valid document to its writer; `None` for what is left to the executor.

use async_graphql::parser::types::{ExecutableDocument, Field, OperationType, Selection, SelectionSet};

use super::super::documents::Document;
use super::fields::{CONNECTION, KEYS, Kind, Type};
use super::{Entry, Needs, StayWriter, Written};

impl StayWriter {
    /// Compiles a valid document.
    pub fn compile(document: &Document) -> Option<Self> {
        let operation = document.operation();
        if operation.ty != OperationType::Query || !operation.directives.is_empty() {
            return None;
        }
        let mut compiler = Compiler { document: &document.sent, needs: Needs::default() };
        let root = compiler.fields(&operation.selection_set.node, "Query", None)?;
        let [(key, field)] = root[..] else { return None };
        if field.name.node != "room_stays" {
            return None;
        }
        let arguments = field.arguments.iter().map(|(name, value)| (name.node.clone(), value.node.clone()));
        Some(Self {
            before: format!("{{\"{key}\":"),
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

    fn object(&mut self, field: &'a Field, of: &Type, interface: Option<&str>) -> Option<Vec<Entry>> {
        let fields = self.fields(&field.selection_set.node, of.name, interface)?;
        let mut before = '{';
        let mut entries = Vec::with_capacity(fields.len());
        for (key, field) in fields {
            let before = std::mem::replace(&mut before, ',');
            let written = self.field(field, of)?;
            entries.push(Entry { before: format!("{before}\"{key}\":"), written });
        }
        Some(entries)
    }

    fn field(&mut self, field: &'a Field, of: &Type) -> Option<Written> {
        let name = field.name.node.as_str();
        if name == "__typename" {
            return Some(Written::Constant(format!("\"{}\"", of.name)));
        }
        let (_, need, kind) = of.fields.iter().find(|(known, ..)| *known == name)?;
        need(&mut self.needs);
        Some(match kind {
            Kind::Leaf(leaf) => Written::Leaf(*leaf),
            Kind::Object(of) => Written::Object(self.object(field, of, None)?),
            Kind::Optional(of, is_there) => Written::Optional(self.object(field, of, None)?, *is_there),
            Kind::Rows(of) => Written::Rows(self.object(field, of, None)?),
            Kind::Key => {
                let mut of_kind = Vec::with_capacity(KEYS.len());
                for (kind, of) in &KEYS {
                    of_kind.push((*kind, self.object(field, of, Some("RoomAccessKey"))?));
                }
                Written::Key(of_kind)
            }
        })
    }
}
