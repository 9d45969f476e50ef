//! The simulated encoder.
