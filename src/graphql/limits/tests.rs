//! Limits of documents: what passes and what does not.

use std::ops::Range;

use async_graphql::Name;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{Selection, SelectionSet};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::error::ErrorCode;

const SDL: &str = "
    type Query {
        reservations(first: Int, last: Int, after: String, filter: Filter): ReservationConnection!
        room_stays(first: Int, last: Int): RoomStayConnection!
        settings: Settings!
    }
    type Mutation { add(input: Filter): RoomStay }
    input Filter { eq: String not: Filter or: [Filter!] in: [ID!] }
    type ReservationConnection { edges: [ReservationEdge!]! pageInfo: PageInfo! totalCount: Int! }
    type ReservationEdge { cursor: String! node: Reservation! }
    type Reservation { id: ID! code: String! status: String! client: Client rooms(first: Int, last: Int): RoomStayConnection! }
    type RoomStayConnection { edges: [RoomStayEdge!]! pageInfo: PageInfo! totalCount: Int! }
    type RoomStayEdge { cursor: String! node: RoomStay! }
    type RoomStay { id: ID! reservation: Reservation! guests: [Client!]! room_setup: Room }
    type Client { firstname: String lastname: String email: String }
    type Room { id: ID! name: String! }
    type Settings { roomSetups: [Room!]! }
    type PageInfo { hasNextPage: Boolean! endCursor: String }
";

fn measured(text: &str, name: Option<&str>, variables: serde_json::Value) -> Result<Cost> {
    crate::graphql::scan::scan(text)?;
    let document = parse_query(text).expect("a document");
    let operation = document
        .operations
        .iter()
        .find(|(found, _)| name.is_none() || found.map(Name::as_str) == name)
        .map(|(_, operation)| operation)
        .expect("an operation");
    let mut variables = Variables::from_json(variables);
    for definition in &operation.node.variable_definitions {
        if let Some(default) = &definition.node.default_value {
            variables.entry(definition.node.name.node.clone()).or_insert_with(|| default.node.clone());
        }
    }
    measure(&document, &operation.node, &variables, &TypeMap::from_sdl(SDL))
}

fn cost(text: &str) -> Cost {
    measured(text, None, json!({})).unwrap_or_else(|error| panic!("{text}: {}", error.message.english()))
}

fn refusal(text: &str) -> (ErrorCode, String) {
    refusal_with(text, json!({}))
}

fn refusal_with(text: &str, variables: serde_json::Value) -> (ErrorCode, String) {
    let error = measured(text, None, variables).expect_err(text);
    (error.code, error.message.english())
}

fn too_complex(what: &str) -> (ErrorCode, String) {
    (ErrorCode::DocumentTooComplex, format!("The document has more than {what}"))
}

fn too_deep(what: &str) -> (ErrorCode, String) {
    (ErrorCode::DocumentTooDeep, format!("The document nests more than {what}"))
}

fn many(numbers: Range<usize>, text: impl Fn(usize) -> String) -> String {
    numbers.map(text).collect::<Vec<_>>().concat()
}

#[test]
fn pages_multiply_what_their_records_hold() {
    let page = |arguments: &str| {
        cost(&format!("{{ room_stays{arguments} {{ edges {{ node {{ id }} }} totalCount }} }}")).values
    };
    // The connection as a statement, its count, and three values per record.
    assert_eq!(page(""), 101 + 20 * 3);
    assert_eq!(page("(first: 7)"), 101 + 7 * 3);
    assert_eq!(page("(last: 3, first: null)"), 101 + 3 * 3);
    assert_eq!(page("(first: 3, last: 30)"), 101 + 30 * 3);
    for out_of_range in
        ["(first: 101)", "(first: -1)", "(first: 99999999999999999999)", "(first: \"1\")", "(first: 1.5)"]
    {
        assert_eq!(page(out_of_range), 101 + 100 * 3, "{out_of_range}");
    }
}

#[test]
fn a_page_size_comes_from_the_variable_its_default_or_is_the_largest() {
    let text = "query($n: Int = 5, $m: Int) {
        room_stays(first: $n) { edges { cursor } } reservations(first: $m) { edges { cursor } }
    }";
    let values = |variables| measured(text, None, variables).expect("measured").values;
    assert_eq!(values(json!({})), 200 + 5 * 2 + 100 * 2);
    assert_eq!(values(json!({ "n": 10, "m": 1 })), 200 + 10 * 2 + 2);
    assert_eq!(values(json!({ "n": 1_000, "m": null })), 200 + 100 * 2 + 20 * 2);
}

#[test]
fn a_fragment_on_a_connection_is_multiplied_by_the_page_of_whoever_spreads_it() {
    let text =
        "{ a: room_stays(first: 10) { ...Page } b: room_stays(first: 1) { ... on RoomStayConnection { ...Page } } }
        fragment Page on RoomStayConnection { edges { cursor } pageInfo { endCursor } }";
    assert_eq!(cost(text), Cost { fields: 2 + 2 * 4, values: (102 + 10 * 2) + (102 + 2) });
}

#[test]
fn what_takes_a_statement_costs_as_much_as_a_hundred_values() {
    assert_eq!(cost("mutation { a: add { id } b: add { id } }").values, 2 * (100 + 1));
    assert_eq!(cost("{ settings { __typename } }").values, 2);
}

#[test]
fn a_hundred_reservations_with_rooms_and_guests_pass() {
    let text = "{ reservations(first: 100) { pageInfo { hasNextPage endCursor } edges { node { id code status client { lastname }
        rooms(first: 20) { edges { node { id room_setup { name } guests { firstname lastname email } } } } } } } }";
    assert!(cost(text).values < MAX_VALUES);
}

#[test]
fn pages_of_pages_of_pages_do_not_pass() {
    let inner = "rooms(first: 100) { edges { node { reservation { rooms(first: 100) { edges { cursor } } } } } }";
    let text = format!("{{ reservations(first: 100) {{ edges {{ node {{ {inner} }} }} }} }}");
    assert_eq!(refusal(&text), too_complex("250000 values in the answer by its page sizes"));
    let text = format!("query($n: Int) {{ {} }}", text.replace("100", "$n").trim_matches(['{', '}']));
    assert_eq!(refusal(&text).0, ErrorCode::DocumentTooComplex);
    assert!(measured(&text, None, json!({ "n": 2 })).is_ok());
    let rooms = "rooms(first: 100) { edges { cursor } }";
    let aliases = many(0..30, |n| format!("a{n}: reservations(first: 100) {{ edges {{ node {{ {rooms} }} }} }}"));
    assert_eq!(refusal(&format!("{{ {aliases} }}")).0, ErrorCode::DocumentTooComplex);
}

/// Each fragment spreads the one before it several times: `width` to the power of `levels` in a few hundred bytes.
fn tower(levels: usize, width: usize, leaf: &str) -> String {
    let floors = many(1..levels, |level| {
        format!("fragment f{level} on Query{{{}}}", format!("...f{}", level - 1).repeat(width))
    });
    format!("{{...f{}}}fragment f0 on Query{{{leaf}}}{floors}", levels - 1)
}

// Were a fragment walked once per spread, this test would not end.
#[test]
fn nested_fragments_are_walked_once_each() {
    let text = tower(26, 2, "settings{__typename}");
    assert!(text.len() < 1_024);
    assert_eq!(refusal(&text), too_complex("1500 fields"));
    assert_eq!(refusal(&tower(30, 10, "__typename")), too_complex("1500 fields"));
}

#[test]
fn a_circle_of_fragments_is_refused_wherever_it_is() {
    for circle in [
        "{ ...a } fragment a on Query { ...a }",
        "{ ...a } fragment a on Query { ...b } fragment b on Query { settings { ...c } } fragment c on Settings { ...a }",
        "query x { settings { roomSetups { id } } } query y { ...a } fragment a on Query { ... { ...a } }",
    ] {
        assert_eq!(refusal(circle).0, ErrorCode::ValidationFailed, "{circle}");
    }
}

#[test]
fn a_fragment_that_nothing_uses_is_refused() {
    assert_eq!(
        refusal("{ __typename } fragment a on Query { ...a }"),
        (ErrorCode::ValidationFailed, "Fragment \"a\" is never used".to_owned())
    );
}

#[test]
fn a_chain_of_fragments_is_refused_before_it_is_long() {
    let chain = |length: usize| {
        let links = many(1..length, |link| format!("fragment f{link} on Query{{...f{}}}", link - 1));
        format!("{{...f{}}}fragment f0 on Query{{__typename}}{links}", length - 1)
    };
    assert_eq!(cost(&chain(32)).fields, 1);
    assert_eq!(refusal(&chain(33)), too_deep("32 selection sets"));
    assert_eq!(refusal(&chain(100)), too_deep("32 selection sets"));
    assert_eq!(refusal(&chain(500)), too_complex("100 fragments"));
}

#[test]
fn a_known_fragment_counts_its_height_wherever_it_is_spread() {
    let inner = "room_stays { edges { node { reservation { rooms { edges { node { ...R } } } } } } }";
    let text = format!(
        "{{ ...Q {inner} }} fragment Q on Query {{ room_stays {{ edges {{ node {{ ...R }} }} }} }}
         fragment R on RoomStay {{ reservation {{ rooms {{ edges {{ node {{ room_setup {{ id }} }} }} }} }} }}"
    );
    assert_eq!(refusal(&text), too_deep("12 fields"));
}

#[test]
fn twelve_fields_may_nest_and_introspection_more() {
    let nested = |levels: usize| format!("{}{}", "{a".repeat(levels), "}".repeat(levels));
    assert_eq!(cost(&nested(12)).fields, 12);
    assert_eq!(refusal(&nested(13)), too_deep("12 fields"));
    let types = format!("{{ __schema {{ types {{ {} kind {} }} }} }}", "ofType {".repeat(14), "}".repeat(14));
    assert_eq!(cost(&types).fields, 17);
    let inline = format!("{{ {} __typename {} }}", "... {".repeat(33), "}".repeat(33));
    assert_eq!(refusal(&inline), too_deep("32 selection sets"));
}

#[test]
fn introspection_is_bounded() {
    let deeper = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }";
    assert_eq!(refusal(deeper), too_deep("3 lists of introspection"));
    let types = format!("{{ __schema {{ types {{ {} }} }} }}", "name ".repeat(400));
    assert_eq!(refusal(&types), too_complex("400 fields of introspection"));
    let split = "{ __schema { types { ...T } } } fragment T on __Type { fields { type { ...U } } }
        fragment U on __Type { possibleTypes { interfaces { name } } }";
    assert_eq!(refusal(split), too_deep("3 lists of introspection"));
}

#[test]
fn floods_are_refused() {
    let flood = |part: &str, times: usize| format!("{{ {} }}", part.repeat(times));
    assert_eq!(refusal(&flood("a ", 1_501)), too_complex("1500 fields"));
    assert_eq!(refusal(&flood("a:b ", 501)), too_complex("500 aliases"));
    assert_eq!(refusal(&flood("... { a } ", 501)), too_complex("500 uses of fragments"));
    assert_eq!(refusal(&flood("a @skip(if: true) ", 201)), too_complex("200 directives"));
    assert_eq!(refusal(&format!("{{ a {} }}", "@d ".repeat(201))), too_complex("200 directives"));
    assert_eq!(refusal(&format!("query {} {{ a }}", "@d ".repeat(201))), too_complex("200 directives"));
    assert_eq!(refusal(&format!("{{ a({}) }}", "b:1 ".repeat(33))), too_complex("32 arguments on one field"));
    assert_eq!(refusal(&format!("{{ a @d({}) }}", "b:1 ".repeat(33))), too_complex("32 arguments on one field"));
    let variables = many(0..201, |n| format!("$v{n}:ID "));
    assert_eq!(refusal(&format!("query({variables}) {{ a }}")), too_complex("200 variables"));
    let operations = many(0..51, |n| format!("query q{n} {{ a }} "));
    assert_eq!(refusal(&operations), too_complex("50 operations"));
}

#[test]
fn operations_that_do_not_run_are_bounded_too() {
    let text = format!("query run {{ a }} query idle {{ {} }}", "a ".repeat(1_500));
    let error = measured(&text, Some("run"), json!({})).expect_err("too many fields");
    assert_eq!(error.code, ErrorCode::DocumentTooComplex);
    let pages =
        "query run { a } query idle { reservations(first: 100) { edges { node { rooms(first: 100) { edges { node {
        reservation { rooms(first: 100) { edges { cursor } } } } } } } } } }";
    assert_eq!(measured(pages, Some("run"), json!({})).expect("measured").values, 1);
}

#[test]
fn every_use_of_a_variable_counts() {
    let text = |uses: usize| format!("query($v: [ID!]) {{ {} }}", "a(b: $v) ".repeat(uses));
    let ids = json!({ "v": vec!["0198c0de-0000-7000-8000-000000000000"; 1_000] });
    assert!(measured(&text(1), None, ids.clone()).is_ok());
    assert_eq!(refusal_with(&text(10), ids), too_complex("262144 bytes of arguments"));
    let long = json!({ "v": "x".repeat(300 * 1_024) });
    assert_eq!(refusal_with(&text(1), long.clone()), too_complex("262144 bytes of arguments"));
    assert!(measured("{ a }", None, long).is_ok(), "what the document does not use costs nothing");
}

#[test]
fn arguments_nest_20_deep_in_the_document_and_in_its_variables() {
    let nested = |levels: usize| (0..levels).fold(json!({}), |inner, _| json!({ "not": inner }));
    let text = "query($f: Filter) { reservations(filter: $f) { totalCount } }";
    assert!(measured(text, None, json!({ "f": nested(19) })).is_ok());
    assert_eq!(refusal_with(text, json!({ "f": nested(20) })), too_deep("20 lists and objects in an argument"));
    let inside = "query($f: Filter) { reservations(filter: {or: [{not: $f}]}) { totalCount } }";
    assert_eq!(refusal_with(inside, json!({ "f": nested(17) })).0, ErrorCode::DocumentTooDeep);
    let literal = format!("{{ a(b: {}1{}) }}", "[".repeat(21), "]".repeat(21));
    assert_eq!(refusal(&literal).0, ErrorCode::DocumentTooDeep);
    let default = format!("query($v: ID = {}1{}) {{ a }}", "[".repeat(21), "]".repeat(21));
    assert_eq!(refusal(&default).0, ErrorCode::DocumentTooDeep);
}

/// Fields and spreads, counted by expanding every spread, as the library does.
fn expanded(document: &ExecutableDocument, set: &SelectionSet) -> (u64, u64) {
    set.items.iter().fold((0, 0), |(fields, spreads), selection| {
        let (more_fields, more_spreads) = match &selection.node {
            Selection::Field(field) => {
                let (inner, spreads) = expanded(document, &field.node.selection_set.node);
                (inner + 1, spreads)
            }
            Selection::InlineFragment(fragment) => {
                let (fields, inner) = expanded(document, &fragment.node.selection_set.node);
                (fields, inner + 1)
            }
            Selection::FragmentSpread(spread) => {
                let fragment = &document.fragments[&spread.node.fragment_name.node];
                let (fields, inner) = expanded(document, &fragment.node.selection_set.node);
                (fields, inner + 1)
            }
        };
        (fields + more_fields, spreads + more_spreads)
    })
}

/// Selections that may spread the fragments below `level`.
fn selections(level: usize) -> BoxedStrategy<String> {
    let mut leaves = vec!["a ".to_owned(), "b{c}".to_owned(), "...{a b}".to_owned()];
    leaves.extend((0..level).map(|below| format!("...f{below} ")));
    leaves.extend((0..level).map(|below| format!("x{{...f{below}}}")));
    prop::collection::vec(prop::sample::select(leaves), 1..4).prop_map(|parts| parts.concat()).boxed()
}

proptest! {
    #[test]
    fn memory_does_not_change_the_sums(
        bodies in [selections(0), selections(1), selections(2), selections(3), selections(4)],
        body in selections(5),
    ) {
        let definitions = many(0..bodies.len(), |n| format!("fragment f{n} on Query{{{}}}", bodies[n]));
        let text = format!("{{{body}...f0...f1...f2...f3...f4}}{definitions}");
        let document = parse_query(&text).expect("a document");
        let (_, operation) = document.operations.iter().next().expect("an operation");
        let (fields, spreads) = expanded(&document, &operation.node.selection_set.node);
        match measured(&text, None, json!({})) {
            Ok(cost) => prop_assert_eq!(cost.fields, fields),
            Err(_) => prop_assert!(fields > MAX_FIELDS || spreads > MAX_SPREADS),
        }
    }
}
