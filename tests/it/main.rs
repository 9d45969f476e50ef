//! All integration tests, in one binary.

mod auth;
mod cli;
mod embedded;
mod graphql_over_http;
mod hostile;
mod http;
mod keys;
mod support;
mod tidy;
