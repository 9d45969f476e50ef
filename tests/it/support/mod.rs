//! What the tests stand on: a database of their own and an application on it.

#![allow(dead_code, unused_imports, reason = "what one capability's tests leave unused, another's need")]

mod app;
pub mod client;
mod db;
pub mod receiver;

pub use app::{TestApp, TestIntegration};
pub use client::{Client, House, code, text};
pub use db::TestDb;
pub use receiver::{Received, Receiver, Reply};
