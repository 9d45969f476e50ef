//! The document on access grants.

use serde_json::json;

use super::Document;
use crate::access_grants::Doors;

#[tokio::test]
async fn what_the_document_on_access_grants_prints_is_so() {
    let mut document = Document::read("docs/ACCESS_GRANTS.md");
    let doors = Doors::new().await;
    let granted = doors.house.locks.data(&document.take("graphql"), json!({})).await;
    let method = &granted["createAccessGrant"]["accessGrant"]["accessMethods"][0];
    assert_eq!((&method["mode"], &method["state"]), (&json!("CARD"), &json!("ENCODING_REQUIRED")));
}
