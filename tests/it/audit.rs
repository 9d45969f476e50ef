//! The audit trail: that every write leaves an entry, what it tells, and to whom.

mod readers;
mod writes;

use serde_json::{Value, json};

use crate::support::{Client, nodes};

/// Everything that an entry tells.
const ENTRY: &str = "id createdAt action object { type id } updatedFields related { type id } \
     actor { type integration { id name } apiKey { id name } } reason requestId";

/// What somebody may read of the trail of a record, the newest first.
async fn trail(client: &Client, object: &str) -> Vec<Value> {
    let query =
        format!("query($id: ID!) {{ auditEntries(objectId: $id, first: 100) {{ edges {{ node {{ {ENTRY} }} }} }} }}");
    nodes(&client.data(&query, json!({ "id": object })).await["auditEntries"])
}

/// Of entries: what was done to what kind of record, which fields, what it concerns beside it, by whom, and why.
fn told(entries: &[Value]) -> Vec<Value> {
    let by = |actor: &Value| match &actor["integration"]["name"] {
        Value::Null => actor["type"].clone(),
        name => name.clone(),
    };
    let told = |entry: &Value| {
        json!([
            entry["action"],
            entry["object"]["type"],
            entry["updatedFields"],
            entry["related"]["type"],
            by(&entry["actor"]),
            entry["reason"],
        ])
    };
    entries.iter().map(told).collect()
}
