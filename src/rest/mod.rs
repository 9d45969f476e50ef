//! REST for the hotel's own system: who arrives, who changes, who leaves, who is in the house.
//!
//! The routes compose the services that GraphQL uses, so the same events follow. A guest is known by `pmsGuestId`: an
//! external id of the integration ([`reservations`](crate::reservations)), else the code of a reservation. Checking in
//! records the physical arrival; it makes the reservation where there is none. A room that is occupied is flagged, never
//! refused. Each request is one transaction.

mod answer;
mod check_in;
mod fields;
pub mod openapi;
mod presence;
mod store;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

pub use answer::ErrorBody;

use crate::actor::{Actor, Mode};
use crate::audit::Reason;
use crate::error::{Error, Message, Result};
use crate::throttle::STATEMENT_COST;
use crate::unit::Tx;
use check_in::Meant;
use fields::{CheckIn, CheckOut, InHouse, Update};
use store::Which;

/// How many statements a page of who is in the house takes.
pub const IN_HOUSE_STATEMENTS: u32 = 1;

/// Most guests on a page.
pub const MOST_PER_PAGE: i64 = 100;

/// What a POST asks for.
pub enum Command {
    /// A guest arrives.
    CheckIn(Box<CheckIn>),
    /// What is known of a guest changes.
    Update(Box<Update>),
    /// A guest leaves.
    CheckOut(CheckOut),
    /// This is who is in the house.
    Synchronise(InHouse),
}

impl Command {
    /// Last parts of the routes.
    pub const NAMES: &[&str] = &["checkin", "update", "checkout", "sync"];

    /// Reads the body of a request to the route called `name`.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`
    pub fn read(name: &str, body: &Value) -> Result<Self> {
        match name {
            "checkin" => Ok(Self::CheckIn(Box::new(CheckIn::read(body)?))),
            "update" => Ok(Self::Update(Box::new(Update::read(body)?))),
            "checkout" => Ok(Self::CheckOut(CheckOut::read(body)?)),
            "sync" => Ok(Self::Synchronise(InHouse::read(body)?)),
            _ => Err(Error::internal("a route without a command")),
        }
    }

    /// What it costs: an act for each guest.
    pub fn cost(&self) -> u64 {
        match self {
            Self::CheckIn(_) | Self::Update(_) | Self::CheckOut(_) => STATEMENT_COST,
            Self::Synchronise(list) => STATEMENT_COST * (1 + list.guests.len() as u64),
        }
    }

    /// Does it, and answers with the body of the answer.
    ///
    /// # Errors
    /// `NOT_FOUND`, `INVALID_ARGUMENT`, `RESERVATION_CANCELLED`, `ROOM_STAY_DEPARTED`
    pub async fn perform_in(&self, tx: &mut Tx) -> Result<Value> {
        let zone = tx.actor.hotel.time_zone;
        let all = |guests: Vec<store::Guest>| -> Vec<Value> {
            guests.iter().map(|guest| answer::guest(guest, zone)).collect()
        };
        tx.begin_act(self.reason().cloned());
        let body = match self {
            Self::CheckIn(input) => {
                let done = check_in::check_in_in(tx, input, Meant::Best, &mut BTreeSet::new()).await?;
                json!({"guest": answer::guest(&done.guest, zone), "created": done.created,
                    "roomOccupied": done.room_occupied})
            }
            Self::Update(input) => {
                let (guest, changes) = presence::update_in(tx, input).await?;
                json!({"guest": answer::guest(&guest, zone), "changes": changes})
            }
            Self::CheckOut(input) => {
                let (guests, before) = presence::check_out_in(tx, input).await?;
                json!({"guests": all(guests), "alreadyCheckedOut": before})
            }
            Self::Synchronise(list) => {
                let done = presence::synchronise_in(tx, list).await?;
                json!({"checkedOut": all(done.checked_out), "checkedIn": all(done.checked_in),
                    "updated": all(done.updated), "unchanged": done.unchanged})
            }
        };
        Ok(answer::success(body, tx.actor.mode))
    }
}

impl Command {
    /// Why it is done, where the body says so.
    fn reason(&self) -> Option<&Reason> {
        match self {
            Self::CheckIn(input) => input.reason.as_ref(),
            Self::Update(input) => input.reason.as_ref(),
            Self::CheckOut(input) => input.reason.as_ref(),
            Self::Synchronise(list) => list.reason.as_ref(),
        }
    }
}

/// What a page of who is in the house costs: a page, and the fields of its guests.
pub fn list_cost(limit: Option<&str>) -> u64 {
    STATEMENT_COST + page_size(limit).unwrap_or(MOST_PER_PAGE).unsigned_abs() * openapi::GUEST.len() as u64
}

/// `None` for what is out of range.
fn page_size(limit: Option<&str>) -> Option<i64> {
    let limit = limit.map_or(Some(MOST_PER_PAGE), |limit| limit.parse().ok());
    limit.filter(|limit| (1..=MOST_PER_PAGE).contains(limit))
}

/// A page of who is in the house, by stay, and the body of the answer.
///
/// # Errors
/// `INVALID_ARGUMENT` for a `limit` outside of 1 to 100 and for an `after` that no answer gave.
pub async fn in_house(
    conn: &mut PgConnection,
    actor: &Actor,
    limit: Option<&str>,
    after: Option<&str>,
) -> Result<Value> {
    let limit =
        page_size(limit).ok_or_else(|| Error::new(Message::LimitOutOfRange { most: MOST_PER_PAGE }).at("limit"))?;
    let after = after.map_or(Ok(Uuid::nil()), Uuid::parse_str);
    let after = after.map_err(|_| Error::new(Message::AfterInvalid).at("after"))?;
    let which = Which::InHouse { after, limit: limit + 1 };
    let mut guests = store::guests(conn, actor.hotel.id, actor.integration()?, which).await?;
    let fits = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = guests.len() > fits;
    guests.truncate(fits);
    let next = guests.last().filter(|_| more).map(|guest| guest.stay.to_string());
    let zone = actor.hotel.time_zone;
    let guests: Vec<Value> = guests.iter().map(|guest| answer::guest(guest, zone)).collect();
    Ok(answer::success(json!({"guests": guests, "next": next}), actor.mode))
}

/// Says of an answer to a test key that nothing of it was kept.
const fn is_sandbox(mode: Mode) -> bool {
    matches!(mode, Mode::Test)
}
