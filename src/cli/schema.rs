//! `latchkey schema`

use super::{Failure, print};

pub(super) fn run() -> Result<(), Failure> {
    print(&crate::graphql::schema().sdl())
}
