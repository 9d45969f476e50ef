//! All integration tests, in one binary.

mod auth;
mod batches;
mod conformance;
mod connections;
mod contract;
mod filters;
mod front_desk;
mod keys;
mod support;
