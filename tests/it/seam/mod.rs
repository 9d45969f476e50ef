//! Seam's interface: the facade itself.

mod access;
mod answers;
mod encoding;
mod hostile;
mod house;
mod sdks;
mod tenancy;
