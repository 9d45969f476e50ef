//! The SQL of doors, spaces and encoders.

pub(super) mod encoders;
pub(super) mod entrances;
pub(super) mod held;
pub(super) mod providers;
pub(super) mod spaces;
