//! Cards that are written and doors that are opened from afar, as Seam's SDKs ask for it and follow it.

use latchkey::simulated_encoder;
use serde_json::{Value, json};

use super::house::{Facade, error};
use crate::access_grants::hang_cloud;
use crate::support::text;

impl Facade {
    /// A grant with a method of that mode for a door; answers with the method.
    async fn method(&self, mode: &str, entrance: &str) -> Value {
        let key = format!("guest-of-{mode}");
        let identity = self.done(&self.own.live, "/user_identities/create", &json!({"user_identity_key": key})).await;
        let grant = json!({"user_identity_id": identity["user_identity"]["user_identity_id"],
            "acs_entrance_ids": [entrance], "requested_access_methods": [{"mode": mode}]});
        let grant = self.done(&self.own.live, "/access_grants/create", &grant).await;
        grant["access_grant"]["access_method_ids"][0].clone()
    }

    /// How an action attempt goes, which every one says with the same five names.
    async fn attempt(&self, id: &Value) -> Value {
        let found = self.done(&self.own.live, "/action_attempts/get", &json!({"action_attempt_id": id})).await;
        let attempt = found["action_attempt"].clone();
        let names: Vec<&String> = attempt.as_object().expect("an object").keys().collect();
        assert_eq!(names, ["action_attempt_id", "action_type", "error", "result", "status"]);
        attempt
    }

    /// Has simulated encoders do what they are told.
    async fn encode_due(&self) {
        simulated_encoder::encode_due(&self.doors.house.test).await.expect("the database is there");
    }

    async fn make_sandbox(&self) {
        sqlx::query("UPDATE hotels SET is_sandbox = true")
            .execute(&self.doors.house.test.db.pool)
            .await
            .expect("it is one");
    }
}

#[tokio::test]
async fn a_card_is_written_and_the_attempt_ends_with_its_credential() {
    let facade = Facade::new().await;
    let method = facade.method("card", "gym-id").await;
    facade.doors.house.encoder("by-itself", None).await;
    for (path, name) in [
        ("/access_methods/encode", "access_method_id"),
        ("/acs/encoders/encode_credential", "access_method_id"),
        ("/acs/encoders/encode_credential", "acs_credential_id"),
    ] {
        let begun = facade.done(&facade.own.live, path, &json!({name: method, "acs_encoder_id": "by-itself"})).await;
        let begun = &begun["action_attempt"];
        assert_eq!((&begun["action_type"], &begun["status"]), (&json!("ENCODE_CREDENTIAL"), &json!("pending")));
        assert_eq!((&begun["result"], &begun["error"]), (&Value::Null, &Value::Null));
        assert_eq!(facade.attempt(&begun["action_attempt_id"]).await, *begun);
        facade.encode_due().await;
        let done = facade.attempt(&begun["action_attempt_id"]).await;
        assert_eq!((&done["status"], &done["error"]), (&json!("success"), &Value::Null));
        let card = &done["result"];
        assert_eq!((&card["acs_credential_id"], &card["access_method"]), (&method, &json!("card")));
        assert_eq!((&card["is_issued"], &card["is_managed"]), (&json!(true), &json!(true)));
        let encoder = facade.done(&facade.own.live, "/acs/encoders/get", &json!({"acs_encoder_id": "by-itself"})).await;
        for name in ["acs_system_id", "connected_account_id", "workspace_id"] {
            assert_eq!(card[name], encoder["acs_encoder"][name], "{name}");
        }
    }
}

#[tokio::test]
async fn which_card_is_said_once() {
    let facade = Facade::new().await;
    let method = facade.method("card", "gym-id").await;
    let encoder = json!({"acs_encoder_id": "encoder-1"});
    let both = json!({"acs_encoder_id": "encoder-1", "access_method_id": method, "acs_credential_id": method});
    for body in [encoder, both] {
        let refused = error(facade.post(&facade.own.live, "/acs/encoders/encode_credential", &body).await).await;
        assert_eq!((refused.0, &refused.1["type"]), (400, &json!("invalid_input")), "{body}");
    }
}

#[tokio::test]
async fn failures_are_simulated_in_a_sandbox_alone() {
    let facade = Facade::new().await;
    let method = facade.method("card", "gym-id").await;
    facade.doors.house.encoder("by-itself", None).await;
    let (fail, succeed) = (
        "/acs/encoders/simulate/next_credential_encode_will_fail",
        "/acs/encoders/simulate/next_credential_encode_will_succeed",
    );
    let encoder = json!({"acs_encoder_id": "by-itself"});
    for path in [fail, succeed] {
        let refused = error(facade.post(&facade.own.live, path, &encoder).await).await;
        assert_eq!((refused.0, &refused.1["type"]), (403, &json!("forbidden")), "{path}");
    }
    facade.make_sandbox().await;
    let encode = json!({"access_method_id": method, "acs_encoder_id": "by-itself"});
    let ended = async || {
        let begun = facade.done(&facade.own.live, "/access_methods/encode", &encode).await;
        facade.encode_due().await;
        facade.attempt(&begun["action_attempt"]["action_attempt_id"]).await
    };
    let explicit = json!({"acs_encoder_id": "by-itself", "error_code": "uncategorized_error"});
    for (body, code) in [(&encoder, "no_credential_on_encoder"), (&explicit, "uncategorized_error")] {
        assert_eq!(facade.done(&facade.own.live, fail, body).await, json!({"ok": true}));
        let failed = ended().await;
        assert_eq!((&failed["status"], &failed["error"]["type"]), (&json!("error"), &json!(code)));
        assert!(failed["error"]["message"].is_string() && failed["result"].is_null(), "{failed}");
        assert_eq!(ended().await["status"], "success", "it fails once");
    }
    facade.done(&facade.own.live, fail, &encoder).await;
    let scenario = json!({"acs_encoder_id": "by-itself", "scenario": "credential_is_issued"});
    facade.done(&facade.own.live, succeed, &scenario).await;
    assert_eq!(ended().await["status"], "success");
    for body in [
        json!({"acs_encoder_id": "by-itself", "error_code": "action_attempt_expired"}),
        json!({"acs_encoder_id": "encoder-1"}),
    ] {
        let refused = error(facade.post(&facade.own.live, fail, &body).await).await;
        assert_eq!((refused.0, &refused.1["type"]), (400, &json!("invalid_input")), "{body}");
    }
}

#[tokio::test]
async fn a_door_opens_from_afar_in_a_sandbox_and_says_why_it_does_not_elsewhere() {
    let facade = Facade::new().await;
    hang_cloud(&facade.doors.house.desk, "cloud-id").await;
    let method = facade.method("cloud_key", "cloud-id").await;
    let unlock = json!({"access_method_id": method, "acs_entrance_id": "cloud-id"});
    let failed = facade.done(&facade.own.live, "/access_methods/unlock_door", &unlock).await;
    let failed = &failed["action_attempt"];
    assert_eq!((&failed["action_type"], &failed["status"]), (&json!("UNLOCK_DOOR"), &json!("error")));
    assert_eq!((&failed["error"]["type"], &failed["result"]), (&json!("device_not_connected"), &Value::Null));
    facade.make_sandbox().await;
    let opened = facade.done(&facade.own.live, "/access_methods/unlock_door", &unlock).await;
    let opened = facade.attempt(&opened["action_attempt"]["action_attempt_id"]).await;
    assert_eq!((&opened["status"], &opened["result"]), (&json!("success"), &json!({"was_confirmed_by_device": true})));

    // Page by page, by id, and nobody else's.
    let list = async |key: &str, body: Value| facade.done(key, "/action_attempts/list", &body).await;
    let first = list(&facade.own.live, json!({"limit": 1})).await;
    assert_eq!(first["action_attempts"], json!([failed]));
    let cursor = &first["pagination"]["next_page_cursor"];
    let second = list(&facade.own.live, json!({"limit": 1, "page_cursor": cursor})).await;
    assert_eq!((&second["action_attempts"], &second["pagination"]["has_next_page"]), (&json!([opened]), &json!(false)));
    let by_id = list(&facade.own.live, json!({"action_attempt_ids": [opened["action_attempt_id"]]})).await;
    assert_eq!(by_id["action_attempts"], json!([opened]));
    let everybodys = list(&facade.desk.live, json!({})).await;
    assert_eq!(everybodys["action_attempts"].as_array().expect("a list").len(), 2);
    assert_eq!(list(&facade.doors.house.keys.live, json!({})).await["action_attempts"], json!([]));
    let get = json!({"action_attempt_id": opened["action_attempt_id"]});
    let refused = error(facade.post(&facade.doors.house.keys.live, "/action_attempts/get", &get).await).await;
    assert_eq!((refused.0, &refused.1["type"]), (404, &json!("action_attempt_not_found")));
}

#[tokio::test]
async fn encoders_are_found_by_their_systems_ids_and_keys() {
    let facade = Facade::new().await;
    let brivo = json!({"encoderKey": "brivo", "name": "Brivo", "provider": "BRIVO", "simulated": true});
    facade.doors.house.desk.done("createEncoder", brivo, "encoder { id }").await;
    let names = async |body: Value| {
        let found = facade.done(&facade.own.live, "/acs/encoders/list", &body).await;
        let encoders = found["acs_encoders"].as_array().expect("a list").clone();
        encoders.iter().map(|encoder| text(&encoder["display_name"])).collect::<Vec<_>>()
    };
    assert_eq!(names(json!({})).await, ["Front desk", "Brivo"]);
    let found = facade.done(&facade.own.live, "/acs/encoders/get", &json!({"acs_encoder_id": "brivo"})).await;
    let encoder = &found["acs_encoder"];
    assert_eq!(names(json!({"acs_system_id": encoder["acs_system_id"]})).await, ["Brivo"]);
    assert_eq!(names(json!({"acs_system_ids": [encoder["acs_system_id"]]})).await, ["Brivo"]);
    assert_eq!(
        names(json!({"acs_encoder_ids": [encoder["acs_encoder_id"], "encoder-1"]})).await,
        ["Front desk", "Brivo"]
    );
    assert_eq!(names(json!({"acs_system_id": facade.own.hotel_id})).await, [""; 0]);
    let refused =
        error(facade.post(&facade.own.live, "/acs/encoders/get", &json!({"acs_encoder_id": "x"})).await).await;
    assert_eq!((refused.0, &refused.1["type"]), (404, &json!("acs_encoder_not_found")));
}
