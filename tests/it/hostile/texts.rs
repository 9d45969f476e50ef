//! U+0000, which PostgreSQL holds in no text: wherever a text can be given, it is refused as any other wrong value is,
//! by the name of its place.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::sandbox::Round;
use crate::support::{Client, House, code, fingerprint, nodes, text};

/// Input types of the schema: their fields with the type of each, as introspection tells it.
struct Inputs(BTreeMap<String, Vec<(String, Value)>>);

/// Of these, exactly one field is given.
const ONE_OF: [&str; 3] = ["CreateClientInput", "CreateRoomAccessKeyInput", "ReservationClientInput"];

impl Inputs {
    async fn read(client: &Client) -> Self {
        let query = "{ __schema { types { name inputFields { name type { ...T ofType { ...T ofType { ...T ofType { \
            ...T } } } } } } } } fragment T on __Type { kind name }";
        let data = client.data(query, json!({})).await;
        let types = data["__schema"]["types"].as_array().expect("types");
        let field = |field: &Value| (text(&field["name"]), field["type"].clone());
        let fields = |found: &Value| {
            let fields = found["inputFields"].as_array()?;
            Some((text(&found["name"]), fields.iter().map(field).collect()))
        };
        Self(types.iter().filter_map(fields).collect())
    }

    /// Every place for a text in an input of that type.
    fn places(&self, input: &str) -> Vec<Vec<Value>> {
        let mut places = Vec::new();
        for (name, of) in &self.0[input] {
            let (leaf, list) = leaf(of);
            let mut start = vec![json!(name)];
            start.extend(list.then(|| json!(0)));
            match leaf["kind"].as_str() {
                Some("INPUT_OBJECT") => {
                    let below = self.places(leaf["name"].as_str().expect("a name"));
                    places.extend(below.into_iter().map(|rest| [start.clone(), rest].concat()));
                }
                _ if leaf["name"] == "String" => places.push(start),
                _ => {}
            }
        }
        places
    }

    /// `given` with `value` at that place, and with what has to be there besides.
    fn with(&self, input: &str, given: &Value, place: &[Value], value: &Value) -> Value {
        let (name, rest) = place.split_first().expect("a place");
        let name = name.as_str().expect("a field");
        let of = &self.0[input].iter().find(|field| field.0 == name).expect("a field of the type").1;
        let mut object = if given.is_object() { given.clone() } else { self.smallest(input) };
        if ONE_OF.contains(&input) {
            let chosen = object[name].take();
            object = json!({ name: chosen });
        }
        let (leaf, list) = leaf(of);
        let (current, rest) = if list { (&object[name][0], &rest[1..]) } else { (&object[name], rest) };
        let new = match rest {
            [] => value.clone(),
            rest => self.with(leaf["name"].as_str().expect("a name"), current, rest, value),
        };
        object[name] = if list { json!([new]) } else { new };
        object
    }

    /// What has to be given of a type.
    fn smallest(&self, input: &str) -> Value {
        let needed = self.0[input].iter().filter(|(_, of)| of["kind"] == "NON_NULL");
        let value = |of: &Value| match leaf(of).0["name"].as_str() {
            Some("String") => json!("x"),
            other => panic!("a {other:?} that is needed"),
        };
        needed.map(|(name, of)| (name.clone(), value(of))).collect::<serde_json::Map<_, _>>().into()
    }
}

/// The named type below, and whether there is a list of it.
fn leaf(of: &Value) -> (&Value, bool) {
    match of["kind"].as_str() {
        Some("NON_NULL") => leaf(&of["ofType"]),
        Some("LIST") => (leaf(&of["ofType"]).0, true),
        _ => (of, false),
    }
}

#[tokio::test]
async fn in_every_text_of_every_mutation() {
    let round = Round::new().await;
    let inputs = Inputs::read(&round.tester).await;
    let before = fingerprint(&round.house.test.pool).await;
    let mut tried = 0;
    for (name, input, selection) in &round.mutations {
        let (first, rest) = name.split_at(1);
        let input_type = format!("{}{rest}Input", first.to_uppercase());
        for place in inputs.places(&input_type) {
            let sent = inputs.with(&input_type, input, &place, &json!("1\0"));
            let answer = round.tester.act(name, sent, selection).await;
            let path = &answer["errors"][0]["extensions"]["argumentPath"];
            assert_eq!((code(&answer), &path[0]), ("INVALID_ARGUMENT", &json!("input")), "{name} {place:?} {answer}");
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried}");
    assert_eq!(fingerprint(&round.house.test.pool).await, before);
}

#[tokio::test]
async fn in_every_text_and_id_of_queries() {
    let house = House::new().await;
    let admin = house.admin().await;
    let nul = json!({"text": "1\0", "texts": ["1\0"]});
    let (nothing, cursor) = ("no error", "INVALID_CURSOR");
    for (expected, query) in [
        (nothing, "query($text: String!) { reservations(filter: {code: {eq: $text}}) { edges { node { id } } } }"),
        (
            nothing,
            "query($texts: [String!]!) { reservations(filter: {bookingChannelCode: {in: $texts}}) { edges { node { id } } } }",
        ),
        (nothing, "query($text: ID!) { room_stays(filter: {id: {eq: $text}}) { edges { node { id } } } }"),
        (nothing, "query($texts: [ID!]!) { clients(filter: {id: {in: $texts}}) { edges { node { id } } } }"),
        (nothing, "query($text: ID!) { webhookEndpoints(filter: {id: {eq: $text}}) { edges { node { id } } } }"),
        ("INVALID_ARGUMENT", "query($texts: [String!]!) { events(types: $texts) { edges { node { id } } } }"),
        (nothing, "query($text: ID!) { webhookDeliveries(endpointId: $text) { edges { node { id } } } }"),
        (cursor, "query($text: String!) { room_stays(after: $text) { edges { node { id } } } }"),
        (cursor, "query($text: String!) { reservations(before: $text) { edges { node { id } } } }"),
        (cursor, "query($text: String!) { events(after: $text) { edges { node { id } } } }"),
        (cursor, "query($text: String!) { apiKeys(after: $text) { edges { node { id } } } }"),
        (cursor, "query($text: String!) { integrations(before: $text) { edges { node { id } } } }"),
    ] {
        let answer = admin.run(query, nul.clone()).await;
        assert_eq!(code(&answer), expected, "{query} {answer}");
        if expected == nothing {
            let data = answer["data"].as_object().expect("data");
            assert!(data.values().all(|connection| nodes(connection).is_empty()), "{query} {answer}");
        }
    }
}
