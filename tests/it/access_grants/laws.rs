//! Laws of access grants: any history of what integrations and the front desk do comes out as the plain model says.

use std::collections::HashMap;
use std::sync::Mutex;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRng, TestRunner};
use serde_json::{Value, json};

use super::acts::{Door, door};
use super::model::{Act, Doors, Frame, GYM, HOUR, Instant, Model, ROOMS, Rule, Seen, SeenGrant, SeenOrder};
use crate::support::{Client, House, TestApp, code, nodes, text};

/// How many histories, and how long each of them is.
const HISTORIES: usize = 40;
const LENGTH: usize = 30;
/// Stays of each history: room, day of arrival, day of departure.
const STAYS: [(usize, i64, i64); 3] = [(0, 0, 3), (1, 1, 4), (2, 0, 2)];
const TO: [&str; 3] = ["GUEST", "RESIDENT", "STAFF"];
const KEYS: [&str; 2] = ["stay-1", "stay-2"];

fn doors() -> impl Strategy<Value = Doors> {
    // Rooms, alone and with the gym or another room: sets that are equal, contain each other, meet and do not.
    prop::sample::select(vec![
        vec!["101"],
        vec!["101", GYM],
        vec!["102"],
        vec!["101", "102"],
        vec!["101", "102", GYM],
        vec!["suite-a"],
        vec!["suite-b", GYM],
        vec!["suite-a", "suite-b"],
        vec!["102", "suite-a"],
        vec![GYM],
    ])
    .prop_map(|doors| doors.into_iter().collect())
}

fn frames() -> impl Strategy<Value = Frame> {
    // On whole days, so that many touch.
    (0..7_i64, prop::option::weighted(0.96, 1..4_i64))
        .prop_map(|(from, days)| (from * 24 * HOUR, days.map(|days| (from + days) * 24 * HOUR)))
}

fn acts() -> impl Strategy<Value = Act> {
    let by = 0..2_usize;
    let to = prop::sample::select(vec!["GUEST", "GUEST", "GUEST", "RESIDENT", "STAFF"]);
    let key = prop::option::weighted(0.85, prop::sample::select(KEYS.to_vec()));
    let grant = (0..20_usize).prop_map(|number| number.to_string());
    let stay = 0..STAYS.len();
    // Many grants of one key, so that some meet several others.
    let of_family = prop::sample::select(vec![vec!["101"], vec!["101"], vec!["101", "102"]]);
    let family = (of_family, frames()).prop_map(|(doors, frame)| Act::Grant {
        by: 0,
        to: "GUEST",
        doors: doors.into_iter().collect(),
        key: Some(KEYS[0]),
        frame,
    });
    prop_oneof![
        7 => family,
        7 => (by.clone(), to.clone(), doors(), key, frames())
            .prop_map(|(by, to, doors, key, frame)| Act::Grant { by, to, doors, key, frame }),
        5 => (by.clone(), to, stay.clone()).prop_map(|(by, to, stay)| Act::GrantByStay { by, to, stay }),
        3 => (by.clone(), grant.clone(), frames()).prop_map(|(by, grant, frame)| Act::Redate { by, grant, frame }),
        2 => (by.clone(), grant.clone(), doors()).prop_map(|(by, grant, doors)| Act::ChangeDoors { by, grant, doors }),
        3 => (by, grant).prop_map(|(by, grant)| Act::Delete { by, grant }),
        2 => (stay.clone(), prop::option::weighted(0.85, 0..ROOMS.len()))
            .prop_map(|(stay, room)| Act::MoveStay { stay, room }),
        2 => (stay.clone(), 0..4_i64, 1..4_i64)
            .prop_map(|(stay, from, nights)| Act::RedateStay { stay, from, nights }),
        2 => (stay.clone(), any::<bool>()).prop_map(|(stay, cancelled)| Act::CancelStay { stay, cancelled }),
        2 => (stay.clone(), any::<bool>()).prop_map(|(stay, out)| Act::CheckOut { stay, out }),
        1 => stay.prop_map(|stay| Act::DeleteStay { stay }),
        3 => (8..30_i64).prop_map(Act::Wait),
    ]
}

/// How some histories begin, so that what seldom comes about by chance is met in many ways.
fn openings() -> impl Strategy<Value = Vec<Act>> {
    let family = |doors: &[&'static str], from: i64, days: i64| Act::Grant {
        by: 0,
        to: "GUEST",
        doors: doors.iter().copied().collect(),
        key: Some(KEYS[0]),
        frame: (from * 24 * HOUR, Some((from + days) * 24 * HOUR)),
    };
    let delete = |number: usize| Act::Delete { by: 0, grant: number.to_string() };
    let by_stay = |by: usize| Act::GrantByStay { by, to: "GUEST", stay: 0 };
    prop::sample::select(vec![
        Vec::new(),
        // A joiner of a part, without the first grant.
        vec![family(&["101", "102"], 2, 3), family(&["101"], 2, 3), delete(0), family(&["101", "102"], 2, 2)],
        // A reservation whose grants have run out.
        vec![family(&["101"], 0, 1), Act::Wait(29), family(&["101"], 2, 2)],
        // A stay that comes back, with the friends of its guest.
        vec![
            by_stay(0),
            by_stay(1),
            Act::CancelStay { stay: 0, cancelled: true },
            Act::CancelStay { stay: 0, cancelled: false },
        ],
    ])
}

/// A hotel in which a history happens.
struct World {
    house: House,
    began: DateTime<Utc>,
    doors: HashMap<&'static str, String>,
    rooms: Vec<String>,
    identities: Vec<HashMap<&'static str, String>>,
    stays: Vec<(String, String)>,
    /// The ids of the grants that were seen last, by label.
    grants: Mutex<HashMap<String, String>>,
}

impl World {
    async fn new(house: House) -> Self {
        let mut doors = HashMap::new();
        let mut rooms = Vec::new();
        for (name, of_room) in ROOMS {
            let room = house.room(name).await;
            for name in of_room {
                doors.insert(*name, door(&house, Door::guest(name).of(&room)).await);
            }
            rooms.push(room);
        }
        doors.insert(GYM, door(&house, Door::common(GYM)).await);
        let mut identities = Vec::new();
        for client in [&house.locks, &house.other_locks] {
            let mut of_kind = HashMap::new();
            for kind in TO {
                let made = client.done("createUserIdentity", json!({ "kind": kind }), "userIdentity { id }").await;
                of_kind.insert(kind, text(&made["userIdentity"]["id"]));
            }
            identities.push(of_kind);
        }
        let mut stays = Vec::new();
        for (number, (room, from, to)) in STAYS.into_iter().enumerate() {
            let (reservation, mut made) = house.reservation(&format!("R{number}"), &[(&day(from), &day(to))]).await;
            let stay = made.remove(0);
            let to_room = json!({"roomStayId": stay, "roomSetupId": rooms[room]});
            house.desk.done("moveRoomStay", to_room, "roomStay { id }").await;
            stays.push((reservation, stay));
        }
        Self { began: house.test.clock.now(), house, doors, rooms, identities, stays, grants: Mutex::default() }
    }

    fn client(&self, by: usize) -> &Client {
        [&self.house.locks, &self.house.other_locks][by]
    }

    fn at(&self, instant: Instant) -> String {
        (self.began + TimeDelta::seconds(instant)).to_rfc3339()
    }

    fn ids(&self, doors: &Doors) -> Vec<&String> {
        doors.iter().map(|door| &self.doors[door]).collect()
    }

    /// Does something for real; `label` is that of the grant that it makes, if it makes one.
    async fn act(&self, act: &Act, label: &str) -> Seen {
        self.house.test.advance(TimeDelta::seconds(1));
        let answer = match act {
            Act::Wait(hours) => {
                self.house.test.advance(TimeDelta::hours(*hours));
                Value::Null
            }
            Act::Grant { by, to, doors, key, frame } => {
                let input = json!({
                    "userIdentityId": self.identities[*by][to], "entranceIds": self.ids(doors), "reservationKey": key,
                    "startsAt": self.at(frame.0), "endsAt": frame.1.map(|end| self.at(end)), "name": label,
                    "requestedAccessMethods": [{"mode": "CARD"}],
                });
                self.client(*by).act("createAccessGrant", input, "accessGrant { id }").await
            }
            Act::GrantByStay { by, to, stay } => {
                let input = json!({
                    "userIdentityId": self.identities[*by][to], "roomStayId": self.stays[*stay].1, "name": label,
                    "requestedAccessMethods": [{"mode": "CARD"}],
                });
                self.client(*by).act("createAccessGrant", input, "accessGrant { id }").await
            }
            Act::Redate { by, grant, frame } => {
                let input = json!({
                    "id": self.grant(grant), "startsAt": self.at(frame.0),
                    "endsAt": frame.1.map(|end| self.at(end)),
                });
                self.client(*by).act("updateAccessGrant", input, "accessGrant { id }").await
            }
            Act::ChangeDoors { by, grant, doors } => {
                let input = json!({"id": self.grant(grant), "entranceIds": self.ids(doors)});
                self.client(*by).act("updateAccessGrant", input, "accessGrant { id }").await
            }
            Act::Delete { by, grant } => {
                let input = json!({"id": self.grant(grant)});
                self.client(*by).act("deleteAccessGrant", input, "deleted").await
            }
            Act::MoveStay { .. }
            | Act::RedateStay { .. }
            | Act::CancelStay { .. }
            | Act::CheckOut { .. }
            | Act::DeleteStay { .. } => self.act_on_stay(act).await,
        };
        let known = [
            "RESERVATION_KEY_NOT_SUPPORTED",
            "RESERVATION_KEY_REQUIRED",
            "RESERVATION_ENTRANCE_CHANGE_REQUIRES_CLEANUP",
            "RESERVATION_JOINER_ENTRANCE_SET_CONFLICT",
            "RESERVATION_TIME_FRAMES_MUST_OVERLAP",
            "RESERVATION_CANCELLED",
            "RESERVATION_NOT_CANCELLED",
            "ROOM_STAY_DEPARTED",
            "INVALID_ARGUMENT",
            "NOT_FOUND",
            "no error",
        ];
        let answer = known.into_iter().find(|known| *known == code(&answer)).unwrap_or_else(|| panic!("{answer}"));
        Seen { answer, grants: self.grants().await, orders: self.orders().await }
    }

    async fn act_on_stay(&self, act: &Act) -> Value {
        let desk = &self.house.desk;
        match act {
            Act::MoveStay { stay, room } => {
                let input =
                    json!({"roomStayId": self.stays[*stay].1, "roomSetupId": room.map(|room| &self.rooms[room])});
                desk.act("moveRoomStay", input, "roomStay { id }").await
            }
            Act::RedateStay { stay, from, nights } => {
                let (from, to) = (day(*from), day(from + nights));
                let input = json!({"roomStayId": self.stays[*stay].1, "reservation_from": from, "reservation_to": to});
                desk.act("changeRoomStayDates", input, "roomStay { id }").await
            }
            Act::CancelStay { stay, cancelled } => {
                let name = if *cancelled { "cancelReservation" } else { "reactivateReservation" };
                desk.act(name, json!({"id": self.stays[*stay].0}), "reservation { id }").await
            }
            Act::CheckOut { stay, out } => {
                let at = out.then(|| self.at(30 * 24 * HOUR));
                let input = json!({"id": self.stays[*stay].1, "check_in": at, "check_out": at});
                desk.act("updateRoomStay", input, "roomStay { id }").await
            }
            Act::DeleteStay { stay } => {
                desk.act("deleteRoomStay", json!({"roomStayId": self.stays[*stay].1}), "deleted").await
            }
            _ => unreachable!("it is an act on a stay"),
        }
    }

    /// The id of the live grant with that label, or one that nobody has.
    fn grant(&self, label: &str) -> String {
        let seen = self.grants.lock().expect("nobody panicked");
        seen.get(label).cloned().unwrap_or_else(|| "00000000-0000-7000-8000-000000000000".to_owned())
    }

    /// The live grants, as the front desk sees them.
    async fn grants(&self) -> Vec<SeenGrant> {
        let name_of: HashMap<&str, &'static str> = self.doors.iter().map(|(name, id)| (id.as_str(), *name)).collect();
        let since = |at: &Value| {
            let at: DateTime<Utc> = text(at).parse().expect("an instant");
            (at - self.began).num_seconds()
        };
        let query = "{ accessGrants(first: 100) { edges { node { id name reservationKey startsAt endsAt entrances { id } \
             integration { id } } } } }";
        let all = nodes(&self.house.desk.data(query, json!({})).await["accessGrants"]);
        let mut seen = Vec::new();
        for grant in &all {
            let entrances = grant["entrances"].as_array().expect("a list");
            let is_first = grant["integration"]["id"] == json!(self.client(0).actor.principal.integration_id());
            seen.push(SeenGrant {
                label: text(&grant["name"]),
                by: usize::from(!is_first),
                of_reservation: !grant["reservationKey"].is_null(),
                doors: entrances.iter().map(|door| name_of[door["id"].as_str().expect("an id")]).collect(),
                frame: (since(&grant["startsAt"]), Some(&grant["endsAt"]).filter(|end| !end.is_null()).map(since)),
            });
        }
        *self.grants.lock().expect("nobody panicked") =
            all.iter().map(|grant| (text(&grant["name"]), text(&grant["id"]))).collect();
        seen.sort();
        seen
    }

    async fn orders(&self) -> Vec<SeenOrder> {
        let rows: Vec<(uuid::Uuid, DateTime<Utc>, i64)> = sqlx::query_as(
            "SELECT d.entrance_id, d.starts_at, d.sequence FROM access_reservation_doors d
             JOIN access_reservations r ON r.hotel_id = d.hotel_id AND r.id = d.reservation_id AND r.ended_at IS NULL
             WHERE d.hotel_id = $1",
        )
        .bind(self.house.hotel.id)
        .fetch_all(&self.house.test.db.pool)
        .await
        .expect("the orders can be read");
        let name_of = |id: uuid::Uuid| self.doors.iter().find(|(_, door)| **door == id.to_string()).expect("a door").0;
        let mut orders: Vec<SeenOrder> = rows
            .into_iter()
            .map(|(door, start, number)| (*name_of(door), (start - self.began).num_seconds(), number))
            .collect();
        orders.sort_unstable();
        orders
    }
}

fn day(number: i64) -> String {
    let first: NaiveDate = "2026-01-30".parse().expect("a date");
    (first + TimeDelta::days(number)).to_string()
}

/// A history as it happened: what was done and what could be seen then.
type History = Vec<(Act, Seen)>;

/// Lets a history happen, in a hotel of its own.
async fn happen(acts: Vec<Act>) -> History {
    let house = House::on(TestApp::new().await, "grand-hotel", Tz::UTC).await;
    let world = World::new(house).await;
    let mut model = Model::new(None, &STAYS);
    let mut history = Vec::new();
    for mut act in acts {
        model.aim(&mut act);
        let seen = world.act(&act, &model.next_label()).await;
        let expected = model.act(&act);
        let differs = seen != expected;
        history.push((act, seen));
        if differs {
            let (act, seen) = history.last().expect("it was pushed");
            panic!("{history:#?}\n\nafter the last of these, {act:?}\nexpected {expected:#?}\nbut saw {seen:#?}");
        }
    }
    history
}

/// Whether a model in which a rule is broken tells a history as it happened.
fn explains(history: &History, broken: Rule) -> bool {
    let mut model = Model::new(Some(broken), &STAYS);
    history.iter().all(|(act, seen)| model.act(act) == *seen)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_history_of_grants_and_stays_is_as_the_model_says_and_no_rule_can_be_broken_unnoticed() {
    let config = Config { failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(config.rng_algorithm);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let mut histories = Vec::new();
    for _ in 0..HISTORIES {
        let history = (openings(), prop::collection::vec(acts(), LENGTH));
        let (mut opening, acts) = history.new_tree(&mut runner).expect("a history").current();
        opening.extend(acts);
        histories.push(happen(opening).await);
    }
    let is_unnoticed = |rule: &Rule| histories.iter().all(|history| explains(history, *rule));
    let unnoticed: Vec<Rule> = Rule::ALL.into_iter().filter(is_unnoticed).collect();
    assert!(unnoticed.is_empty(), "{unnoticed:?} can be broken without any of the histories telling");
}
