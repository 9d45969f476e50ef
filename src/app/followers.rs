//! What follows the changes of a transaction.

use crate::access_grants::{CommandFollower, StayFollower};
use crate::unit::Follower;

/// Everything that changes with the changes of others, in the order in which it does.
pub fn followers() -> Vec<Box<dyn Follower>> {
    vec![Box::new(StayFollower), Box::new(CommandFollower)]
}
