//! The map of types: what the schema's fields answer with, for the checks that walk a document before it runs.

use std::collections::HashMap;

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{BaseType, FieldDefinition, OperationType, Type, TypeKind, TypeSystemDefinition};

/// Every field of every type, introspection included.
#[derive(Debug)]
pub struct TypeMap {
    types: HashMap<String, HashMap<String, FieldShape>>,
    query: String,
    mutation: String,
}

/// What a field answers with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldShape {
    /// Name of its type, without list and non-null.
    pub type_name: String,
    /// Whether it is a list.
    pub list: bool,
    /// Whether its type is a connection: what `edges` holds is bounded by the field's `first` or `last`.
    pub connection: bool,
}

impl TypeMap {
    /// Reads the schema's own description of itself.
    ///
    /// # Panics
    /// When `sdl` is not the SDL of a schema: it comes from the program itself, so that is a fault of the program.
    pub fn from_sdl(sdl: &str) -> Self {
        let mut map = Self { types: HashMap::new(), query: "Query".into(), mutation: "Mutation".into() };
        for text in [sdl, INTROSPECTION] {
            for definition in parse_schema(text).expect("the schema prints itself as SDL").definitions {
                map.add(definition);
            }
        }
        map.mark_connections();
        map
    }

    /// The type whose fields an operation of that kind selects.
    pub fn root(&self, kind: OperationType) -> Option<&str> {
        match kind {
            OperationType::Query => Some(&self.query),
            OperationType::Mutation => Some(&self.mutation),
            OperationType::Subscription => None,
        }
    }

    /// The field of an object or interface type; `None` when there is none of that name.
    pub fn field(&self, type_name: &str, field: &str) -> Option<&FieldShape> {
        let owner = if matches!(field, "__schema" | "__type" | "__typename") { META_FIELDS } else { type_name };
        self.types.get(owner)?.get(field)
    }

    /// Whether the type is a connection: `edges` and `pageInfo`.
    pub fn is_connection(&self, type_name: &str) -> bool {
        let Some(fields) = self.types.get(type_name) else { return false };
        fields.contains_key("pageInfo") && fields.get("edges").is_some_and(|edges| edges.list)
    }

    fn add(&mut self, definition: TypeSystemDefinition) {
        match definition {
            TypeSystemDefinition::Schema(schema) => {
                if let Some(query) = schema.node.query {
                    self.query = query.node.to_string();
                }
                if let Some(mutation) = schema.node.mutation {
                    self.mutation = mutation.node.to_string();
                }
            }
            TypeSystemDefinition::Type(definition) => {
                let fields = match definition.node.kind {
                    TypeKind::Object(object) => object.fields,
                    TypeKind::Interface(interface) => interface.fields,
                    TypeKind::Scalar | TypeKind::Union(_) | TypeKind::Enum(_) | TypeKind::InputObject(_) => return,
                };
                let shapes = self.types.entry(definition.node.name.node.to_string()).or_default();
                shapes.extend(fields.into_iter().map(shape));
            }
            TypeSystemDefinition::Directive(_) => {}
        }
    }

    fn mark_connections(&mut self) {
        let connections: Vec<String> = self.types.keys().filter(|name| self.is_connection(name)).cloned().collect();
        for shape in self.types.values_mut().flat_map(HashMap::values_mut) {
            shape.connection = connections.contains(&shape.type_name);
        }
    }
}

fn shape(field: Positioned<FieldDefinition>) -> (String, FieldShape) {
    let Type { base, .. } = field.node.ty.node;
    let (type_name, list) = match base {
        BaseType::Named(name) => (name.to_string(), false),
        BaseType::List(inner) => (innermost(*inner), true),
    };
    (field.node.name.node.to_string(), FieldShape { type_name, list, connection: false })
}

fn innermost(mut list: Type) -> String {
    loop {
        match list.base {
            BaseType::Named(name) => return name.to_string(),
            BaseType::List(inner) => list = *inner,
        }
    }
}

/// Holder of the fields that every type has without declaring them.
const META_FIELDS: &str = "__Meta";

/// Introspection as the GraphQL specification defines it; a schema does not print it.
const INTROSPECTION: &str = "
    type __Meta { __schema: __Schema! __type(name: String!): __Type __typename: String! }
    type __Schema {
        description: String types: [__Type!]! queryType: __Type! mutationType: __Type subscriptionType: __Type
        directives: [__Directive!]!
    }
    type __Type {
        kind: __TypeKind! name: String description: String specifiedByURL: String isOneOf: Boolean ofType: __Type
        fields(includeDeprecated: Boolean): [__Field!] interfaces: [__Type!] possibleTypes: [__Type!]
        enumValues(includeDeprecated: Boolean): [__EnumValue!] inputFields(includeDeprecated: Boolean): [__InputValue!]
    }
    type __Field {
        name: String! description: String args(includeDeprecated: Boolean): [__InputValue!]! type: __Type!
        isDeprecated: Boolean! deprecationReason: String
    }
    type __InputValue {
        name: String! description: String type: __Type! defaultValue: String isDeprecated: Boolean!
        deprecationReason: String
    }
    type __EnumValue { name: String! description: String isDeprecated: Boolean! deprecationReason: String }
    type __Directive {
        name: String! description: String isRepeatable: Boolean! locations: [__DirectiveLocation!]!
        args(includeDeprecated: Boolean): [__InputValue!]!
    }
";

#[cfg(test)]
mod tests {
    use super::*;

    const SDL: &str = r"
        schema { query: Root mutation: Changes }
        type Root { stays(first: Int): StayConnection! settings: Settings! key: Key search: [Found!] }
        type Changes { add: Stay }
        type StayConnection { edges: [StayEdge!]! pageInfo: PageInfo! totalCount: Int! }
        type StayEdge { cursor: String! node: Stay! }
        type Stay { id: ID! guests: [[Guest!]!]! key: Key }
        type Guest { name: String }
        type Settings { rooms: [String!]! }
        type PageInfo { endCursor: String }
        interface Key { id: ID! stays: StayConnection! }
        type Pin implements Key { id: ID! stays: StayConnection! pin: String! }
        union Found = Stay | Guest
        enum Colour { RED }
        input Filter { not: Filter }
    ";

    fn field(owner: &str, name: &str) -> Option<(String, bool, bool)> {
        TypeMap::from_sdl(SDL).field(owner, name).map(|shape| (shape.type_name.clone(), shape.list, shape.connection))
    }

    #[test]
    fn it_knows_lists_and_connections_on_objects_and_interfaces() {
        assert_eq!(field("Root", "stays"), Some(("StayConnection".into(), false, true)));
        assert_eq!(field("StayConnection", "edges"), Some(("StayEdge".into(), true, false)));
        assert_eq!(field("Stay", "guests"), Some(("Guest".into(), true, false)));
        assert_eq!(field("Key", "stays"), Some(("StayConnection".into(), false, true)));
        assert_eq!(field("Pin", "pin"), Some(("String".into(), false, false)));
        assert_eq!(field("Found", "id"), None);
        assert_eq!(field("Filter", "not"), None);
    }

    #[test]
    fn it_knows_the_roots() {
        let map = TypeMap::from_sdl(SDL);
        assert_eq!(map.root(OperationType::Query), Some("Root"));
        assert_eq!(map.root(OperationType::Mutation), Some("Changes"));
        assert_eq!(map.root(OperationType::Subscription), None);
    }

    #[test]
    fn it_knows_introspection() {
        assert_eq!(field("Root", "__schema"), Some(("__Schema".into(), false, false)));
        assert_eq!(field("__Schema", "types"), Some(("__Type".into(), true, false)));
        assert_eq!(field("Found", "__typename"), Some(("String".into(), false, false)));
    }

    #[test]
    fn it_reads_the_schema_of_the_program() {
        let schema = crate::graphql::Schema::new();
        let map = TypeMap::from_sdl(&schema.sdl());
        assert!(map.root(OperationType::Query).is_some_and(|query| map.types.contains_key(query)));
    }
}
