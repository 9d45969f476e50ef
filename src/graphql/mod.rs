//! The GraphQL facade.

mod execute;
pub mod limits;
mod response;
pub mod scan;
pub mod type_map;

pub use execute::{Execution, GraphQlRequest, execute};
pub use response::{GraphQlError, GraphQlResponse};

use async_graphql::{EmptyMutation, EmptySubscription};

/// The schema, built once per process.
pub type Schema = async_graphql::Schema<Query, EmptyMutation, EmptySubscription>;

/// Placeholder.
pub struct Query;

#[async_graphql::Object]
impl Query {
    async fn version(&self) -> &str {
        "0"
    }
}

/// Builds the schema.
pub fn schema() -> Schema {
    Schema::new(Query, EmptyMutation, EmptySubscription)
}
