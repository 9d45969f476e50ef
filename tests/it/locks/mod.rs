//! Doors, spaces and encoders.

mod encoders;
mod entrances;
mod reading;
mod rooms;
mod spaces;

use serde_json::{Value, json};

use crate::support::House;

/// Writes in one hotel, as those do who grant access.
async fn write(house: &House, statement: &'static str, id: &str) {
    let done = sqlx::query(statement).bind(house.hotel.id).bind(id).execute(&house.test.db.pool).await;
    assert!(done.expect(statement).rows_affected() > 0, "{statement}");
}

/// Gives a reservation that has not ended the entrance with that id, with a grant of it.
pub async fn give_grants(house: &House, entrance: &str) {
    for statement in [
        "INSERT INTO user_identities (hotel_id, id, integration_id, kind, created_at, updated_at)
         SELECT hotel_id, $2::uuid, id, 'GUEST', created_at, created_at FROM integrations WHERE hotel_id = $1
         ORDER BY id LIMIT 1",
        "INSERT INTO access_reservations (hotel_id, id, integration_id, reservation_key, created_at)
         SELECT hotel_id, id, integration_id, 'R', created_at FROM user_identities WHERE hotel_id = $1 AND id = $2::uuid",
        "INSERT INTO access_grants (hotel_id, id, integration_id, user_identity_id, reservation_id, starts_at, created_at,
                                    updated_at)
         SELECT hotel_id, id, integration_id, id, id, created_at, created_at, created_at FROM user_identities
         WHERE hotel_id = $1 AND id = $2::uuid",
        "INSERT INTO access_grant_entrances (hotel_id, grant_id, entrance_id, of_stay)
         SELECT hotel_id, id, id, false FROM entrances WHERE hotel_id = $1 AND id = $2::uuid",
        "INSERT INTO access_reservation_doors (hotel_id, reservation_id, entrance_id, starts_at, sequence)
         SELECT hotel_id, id, id, created_at, 1 FROM entrances WHERE hotel_id = $1 AND id = $2::uuid",
    ] {
        write(house, statement, entrance).await;
    }
}

/// Ends the reservation that has the entrance.
async fn end_reservation(house: &House, entrance: &str) {
    let statement = "UPDATE access_reservations SET ended_at = created_at WHERE hotel_id = $1 AND id = $2::uuid";
    write(house, statement, entrance).await;
}

/// Gives the encoder with that key a command that is not finished.
pub async fn give_command(house: &House, encoder: &str) {
    let statement = "INSERT INTO lock_commands (hotel_id, id, encoder_id, integration_id, kind, subject_id, card, revision,
                                                status, created_at, expires_at, next_attempt_at)
         SELECT e.hotel_id, e.id, e.id, i.id, 'ENCODE_CARD', e.id, '{}', 1, 'PENDING', e.created_at, e.created_at, e.created_at
         FROM encoders e JOIN integrations i USING (hotel_id) WHERE e.hotel_id = $1 AND e.encoder_key = $2
         ORDER BY i.id LIMIT 1";
    write(house, statement, encoder).await;
}

/// Finishes the commands of the encoder with that key.
async fn finish_commands(house: &House, encoder: &str) {
    let statement =
        "UPDATE lock_commands c SET status = 'SUCCEEDED', finished_at = c.created_at, next_attempt_at = NULL
         FROM encoders e WHERE c.hotel_id = $1 AND e.hotel_id = $1 AND e.id = c.encoder_id AND e.encoder_key = $2";
    write(house, statement, encoder).await;
}

/// Actions of the audit trail of a record, the newest first, with the fields that changed.
async fn trail(house: &House, id: &str) -> Vec<Value> {
    let query = "query($id: ID!) { auditEntries(objectId: $id) { edges { node { action updatedFields } } } }";
    let data = house.desk.data(query, json!({ "id": id })).await;
    let entries = crate::support::nodes(&data["auditEntries"]);
    entries.iter().map(|entry| json!([entry["action"], entry["updatedFields"]])).collect()
}

/// A refusal as [`crate::support::Client::refused`] answers it.
fn refusal(code: &str, field: &str) -> (String, Value) {
    (code.to_owned(), json!(["input", field]))
}
