//! Documents that want to hurt.
