//! All integration tests, in one binary.

mod auth;
mod cli;
mod demo;
mod embedded;
mod graphql_over_http;
mod hostile;
mod http;
mod import;
mod keys;
mod support;
mod tidy;
