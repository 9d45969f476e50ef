//! Records of another hotel, and of another integration, at every parameter of every route that names one: answered for byte for byte as
//! what there is nowhere.

use latchkey::actor::Permission;
use latchkey::seam::ROUTES;
use serde_json::{Value, json};
use uuid::Uuid;

use super::house::{Facade, Records, body, document, parameters};
use crate::access_grants::Doors;
use crate::support::{fingerprint, header};

/// Status and body, without the request's id and without what was asked for.
async fn answered(facade: &Facade, key: &str, path: &str, body: &Value, said: &Value) -> String {
    let response = facade.post(key, path, body).await;
    let (status, id) = (response.status(), header(&response, "seam-request-id").to_owned());
    let text = response.text().await.expect("text").replace(&id, "ID");
    let said = said.as_array().map_or(said, |list| &list[0]).as_str().expect("a text");
    format!("{status} {}", text.replace(said, "SAID"))
}

/// Tries every parameter that names a record with a value of `foreign`, as `key`.
async fn expect_absent(facade: &Facade, key: &str, own: &Records, foreign: &Records, hidden: fn(&str) -> bool) {
    let (document, before) = (document(), fingerprint(&facade.doors.house.test.db.pool).await);
    let mut tried = 0;
    for route in ROUTES {
        for (name, _) in parameters(&document, route) {
            let singular = name.strip_suffix('s').unwrap_or(&name);
            let Some(value) = foreign.named(&name).filter(|_| hidden(singular)) else { continue };
            // A new key is not the name of a record.
            if ["access_grant_key", "reservation_key", "space_key", "user_identity_key"].contains(&name.as_str())
                && (route.spec.path.ends_with("/create") || route.spec.path == "/user_identities/update")
            {
                continue;
            }
            let nowhere = if name.contains("_key") { "nowhere".to_owned() } else { Uuid::max().to_string() };
            let nowhere = if value.is_array() { json!([nowhere]) } else { json!(nowhere) };
            let with = |value: &Value| {
                let mut body = body(&document, route, own);
                // In the place of what else names the record.
                let object = body.as_object_mut().expect("an object");
                object.retain(|other, _| !is_choice(route.spec.path, other, &name));
                object.insert(name.clone(), value.clone());
                body
            };
            let absent = answered(facade, key, route.spec.path, &with(&nowhere), &nowhere).await;
            let answer = answered(facade, key, route.spec.path, &with(&value), &value).await;
            assert_eq!(answer, absent, "{} {name}", route.spec.path);
            tried += 1;
        }
    }
    assert!(tried >= 20, "only {tried}");
    assert_eq!(fingerprint(&facade.doors.house.test.db.pool).await, before);
}

/// Whether of two parameters of an operation only one is taken.
fn is_choice(path: &str, one: &str, other: &str) -> bool {
    let of_kind = |name: &str| name.trim_end_matches("_id").trim_end_matches("_key").to_owned();
    match path {
        "/access_methods/delete" => one != other,
        "/acs/encoders/encode_credential" => {
            let method = ["access_method_id", "acs_credential_id"];
            method.contains(&one) && method.contains(&other)
        }
        _ => one != other && of_kind(one) == of_kind(other),
    }
}

#[tokio::test]
async fn another_hotel_is_absent_at_every_parameter() {
    let facade = Facade::new().await;
    let next = Doors::of(facade.doors.house.next_door().await).await;
    let there = next.house.test.integration(&next.house.hotel, "There", Permission::FrontDesk).await;
    let foreign = facade.records(&next.house, &there.live, &there.live, "there").await;
    let own = facade.records(&facade.doors.house, &facade.desk.live, &facade.desk.live, "own").await;
    for key in [&facade.desk.live, &facade.desk.test] {
        expect_absent(&facade, key, &own, &foreign, |_| true).await;
    }
}

#[tokio::test]
async fn what_belongs_to_another_integration_is_absent_for_all_but_the_front_desk() {
    let facade = Facade::new().await;
    let other = facade.doors.house.test.integration(&facade.doors.house.hotel, "Other", Permission::Write).await;
    let foreign = facade.records(&facade.doors.house, &other.live, &facade.desk.live, "other").await;
    let own = facade.records(&facade.doors.house, &facade.own.live, &facade.desk.live, "own").await;
    let is_owned = |name: &str| {
        ["user_identity", "access_grant", "access_method", "acs_credential", "reservation"]
            .iter()
            .any(|kind| name.starts_with(kind))
    };
    for key in [&facade.own.live, &facade.own.test] {
        expect_absent(&facade, key, &own, &foreign, is_owned).await;
    }
}

/// So that nothing new is left out of the matrix.
#[tokio::test]
async fn every_parameter_that_names_a_record_is_tried() {
    let facade = Facade::new().await;
    let own = facade.records(&facade.doors.house, &facade.desk.live, &facade.desk.live, "own").await;
    let document = document();
    for route in ROUTES {
        for (name, _) in parameters(&document, route) {
            let singular = name.strip_suffix('s').unwrap_or(&name);
            let names = singular.ends_with("_id") || singular.ends_with("_key");
            let is_known = own.named(&name).is_some() || singular == "device_id";
            assert!(!names || is_known, "{} {name}", route.spec.path);
        }
    }
}
