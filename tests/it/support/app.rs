//! An application on a database of its own, at a fixed instant.

use std::env;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use latchkey::actor::{Permission, Principal};
use latchkey::app::App;
use latchkey::auth::{self, ApiKeyChange};
use latchkey::clock::Clock;
use latchkey::disconnection::{self, Disconnected};
use latchkey::error::Result;
use latchkey::hotel_settings::{self, NewHotel};
use latchkey::hotels::{Hotel, HotelId};
use latchkey::id::IdSource;
use latchkey::integrations;
use latchkey::secrets::SecretKeys;
use latchkey::throttle::ThrottleSettings;
use latchkey::unit::{Follower, Tx};
use latchkey::webhooks::WebhookSettings;
use uuid::Uuid;

use super::TestDb;

/// Connections for requests.
const CONNECTIONS: u32 = 5;
/// Variable of the environment; "off" has the executor answer everything. `./dev test` runs the tests of reading that way, too.
const FAST_PATH: &str = "LATCHKEY_TEST_FAST_PATH";
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
        let app = App::new(db.options(), CONNECTIONS, clock, ids, secret_keys, webhooks);
        app.fast_path.store(env::var_os(FAST_PATH).is_none_or(|value| value != "off"), Ordering::Relaxed);
        Self { app, db }
    }

    /// With followers, on the same database as another one.
    pub fn with_followers(self, followers: Vec<Box<dyn Follower>>) -> Self {
        let Self { app, db } = self;
        let (webhooks, limits) = (app.webhooks.clone(), ThrottleSettings::unlimited());
        Self { app: App::assemble(app.context.clone(), webhooks, limits, followers), db }
    }

    /// A transaction of whoever runs the service.
    pub async fn operate(&self, hotel: &Hotel) -> Tx {
        let (hotel, now) = (Arc::new(hotel.clone()), self.clock.now());
        Tx::begin_worker(&self.app, hotel, Principal::Operator, now).await.expect("the database is there")
    }

    /// What whoever runs the service does to a pair of API keys.
    pub async fn change_api_key(&self, id: Uuid, to: ApiKeyChange) -> Result<()> {
        let mut tx = self.operate(&auth::hotel_of(self, id).await?).await;
        auth::change_in(&mut tx, id, to).await?;
        tx.commit().await
    }

    /// Disconnects an integration, as whoever runs the service does.
    pub async fn disconnect(&self, hotel: &Hotel, name: &str) -> Result<Disconnected> {
        let mut tx = self.operate(hotel).await;
        let disconnected = disconnection::disconnect_by_name_in(&mut tx, name).await?;
        tx.commit().await?;
        Ok(disconnected)
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
            is_sandbox: false,
        };
        hotel_settings::create(&self.app, new).await.expect("the hotel can be made")
    }

    /// An integration of `hotel` and a pair of keys for it.
    pub async fn integration(&self, hotel: &Hotel, name: &str, permission: Permission) -> TestIntegration {
        let mut tx = self.operate(hotel).await;
        let integration = integrations::ensure_in(&mut tx, name).await.expect("it can be connected");
        let made =
            auth::create_in(&mut tx, integration, name.to_owned(), permission).await.expect("the key can be made");
        tx.commit().await.expect("it is kept");
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
