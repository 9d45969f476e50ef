//! Seam's interface: the facade itself.

mod access;
mod hostile;
mod house;
mod sdks;
mod tenancy;
