//! Actors: who acts for a hotel, in which mode, and what they may do.

use std::str::FromStr;
use std::sync::Arc;

use uuid::Uuid;

use crate::audit::ActorType;
use crate::error::{Error, Message, Result};
use crate::hotels::Hotel;
use crate::telemetry::traces::Traceparent;

/// Name of the worker that imports bookings from files.
pub const IMPORT: &str = "import";
/// Name of the worker that gives up what no encoder does.
pub const LOCK_COMMANDS: &str = "lock_commands";
/// Name of the worker that revokes and deletes keys that outlived their stay.
pub const PRUNER: &str = "pruner";
/// Name of the worker that plays the simulated encoders.
pub const SIMULATED_ENCODERS: &str = "simulated_encoders";
/// Name of the worker that sends webhooks.
pub const WEBHOOKS: &str = "webhooks";

/// Who acts. Events and entries of the audit trail say who it was; limits and kept answers belong to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal {
    /// An integration, by one of its API keys.
    ApiKey {
        /// Id of the pair of API keys.
        id: Uuid,
        /// The integration that the pair belongs to; it owns the room access keys.
        integration_id: Uuid,
    },
    /// A member of the hotel's staff.
    Staff {
        /// Id of the person.
        id: Uuid,
    },
    /// A guest of the hotel.
    Guest {
        /// Id of the person.
        id: Uuid,
    },
    /// An operator of the service, on the command line.
    Operator,
    /// Latchkey itself, by the name of the work that it does.
    Worker(&'static str),
}

/// What tells one principal that sends requests from all others: what is kept for a principal is kept under this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PrincipalKey {
    /// `api_key`, `staff` or `guest`, as in the database.
    pub kind: &'static str,
    /// Id of the pair of API keys or of the person. No two of them have the same, of whatever kind.
    pub id: Uuid,
}

impl Principal {
    /// The key of a principal that sends requests; `None` for the others, which are not limited and repeat nothing.
    pub const fn key(self) -> Option<PrincipalKey> {
        let (kind, id) = match self {
            Self::ApiKey { id, .. } => ("api_key", id),
            Self::Staff { id } => ("staff", id),
            Self::Guest { id } => ("guest", id),
            Self::Operator | Self::Worker(_) => return None,
        };
        Some(PrincipalKey { kind, id })
    }

    /// The pair of API keys.
    pub const fn api_key_id(self) -> Option<Uuid> {
        match self {
            Self::ApiKey { id, .. } => Some(id),
            Self::Staff { .. } | Self::Guest { .. } | Self::Operator | Self::Worker(_) => None,
        }
    }

    /// The integration.
    pub const fn integration_id(self) -> Option<Uuid> {
        match self {
            Self::ApiKey { integration_id, .. } => Some(integration_id),
            Self::Staff { .. } | Self::Guest { .. } | Self::Operator | Self::Worker(_) => None,
        }
    }

    /// The member of staff or the guest.
    pub const fn person_id(self) -> Option<Uuid> {
        match self {
            Self::Staff { id } | Self::Guest { id } => Some(id),
            Self::ApiKey { .. } | Self::Operator | Self::Worker(_) => None,
        }
    }

    /// `actor.type` of events, by which an integration tells its own changes from those of others.
    pub fn actor_type(self) -> &'static str {
        match ActorType::from(self) {
            ActorType::Integration => "integration",
            ActorType::Staff => "staff",
            ActorType::Guest => "guest",
            ActorType::Import => "import",
            ActorType::Pruner => "pruner",
            // Integrations are told that it was Latchkey.
            ActorType::CommandLine | ActorType::System => "system",
        }
    }
}

impl From<Principal> for ActorType {
    fn from(principal: Principal) -> Self {
        match principal {
            Principal::ApiKey { .. } => Self::Integration,
            Principal::Staff { .. } => Self::Staff,
            Principal::Guest { .. } => Self::Guest,
            Principal::Operator => Self::CommandLine,
            Principal::Worker(IMPORT) => Self::Import,
            Principal::Worker(PRUNER) => Self::Pruner,
            Principal::Worker(_) => Self::System,
        }
    }
}

/// Whether what a request does is real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Production.
    Live,
    /// Full validation against live data, nothing written.
    Test,
}

/// What a principal may do. Each permission includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Queries.
    ReadOnly,
    /// Also room access keys, physical check-in and check-out, cleaning status.
    Write,
    /// Also what a hotel does at its front desk: rooms, reservations and stays.
    FrontDesk,
    /// Also what its administrator does: API keys, integrations, the hotel's switches.
    Admin,
}

impl Permission {
    /// All permissions, from the least to the most.
    pub const ALL: [Self; 4] = [Self::ReadOnly, Self::Write, Self::FrontDesk, Self::Admin];

    /// The name, as in the schema, the database and `demo.json`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "READ_ONLY",
            Self::Write => "WRITE",
            Self::FrontDesk => "FRONT_DESK",
            Self::Admin => "ADMIN",
        }
    }
}

impl FromStr for Permission {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|permission| permission.as_str() == text);
        found.ok_or_else(|| format!("no permission is called {text}"))
    }
}

/// A principal at work for a hotel.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The hotel that everything in the request is about.
    pub hotel: Arc<Hotel>,
    /// Who acts.
    pub principal: Principal,
    /// Live or test.
    pub mode: Mode,
    /// What the principal may do.
    pub permission: Permission,
    /// `X-Request-Id` of the request, for the audit trail.
    pub request_id: Option<Arc<str>>,
    /// Where the request stands in a trace, for the webhooks that it causes.
    pub traceparent: Option<Traceparent>,
}

impl Actor {
    /// The actor of what no request asks for: an operator's or a worker's act, which may do everything.
    pub const fn without_request(hotel: Arc<Hotel>, principal: Principal) -> Self {
        let (mode, permission) = (Mode::Live, Permission::Admin);
        Self { hotel, principal, mode, permission, request_id: None, traceparent: None }
    }

    /// Refuses what needs more than the principal may do.
    ///
    /// # Errors
    /// `FORBIDDEN`
    pub fn require(&self, permission: Permission) -> Result<()> {
        if self.permission >= permission {
            return Ok(());
        }
        let permission = permission.as_str();
        Err(Error::new(match self.principal {
            Principal::ApiKey { .. } => Message::ApiKeyPermissionMissing { permission },
            Principal::Staff { .. } | Principal::Guest { .. } | Principal::Operator | Principal::Worker(_) => {
                Message::PermissionMissing { permission }
            }
        }))
    }

    /// The integration that acts, for what belongs to one: room access keys, webhook endpoints, imported reservations.
    ///
    /// # Errors
    /// `FORBIDDEN` for every other principal.
    pub fn integration(&self) -> Result<Uuid> {
        self.principal.integration_id().ok_or_else(|| Error::new(Message::IntegrationRequired))
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveTime;

    use super::*;
    use crate::error::ErrorCode;

    const API_KEY: Principal = Principal::ApiKey { id: Uuid::from_u128(1), integration_id: Uuid::from_u128(2) };
    const STAFF: Principal = Principal::Staff { id: Uuid::from_u128(3) };
    const GUEST: Principal = Principal::Guest { id: Uuid::from_u128(4) };

    fn actor(principal: Principal) -> Actor {
        let hotel = Hotel {
            id: Uuid::nil(),
            slug: "hotel".into(),
            name: "Hotel".into(),
            time_zone: chrono_tz::UTC,
            check_in_time: NaiveTime::MIN,
            check_out_time: NaiveTime::MIN,
            room_access_keys_enabled: true,
            is_sandbox: false,
        };
        let (mode, permission) = (Mode::Live, Permission::Write);
        Actor { hotel: Arc::new(hotel), principal, mode, permission, request_id: None, traceparent: None }
    }

    #[test]
    fn events_and_audit_trail_say_who_it_was() {
        let of = |principal: Principal| (principal.actor_type(), ActorType::from(principal).as_str());
        assert_eq!(of(API_KEY), ("integration", "INTEGRATION"));
        assert_eq!(of(STAFF), ("staff", "STAFF"));
        assert_eq!(of(GUEST), ("guest", "GUEST"));
        assert_eq!(of(Principal::Operator), ("system", "COMMAND_LINE"));
        assert_eq!(of(Principal::Worker(IMPORT)), ("import", "IMPORT"));
        assert_eq!(of(Principal::Worker(PRUNER)), ("pruner", "PRUNER"));
        assert_eq!(of(Principal::Worker(WEBHOOKS)), ("system", "SYSTEM"));
    }

    #[test]
    fn who_sends_requests_has_a_key() {
        let key = |principal: Principal| principal.key().map(|key| (key.kind, key.id.as_u128()));
        assert_eq!([API_KEY, STAFF, GUEST].map(key), [Some(("api_key", 1)), Some(("staff", 3)), Some(("guest", 4))]);
        assert_eq!([Principal::Operator, Principal::Worker(PRUNER)].map(key), [None, None]);
    }

    #[test]
    fn what_belongs_to_an_integration_is_refused_to_everybody_else() {
        assert_eq!(actor(API_KEY).integration().ok(), Some(Uuid::from_u128(2)));
        for principal in [STAFF, GUEST, Principal::Operator, Principal::Worker(IMPORT)] {
            assert_eq!(actor(principal).integration().err().map(|error| error.code), Some(ErrorCode::Forbidden));
        }
    }

    #[test]
    fn a_permission_includes_those_before_it() {
        let missing = |principal, permission| actor(principal).require(permission).err().map(|error| error.message);
        for permission in [Permission::ReadOnly, Permission::Write] {
            assert_eq!(missing(API_KEY, permission), None);
        }
        let needs = |principal| missing(principal, Permission::Admin).map(|message| message.english());
        assert_eq!(needs(API_KEY).as_deref(), Some("This needs an API key with the permission ADMIN"));
        assert_eq!(needs(STAFF).as_deref(), Some("This needs the permission ADMIN"));
    }
}
