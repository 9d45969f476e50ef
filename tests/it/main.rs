//! All integration tests, in one binary.

mod auth;
mod keys;
mod support;
mod webhooks;
