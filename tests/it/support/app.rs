//! An application on a database of its own, at a fixed instant.

use std::ops::Deref;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use latchkey::actor::Permission;
use latchkey::app::App;
use latchkey::auth;
use latchkey::clock::Clock;
use latchkey::hotels::{self, Hotel, HotelId, NewHotel};
use latchkey::id::IdSource;
use latchkey::secrets::SecretKeys;
use latchkey::webhooks::WebhookSettings;
use uuid::Uuid;

use super::TestDb;

/// Connections for requests.
const CONNECTIONS: u32 = 5;
const START: &str = "2026-01-30T09:00:00Z";

/// The application. Its clock stands at 2026-01-30 09:00 UTC until [`TestApp::advance`] moves it.
pub struct TestApp {
    /// The parts.
    pub app: App,
    /// Dropped last.
    pub db: TestDb,
}

/// An integration of a hotel and its credentials.
#[derive(Clone, Debug)]
pub struct TestIntegration {
    /// Its hotel.
    pub hotel_id: HotelId,
    /// Owner of the room access keys made with it.
    pub integration_id: Uuid,
    /// The pair of API keys.
    pub api_key_id: Uuid,
    /// `pms_live_...`
    pub live: String,
    /// `pms_test_...`
    pub test: String,
}

impl TestApp {
    pub async fn new() -> Self {
        Self::at(START).await
    }

    /// At another instant, in RFC 3339.
    pub async fn at(instant: &str) -> Self {
        Self::with(instant.parse().expect("an instant"), WebhookSettings::default()).await
    }

    /// With other settings of webhooks.
    pub async fn with_webhooks(webhooks: WebhookSettings) -> Self {
        Self::with(START.parse().expect("an instant"), webhooks).await
    }

    /// At another instant with other settings of webhooks.
    pub async fn with(start: DateTime<Utc>, webhooks: WebhookSettings) -> Self {
        let db = TestDb::new().await;
        let clock = Clock::manual(start);
        let ids = IdSource::operating_system();
        let secret_keys = SecretKeys::parse(&SecretKeys::generate(&ids)).unwrap_or_else(|reason| panic!("{reason}"));
        Self { app: App::new(db.options(), CONNECTIONS, clock, ids, secret_keys, webhooks), db }
    }

    /// Moves the clock.
    pub fn advance(&self, by: TimeDelta) {
        self.app.clock.advance(by);
    }

    /// A hotel with check-in at 15:00 and check-out at 11:00.
    pub async fn hotel(&self, slug: &str, time_zone: Tz) -> Hotel {
        let time = |hour| NaiveTime::from_hms_opt(hour, 0, 0).expect("a time");
        let new = NewHotel {
            slug: slug.to_owned(),
            name: slug.to_owned(),
            time_zone,
            check_in_time: time(15),
            check_out_time: time(11),
        };
        hotels::create(&self.app, new).await.expect("the hotel can be made")
    }

    /// An integration of `hotel` and a pair of keys for it.
    pub async fn integration(&self, hotel: &Hotel, name: &str, permission: Permission) -> TestIntegration {
        let made =
            auth::create_api_key(&self.app, hotel.id, name, name, permission).await.expect("the key can be made");
        TestIntegration {
            hotel_id: hotel.id,
            integration_id: made.integration_id,
            api_key_id: made.id,
            live: made.pair.live.expose().to_owned(),
            test: made.pair.test.expose().to_owned(),
        }
    }
}

impl Deref for TestApp {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}
