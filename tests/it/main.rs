//! All integration tests, in one binary.

mod auth;
mod batches;
mod conformance;
mod connections;
mod contract;
mod faults;
mod filters;
mod front_desk;
mod keys;
mod laws;
mod races;
mod support;
mod tenancy;
