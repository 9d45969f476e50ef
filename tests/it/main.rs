//! All integration tests, in one binary.

mod auth;
mod cli;
mod embedded;
mod keys;
mod support;
mod tidy;
