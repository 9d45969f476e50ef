//! What is said of what was sent: in a query as in a body, in the names of this interface, and in the sender's own words.

use serde_json::{Value, json};

use super::house::{Facade, error};

#[tokio::test]
async fn an_empty_filter_in_a_query_finds_nothing_as_it_does_in_a_body() {
    let facade = Facade::new().await;
    facade.records(&facade.doors.house, &facade.own.live, &facade.desk.live, "own").await;
    for (path, name, body) in [
        ("/access_grants/list", "reservation_key", json!("")),
        ("/access_grants/list", "access_grant_key", json!("")),
        ("/access_grants/list", "access_grant_ids", json!([])),
        ("/access_grants/list", "user_identity_id", json!("")),
        ("/user_identities/list", "user_identity_ids", json!([])),
        ("/acs/entrances/list", "acs_entrance_ids", json!([])),
        ("/acs/entrances/list", "space_id", json!("")),
        ("/acs/encoders/list", "acs_encoder_ids", json!([])),
        ("/acs/encoders/list", "acs_system_ids", json!([])),
        ("/spaces/list", "space_key", json!("")),
        ("/action_attempts/list", "action_attempt_ids", json!([])),
    ] {
        let records = |answer: &Value| {
            let lists = answer.as_object().expect("an object").values().find_map(Value::as_array);
            lists.expect("a list").len()
        };
        let all = facade.done(&facade.desk.live, path, &json!({})).await;
        assert!(records(&all) > 0, "{path}");
        let by_body = facade.done(&facade.desk.live, path, &json!({ name: body })).await;
        let query = facade.server.request("GET", &format!("/seam{path}?{name}=&_strict=true&page_cursor=&limit="));
        let by_query = query.bearer_auth(&facade.desk.live).send().await.expect("an answer");
        let by_query: Value = by_query.json().await.expect("JSON");
        assert_eq!((records(&by_body), records(&by_query)), (0, 0), "{path} {name}");
    }
}

/// Each generation writes a list of several in its own way.
#[tokio::test]
async fn a_list_of_one_and_one_of_several_are_read_from_a_query_as_from_a_body() {
    let facade = Facade::new().await;
    for keys in [&["gym-id"][..], &["gym-id", "lobby-id"], &["gym-id", "lobby-id", "nowhere"]] {
        let by_body = facade.done(&facade.own.live, "/acs/entrances/list", &json!({ "acs_entrance_ids": keys })).await;
        let query: Vec<String> = keys.iter().map(|key| format!("acs_entrance_ids={key}")).collect();
        let path = format!("/seam/acs/entrances/list?{}", query.join("&"));
        let by_query = facade.server.request("GET", &path).bearer_auth(&facade.own.live).send().await;
        let by_query: Value = by_query.expect("an answer").json().await.expect("JSON");
        assert_eq!(by_query, by_body);
        assert_eq!(by_body["acs_entrances"].as_array().map(Vec::len), Some(keys.len().min(2)));
    }
    let wrong = json!({"action_attempt_ids": ["0196b4ea-aadb-7000-9575-dd38ee0fce1a", "x"]});
    let (_, refused) = error(facade.post(&facade.own.live, "/action_attempts/list", &wrong).await).await;
    assert!(refused["message"].as_str().is_some_and(|said| said.contains("not an id")), "{refused}");
}

#[tokio::test]
async fn what_is_wrong_with_a_parameter_is_said_in_its_senders_names() {
    let facade = Facade::new().await;
    let grant = json!({"user_identity_id": "nobody", "acs_entrance_ids": ["gym-id"],
        "requested_access_methods": [{"mode": "card"}]});
    let with = |name: &str, value: Value| {
        let mut grant = grant.clone();
        grant[name] = value;
        grant
    };
    let mode = "one of `code`, `card`, `mobile_key`, `cloud_key`";
    let instant = "an instant is written with its offset, like 2026-10-25T14:00:00+02:00, in the years 1900 to 9999";
    for (path, body, parameter, message) in [
        (
            "/access_grants/create",
            with("reservationKey", json!("x")),
            "reservationKey",
            "unknown parameter `reservationKey`, expected one of",
        ),
        (
            "/access_grants/create",
            with("requested_access_methods", json!([{"mode": "mobileKey"}])),
            "requested_access_methods",
            &format!("unknown value `mobileKey`, expected {mode}"),
        ),
        (
            "/access_grants/create",
            with("requested_access_methods", json!({})),
            "requested_access_methods",
            "invalid type: object, expected a list",
        ),
        ("/access_grants/create", with("starts_at", json!("2025-05-10T15:00:00")), "starts_at", instant),
        ("/access_grants/create", with("ends_at", json!("2025-05-10")), "ends_at", instant),
        (
            "/access_grants/create",
            with("name", json!("a\u{0}")),
            "name",
            "A text must not contain the character U+0000",
        ),
        ("/access_grants/get", json!({"id": "x"}), "id", "unknown parameter `id`"),
        ("/spaces/list", json!({"limit": "many"}), "limit", "a whole number from 1 to 1000 is expected"),
        ("/spaces/list", json!({"limit": -1}), "limit", "a whole number from 1 to 1000 is expected"),
        ("/spaces/list", json!({"limit": 1001}), "limit", "limit must be between 1 and 1000"),
        (
            "/spaces/list",
            json!({"page_cursor": "x"}),
            "page_cursor",
            "This cursor does not belong to this list with these parameters",
        ),
        (
            "/access_grants/update",
            json!({"starts_at": "2025-05-10T15:00:00Z"}),
            "access_grant_id",
            "Exactly one of access_grant_id and access_grant_key is needed",
        ),
    ] {
        let (status, refused) = error(facade.post(&facade.own.live, path, &body).await).await;
        assert_eq!((status, &refused["type"]), (400, &json!("invalid_input")), "{body}");
        let said = refused["message"].as_str().expect("a text");
        assert!(said.starts_with(message), "{body}: {said}");
        let place = refused["validation_errors"][parameter]["_errors"][0]
            .as_str()
            .unwrap_or_else(|| panic!("{body} {refused}"));
        assert!(place.ends_with(said), "{place}");
    }
    let twice = facade.server.request("GET", "/seam/access_grants/get?access_grant_key=a&access_grant_key=b");
    let (_, refused) = error(twice.bearer_auth(&facade.own.live).send().await.expect("an answer")).await;
    assert_eq!(refused["message"], "it is there more than once");
}

#[tokio::test]
async fn what_is_not_found_is_told_under_the_name_of_its_parameter() {
    let facade = Facade::new().await;
    let grant = |spaces: Value, keys: Value| {
        json!({"user_identity_id": "nobody", "space_ids": spaces, "space_keys": keys,
            "requested_access_methods": [{"mode": "card"}]})
    };
    let somebody = json!({"user_identity_key": "somebody"});
    facade.done(&facade.own.live, "/user_identities/create", &somebody).await;
    let mut of_somebody = grant(json!(["room-101"]), json!(["nowhere"]));
    of_somebody["user_identity_id"] = json!("somebody");
    for (path, body, code, data) in [
        ("/access_grants/get", json!({"access_grant_id": "x"}), "access_grant", json!({"access_grant_id": "x"})),
        ("/access_grants/get", json!({"access_grant_key": "x"}), "access_grant", json!({"access_grant_key": "x"})),
        ("/user_identities/get", json!({"user_identity_key": "x"}), "user_identity", json!({"user_identity_key": "x"})),
        ("/access_methods/delete", json!({"reservation_key": "x"}), "access_grant", json!({"reservation_key": "x"})),
        ("/access_grants/create", grant(json!([]), json!([])), "user_identity", json!({"user_identity_id": "nobody"})),
        ("/access_grants/create", of_somebody, "space", json!({"space_key": "nowhere"})),
        (
            "/spaces/add_devices",
            json!({"space_id": "room-101", "device_ids": ["x"]}),
            "device",
            json!({"device_id": "x"}),
        ),
    ] {
        let (status, refused) = error(facade.post(&facade.desk.live, path, &body).await).await;
        let refused = if path == "/access_grants/create" {
            error(facade.post(&facade.own.live, path, &body).await).await.1
        } else {
            assert_eq!(status, 404, "{path} {body} {refused}");
            refused
        };
        assert_eq!(
            (&refused["type"], &refused["data"]),
            (&json!(format!("{code}_not_found")), &data),
            "{path} {refused}"
        );
    }
}

/// Keys are those of the integration that acts, whether it reads or writes.
#[tokio::test]
async fn by_a_key_a_front_desk_finds_what_it_made_itself() {
    let facade = Facade::new().await;
    let grant = |name: &str| {
        json!({"user_identity": {"full_name": name, "user_identity_key": "same"}, "access_grant_key": "same", "name": name,
            "acs_entrance_ids": ["gym-id"], "requested_access_methods": [{"mode": "card"}]})
    };
    facade.done(&facade.own.live, "/access_grants/create", &grant("Theirs")).await;
    let key = json!({"access_grant_key": "same"});
    let (status, _) = error(facade.post(&facade.desk.live, "/access_grants/get", &key).await).await;
    assert_eq!(status, 404);
    facade.done(&facade.desk.live, "/access_grants/create", &grant("Mine")).await;
    let mine = facade.done(&facade.desk.live, "/access_grants/get", &key).await;
    assert_eq!(mine["access_grant"]["name"], "Mine");
    let methods = facade.done(&facade.desk.live, "/access_methods/list", &key).await;
    assert_eq!(methods["access_methods"][0]["access_method_id"], mine["access_grant"]["access_method_ids"][0]);
    assert_eq!(methods["access_methods"].as_array().map(Vec::len), Some(1));
    let identity = json!({"user_identity_key": "same"});
    let identity = facade.done(&facade.desk.live, "/user_identities/get", &identity).await;
    assert_eq!(identity["user_identity"]["full_name"], "Mine");
    let all = facade.done(&facade.desk.live, "/access_grants/list", &json!({})).await;
    assert_eq!(all["access_grants"].as_array().map(Vec::len), Some(2), "by itself it sees all");
}

/// Nobody writes the card, and nobody finds the attempt.
#[tokio::test]
async fn a_test_key_is_told_of_a_card_that_it_was_written() {
    let facade = Facade::new().await;
    let records = facade.records(&facade.doors.house, &facade.own.live, &facade.desk.live, "own").await;
    let (method, encoder) = (records.named("access_method_id"), records.named("acs_encoder_id"));
    let encode = json!({"access_method_id": method, "acs_encoder_id": encoder});
    let attempt = facade.done(&facade.own.test, "/access_methods/encode", &encode).await["action_attempt"].clone();
    assert_eq!((&attempt["status"], &attempt["error"]), (&json!("success"), &Value::Null));
    assert_eq!(Some(&attempt["result"]["acs_credential_id"]), method.as_ref());
    let find = json!({"action_attempt_id": attempt["action_attempt_id"]});
    let (status, refused) = error(facade.post(&facade.own.test, "/action_attempts/get", &find).await).await;
    assert_eq!((status, &refused["message"]), (404, &json!("Action attempt not found")));
}

#[tokio::test]
async fn what_cannot_be_made_yet_is_an_error_of_the_grant() {
    let facade = Facade::new().await;
    let grant = json!({"user_identity": {"full_name": "Doe"}, "acs_entrance_ids": ["room-101-id"], "reservation_key": "stay-1",
        "requested_access_methods": [{"mode": "code", "code": "6666"}, {"mode": "mobile_key"}, {"mode": "card"}]});
    let made = facade.done(&facade.own.live, "/access_grants/create", &grant).await["access_grant"].clone();
    let error = &made["errors"][0];
    assert_eq!(error["error_code"], "cannot_create_requested_access_methods");
    assert_eq!(error["message"], "These access methods cannot be made for the entrances: Mobile key, Code");
    assert_eq!(made["errors"].as_array().map(Vec::len), Some(1));
    assert_eq!(made["access_method_ids"].as_array().map(Vec::len), Some(1), "the card");
    let created = made["requested_access_methods"].as_array().expect("a list");
    let created: Vec<usize> =
        created.iter().map(|asked| asked["created_access_method_ids"].as_array().expect("a list").len()).collect();
    assert_eq!(created, [0, 0, 1]);
    let by_id = json!({"access_grant_id": made["access_grant_id"]});
    let again = facade.done(&facade.own.live, "/access_grants/get", &by_id).await;
    assert_eq!(again["access_grant"], made);
}
