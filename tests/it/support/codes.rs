//! The error codes that the descriptions of mutations list, and whether answers keep to them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::LazyLock;

use serde_json::Value;

/// The schema as integrators read it; a test keeps it in step with the one that is served.
pub fn schema_file() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql")).expect("schema.graphql")
}

/// By the name of each mutation: the codes in the paragraph of its description that begins with `Errors:`.
pub fn described() -> BTreeMap<String, BTreeSet<String>> {
    let schema = schema_file();
    let (_, mutations) = schema.split_once("\ntype Mutation {\n").expect("mutations");
    let (mutations, _) = mutations.split_once("\n}").expect("an end");
    let mut described = BTreeMap::new();
    let mut parts = mutations.split("\"\"\"").skip(1);
    while let (Some(description), Some(field)) = (parts.next(), parts.next()) {
        // Beside those of mutations, there are descriptions of arguments.
        let Some((name, _)) = field.trim().split_once('(') else { continue };
        let codes = description.split_once("Errors: ").map_or("", |(_, codes)| codes);
        let codes = codes.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        described.insert(name.to_owned(), codes);
    }
    described
}

/// Fails where a mutation answers with a code that its description does not list.
///
/// # Panics
/// For such an answer.
pub fn expect_described(response: &Value) {
    static DESCRIBED: LazyLock<BTreeMap<String, BTreeSet<String>>> = LazyLock::new(described);
    for error in response["errors"].as_array().into_iter().flatten() {
        let Some([Value::String(key)]) = error["path"].as_array().map(Vec::as_slice) else { continue };
        let Some(codes) = DESCRIBED.get(key) else { continue };
        let (code, extensions) = (error["extensions"]["code"].as_str().unwrap_or_default(), &error["extensions"]);
        // Any request can fail for reasons of its credential or of the service; and so can arguments of selected fields.
        let of_any_request = !matches!(extensions["category"].as_str(), Some("validation" | "configuration"));
        let of_a_field =
            matches!(code, "INVALID_ARGUMENT" | "INVALID_CURSOR") && extensions["argumentPath"][0] != "input";
        assert!(of_any_request || of_a_field || codes.contains(code), "{key} does not list {code}: {error}");
    }
}
