//! Clients: the persons and companies that book, pay or stay.

mod model;
pub(crate) mod store;

pub use model::{Client, ClientDetails, ClientKind};
pub use store::{ClientField, extent, guests_of, page};
