//! What happens when the database, the server or the request goes away.

mod database;
mod processes;
mod site;
