//! Latchkey: hotel stays and the room access keys that belong to them, over GraphQL.
//!
//! Modules stand on floors: each imports lower ones alone. docs/ARCHITECTURE.md has the drawing and the map.
//!
//! - [`http`] serves; [`graphql`], [`rest`], [`seam`] and the command line ([`cli`]) are facades: they parse, call one service, encode.
//! - [`access_grants`], [`bookings`], [`key_assignments`], [`disconnection`] and [`hotel_settings`] are what several capabilities do together.
//! - [`rooms`], [`clients`], [`reservations`], [`room_stays`], [`room_access_keys`], [`locks`], [`integrations`] and [`webhooks`] are the
//!   capabilities: `mod.rs` is the service, `model.rs` types and rules, `store.rs` its SQL.
//! - [`unit`] is the unit of work of everything that changes a hotel, and runs requests; [`context`] is what it works with. Its commit
//!   writes [`events`] and the entries of the [`audit`] trail.

pub mod access_grants;
pub mod actor;
pub mod app;
pub mod audit;
pub mod audit_trail;
pub mod auth;
pub mod bookings;
pub mod cli;
pub mod clients;
pub mod clock;
pub mod config;
pub mod context;
pub mod db;
pub mod demo;
pub(crate) mod derive;
pub mod disconnection;
pub mod error;
pub mod events;
pub mod graphql;
pub mod hotel_settings;
pub mod hotels;
pub mod http;
pub mod id;
pub mod idempotency;
pub mod import;
pub mod integrations;
pub mod key_assignments;
pub mod last_write;
pub mod liveness;
pub mod lock_commands;
pub mod locks;
pub mod periodic;
pub mod pruner;
pub mod queue;
pub mod reservations;
pub mod rest;
pub mod room_access_keys;
pub mod room_stays;
pub mod rooms;
pub mod rotation;
pub mod seam;
pub mod secrets;
pub mod simulated_encoder;
pub mod telemetry;
pub mod text;
pub mod throttle;
pub mod tls;
pub mod unit;
pub mod webhooks;
pub mod workers;
