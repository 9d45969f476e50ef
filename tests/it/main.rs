//! All integration tests, in one binary.

mod auth;
mod demo;
mod import;
mod support;
