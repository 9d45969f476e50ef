//! Who is let in.

use axum::http::HeaderValue;
use chrono_tz::Tz;
use latchkey::actor::{Mode, Permission};
use latchkey::auth::{self, ApiKeyChange};
use latchkey::error::ErrorCode;
use uuid::Uuid;

use crate::support::TestApp;

async fn code(app: &TestApp, key: &str) -> Option<ErrorCode> {
    let header = HeaderValue::from_str(&format!("Bearer {key}")).expect("a header");
    app.authenticate(Some(&header)).await.err().map(|error| error.code)
}

#[tokio::test]
async fn both_keys_of_a_pair_lead_to_their_integration() {
    let app = TestApp::new().await;
    let hotel = app.hotel("grand-hotel", Tz::Europe__Berlin).await;
    let vendor = app.integration(&hotel, "Lock Vendor", Permission::Write).await;
    for (key, mode) in [(&vendor.live, Mode::Live), (&vendor.test, Mode::Test)] {
        let header = HeaderValue::from_str(&format!("Bearer {key}")).expect("a header");
        let actor = app.authenticate(Some(&header)).await.expect("let in").actor;
        assert_eq!(
            (actor.hotel.id, actor.principal.integration_id(), actor.mode),
            (hotel.id, Some(vendor.integration_id), mode)
        );
        assert_eq!(actor.permission, Permission::Write);
    }
}

#[tokio::test]
async fn a_disabled_key_is_refused_until_it_is_enabled() {
    let app = TestApp::new().await;
    let hotel = app.hotel("grand-hotel", Tz::Europe__Berlin).await;
    let vendor = app.integration(&hotel, "Lock Vendor", Permission::Write).await;
    app.change_api_key(vendor.api_key_id, ApiKeyChange::Disable).await.expect("disabled");
    assert_eq!(code(&app, &vendor.live).await, Some(ErrorCode::Unauthorized));
    assert_eq!(code(&app, &vendor.test).await, Some(ErrorCode::Unauthorized));
    app.change_api_key(vendor.api_key_id, ApiKeyChange::Enable).await.expect("enabled");
    assert_eq!(code(&app, &vendor.live).await, None);
}

#[tokio::test]
async fn a_revoked_key_stays_revoked() {
    let app = TestApp::new().await;
    let hotel = app.hotel("grand-hotel", Tz::Europe__Berlin).await;
    let vendor = app.integration(&hotel, "Lock Vendor", Permission::Write).await;
    for _ in 0..2 {
        app.change_api_key(vendor.api_key_id, ApiKeyChange::Revoke).await.expect("revoked");
    }
    let enabled = app.change_api_key(vendor.api_key_id, ApiKeyChange::Enable).await;
    assert_eq!(enabled.expect_err("refused").code, ErrorCode::InvalidArgument);
    assert_eq!(code(&app, &vendor.live).await, Some(ErrorCode::KeyRevoked));
    let unknown = app.change_api_key(Uuid::nil(), ApiKeyChange::Revoke).await;
    assert_eq!(unknown.expect_err("refused").code, ErrorCode::NotFound);
}

#[tokio::test]
async fn a_second_key_of_an_integration_belongs_to_the_same_integration() {
    let app = TestApp::new().await;
    let hotel = app.hotel("grand-hotel", Tz::Europe__Berlin).await;
    let first = app.integration(&hotel, "Lock Vendor", Permission::Write).await;
    let second = app.integration(&hotel, "Lock Vendor", Permission::ReadOnly).await;
    assert_eq!(first.integration_id, second.integration_id);
    let listed = auth::list_api_keys(&app, hotel.id).await.expect("listed");
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|key| key.live_preview.contains("****") && key.integration.name == "Lock Vendor"));
}
