//! Hotels are the tenants: every record of Latchkey belongs to exactly one.

mod model;
pub mod store;

pub use model::{Hotel, HotelId, end_instant};
