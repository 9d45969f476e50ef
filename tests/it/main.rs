//! All integration tests, in one binary.

mod auth;
mod graphql_over_http;
mod hostile;
mod http;
mod support;
