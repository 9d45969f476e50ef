//! What happens when the database, the server or the request goes away.

mod answers;
mod away;
mod database;
mod leases;
mod processes;
mod restore;
mod silence;
mod site;
