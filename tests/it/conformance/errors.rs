//! What an error says.

use serde_json::json;

use crate::support::House;
use crate::support::client::{ADD_KEY, CREATE_KEY};

#[tokio::test]
async fn f07_errors_have_a_category_and_the_path_of_the_argument_at_fault() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    let key = house.locks.pin("1").await;
    let pin = json!({"input": {"roomAccessPin": {"pin": "aB"}}});

    let validation = house.locks.error(CREATE_KEY, pin.clone()).await;
    assert_eq!(validation["extensions"]["category"], "validation");
    assert_eq!(validation["extensions"]["argumentPath"], json!(["input", "roomAccessPin", "pin"]));
    assert_eq!(validation["path"], json!(["createRoomAccessKey"]));

    let not_allowed = house.messaging.error(CREATE_KEY, pin.clone()).await;
    assert_eq!(not_allowed["extensions"]["category"], "auth");
    assert_eq!(not_allowed["message"], "Operation \"mutation\" not allowed");

    for document in ["{ room_stays { nope } }", "{ room_stays(", "{ nope }"] {
        let plain = house.locks.error(document, json!({})).await;
        assert!(plain["extensions"].get("category").is_none(), "{plain}");
        assert!(plain["extensions"]["code"].is_string(), "{plain}");
    }

    let by_id = house.desk.data("{ reservations { edges { node { id } } } }", json!({})).await;
    let reservation = &by_id["reservations"]["edges"][0]["node"]["id"];
    house.desk.done("cancelReservation", json!({ "id": reservation }), "reservation { id }").await;
    let cancelled = house.locks.error(ADD_KEY, json!({"input": {"roomStayId": stay, "roomAccessKeyId": key}})).await;
    assert_eq!(cancelled["message"], "This reservation was cancelled");
    assert_eq!(cancelled["extensions"]["category"], "validation");
    assert!(cancelled["extensions"].get("argumentPath").is_none(), "no single argument is at fault");

    sqlx::query("UPDATE hotels SET room_access_keys_enabled = false").execute(&house.test.db.pool).await.expect("runs");
    let locks = crate::support::Client::new(&house.test, &house.keys.live).await;
    let configuration = locks.error(CREATE_KEY, json!({"input": {"roomAccessPin": {"pin": "1"}}})).await;
    assert_eq!(configuration["extensions"]["category"], "configuration");
    assert_eq!(configuration["extensions"]["code"], "ROOM_ACCESS_KEYS_DISABLED");
}

#[tokio::test]
async fn f08_messages_are_english() {
    let house = House::new().await;
    let error = house.locks.error(CREATE_KEY, json!({"input": {"roomAccessPin": {"pin": "aB"}}})).await;
    assert_eq!(error["message"], "pin must not mix upper-case and lower-case letters");
}
