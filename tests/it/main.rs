//! All integration tests, in one binary.

mod auth;
mod events;
mod feed;
mod keys;
mod pruner;
mod support;
