//! Action attempts: how encoders and doors get on with what they were told to do.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::acs::credentials::AcsCredential;
use super::answer::{List, One, Resource, page_request};
use super::operation::{Query, Reader, Spec};
use super::parameters::{Named, limit, some_list};
use crate::access_grants::{self, Method, MethodField, OwnedList, visible_to};
use crate::actor::Mode;
use crate::db::{Condition, CursorScope, Filter, Page, PageRequest};
use crate::error::{Error, ErrorAt as _, Record, Result};
use crate::hotels::HotelId;
use crate::lock_commands::{self, AttemptField, CommandKind, CommandStatus, Failure};
use crate::unit::Tx;

/// Action attempts of a page where no limit is given.
const LIMIT: u16 = 500;

/// How an encoder gets on with a card, or a door with being opened.
#[derive(Serialize, ToSchema)]
pub struct ActionAttempt {
    action_attempt_id: Uuid,
    action_type: ActionType,
    status: ActionStatus,
    /// What came of it, once it has succeeded.
    result: Option<ActionResult>,
    /// What went wrong, once it has failed.
    error: Option<ActionError>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ActionType {
    EncodeCredential,
    UnlockDoor,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ActionStatus {
    Pending,
    Success,
    Error,
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum ActionResult {
    /// The card that was written.
    Encoded(AcsCredential),
    /// The door that was opened.
    Unlocked { was_confirmed_by_device: bool },
}

#[derive(Serialize, ToSchema)]
struct ActionError {
    #[serde(rename = "type")]
    code: &'static str,
    message: &'static str,
}

impl From<Failure> for ActionError {
    fn from(failure: Failure) -> Self {
        let traits = failure.traits();
        Self { code: traits.name, message: traits.message }
    }
}

impl Resource for ActionAttempt {
    const ONE: &'static str = "action_attempt";
    const MANY: &'static str = "action_attempts";
}

impl ActionAttempt {
    fn new(attempt: &lock_commands::ActionAttempt, hotel: HotelId, methods: &HashMap<Uuid, Method>) -> Self {
        let result = (attempt.status == CommandStatus::Succeeded).then(|| match attempt.kind {
            CommandKind::EncodeCard => {
                let method = methods.get(&attempt.subject_id)?;
                Some(ActionResult::Encoded(AcsCredential::new(method, hotel, attempt.provider)))
            }
            CommandKind::UnlockDoor => Some(ActionResult::Unlocked { was_confirmed_by_device: true }),
        });
        Self {
            action_attempt_id: attempt.id,
            action_type: match attempt.kind {
                CommandKind::EncodeCard => ActionType::EncodeCredential,
                CommandKind::UnlockDoor => ActionType::UnlockDoor,
            },
            status: match attempt.status {
                CommandStatus::Pending => ActionStatus::Pending,
                CommandStatus::Succeeded => ActionStatus::Success,
                CommandStatus::Failed => ActionStatus::Error,
            },
            result: result.flatten(),
            error: attempt.error.map(ActionError::from),
        }
    }
}

/// A page of those that the actor sees, with the cards that they are about.
async fn page(
    reader: &mut Reader<'_>,
    filter: &Filter<AttemptField>,
    request: &PageRequest<Uuid>,
) -> Result<Page<(Uuid, ActionAttempt)>> {
    let (hotel, now, integration) = (reader.actor.hotel.id, reader.now, visible_to(&reader.actor)?);
    let page = lock_commands::page(reader.conn, hotel, integration, filter, request).await?;
    let is_written = |attempt: &&lock_commands::ActionAttempt| {
        attempt.kind == CommandKind::EncodeCard && attempt.status == CommandStatus::Succeeded
    };
    let mut written: Vec<Uuid> = page.items.iter().filter(is_written).map(|attempt| attempt.subject_id).collect();
    written.sort_unstable();
    written.dedup();
    let mut methods = HashMap::new();
    if !written.is_empty() {
        // An integration reads all cards that it had written.
        let most = PageRequest::first(u16::try_from(written.len()).unwrap_or(u16::MAX));
        let filter = Filter::Field(MethodField::Id(Condition::In(written)));
        let list = OwnedList { integration: None, filter };
        let found = access_grants::method_page(reader.conn, hotel, &list, &most, now).await?;
        methods.extend(found.items.into_iter().map(|method| (method.id, method)));
    }
    Ok(page.map(|attempt| (attempt.id, ActionAttempt::new(&attempt, hotel, &methods))))
}

async fn find(reader: &mut Reader<'_>, id: Uuid) -> Result<One<ActionAttempt>> {
    let filter = Filter::Field(AttemptField::Id(Condition::Eq(Some(id))));
    let found = page(reader, &filter, &PageRequest::first(1)).await?.items.pop();
    found.map(|(_, attempt)| One(attempt)).ok_or_else(|| Error::not_found(Record::ActionAttempt)).at("id")
}

/// Tells an encoder to write the card of an access method.
pub(super) async fn encode_in(tx: &mut Tx, method: Uuid, Named(encoder): &Named) -> Result<One<ActionAttempt>> {
    let id = access_grants::encode_in(tx, method, encoder.clone()).await?;
    let is_test = tx.actor.mode == Mode::Test;
    let mut reader = Reader::of(tx).await?;
    if is_test { done_in_advance(&mut reader, id).await } else { find(&mut reader, id).await }
}

/// The attempt as it will be when all goes well: what a test key begins nobody does, and nobody finds it.
async fn done_in_advance(reader: &mut Reader<'_>, id: Uuid) -> Result<One<ActionAttempt>> {
    let (hotel, now) = (reader.actor.hotel.id, reader.now);
    let filter = Filter::Field(AttemptField::Id(Condition::Eq(Some(id))));
    let found = lock_commands::page(reader.conn, hotel, None, &filter, &PageRequest::first(1)).await?.items.pop();
    let attempt = found.ok_or_else(|| Error::internal("a command that was made is there"))?;
    let method = access_grants::method(reader.conn, hotel, attempt.subject_id, now).await?;
    let attempt = lock_commands::ActionAttempt { status: CommandStatus::Succeeded, ..attempt };
    Ok(One(ActionAttempt::new(&attempt, hotel, &HashMap::from([(method.id, method)]))))
}

/// Opens a door by an access method.
pub(super) async fn unlock_in(tx: &mut Tx, method: Uuid, Named(entrance): &Named) -> Result<One<ActionAttempt>> {
    let id = access_grants::unlock_in(tx, method, entrance).await?;
    find(&mut Reader::of(tx).await?, id).await
}

/// Which one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GetActionAttempt {
    action_attempt_id: Uuid,
}

impl Query for GetActionAttempt {
    const SPEC: Spec = Spec {
        path: "/action_attempts/get",
        id: "action_attempt_id",
        about: "Answers one action attempt. They are kept for 30 days after their end.",
    };
    const STATEMENTS: u32 = 2;
    const IS_POLLED: bool = true;
    type Answer = One<ActionAttempt>;

    async fn read(&self, mut reader: Reader<'_>) -> Result<One<ActionAttempt>> {
        find(&mut reader, self.action_attempt_id).await
    }
}

/// Which of them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListActionAttempts {
    /// Only these.
    #[serde(default, deserialize_with = "some_list")]
    action_attempt_ids: Option<Vec<Uuid>>,
    /// 1 to 1,000.
    #[serde(default, deserialize_with = "limit")]
    limit: Option<u16>,
    /// `next_page_cursor` of the page before.
    page_cursor: Option<String>,
}

impl Query for ListActionAttempts {
    const SPEC: Spec = Spec {
        path: "/action_attempts/list",
        id: "action_attempt_id",
        about: "Answers action attempts of the integration, in the order in which they began; with a key of the front desk, those of all.",
    };
    const STATEMENTS: u32 = 2;
    type Answer = List<ActionAttempt>;

    async fn read(&self, mut reader: Reader<'_>) -> Result<List<ActionAttempt>> {
        let ids = self.action_attempt_ids.iter().map(|ids| Filter::Field(AttemptField::Id(Condition::In(ids.clone()))));
        let filter = Filter::All(ids.collect());
        let scoped = (visible_to(&reader.actor)?, &filter);
        let scope = CursorScope::new(reader.actor.hotel.id, Self::SPEC.path, &scoped);
        let request = page_request(scope, self.limit.unwrap_or(LIMIT), self.page_cursor.as_deref())?;
        let page = page(&mut reader, &filter, &request).await?;
        Ok(List::page(page, scope, |(id, _)| *id, |(_, attempt)| attempt))
    }
}
