//! The unit of work: what follows changes in their transaction, what is pending until it commits, and what it leaves.

use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use latchkey::error::{Error, ErrorCode, Result};
use latchkey::events::Change;
use latchkey::hotel_settings::{self, HotelChange};
use latchkey::unit::{Follower, Pending, Tx};
use latchkey::{reservations, room_stays};
use serde_json::json;
use uuid::Uuid;

use crate::feed;
use crate::support::{Client, House, TestIntegration, code};

const FOLLOWED: &str = "followed";

/// What followers were given, call by call: who, and which types of events with their fields.
type Calls = Arc<Mutex<Vec<String>>>;

/// Notes on the reservation of each stay that is moved that it was.
struct Notes {
    name: &'static str,
    calls: Calls,
    /// Whether it notes something again whenever it is given what it noted.
    endless: bool,
}

impl Notes {
    async fn follow_in(&self, tx: &mut Tx, changes: &[Change]) -> Result<()> {
        let given = changes.iter().map(|change| format!("{}[{}]", change.kind.event_type, change.fields.join(",")));
        let given = given.collect::<Vec<_>>().join(" ");
        self.calls.lock().expect("nobody panicked").push(format!("{}: {given}", self.name));
        for change in changes {
            let moved = change.kind.event_type == "room_stay.updated"
                && change.fields.iter().any(|field| field == "room_setup");
            let hotel = tx.actor.hotel.id;
            let reservation: Uuid = if moved {
                sqlx::query_scalar("SELECT reservation_id FROM room_stays WHERE hotel_id = $1 AND id = $2")
                    .bind(hotel)
                    .bind(change.id)
                    .fetch_one(tx.conn().await?)
                    .await?
            } else if self.endless {
                change.id
            } else {
                continue;
            };
            sqlx::query("UPDATE reservations SET notes = $3 WHERE hotel_id = $1 AND id = $2")
                .bind(hotel)
                .bind(reservation)
                .bind(FOLLOWED)
                .execute(tx.conn().await?)
                .await?;
            tx.emit(reservations::UPDATED.of(reservation).with_fields(["notes"]));
        }
        Ok(())
    }
}

impl Follower for Notes {
    fn follow<'a>(&'a self, tx: &'a mut Tx, changes: &'a [Change]) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.follow_in(tx, changes))
    }
}

/// A follower that only looks.
struct Looks(Calls);

impl Follower for Looks {
    fn follow<'a>(&'a self, _: &'a mut Tx, changes: &'a [Change]) -> BoxFuture<'a, Result<()>> {
        self.0.lock().expect("nobody panicked").push(format!("looks: {}", changes.len()));
        Box::pin(std::future::ready(Ok(())))
    }
}

/// A house whose changes are followed, a stay that is about to be moved, and what the followers were given.
struct Followed {
    house: House,
    desk: TestIntegration,
    stay: String,
    room: String,
    calls: Calls,
}

impl Followed {
    async fn new(endless: bool) -> Self {
        let mut house = House::new().await;
        let calls = Calls::default();
        let stay = house.stay_in("101").await;
        let room = house.room("201").await;
        let notes = Notes { name: "notes", calls: Arc::clone(&calls), endless };
        house.test = house.test.with_followers(vec![Box::new(notes), Box::new(Looks(Arc::clone(&calls)))]);
        let desk = house.test.integration(&house.hotel, "Desk", latchkey::actor::Permission::FrontDesk).await;
        Self { house, desk, stay, room, calls }
    }

    /// Moves the stay with that key, and answers the answer.
    async fn moved(&self, key: &str) -> serde_json::Value {
        let client = Client::new(&self.house.test, key).await;
        let input = json!({"roomStayId": self.stay, "roomSetupId": self.room});
        client.act("moveRoomStay", input, "roomStay { id }").await
    }

    async fn notes(&self) -> Option<String> {
        let notes =
            "SELECT r.notes FROM reservations r JOIN room_stays s ON s.reservation_id = r.id WHERE s.id = $1::uuid";
        sqlx::query_scalar(notes).bind(&self.stay).fetch_one(&self.house.test.db.pool).await.expect("the reservation")
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().expect("nobody panicked"))
    }
}

const ROUNDS: [&str; 4] =
    ["notes: room_stay.updated[room_setup]", "looks: 1", "notes: reservation.updated[notes]", "looks: 1"];

#[tokio::test]
async fn followers_are_given_changes_in_order_and_what_they_emit_until_nothing_is_new() {
    let followed = Followed::new(false).await;
    let mut told = feed::Follower::new(&followed.house.locks).await;
    followed.moved(&followed.desk.live).await;
    assert_eq!(followed.calls(), ROUNDS);
    assert_eq!(followed.notes().await.as_deref(), Some(FOLLOWED));
    let told = told.told().await;
    let types: Vec<&str> = told.iter().filter_map(|event| event[0].as_str()).collect();
    assert_eq!(types, ["room_stay.updated", "reservation.updated"]);
}

#[tokio::test]
async fn test_keys_are_followed_and_then_undone() {
    let followed = Followed::new(false).await;
    let answer = followed.moved(&followed.desk.test).await;
    assert_eq!(code(&answer), "no error", "{answer}");
    assert_eq!(followed.calls(), ROUNDS);
    assert_eq!(followed.notes().await, None);
}

#[tokio::test]
async fn followers_that_never_come_to_an_end_fail_the_request() {
    let followed = Followed::new(true).await;
    for key in [&followed.desk.live, &followed.desk.test] {
        let answer = followed.moved(key).await;
        assert_eq!(code(&answer), "INTERNAL", "{answer}");
        assert_eq!(followed.calls().iter().filter(|call| call.starts_with("notes")).count(), 4, "rounds");
        assert_eq!(followed.notes().await, None);
    }
}

#[tokio::test]
async fn changes_in_bulk_are_followed_as_well() {
    let followed = Followed::new(false).await;
    let mut tx = followed.house.test.operate(&followed.house.hotel).await;
    let stay = followed.stay.parse().expect("an id");
    tx.record_bulk(vec![room_stays::UPDATED.of(stay).with_fields(["room_setup"])], []);
    tx.commit().await.expect("committed");
    assert_eq!(followed.calls(), ROUNDS);
    assert_eq!(followed.notes().await.as_deref(), Some(FOLLOWED));
}

/// A category that is still to be written.
#[derive(Default)]
struct NewCategory(Option<Uuid>);

impl Pending for NewCategory {
    fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn write(self: Box<Self>, tx: &mut Tx) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let (hotel, now) = (tx.actor.hotel.id, tx.now);
            sqlx::query(
                "INSERT INTO categories (hotel_id, id, name, name_folded, created_at, updated_at)
                 VALUES ($1, $2, 'Pending', 'pending', $3, $3)",
            )
            .bind(hotel)
            .bind(self.0)
            .bind(now)
            .execute(tx.conn().await?)
            .await
            .map_err(|_| Error::of(ErrorCode::NameTaken))?;
            Ok(())
        })
    }
}

async fn begin(house: &House, client: &Client) -> Tx {
    Tx::begin(&house.test, &client.actor, house.test.clock.now()).await.expect("the database is there")
}

async fn categories(tx: &mut Tx) -> i64 {
    let count = sqlx::query_scalar("SELECT count(*) FROM categories WHERE name = 'Pending'");
    count.fetch_one(tx.conn().await.expect("written")).await.expect("a count")
}

#[tokio::test]
async fn what_is_pending_is_written_before_anything_is_read_and_once() {
    let house = House::new().await;
    let mut tx = begin(&house, &house.locks).await;
    assert_eq!(categories(&mut tx).await, 0);
    tx.pending::<NewCategory>().0 = Some(Uuid::from_u128(1));
    assert_eq!(categories(&mut tx).await, 1);
    assert!(tx.pending::<NewCategory>().is_empty());
    assert_eq!(categories(&mut tx).await, 1);
    tx.commit().await.expect("committed");
    assert_eq!(categories(&mut begin(&house, &house.locks).await).await, 1);
}

#[tokio::test]
async fn a_test_key_learns_what_a_pending_write_refuses() {
    let house = House::new().await;
    let tester = Client::new(&house.test, &house.keys.test).await;
    for (id, refused) in [(1, None), (2, None), (3, Some(ErrorCode::NameTaken))] {
        if refused.is_some() {
            let mut other = begin(&house, &house.locks).await;
            other.pending::<NewCategory>().0 = Some(Uuid::from_u128(9));
            other.commit().await.expect("committed");
        }
        let mut tx = begin(&house, &tester).await;
        tx.pending::<NewCategory>().0 = Some(Uuid::from_u128(id));
        assert_eq!(tx.commit().await.err().map(|error| error.code), refused, "the one before left nothing");
    }
}

#[tokio::test]
async fn the_trail_of_a_hotel_compares_with_its_settings_as_they_are_under_the_lock() {
    let house = House::new().await;
    let change = HotelChange { name: Some("Grand".to_owned()), ..HotelChange::default() };
    let (mut first, mut second) = (house.test.operate(&house.hotel).await, house.test.operate(&house.hotel).await);
    hotel_settings::update_in(&mut first, &change).await.expect("changed");
    first.commit().await.expect("committed");
    hotel_settings::update_in(&mut second, &change).await.expect("changed");
    second.commit().await.expect("committed");
    let entries = "SELECT count(*) FROM audit_entries WHERE object_type = 'HOTEL' AND action = 'UPDATED'";
    let entries: i64 = sqlx::query_scalar(entries).fetch_one(&house.test.db.pool).await.expect("a count");
    assert_eq!(entries, 1, "the second one changed nothing");
}
