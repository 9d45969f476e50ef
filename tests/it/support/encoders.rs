//! Encoders, and what they are told to do.

use chrono::{DateTime, Utc};
use latchkey::lock_commands::{self, Card, CardDoor, Credential, DoorOrder, NewCommand};
use latchkey::locks::Reference;
use latchkey::unit::Tx;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Client, House};

/// What a bridge reads of a claimed command.
pub const CLAIMED: &str = "commands { id claimId kind encoder { id encoderKey name } accessMethodId leasedUntil attempt \
     card { credential startsAt endsAt doors { entranceId entranceKey reservationStartsAt sequence } } }";

impl House {
    /// An encoder, whose bridge is the client's; without one, a simulated encoder.
    pub async fn encoder(&self, key: &str, bridge: Option<&Client>) -> Uuid {
        let id = self.test.ids.uuid(self.test.clock.now());
        let integration = bridge.map(|bridge| bridge.actor.integration().expect("an integration"));
        sqlx::query(
            "INSERT INTO encoders (hotel_id, id, encoder_key, name, provider, simulated, integration_id, created_at, updated_at)
             VALUES ($1, $2, $3, 'Encoder of ' || $3, 'VISIONLINE', $4, $5, $6, $6)",
        )
        .bind(self.hotel.id)
        .bind(id)
        .bind(key)
        .bind(bridge.is_none())
        .bind(integration)
        .bind(self.test.clock.now())
        .execute(&mut *self.test.worker_pool.acquire().await.expect("the database is there"))
        .await
        .expect("the encoder is new");
        id
    }

    /// A transaction of a client.
    pub async fn begin(&self, client: &Client) -> Tx {
        Tx::begin(&self.test, &client.actor, self.test.clock.now()).await.expect("the database is there")
    }

    /// Has a client tell an encoder to write the card of an access method; answers with the command.
    pub async fn tell(&self, client: &Client, encoder: Uuid, subject_id: Uuid) -> Uuid {
        let mut tx = self.begin(client).await;
        let new = NewCommand { encoder: Reference::Id(encoder), subject_id, card: card(&[]), revision: 1 };
        let id = lock_commands::request_in(&mut tx, new).await.expect("the encoder is told");
        tx.commit().await.expect("it is kept");
        id
    }

    /// Settles the leases that have ended, and gives up what nobody waits for; answers how many commands that were.
    pub async fn keep_up(&self) -> usize {
        lock_commands::keep_up(&self.test).await.expect("the database is there")
    }
}

impl Client {
    /// Claims commands.
    pub async fn claim(&self, first: i32) -> Vec<Value> {
        let mut claimed = self.done("claimLockCommands", json!({ "first": first }), CLAIMED).await;
        claimed["commands"].as_array_mut().expect("a list").drain(..).collect()
    }

    /// Claims the one command that there is to claim.
    pub async fn claim_one(&self) -> Value {
        let mut claimed = self.claim(50).await;
        assert_eq!(claimed.len(), 1, "{claimed:#?}");
        claimed.remove(0)
    }

    /// Completes a claimed command; answers with the whole response.
    pub async fn complete(&self, claimed: &Value, error: Option<&str>) -> Value {
        let input = json!({"id": claimed["id"], "claimId": claimed["claimId"], "error": error});
        self.act("completeLockCommand", input, "status").await
    }

    /// Completes a claimed command, which has to succeed; answers with its status.
    pub async fn completed(&self, claimed: &Value, error: Option<&str>) -> Value {
        let mut response = self.complete(claimed, error).await;
        assert!(response.get("errors").is_none(), "{response:#}");
        response["data"]["completeLockCommand"]["status"].take()
    }

    /// What the client reads of an action attempt; `null` when it sees none.
    pub async fn attempt(&self, id: Uuid) -> Value {
        let query = "query($id: ID!) { actionAttempts(filter: {id: {eq: $id}}) { totalCount edges { node { \
             id actionType status error { code message } accessMethodId encoderId encoderKey createdAt finishedAt } } } }";
        let mut data = self.data(query, json!({ "id": id })).await;
        data.pointer_mut("/actionAttempts/edges/0/node").map(Value::take).unwrap_or_default()
    }

    /// Status of an action attempt and the code of its error.
    pub async fn attempt_status(&self, id: Uuid) -> (String, Option<String>) {
        let attempt = self.attempt(id).await;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        (
            text(&attempt["status"]).unwrap_or_else(|| panic!("an attempt, not {attempt}")),
            text(&attempt["error"]["code"]),
        )
    }
}

/// A guest's card for doors.
pub fn card(entrances: &[Uuid]) -> Card {
    let at = |text: &str| -> DateTime<Utc> { text.parse().expect("an instant") };
    let reservation = Some(DoorOrder { starts_at: at("2026-01-30T14:00:00Z"), sequence: 7 });
    Card {
        credential: Credential::Guest,
        starts_at: at("2026-01-30T14:00:00Z"),
        ends_at: Some(at("2026-02-02T10:00:00Z")),
        doors: entrances.iter().map(|id| CardDoor { entrance_id: *id, reservation }).collect(),
    }
}
