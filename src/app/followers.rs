//! The followers: what changes with the changes of others. From it come the parts of every running Latchkey.

use crate::access_grants::{CommandFollower, StayFollower};
use crate::locks::RoomSpaces;
use crate::unit::Follower;

/// Every follower, in the order in which they are given changes.
pub fn followers() -> Vec<Box<dyn Follower>> {
    vec![Box::new(RoomSpaces), Box::new(StayFollower), Box::new(CommandFollower)]
}
