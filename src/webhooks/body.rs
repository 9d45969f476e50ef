//! The body of a webhook, in the form of its endpoint: the same bytes at every attempt.

use bytes::Bytes;
use serde::Serialize;
use uuid::Uuid;

use crate::events::{Event, seam};

/// An event as one endpoint is told of it.
#[derive(Clone, Debug)]
pub struct Message {
    /// Id of the event, as the body has it: the same for every endpoint of the same format.
    pub id: String,
    /// Type of the event, as the body has it.
    pub event_type: String,
    /// What is sent.
    pub body: Bytes,
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
    /// An event in Latchkey's form.
    pub fn of_latchkey(endpoint: Uuid, event: Event) -> Self {
        let id = event.id_text();
        let body = Body {
            id: &id,
            r#type: &event.event_type,
            created_at: event.created_at.timestamp(),
            webhook_endpoint_id: endpoint,
            actor: Actor { r#type: &event.actor_type, id: event.actor_id },
            data: Data { object: Object { id: event.object_id }, updated_fields: event.updated_fields.as_deref() },
        };
        let body = json(&body);
        Self { id, event_type: event.event_type, body }
    }

    /// An event in the form of Seam's API.
    pub fn of_seam(event: seam::Event) -> Self {
        let body = json(&event);
        Self { id: event.event_id.to_string(), event_type: event.event_type, body }
    }
}

fn json(body: &impl Serialize) -> Bytes {
    serde_json::to_vec(body).expect("texts, numbers and ids are JSON").into()
}
