//! All integration tests, in one binary.

mod auth;
mod import;
mod support;
