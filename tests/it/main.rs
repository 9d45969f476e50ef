//! All integration tests, in one binary.

mod auth;
mod cli;
mod demo;
mod embedded;
mod import;
mod support;
mod tidy;
