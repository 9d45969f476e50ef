//! All integration tests, in one binary.

mod auth;
mod batches;
mod cli;
mod conformance;
mod connections;
mod contract;
mod demo;
mod embedded;
mod events;
mod faults;
mod feed;
mod filters;
mod front_desk;
mod graphql_over_http;
mod guests;
mod hostile;
mod http;
mod import;
mod keys;
mod laws;
mod pruner;
mod races;
mod support;
mod tenancy;
mod tidy;
mod webhooks;
