//! All integration tests, in one binary.

mod auth;
mod conformance;
mod connections;
mod filters;
mod keys;
mod support;
