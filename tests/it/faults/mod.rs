//! What happens when the database, the server or the request goes away.

mod database;
mod leases;
mod processes;
mod site;
