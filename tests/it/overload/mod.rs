//! More requests than can be served.

mod capacity;
mod places;
