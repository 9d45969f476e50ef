//! Access systems: each provider in the hotel is one, with its doors and its encoders.

pub mod credentials;
pub mod encoders;
pub mod entrances;
pub mod systems;
