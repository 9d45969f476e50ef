//! Laws that hold for any filter over any stays, any pages of them, and any history of keys.

use chrono::{Days, NaiveDate};
use latchkey::error::Result;
use latchkey::key_assignments;
use latchkey::room_access_keys::NewKey;
use latchkey::unit::Tx;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::support::{House, code, nodes, text};

/// What a filter can see of a stay.
#[derive(Clone, Debug)]
struct Stay {
    id: String,
    from: u64,
    to: u64,
    check_in: Option<u64>,
    cancelled: bool,
}

/// A filter of the API, so small that its meaning is plain.
#[derive(Clone, Debug)]
enum Filter {
    From(Operator, u64),
    To(Operator, u64),
    CheckIn(Operator, u64),
    CheckInMissing,
    Date(u64),
    Cancelled(bool),
    Id(Vec<usize>),
    /// Two fields of one filter.
    And(Box<Filter>, Box<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
}

#[derive(Clone, Copy, Debug)]
enum Operator {
    Lt,
    Le,
    Eq,
    Ge,
    Gt,
}

impl Operator {
    fn name(self) -> &'static str {
        match self {
            Self::Lt => "lt",
            Self::Le => "le",
            Self::Eq => "eq",
            Self::Ge => "ge",
            Self::Gt => "gt",
        }
    }

    fn holds(self, left: u64, right: u64) -> bool {
        match self {
            Self::Lt => left < right,
            Self::Le => left <= right,
            Self::Eq => left == right,
            Self::Ge => left >= right,
            Self::Gt => left > right,
        }
    }
}

fn day(number: u64) -> String {
    let first: NaiveDate = "2026-03-01".parse().expect("a date");
    (first + Days::new(number)).to_string()
}

fn noon(number: u64) -> String {
    format!("{}T12:00:00Z", day(number))
}

impl Filter {
    /// As the API takes it.
    fn input(&self, stays: &[Stay]) -> Value {
        match self {
            Self::From(operator, at) => json!({"reservation_from": {operator.name(): day(*at)}}),
            Self::To(operator, at) => json!({"reservation_to": {operator.name(): day(*at)}}),
            Self::CheckIn(operator, at) => json!({"check_in": {operator.name(): noon(*at)}}),
            Self::CheckInMissing => json!({"check_in": {"eq": null}}),
            Self::Date(at) => json!({"date": day(*at)}),
            Self::Cancelled(cancelled) => {
                json!({"reservationStatus": {"eq": if *cancelled { "CANCELLED" } else { "ACTIVE" }}})
            }
            Self::Id(indexes) => json!({"id": {"in": ids(indexes, stays)}}),
            Self::And(one, two) => json!({"not": {"not": one.input(stays)}, "or": [two.input(stays)]}),
            Self::Or(parts) => json!({"or": parts.iter().map(|part| part.input(stays)).collect::<Vec<_>>()}),
            Self::Not(inner) => json!({"not": inner.input(stays)}),
        }
    }

    /// What it means.
    fn holds(&self, stay: &Stay, stays: &[Stay]) -> bool {
        match self {
            Self::From(operator, at) => operator.holds(stay.from, *at),
            Self::To(operator, at) => operator.holds(stay.to, *at),
            Self::CheckIn(operator, at) => stay.check_in.is_some_and(|check_in| operator.holds(check_in, *at)),
            Self::CheckInMissing => stay.check_in.is_none(),
            Self::Date(at) => stay.from <= *at && stay.to > *at,
            Self::Cancelled(cancelled) => stay.cancelled == *cancelled,
            Self::Id(indexes) => ids(indexes, stays).contains(&stay.id),
            Self::And(one, two) => one.holds(stay, stays) && two.holds(stay, stays),
            Self::Or(parts) => parts.iter().any(|part| part.holds(stay, stays)),
            Self::Not(inner) => !inner.holds(stay, stays),
        }
    }
}

fn ids(indexes: &[usize], stays: &[Stay]) -> Vec<String> {
    indexes.iter().map(|index| stays[index % stays.len()].id.clone()).collect()
}

fn filters() -> impl Strategy<Value = Filter> {
    let operator = prop::sample::select(vec![Operator::Lt, Operator::Le, Operator::Eq, Operator::Ge, Operator::Gt]);
    let leaf = prop_oneof![
        (operator.clone(), 0..30_u64).prop_map(|(operator, at)| Filter::From(operator, at)),
        (operator.clone(), 0..30_u64).prop_map(|(operator, at)| Filter::To(operator, at)),
        (operator, 0..30_u64).prop_map(|(operator, at)| Filter::CheckIn(operator, at)),
        Just(Filter::CheckInMissing),
        (0..30_u64).prop_map(Filter::Date),
        any::<bool>().prop_map(Filter::Cancelled),
        prop::collection::vec(0..30_usize, 0..6).prop_map(Filter::Id),
    ];
    leaf.prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(one, two)| Filter::And(Box::new(one), Box::new(two))),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Filter::Or),
            inner.prop_map(|inner| Filter::Not(Box::new(inner))),
        ]
    })
}

/// Arrival, nights, days from arrival to check-in, cancelled.
fn stays() -> impl Strategy<Value = Vec<(u64, u64, Option<u64>, bool)>> {
    prop::collection::vec((0..28_u64, 0..9_u64, prop::option::of(0..3_u64), any::<bool>()), 12..25)
}

async fn make(house: &House, number: usize, (from, nights, arrival, cancelled): (u64, u64, Option<u64>, bool)) -> Stay {
    let to = from + nights;
    let (reservation, mut made) = house.reservation(&format!("R{number}"), &[(&day(from), &day(to))]).await;
    let stay = Stay { id: made.remove(0), from, to, check_in: arrival.map(|days| from + days), cancelled };
    if let Some(at) = stay.check_in {
        let seen = json!({"id": stay.id, "check_in": noon(at)});
        house.locks.done("updateRoomStay", seen, "roomStay { id }").await;
    }
    if cancelled {
        house.desk.done("cancelReservation", json!({ "id": reservation }), "reservation { id }").await;
    }
    stay
}

/// Cases that differ from run to run make a failure hard to find again; these are the same in every run.
fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let seed = proptest::test_runner::TestRng::deterministic_rng(config.rng_algorithm);
    TestRunner::new_with_rng(config, seed)
}

const PAGE: &str = "query($filter: RoomStayFilter $first: Int $last: Int $after: String $before: String) { \
    room_stays(filter: $filter first: $first last: $last after: $after before: $before) { totalCount edges { \
        node { id } } \
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";

#[test]
fn a_filter_finds_what_it_means_in_the_order_of_departure_in_pages_of_any_size_from_both_ends() {
    let runtime = Runtime::new().expect("a runtime");
    let house = runtime.block_on(House::new());
    let mut random = runner(1);
    let plan = stays().new_tree(&mut random).expect("stays").current();
    let mut all = Vec::new();
    for (number, new) in plan.into_iter().enumerate() {
        all.push(runtime.block_on(make(&house, number, new)));
    }
    all.sort_by(|left, right| (left.to, &left.id).cmp(&(right.to, &right.id)));
    runner(150)
        .run(&(filters(), 1..9_usize), |(filter, size)| {
            let expected: Vec<String> =
                all.iter().filter(|stay| filter.holds(stay, &all)).map(|stay| stay.id.clone()).collect();
            let input = filter.input(&all);
            for forward in [true, false] {
                let found = runtime.block_on(read_all(&house, &input, size, forward, expected.len()));
                prop_assert_eq!(&found, &expected, "{}", input);
            }
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}

/// Reads a list to its end, or from its end to its beginning.
async fn read_all(house: &House, filter: &Value, size: usize, forward: bool, total: usize) -> Vec<String> {
    let (count, bound, more, cursor) = if forward {
        ("first", "after", "hasNextPage", "endCursor")
    } else {
        ("last", "before", "hasPreviousPage", "startCursor")
    };
    let mut found: Vec<String> = Vec::new();
    let mut variables = json!({"filter": filter, count: size});
    loop {
        let data = house.messaging.data(PAGE, variables.clone()).await;
        let page = &data["room_stays"];
        assert_eq!(page["totalCount"], json!(total), "{filter}");
        let ids: Vec<String> = nodes(page).iter().map(|stay| text(&stay["id"])).collect();
        if forward {
            found.extend(ids);
        } else {
            found.splice(0..0, ids);
        }
        if page["pageInfo"][more] == false {
            return found;
        }
        variables[bound] = page["pageInfo"][cursor].clone();
    }
}

/// One step of a history of keys.
#[derive(Clone, Copy, Debug)]
enum Step {
    Create(usize),
    Add(usize, usize),
    Remove(usize, usize),
    Delete(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0..3_usize).prop_map(Step::Create),
        (0..3_usize, 0..3_usize).prop_map(|(stay, key)| Step::Add(stay, key)),
        (0..3_usize, 0..3_usize).prop_map(|(stay, key)| Step::Remove(stay, key)),
        (0..3_usize).prop_map(Step::Delete),
    ];
    prop::collection::vec(step, 1..25)
}

/// The rules of keys in a few lines: which stay has which key, and which keys there are.
#[derive(Clone, Debug, Default)]
struct Model {
    keys: [Option<String>; 3],
    stays: [Option<String>; 3],
}

impl Model {
    fn step(&mut self, step: Step, created: Option<String>) -> &'static str {
        match step {
            Step::Create(slot) => self.keys[slot] = created,
            Step::Add(stay, key) => match (&self.keys[key], &self.stays[stay]) {
                (None, _) => return "NOT_FOUND",
                (Some(key), Some(present)) if key == present => {}
                (Some(_), Some(_)) => return "KEY_ALREADY_ASSIGNED",
                (Some(key), None) => self.stays[stay] = Some(key.clone()),
            },
            Step::Remove(stay, key) => match &self.keys[key] {
                None => return "NOT_FOUND",
                key if *key == self.stays[stay] => self.stays[stay] = None,
                Some(_) => return "KEY_NOT_ASSIGNED",
            },
            Step::Delete(key) => match &self.keys[key] {
                None => return "NOT_FOUND",
                key if self.stays.contains(key) => return "KEY_STILL_ASSIGNED",
                Some(_) => self.keys[key] = None,
            },
        }
        "no error"
    }
}

#[test]
fn any_history_of_keys_ends_as_the_rules_say() {
    let runtime = Runtime::new().expect("a runtime");
    let house = runtime.block_on(House::new());
    let number = std::cell::Cell::new(0);
    runner(25)
        .run(&steps(), |steps| {
            number.set(number.get() + 1);
            runtime.block_on(async {
                let code_of_reservation = format!("R{}", number.get());
                let (_, stays) = house.reservation(&code_of_reservation, &[("2026-01-30", "2026-02-01"); 3]).await;
                let mut model = Model::default();
                for step in steps {
                    let of = |slot: usize| model.keys[slot].clone().unwrap_or_else(|| "no-such-key".to_owned());
                    let (answer, created) = match step {
                        Step::Create(slot) => (json!({}), Some(house.locks.pin(&slot.to_string()).await)),
                        Step::Add(stay, key) => (house.locks.add(&stays[stay], &of(key)).await, None),
                        Step::Remove(stay, key) => (house.locks.remove(&stays[stay], &of(key)).await, None),
                        Step::Delete(key) => (house.locks.delete(&of(key)).await, None),
                    };
                    let expected = model.step(step, created);
                    prop_assert_eq!(code(&answer), expected, "{:?} in {:?}", step, &model);
                }
                for (stay, key) in stays.iter().zip(&model.stays) {
                    prop_assert_eq!(&house.messaging.key_of(stay).await, key);
                }
                Ok(())
            })
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}

/// Runs one step inside a request's transaction; answers the key that it made.
async fn step_in(tx: &mut Tx, step: Step, stays: &[String], keys: &[Option<String>; 3]) -> Result<Option<String>> {
    let key = |slot: usize| keys[slot].as_deref().map_or(Uuid::nil(), |id| id.parse().expect("an id"));
    let stay = |slot: usize| stays[slot].parse().expect("an id");
    match step {
        Step::Create(slot) => {
            let made = key_assignments::create_in(tx, &NewKey::pin(slot.to_string())?)?;
            return Ok(Some(made.id.to_string()));
        }
        Step::Add(on, slot) => key_assignments::add_key_in(tx, stay(on), key(slot)).await.map(drop)?,
        Step::Remove(off, slot) => key_assignments::remove_key_in(tx, stay(off), key(slot)).await.map(drop)?,
        Step::Delete(slot) => {
            tx.flush().await?;
            key_assignments::delete_in(tx, key(slot)).await?;
        }
    }
    Ok(None)
}

/// Whether the clock of each key is running; `None` for a key that is not there.
async fn clock_of(pool: &PgPool, key: &str) -> Option<bool> {
    sqlx::query_scalar("SELECT unassigned_since IS NOT NULL FROM room_access_keys WHERE id = $1::uuid")
        .bind(key)
        .fetch_optional(pool)
        .await
        .expect("an answer")
}

/// What is pending while a request runs must be what would have been written.
#[test]
fn a_history_of_keys_within_one_request_ends_as_the_rules_say_or_leaves_nothing() {
    let runtime = Runtime::new().expect("a runtime");
    let house = runtime.block_on(House::new());
    let number = std::cell::Cell::new(0);
    let history = prop::collection::vec(steps(), 1..4);
    runner(25)
        .run(&(history, prop::collection::vec(any::<bool>(), 25)), |(requests, written_between)| {
            number.set(number.get() + 1);
            runtime.block_on(async {
                let code_of_reservation = format!("R{}", number.get());
                let (_, stays) = house.reservation(&code_of_reservation, &[("2026-01-30", "2026-02-01"); 3]).await;
                let (mut model, mut known) = (Model::default(), Vec::new());
                for steps in requests {
                    let mut tx =
                        Tx::begin(&house.test, &house.locks.actor, house.test.clock.now()).await.expect("begins");
                    let (mut after, mut refused) = (model.clone(), None);
                    for (step, write) in steps.into_iter().zip(&written_between) {
                        let done = step_in(&mut tx, step, &stays, &after.keys).await;
                        let code = done.as_ref().err().map_or("no error", |error| error.code.spec().wire);
                        let made = done.ok().flatten();
                        known.extend(made.clone());
                        prop_assert_eq!(code, after.step(step, made), "{:?} in {:?}", step, &after);
                        refused = Some(code).filter(|code| *code != "no error");
                        if refused.is_some() {
                            break;
                        }
                        if *write {
                            tx.flush().await.expect("written");
                        }
                    }
                    if refused.is_some() {
                        tx.rollback().await;
                    } else {
                        tx.commit().await.expect("commits");
                        model = after;
                    }
                    for (stay, key) in stays.iter().zip(&model.stays) {
                        prop_assert_eq!(&house.messaging.key_of(stay).await, key);
                    }
                    for key in model.keys.iter().flatten() {
                        let on_a_stay = model.stays.iter().flatten().any(|of_stay| of_stay == key);
                        prop_assert_eq!(clock_of(&house.test.db.pool, key).await, Some(!on_a_stay), "{}", key);
                    }
                }
                Ok(())
            })
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}
