//! Hotels as whoever runs the service deletes them.

use std::collections::BTreeSet;

use latchkey::error::ErrorCode;
use latchkey::hotel_settings;
use latchkey::hotels::HotelId;
use serde_json::json;
use sqlx::{AssertSqlSafe, PgPool};

use crate::support::{DataDir, House, TestDb};

/// Something in every table.
async fn furnish(house: &House) {
    let endpoint = json!({"url": "https://example.com/", "status": "ENABLED", "events": ["room_stay.updated"]});
    house.desk.done("createWebhookEndpoint", endpoint, "webhookEndpoint { id }").await;
    let stay = house.stay_in("101").await;
    let key = house.locks.pin("0042").await;
    house.locks.add(&stay, &key).await;
    let client =
        house.desk.read_stay(&stay, "reservation { client { id } }").await["reservation"]["client"]["id"].clone();
    house.desk.done("addRoomStayGuest", json!({"roomStayId": stay, "clientId": client}), "roomStay { id }").await;
    let door = house.entrance("door").await;
    let space = json!({"spaceKey": "house", "name": "House", "entranceIds": [door]});
    house.desk.done("createSpace", space, "space { id }").await;
    let encoder = json!({"encoderKey": "desk", "name": "Desk", "provider": "VISIONLINE", "simulated": true});
    house.desk.done("createEncoder", encoder, "encoder { id }").await;
    house.desk.done("simulateNextEncoding", json!({"encoderId": "desk"}), "encoderId").await;
    let guest = json!({"userIdentityKey": "guest", "kind": "GUEST"});
    house.locks.done("createUserIdentity", guest, "userIdentity { id }").await;
    let grant = json!({
        "userIdentityId": "guest", "spaceIds": ["house"], "reservationKey": "R",
        "requestedAccessMethods": [{"mode": "CARD"}],
    });
    let granted = house.locks.done("createAccessGrant", grant, "accessGrant { accessMethods { id } }").await;
    let encode = json!({"accessMethodId": granted["accessGrant"]["accessMethods"][0]["id"], "encoderId": "desk"});
    house.locks.done("encodeAccessMethod", encode, "actionAttempt { id }").await;
    // What machines write.
    for statement in [
        "INSERT INTO webhook_attempts (hotel_id, endpoint_id, event_position, attempt, created_at, duration_ms)
         SELECT hotel_id, endpoint_id, event_position, 1, created_at, 5 FROM webhook_deliveries WHERE hotel_id = $1",
        "INSERT INTO imported_lines (hotel_id, room_stay_id, digest) SELECT hotel_id, id, id FROM room_stays WHERE hotel_id = $1",
        "INSERT INTO reservation_imports (hotel_id, integration_id, external_id, reservation_id, created_at)
         SELECT r.hotel_id, i.id, 'x', r.id, r.created_at FROM reservations r JOIN integrations i USING (hotel_id)
         WHERE r.hotel_id = $1 LIMIT 1",
        "INSERT INTO idempotent_answers (hotel_id, api_key_id, idempotency_key, sealed, created_at)
         SELECT hotel_id, id, 'x', '', created_at FROM api_keys WHERE hotel_id = $1",
        "INSERT INTO api_key_usage (hotel_id, api_key_id, request_count, last_used_at)
         SELECT hotel_id, id, 1, created_at FROM api_keys WHERE hotel_id = $1",
        "INSERT INTO api_key_budgets (hotel_id, api_key_id, requests_owed, cost_owed, as_of)
         SELECT hotel_id, id, 1, 1, created_at FROM api_keys WHERE hotel_id = $1",
    ] {
        let done = sqlx::query(statement).bind(house.hotel.id).execute(&house.test.db.pool).await.expect(statement);
        assert!(done.rows_affected() > 0, "{statement}");
    }
}

/// Each tenant table and all rows that a hotel has in it.
async fn rows(pool: &PgPool, hotel: HotelId) -> Vec<(String, Option<String>)> {
    let mut rows = Vec::new();
    for table in tenant_tables(pool).await {
        let statement =
            format!("SELECT string_agg(t::text, E'\\n' ORDER BY t::text) FROM {table} t WHERE hotel_id = $1");
        let text = sqlx::query_scalar(AssertSqlSafe(statement)).bind(hotel).fetch_one(pool).await.expect("rows");
        rows.push((table, text));
    }
    rows
}

async fn tenant_tables(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'hotel_id'
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1",
    )
    .fetch_all(pool)
    .await
    .expect("the catalogue can be read")
}

#[tokio::test]
async fn every_tenant_table_but_the_audit_trail_is_emptied_when_a_hotel_is_deleted() {
    let db = TestDb::new().await;
    let emptied = hotel_settings::TENANT_TABLES.iter().map(|(table, _)| (*table).to_owned());
    let emptied: BTreeSet<String> = emptied.chain(["audit_entries".to_owned()]).collect();
    assert_eq!(emptied, tenant_tables(&db.pool).await.into_iter().collect());
}

#[tokio::test]
async fn a_deleted_hotel_is_gone_with_all_that_is_its_own_and_no_other_hotel_notices() {
    let house = House::new().await;
    let next_door = house.next_door().await;
    furnish(&house).await;
    // The neighbour's client talks to the same database.
    let pool = &house.test.db.pool;
    next_door.stay("R1").await;
    let neighbour = rows(pool, next_door.hotel.id).await;
    let before = rows(pool, house.hotel.id).await;
    let empty: Vec<&str> = before.iter().filter(|(_, rows)| rows.is_none()).map(|(table, _)| table.as_str()).collect();
    assert_eq!(empty, [""; 0], "tables without a row, which the test says nothing about");

    let refused = hotel_settings::delete(&house.test, &house.hotel).await.expect_err("somebody works with it");
    assert_eq!(refused.code, ErrorCode::InvalidArgument);
    assert!(
        refused.message.english().starts_with("These integrations are still connected: \"Locks\", \"Other locks\"")
    );
    assert_eq!(rows(pool, house.hotel.id).await, before);

    // As after a disconnection that a request outlived.
    sqlx::query("UPDATE integrations SET disconnected_at = created_at WHERE hotel_id = $1")
        .bind(house.hotel.id)
        .execute(pool)
        .await
        .expect("disconnected");
    assert!(hotel_settings::delete(&house.test, &house.hotel).await.expect("deleted") > 20);
    for (table, rows) in rows(pool, house.hotel.id).await {
        assert!(rows.is_none() || table == "audit_entries", "{table}: {rows:?}");
    }
    assert!(hotel_settings::get_by_slug(&house.test, "grand-hotel").await.is_err());
    assert_eq!(rows(pool, next_door.hotel.id).await, neighbour);
    let trail = "SELECT action || ' ' || object_type || ' ' || actor_type FROM audit_entries WHERE hotel_id = $1 ORDER BY id DESC";
    let last: String = sqlx::query_scalar(trail).bind(house.hotel.id).fetch_one(pool).await.expect("an entry");
    assert_eq!(last, "DELETED HOTEL COMMAND_LINE");
    let again = hotel_settings::delete(&house.test, &house.hotel).await.expect_err("it is gone");
    assert_eq!(again.code, ErrorCode::NotFound);
}

#[tokio::test]
async fn more_rows_than_a_batch_holds_are_deleted() {
    let house = House::new().await;
    let pool = &house.test.db.pool;
    sqlx::query(
        "INSERT INTO clients (hotel_id, id, kind, lastname, created_at, updated_at)
         SELECT h.id, gen_random_uuid(), 'PERSON', 'Doe', h.created_at, h.created_at
         FROM hotels h CROSS JOIN generate_series(1, 5000) WHERE h.id = $1",
    )
    .bind(house.hotel.id)
    .execute(pool)
    .await
    .expect("inserted");
    for name in ["Locks", "Other locks", "Messaging", "Front desk"] {
        house.test.disconnect(&house.hotel, name).await.expect("disconnected");
    }
    assert!(hotel_settings::delete(&house.test, &house.hotel).await.expect("deleted") > 5000);
}

#[tokio::test]
async fn g36_a_hotel_is_deleted_by_a_command_that_repeats_its_name() {
    let db = TestDb::new().await;
    let data = DataDir::with_database(&db);
    data.print(&["hotel", "create", "grand-hotel", "--name", "Grand Hotel", "--time-zone", "Europe/Berlin"]);
    data.print(&["integration", "connect", "grand-hotel", "Locks"]);
    let refused = |args: &[&str]| {
        let output = data.run(&[&["hotel", "delete", "grand-hotel"], args].concat());
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).expect("text")
    };
    for args in [&[][..], &["--yes-delete", "grand-hotell"]] {
        let said = refused(args);
        assert!(said.contains("nothing is deleted yet") && said.ends_with("--yes-delete grand-hotel\n"), "{said}");
    }
    let said = refused(&["--yes-delete", "grand-hotel"]);
    assert!(said.contains("latchkey integration disconnect grand-hotel \"Locks\""), "{said}");
    data.print(&["integration", "disconnect", "grand-hotel", "Locks"]);
    let said = data.print(&["hotel", "delete", "grand-hotel", "--yes-delete", "grand-hotel"]);
    assert_eq!(data.list(&["hotel", "list"]), [serde_json::Value::Null; 0]);
    // The trail goes on being told, by the id.
    let id = said.split(" audit ").nth(1).and_then(|rest| rest.split('`').next()).expect("an id");
    let trail = data.list(&["audit", id]);
    assert_eq!((&trail[0]["action"], &trail[0]["actor"]), (&json!("DELETED"), &json!("COMMAND_LINE")));
    assert!(
        data.run(&["hotel", "create", "grand-hotel", "--name", "New", "--time-zone", "Europe/Berlin"]).status.success()
    );
}
