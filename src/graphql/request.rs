//! An operation as it was sent.

use async_graphql::Variables;

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
