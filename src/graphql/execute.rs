//! One HTTP request: one operation or a batch of them.

use async_graphql::Variables;

use super::response::GraphQlResponse;
use crate::app::App;
use crate::auth::Actor;

/// One operation as the client sent it.
#[derive(Clone, Debug, Default)]
pub struct GraphQlRequest {
    /// The document.
    pub query: String,
    /// Which of its operations.
    pub operation_name: Option<String>,
    /// Its variables.
    pub variables: Variables,
}

/// What a request came to.
#[derive(Debug)]
pub struct Execution {
    /// One answer per operation, in order.
    pub responses: Vec<GraphQlResponse>,
    /// Names of the operations, for the log line.
    pub operations: String,
    /// Statements that it took, for the log line.
    pub statements: u32,
}

/// Runs the operations of one request.
pub async fn execute(app: &App, _actor: &Actor, requests: Vec<GraphQlRequest>) -> Execution {
    let mut responses = Vec::new();
    for request in requests {
        let response = app.schema.execute(async_graphql::Request::new(request.query)).await;
        responses.push(GraphQlResponse { data: Some(response.data), ..Default::default() });
    }
    Execution { responses, operations: String::new(), statements: 0 }
}
