//! All integration tests, in one binary.

mod auth;
mod conformance;
mod keys;
mod support;
