//! The body of a webhook: the same bytes at every attempt.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

/// An event for one endpoint.
#[derive(Clone, Debug)]
pub struct Message {
    /// Id of the event: 64 hexadecimal digits, the same for every endpoint.
    pub id: String,
    /// Type of the event.
    pub event_type: String,
    /// When it happened.
    pub created_at: DateTime<Utc>,
    /// The endpoint.
    pub endpoint_id: Uuid,
    /// Who did it.
    pub actor_type: String,
    /// Who did it, where that is somebody.
    pub actor_id: Option<Uuid>,
    /// What it happened to.
    pub object_id: Uuid,
    /// What changed; only of updates.
    pub updated_fields: Option<Vec<String>>,
}

#[derive(Serialize)]
struct Body<'a> {
    id: &'a str,
    r#type: &'a str,
    created_at: i64,
    webhook_endpoint_id: Uuid,
    actor: Actor<'a>,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Actor<'a> {
    r#type: &'a str,
    id: Option<Uuid>,
}

#[derive(Serialize)]
struct Data<'a> {
    object: Object,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_fields: Option<&'a [String]>,
}

#[derive(Serialize)]
struct Object {
    id: Uuid,
}

impl Message {
    /// The body.
    pub fn body(&self) -> Vec<u8> {
        let body = Body {
            id: &self.id,
            r#type: &self.event_type,
            created_at: self.created_at.timestamp(),
            webhook_endpoint_id: self.endpoint_id,
            actor: Actor { r#type: &self.actor_type, id: self.actor_id },
            data: Data { object: Object { id: self.object_id }, updated_fields: self.updated_fields.as_deref() },
        };
        serde_json::to_vec(&body).expect("texts, numbers and ids are JSON")
    }
}
