//! The inputs of mutations by introspection: every place for a value, and a valid input with another value there.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Client, text};

/// Input types of the schema: their fields with the type of each, as introspection tells it.
pub struct Inputs(BTreeMap<String, Vec<(String, Value)>>);

/// Of these, exactly one field is given.
const ONE_OF: [&str; 3] = ["CreateClientInput", "CreateRoomAccessKeyInput", "ReservationClientInput"];

impl Inputs {
    /// Those of the schema that a client reads.
    pub async fn read(client: &Client) -> Self {
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

    /// Name of the input type of a mutation.
    pub fn of(mutation: &str) -> String {
        let (first, rest) = mutation.split_at(1);
        format!("{}{rest}Input", first.to_uppercase())
    }

    /// Every place for a value in an input of that type, with the name of the value's type.
    pub fn places(&self, input: &str) -> Vec<(Vec<Value>, String)> {
        let mut places = Vec::new();
        for (name, of) in &self.0[input] {
            let (leaf, list) = leaf(of);
            let mut start = vec![json!(name)];
            start.extend(list.then(|| json!(0)));
            match leaf["kind"].as_str() {
                Some("INPUT_OBJECT") => {
                    let below = self.places(leaf["name"].as_str().expect("a name"));
                    places.extend(below.into_iter().map(|(rest, leaf)| ([start.clone(), rest].concat(), leaf)));
                }
                _ => places.push((start, text(&leaf["name"]))),
            }
        }
        places
    }

    /// `given` with `value` at that place, and with what has to be there besides.
    pub fn with(&self, input: &str, given: &Value, place: &[Value], value: &Value) -> Value {
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
            Some("Int") => json!(1),
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
