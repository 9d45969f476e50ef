//! Latchkey: hotel stays and the room access keys that belong to them, over GraphQL.
//!
//! A map of the crate, from the edge inwards:
//!
//! - [`http`] serves; [`graphql`], [`rest`] and the command line ([`cli`]) are facades: they parse, call one service, encode.
//! - [`actor`] is who acts and what they may do; [`auth`] tells who asks, [`integrations`] on whose behalf. [`hotels`],
//!   [`rooms`], [`clients`], [`reservations`], [`room_stays`] and [`room_access_keys`] are the capabilities: `mod.rs` is
//!   the service, `model.rs` types and rules, `store.rs` its SQL.
//! - [`import`] and [`demo`] bring hotels to life.
//! - [`events`] is the public contract of what happened, written by the commit of a [`unit::Tx`]; [`webhooks`] delivers it,
//!   as work for outside parties ([`queue`]).
//! - [`unit`] is the unit of work of everything that changes a hotel, and runs requests; [`context`] is what it works with.
//! - [`audit`] is the trail of who did what and why, written by the same commit.
//! - [`idempotency`] keeps answers in the transaction of their effect, so that a request can be sent again.
//! - [`throttle`] limits how much is admitted.
//! - [`pruner`] revokes and deletes keys that outlived their stay.
//! - [`rotation`] seals again what older secret keys have sealed.
//! - [`workers`] runs beside the requests: deliveries, [`pruner`], the upkeep of [`events`], the use of API keys and
//!   their limits.
//! - [`telemetry`] is what is seen from outside: log, metrics, traces.
//! - [`liveness`] tells which processes live, [`last_write`] whether the clock fits the data.
//! - [`clock`], [`id`], [`periodic`], [`secrets`], [`text`], [`tls`] and [`error`] are used everywhere; [`config`] and [`app`] put the parts together.

pub mod actor;
pub mod app;
pub mod audit;
pub mod auth;
pub mod cli;
pub mod clients;
pub mod clock;
pub mod config;
pub mod context;
pub mod db;
pub mod demo;
pub mod error;
pub mod events;
pub mod graphql;
pub mod hotels;
pub mod http;
pub mod id;
pub mod idempotency;
pub mod import;
pub mod integrations;
pub mod last_write;
pub mod liveness;
pub mod periodic;
pub mod pruner;
pub mod queue;
pub mod reservations;
pub mod rest;
pub mod room_access_keys;
pub mod room_stays;
pub mod rooms;
pub mod rotation;
pub mod secrets;
pub mod telemetry;
pub mod text;
pub mod throttle;
pub mod tls;
pub mod unit;
pub mod webhooks;
pub mod workers;
