//! The API as its guide describes it: one test per line of the checklist, named after the line. docs/CONFORMANCE.md is
//! the table of both.

mod access;
mod assigning;
mod batches;
mod creating;
mod credentials;
mod errors;
mod filters;
mod grant_rules;
mod grant_scenarios;
mod grants;
pub mod printed;
mod reading;
mod removing;
mod windows;

use serde_json::{Value, json};

use crate::support::House;

/// A room access key of every kind, by the name of its type.
fn every_kind() -> [(&'static str, Value); 3] {
    [
        ("RoomAccessPin", json!({"roomAccessPin": {"pin": "0042"}})),
        ("RoomAccessKeyStorage", json!({"roomAccessKeyStorage": {"pin": "77ab", "compartment": "3R"}})),
        ("RoomAccessQR", json!({"roomAccessQR": {"qrData": "abcdefgh1234567890"}})),
    ]
}

/// What stands in the schema above a type or a field.
async fn description(house: &House, type_name: &str, field: Option<&str>) -> String {
    let query = "query($name: String!) { __type(name: $name) { description fields { name description } } }";
    let data = house.messaging.data(query, json!({ "name": type_name })).await;
    let found = match field {
        None => data["__type"]["description"].as_str(),
        Some(field) => {
            let fields = data["__type"]["fields"].as_array().expect("fields");
            fields.iter().find(|known| known["name"] == field).and_then(|known| known["description"].as_str())
        }
    };
    found.unwrap_or_else(|| panic!("{type_name} {field:?} is described")).to_owned()
}
