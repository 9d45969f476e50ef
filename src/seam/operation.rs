//! Operations: what is done at each route. A type of parameters is one, so that what is read, done and described is said once.

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::answer::Answer;
use super::parameters::Parameters;
use crate::actor::{Actor, Permission};
use crate::app::App;
use crate::error::Result;
use crate::throttle::STATEMENT_COST;
use crate::unit::Tx;

/// What a record in an answer costs.
const RECORD_COST: u64 = 20;

/// Where an operation is served, and what it does.
#[derive(Debug)]
pub struct Spec {
    /// Path below `/seam`.
    pub path: &'static str,
    /// Name of the parameter that names the record that it is about.
    pub id: &'static str,
    /// What it does, for the OpenAPI document.
    pub about: &'static str,
}

/// Parameters of an operation that reads.
pub trait Query: DeserializeOwned + ToSchema + Send + Sync + 'static {
    /// Where it is served.
    const SPEC: Spec;
    /// Most statements that it takes.
    const STATEMENTS: u32 = 1;
    /// Whether clients ask for it again and again until something has ended, and so may ask more often.
    const IS_POLLED: bool = false;
    /// What it answers with.
    type Answer: Answer;

    /// Reads the answer.
    fn read(&self, reader: Reader<'_>) -> impl Future<Output = Result<Self::Answer>> + Send;
}

/// Parameters of an operation that changes something.
pub trait Act: DeserializeOwned + ToSchema + Send + Sync + 'static {
    /// Where it is served.
    const SPEC: Spec;
    /// What it needs.
    const PERMISSION: Permission = Permission::Write;
    /// What it answers with.
    type Answer: Answer;

    /// Does it, and reads the answer in the same transaction.
    fn perform_in(&self, tx: &mut Tx, app: &App) -> impl Future<Output = Result<Self::Answer>> + Send;
}

/// What an answer is read with.
pub struct Reader<'a> {
    /// Sees the rows of the actor's hotel.
    pub conn: &'a mut PgConnection,
    /// Who asks.
    pub actor: Actor,
    /// As of when.
    pub now: DateTime<Utc>,
}

impl<'a> Reader<'a> {
    /// Of what a transaction has changed so far, and of what followed that.
    ///
    /// # Errors
    /// Those of the followers, and of what is pending.
    pub async fn of(tx: &'a mut Tx) -> Result<Self> {
        tx.follow().await?;
        let (actor, now) = (tx.actor.clone(), tx.now);
        Ok(Self { conn: tx.conn().await?, actor, now })
    }
}

/// An operation with its parameters, ready to be run.
pub enum Prepared {
    /// It reads.
    Query(Box<dyn PreparedQuery>),
    /// It changes something. It may be run several times, each time after all that it did was undone.
    Act(Box<dyn PreparedAct>),
}

impl Prepared {
    /// What it costs, beside what [`answer_cost`] adds.
    pub fn cost(&self) -> u64 {
        match self {
            Self::Query(query) => query.cost(),
            Self::Act(_) => STATEMENT_COST,
        }
    }
}

/// A [`Query`] of whatever type.
pub trait PreparedQuery: Send + Sync {
    /// What its statements cost.
    fn cost(&self) -> u64;
    /// Reads the body of the answer.
    fn read<'a>(&'a self, reader: Reader<'a>) -> BoxFuture<'a, Result<Value>>;
}

impl<Q: Query> PreparedQuery for Q {
    fn cost(&self) -> u64 {
        u64::from(Q::STATEMENTS) * STATEMENT_COST
    }

    fn read<'a>(&'a self, reader: Reader<'a>) -> BoxFuture<'a, Result<Value>> {
        Box::pin(async move { body(Query::read(self, reader).await?) })
    }
}

/// An [`Act`] of whatever type.
pub trait PreparedAct: Send + Sync {
    /// Does it, and answers with the body of the answer.
    fn perform_in<'a>(&'a self, tx: &'a mut Tx, app: &'a App) -> BoxFuture<'a, Result<Value>>;
}

impl<A: Act> PreparedAct for A {
    fn perform_in<'a>(&'a self, tx: &'a mut Tx, app: &'a App) -> BoxFuture<'a, Result<Value>> {
        Box::pin(async move {
            tx.begin_act(None);
            body(Act::perform_in(self, tx, app).await?)
        })
    }
}

/// What the records in the body of an answer cost.
pub fn answer_cost(body: &Value) -> u64 {
    let records = |(name, value): (&String, &Value)| match value {
        Value::Array(list) => list.len(),
        Value::Object(lists) if name == "batch" => lists.values().filter_map(Value::as_array).map(Vec::len).sum(),
        Value::Object(_) if name != "pagination" => 1,
        _ => 0,
    };
    RECORD_COST * body.as_object().into_iter().flatten().map(records).sum::<usize>() as u64
}

fn body(answer: impl Answer) -> Result<Value> {
    let mut body = Map::new();
    answer.write(&mut body)?;
    body.insert("ok".to_owned(), Value::Bool(true));
    Ok(Value::Object(body))
}

/// Reads the parameters of a query.
pub(super) fn prepare_query<Q: Query>(parameters: &Parameters) -> Result<Prepared> {
    Ok(Prepared::Query(Box::new(parameters.read::<Q>()?)))
}

/// Reads the parameters of an act.
pub(super) fn prepare_act<A: Act>(parameters: &Parameters) -> Result<Prepared> {
    Ok(Prepared::Act(Box::new(parameters.read::<A>()?)))
}
