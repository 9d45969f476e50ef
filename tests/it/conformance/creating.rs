//! Making room access keys.

use serde_json::{Value, json};

use super::every_kind;
use super::printed::{CREATE_KEY_STORAGE, CREATE_PIN, CREATE_QR, CREATE_ROOM_ACCESS_KEY, printed_json};
use crate::support::{House, nodes, text};

const OWN_KEYS: &str = "{ roomAccessKeys(first: 100) { edges { node { __typename id ... on RoomAccessPin { pin } \
    ... on RoomAccessKeyStorage { pin compartment } ... on RoomAccessQR { qrData } } } } }";

/// Tries every input; all have to be refused at that argument, and none may leave a key.
async fn all_refused(inputs: &[Value], argument: &Value) {
    let house = House::new().await;
    for input in inputs {
        let (code, path) = house.locks.refused("createRoomAccessKey", input.clone(), "roomAccessKey { id }").await;
        assert_eq!((code.as_str(), &path), ("INVALID_ARGUMENT", argument), "{input}");
    }
    assert!(nodes(&house.locks.data(OWN_KEYS, json!({})).await["roomAccessKeys"]).is_empty());
}

/// Tries every input; all have to be accepted.
async fn all_accepted(inputs: &[Value]) {
    let house = House::new().await;
    for input in inputs {
        house.key(input.clone()).await;
    }
    assert_eq!(nodes(&house.locks.data(OWN_KEYS, json!({})).await["roomAccessKeys"]).len(), inputs.len());
}

/// The input lacks a required field: the document does not fit the schema.
async fn required(inputs: &[Value]) {
    let house = House::new().await;
    for input in inputs {
        let (code, _) = house.locks.refused("createRoomAccessKey", input.clone(), "roomAccessKey { id }").await;
        assert!(code == "GRAPHQL_VALIDATION_FAILED" || code == "INVALID_VARIABLE", "{code} for {input}");
    }
}

#[tokio::test]
async fn a40_one_mutation_makes_keys_of_all_three_kinds() {
    let house = House::new().await;
    let mut ids = Vec::new();
    for variables in [CREATE_PIN, CREATE_KEY_STORAGE, CREATE_QR] {
        let made = house.locks.data(CREATE_ROOM_ACCESS_KEY.0, printed_json(variables)).await;
        ids.push(text(&made["createRoomAccessKey"]["roomAccessKey"]["id"]));
    }
    let own = nodes(&house.locks.data(OWN_KEYS, json!({})).await["roomAccessKeys"]);
    assert_eq!(
        own,
        [
            json!({"__typename": "RoomAccessPin", "id": ids[0], "pin": "1234567890"}),
            json!({"__typename": "RoomAccessKeyStorage", "id": ids[1], "pin": "1234567890", "compartment": "3R"}),
            json!({"__typename": "RoomAccessQR", "id": ids[2], "qrData": "abcdefgh1234567890"}),
        ]
    );
    let (none, two) = (json!({}), json!({"roomAccessPin": {"pin": "1"}, "roomAccessQR": {"qrData": "1"}}));
    for input in [none, two] {
        let (code, path) = house.locks.refused("createRoomAccessKey", input, "roomAccessKey { id }").await;
        assert_eq!((code.as_str(), path), ("INVALID_ARGUMENT", json!(["input"])));
    }
}

#[tokio::test]
async fn a41_a_pin_is_required() {
    required(&[json!({"roomAccessPin": {}}), json!({"roomAccessPin": {"pin": null}})]).await;
}

#[tokio::test]
async fn a42_a_pin_has_up_to_ten_letters_of_one_case_and_digits() {
    let pin = |pin: &str| json!({"roomAccessPin": {"pin": pin}});
    all_accepted(&["0", "0042", "1234567890", "abc1", "ABC1", "ABCDEFGHIJ"].map(pin)).await;
    let wrong = ["", "12345678901", "aB", "12 4", "12-4", "12é", "１２", "1\n", "1\u{0}"].map(pin);
    all_refused(&wrong, &json!(["input", "roomAccessPin", "pin"])).await;
}

#[tokio::test]
async fn a43_key_storage_needs_pin_and_compartment() {
    let storage = |fields: Value| json!({ "roomAccessKeyStorage": fields });
    required(&[storage(json!({"pin": "1"})), storage(json!({"compartment": "3R"}))]).await;
    let mixed = storage(json!({"pin": "aB", "compartment": "3R"}));
    all_refused(&[mixed], &json!(["input", "roomAccessKeyStorage", "pin"])).await;
}

#[tokio::test]
async fn a44_a_compartment_has_up_to_ten_letters_and_digits() {
    let storage = |compartment: &str| json!({"roomAccessKeyStorage": {"pin": "1", "compartment": compartment}});
    all_accepted(&["3R", "aB3", "1234567890"].map(storage)).await;
    let wrong = ["", "12345678901", "3-R", "3 R"].map(storage);
    all_refused(&wrong, &json!(["input", "roomAccessKeyStorage", "compartment"])).await;
}

#[tokio::test]
async fn a45_qr_data_has_up_to_512_characters() {
    let qr = |data: String| json!({"roomAccessQR": {"qrData": data}});
    required(&[json!({"roomAccessQR": {}})]).await;
    all_accepted(&[qr("a".into()), qr("x".repeat(512)), qr("🔑".repeat(512))]).await;
    let wrong = [qr(String::new()), qr("x".repeat(513)), qr("a\u{0}".into())];
    all_refused(&wrong, &json!(["input", "roomAccessQR", "qrData"])).await;
}

#[tokio::test]
async fn a46_the_returned_id_is_what_later_mutations_take() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    for (_, input) in every_kind() {
        let key = house.key(input).await;
        assert!(key.len() <= 64 && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{key}");
        for response in
            [house.locks.add(&stay, &key).await, house.locks.remove(&stay, &key).await, house.locks.delete(&key).await]
        {
            assert!(response.get("errors").is_none(), "{response}");
        }
    }
}

#[tokio::test]
async fn a47_a_new_key_is_on_no_stay() {
    let house = House::new().await;
    let stay = house.stay("R1").await;
    for (_, input) in every_kind() {
        house.key(input).await;
    }
    assert_eq!(house.locks.key_of(&stay).await, None);
}
