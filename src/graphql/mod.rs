//! The GraphQL facade: it parses, calls one service, encodes.
//!
//! A request goes through [`execute`]: each document is bounded ([`scan`], [`limits`]) before it is parsed and validated, and
//! its values are decided ([`values`]) before it runs;
//! all mutations of the request share one transaction ([`context`]); what is selected is read ahead in few statements
//! ([`load`]). One file per capability holds its types, queries and mutations.

mod access_grants;
mod action_attempts;
mod api_keys;
mod audit;
mod chain;
mod changes;
mod clients;
mod connection;
mod context;
mod documents;
mod enums;
mod error;
mod events;
mod execute;
mod execute_cached;
mod fast_path;
mod filters;
mod front_desk;
mod grammar;
mod guests;
mod integrations;
mod judge;
mod language;
pub mod limits;
mod load;
mod lock_commands;
mod lock_hints;
mod locks;
mod merge;
mod paging;
mod prepare;
mod presence;
mod request;
mod reservations;
mod response;
mod room_access_keys;
mod room_stays;
mod rooms;
mod scalars;
pub mod scan;
mod selection;
pub mod type_map;
mod validate;
mod values;
mod webhooks;

pub use crate::unit::DEADLINE;
pub use error::GraphQlError;
pub use execute::{Execution, Keyed, execute, execute_keyed};
pub use execute_cached::execute_cached;
pub use judge::Selected;
pub use request::GraphQlRequest;
pub use response::{Data, GraphQlResponse};

use std::sync::LazyLock;

use apollo_compiler::validation::Valid;
use async_graphql::{EmptySubscription, MergedObject, ValidationMode};

/// Everything that can be read. Whatever it answers is of the one hotel that the API key belongs to.
#[derive(Default, MergedObject)]
pub struct Query(
    room_stays::RoomStayQuery,
    reservations::ReservationQuery,
    room_access_keys::RoomAccessKeyQuery,
    clients::ClientQuery,
    rooms::SettingsQuery,
    locks::EntranceQuery,
    locks::SpaceQuery,
    locks::EncoderQuery,
    access_grants::UserIdentityQuery,
    access_grants::AccessGrantQuery,
    access_grants::AccessMethodQuery,
    events::EventQuery,
    webhooks::WebhookQuery,
    api_keys::ApiKeyQuery,
    integrations::IntegrationQuery,
    audit::AuditQuery,
    action_attempts::ActionAttemptQuery,
);

/// Everything that can be changed. All mutations of one HTTP request succeed, or none of them does.
///
/// Each mutation lists the codes of its errors. Beside them it can answer with those of any request, such as `FORBIDDEN` and
/// `UNAVAILABLE`, and with `INVALID_ARGUMENT` and `INVALID_CURSOR` for arguments of the fields that are selected below it.
#[derive(Default, MergedObject)]
pub struct Mutation(
    room_access_keys::RoomAccessKeyMutation,
    room_stays::RoomStayMutation,
    rooms::RoomMutation,
    front_desk::FrontDeskMutation,
    guests::GuestMutation,
    locks::EntranceMutation,
    locks::SpaceMutation,
    locks::EncoderMutation,
    access_grants::UserIdentityMutation,
    access_grants::AccessGrantMutation,
    access_grants::AccessMethodMutation,
    webhooks::WebhookMutation,
    api_keys::ApiKeyMutation,
    integrations::IntegrationMutation,
    lock_commands::LockCommandMutation,
);

/// The executable schema.
pub type Executable = async_graphql::Schema<Query, Mutation, EmptySubscription>;

/// The schema and what is known of its types; built once per process.
pub struct Schema {
    /// Runs documents that were found valid, with variables that were coerced: it checks neither itself.
    pub executable: Executable,
    /// Decides which documents are valid, and what values are.
    definition: Valid<apollo_compiler::Schema>,
    /// Lists and connections, for the checks before that.
    pub types: type_map::TypeMap,
    /// What was read before.
    documents: documents::Documents,
}

impl Schema {
    /// Builds the schema.
    pub fn new() -> Self {
        let executable = Executable::build(Query::default(), Mutation::default(), EmptySubscription)
            .directive(chain::chain)
            .validation_mode(ValidationMode::Fast)
            .finish();
        let sdl = executable.sdl();
        Self {
            executable,
            definition: validate::schema(&sdl),
            types: type_map::TypeMap::from_sdl(&sdl),
            documents: documents::Documents::new(),
        }
    }

    /// The schema in the schema definition language.
    pub fn sdl(&self) -> String {
        chain::describe_argument(&self.executable.sdl())
    }
}

impl Default for Schema {
    fn default() -> Self {
        Self::new()
    }
}

/// The schema that requests are answered by.
pub fn schema() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::new);
    &SCHEMA
}
