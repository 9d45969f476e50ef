//! What the tests stand on: a database of their own and an application on it.

#![allow(dead_code, unused_imports, reason = "what one capability's tests leave unused, another's need")]

mod app;
mod db;
mod process;

pub use app::{TestApp, TestIntegration};
pub use db::TestDb;
pub use process::{DataDir, LATCHKEY, Serving, latchkey};
