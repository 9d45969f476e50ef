//! What the tests stand on: a database of their own and an application on it.

#![allow(dead_code, unused_imports, reason = "what one capability's tests leave unused, another's need")]

mod app;
pub mod client;
pub mod codes;
mod db;
mod desk;
pub mod encoders;
mod eventually;
mod log;
mod node;
mod process;
pub mod python;
pub mod receiver;
mod server;
mod way;

pub use app::{TestApp, TestIntegration};
pub use client::{Client, House, code, text};
pub use db::TestDb;
pub use desk::{fingerprint, nodes, until_somebody_waits};
pub use eventually::{PATIENCE, eventually};
pub use log::LogLines;
pub use node::Node;
pub use process::{DataDir, LATCHKEY, Serving, latchkey, postgres_program};
pub use python::Python;
pub use receiver::{Received, Receiver, Reply};
pub use server::{TestServer, error_code, header};
pub use way::Way;
