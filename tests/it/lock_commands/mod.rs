//! What encoders are told to do, by bridges over GraphQL and by simulated encoders. The clock stands still until a test moves it, and
//! what works beside the requests is run by hand.

mod bridges;
mod failures;
mod kills;
mod leases;
mod requests;
mod simulated;
mod upkeep;
